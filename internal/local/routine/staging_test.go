package routine

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/esa-mcp/esa-mcp/internal/local/api"
)

// stagingForm asks for a slot and returns its address and form fields.
func (f *fixture) stagingForm(name string) (string, map[string]string) {
	f.t.Helper()
	got := f.call("GetRoutineStagingCodeUploadInfo", api.Params{"Name": name, "CodeDescription": "a page"})
	require.Equal(f.t, "unstable", got["CodeVersion"])
	fields := map[string]string{}
	for k, v := range got["OssPostConfig"].(map[string]any) {
		fields[k] = v.(string)
	}
	url := fields["Url"]
	delete(fields, "Url")
	return url, fields
}

func TestStagedScript(t *testing.T) {
	f := newFixture(t, Config{})
	f.call("CreateRoutine", api.Params{"Name": "fn"})
	f.refuses("RoutineStagingCodeNotExist", "CommitRoutineStagingCode", api.Params{"Name": "fn"})

	url, fields := f.stagingForm("fn")
	require.Equal(t, "a page", fields["x:codeDescription"])
	require.True(t, strings.HasPrefix(fields["key"], "site_er_js/fn."))
	script := "export default { fetch() { return new Response('`$\\n') } }"
	status, text := post(t, url, fields, []byte(script))
	require.Equal(t, 200, status, text)
	require.Empty(t, f.blobFiles())

	v := f.call("CommitRoutineStagingCode", api.Params{"Name": "fn", "CodeDescription": "one"})["CodeVersion"].(string)
	got := f.call("GetRoutineCodeVersionInfo", api.Params{"Name": "fn", "CodeVersion": v})
	require.Equal(t, "available", got["Status"])
	require.Equal(t, false, got["HasAssets"])
	live, err := f.svc.Live(t.Context(), "fn", Production)
	require.NoError(t, err)
	code, err := f.svc.Code(t.Context(), live.RoutineID, v)
	require.NoError(t, err)
	require.Equal(t, script, code)
	f.call("PublishRoutineCodeVersion", api.Params{"Name": "fn", "Env": "staging", "CodeVersion": v})

	again := f.call("CommitRoutineStagingCode", api.Params{"Name": "fn", "DeployEnv": "production"})["CodeVersion"]
	require.NotEqual(t, v, again)
	f.refuses("InvalidDeployEnv", "CommitRoutineStagingCode", api.Params{"Name": "fn", "DeployEnv": "here"})
}

func TestStagedScriptRefusals(t *testing.T) {
	f := newFixture(t, Config{Limits: Limits{MaxCode: 100}})
	f.call("CreateRoutine", api.Params{"Name": "fn"})
	tests := map[string]struct {
		change func(fields map[string]string)
		size   int
		status int
		code   string
	}{
		"largest":             {func(map[string]string) {}, 100, 200, ""},
		"too large":           {func(map[string]string) {}, 101, 400, "EntityTooLarge"},
		"empty":               {func(map[string]string) {}, 0, 400, "EntityTooSmall"},
		"other key":           {func(m map[string]string) { m["key"] = "site_er_js/other" }, 9, 403, "AccessDenied"},
		"malformed callback":  {func(m map[string]string) { m["callback"] = "%%%" }, 9, 203, "CallbackFailed"},
		"callback no address": {func(m map[string]string) { m["callback"] = "e30=" }, 9, 203, "CallbackFailed"},
		"no callback":         {func(m map[string]string) { delete(m, "callback") }, 9, 204, ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			f := &fixture{t: t, svc: f.svc, store: f.store, url: f.url}
			require.NoError(t, f.dropStaged())
			url, fields := f.stagingForm("fn")
			tt.change(fields)
			status, text := post(t, url, fields, []byte(strings.Repeat("x", tt.size)))
			require.Equal(t, tt.status, status, text)
			require.Contains(t, text, tt.code)
			require.Empty(t, f.blobFiles())
			if tt.status == 200 {
				f.call("CommitRoutineStagingCode", api.Params{"Name": "fn"})
				return
			}
			f.refuses("RoutineStagingCodeNotExist", "CommitRoutineStagingCode", api.Params{"Name": "fn"})
		})
	}
}

func (f *fixture) dropStaged() error {
	_, err := f.store.DB().Exec(`UPDATE routines SET staged_code = NULL`)
	return err
}

func TestUploadAddressExpires(t *testing.T) {
	f := newFixture(t, Config{UploadTTL: time.Minute})
	f.call("CreateRoutine", api.Params{"Name": "fn"})
	url, fields := f.stagingForm("fn")
	f.clock.Add(time.Minute)
	status, text := post(t, url, fields, []byte("x"))
	require.Equal(t, 403, status)
	require.Contains(t, text, "<Message>Invalid according to Policy: Policy expired.</Message>")

	// Days later the slot is forgotten, and a new one works.
	f.clock.Add(48 * time.Hour)
	_, fields = f.stagingForm("fn")
	status, text = post(t, url, fields, []byte("x"))
	require.Equal(t, 200, status, text)
	var slots int
	require.NoError(t, f.store.DB().QueryRow(`SELECT (SELECT count(*) FROM routine_uploads) + (SELECT count(*) FROM oss_grants)`).Scan(&slots))
	require.Equal(t, 2, slots)
}

func TestUploadForDeletedRoutine(t *testing.T) {
	f := newFixture(t, Config{})
	f.call("CreateRoutine", api.Params{"Name": "fn"})
	url, fields := f.stagingForm("fn")
	f.call("DeleteRoutine", api.Params{"Name": "fn"})
	status, _ := post(t, url, fields, []byte("x"))
	require.Equal(t, 200, status)
	require.Empty(t, f.blobFiles())
}
