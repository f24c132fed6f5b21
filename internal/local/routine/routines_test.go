package routine

import (
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/esa-mcp/esa-mcp/internal/catalog"
	"github.com/esa-mcp/esa-mcp/internal/local/api"
	"github.com/esa-mcp/esa-mcp/internal/local/quota"
)

func TestServiceIsOpen(t *testing.T) {
	f := newFixture(t, Config{})
	require.Equal(t, "Running", f.call("GetErService", nil)["Status"])
	f.refuses("ErService.HasOpened", "OpenErService", nil)
}

// An account that never opened the service has nothing but the way to open it.
func TestServiceIsClosed(t *testing.T) {
	f := newFixture(t, Config{Closed: true})
	require.Equal(t, "NotOpened", f.call("GetErService", nil)["Status"])
	f.refuses("NotNull", "GetRoutineUserInfo", nil)
	f.refuses("NotNull", "CreateRoutine", api.Params{"Name": "site"})
	f.call("OpenErService", nil)
	require.Equal(t, "Running", f.call("GetErService", nil)["Status"])
	f.call("CreateRoutine", api.Params{"Name": "site"})
	f.refuses("ErService.HasOpened", "OpenErService", nil)
}

func TestCreateRoutineNames(t *testing.T) {
	f := newFixture(t, Config{})
	tests := map[string]string{ // name -> code
		"ab":                    "",
		"a1-b":                  "",
		"a-":                    "",
		strings.Repeat("a", 63): "",
		strings.Repeat("a", 64): "InvalidName",
		"a":                     "InvalidName",
		"1a":                    "InvalidName",
		"-a":                    "InvalidName",
		"Ab":                    "InvalidName",
		"a_b":                   "InvalidName",
		"a.b":                   "InvalidName",
		"ab\n":                  "InvalidName",
		"页面":                    "InvalidName",
		" ":                     "MissingName",
		"":                      "MissingName",
	}
	for name, code := range tests {
		t.Run(name, func(t *testing.T) {
			f := &fixture{t: t, svc: f.svc, store: f.store, clock: f.clock}
			if code == "" {
				require.Equal(t, "OK", f.call("CreateRoutine", api.Params{"Name": name})["Status"])
				f.refuses("RoutineNameAlreadyExist", "CreateRoutine", api.Params{"Name": name})
				return
			}
			f.refuses(code, "CreateRoutine", api.Params{"Name": name})
		})
	}
	f.refuses("InvalidHasAssets", "CreateRoutine", api.Params{"Name": "other", "HasAssets": "maybe"})
}

func TestDuplicateIsHTTP400(t *testing.T) {
	f := newFixture(t, Config{})
	f.call("CreateRoutine", api.Params{"Name": "site"})
	_, err := f.try("CreateRoutine", api.Params{"Name": "site"})
	var refused *api.Error
	require.ErrorAs(t, err, &refused)
	require.Equal(t, 400, refused.Status)
}

func TestCreateRoutineQuota(t *testing.T) {
	f := newFixture(t, Config{Quotas: quota.Set{}.With(quota.Routines, 2)})
	f.call("CreateRoutine", api.Params{"Name": "one"})
	f.call("CreateRoutine", api.Params{"Name": "two"})
	f.refuses("QuotaExceed.Routine", "CreateRoutine", api.Params{"Name": "three"})
	f.refuses("RoutineNameAlreadyExist", "CreateRoutine", api.Params{"Name": "two"})
	f.call("DeleteRoutine", api.Params{"Name": "one"})
	f.call("CreateRoutine", api.Params{"Name": "three"})
}

func TestCreateRoutineAtOnce(t *testing.T) {
	f := newFixture(t, Config{})
	var wg sync.WaitGroup
	errs := make([]error, 8)
	for i := range errs {
		wg.Go(func() { _, errs[i] = f.try("CreateRoutine", api.Params{"Name": "same"}) })
	}
	wg.Wait()
	made := 0
	for _, err := range errs {
		if err == nil {
			made++
		}
	}
	require.Equal(t, 1, made)
}

func TestGetRoutine(t *testing.T) {
	f := newFixture(t, Config{})
	f.refuses("RoutineNotExist", "GetRoutine", api.Params{"Name": "site"})
	f.call("CreateRoutine", api.Params{"Name": "site", "Description": "<a> & 页", "HasAssets": true})
	got := f.call("GetRoutine", api.Params{"Name": "site"})
	require.Equal(t, "2026-03-01T10:00:00Z", got["CreateTime"])
	require.Equal(t, "site."+f.store.Account().Hash+".er.localhost", got["DefaultRelatedRecord"])
	require.Equal(t, "<a> & 页", got["Description"])
	require.Equal(t, true, got["HasAssets"])
	for _, env := range got["Envs"].([]any) {
		require.Empty(t, env.(map[string]any)["CodeDeploy"].(map[string]any)["CodeVersions"])
	}
}

func TestListUserRoutines(t *testing.T) {
	f := newFixture(t, Config{})
	for i := range 25 {
		f.call("CreateRoutine", api.Params{"Name": fmt.Sprintf("site-%02d", i)})
	}
	f.call("CreateRoutine", api.Params{"Name": "other"})

	all := f.call("ListUserRoutines", api.Params{})
	require.Len(t, all["Routines"], 20)
	require.Equal(t, json.Number("26"), all["TotalCount"])
	require.Equal(t, json.Number("26"), all["UsedRoutineNumber"])
	require.Equal(t, json.Number("100"), all["QuotaRoutineNumber"])
	require.Equal(t, "other", all["Routines"].([]any)[0].(map[string]any)["RoutineName"], "newest first")

	second := f.call("ListUserRoutines", api.Params{"PageNumber": "2", "PageSize": "20"})
	require.Len(t, second["Routines"], 6)
	require.Empty(t, f.call("ListUserRoutines", api.Params{"PageNumber": "10"})["Routines"])

	found := f.call("ListUserRoutines", api.Params{"SearchKeyWord": "E-1", "PageSize": json.Number("3")})
	require.Len(t, found["Routines"], 3)
	require.Equal(t, json.Number("10"), found["TotalCount"])
	require.Equal(t, json.Number("26"), found["UsedRoutineNumber"])
	require.Empty(t, f.call("ListUserRoutines", api.Params{"SearchKeyWord": "%"})["Routines"], "no wildcards")

	for code, params := range map[string][]api.Params{
		"InvalidPageNumber": {{"PageNumber": "0"}, {"PageNumber": "11"}, {"PageNumber": "x"}},
		"InvalidPageSize":   {{"PageSize": "0"}, {"PageSize": "51"}, {"PageSize": "-1"}},
	} {
		for _, p := range params {
			f.refuses(code, "ListUserRoutines", p)
		}
	}
}

func TestDeleteRoutine(t *testing.T) {
	f := newFixture(t, Config{})
	f.refuses("RoutineNotExist", "DeleteRoutine", api.Params{"Name": "site"})
	f.call("CreateRoutine", api.Params{"Name": "site"})
	v := f.upload("site", nil, zipOf(t, "assets/a.txt", "a"))
	f.call("CreateRoutineCodeDeployment", api.Params{"Name": "site", "Env": "production", "Strategy": "percentage", "CodeVersions": deployJSON(v, 100)})
	require.Len(t, f.blobFiles(), 1)

	require.Equal(t, "OK", f.call("DeleteRoutine", api.Params{"Name": "site"})["Status"])
	require.Empty(t, f.blobFiles(), "the pack goes with the routine")
	_, err := f.svc.Live(t.Context(), "site", Production)
	require.ErrorIs(t, err, ErrNoRoutine)

	f.call("CreateRoutine", api.Params{"Name": "site"})
	f.refuses("RoutineCodeVersionNotExist", "GetRoutineCodeVersionInfo", api.Params{"Name": "site", "CodeVersion": v})
}

// TestAnswersHaveTheCatalogueFields holds every answer's names against the
// catalogue's shapes.
func TestAnswersHaveTheCatalogueFields(t *testing.T) {
	f := newFixture(t, Config{})
	site := api.Params{"Name": "site"}
	answers := map[string]map[string]any{
		"GetErService":                    f.call("GetErService", nil),
		"CreateRoutine":                   f.call("CreateRoutine", site),
		"GetRoutineStagingCodeUploadInfo": f.call("GetRoutineStagingCodeUploadInfo", site),
		"CreateRoutineWithAssetsCodeVersion": f.call("CreateRoutineWithAssetsCodeVersion",
			api.Params{"Name": "site", "BuildId": "7", "ConfOptions": `{"NotFoundStrategy":"404Page"}`}),
		"GetRoutineAccessToken": f.call("GetRoutineAccessToken", site),
		"ListUserRoutines":      f.call("ListUserRoutines", nil),
	}
	v := f.upload("site", nil, zipOf(t, "assets/a.txt", "a"))
	deploy := api.Params{"Name": "site", "Env": "staging", "Strategy": "percentage", "CodeVersions": deployJSON(v, 100)}
	answers["CreateRoutineCodeDeployment"] = f.call("CreateRoutineCodeDeployment", deploy)
	answers["PublishRoutineCodeVersion"] = f.call("PublishRoutineCodeVersion", api.Params{"Name": "site", "Env": "production", "CodeVersion": v})
	answers["GetRoutine"] = f.call("GetRoutine", site)
	answers["GetRoutineCodeVersionInfo"] = f.call("GetRoutineCodeVersionInfo", api.Params{"Name": "site", "CodeVersion": v})
	answers["ListRoutineCodeVersions"] = f.call("ListRoutineCodeVersions", site)
	for action, answer := range answers {
		op, ok := catalog.Lookup(action)
		require.True(t, ok)
		var shape any
		require.NoError(t, json.Unmarshal(op.Response, &shape))
		checkShape(t, action, shape, answer)
	}
}

// optional fields are left out when they were never given; RequestId is added
// by the gateway.
var optional = map[string]bool{"RequestId": true, "BuildId": true, "NotFoundStrategy": true}

func checkShape(t *testing.T, at string, shape, got any) {
	t.Helper()
	switch want := shape.(type) {
	case map[string]any:
		fields, ok := got.(map[string]any)
		require.True(t, ok, at)
		if _, free := want["*"]; free {
			return
		}
		for name, sub := range fields {
			require.Contains(t, want, name, at)
			checkShape(t, at+"."+name, want[name], sub)
		}
		for name := range want {
			if !optional[name] {
				require.Contains(t, fields, name, at)
			}
		}
	case []any:
		for _, one := range got.([]any) {
			checkShape(t, at, want[0], one)
		}
	case string:
		switch want {
		case "string":
			require.IsType(t, "", got, at)
		case "long":
			require.IsType(t, json.Number(""), got, at)
		case "boolean":
			require.IsType(t, true, got, at)
		default:
			t.Fatalf("%s: unknown type %s", at, want)
		}
	}
}

func TestIDsGrowThoughTheClockStands(t *testing.T) {
	f := newFixture(t, Config{Quotas: quota.Set{}.With(quota.RoutineVersions, 50)})
	f.call("CreateRoutine", api.Params{"Name": "site"})
	last := ""
	for i := range 20 {
		v := f.call("CreateRoutineWithAssetsCodeVersion", api.Params{"Name": "site"})["CodeVersion"].(string)
		require.Len(t, v, 19)
		require.Greater(t, v, last)
		last = v
		if i%3 == 0 {
			f.clock.Add(-time.Minute)
		}
	}
}
