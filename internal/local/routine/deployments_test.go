package routine

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/esa-mcp/esa-mcp/internal/local/api"
)

func TestDeploymentRefusals(t *testing.T) {
	f := newFixture(t, Config{})
	f.call("CreateRoutine", api.Params{"Name": "site"})
	a := f.upload("site", nil, zipOf(t, "assets/a.txt", "a"))
	b := f.upload("site", nil, zipOf(t, "assets/a.txt", "b"))
	failed := f.upload("site", nil, []byte("no zip"))
	waiting := f.call("CreateRoutineWithAssetsCodeVersion", api.Params{"Name": "site"})["CodeVersion"]
	tests := map[string]struct {
		versions, code string
	}{
		"none":             {`[]`, "InvalidCodeVersions"},
		"missing":          {``, "MissingCodeVersions"},
		"not JSON":         {`v1:100`, "InvalidCodeVersions"},
		"no list":          {`{"CodeVersion":"1","Percentage":100}`, "InvalidCodeVersions"},
		"three":            {deployJSON(a, 30, b, 30, "1", 40), "InvalidCodeVersions"},
		"sum 99":           {deployJSON(a, 49, b, 50), "InvalidCodeVersions"},
		"sum 101":          {deployJSON(a, 51, b, 50), "InvalidCodeVersions"},
		"one with 50":      {deployJSON(a, 50), "InvalidCodeVersions"},
		"zero":             {deployJSON(a, 100, b, 0), "InvalidCodeVersions"},
		"negative":         {deployJSON(a, 150, b, -50), "InvalidCodeVersions"},
		"fraction":         {deployJSON(a, 99.5, b, 0.5), "InvalidCodeVersions"},
		"no percentage":    {`[{"CodeVersion":"1"}]`, "InvalidCodeVersions"},
		"no version":       {`[{"Percentage":100}]`, "InvalidCodeVersions"},
		"same twice":       {deployJSON(a, 50, a, 50), "InvalidCodeVersions"},
		"unknown version":  {deployJSON("1710120201067203242", 100), "RoutineCodeVersionNotExist"},
		"failed version":   {deployJSON(failed, 100), "RoutineCodeVersionNotAvailable"},
		"version in init":  {deployJSON(a, 50, waiting, 50), "RoutineCodeVersionNotAvailable"},
		"overflowing text": {`[{"CodeVersion":"1","Percentage":99999999999999999999}]`, "InvalidCodeVersions"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			f := &fixture{t: t, svc: f.svc}
			f.refuses(tt.code, "CreateRoutineCodeDeployment", api.Params{
				"Name": "site", "Env": "production", "Strategy": "percentage", "CodeVersions": tt.versions})
		})
	}
	good := func() api.Params {
		return api.Params{"Name": "site", "Env": "production", "Strategy": "percentage", "CodeVersions": deployJSON(a, 100)}
	}
	for code, change := range map[string][2]string{
		"InvalidEnv": {"Env", "prod"}, "InvalidStrategy": {"Strategy", "canary"}, "RoutineNotExist": {"Name", "none"},
	} {
		p := good()
		p[change[0]] = change[1]
		f.refuses(code, "CreateRoutineCodeDeployment", p)
	}
	live, err := f.svc.Live(t.Context(), "site", Production)
	require.NoError(t, err)
	require.Empty(t, live.Shares, "no refused deployment changed anything")
	f.call("CreateRoutineCodeDeployment", good())
}

func TestDeploy(t *testing.T) {
	f := newFixture(t, Config{})
	f.call("CreateRoutine", api.Params{"Name": "site"})
	a := f.upload("site", api.Params{"CodeDescription": "the first"}, zipOf(t, "assets/a.txt", "a"))
	b := f.upload("site", nil, zipOf(t, "assets/a.txt", "b"))

	// As a JSON body has it, with an id as a number and a percentage as text.
	got := f.call("CreateRoutineCodeDeployment", api.Params{"Name": "site", "Env": "production", "Strategy": "percentage",
		"CodeVersions": []any{
			map[string]any{"CodeVersion": a, "Percentage": "80"},
			map[string]any{"CodeVersion": json.Number(b), "Percentage": json.Number("20")},
		}})
	require.Equal(t, "percentage", got["Strategy"])
	require.Equal(t, map[string]any{"CodeVersion": b, "Percentage": json.Number("20")}, got["CodeVersions"].([]any)[1])
	f.call("PublishRoutineCodeVersion", api.Params{"Name": "site", "Env": "staging", "CodeVersion": b})

	envs := f.call("GetRoutine", api.Params{"Name": "site"})["Envs"].([]any)
	require.Equal(t, map[string]any{"Env": "production", "CodeDeploy": map[string]any{
		"DeployId": got["DeploymentId"], "CreationTime": "2026-03-01T10:00:00Z", "Strategy": "percentage",
		"CodeVersions": []any{
			map[string]any{"CodeVersion": a, "Percentage": json.Number("80"), "Description": "the first", "CreateTime": "2026-03-01T10:00:00Z"},
			map[string]any{"CodeVersion": b, "Percentage": json.Number("20"), "Description": "", "CreateTime": "2026-03-01T10:00:00Z"},
		},
	}}, envs[0])
	live, err := f.svc.Live(t.Context(), "site", Staging)
	require.NoError(t, err)
	require.Equal(t, []Share{{b, 100}}, live.Shares)

	f.refuses("InvalidEnv", "PublishRoutineCodeVersion", api.Params{"Name": "site", "CodeVersion": b})
	f.refuses("MissingCodeVersion", "PublishRoutineCodeVersion", api.Params{"Name": "site", "Env": "staging"})
	f.refuses("RoutineCodeVersionNotExist", "PublishRoutineCodeVersion", api.Params{"Name": "site", "Env": "staging", "CodeVersion": "unstable"})
}
