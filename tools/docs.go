package tools

import (
	"context"
	"strings"

	"github.com/esa-mcp/esa-mcp/resources/docs"
)

// SearchDocsInput are the arguments of search_docs.
type SearchDocsInput struct {
	Query string `json:"query" jsonschema:"minLength=1,maxLength=200" jsonschema_description:"Question, code or address"`
	Lang  string `json:"lang,omitempty" jsonschema:"enum=en,enum=zh" jsonschema_description:"Language"`
}

// DocSection is a section of a reference document.
type DocSection struct {
	Title   string `json:"title"`
	URI     string `json:"uri" jsonschema_description:"Address, as a resource and for search_docs"`
	Excerpt string `json:"excerpt,omitempty" jsonschema_description:"Markdown"`
}

// SearchDocsOutput is the result of search_docs.
type SearchDocsOutput struct {
	Sections []DocSection `json:"sections" jsonschema_description:"Best first"`
}

func docsTools() []Tool {
	return []Tool{Define(Meta{
		Name: "search_docs", Title: "Search the reference documents", Toolset: "docs",
		Description: "Finds how ESA works, why things fail, examples; reads esa://docs addresses.",
		ReadOnly:    Yes, Destructive: No, Idempotent: Yes, OpenWorld: No,
	}, searchDocs)}
}

// The answer costs at most 600 tokens. What titles and addresses leave of it is
// for excerpts: the best section takes most of it, if it needs that much.
const (
	docsBudget = 540
	docsFound  = 3
)

func searchDocs(ctx context.Context, _ *Deps, in SearchDocsInput) (SearchDocsOutput, error) {
	query := strings.TrimSpace(in.Query)
	if strings.HasPrefix(query, docs.IndexURI) {
		return readDocs(query, in.Lang)
	}
	hits, err := docs.Search(ctx, query, in.Lang, docsFound)
	if err != nil {
		return SearchDocsOutput{}, err
	}
	out := SearchDocsOutput{Sections: []DocSection{}}
	left := docsBudget
	for _, h := range hits {
		out.Sections = append(out.Sections, DocSection{Title: h.Title(), URI: h.URI()})
		left -= docs.Cost(h.Title()) + docs.Cost(h.URI()) + 20 // the names of the fields
	}
	for i, h := range hits {
		share := left
		if i+1 < len(hits) {
			share = left * 3 / 4
		}
		out.Sections[i].Excerpt = docs.Excerpt(h.Section, query, share)
		left -= docs.Cost(out.Sections[i].Excerpt)
	}
	return out, nil
}

// readDocs reads a section, or lists those of a document or the documents.
func readDocs(uri, lang string) (SearchDocsOutput, error) {
	d, section, ok := docs.Lookup(uri)
	switch {
	case ok && section.Anchor != "":
		s := DocSection{Title: d.Title + " › " + section.Title, URI: uri}
		s.Excerpt = docs.Excerpt(section, "", docsBudget-docs.Cost(s.Title)-docs.Cost(uri))
		return SearchDocsOutput{Sections: []DocSection{s}}, nil
	case d != nil && !ok:
		return SearchDocsOutput{}, Refuse("query: %s has no such section. It has %s.", d.URI(), anchorsOf(d))
	case d != nil:
		return SearchDocsOutput{Sections: []DocSection{{Title: d.Title, URI: uri, Excerpt: d.Description + " Sections: " + anchorsOf(d)}}}, nil
	case uri == docs.IndexURI || uri == docs.IndexURI+"/"+docs.Chinese:
		return listDocs(lang == docs.Chinese || uri != docs.IndexURI), nil
	}
	return SearchDocsOutput{}, Refuse("query: there is no document %s. %s lists them.", uri, docs.IndexURI)
}

func listDocs(chinese bool) SearchDocsOutput {
	out := SearchDocsOutput{}
	for _, d := range docs.All() {
		if (d.Lang == docs.Chinese) == chinese {
			out.Sections = append(out.Sections, DocSection{Title: d.Title, URI: d.URI()})
		}
	}
	return out
}

func anchorsOf(d *docs.Document) string {
	list := make([]string, len(d.Sections))
	for i, s := range d.Sections {
		list[i] = "#" + s.Anchor
	}
	return strings.Join(list, " ")
}
