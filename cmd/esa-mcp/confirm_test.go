package main

import (
	"context"
	"io"
	"os/exec"
	"strings"
	"sync"
	"testing"

	"github.com/mark3labs/mcp-go/client"
	"github.com/mark3labs/mcp-go/client/transport"
	"github.com/mark3labs/mcp-go/mcp"
	"github.com/stretchr/testify/require"

	"github.com/esa-mcp/esa-mcp/tools"
)

// A client without elicitation gets a preview, whose token is good for that call
// alone.
func TestConfirmationToken(t *testing.T) {
	t.Parallel()
	s := startLocal(t)
	site := newSite(t, s, "shop.example", "NS")
	one := callOK[tools.RecordOutput](t, s, "create_record", arguments{"site_id": site.ID, "name": "one", "type": "TXT", "value": "1"})
	two := callOK[tools.RecordOutput](t, s, "create_record", arguments{"site_id": site.ID, "name": "two", "type": "TXT", "value": "2"})

	p := s.preview(t, "delete_record", arguments{"record_id": one.ID})
	require.Contains(t, p.Lost, "record TXT one.shop.example 1")
	require.Equal(t, 600, p.Expires)
	require.Contains(t, p.Next, "Nothing was done")

	other := s.preview(t, "delete_record", arguments{"record_id": two.ID, "confirm": p.Confirm})
	require.Contains(t, other.Next, "not taken: the arguments, or what the call is about, are no longer those")
	require.Contains(t, other.Lost, "two.shop.example", "previewed anew")
	require.Contains(t, s.preview(t, "delete_record", arguments{"record_id": two.ID, "confirm": "yes"}).Next, "none of this server's")

	callOK[tools.RecordOutput](t, s, "update_record", arguments{"record_id": one.ID, "value": "changed"})
	changed := s.preview(t, "delete_record", arguments{"record_id": one.ID, "confirm": p.Confirm})
	require.Contains(t, changed.Next, "is not taken")
	require.Contains(t, changed.Lost, "changed")
	text, isError := s.try(t, t.Context(), "delete_record", arguments{"record_id": one.ID, "confirm": changed.Confirm})
	require.False(t, isError, text)
	require.Contains(t, text, "one.shop.example")
	require.Contains(t, s.refuse(t, "get_record", arguments{"record_id": one.ID}), "Record")

	all := arguments{"site_id": site.ID, "type": "purgeall"}
	all["confirm"] = s.preview(t, "purge_cache", all).Confirm
	_, isError = s.try(t, t.Context(), "purge_cache", all)
	require.False(t, isError)
	require.Contains(t, s.preview(t, "purge_cache", all).Next, "used already", "one token, one call")
}

// What write_api deletes or pays for is asked as well, and what is not there to
// be deleted is not.
func TestConfirmationOfAnyOperation(t *testing.T) {
	t.Parallel()
	s := startLocal(t)
	site := newSite(t, s, "shop.example", "NS")
	write := func(action string, params arguments) arguments { return arguments{"action": action, "params": params} }
	require.Contains(t, s.preview(t, "write_api", write("DeleteSite", arguments{"site_id": site.ID})).Lost, "site shop.example")
	require.Contains(t, s.preview(t, "write_api", write("PurchaseRatePlan", arguments{"PlanName": "basic"})).Lost, "costs money")
	require.Contains(t, s.refuse(t, "write_api", write("DeleteRecord", arguments{"RecordId": 1})), "Record")
	out := callOK[tools.WriteAPIOutput](t, s, "write_api", write("DeleteSite", arguments{"SiteId": site.ID}))
	require.Contains(t, string(out.Result), "RequestId")
	require.Contains(t, s.refuse(t, "get_site", arguments{"site_id": site.ID}), "SiteNotFound")
}

// --guardrails=off leaves out all but the questions.
func TestGuardrailsOff(t *testing.T) {
	t.Parallel()
	s := startLocal(t, "--guardrails", "off")
	made := callOK[tools.SiteOutput](t, s, "create_site", arguments{"name": "shop.example", "access_type": "NS", "coverage": "global"})
	require.Empty(t, made.Notes)
	require.Contains(t, s.preview(t, "delete_site", arguments{"site_id": made.ID}).Lost, "site shop.example")
}

// person answers a client's elicitations.
type person struct {
	mu     sync.Mutex
	answer mcp.ElicitationResponse
	asked  []string
}

func (p *person) Elicit(_ context.Context, r mcp.ElicitationRequest) (*mcp.ElicitationResult, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.asked = append(p.asked, r.Params.Message)
	return &mcp.ElicitationResult{ElicitationResponse: p.answer}, nil
}

func (p *person) says(action mcp.ElicitationResponseAction, content any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.answer = mcp.ElicitationResponse{Action: action, Content: content}
}

// startWith runs the binary with a client behind which a person sits.
func startWith(t *testing.T, p *person, revision string) *server {
	t.Helper()
	args := []string{"--local", "--local-dir", ":memory:", "--toolsets", "all"}
	stdio := transport.NewStdioWithOptions(binary, environment(), args,
		transport.WithCommandFunc(func(ctx context.Context, command string, env, args []string) (*exec.Cmd, error) {
			cmd := exec.CommandContext(ctx, command, args...)
			cmd.Env = env
			return cmd, nil
		}))
	s := &server{Client: client.NewClient(stdio, client.WithElicitationHandler(p)), stderr: &syncBuffer{}}
	require.NoError(t, s.Start(t.Context()))
	go io.Copy(s.stderr, stdio.Stderr())
	t.Cleanup(func() { s.Close() })
	hello := mcp.InitializeRequest{}
	hello.Params.ProtocolVersion = revision
	hello.Params.ClientInfo = mcp.Implementation{Name: "blackbox", Version: "1"}
	_, err := s.Initialize(t.Context(), hello)
	require.NoError(t, err)
	return s
}

// dialWith is startWith over HTTP.
func dialWith(t *testing.T, p *person, revision string) *server {
	t.Helper()
	url, _ := startHTTP(t)
	return dialHTTPAs(t, url, revision, client.WithElicitationHandler(p))
}

// A client that can ask its person does, over both transports and in both eras of the
// protocol.
func TestConfirmationByThePerson(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		connect  func(t *testing.T, p *person, revision string) *server
		revision string
	}{
		"stdio, with a handshake": {startWith, mcp.LATEST_LEGACY_PROTOCOL_VERSION},
		"stdio, without":          {startWith, mcp.LATEST_PROTOCOL_VERSION},
		"HTTP, with a handshake":  {dialWith, mcp.LATEST_LEGACY_PROTOCOL_VERSION},
		"HTTP, without":           {dialWith, mcp.LATEST_PROTOCOL_VERSION},
	} {
		t.Run(name, func(t *testing.T) {
			p := &person{}
			s := c.connect(t, p, c.revision)
			callOK[tools.CreateKVNamespaceOutput](t, s, "create_kv_namespace", arguments{"namespace": "ns"})
			require.Empty(t, p.asked)
			for _, no := range []mcp.ElicitationResponse{
				{Action: mcp.ElicitationResponseActionDecline}, {Action: mcp.ElicitationResponseActionCancel},
				{Action: mcp.ElicitationResponseActionAccept, Content: map[string]any{"confirm": false}},
			} {
				p.says(no.Action, no.Content)
				require.Contains(t, s.refuse(t, "delete_kv_namespace", arguments{"namespace": "ns"}), "The person said no: delete_kv_namespace was not done")
			}
			require.Len(t, p.asked, 3)
			require.Contains(t, p.asked[0], "namespace ns")
			callOK[tools.GetKVAccountOutput](t, s, "get_kv_account", arguments{"namespace": "ns"})
			p.says(mcp.ElicitationResponseActionAccept, map[string]any{})
			text, isError := s.try(t, t.Context(), "delete_kv_namespace", arguments{"namespace": "ns"})
			require.False(t, isError, text)
			require.Contains(t, text, `"deleted":true`)
			require.Len(t, p.asked, 4)
			require.Contains(t, strings.ToLower(s.refuse(t, "get_kv_account", arguments{"namespace": "ns"})), "namespace")
		})
	}
}
