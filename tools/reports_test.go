package tools

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/esa-mcp/esa-mcp/internal/esa"
)

func TestReportFollowsThePages(t *testing.T) {
	f := &fakeESA{answers: map[string]func(esa.Params) (any, error){"ListSites": func(p esa.Params) (any, error) {
		page, size, sites := p["PageNumber"].(int), p["PageSize"].(int), []string{}
		for i := (page - 1) * size; i < page*size && i < 1201; i++ {
			sites = append(sites, fmt.Sprintf(`{"SiteId":%d,"SiteName":"s%d.example","Status":"active","AccessType":"NS","Coverage":"global","PlanName":"basicplan"}`, i+1, i))
		}
		return fmt.Sprintf(`{"TotalCount":1201,"Sites":[%s]}`, strings.Join(sites, ",")), nil
	}}}
	path := filepath.Join(t.TempDir(), "deep", "sites.csv")
	out, err := callTool(t, f, "create_report", `{"kind":"sites","path":"`+path+`"}`)
	require.NoError(t, err)
	require.Len(t, f.calls, 3)
	var got CreateReportOutput
	require.NoError(t, json.Unmarshal([]byte(out), &got))
	require.Equal(t, 1201, got.Total)
	require.Len(t, got.Rows, reportRowsSaved)
	require.Equal(t, path, got.SavedTo)
	require.Equal(t, Figure{"sites", "1201"}, got.Summary[0])
	file, err := os.Open(path)
	require.NoError(t, err)
	defer file.Close()
	rows, err := csv.NewReader(file).ReadAll()
	require.NoError(t, err)
	require.Len(t, rows, 1202)
	require.Equal(t, []string{"s1200.example", "1201", "active", "NS", "global", "basicplan", "", ""}, rows[1201])

	out, err = callTool(t, f, "create_report", `{"kind":"sites"}`)
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal([]byte(out), &got))
	require.Len(t, got.Rows, reportRowsShown)
	require.Contains(t, out, "report-cut")

	_, err = callTool(t, f, "create_report", `{"kind":"sites","path":"`+path+`"}`)
	require.ErrorContains(t, err, "exists")
}

// What comes from elsewhere neither breaks a file's form nor runs as a formula,
// and long texts are whole.
func TestReportFilesKeepTheirForm(t *testing.T) {
	long := strings.Repeat("k", 700)
	f := &fakeESA{answers: map[string]func(esa.Params) (any, error){
		"ListSites": sitesOf(nsSite),
		"ListRecords": say(`{"TotalCount":2,"Records":[
			{"RecordName":"example.com","RecordType":"MX","Data":{"Value":"mx.example","Priority":10},"Ttl":600,"Comment":"=cmd|' /C calc'!A0"},
			{"RecordName":"k.example.com","RecordType":"TXT","Data":{"Value":"` + long + `"},"Ttl":1,"Proxied":true,"Comment":"a|b\n<script>\u202e"}]}`),
	}}
	dir := t.TempDir()
	files := map[string]string{}
	for _, ending := range []string{"md", "csv", "json"} {
		path := filepath.Join(dir, "r."+ending)
		out, err := callTool(t, f, "create_report", `{"kind":"records","site_name":"example.com","path":"`+path+`"}`)
		require.NoError(t, err)
		require.Contains(t, out, `"10 mx.example"`)
		require.NotContains(t, out, long, "the result shows it short")
		body, err := os.ReadFile(path)
		require.NoError(t, err)
		files[ending] = string(body)
		require.Contains(t, files[ending], long)
		require.NotContains(t, files[ending], "\u202e")
	}
	require.Contains(t, files["csv"], `'=cmd|`)
	require.Contains(t, files["md"], `| a\|b &lt;script> |`)
	var parsed struct {
		Summary map[string]string   `json:"summary"`
		Rows    []map[string]string `json:"rows"`
	}
	require.NoError(t, json.Unmarshal([]byte(files["json"]), &parsed))
	require.Equal(t, "1", parsed.Summary["proxied"])
	require.Equal(t, "example.com", parsed.Rows[0]["site"])
	for cell, want := range map[string]string{"-5": "-5", "-1.5": "-1.5", "-x": "'-x", "@a": "'@a", "+1": "'+1", "a": "a", "": ""} {
		require.Equal(t, want, harmless(cell))
	}
}

func TestReportPaths(t *testing.T) {
	dir := t.TempDir()
	for _, c := range []struct {
		in   CreateReportInput
		want string
	}{
		{CreateReportInput{Kind: "sites"}, ""},
		{CreateReportInput{Kind: "sites", Save: true}, filepath.FromSlash("output/aliyun-esa-manage/sites-20260304T050607Z.md")},
		{CreateReportInput{Kind: "records", SiteRef: SiteRef{SiteName: "A.example/../x"}, Path: dir, Format: "csv"}, filepath.Join(dir, "records-a.example_.._x-20260304T050607Z.csv")},
		{CreateReportInput{Kind: "sites", Path: "a.json"}, "a.json"},
	} {
		got, err := c.in.target(testTime)
		require.NoError(t, err)
		require.Equal(t, c.want, got.path)
	}
	f := &fakeESA{}
	for args, want := range map[string]string{
		`{"kind":"sites","path":"/tmp/x.sh"}`:                     "has to end with .md, .csv or .json",
		`{"kind":"sites","path":"a.json","format":"csv"}`:         "does not go with path",
		`{"kind":"shoes"}`:                                        "kind",
		`{"kind":"analytics","start":"-40d"}`:                     "stats-span",
		`{"kind":"sites","path":"/dev/null/x.md","site_id":"12"}`: "",
	} {
		_, err := callTool(t, f, "create_report", args)
		require.ErrorContains(t, err, want, args)
	}
}
