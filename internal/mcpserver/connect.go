package mcpserver

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"sync"

	"github.com/mark3labs/mcp-go/client"
	"github.com/mark3labs/mcp-go/client/transport"
	"github.com/mark3labs/mcp-go/mcp"
	"github.com/mark3labs/mcp-go/server"
)

// Session is a client connected to a server in this process. It goes through
// ServeStdio over pipes, so what it does is what any client sees.
type Session struct {
	client *client.Client
	wire   transport.Interface
	// stop cancels the calls that still run; served is closed when the loop has
	// ended.
	stop   context.CancelFunc
	served chan struct{}

	mu       sync.Mutex
	calls    int
	progress map[string]func(done, total float64, message string) // by token
}

// CallResult is what a tool answered.
type CallResult struct {
	// Structured is the result as JSON; nil for an error.
	Structured json.RawMessage
	// Text is the result, or the error, as a model reads it.
	Text    string
	IsError bool
}

// Connect starts a session and initializes it. It lives until Close or the end of
// ctx.
func Connect(ctx context.Context, s *server.MCPServer) (*Session, error) {
	serveCtx, stop := context.WithCancel(ctx)
	fromClient, toServer := io.Pipe()
	fromServer, toClient := io.Pipe()
	session := &Session{
		stop: stop, served: make(chan struct{}),
		progress: make(map[string]func(done, total float64, message string)),
	}
	go func() {
		defer close(session.served)
		err := ServeStdio(serveCtx, s, fromClient, toClient, StdioOptions{})
		// Both ends, so that neither side waits for one that is gone.
		fromClient.CloseWithError(io.EOF)
		if err == nil || serveCtx.Err() != nil {
			err = io.EOF
		}
		toClient.CloseWithError(err)
	}()
	session.wire = transport.NewIO(fromServer, toServer, io.NopCloser(strings.NewReader("")))
	session.client = client.NewClient(session.wire)
	session.client.OnNotification(session.notified)
	if err := session.start(serveCtx); err != nil {
		session.Close()
		return nil, err
	}
	return session, nil
}

func (s *Session) start(ctx context.Context) error {
	if err := s.client.Start(ctx); err != nil {
		return fmt.Errorf("start the client: %w", err)
	}
	var r mcp.InitializeRequest
	// The newest revision with a handshake, so that the handshake is used.
	r.Params.ProtocolVersion = mcp.LATEST_LEGACY_PROTOCOL_VERSION
	r.Params.ClientInfo = mcp.Implementation{Name: "esa-mcp", Version: "in-process"}
	if _, err := s.client.Initialize(ctx, r); err != nil {
		return fmt.Errorf("initialize the session: %w", err)
	}
	return nil
}

// Close ends the session. Calls that still run are cancelled.
func (s *Session) Close() error {
	s.stop()
	err := s.client.Close()
	<-s.served
	if err != nil {
		return fmt.Errorf("close the session: %w", err)
	}
	return nil
}

// ListTools returns the tools as tools/list shows them, each as JSON.
func (s *Session) ListTools(ctx context.Context) ([]json.RawMessage, error) {
	// Past the typed client, which would drop parts of the schemas.
	answer, err := s.wire.SendRequest(ctx, transport.JSONRPCRequest{
		JSONRPC: mcp.JSONRPC_VERSION, ID: mcp.NewRequestId(s.token("list")), Method: "tools/list", Params: struct{}{},
	})
	if err != nil {
		return nil, fmt.Errorf("list the tools: %w", err)
	}
	if answer.Error != nil {
		return nil, fmt.Errorf("list the tools: %s", answer.Error.Message)
	}
	var result struct {
		Tools []json.RawMessage `json:"tools"`
	}
	if err := json.Unmarshal(answer.Result, &result); err != nil {
		return nil, fmt.Errorf("read the list of tools: %w", err)
	}
	return result.Tools, nil
}

// CallTool calls a tool with arguments as a JSON object (nil: none). progress may
// be nil; it is called before CallTool returns, one report after the other. When
// ctx ends the call is cancelled at the server too. The error is one of the
// protocol, such as an unknown tool; that of a tool is in the result.
func (s *Session) CallTool(ctx context.Context, name string, args json.RawMessage, progress func(done, total float64, message string)) (CallResult, error) {
	var r mcp.CallToolRequest
	r.Params.Name = name
	r.Params.RawArguments = args
	if progress != nil {
		token := s.token("progress")
		r.Params.Meta = &mcp.Meta{ProgressToken: token}
		s.mu.Lock()
		s.progress[token] = progress
		s.mu.Unlock()
		defer func() {
			s.mu.Lock()
			defer s.mu.Unlock()
			delete(s.progress, token)
		}()
	}
	answer, err := s.client.CallTool(ctx, r)
	if err != nil {
		return CallResult{}, fmt.Errorf("call %s: %w", name, err)
	}
	result := CallResult{Structured: json.RawMessage(answer.RawStructuredContent), IsError: answer.IsError}
	for _, c := range answer.Content {
		if text, ok := c.(mcp.TextContent); ok {
			result.Text += text.Text
		}
	}
	return result, nil
}

// token makes an id that no other call of the session has.
func (s *Session) token(kind string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.calls++
	return fmt.Sprintf("%s-%d", kind, s.calls)
}

// notified runs on the goroutine that reads answers, so reports come in order
// and before the answer.
func (s *Session) notified(n mcp.JSONRPCNotification) {
	if n.Method != string(mcp.MethodNotificationProgress) {
		return
	}
	fields := n.Params.AdditionalFields
	token, _ := fields["progressToken"].(string)
	s.mu.Lock()
	report := s.progress[token]
	s.mu.Unlock()
	if report == nil {
		return
	}
	done, _ := fields["progress"].(float64)
	total, _ := fields["total"].(float64)
	message, _ := fields["message"].(string)
	report(done, total, message)
}
