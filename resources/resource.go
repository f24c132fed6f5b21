// Package resources gives clients what they can read: the reference documents.
//
// The types of mcp-go appear in this file alone. What the documents say, and how
// they are searched, is the affair of the package docs below this one.
package resources

import (
	"context"
	"fmt"

	"github.com/mark3labs/mcp-go/mcp"
	"github.com/mark3labs/mcp-go/server"

	"github.com/esa-mcp/esa-mcp/resources/docs"
)

const markdown = "text/markdown"

// RegisterDocs adds the documents, their index in both languages, and a template
// that reads one section. It reads every document, so it is for the moment when
// a client first asks for resources.
func RegisterDocs(s *server.MCPServer) {
	list := []server.ServerResource{
		indexResource("docs", docs.IndexURI, docs.English, "Index of the reference documents about ESA"),
		indexResource("docs/zh", docs.IndexURI+"/"+docs.Chinese, docs.Chinese, "ESA 参考文档索引"),
	}
	for _, d := range docs.All() {
		list = append(list, docResource(d))
	}
	s.AddResources(list...)
	// {+section} takes slashes and the #, so the address in an error or in an
	// answer of search_docs can be read as it stands.
	s.AddResourceTemplate(mcp.NewResourceTemplate(docs.IndexURI+"/{+section}", "docs/section",
		mcp.WithTemplateTitle("Section of a reference document"),
		mcp.WithTemplateDescription("One section, by the address that search_docs and errors give: "+docs.IndexURI+"/dns-records#proxied-records"),
		mcp.WithTemplateMIMEType(markdown),
	), readSection)
}

func indexResource(name, uri, lang, description string) server.ServerResource {
	text := docs.Index(lang)
	r := mcp.NewResource(uri, name,
		mcp.WithResourceTitle(description), mcp.WithResourceDescription(description), mcp.WithMIMEType(markdown),
		mcp.WithResourceSize(int64(len(text))), annotate([]string{"assistant"}, 1, newest(lang)))
	return server.ServerResource{Resource: r, Handler: always(uri, text)}
}

// newest is when a document of the language was last changed.
func newest(lang string) string {
	last := ""
	for _, d := range docs.All() {
		if d.Lang == lang {
			last = max(last, d.Updated)
		}
	}
	return last
}

func docResource(d *docs.Document) server.ServerResource {
	name := "docs/" + d.Name // unique: the library pages through resources by name
	if d.Lang != docs.English {
		name = "docs/" + d.Lang + "/" + d.Name
	}
	r := mcp.NewResource(d.URI(), name,
		mcp.WithResourceTitle(d.Title), mcp.WithResourceDescription(d.Description), mcp.WithMIMEType(markdown),
		mcp.WithResourceSize(int64(len(d.Text))), annotate(d.Audience, d.Priority, d.Updated))
	return server.ServerResource{Resource: r, Handler: always(d.URI(), d.Text)}
}

func annotate(audience []string, priority float64, updated string) mcp.ResourceOption {
	roles := make([]mcp.Role, len(audience))
	for i, a := range audience {
		roles[i] = mcp.Role(a)
	}
	return mcp.WithAnnotations(roles, priority, updated)
}

func always(uri, text string) server.ResourceHandlerFunc {
	return func(context.Context, mcp.ReadResourceRequest) ([]mcp.ResourceContents, error) {
		return contents(uri, text), nil
	}
}

func readSection(_ context.Context, r mcp.ReadResourceRequest) ([]mcp.ResourceContents, error) {
	uri := r.Params.URI
	d, s, ok := docs.Lookup(uri)
	switch {
	case d == nil:
		return nil, fmt.Errorf("there is no document %s: %s lists them", uri, docs.IndexURI)
	case !ok:
		return nil, fmt.Errorf("the document %s has no such section: read the document itself", d.URI())
	}
	return contents(uri, "## "+s.Title+"\n\n"+s.Text+"\n"), nil
}

func contents(uri, text string) []mcp.ResourceContents {
	return []mcp.ResourceContents{mcp.TextResourceContents{URI: uri, MIMEType: markdown, Text: text}}
}
