package pages

import (
	"bytes"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestPattern(t *testing.T) {
	tests := []struct {
		pattern string
		matches []string // a folder ends with a slash
		others  []string
	}{
		{"foo", []string{"foo", "foo/", "a/foo"}, []string{"foobar", "foo/x"}},
		{"foo/", []string{"foo/", "a/foo/"}, []string{"foo"}},
		{"/foo", []string{"foo", "foo/"}, []string{"a/foo"}},
		{"a/b", []string{"a/b"}, []string{"x/a/b", "a/b/c"}},
		{"*.log", []string{"a.log", "x/y/.log"}, []string{"a.logs"}},
		{"*", []string{"a", "b/c"}, nil},
		{"a?c", []string{"abc", "a关c"}, []string{"ac", "abbc"}},
		{"/*.js", []string{"a.js"}, []string{"b/a.js"}},
		{"**/foo", []string{"foo", "a/foo", "a/b/foo"}, []string{"afoo"}},
		{"**/a/b", []string{"a/b", "a/x/a/b"}, []string{"a/x/b"}},
		{"foo/**", []string{"foo/a", "foo/a/b"}, []string{"foo/", "foo"}},
		{"a/**/b", []string{"a/b", "a/x/b", "a/x/y/b"}, []string{"ab", "a/bx"}},
		{"a**b", []string{"ab", "axxb", "x/axb"}, []string{"abc"}},
		{"x/a**b", []string{"x/axb"}, []string{"x/a/b"}},
		{"[ab].txt", []string{"a.txt"}, []string{"c.txt"}},
		{"[!ab].txt", []string{"c.txt"}, []string{"a.txt"}},
		{"[^ab].txt", []string{"c.txt"}, []string{"a.txt"}},
		{"[a-c]x", []string{"bx"}, []string{"dx", "-x"}},
		{"[]-]x", []string{"]x", "-x"}, []string{"ax"}},
		{"[[:digit:]]x", []string{"1x"}, []string{"ax"}},
		{"x[/]y", nil, []string{"xy"}},
		{"p/x[!a]y", []string{"p/xby"}, []string{"p/x/y"}},
		{"[", nil, []string{"["}},
		{`a\`, nil, []string{"a", `a\`}},
		{`\*`, []string{"*"}, []string{"a"}},
		{`\#a`, []string{"#a"}, nil},
		{`\!a`, []string{"!a"}, nil},
		{"a b  ", []string{"a b"}, []string{"a b  "}},
		{`a\ `, []string{"a "}, []string{"a"}},
		{"crlf\r", []string{"crlf"}, nil},
		{"*\xcf", []string{"a\xcf", "关\xcf"}, []string{"a"}},
		{"\xb9[\xd8-\xda].html", []string{"\xb9\xd9.html"}, []string{"\xb9\xdb.html"}},
		{"关于.*", []string{"关于.html"}, nil},
	}
	for _, tc := range tests {
		p := parsePattern(tc.pattern, 1)
		match := func(name string) bool {
			dir := strings.HasSuffix(name, "/")
			return p != nil && p.match(strings.TrimSuffix(name, "/"), dir)
		}
		for _, name := range tc.matches {
			require.True(t, match(name), "%q and %q", tc.pattern, name)
		}
		for _, name := range tc.others {
			require.False(t, match(name), "%q and %q", tc.pattern, name)
		}
	}
	for _, nothing := range []string{"", "   ", "# comment", "!", "/", "!/"} {
		require.Nil(t, parsePattern(nothing, 1), "%q", nothing)
	}
}

func TestIgnoreWithByteOrderMark(t *testing.T) {
	f := parseIgnore(nil, ".gitignore", "", "\ufeffa\r\nb\r\n")
	for _, name := range []string{"a", "b"} {
		_, decided := f.decide(name, false)
		require.True(t, decided, name)
	}
}

// ignored is what a walk from the top would leave out.
func (f *ignoreFile) ignored(p string) bool {
	parts := strings.Split(p, "/")
	for i := range parts {
		v, decided := f.decide(path.Join(parts[:i+1]...), i < len(parts)-1)
		if decided && !v.pattern.include {
			return true
		}
	}
	return false
}

// git itself is the judge, where it is installed.
func TestIgnoreLikeGit(t *testing.T) {
	git, err := exec.LookPath("git")
	if err != nil {
		t.Skip("git is not installed")
	}
	names := []string{
		"a", "b", "a.log", "b.log", "foo/a", "foo/b.log", "foo/bar/a", "foo/bar/b", "bar/foo/a", "bar/foo/bar/b",
		"x/a/x/a/b", "a b", "-", "]", "#a", "!a", "keep/keep", "foo.d/x", "A", "ab", "abc", "axxb", "1x",
	}
	ignores := []string{
		"foo", "foo/", "/foo", "foo/**", "foo/*", "**/foo", "**/foo/", "foo/**/b", "**/a/b", "*/a", "*.log\n!b.log",
		"*\n!keep\n!keep/keep", "*\n!*/\n!*.log", "foo/**\n!foo/bar/", "foo/\n!foo/a", "[!a]", "[^a-b]*", "[]]", "[a-]",
		"a**b", "?", "??", "a\\ b", "a b", "\\#a", "\\!a", "#a", "!a", "**", "/**", "**/", "*/", "/*/", "foo/bar",
		"foo/bar/", "/foo/bar/*", "x/**/b", "[[:digit:]]*", "[[:upper:]]", "a[", "a\\", "foo//a", "*.d", "fo[oa]/a",
		"foo\n!bar/foo", "bar/**/b\n!bar/foo/bar", "  a", "a  ", "*a*", "a*b*", "***", "**a", "a**", "/a", "/*", "!*",
	}
	for _, text := range ignores {
		dir := t.TempDir()
		run := func(stdin string, args ...string) string {
			cmd := exec.CommandContext(t.Context(), git, args...)
			cmd.Dir = dir
			cmd.Env = append(os.Environ(), "GIT_CONFIG_GLOBAL="+os.DevNull, "GIT_CONFIG_SYSTEM="+os.DevNull)
			cmd.Stdin = strings.NewReader(stdin)
			var out bytes.Buffer
			cmd.Stdout = &out
			_ = cmd.Run() // check-ignore answers 1 for none
			return out.String()
		}
		run("", "init", "-q", ".")
		require.NoError(t, os.WriteFile(filepath.Join(dir, gitIgnore), []byte(text), 0o644))
		for _, name := range names {
			// Names that are both a file and a folder are made as folders.
			full := filepath.Join(dir, name)
			require.NoError(t, os.MkdirAll(filepath.Dir(full), 0o755))
			if _, err := os.Stat(full); err != nil {
				require.NoError(t, os.WriteFile(full, nil, 0o644))
			}
		}
		listed := run("", "ls-files", "-z", "--others", "--exclude-standard")
		shown := map[string]bool{}
		for name := range strings.SplitSeq(listed, "\x00") {
			shown[name] = true
		}
		f := parseIgnore(nil, gitIgnore, "", text)
		for _, name := range names {
			require.Equal(t, !shown[name], f.ignored(name), "%q about %q", text, name)
		}
	}
}

func FuzzIgnore(f *testing.F) {
	for _, seed := range []string{"*.log\n!keep.log", "[!a-z]/**/x\\ ", "[[:alpha:]]", "[a-", "**/**/**", "\\", "[z-a]", "[\\]]", "\xff[\xff", "\\ 00\xcf"} {
		f.Add(seed, "a/b.log")
	}
	f.Fuzz(func(t *testing.T, text, name string) {
		ig := parseIgnore(nil, gitIgnore, "", text)
		for _, isDir := range []bool{true, false} {
			v, decided := ig.decide(name, isDir)
			require.Equal(t, decided, v.pattern != nil)
		}
		// The name itself, written so that nothing in it is special, matches.
		clean := path.Clean(name)
		if strings.ContainsAny(clean, "\n\r") || clean == "." || clean == "/" || strings.HasPrefix(clean, "/") {
			return
		}
		var quoted strings.Builder
		for _, c := range []byte(clean) {
			if strings.IndexByte(" !#*?[\\", c) >= 0 {
				quoted.WriteByte('\\')
			}
			quoted.WriteByte(c)
		}
		_, decided := parseIgnore(nil, gitIgnore, "", text+"\n/"+quoted.String()).decide(clean, false)
		require.True(t, decided, "%q", quoted.String())
	})
}
