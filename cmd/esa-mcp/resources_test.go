package main

import (
	"strings"
	"testing"

	"github.com/mark3labs/mcp-go/mcp"
	"github.com/stretchr/testify/require"

	"github.com/esa-mcp/esa-mcp/resources/docs"
)

// readResource reads a resource as any client does.
func readResource(t *testing.T, s *server, uri string) string {
	t.Helper()
	request := mcp.ReadResourceRequest{}
	request.Params.URI = uri
	answer, err := s.ReadResource(t.Context(), request)
	require.NoError(t, err, uri)
	require.Len(t, answer.Contents, 1, uri)
	content, ok := answer.Contents[0].(mcp.TextResourceContents)
	require.True(t, ok, uri)
	require.Equal(t, uri, content.URI)
	return content.Text
}

func TestReferenceDocumentsAreResources(t *testing.T) {
	s := start(t, environment())
	// Read before anything is listed: what is lazy must not show.
	require.Contains(t, readResource(t, s, "esa://docs/kv#expiry"), "ttl_seconds")

	listed, err := s.ListResources(t.Context(), mcp.ListResourcesRequest{})
	require.NoError(t, err)
	byURI, names := map[string]mcp.Resource{}, map[string]bool{}
	for _, r := range listed.Resources {
		require.False(t, names[r.Name], "%s is there twice", r.Name)
		byURI[r.URI], names[r.Name] = r, true
	}
	for _, d := range docs.All() {
		r, ok := byURI[d.URI()]
		require.True(t, ok, d.URI())
		text := readResource(t, s, d.URI())
		require.Equal(t, d.Text, text)
		require.Equal(t, d.Title, r.Title)
		require.Equal(t, d.Description, r.Description)
		require.Equal(t, "text/markdown", r.MIMEType)
		require.EqualValues(t, len(text), *r.Size)
		require.Equal(t, d.Priority, *r.Annotations.Priority)
		require.Equal(t, d.Updated, r.Annotations.LastModified)
		require.NotEmpty(t, r.Annotations.Audience)
		for _, section := range d.Sections {
			require.Equal(t, "## "+section.Title+"\n\n"+section.Text+"\n", readResource(t, s, d.SectionURI(section)))
		}
	}
	for lang, uri := range map[string]string{docs.English: "esa://docs", docs.Chinese: "esa://docs/zh"} {
		require.Equal(t, docs.Index(lang), readResource(t, s, uri))
		require.EqualValues(t, len(docs.Index(lang)), *byURI[uri].Size)
	}

	templates, err := s.ListResourceTemplates(t.Context(), mcp.ListResourceTemplatesRequest{})
	require.NoError(t, err)
	require.NotEmpty(t, templates.ResourceTemplates)
	for uri, want := range map[string]string{
		"esa://docs/none":    "esa://docs lists them",
		"esa://docs/kv#none": "esa://docs/kv has no such section",
	} {
		request := mcp.ReadResourceRequest{}
		request.Params.URI = uri
		_, err := s.ReadResource(t.Context(), request)
		require.ErrorContains(t, err, want)
		require.False(t, strings.Contains(err.Error(), "panic"))
	}
}
