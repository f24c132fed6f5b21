package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/mark3labs/mcp-go/mcp"
	"github.com/stretchr/testify/require"

	"github.com/esa-mcp/esa-mcp/tools"
)

// stocked fills a server's account with a site, records, rules, a routine and
// edge KV, and returns the site's id.
func stocked(t *testing.T, s *server) string {
	t.Helper()
	site := callOK[tools.Site](t, s, "create_site", arguments{"name": "shop.example.com", "access_type": "NS"})
	callOK[map[string]any](t, s, "create_record", arguments{"site_name": "shop.example.com", "name": "www.shop.example.com",
		"type": "A/AAAA", "value": "192.0.2.7", "proxied": true, "biz_name": "web"})
	callOK[map[string]any](t, s, "set_rule", arguments{"kind": "redirect", "site_name": "shop.example.com", "name": "old",
		"rule": `(http.host eq "www.shop.example.com")`, "settings": arguments{"target_url": "https://shop.example.com/", "status_code": "301", "type": "static"}})
	callOK[tools.DeployOutput](t, s, "deploy_html", arguments{"name": "hello", "html": "<p>hi</p>"})
	callOK[map[string]any](t, s, "create_kv_namespace", arguments{"namespace": "flags"})
	callOK[map[string]any](t, s, "put_kv", arguments{"namespace": "flags", "key": "dark-mode", "value": `{"on":true}`})
	return string(site.ID)
}

// readResource reads one resource, or returns the error.
func (s *server) readResource(t *testing.T, uri string) (string, error) {
	t.Helper()
	var r mcp.ReadResourceRequest
	r.Params.URI = uri
	got, err := s.ReadResource(t.Context(), r)
	if err != nil {
		return "", err
	}
	require.Len(t, got.Contents, 1)
	text, ok := got.Contents[0].(mcp.TextResourceContents)
	require.True(t, ok)
	require.Equal(t, uri, text.URI)
	return text.Text, nil
}

// overBoth runs a test over stdio and over HTTP.
func overBoth(t *testing.T, run func(t *testing.T, s *server)) {
	t.Run("stdio", func(t *testing.T) { run(t, startLocal(t)) })
	t.Run("http", func(t *testing.T) {
		url, _ := startHTTP(t)
		run(t, dialHTTP(t, url))
	})
}

// TestResources reads every resource there is: all that are listed, and each
// template with what the account has.
func TestResources(t *testing.T) {
	t.Parallel()
	overBoth(t, func(t *testing.T, s *server) {
		site := stocked(t, s)
		routine := callOK[tools.GetRoutineOutput](t, s, "get_routine", arguments{"name": "hello"})
		values := strings.NewReplacer("{site}", "shop.example.com", "{kind}", "redirect", "{name}", "hello",
			"{version}", routine.Versions[0].Version, "{namespace}", "flags", "{key}", "dark-mode", "{action}", "CreateSite",
			"{?page}", "?page=1", "{?offset}", "?offset=0", "{+section}", "dns-records")
		wants := map[string]string{
			"sites": site, "site": `"NS"`, "site-records": "192.0.2.7", "site-rules": "target_url", "site-routes": `"routes":[]`,
			"site-certificates": `"certificates":[]`, "routines": "hello", "routine": `"production"`, "routine-version": `"live":{`,
			"kv": "flags", "kv-namespace": "dark-mode", "kv-value": `{\"on\":true}`, "api": "SiteName",
		}
		list, err := s.ListResources(t.Context(), mcp.ListResourcesRequest{})
		require.NoError(t, err)
		names := map[string]bool{}
		for _, r := range list.Resources {
			require.False(t, names[r.Name], "%s is not unique", r.Name)
			names[r.Name] = true
			require.NotEmpty(t, r.Title, r.URI)
			text, err := s.readResource(t, r.URI)
			require.NoError(t, err, r.URI)
			require.NotEmpty(t, text)
			require.Contains(t, text, wants[r.Name])
		}
		// What was made through the server is among them.
		for _, uri := range []string{"esa://sites", "esa://routines", "esa://kv", "esa://sites/shop.example.com", "esa://routines/hello", "esa://kv/flags"} {
			require.Contains(t, fmt.Sprint(list.Resources), uri)
		}

		templates, err := s.ListResourceTemplates(t.Context(), mcp.ListResourceTemplatesRequest{})
		require.NoError(t, err)
		for _, template := range templates.ResourceTemplates {
			uri := values.Replace(template.URITemplate.Raw())
			require.NotEmpty(t, template.Description)
			text, err := s.readResource(t, uri)
			require.NoError(t, err, uri)
			require.Contains(t, text, wants[template.Name], uri)
			if template.MIMEType == "application/json" {
				require.True(t, json.Valid([]byte(text)), uri)
				require.NotEmpty(t, wants[template.Name], "nothing is said of what %s has to show", template.Name)
				delete(wants, template.Name)
			}
			require.NotContains(t, text, "esa_er_token")
			require.NotContains(t, text, "token=")
		}
		require.LessOrEqual(t, len(wants), 1, "not offered: %v", wants) // kv is no template

		// A site by its id, whatever the case of its name, and percent-encoded.
		for _, uri := range []string{"esa://sites/" + site, "esa://sites/Shop.Example.COM", "esa://sites/shop%2Eexample%2Ecom"} {
			text, err := s.readResource(t, uri)
			require.NoError(t, err)
			require.Contains(t, text, `"shop.example.com"`)
		}
	})
}

// TestLinks reads what results link to.
func TestLinks(t *testing.T) {
	t.Parallel()
	overBoth(t, func(t *testing.T, s *server) {
		stocked(t, s)
		for _, c := range []struct {
			tool  string
			args  arguments
			links int
		}{
			{"deploy_html", arguments{"name": "hello", "html": "<p>again</p>"}, 1},
			{"create_site", arguments{"name": "other.example.net", "access_type": "NS"}, 1},
			{"set_rule", arguments{"kind": "https", "site_name": "shop.example.com", "scope": "global", "settings": arguments{"https_force": "on"}}, 1},
			{"create_kv_namespace", arguments{"namespace": "flags"}, 1},
			{"set_route", arguments{"routine": "hello", "pattern": "www.shop.example.com/api/*"}, 1},
			{"bind_custom_domain", arguments{"routine": "hello", "domain": "hello.shop.example.com"}, 2},
			{"deploy_html", arguments{"name": "hello", "html": "<p>dry</p>", "dry_run": true}, 0},
			{"list_sites", arguments{}, 0},
		} {
			result, err := s.callRaw(t.Context(), c.tool, c.args)
			require.NoError(t, err)
			require.False(t, result.IsError, "%s: %v", c.tool, result.Content)
			require.Len(t, result.Content, 1+c.links, c.tool)
			for _, content := range result.Content[1:] {
				link, ok := content.(mcp.ResourceLink)
				require.True(t, ok)
				require.NotEmpty(t, link.Name)
				_, err := s.readResource(t, link.URI)
				require.NoError(t, err, link.URI)
			}
		}
	})
	// Revisions before 2025-06-18 have no links.
	old := strings.Replace(handshake, "2025-11-25", "2025-03-26", 1) +
		`{"jsonrpc":"2.0","id":"d","method":"tools/call","params":{"name":"deploy_html","arguments":{"name":"hello","html":"<p></p>"}}}`
	answers, _ := exchange(t, strings.NewReader(old), environment(), "--local", "--local-dir", ":memory:")
	require.Len(t, byID(t, answers, "d")["result"].(map[string]any)["content"], 1)
}

func TestResourcesThatAreNotThere(t *testing.T) {
	t.Parallel()
	overBoth(t, func(t *testing.T, s *server) {
		for uri, want := range map[string]string{
			"esa://sites/nobody.example.org":             "-32002 no site",
			"esa://sites/999999999":                      "-32002 999999999",
			"esa://sites/a%2F..%2Fb":                     "-32602 no name",
			"esa://sites/%00":                            "-32602 characters",
			"esa://sites/%zz":                            "-32002",
			"esa://sites/{site}":                         "placeholder",
			"esa://sites/shop.example.com/rules/redirct": `-32602 "redirect"`,
			"esa://sites/shop.example.com/nonsense":      "-32002 esa://sites/{site}/records",
			"esa://sites?page=x":                         "number",
			"esa://sites?pages=2":                        "?page=N",
			"esa://routines/nobody":                      "-32002 no routine",
			"esa://routines/..":                          "-32602 no name",
			"esa://kv/nothing":                           "-32002 namespace",
			"esa://kv/a/b/c":                             "-32002 %2F",
			"esa://api/CreateSyte":                       "CreateSite",
			"esa://nonsense":                             "-32002 resources/list",
			"esa://docs/nonsense":                        "-32002 no document",
			"file:///etc/passwd":                         "-32002 esa://",
			"":                                           "esa://",
		} {
			text, err := s.readResource(t, uri)
			require.Error(t, err, "%s: %s", uri, text)
			code, words, both := strings.Cut(want, " ")
			if both || strings.HasPrefix(want, "-") {
				require.Contains(t, fmt.Sprintf("%d %v", codeOf(err), err), code, uri)
			} else {
				words = want
			}
			require.Contains(t, err.Error(), words, uri)
			require.NotContains(t, err.Error(), "handler not found", uri)
		}
	})
}

// updatesOf collects the notifications of resources.
func updatesOf(t *testing.T, s *server) (next func() string) {
	told := make(chan string, 100)
	s.OnNotification(func(n mcp.JSONRPCNotification) {
		switch n.Method {
		case "notifications/resources/updated":
			told <- fmt.Sprint(n.Params.AdditionalFields["uri"])
		case "notifications/resources/list_changed":
			told <- "list"
		case "notifications/subscriptions/acknowledged":
			told <- "listening"
		}
	})
	return func() string {
		select {
		case uri := <-told:
			return uri
		case <-time.After(time.Minute):
			require.FailNow(t, "nothing was told")
			return ""
		}
	}
}

// TestSubscriptions are told of what the server itself changes, and of nothing
// else.
func TestSubscriptions(t *testing.T) {
	t.Parallel()
	overBoth(t, func(t *testing.T, s *server) {
		stocked(t, s)
		next := updatesOf(t, s)
		for _, uri := range []string{"esa://sites/shop.example.com/records", "esa://routines/hello", "esa://kv/flags/dark-mode"} {
			var r mcp.SubscribeRequest
			r.Params.URI = uri
			//lint:ignore SA1019 clients of the revisions before 2026-07-28 do this
			require.NoError(t, s.Subscribe(t.Context(), r))
		}
		changeThings(t, s, next)
		callOK[map[string]any](t, s, "create_kv_namespace", arguments{"namespace": "more"})
		require.Equal(t, "list", next())

		var r mcp.UnsubscribeRequest
		r.Params.URI = "esa://sites/shop.example.com/records"
		//lint:ignore SA1019 clients of the revisions before 2026-07-28 do this
		require.NoError(t, s.Unsubscribe(t.Context(), r))
		callOK[map[string]any](t, s, "create_record", arguments{"site_name": "shop.example.com", "name": "b.shop.example.com",
			"type": "TXT", "value": "x"})
		deleteNow(t, s, "delete_kv_namespace", arguments{"namespace": "more"})
		require.Equal(t, "list", next())
	})
}

// changeThings changes what is subscribed to, and other things.
func changeThings(t *testing.T, s *server, next func() string) {
	t.Helper()
	callOK[map[string]any](t, s, "put_kv", arguments{"namespace": "flags", "key": "other", "value": "1"})
	callOK[map[string]any](t, s, "put_kv", arguments{"namespace": "flags", "key": "dark-mode", "value": "0"})
	require.Equal(t, "esa://kv/flags/dark-mode", next())
	callOK[map[string]any](t, s, "create_record", arguments{"site_name": "shop.example.com", "name": "a.shop.example.com",
		"type": "TXT", "value": "x"})
	require.Equal(t, "esa://sites/shop.example.com/records", next())
	callOK[map[string]any](t, s, "list_records", arguments{"site_name": "shop.example.com"})
}

// deleteNow deletes with the token of the preview.
func deleteNow(t *testing.T, s *server, tool string, args arguments) {
	t.Helper()
	args["confirm"] = s.preview(t, tool, args).Confirm
	text, isError := s.try(t, t.Context(), tool, args)
	require.False(t, isError, text)
}

// TestListening is TestSubscriptions in the revision without sessions.
func TestListening(t *testing.T) {
	t.Parallel()
	for name, connect := range map[string]func(t *testing.T, p *person, revision string) *server{"stdio": startWith, "http": dialWith} {
		t.Run(name, func(t *testing.T) {
			s := connect(t, &person{}, mcp.LATEST_PROTOCOL_VERSION)
			stocked(t, s)
			next := updatesOf(t, s)
			stop, err := s.ListenAsync(t.Context(), mcp.SubscriptionFilter{ResourceSubscriptions: []string{
				"esa://sites/shop.example.com/records", "esa://kv/flags/dark-mode"}}, nil)
			require.NoError(t, err)
			defer stop()
			require.Equal(t, "listening", next())
			changeThings(t, s, next)
		})
	}
}

// A client that leaves while it listens does not hold the server up.
func TestListeningEnds(t *testing.T) {
	t.Parallel()
	listen := `{"jsonrpc":"2.0","id":1,"method":"subscriptions/listen","params":{"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28",` +
		`"io.modelcontextprotocol/clientInfo":{"name":"t","version":"1"},"io.modelcontextprotocol/clientCapabilities":{}},` +
		`"notifications":{"resourceSubscriptions":["esa://sites"]}}}`
	began := time.Now()
	answers, _ := exchange(t, strings.NewReader(listen+"\n"), environment(), "--local", "--local-dir", ":memory:")
	require.Less(t, time.Since(began), 100*time.Second, "the server waits two minutes for calls")
	require.NotEmpty(t, answers)
}

// codeOf is the JSON-RPC code that a client's error stands for.
func codeOf(err error) int {
	for code, known := range map[int]error{mcp.RESOURCE_NOT_FOUND: mcp.ErrResourceNotFound, mcp.INVALID_PARAMS: mcp.ErrInvalidParams, mcp.INTERNAL_ERROR: mcp.ErrInternalError} {
		if errors.Is(err, known) {
			return code
		}
	}
	return 0
}
