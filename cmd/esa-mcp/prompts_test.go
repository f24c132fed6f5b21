package main

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/mark3labs/mcp-go/mcp"
	"github.com/stretchr/testify/require"

	"github.com/esa-mcp/esa-mcp/prompts"
)

// promptArguments are values for every argument that a prompt has.
func promptArguments(t *testing.T) map[string]string {
	return map[string]string{
		"path": writeSite(t, map[string]string{"index.html": "<p>hi</p>"}), "name": "hello", "routine": "hello",
		"domain": "www.shop.example.com", "host": "www.shop.example.com", "origin": "192.0.2.7", "symptom": "502",
		"site": "shop.example.com", "goal": "send /old to /new", "kind": "redirect", "start": "-24h",
		"namespace": "flags", "flag": "dark-mode", "from": "cloudflare", "zone_file": "", "region": "overseas",
	}
}

// TestPrompts gets every prompt in both languages.
func TestPrompts(t *testing.T) {
	t.Parallel()
	overBoth(t, func(t *testing.T, s *server) {
		site := stocked(t, s)
		list, err := s.ListPrompts(t.Context(), mcp.ListPromptsRequest{})
		require.NoError(t, err)
		require.Len(t, list.Prompts, len(prompts.All()))
		values := promptArguments(t)
		for _, p := range list.Prompts {
			require.NotEmpty(t, p.Title)
			require.NotEmpty(t, p.Description)
			for _, lang := range []string{"en", "zh"} {
				var r mcp.GetPromptRequest
				r.Params.Name = p.Name
				r.Params.Arguments = map[string]string{"lang": lang}
				for _, a := range p.Arguments {
					require.NotEmpty(t, a.Description, a.Name)
					if value, known := values[a.Name]; known {
						r.Params.Arguments[a.Name] = value
					} else {
						require.Equal(t, "lang", a.Name, "no value for %s", a.Name)
					}
				}
				got, err := s.GetPrompt(t.Context(), r)
				require.NoError(t, err, "%s %s", p.Name, lang)
				require.Len(t, got.Messages, 1)
				text := got.Messages[0].Content.(mcp.TextContent).Text
				require.NotContains(t, text, "could not be read")
				require.NotContains(t, text, "失败：")
				require.True(t, strings.Contains(text, site) || strings.Contains(text, "hello") || strings.Contains(text, "dark-mode"),
					"nothing of the account: %s", text)
			}
		}
		var r mcp.GetPromptRequest
		r.Params.Name = "secure-a-site"
		_, err = s.GetPrompt(t.Context(), r)
		require.ErrorContains(t, err, "needs the argument site")
		require.ErrorIs(t, err, mcp.ErrInvalidParams)
		r.Params.Name = "secure-a-syte"
		_, err = s.GetPrompt(t.Context(), r)
		require.ErrorContains(t, err, `did you mean "secure-a-site"`)
	})
}

// TestCompletions completes every argument of every prompt and every variable of
// every template.
func TestCompletions(t *testing.T) {
	t.Parallel()
	overBoth(t, func(t *testing.T, s *server) {
		site := stocked(t, s)
		complete := func(ref any, argument, text string, given map[string]string) mcp.Completion {
			var r mcp.CompleteRequest
			r.Params.Ref = ref
			r.Params.Argument = mcp.CompleteArgument{Name: argument, Value: text}
			r.Params.Context = mcp.CompleteContext{Arguments: given}
			got, err := s.Complete(t.Context(), r)
			require.NoError(t, err)
			require.NotNil(t, got.Completion.Values)
			require.LessOrEqual(t, len(got.Completion.Values), 100)
			return got.Completion
		}
		// offers asks until a name is offered: a completion waits two seconds for the
		// account, and the next finds what came later. Without a name any will do.
		offers := func(want string, ref any, argument, text string, given map[string]string) (got mcp.Completion) {
			t.Helper()
			require.Eventually(t, func() bool {
				got = complete(ref, argument, text, given)
				return slices.Contains(got.Values, want) || want == "" && len(got.Values) > 0
			}, time.Minute, 10*time.Millisecond, "%v never offered %q for %s %q: %v", ref, want, argument, text, &got)
			return got
		}
		ofPrompt := func(name string) any { return mcp.PromptReference{Type: "ref/prompt", Name: name} }
		ofTemplate := func(uri string) any { return mcp.ResourceReference{Type: "ref/resource", URI: uri} }
		wants := map[string]string{ // by argument; free texts have none
			"name": "hello", "routine": "hello", "site": "shop.example.com", "domain": "shop.example.com", "host": "www.shop.example.com",
			"kind": "redirect", "start": "-24h", "namespace": "flags", "flag": "dark-mode", "from": "cloudflare", "region": "overseas",
			"lang": "zh", "symptom": "502", "key": "dark-mode", "action": "ActivateClientCertificate", "version": "",
		}
		given := map[string]string{"site": "shop.example.com", "namespace": "flags", "name": "hello"}
		free := map[string]bool{"path": true, "origin": true, "goal": true, "zone_file": true}
		list, err := s.ListPrompts(t.Context(), mcp.ListPromptsRequest{})
		require.NoError(t, err)
		for _, p := range list.Prompts {
			for _, a := range p.Arguments {
				if free[a.Name] {
					complete(ofPrompt(p.Name), a.Name, "", given)
				} else {
					require.NotEmpty(t, wants[a.Name], "%s %s", p.Name, a.Name)
					offers(wants[a.Name], ofPrompt(p.Name), a.Name, "", given)
				}
			}
		}
		templates, err := s.ListResourceTemplates(t.Context(), mcp.ListResourceTemplatesRequest{})
		require.NoError(t, err)
		for _, template := range templates.ResourceTemplates {
			for _, variable := range template.URITemplate.Varnames() {
				if want, known := wants[variable]; known && template.MIMEType == "application/json" {
					offers(want, ofTemplate(template.URITemplate.Raw()), variable, "", given)
				} else {
					complete(ofTemplate(template.URITemplate.Raw()), variable, "", given)
				}
			}
		}
		offers(site, ofPrompt("secure-a-site"), "site", site[:3], nil) // by its id
		require.Equal(t, []string{"www.shop.example.com"}, offers("www.shop.example.com", ofPrompt("debug-a-domain"), "host", "www.sh", nil).Values)
		actions := complete(ofTemplate("esa://api/{action}"), "action", "", nil)
		require.Len(t, actions.Values, 100)
		require.Equal(t, 419, actions.Total)
		require.True(t, actions.HasMore)
		// What nobody knows has no completions, and is no error.
		require.Empty(t, complete(ofPrompt("no-such-prompt"), "x", "y", nil).Values)
		require.Empty(t, complete(ofPrompt("secure-a-site"), "nonsense", "y", nil).Values)
		require.Empty(t, complete(ofTemplate("esa://nonsense/{x}"), "x", "y", nil).Values)
		require.Empty(t, complete(ofPrompt("secure-a-site"), "site", "nobody has this", nil).Values)
		// A site that was made just now is known.
		callOK[map[string]any](t, s, "create_site", arguments{"name": "fresh.example.net", "access_type": "NS"})
		began := time.Now()
		offers("fresh.example.net", ofPrompt("secure-a-site"), "site", "fresh", nil)
		require.Less(t, time.Since(began), 25*time.Second, "names are kept for half a minute otherwise")
	})
}
