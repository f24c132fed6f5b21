package tools

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/esa-mcp/esa-mcp/internal/esa"
	"github.com/esa-mcp/esa-mcp/internal/guard"
	"github.com/esa-mcp/esa-mcp/resources/docs"
)

func TestErrorsLeadToSectionsThatExist(t *testing.T) {
	exists := func(uri, of string) {
		_, section, ok := docs.Lookup(uri)
		require.True(t, ok && section.Anchor != "", "%s leads to %s, which does not exist", of, uri)
	}
	used := map[string]bool{}
	for _, row := range guard.Table() {
		if uri := sectionFor(row.ID, guardrailSections()); uri != "" {
			exists(uri, row.ID)
			used[strings.TrimPrefix(uri, docs.IndexURI+"/")] = true
		} else {
			require.True(t, strings.HasPrefix(row.ID, "api-"), "%s has no section", row.ID)
		}
	}
	for begin, section := range guardrailSections() {
		exists(docs.IndexURI+"/"+section, begin)
		require.True(t, used[section] || strings.HasSuffix(begin, "-"), "no guardrail begins with %s", begin)
	}
	for begin, section := range codeSections() {
		exists(docs.IndexURI+"/"+section, begin)
	}
}

func TestErrorsNameTheirSection(t *testing.T) {
	text := Explain("create_record", &esa.Error{Action: "CreateRecord", Code: "Record.TTLExceedLimit", HTTPStatus: 400})
	require.Contains(t, text, "\nSee: esa://docs/dns-records#ttl")
	text = Explain("create_record", &esa.Error{Action: "CreateRecord", Code: "Record.NeverHeardOf", HTTPStatus: 400})
	require.Contains(t, text, "\nSee: esa://docs/dns-records#what-the-errors-mean")
	require.NotContains(t, Explain("x", &esa.Error{Action: "X", Code: "Other", HTTPStatus: 400}), "See:")
	text = Explain("set_origin_rule", Refuse("dns_record cannot be an IP address (origin-ip)."))
	require.Contains(t, text, "\nSee: esa://docs/origin-rules#a-502-after-an-origin-rule")
	require.NotContains(t, Explain("x", Refuse("host-name is a well-known word")), "See:")
	require.Equal(t, 1, strings.Count(Explain("x", Refuse("Read esa://docs/kv (kv-key).")), "esa://docs"))
	text = Explain("write_api", &guard.Refusal{ID: "kv-key", Action: "PutKv", Reason: "no slashes"})
	require.Contains(t, text, "\nSee: esa://docs/kv#keys")
}

// A description that points to a section points to one that exists.
func TestDescriptionsLeadToSectionsThatExist(t *testing.T) {
	for name, section := range toolSections() {
		tool := toolNamed(t, name)
		uri := docs.IndexURI + "/" + section
		_, _, ok := docs.Lookup(uri)
		require.True(t, ok, "%s leads to %s, which does not exist", name, uri)
		require.True(t, strings.HasSuffix(tool.declaration().Description, " See "+uri+"."), name)
	}
}
