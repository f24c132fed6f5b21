package lists

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/esa-mcp/esa-mcp/internal/local/api"
	"github.com/esa-mcp/esa-mcp/internal/local/apitest"
	"github.com/esa-mcp/esa-mcp/internal/local/quota"
)

type bench struct {
	*apitest.Bench
	used string
}

func newBench(t *testing.T) *bench {
	t.Helper()
	b := &bench{Bench: apitest.New(t)}
	b.Floats = true
	b.Table = New(b.Store, Config{
		Now:   b.Clock,
		InUse: func(_ context.Context, _ *sql.Tx, name string) (bool, error) { return name == b.used, nil },
	}).Table()
	return b
}

func (b *bench) create(name, kind, items string) (id, code string) {
	b.T.Helper()
	out, code := b.Call("CreateList", api.Params{"Name": name, "Kind": kind, "Items": items, "Description": "d " + name})
	if code != "" {
		return "", code
	}
	return fmt.Sprintf("%.0f", out["Id"]), ""
}

func TestLifeOfAList(t *testing.T) {
	b := newBench(t)
	id, code := b.create("blocked", "ip", `["10.0.0.1","10.0.0.0/8"," 2001:DB8::/32","10.0.0.1"]`)
	require.Empty(t, code)
	got, _ := b.Call("GetList", api.Params{"Id": id})
	require.Equal(t, []any{"10.0.0.1", "10.0.0.0/8", "2001:db8::/32"}, got["Items"])
	require.Equal(t, "ip", got["Kind"])
	_, code = b.Call("UpdateList", api.Params{"Id": id, "Name": "denied", "Description": "", "Items": `[]`})
	require.Empty(t, code)
	got, _ = b.Call("GetList", api.Params{"Id": id})
	require.Equal(t, []any{}, got["Items"])
	require.Equal(t, "denied", got["Name"])

	b.used = "denied"
	_, code = b.Call("DeleteList", api.Params{"Id": id})
	require.Equal(t, "DependedByOthers", code)
	_, code = b.Call("UpdateList", api.Params{"Id": id, "Name": "other", "Description": "", "Items": `[]`})
	require.Equal(t, "DependedByOthers", code, "a new name would leave the rules without the list")
	_, code = b.Call("UpdateList", api.Params{"Id": id, "Name": "denied", "Description": "x", "Items": `["1.1.1.1"]`})
	require.Empty(t, code)
	b.used = ""
	_, code = b.Call("DeleteList", api.Params{"Id": id})
	require.Empty(t, code)
	for _, action := range []string{"GetList", "DeleteList", "UpdateList"} {
		_, code = b.Call(action, api.Params{"Id": id, "Name": "n", "Description": "", "Items": `[]`})
		require.Equal(t, "List.NotFound", code, action)
	}
}

func TestListsRefused(t *testing.T) {
	b := newBench(t)
	_, code := b.create("first", "ip", `[]`)
	require.Empty(t, code)
	many := strings.TrimSuffix(strings.Repeat(`"a.test",`, 501), ",")
	for name, c := range map[string]struct{ name, kind, items, code string }{
		"taken":      {"first", "ip", `[]`, "List.AlreadyExist"},
		"no name":    {"", "ip", `[]`, "InvalidParameter.Name"},
		"underscore": {"_a", "ip", `[]`, "InvalidParameter.Name"},
		"hyphen":     {"a-b", "ip", `[]`, "InvalidParameter.Name"},
		"long":       {strings.Repeat("a", 33), "ip", `[]`, "InvalidParameter.Name"},
		"kind":       {"a", "colour", `[]`, "InvalidParameter.Kind"},
		"ip":         {"a", "ip", `["10.0.0"]`, "InvalidParameter.Items"},
		"prefix":     {"a", "ip", `["10.0.0.0/33"]`, "InvalidParameter.Items"},
		"host":       {"a", "host", `["a b.test"]`, "InvalidParameter.Items"},
		"asn":        {"a", "asn", `["AS1"]`, "InvalidParameter.Items"},
		"too many":   {"a", "host", `[` + many + `]`, "QuotaExceed.ListItems"},
		"no list":    {"a", "ip", `"x"`, "InvalidItems"},
	} {
		_, code := b.create(c.name, c.kind, c.items)
		require.Equal(t, c.code, code, name)
	}
	for i := range (quota.Set{}).Of("", quota.Lists) - 1 {
		_, code := b.create(fmt.Sprint("more", i), "asn", `["45104"]`)
		require.Empty(t, code)
	}
	_, code = b.create("eleventh", "ip", `[]`)
	require.Equal(t, "QuotaExceed.List", code)
}

func TestListLists(t *testing.T) {
	b := newBench(t)
	for _, c := range [][3]string{{"b", "ip", `["10.1.1.1"]`}, {"a", "host", `["x.test","*.x.test"]`}, {"c", "ip", `["10.2.0.0/16"]`}} {
		_, code := b.create(c[0], c[1], c[2])
		require.Empty(t, code)
	}
	for query, want := range map[string]string{
		"": "b a c", `{"Kind":"ip"}`: "b c", `{"OrderBy":"name"}`: "a b c", `{"OrderBy":"name","Desc":true}`: "c b a",
		`{"ItemLike":"10.2"}`: "c", `{"NameItemLike":"x"}`: "a", `{"NameLike":"b"}`: "b", `{"DescriptionLike":"d c"}`: "c", `{"IdLike":"zz"}`: "",
	} {
		out, code := b.Call("ListLists", api.Params{"QueryArgs": query})
		require.Empty(t, code)
		var names []string
		for _, l := range out["Lists"].([]any) {
			names = append(names, l.(map[string]any)["Name"].(string))
		}
		require.Equal(t, want, strings.Join(names, " "), query)
		require.EqualValues(t, 3, out["Usage"])
		require.EqualValues(t, 4, out["ItemsUsage"])
	}
	out, _ := b.Call("ListLists", api.Params{"PageSize": "2", "PageNumber": "2"})
	require.Len(t, out["Lists"], 1)
	require.EqualValues(t, 3, out["TotalCount"])
	_, code := b.Call("ListLists", api.Params{"QueryArgs": `{"OrderBy":"colour"}`})
	require.Equal(t, "InvalidOrderBy", code)
}
