package mcpserver

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"sync"

	"github.com/mark3labs/mcp-go/mcp"
	"github.com/mark3labs/mcp-go/server"
)

// requests are those that the server sends to its client, and waits for.
type requests struct {
	mu   sync.Mutex
	sent int
	open map[string]chan clientAnswer // by id, as it is written
	gone bool
}

// clientAnswer is what a client answers to a request of the server.
type clientAnswer struct {
	result, failure json.RawMessage
}

var errClientGone = errors.New("the client has left")

// begin makes an id and the channel on which its answer comes.
func (r *requests) begin() (id string, answer chan clientAnswer, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.gone {
		return "", nil, errClientGone
	}
	r.sent++
	id = strconv.Quote("esa-" + strconv.Itoa(r.sent))
	answer = make(chan clientAnswer, 1)
	if r.open == nil {
		r.open = make(map[string]chan clientAnswer)
	}
	r.open[id] = answer
	return id, answer, nil
}

func (r *requests) end(id string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.open, id)
}

// deliver hands an answer to who waits for it; others are dropped.
func (r *requests) deliver(id json.RawMessage, a clientAnswer) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if answer, ok := r.open[string(id)]; ok {
		delete(r.open, string(id))
		answer <- a
	}
}

// leave ends the waiting: a client that has closed its side answers no more.
func (r *requests) leave() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.gone = true
	for id, answer := range r.open {
		delete(r.open, id)
		close(answer)
	}
}

// request sends a request to the client and decodes the answer into out.
func (s *session) request(ctx context.Context, method string, params, out any) error {
	id, answer, err := s.requests.begin()
	if err != nil {
		return err
	}
	defer s.requests.end(id)
	text, err := encodeJSON(struct {
		JSONRPC string          `json:"jsonrpc"`
		ID      json.RawMessage `json:"id"`
		Method  string          `json:"method"`
		Params  any             `json:"params"`
	}{"2.0", json.RawMessage(id), method, params})
	if err != nil {
		return fmt.Errorf("encode %s: %w", method, err)
	}
	s.out.line(text)
	select {
	case a, ok := <-answer:
		switch {
		case !ok:
			return errClientGone
		case a.failure != nil:
			return fmt.Errorf("the client refused %s: %s", method, a.failure)
		}
		if err := json.Unmarshal(a.result, out); err != nil {
			return fmt.Errorf("read the answer to %s: %w", method, err)
		}
		return nil
	case <-ctx.Done():
		s.notify(map[string]any{"jsonrpc": "2.0", "method": "notifications/cancelled",
			"params": map[string]any{"requestId": json.RawMessage(id), "reason": "no longer needed"}})
		return ctx.Err()
	}
}

// RequestElicitation puts a question to the person behind the client. A client
// that does not say it can is not asked.
func (s *session) RequestElicitation(ctx context.Context, r mcp.ElicitationRequest) (*mcp.ElicitationResult, error) {
	if s.GetClientCapabilities().Elicitation == nil {
		return nil, server.ErrElicitationNotSupported
	}
	var out mcp.ElicitationResult
	if err := s.request(ctx, string(mcp.MethodElicitationCreate), r.Params, &out); err != nil {
		return nil, err
	}
	return &out, nil
}

var _ server.SessionWithElicitation = (*session)(nil)
