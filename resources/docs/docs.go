// Package docs holds the reference documents about ESA: markdown in English and
// Chinese, cut into sections that have an address each and that can be searched.
//
// It knows nothing of MCP, of the tools or of the API. What is generated in the
// documents is written by tests, from the tables that the code uses.
package docs

import (
	"embed"
	"encoding/json"
	"fmt"
	"path"
	"strings"
	"sync"
)

// Languages of the documents, the first one being the default.
const (
	English = "en"
	Chinese = "zh"
)

// IndexURI is the address of the list of the documents.
const IndexURI = "esa://docs"

//go:embed en/*.md zh/*.md
var files embed.FS

// revisions.json says when a document was changed; tests keep it.
//
//go:embed revisions.json
var revisionsFile []byte

// Document is one document in one language.
type Document struct {
	// Name is that of both languages, such as dns-records.
	Name, Lang string
	// Title and Description are the first heading and the paragraph below it.
	Title, Description string
	// Text is the document as it is read, in markdown.
	Text string
	// Updated is when the text last changed, in RFC 3339.
	Updated string
	// Priority is 0 to 1: how much an agent needs the document. Audience is who
	// reads it: assistant, user.
	Priority float64
	Audience []string
	Sections []Section
}

// Section is a part of a document, from a heading of level 2 or 3 to the next.
type Section struct {
	// Anchor is the same in both languages.
	Anchor, Title string
	// Text is what stands below the heading.
	Text string
}

// URI is the document's address.
func (d *Document) URI() string { return docURI(d.Name, d.Lang) }

func docURI(name, lang string) string {
	if lang == English {
		return IndexURI + "/" + name
	}
	return IndexURI + "/" + lang + "/" + name
}

// SectionURI is the address of one of the document's sections.
func (d *Document) SectionURI(s Section) string { return d.URI() + "#" + s.Anchor }

// Section finds a section by its anchor.
func (d *Document) Section(anchor string) (Section, bool) {
	for _, s := range d.Sections {
		if s.Anchor == anchor {
			return s, true
		}
	}
	return Section{}, false
}

// Revision is a state of a document's source.
type Revision struct {
	// SHA256 is that of the file, in hex.
	SHA256 string `json:"sha256"`
	// Updated is the day of the change, in RFC 3339.
	Updated string `json:"updated"`
}

// library is all the documents, read at first use.
type library struct {
	all   []*Document
	byURI map[string]*Document
}

var shelf = sync.OnceValue(func() *library {
	var revisions map[string]Revision
	if err := json.Unmarshal(revisionsFile, &revisions); err != nil {
		panic(fmt.Sprintf("docs: revisions.json, which is part of the program: %v", err))
	}
	l := &library{byURI: map[string]*Document{}}
	for _, lang := range []string{English, Chinese} {
		for _, e := range catalogue() {
			file := path.Join(lang, e.name+".md")
			source, err := files.ReadFile(file)
			if err != nil {
				panic(fmt.Sprintf("docs: %s, which is part of the program: %v", file, err))
			}
			d := parse(string(source))
			d.Name, d.Lang, d.Updated = e.name, lang, revisions[file].Updated
			d.Priority, d.Audience = e.priority, e.audience
			l.all = append(l.all, d)
			l.byURI[d.URI()] = d
		}
	}
	return l
})

// All returns every document, the English ones first.
func All() []*Document { return shelf().all }

// Lookup finds what an address such as esa://docs/zh/kv or esa://docs/kv#limits
// names. Without an anchor the section's Anchor is empty, and its Text is that of
// the document.
func Lookup(uri string) (*Document, Section, bool) {
	address, anchor, _ := strings.Cut(uri, "#")
	d, ok := shelf().byURI[address]
	if !ok || anchor == "" {
		if !ok {
			return nil, Section{}, false
		}
		return d, Section{Title: d.Title, Text: d.Text}, true
	}
	s, ok := d.Section(anchor)
	return d, s, ok
}

// Index lists the documents of a language with a line each, in markdown.
func Index(lang string) string {
	var b strings.Builder
	if lang == Chinese {
		b.WriteString("# ESA 参考文档\n\n`search_docs` 按问题查找章节；`文档地址#锚点` 单独读取一节。English: " + IndexURI + "\n\n")
	} else {
		b.WriteString("# ESA reference documents\n\n`search_docs` finds sections by question; an address with `#anchor` reads one section. 中文: " +
			IndexURI + "/zh\n\n")
	}
	for _, d := range All() {
		if d.Lang == lang {
			fmt.Fprintf(&b, "- [%s](%s): %s\n", d.Title, d.URI(), d.Description)
		}
	}
	return b.String()
}
