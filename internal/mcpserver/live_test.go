package mcpserver

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/mark3labs/mcp-go/mcp"
	"github.com/mark3labs/mcp-go/server"
	"github.com/stretchr/testify/require"

	"github.com/esa-mcp/esa-mcp/internal/esa"
	"github.com/esa-mcp/esa-mcp/resources/live"
	"github.com/esa-mcp/esa-mcp/tools"
)

// mcp-go pages by name and takes any template that matches: names are unique, and
// an address has one template.
func TestNamesAndTemplatesAreUnique(t *testing.T) {
	b := newBench(Options{})
	lines := b.pipe(t, StdioOptions{}, initLine, `{"jsonrpc":"2.0","id":1,"method":"resources/list"}`,
		`{"jsonrpc":"2.0","id":2,"method":"resources/templates/list"}`, `{"jsonrpc":"2.0","id":3,"method":"prompts/list"}`)
	templates := map[string]mcp.ResourceTemplate{}
	for _, line := range lines[1:] {
		var answer struct {
			Result struct {
				Resources, ResourceTemplates, Prompts []struct{ Name, URITemplate string }
			}
		}
		require.NoError(t, json.Unmarshal([]byte(line), &answer))
		names := map[string]bool{}
		for _, item := range slices.Concat(answer.Result.Resources, answer.Result.ResourceTemplates, answer.Result.Prompts) {
			require.False(t, names[item.Name], item.Name)
			names[item.Name] = true
		}
		require.Greater(t, len(names), 8)
		for _, template := range answer.Result.ResourceTemplates {
			templates[template.URITemplate] = mcp.NewResourceTemplate(template.URITemplate, template.Name)
		}
	}
	require.Greater(t, len(templates), 12)
	fill := strings.NewReplacer("{site}", "a.example.com", "{kind}", "redirect", "{name}", "n", "{version}", "1", "{namespace}", "n",
		"{key}", "k%2Fl", "{action}", "CreateSite", "{?page}", "?page=2", "{?offset}", "?offset=7", "{+section}", "kv#keys")
	for uri := range templates {
		var fits []string
		for other, template := range templates {
			if template.URITemplate.Regexp().MatchString(fill.Replace(uri)) {
				fits = append(fits, other)
			}
		}
		require.Equal(t, []string{uri}, fits)
	}
}

func TestBadCursor(t *testing.T) {
	lines := newBench(Options{}).pipe(t, StdioOptions{}, initLine, `{"jsonrpc":"2.0","id":1,"method":"resources/list","params":{"cursor":"?"}}`)
	require.Contains(t, lines[1], "the cursor is none that this server gave")
}

func TestGuardedHandlers(t *testing.T) {
	b := newBench(Options{})
	o := Options{Logger: slog.New(slog.NewTextHandler(b.log, nil)), Timeout: 10 * time.Millisecond}
	broken := guarded(o, "prompts/get", func(context.Context, string) (string, error) { panic("token=abcdefgh12345678") })
	_, err := broken(t.Context(), "")
	require.ErrorContains(t, err, "internal error in prompts/get")
	require.Contains(t, b.log.String(), "handler panicked")
	require.NotContains(t, b.log.String(), "abcdefgh12345678")
	slow := guarded(o, "prompts/get", func(ctx context.Context, _ string) (string, error) {
		<-ctx.Done()
		return "", ctx.Err()
	})
	_, err = slow(t.Context(), "")
	require.ErrorIs(t, err, context.DeadlineExceeded)
}

// A completion is never an error, whatever the account does.
func TestCompletionsNeverFail(t *testing.T) {
	b := newBench(Options{Deps: func() (*tools.Deps, error) { panic("no account") }})
	lines := b.pipe(t, StdioOptions{}, initLine,
		`{"jsonrpc":"2.0","id":1,"method":"completion/complete","params":{"ref":{"type":"ref/prompt","name":"secure-a-site"},"argument":{"name":"site","value":"a"}}}`,
		`{"jsonrpc":"2.0","id":2,"method":"completion/complete","params":{"ref":{"type":"ref/resource","uri":"esa://api/{action}"},"argument":{"name":"action","value":"createsi"}}}`,
		`{"jsonrpc":"2.0","id":3,"method":"completion/complete","params":{"ref":{"type":"ref/prompt","name":"nobody"},"argument":{"name":"x","value":""}}}`)
	require.Len(t, lines, 4)
	all := strings.Join(lines, "\n")
	require.NotContains(t, all, `"error"`)
	require.Contains(t, all, `"CreateSite"`)
	require.Equal(t, 2, strings.Count(all, `"values":[]`))
}

// A panic that reaches the transport is an answer, not a broken connection.
func TestHTTPPanic(t *testing.T) {
	s := newSite(t, HTTPOptions{})
	s.AddResource(mcp.NewResource("test://broken", "broken"), func(context.Context, mcp.ReadResourceRequest) ([]mcp.ResourceContents, error) {
		panic("token=abcdefgh12345678")
	})
	res := s.send(request{body: `{"jsonrpc":"2.0","id":"p","method":"resources/read","params":{"uri":"test://broken"}}`, header: s.open()})
	require.Equal(t, http.StatusInternalServerError, res.StatusCode)
	body := said(t, res)
	require.Contains(t, body, `"id":"p"`)
	require.Contains(t, body, "internal error in resources/read")
	require.NotContains(t, body, "abcdefgh12345678")
}

// What a call changes is told to the session that subscribed, and to no other.
func TestUpdates(t *testing.T) {
	w := &live.Watch{}
	b := newBench(Options{Watch: w})
	one, two := newChannel("one"), newChannel("two")
	for _, c := range []*channel{one, two} {
		require.NoError(t, b.RegisterSession(t.Context(), c))
	}
	subscribe := func(c *channel, method, uri string) {
		b.HandleMessage(b.WithContext(t.Context(), c), []byte(fmt.Sprintf(`{"jsonrpc":"2.0","id":1,"method":"resources/%s","params":{"uri":%q}}`, method, uri)))
	}
	subscribe(one, "subscribe", "esa://routines/r")
	subscribe(two, "subscribe", "esa://routines/q")
	for range maxSubscriptions + 10 {
		subscribe(two, "subscribe", "esa://kv/"+strings.Repeat("x", 10))
	}
	change := func(action string, params map[string]any) {
		_, _ = w.Caller(nothing{}).Call(t.Context(), action, params)
	}
	change("PublishRoutineCodeVersion", map[string]any{"Name": "r"})
	require.Equal(t, []string{"notifications/resources/updated esa://routines/r"}, one.take())
	require.Empty(t, two.take())
	change("CreateRoutine", map[string]any{"Name": "new"})
	require.Equal(t, []string{"notifications/resources/list_changed <nil>"}, one.take())
	change("CreateRoutine", map[string]any{"Name": "new"})
	change("DeleteRoutine", map[string]any{"Name": "unknown"})
	require.Empty(t, one.take(), "nothing new in the list")
	subscribe(one, "unsubscribe", "esa://routines/r")
	change("PublishRoutineCodeVersion", map[string]any{"Name": "r"})
	require.Empty(t, one.take())
	b.UnregisterSession(t.Context(), "two")
	change("PublishRoutineCodeVersion", map[string]any{"Name": "q"})
	require.Len(t, two.take(), 1, "of the list alone, from before it left")
}

// Over HTTP a session is told of what its own call changes on the stream of that
// call, whole and before the answer; another is told while it listens.
func TestHTTPUpdates(t *testing.T) {
	w := &live.Watch{}
	b := newBench(Options{Watch: w})
	s := serveSite(t, b, HTTPOptions{})
	for name, action := range map[string]string{"change_now": "PutKv", "make_now": "CreateKvNamespace"} {
		b.AddTool(mcp.NewTool(name), func(ctx context.Context, r mcp.CallToolRequest) (*mcp.CallToolResult, error) {
			_, _ = w.Caller(nothing{}).Call(ctx, action, r.GetArguments())
			return mcp.NewToolResultText("done"), nil
		})
	}
	session, other := s.open(), s.open()
	said(t, s.send(request{body: initDone, header: other}))
	listening := s.send(request{method: "GET", header: other})
	for _, uri := range []string{"esa://kv", "esa://kv/n", "esa://kv/n/k"} {
		res := s.send(request{body: fmt.Sprintf(`{"jsonrpc":"2.0","id":1,"method":"resources/subscribe","params":{"uri":%q}}`, uri), header: session})
		require.NotContains(t, said(t, res), `"error"`)
	}
	told := func(tool, args string) (news []string) {
		t.Helper()
		events := strings.Split(said(t, s.send(request{body: callLine("1", tool, args), header: session})), eventTail)
		for _, e := range events[:len(events)-1] {
			var note mcp.JSONRPCNotification
			require.NoError(t, json.Unmarshal([]byte(strings.TrimPrefix(e, eventHead)), &note))
			news = append(news, fmt.Sprint(note.Method, " ", note.Params.AdditionalFields["uri"]))
		}
		require.Contains(t, events[len(events)-1], `"done"`)
		return news
	}
	updated := func(uri string) string { return mcp.MethodNotificationResourceUpdated + " " + uri }
	for range 50 {
		require.Equal(t, []string{updated("esa://kv"), updated("esa://kv/n"), updated("esa://kv/n/k")}, told("change_now", `{"Namespace":"n","Key":"k"}`))
	}
	const list = mcp.MethodNotificationResourcesListChanged
	require.Equal(t, []string{updated("esa://kv"), list + " <nil>"}, told("make_now", `{"Namespace":"new"}`))
	lines := bufio.NewScanner(listening.Body)
	for lines.Scan() && !strings.Contains(lines.Text(), list) {
		require.NotContains(t, lines.Text(), "updated", "it has not subscribed")
	}
	require.Contains(t, lines.Text(), list)
}

// channel is a session that keeps what it is told.
type channel struct {
	id    string
	notes chan mcp.JSONRPCNotification
}

func newChannel(id string) *channel {
	return &channel{id, make(chan mcp.JSONRPCNotification, 100)}
}

func (c *channel) Initialize()                                         {}
func (c *channel) Initialized() bool                                   { return true }
func (c *channel) NotificationChannel() chan<- mcp.JSONRPCNotification { return c.notes }
func (c *channel) SessionID() string                                   { return c.id }

func (c *channel) take() (said []string) {
	for {
		select {
		case n := <-c.notes:
			said = append(said, fmt.Sprint(n.Method, " ", n.Params.AdditionalFields["uri"]))
		default:
			return said
		}
	}
}

var _ server.ClientSession = (*channel)(nil)

// nothing is a service that takes everything.
type nothing struct{}

func (nothing) Call(context.Context, string, esa.Params) (esa.Result, error) {
	return esa.Result{}, nil
}
