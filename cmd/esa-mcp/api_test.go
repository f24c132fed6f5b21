package main

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/esa-mcp/esa-mcp/tools"
)

// The whole API is reached from four tools: find, describe, write, read.
func TestAPIOnTheLocalESA(t *testing.T) {
	t.Parallel()
	s := startLocal(t, "--toolsets", "api")
	found := callOK[tools.SearchAPIOutput](t, s, "search_api", arguments{"query": "create kv namespace"})
	require.Equal(t, "CreateKvNamespace", found.Matches[0].Action)
	described := callOK[tools.DescribeAPIOutput](t, s, "describe_api", arguments{"action": found.Matches[0].Action})
	require.Equal(t, "write_api", described.Call)

	callOK[tools.WriteAPIOutput](t, s, "write_api", arguments{"action": "CreateKvNamespace", "params": arguments{"Namespace": "ns"}})
	for _, key := range []string{"a", "b", "c"} {
		callOK[tools.WriteAPIOutput](t, s, "write_api", arguments{"action": "put_kv",
			"params": arguments{"namespace": "ns", "key": key, "value": "v-" + key}})
	}
	read := callOK[tools.ReadAPIOutput](t, s, "read_api", arguments{"action": "ListKvs",
		"params": arguments{"Namespace": "ns", "PageSize": 1}, "all_pages": true, "jq": "[.Keys[].Name]"})
	require.JSONEq(t, `["a","b","c"]`, string(read.Result))
	require.Equal(t, 3, read.Pages)
	read = callOK[tools.ReadAPIOutput](t, s, "read_api", arguments{"action": "ListKvs", "params": arguments{"Namespace": "ns"}, "fields": []string{"TotalCount"}})
	require.JSONEq(t, `{"TotalCount":3}`, string(read.Result))

	// 64-bit ids come back to the digit, and go in as they came.
	site := callOK[tools.WriteAPIOutput](t, s, "write_api", arguments{"action": "CreateSite",
		"params": arguments{"SiteName": "api.example", "AccessType": "NS", "Coverage": "overseas", "InstanceId": planOf(t, s)}})
	var made struct{ SiteId json.Number }
	require.NoError(t, json.Unmarshal(site.Result, &made))
	require.NotEmpty(t, made.SiteId)
	read = callOK[tools.ReadAPIOutput](t, s, "read_api", arguments{"action": "GetSite",
		"params": arguments{"SiteId": made.SiteId.String()}, "jq": ".SiteModel.SiteId"})
	require.Equal(t, made.SiteId.String(), string(read.Result))
}

// planOf is a plan instance that can take a site; empty if the local ESA wants
// none.
func planOf(t *testing.T, s *server) string {
	t.Helper()
	read := callOK[tools.ReadAPIOutput](t, s, "read_api", arguments{"action": "ListUserRatePlanInstances",
		"params": arguments{"CheckRemainingSiteQuota": "true"}, "jq": `.InstanceInfo[0].InstanceId // ""`})
	var id string
	require.NoError(t, json.Unmarshal(read.Result, &id))
	return id
}

func TestAPIRefusals(t *testing.T) {
	t.Parallel()
	s := startLocal(t, "--toolsets", "api")
	for name, c := range map[string]struct {
		tool string
		args arguments
		want string
	}{
		"write through read_api":            {"read_api", arguments{"action": "DeleteKv", "params": arguments{"Namespace": "n", "Key": "k"}}, "write_api"},
		"read through write_api":            {"write_api", arguments{"action": "ListSites"}, "read_api"},
		"unknown operation":                 {"read_api", arguments{"action": "ListSitez"}, "ListSites"},
		"unknown parameter":                 {"read_api", arguments{"action": "ListSites", "params": arguments{"Sitename2": "x"}}, "describe_api"},
		"missing parameter":                 {"write_api", arguments{"action": "PutKv", "params": arguments{"Namespace": "n"}}, "Key"},
		"bad jq":                            {"read_api", arguments{"action": "ListSites", "jq": ".["}, "not a valid filter"},
		"unknown field":                     {"read_api", arguments{"action": "ListSites", "fields": []string{"Nope"}}, "Nope"},
		"no query":                          {"search_api", arguments{}, "query"},
		"unknown operation of describe_api": {"describe_api", arguments{"action": "x"}, "search_api"},
		"not in the local ESA":              {"read_api", arguments{"action": "DescribeTraceDiagnoseReport", "params": arguments{"TraceId": "t"}}, "NotApplicable"},
		"the service's own refusal":         {"read_api", arguments{"action": "GetKv", "params": arguments{"Namespace": "none", "Key": "k"}}, "InvalidNameSpace.NotFound"},
	} {
		require.Contains(t, s.refuse(t, c.tool, c.args), c.want, name)
	}
}

// A read-only server reaches nothing that changes.
func TestReadOnlyAPI(t *testing.T) {
	t.Parallel()
	s := startLocal(t, "--toolsets", "api", "--read-only")
	_, err := s.callRaw(t.Context(), "write_api", arguments{"action": "DeleteSite"})
	require.Error(t, err)
	require.Contains(t, s.refuse(t, "read_api", arguments{"action": "DeleteSite", "params": arguments{"SiteId": 1}}), "write_api")
}
