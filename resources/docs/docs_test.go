package docs

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// pairs calls f with every document in both languages.
func pairs(t *testing.T, f func(t *testing.T, en, zh *Document)) {
	t.Helper()
	for _, d := range All() {
		if d.Lang != English {
			continue
		}
		zh, _, ok := Lookup(docURI(d.Name, Chinese))
		require.True(t, ok, d.Name)
		t.Run(d.Name, func(t *testing.T) { f(t, d, zh) })
	}
}

func anchors(d *Document) []string {
	var list []string
	for _, s := range d.Sections {
		list = append(list, s.Anchor)
	}
	return list
}

// fences are the code blocks of a document, which are the same in any language.
func fences(d *Document) []string {
	return regexp.MustCompile("(?ms)^```[a-z].*?^```$").FindAllString(d.Text, -1)
}

func TestBothLanguagesHaveTheSameSectionsAndExamples(t *testing.T) {
	han := regexp.MustCompile(`\p{Han}`)
	pairs(t, func(t *testing.T, en, zh *Document) {
		require.Equal(t, anchors(en), anchors(zh))
		require.Equal(t, fences(en), fences(zh))
		require.False(t, han.MatchString(en.Text), "the English text has Chinese words")
		require.Greater(t, len(han.FindAllString(zh.Text, -1)), 100)
		for i, s := range en.Sections {
			require.Regexp(t, han, zh.Sections[i].Title+zh.Sections[i].Text, "section %s is not translated", s.Anchor)
			require.Equal(t, strings.Count(s.Text, "\n| "), strings.Count(zh.Sections[i].Text, "\n| "), "table rows of %s", s.Anchor)
			require.Equal(t, strings.Count(s.Text, "\n- "), strings.Count(zh.Sections[i].Text, "\n- "), "list items of %s", s.Anchor)
		}
	})
}

func TestEveryDocumentIsComplete(t *testing.T) {
	for _, d := range All() {
		require.NotEmpty(t, d.Title, d.URI())
		require.NotEmpty(t, d.Description, d.URI())
		require.LessOrEqual(t, len([]rune(d.Description)), 200, d.URI())
		require.Contains(t, "|"+d.Text, "|# "+d.Title+"\n", d.URI())
		require.NotContains(t, d.Text, "<!--", "comments are not served: %s", d.URI())
		require.Greater(t, len(d.Sections), 2, d.URI())
		require.True(t, d.Priority > 0 && d.Priority <= 1, d.URI())
		require.NotEmpty(t, d.Audience, d.URI())
		require.Regexp(t, `^20\d\d-\d\d-\d\dT00:00:00Z$`, d.Updated, d.URI())
		require.NotContains(t, d.Text, "TODO", d.URI())
		seen := map[string]bool{}
		for _, s := range d.Sections {
			require.NotEmpty(t, s.Text, "%s#%s", d.URI(), s.Anchor)
			require.Regexp(t, `^[a-z0-9]+(-[a-z0-9]+)*$`, s.Anchor, d.URI())
			require.False(t, seen[s.Anchor], "%s#%s is there twice", d.URI(), s.Anchor)
			seen[s.Anchor] = true
		}
	}
}

// Every link leads to a document and a section that exist, in its own language.
func TestLinks(t *testing.T) {
	link := regexp.MustCompile(`\]\(([^)]*)\)`)
	address := regexp.MustCompile("esa://docs[a-z0-9/_-]*(#[a-z0-9-]+)?")
	for _, d := range All() {
		for _, m := range link.FindAllStringSubmatch(d.Text, -1) {
			uri := m[1]
			if strings.HasPrefix(uri, "https://") {
				continue
			}
			_, _, ok := Lookup(uri)
			require.True(t, ok || uri == IndexURI, "%s links to %s, which does not exist", d.URI(), uri)
			require.Equal(t, d.Lang == Chinese, strings.HasPrefix(uri, IndexURI+"/zh"), "%s links to %s of another language", d.URI(), uri)
		}
		for _, uri := range address.FindAllString(d.Text, -1) {
			_, _, ok := Lookup(uri)
			require.True(t, ok || uri == IndexURI || uri == IndexURI+"/zh" || uri == IndexURI+"/", "%s names %s, which does not exist", d.URI(), uri)
		}
	}
}

// What the code and the project's own documents name exists, too: errors, tool
// descriptions, prompts.
func TestAddressesInTheRepository(t *testing.T) {
	address := regexp.MustCompile(`esa://docs/[a-z0-9_/-]+(#[a-z0-9-]+)?`)
	found := 0
	require.NoError(t, filepath.WalkDir("../..", func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && len(d.Name()) > 2 && (d.Name()[0] == '.' || d.Name() == "out" || d.Name() == "bin") {
			return filepath.SkipDir
		}
		isCode := strings.HasSuffix(path, ".go") && !strings.HasSuffix(path, "_test.go")
		if d.IsDir() || !isCode && !strings.HasSuffix(path, ".md") {
			return nil
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		for _, uri := range address.FindAllString(string(text), -1) {
			found++
			uri = strings.TrimSuffix(uri, "/")
			_, _, ok := Lookup(uri)
			require.True(t, ok || uri == IndexURI+"/zh", "%s names %s, which does not exist", path, uri)
		}
		return nil
	}))
	require.Greater(t, found, 10)
}

func TestIndexHasALineForEachDocument(t *testing.T) {
	for _, lang := range []string{English, Chinese} {
		index := Index(lang)
		for _, d := range All() {
			require.Equal(t, d.Lang == lang, strings.Contains(index, "]("+d.URI()+"): "+d.Description+"\n"), d.URI())
		}
	}
}

func TestLookup(t *testing.T) {
	d, s, ok := Lookup("esa://docs/kv")
	require.True(t, ok)
	require.Equal(t, d.Text, s.Text)
	d, s, ok = Lookup("esa://docs/zh/kv#expiry")
	require.True(t, ok)
	require.Equal(t, Chinese, d.Lang)
	require.Equal(t, "过期时间", s.Title)
	require.Equal(t, "esa://docs/zh/kv#expiry", d.SectionURI(s))
	for _, uri := range []string{"esa://docs/none", "esa://docs/kv#none", "esa://docs", "esa://docs/fr/kv", "", "#", "esa://docs/en/kv"} {
		_, _, ok := Lookup(uri)
		require.False(t, ok, uri)
	}
}

func TestParse(t *testing.T) {
	d := parse("# T\n\nAbout it.\n\nMore.\n\n## One & two\n\na\n```sh\n# no heading\n<!-- kept -->\n```\n<!-- dropped -->\n### 三 {#three}\nb\n#### deeper\nc\n")
	require.Equal(t, "T", d.Title)
	require.Equal(t, "About it.", d.Description)
	require.Equal(t, []Section{
		{"one-two", "One & two", "a\n```sh\n# no heading\n<!-- kept -->\n```"},
		{"three", "三", "b\n#### deeper\nc"},
	}, d.Sections)
	require.NotContains(t, d.Text, "dropped")
}

func FuzzParse(f *testing.F) {
	f.Add("# T\n\ntext\n\n## A {#b}\n```\n## c\n")
	f.Add("##\n## \n#x\n<!-- -->")
	f.Fuzz(func(t *testing.T, source string) {
		d := parse(source)
		for _, s := range d.Sections {
			require.Contains(t, d.Text+"\n", s.Text)
		}
	})
}
