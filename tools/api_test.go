package tools

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/esa-mcp/esa-mcp/internal/catalog"
	"github.com/esa-mcp/esa-mcp/internal/esa"
)

func TestSearchAPI(t *testing.T) {
	for query, want := range map[string]string{
		"purge cache":         "PurgeCaches",
		"create dns records":  "CreateRecord",
		"delete kv":           "DeleteKv",
		"origin rule":         "CreateOriginRule",
		"client certificate":  "SetClientCertificateHostnames",
		"frobnicate waf rule": "CreateWafRule",
	} {
		out, err := callTool(t, &fakeESA{}, "search_api", fmt.Sprintf(`{"query":%q,"limit":20}`, query))
		require.NoError(t, err)
		require.Contains(t, out, `"action":"`+want+`"`, query)
	}
	out, err := callTool(t, &fakeESA{}, "search_api", `{"query":"list sites","limit":1}`)
	require.NoError(t, err)
	var got SearchAPIOutput
	require.NoError(t, json.Unmarshal([]byte(out), &got))
	require.Equal(t, "ListSites", got.Matches[0].Action)
	require.Equal(t, "read", got.Matches[0].Effect)
	require.Contains(t, got.Matches[0].Tools, "list_sites")
	require.Contains(t, got.Matches[0].Params, "SiteName")

	out, err = callTool(t, &fakeESA{}, "search_api", `{"query":"zzzz"}`)
	require.NoError(t, err)
	require.Contains(t, out, `"matches":[]`)
	require.Contains(t, out, `"dns-record"`)
}

// Words that no single operation has together still find those with some.
func TestSearchAPIFallsBack(t *testing.T) {
	require.Empty(t, catalog.Search("kv waf", 5))
	require.NotEmpty(t, searchCatalog("kv waf", 5))
}

func TestDescribeAPI(t *testing.T) {
	out, err := callTool(t, &fakeESA{}, "describe_api", `{"action":"create_record"}`)
	require.NoError(t, err)
	var got DescribeAPIOutput
	require.NoError(t, json.Unmarshal([]byte(out), &got))
	require.Equal(t, "CreateRecord", got.Action)
	require.Equal(t, "write_api", got.Call)
	text := strings.Join(got.Params, "\n")
	require.Contains(t, text, "SiteId: long, required")
	require.Contains(t, text, "Data.Flag: integer, 0..255")
	require.Contains(t, text, "AuthConf.SecretKey: string, secret")
	require.Contains(t, text, "BizName: string, one of image_video | api | web")

	_, err = callTool(t, &fakeESA{}, "describe_api", `{"action":"ListSite"}`)
	require.ErrorContains(t, err, "ListSites")
	require.ErrorContains(t, err, "search_api")
}

// Each of the operations can be described, within what a model can afford, with
// every required parameter and all models that are named.
func TestDescribeAPIOfEveryOperation(t *testing.T) {
	for _, action := range catalog.Actions() {
		out, err := callTool(t, &fakeESA{}, "describe_api", fmt.Sprintf(`{"action":%q}`, action))
		require.NoError(t, err, action)
		require.LessOrEqual(t, len(out), 14_000, action)
		var got DescribeAPIOutput
		require.NoError(t, json.Unmarshal([]byte(out), &got))
		op, _ := catalog.Lookup(action)
		require.Equal(t, isRead(op), got.Call == "read_api", action)
		for _, p := range op.Params {
			if p.Required {
				require.Contains(t, strings.Join(got.Params, "\n"), p.Name+": ", action)
			}
		}
		for _, model := range got.Models {
			require.NotEmpty(t, model, action)
		}
	}
}

const twoSites = `{"RequestId":"R","TotalCount":2,"PageNumber":1,"PageSize":500,"Sites":[
	{"SiteId":1234567890123456789,"SiteName":"a.com","Status":"active"},
	{"SiteId":9007199254740993,"SiteName":"b.com","Status":"pending"}]}`

func TestReadAPI(t *testing.T) {
	for name, c := range map[string]struct{ args, want string }{
		"whole": {`{"action":"ListSites"}`, `{"PageNumber":1,"PageSize":500,"Sites":[{"SiteId":1234567890123456789,"SiteName":"a.com","Status":"active"},{"SiteId":9007199254740993,"SiteName":"b.com","Status":"pending"}],"TotalCount":2}`},
		"fields": {`{"action":"list_sites","fields":["Sites.site_name","TotalCount"]}`,
			`{"Sites":[{"SiteName":"a.com"},{"SiteName":"b.com"}],"TotalCount":2}`},
		"two of one list": {`{"action":"ListSites","fields":["Sites[].SiteName","Sites[].SiteId"]}`,
			`{"Sites":[{"SiteId":1234567890123456789,"SiteName":"a.com"},{"SiteId":9007199254740993,"SiteName":"b.com"}]}`},
		"absent field":   {`{"action":"ListSites","fields":["Sites.Tags","TotalCount"]}`, `{"TotalCount":2}`},
		"jq":             {`{"action":"ListSites","jq":"[.Sites[] | select(.Status==\"active\") | .SiteId]"}`, `[1234567890123456789]`},
		"jq several":     {`{"action":"ListSites","jq":".Sites[].SiteId + 1"}`, `[1234567890123456790,9007199254740994]`},
		"jq nothing":     {`{"action":"ListSites","jq":"empty"}`, `[]`},
		"jq on fields":   {`{"action":"ListSites","fields":["Sites.SiteName"],"jq":".Sites|length"}`, `2`},
		"jq text":        {`{"action":"ListSites","jq":"\"<\\(.TotalCount)>\""}`, `"<2>"`},
		"no environment": {`{"action":"ListSites","jq":"env | length"}`, `0`},
	} {
		t.Run(name, func(t *testing.T) {
			f := &fakeESA{answers: map[string]func(esa.Params) (any, error){"ListSites": say(twoSites)}}
			out, err := callTool(t, f, "read_api", c.args)
			require.NoError(t, err)
			require.Equal(t, `{"result":`+c.want+`}`, out)
		})
	}
}

func TestReadAPIRefuses(t *testing.T) {
	for name, c := range map[string]struct{ args, want string }{
		"a write":                {`{"action":"DeleteSite","params":{"SiteId":1}}`, "write_api"},
		"a delete by GET":        {`{"action":"DeleteKv"}`, "write_api"},
		"a side effect":          {`{"action":"GetRoutineStagingCodeUploadInfo"}`, "write_api"},
		"unknown action":         {`{"action":"ListFoos"}`, "did you mean"},
		"bad jq":                 {`{"action":"ListSites","jq":".["}`, "not a valid filter"},
		"unknown jq function":    {`{"action":"ListSites","jq":"frob"}`, "cannot be used"},
		"failing jq":             {`{"action":"ListSites","jq":".Sites + 1"}`, "jq failed"},
		"endless jq":             {`{"action":"ListSites","jq":"[repeat(1)] | length"}`, "jq was stopped"},
		"greedy jq":              {`{"action":"ListSites","jq":"reduce range(40) as $i (\"xx\"; . + .)"}`, "jq"},
		"many results":           {`{"action":"ListSites","jq":"range(100000)"}`, "more than 10000 results"},
		"large result":           {`{"action":"ListSites","jq":"\"x\" * 200000"}`, "narrow the filter"},
		"unknown field":          {`{"action":"ListSites","fields":["Sites.SiteNme"]}`, "describe_api"},
		"no pages":               {`{"action":"GetSite","params":{"SiteId":1},"all_pages":true}`, "has no pages"},
		"bad parameter of pages": {`{"action":"ListSites","params":{"Sitename2":1},"all_pages":true}`, "did you mean"},
	} {
		t.Run(name, func(t *testing.T) {
			f := &fakeESA{answers: map[string]func(esa.Params) (any, error){"ListSites": say(twoSites)}}
			_, err := callTool(t, f, "read_api", c.args)
			require.ErrorContains(t, err, c.want)
			for _, call := range f.calls {
				require.Equal(t, "ListSites", call.Action)
			}
		})
	}
}

// pageOf answers page by page from n elements.
func pageOf(n int) func(esa.Params) (any, error) {
	return func(p esa.Params) (any, error) {
		page, ok := integerOf(p["PageNumber"])
		if !ok {
			page = 1
		}
		size, _ := integerOf(p["PageSize"])
		sites := []any{}
		for i := (page - 1) * size; i < min(n, page*size); i++ {
			sites = append(sites, map[string]any{"SiteId": i})
		}
		return map[string]any{"TotalCount": n, "PageNumber": page, "PageSize": size, "Sites": sites}, nil
	}
}

func TestReadAPIAllPages(t *testing.T) {
	f := &fakeESA{answers: map[string]func(esa.Params) (any, error){"ListSites": pageOf(1203)}}
	out, err := callTool(t, f, "read_api", `{"action":"ListSites","all_pages":true,"jq":"[.Sites[].SiteId] | [length, .[0], .[-1], (unique|length)]"}`)
	require.NoError(t, err)
	require.JSONEq(t, `{"result":[1203,0,1202,1203],"pages":3}`, out)

	f = &fakeESA{answers: map[string]func(esa.Params) (any, error){"ListSites": pageOf(100)}}
	out, err = callTool(t, f, "read_api", `{"action":"ListSites","params":{"page_size":2},"all_pages":true,"jq":".Sites|length"}`)
	require.NoError(t, err)
	var got ReadAPIOutput
	require.NoError(t, json.Unmarshal([]byte(out), &got))
	require.Equal(t, "80", string(got.Result))
	require.Equal(t, 40, got.Pages)
	require.Equal(t, 41, got.NextPage)
	require.Equal(t, "all-pages-cap", got.Notes[0].ID)
}

func TestReadAPIFollowsTokens(t *testing.T) {
	next := map[string]string{"": "t1", "t1": "t2", "t2": ""}
	f := &fakeESA{answers: map[string]func(esa.Params) (any, error){"ListTagResources": func(p esa.Params) (any, error) {
		at, _ := p["NextToken"].(string)
		return map[string]any{"NextToken": next[at], "TagResources": []any{map[string]any{"TagKey": "k" + at}}}, nil
	}}}
	out, err := callTool(t, f, "read_api", `{"action":"ListTagResources","params":{"RegionId":"cn-hangzhou","ResourceType":"site"},"all_pages":true}`)
	require.NoError(t, err)
	require.JSONEq(t, `{"result":{"TagResources":[{"TagKey":"k"},{"TagKey":"kt1"},{"TagKey":"kt2"}]},"pages":3}`, out)
}

func TestWriteAPI(t *testing.T) {
	f := &fakeESA{
		answers: map[string]func(esa.Params) (any, error){"CreateSite": say(`{"RequestId":"R","SiteId":1234567890123456789}`)},
		notes:   []esa.Note{{ID: "g", Text: "rewritten"}},
	}
	out, err := callTool(t, f, "write_api", `{"action":"create_site","params":{"SiteName":"a.com","n":12345678901234567}}`)
	require.NoError(t, err)
	require.JSONEq(t, `{"notes":[{"id":"g","text":"rewritten"}],"result":{"RequestId":"R","SiteId":1234567890123456789}}`, out)
	require.Contains(t, out, "1234567890123456789")
	require.Equal(t, []fakeCall{{"CreateSite", `{"SiteName":"a.com","n":12345678901234567}`}}, f.calls)

	_, err = callTool(t, f, "write_api", `{"action":"ListSites"}`)
	require.ErrorContains(t, err, "read_api")

	f = &fakeESA{answers: map[string]func(esa.Params) (any, error){"CreateSite": fail(&esa.Error{
		Action: "CreateSite", Code: esa.CodeInvalidArgument, Message: "CreateSite needs the parameter SiteName"})}}
	_, err = callTool(t, f, "write_api", `{"action":"CreateSite"}`)
	require.ErrorContains(t, err, "describe_api shows the parameters of CreateSite")
}
