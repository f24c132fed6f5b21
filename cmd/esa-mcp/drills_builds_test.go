package main

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/esa-mcp/esa-mcp/internal/esa"
)

// versions are the statuses of a routine's versions, and which is live in
// production.
func (f *field) versions(name string) (statuses map[string]string, live string) {
	f.t.Helper()
	var list struct {
		CodeVersions []struct{ CodeVersion, Status string }
	}
	res, err := f.somebodyElse().Call(f.t.Context(), "ListRoutineCodeVersions", esa.Params{"Name": name})
	require.NoError(f.t, err)
	require.NoError(f.t, res.Decode(&list))
	statuses = map[string]string{}
	for _, v := range list.CodeVersions {
		statuses[v.CodeVersion] = v.Status
	}
	var routine struct {
		Envs []struct {
			Env        string
			CodeDeploy struct {
				CodeVersions []struct{ CodeVersion string }
			}
		}
	}
	res, err = f.somebodyElse().Call(f.t.Context(), "GetRoutine", esa.Params{"Name": name})
	require.NoError(f.t, err)
	require.NoError(f.t, res.Decode(&routine))
	for _, e := range routine.Envs {
		if e.Env == "production" && len(e.CodeDeploy.CodeVersions) > 0 {
			live = e.CodeDeploy.CodeVersions[0].CodeVersion
		}
	}
	return statuses, live
}

// buildDrill is a deployment that is met with builds that hang and builds that
// fail.
type buildDrill struct {
	tool string
	args func(f *field) arguments
	// builds is false where the service has nothing to build: the fault does
	// nothing.
	builds bool
}

func buildDrills() []buildDrill {
	return []buildDrill{
		{tool: "deploy_pages", builds: true, args: func(f *field) arguments {
			dir := f.t.TempDir()
			writeFile(f, dir, "index.html", "<h1>drill</h1>")
			return arguments{"name": "web", "path": dir}
		}},
		{tool: "deploy_html", builds: true, args: func(*field) arguments { return arguments{"name": "web", "html": "<h1>drill</h1>"} }},
		{tool: "deploy_routine", args: func(*field) arguments {
			return arguments{"name": "web", "code": `export default { fetch() { return new Response("drill") } }`}
		}},
	}
}

// TestBuildDrills deploys while builds hang or fail, over nothing and over
// something that is live. What was live stays so until the new is; the same call
// once more, or get_deployment, ends in what was asked without another version.
func TestBuildDrills(t *testing.T) {
	for _, d := range buildDrills() {
		for _, over := range []bool{false, true} {
			for _, end := range []string{"get_deployment", "the same call"} {
				if d.tool != "deploy_pages" && over == (end == "get_deployment") {
					continue // deploy_pages has shown them all
				}
				t.Run(fmt.Sprintf("%s hangs over=%t ends by %s", d.tool, over, end), func(t *testing.T) {
					t.Parallel()
					f, args, before, had := startBuildDrill(t, d, over)
					f.faults("build=hang")
					out := f.do(d.tool, args)
					version, _ := out["version"].(string)
					if !d.builds {
						require.Equal(t, "live", out["status"])
						return
					}
					hangs := func() {
						t.Helper()
						statuses, live := f.versions("web")
						require.Equal(t, before, live, "what was live stays so")
						require.Len(t, statuses, had+1)
						require.Contains(t, statuses, version)
						require.NotEqual(t, "available", statuses[version])
					}
					require.Equal(t, "building", out["status"], out)
					require.Contains(t, out["next"], "get_deployment")
					hangs()
					resume := arguments{"name": "web", "version": version, "resume": true}
					for _, again := range []map[string]any{f.do(d.tool, args), f.do("get_deployment", resume)} {
						require.Equal(t, "building", again["status"], again)
						require.Equal(t, version, again["version"])
						hangs()
					}
					f.faults("")
					if end == "get_deployment" {
						f.waitFor("live", "get_deployment", resume)
					} else {
						f.waitFor("live", d.tool, args)
					}
					statuses, live := f.versions("web")
					require.Equal(t, version, live)
					require.Len(t, statuses, had+1)
					require.Equal(t, "unchanged", f.do(d.tool, args)["status"])
				})
			}
			t.Run(fmt.Sprintf("%s fails over=%t", d.tool, over), func(t *testing.T) {
				t.Parallel()
				f, args, before, had := startBuildDrill(t, d, over)
				f.faults("build=fail")
				text, isError := f.call(t.Context(), d.tool, args)
				if !d.builds {
					require.False(t, isError, text)
					return
				}
				require.True(t, isError, text)
				require.Regexp(t, "failed", text)
				statuses, live := f.versions("web")
				require.Equal(t, before, live, "what was live stays so: %s", text)
				require.Len(t, statuses, had+1)
				served := "version " + before
				if before == "" {
					served = "nothing"
				}
				require.Contains(t, text, "production: "+served, "it says what is live")
				f.faults("")
				out := f.do(d.tool, args)
				require.Equal(t, "live", out["status"])
				statuses, live = f.versions("web")
				require.Equal(t, out["version"], live)
				require.LessOrEqual(t, len(statuses), had+2, "the one that failed, and one more")
				require.Equal(t, "unchanged", f.do(d.tool, args)["status"])
			})
		}
	}
}

// startBuildDrill returns the version that is live before, if any, and how many
// versions there are.
func startBuildDrill(t *testing.T, d buildDrill, over bool) (f *field, args arguments, live string, had int) {
	t.Helper()
	f = newField(t)
	if over {
		if d.builds {
			f.do("deploy_html", arguments{"name": "web", "html": "first"})
		} else {
			f.do("deploy_routine", arguments{"name": "web", "code": `export default { fetch() { return new Response("first") } }`})
		}
		var statuses map[string]string
		statuses, live = f.versions("web")
		require.NotEmpty(t, live)
		had = len(statuses)
	}
	return f, d.args(f), live, had
}

// waitFor calls a tool until it says that status.
func (f *field) waitFor(status, tool string, args arguments) {
	f.t.Helper()
	var out map[string]any
	require.Eventually(f.t, func() bool {
		out = f.do(tool, args)
		return out["status"] == status
	}, time.Minute, 5*time.Millisecond, "%s: %v", tool, out)
}
