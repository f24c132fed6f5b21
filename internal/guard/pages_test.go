package guard_test

import (
	"archive/zip"
	"bytes"
	"context"
	"errors"
	"io"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/esa-mcp/esa-mcp/internal/esa"
	"github.com/esa-mcp/esa-mcp/internal/guard"
	"github.com/esa-mcp/esa-mcp/internal/local"
	"github.com/esa-mcp/esa-mcp/internal/local/quota"
	"github.com/esa-mcp/esa-mcp/internal/local/routine"
	"github.com/esa-mcp/esa-mcp/tools"
)

const answersHello = `export default { fetch() { return new Response("hello") } }`

// fn makes a routine fn without a version.
func fn(w *world) { w.do("CreateRoutine", params{"Name": "fn"}) }

// send uploads content with a form that the service gave.
func (w *world) send(form esa.PostForm, content []byte) {
	w.Helper()
	require.NoError(w, w.client.Upload(w.Context(), func(context.Context) (esa.PostForm, error) { return form, nil }, esa.Object{
		Name: "upload", Size: int64(len(content)),
		Open: func(context.Context) (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(content)), nil },
	}))
}

// version makes a version of fn of a script, by raw calls past the guardrails.
func (w *world) version(code string) string {
	w.Helper()
	form, err := esa.ScriptForm(w.do("GetRoutineStagingCodeUploadInfo", params{"Name": "fn"})["OssPostConfig"])
	require.NoError(w, err)
	w.send(form, []byte(code))
	return text(w.do("CommitRoutineStagingCode", params{"Name": "fn"})["CodeVersion"])
}

// archive makes a version of fn of files, likewise, and returns it with the
// status that its build ends in.
func (w *world) archive(files map[string]string) (version, status string) {
	w.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for name, content := range files {
		f, err := z.Create(name)
		require.NoError(w, err)
		_, err = f.Write([]byte(content))
		require.NoError(w, err)
	}
	require.NoError(w, z.Close())
	made := w.do("CreateRoutineWithAssetsCodeVersion", params{"Name": "fn"})
	form, err := esa.AssetsForm(made["OssPostConfig"])
	require.NoError(w, err)
	w.send(form, b.Bytes())
	version = text(made["CodeVersion"])
	require.Eventually(w, func() bool {
		status = text(w.do("GetRoutineCodeVersionInfo", params{"Name": "fn", "CodeVersion": version})["Status"])
		return status != "init"
	}, time.Minute, 5*time.Millisecond)
	return version, status
}

func deployment(env string, shares ...any) params {
	var list []any
	for i := 0; i < len(shares); i += 2 {
		list = append(list, map[string]any{"CodeVersion": shares[i], "Percentage": shares[i+1]})
	}
	return params{"Name": "fn", "Env": env, "Strategy": "percentage", "CodeVersions": list}
}

func TestGuardrail_pages_name(t *testing.T) {
	prove(t, "pages-name", proof{
		with: func(w *world) {
			for wrong, right := range map[string]string{"My_Site": "my-site", "Fn": "fn", "shop.example": "shop-example"} {
				c := w.refused("a lower-case letter first", "CreateRoutine", params{"Name": wrong})
				require.Equal(w, right, c.Params["Name"])
				w.sends(c)
			}
			require.Nil(w, w.refused("2 to 63 characters", "CreateRoutine", params{"Name": "x"}), "nothing is evident")
			w.goesThrough("CreateRoutine", params{"Name": "a1"})
			_, err := w.tool("deploy_html", map[string]any{"name": "My_Site", "html": "x"})
			require.ErrorContains(w, err, "pages-name")
		},
		without: func(w *world) {
			_, err := w.try("CreateRoutine", params{"Name": "My_Site"})
			require.NotEmpty(w, esa.CodeOf(err), "the service says no more than its code")
		},
	})
}

func TestGuardrail_pages_exists(t *testing.T) {
	prove(t, "pages-exists", proof{
		setup: fn,
		with: func(w *world) {
			for _, code := range []string{"", "RoutineNameAlreadyExist", "RoutineNameAlreadyExists", "RoutineAlreadyExist"} {
				w.meddle(func(action string) error {
					if action == "CreateRoutine" && code != "" {
						return answer(w, 400, code)
					}
					return nil
				})
				made := w.fixed("The routine fn exists: nothing was made or changed", "CreateRoutine", params{"Name": "fn"})
				require.Equal(w, "OK", made["Status"])
			}
			w.meddle(func(string) error { return answer(w, 400, "RoutineNameInvalid") })
			w.fails("RoutineNameInvalid", "CreateRoutine", params{"Name": "fn"})
			w.meddle(nil)
			first, err := w.tool("deploy_routine", map[string]any{"name": "fn", "code": answersHello})
			require.NoError(w, err)
			require.Contains(w, first, `"live"`, "the routine is reused")
			w.goesThrough("CreateRoutine", params{"Name": "other"})
		},
		without: func(w *world) { w.fails("RoutineNameAlreadyExist", "CreateRoutine", params{"Name": "fn"}) },
	})
}

func TestGuardrail_pages_ready(t *testing.T) {
	hold := make(chan struct{})
	var broken atomic.Bool
	var waits, live string
	prove(t, "pages-ready", proof{
		options: local.Options{Routine: routine.Config{BeforeBuild: func(ctx context.Context, _, _ string) error {
			if broken.Load() {
				return errors.New("as the test wants it")
			}
			select {
			case <-hold:
			case <-ctx.Done():
			}
			return nil
		}}},
		setup: func(w *world) {
			fn(w)
			live = w.version(answersHello)
			waits = text(w.do("CreateRoutineWithAssetsCodeVersion", params{"Name": "fn"})["CodeVersion"])
		},
		with: func(w *world) {
			w.refused("its status is init", "CreateRoutineCodeDeployment", deployment("staging", waits, 100))
			w.refused("its status is init", "CreateRoutineCodeDeployment", deployment("staging", live, 50, waits, 50))
			w.refused("nothing that is live has changed", "PublishRoutineCodeVersion", params{"Name": "fn", "Env": "production", "CodeVersion": waits})
			broken.Store(true)
			version, status := w.archive(map[string]string{"assets/index.html": "x"})
			require.Equal(w, "failed", status)
			w.refused("a build that failed", "CreateRoutineCodeDeployment", deployment("staging", version, 100))
			site := map[string]any{"name": "fn", "path": w.folder(map[string]string{"index.html": "x"})}
			_, err := w.tool("deploy_pages", site)
			require.ErrorContains(w, err, "its status is failed", "the tool waits, and sees it")
			broken.Store(false)
			close(hold)
			version, _ = w.archive(map[string]string{"assets/index.html": "y"})
			w.goesThrough("CreateRoutineCodeDeployment", deployment("staging", version, 100))
			_, err = w.tool("deploy_pages", site)
			require.NoError(w, err)
		},
		without: func(w *world) {
			w.fails("RoutineCodeVersionNotAvailable", "CreateRoutineCodeDeployment", deployment("staging", waits, 100))
		},
	})
}

func TestGuardrail_pages_deploy_env(t *testing.T) {
	// carries is the environment whose variables the newest version of fn has.
	carries := func(w *world) string {
		w.Helper()
		list := w.do("ListRoutineCodeVersions", params{"Name": "fn"})["CodeVersions"].([]any)
		return text(list[0].(map[string]any)["DeployEnv"])
	}
	prove(t, "pages-deploy-env", proof{
		setup: func(w *world) {
			fn(w)
			w.version(answersHello)
		},
		with: func(w *world) {
			require.Empty(w, carries(w), "made past the guardrails")
			w.fixed("set production", "CreateRoutineWithAssetsCodeVersion", params{"Name": "fn"})
			require.Equal(w, "production", carries(w))
			form, err := esa.ScriptForm(w.do("GetRoutineStagingCodeUploadInfo", params{"Name": "fn"})["OssPostConfig"])
			require.NoError(w, err)
			w.send(form, []byte(answersHello))
			w.fixed("no environment variables", "CommitRoutineStagingCode", params{"Name": "fn"})
			require.Equal(w, "production", carries(w))
			w.goesThrough("CreateRoutineWithAssetsCodeVersion", params{"Name": "fn", "DeployEnv": "staging"})
			require.Equal(w, "staging", carries(w))
		},
		without: func(w *world) {
			w.goesThrough("CreateRoutineWithAssetsCodeVersion", params{"Name": "fn"})
			require.Empty(w, carries(w), "a version without variables")
		},
	})
}

func TestGuardrail_pages_percent(t *testing.T) {
	var one, two, three string
	prove(t, "pages-percent", proof{
		setup: func(w *world) {
			fn(w)
			one, two, three = w.version(answersHello), w.version(answersHello+"//2"), w.version(answersHello+"//3")
		},
		with: func(w *world) {
			const action = "CreateRoutineCodeDeployment"
			w.refused("not 3 versions", action, deployment("staging", one, 30, two, 30, three, 40))
			w.sends(w.refused("not to 90", action, deployment("staging", one, 30, two, 60)))
			require.Nil(w, w.refused("1 to 100 percent", action, deployment("staging", one, 0, two, 100)))
			w.sends(w.refused("is given twice", action, deployment("production", one, 50, one, 50)))
			c := w.refused("name the version that gets the other 80 as well", action, deployment("production", two, 20))
			require.Equal(w, deployment("", two, int64(20), one, int64(80))["CodeVersions"], c.Params["CodeVersions"], "the live one")
			w.sends(c)
			w.goesThrough(action, deployment("production", one, 1, three, 99))
		},
		without: func(w *world) {
			w.fails("InvalidCodeVersions", "CreateRoutineCodeDeployment", deployment("staging", one, 30, two, 60))
		},
	})
}

func TestGuardrail_pages_versions_full(t *testing.T) {
	var versions []string
	prove(t, "pages-versions-full", proof{
		options: local.Options{Quotas: quota.Set{}.With(quota.RoutineVersions, 3)},
		setup: func(w *world) {
			fn(w)
			versions = []string{w.version("1"), w.version("2"), w.version("3")}
			w.do("CreateRoutineCodeDeployment", deployment("production", versions[0], 100))
		},
		with: func(w *world) {
			_, err := w.try("CreateRoutineWithAssetsCodeVersion", params{"Name": "fn"})
			require.Equal(w, "QuotaExceed.RoutineCodeVersion", esa.CodeOf(err))
			notes := w.notes(esa.Result{Notes: guard.NotesOf(err)})
			require.Len(w, notes, 1)
			require.Contains(w, notes[0], "as it may (3). Not deployed, oldest first: "+versions[1]+", "+versions[2]+". Delete one")
			_, err = w.tool("deploy_html", map[string]any{"name": "fn", "html": "x"})
			require.ErrorContains(w, err, "oldest first: "+versions[1])
			w.do("DeleteRoutineCodeVersion", params{"Name": "fn", "CodeVersion": versions[1]})
			w.goesThrough("CreateRoutineWithAssetsCodeVersion", params{"Name": "fn", "DeployEnv": "staging"})
		},
		without: func(w *world) {
			_, err := w.try("CreateRoutineWithAssetsCodeVersion", params{"Name": "fn"})
			require.Equal(w, "QuotaExceed.RoutineCodeVersion", esa.CodeOf(err))
			require.Empty(w, guard.NotesOf(err), "which ones are not said")
		},
	})
}

// What was there before a CreateRoutine that made nothing must not be offered to
// be deleted.
func TestReusedRoutineIsNotUndone(t *testing.T) {
	w := newWorld(t, "pages-exists", local.Options{}, false)
	fn(w)
	j, err := guard.OpenJournal("", time.Now, tools.Redact)
	require.NoError(t, err)
	t.Cleanup(func() { j.Close() })
	w.guarded(guard.Config{Journal: j})
	ctx := guard.WithRun(t.Context(), &guard.Run{Tool: "write_api"})
	for name, not := range map[string]string{"fn": "nothing was changed", "new": ""} {
		_, err := w.caller.Call(ctx, "CreateRoutine", params{"Name": name})
		require.NoError(t, err)
		recent, err := j.Recent(1)
		require.NoError(t, err)
		require.Equal(t, not, recent[0].Undo.Not)
	}
}
