package prompts

import (
	"encoding/json"
	"errors"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/esa-mcp/esa-mcp/internal/rule"
	"github.com/esa-mcp/esa-mcp/resources/live"
	"github.com/esa-mcp/esa-mcp/tools"
)

var errNoAccount = errors.New("no account here")

// nobody is an account that cannot be read: prompts have to be of use all the same.
func nobody() *live.Live {
	return live.New(func() (*tools.Deps, error) { return nil, errNoAccount })
}

// examples are arguments for each prompt.
func examples() map[string]map[string]string {
	return map[string]map[string]string{
		"deploy-a-site":    {"path": "/nowhere", "name": "hello"},
		"bind-a-domain":    {"routine": "hello", "domain": "https://WWW.example.com/x"},
		"proxy-an-origin":  {"host": "api.example.com", "origin": "http://192.0.2.7:8080"},
		"debug-a-domain":   {"host": "www.example.com", "symptom": "old content"},
		"write-a-rule":     {"site": "example.com", "goal": "send http to https", "kind": "redirect"},
		"traffic-report":   {"site": "974351557069296", "start": "-7d"},
		"kv-feature-flags": {"namespace": "flags", "flag": "dark", "routine": "hello"},
		"secure-a-site":    {"site": "example.com"},
		"migrate-from-cdn": {"domain": "example.com", "from": "cloudflare", "region": "global"},
	}
}

func TestPrompts(t *testing.T) {
	for _, p := range All() {
		args := examples()[p.Name]
		require.NotNil(t, args, "no example of %s", p.Name)
		var texts []string
		for _, lang := range []string{"en", "zh"} {
			t.Run(p.Name+" "+lang, func(t *testing.T) {
				args["lang"] = lang
				text, err := p.Get(t.Context(), nobody(), tools.All(), args)
				require.NoError(t, err)
				require.NotContains(t, text, "%!", "a text and its values do not fit")
				require.Contains(t, text, "no account here", "it says what could not be read")
				require.LessOrEqual(t, len(text), 12_000)
				require.Equal(t, lang == "zh", strings.ContainsAny(text, "的是和先用"), "the language")
				if p.Name != "secure-a-site" { // which proposes nothing before it has looked
					require.NotEmpty(t, calls(t, text))
				}
				for _, c := range calls(t, text) {
					c.check(t)
				}
				texts = append(texts, text)
			})
		}
		require.Len(t, calls(t, texts[1]), len(calls(t, texts[0])), "%s: both languages say the same", p.Name)
	}
}

type call struct{ tool, args string }

// calls finds the calls that a text proposes.
func calls(t *testing.T, text string) []call {
	t.Helper()
	before, _, _ := strings.Cut(text, "\n### ")
	var found []call
	for _, m := range regexp.MustCompile("`([a-z]+(?:_[a-z]+)+) (\\{.*?\\})`").FindAllStringSubmatch(before, -1) {
		found = append(found, call{m[1], m[2]})
	}
	return found
}

// check wants the tool to take the arguments, and conditions to be right.
func (c call) check(t *testing.T) {
	t.Helper()
	for _, tool := range tools.All() {
		if tool.Meta().Name != c.tool {
			continue
		}
		_, err := tool.Call(t.Context(), func() (*tools.Deps, error) { return nil, errNoAccount }, json.RawMessage(c.args))
		require.ErrorIs(t, err, errNoAccount, "%s %s", c.tool, c.args)
		for _, m := range regexp.MustCompile(`"(?:rule|expression)":("(?:[^"\\]|\\.)*")`).FindAllStringSubmatch(c.args, -1) {
			var condition string
			require.NoError(t, json.Unmarshal([]byte(m[1]), &condition))
			require.True(t, rule.Check(condition, rule.Options{}).Valid, condition)
		}
		return
	}
	require.Fail(t, "there is no tool "+c.tool)
}

func TestArguments(t *testing.T) {
	p, err := Find("bind-a-domain")
	require.NoError(t, err)
	for name, c := range map[string]struct {
		args map[string]string
		want string
	}{
		"none":        {nil, "needs the argument routine: Routine or Pages site"},
		"blank":       {map[string]string{"routine": "r", "domain": "  "}, "needs the argument domain"},
		"unknown":     {map[string]string{"routine": "r", "domain": "d", "domian": "x"}, `did you mean "domain"`},
		"language":    {map[string]string{"routine": "r", "domain": "d", "lang": "fr"}, "en or zh"},
		"long":        {map[string]string{"routine": strings.Repeat("r", 2001), "domain": "d"}, "2000 characters"},
		"control":     {map[string]string{"routine": "r\x00", "domain": "d"}, "cannot be shown"},
		"broken text": {map[string]string{"routine": "\xff", "domain": "d"}, "cannot be shown"},
	} {
		_, err := p.Get(t.Context(), nobody(), nil, c.args)
		var invalid *Invalid
		require.ErrorAs(t, err, &invalid, name)
		require.ErrorContains(t, err, c.want, name)
	}
	_, err = Find("bind-domain")
	require.ErrorContains(t, err, `did you mean "bind-a-domain"`)
}

// A session without the tools that a prompt names is told.
func TestMissingTools(t *testing.T) {
	p, err := Find("secure-a-site")
	require.NoError(t, err)
	few, err := tools.Select(tools.All(), "default", false)
	require.NoError(t, err)
	text, err := p.Get(t.Context(), nobody(), few, map[string]string{"site": "example.com"})
	require.NoError(t, err)
	require.NotContains(t, text, "Not offered", "it proposes nothing without an account")
	p, err = Find("bind-a-domain")
	require.NoError(t, err)
	text, err = p.Get(t.Context(), nobody(), few, map[string]string{"routine": "hello", "domain": "www.example.com"})
	require.NoError(t, err)
	require.Contains(t, text, "Not offered in this session: create_site, bind_custom_domain")
	require.Contains(t, text, "--toolsets +create_site,+bind_custom_domain")
}

// A session that may not look into files has no prompt that does.
func TestFilesOfASession(t *testing.T) {
	reading, err := tools.Select(tools.All(), "all", true)
	require.NoError(t, err)
	p, err := Find("deploy-a-site")
	require.NoError(t, err)
	text, err := p.Get(t.Context(), account(t), reading, map[string]string{"path": t.TempDir()})
	require.NoError(t, err)
	require.Contains(t, text, "There is no preview, because this session does not have deploy_pages")
	require.NotContains(t, text, "### deploy_pages")
}

func TestHostName(t *testing.T) {
	for text, want := range map[string]string{
		"WWW.Example.com.": "www.example.com", "https://a.example.com:8443/x?y": "a.example.com", "a.example.com/x": "a.example.com",
		"*.example.com": "*.example.com", " a.b ": "a.b",
	} {
		require.Equal(t, want, hostName(text))
	}
}

func TestCut(t *testing.T) {
	p := &page{lang: english}
	require.Equal(t, "a '''b", p.cut("a ```b"), "data cannot end its block")
	long := p.cut(strings.Repeat("é", 4000))
	require.True(t, strings.HasPrefix(long, "é"))
	require.Contains(t, long, "2000 bytes more")
}
