package routine

import (
	"encoding/json"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/esa-mcp/esa-mcp/internal/local/api"
	"github.com/esa-mcp/esa-mcp/internal/local/quota"
)

func TestVersionWithAssets(t *testing.T) {
	f := newFixture(t, Config{})
	f.call("CreateRoutine", api.Params{"Name": "site"})
	v := f.upload("site", api.Params{
		"CodeDescription": "first", "BuildId": json.Number("9007199254740993"), "ExtraInfo": `{"Source":"CLI"}`,
		"ConfOptions.NotFoundStrategy": "singlePageApplication", "DeployEnv": "production",
	}, zipOf(t, "assets/", "", "assets/index.html", "<p>", "assets/sub/数据.json", "{}", "routine/index.js", "export default {}"))
	got := f.call("GetRoutineCodeVersionInfo", api.Params{"Name": "site", "CodeVersion": v})
	require.Equal(t, map[string]any{
		"CodeVersion": v, "Status": "available", "CodeDescription": "first", "BuildId": json.Number("9007199254740993"),
		"ConfOptions": map[string]any{"NotFoundStrategy": "SinglePageApplication"}, "ExtraInfo": `{"Source":"CLI"}`,
		"HasAssets": true, "CreateTime": "2026-03-01T10:00:00Z",
	}, got)
	require.Len(t, f.blobFiles(), 1, "one pack, no zip")

	live, err := f.svc.Live(t.Context(), "site", Staging)
	require.NoError(t, err)
	b, err := f.svc.Bundle(t.Context(), live.RoutineID, v)
	require.NoError(t, err)
	require.True(t, b.HasCode)
	a, ok := b.Asset("/sub/数据.json")
	require.True(t, ok)
	require.Equal(t, "application/json; charset=utf-8", a.ContentType)
	code, err := f.svc.Code(t.Context(), live.RoutineID, v)
	require.NoError(t, err)
	require.Equal(t, "export default {}", code)
}

func TestVersionParameters(t *testing.T) {
	f := newFixture(t, Config{})
	f.call("CreateRoutine", api.Params{"Name": "site"})
	const action = "CreateRoutineWithAssetsCodeVersion"
	f.refuses("MissingName", action, api.Params{})
	f.refuses("RoutineNotExist", action, api.Params{"Name": "none"})
	f.refuses("InvalidBuildId", action, api.Params{"Name": "site", "BuildId": "x"})
	f.refuses("InvalidConfOptions", action, api.Params{"Name": "site", "ConfOptions": "{"})
	f.refuses("InvalidConfOptions", action, api.Params{"Name": "site", "ConfOptions": `{"NotFoundStrategy":"none"}`})
	f.refuses("InvalidDeployEnv", action, api.Params{"Name": "site", "DeployEnv": "canary"})
	require.Empty(t, f.call("ListRoutineCodeVersions", api.Params{"Name": "site"})["CodeVersions"], "nothing was made")

	for _, conf := range []any{`{"NotFoundStrategy":"404Page"}`, map[string]any{"NotFoundStrategy": "404Page"}} {
		v := f.call(action, api.Params{"Name": "site", "ConfOptions": conf})["CodeVersion"]
		got := f.call("GetRoutineCodeVersionInfo", api.Params{"Name": "site", "CodeVersion": v})
		require.Equal(t, map[string]any{"NotFoundStrategy": "404Page"}, got["ConfOptions"])
	}
}

func TestVersionQuota(t *testing.T) {
	f := newFixture(t, Config{Quotas: quota.Set{}.With(quota.RoutineVersions, 3)})
	f.call("CreateRoutine", api.Params{"Name": "site"})
	site := api.Params{"Name": "site"}
	var versions []string
	for range 3 {
		versions = append(versions, f.call("CreateRoutineWithAssetsCodeVersion", site)["CodeVersion"].(string))
	}
	message := f.refuses("QuotaExceed.RoutineCodeVersion", "CreateRoutineWithAssetsCodeVersion", site)
	require.Contains(t, message, "DeleteRoutineCodeVersion")
	f.refuses("QuotaExceed.RoutineCodeVersion", "GetRoutineStagingCodeUploadInfo", site)
	f.call("DeleteRoutineCodeVersion", api.Params{"Name": "site", "CodeVersion": versions[0]})
	f.call("CreateRoutineWithAssetsCodeVersion", site)
}

func TestListVersions(t *testing.T) {
	f := newFixture(t, Config{Quotas: quota.Set{}.With(quota.RoutineVersions, 30)})
	f.call("CreateRoutine", api.Params{"Name": "site"})
	var last string
	for i := range 23 {
		last = f.call("CreateRoutineWithAssetsCodeVersion", api.Params{"Name": "site", "CodeDescription": fmt.Sprintf("Build %d", i)})["CodeVersion"].(string)
	}
	got := f.call("ListRoutineCodeVersions", api.Params{"Name": "site"})
	require.Equal(t, json.Number("23"), got["TotalCount"])
	require.Len(t, got["CodeVersions"], 20)
	require.Equal(t, last, got["CodeVersions"].([]any)[0].(map[string]any)["CodeVersion"])
	require.Len(t, f.call("ListRoutineCodeVersions", api.Params{"Name": "site", "PageNumber": "2"})["CodeVersions"], 3)
	require.Len(t, f.call("ListRoutineCodeVersions", api.Params{"Name": "site", "SearchKeyWord": "build 2"})["CodeVersions"], 4)
	require.Len(t, f.call("ListRoutineCodeVersions", api.Params{"Name": "site", "SearchKeyWord": last})["CodeVersions"], 1)
	f.refuses("InvalidPageNumber", "ListRoutineCodeVersions", api.Params{"Name": "site", "PageNumber": "3"})
	f.refuses("InvalidPageSize", "ListRoutineCodeVersions", api.Params{"Name": "site", "PageSize": "21"})
	f.refuses("RoutineNotExist", "ListRoutineCodeVersions", api.Params{"Name": "none"})
}

func TestDeleteVersion(t *testing.T) {
	f := newFixture(t, Config{})
	f.call("CreateRoutine", api.Params{"Name": "site"})
	old := f.upload("site", nil, zipOf(t, "assets/a.txt", "old"))
	now := f.upload("site", nil, zipOf(t, "assets/a.txt", "new"))
	publish := func(v string) {
		f.call("PublishRoutineCodeVersion", api.Params{"Name": "site", "Env": "staging", "CodeVersion": v})
	}
	remove := api.Params{"Name": "site", "CodeVersion": old}
	publish(old)
	require.Contains(t, f.refuses("DependedByOthers", "DeleteRoutineCodeVersion", remove), "staging")
	publish(now)

	live, err := f.svc.Live(t.Context(), "site", Staging)
	require.NoError(t, err)
	b, err := f.svc.Bundle(t.Context(), live.RoutineID, old)
	require.NoError(t, err)
	a, _ := b.Asset("/a.txt")
	open, err := b.Open(a)
	require.NoError(t, err)
	defer open.Close()

	require.Equal(t, "OK", f.call("DeleteRoutineCodeVersion", remove)["Status"])
	require.Len(t, f.blobFiles(), 1)
	text := make([]byte, a.Size)
	_, err = open.ReadAt(text, 0)
	require.NoError(t, err, "a running response reads on")
	require.Equal(t, "old", string(text))
	_, err = b.Open(a)
	require.ErrorIs(t, err, ErrNoVersion)
	f.refuses("RoutineCodeVersionNotExist", "DeleteRoutineCodeVersion", remove)
	f.refuses("MissingCodeVersion", "DeleteRoutineCodeVersion", api.Params{"Name": "site"})
}
