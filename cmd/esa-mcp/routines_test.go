package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/esa-mcp/esa-mcp/tools"
)

const functionCode = `export default { async fetch(request: Request): Promise<Response> { return new Response("one") } }`

func TestDeployRoutine(t *testing.T) {
	t.Parallel()
	s := startLocal(t, "--toolsets", "pages,routines")
	first := callOK[tools.DeployOutput](t, s, "deploy_routine", arguments{"name": "fn", "code": functionCode, "description": "first"})
	require.Equal(t, tools.StatusLive, first.Status)
	require.Empty(t, first.Notes[1:], "only the private address is noted")
	require.Positive(t, first.Uploaded)
	for _, e := range first.Live {
		require.Equal(t, []tools.LiveVersion{{Version: first.Version, Percentage: 100}}, e.Versions, e.Environment)
	}
	again := callOK[tools.DeployOutput](t, s, "deploy_routine", arguments{"name": "fn", "code": functionCode})
	require.Equal(t, tools.StatusUnchanged, again.Status)
	require.Equal(t, first.Version, again.Version)
	require.Zero(t, again.Uploaded)
	forced := callOK[tools.DeployOutput](t, s, "deploy_routine", arguments{"name": "fn", "code": functionCode, "force": true})
	require.NotEqual(t, first.Version, forced.Version)

	dir := writeSite(t, map[string]string{
		"index.js": "import { a } from './lib/a'\nexport default { fetch(request, env) { return a(request) } }",
		"lib/a.ts": "export const a = (request: any) =>\n  new Response(request.cf.country)",
	})
	out := callOK[tools.DeployOutput](t, s, "deploy_routine", arguments{"name": "fn", "entry": filepath.Join(dir, "index.js"), "environment": "staging"})
	require.Equal(t, out.Version, out.Live[0].Versions[0].Version)
	require.Equal(t, forced.Version, out.Live[1].Versions[0].Version, "production is as it was")
	var lint []string
	for _, n := range out.Notes {
		if n.ID == "er-lint" {
			lint = append(lint, n.Text)
		}
	}
	require.Len(t, lint, 2)
	require.Contains(t, lint[0], "index.js:2:")
	require.Contains(t, lint[1], "lib/a.ts:2:")

	got := callOK[tools.GetRoutineOutput](t, s, "get_routine", arguments{"name": "fn"})
	require.Len(t, got.Versions, 3)
	require.Equal(t, "first", got.Versions[2].Description)
}

func TestDeployRoutineRefuses(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	s := startLocal(t, "--toolsets", "pages,routines")
	callOK[tools.DeployOutput](t, s, "deploy_html", arguments{"name": "site", "html": "page"})
	for name, c := range map[string]struct {
		arguments arguments
		want      string
	}{
		"neither":         {arguments{"name": "fn"}, "Neither entry nor code"},
		"both":            {arguments{"name": "fn", "code": "x", "entry": "/x"}, "give one"},
		"bad name":        {arguments{"name": "Fn", "code": functionCode}, "pages-name"},
		"no such file":    {arguments{"name": "fn", "entry": "/no/such.js"}, "does not exist"},
		"a folder":        {arguments{"name": "fn", "entry": t.TempDir()}, "deploy_pages"},
		"does not parse":  {arguments{"name": "fn", "code": "export default {"}, "code.ts:1"},
		"no such module":  {arguments{"name": "fn", "code": "import 'fs'\nexport default {}"}, "code.ts:1"},
		"over a site":     {arguments{"name": "site", "code": functionCode}, "deploy_pages"},
		"unknown setting": {arguments{"name": "fn", "code": functionCode, "percentage": 10}, "percentage"},
	} {
		t.Run(name, func(t *testing.T) { require.Contains(t, s.refuse(t, "deploy_routine", c.arguments), c.want) })
	}
	list := callOK[tools.ListRoutinesOutput](t, s, "list_routines", nil)
	require.Len(t, list.Routines, 1, "nothing was made")
	left, err := filepath.Glob(filepath.Join(os.TempDir(), "esa-routine-*"))
	require.NoError(t, err)
	require.Empty(t, left, "the code's folder is gone")
	callOK[tools.DeployOutput](t, s, "deploy_routine", arguments{"name": "site", "code": functionCode, "force": true})
}

func TestPublishSplitAndRollBack(t *testing.T) {
	t.Parallel()
	s := startLocal(t, "--toolsets", "pages,routines")
	deploy := func(page string) tools.DeployOutput {
		return callOK[tools.DeployOutput](t, s, "deploy_html", arguments{"name": "web", "html": page})
	}
	publish := func(a arguments) tools.PublishRoutineVersionOutput {
		t.Helper()
		a["name"] = "web"
		return callOK[tools.PublishRoutineVersionOutput](t, s, "publish_routine_version", a)
	}
	require.Contains(t, s.refuse(t, "publish_routine_version", arguments{"name": "web"}), "no routine")
	one := deploy("one")
	require.Contains(t, s.refuse(t, "publish_routine_version", arguments{"name": "web"}), "nothing to roll back to")
	two := deploy("two")
	three := deploy("three")

	out := publish(arguments{})
	require.Equal(t, two.Version, out.Version, "the one before the live one")
	require.Equal(t, three.Version, out.Live[0].Versions[0].Version, "staging is as it was")
	_, body := browse(t, out.URL)
	require.Equal(t, "two", body)

	out = publish(arguments{"version": three.Version, "percentage": 20})
	require.Equal(t, []tools.LiveVersion{{Version: three.Version, Percentage: 20}, {Version: two.Version, Percentage: 80}}, out.Live[1].Versions)
	out = publish(arguments{})
	require.Equal(t, []tools.LiveVersion{{Version: two.Version, Percentage: 100}}, out.Live[1].Versions, "the older of a split is what one goes back to")
	out = publish(arguments{"version": one.Version, "percentage": 60, "rest_version": three.Version, "environment": "both"})
	for _, e := range out.Live {
		require.Equal(t, []tools.LiveVersion{{Version: one.Version, Percentage: 60}, {Version: three.Version, Percentage: 40}}, e.Versions, e.Environment)
	}

	for name, c := range map[string]struct {
		arguments arguments
		want      string
	}{
		"no such version": {arguments{"version": "1"}, "RoutineCodeVersionNotExist"},
		"no such rest":    {arguments{"version": one.Version, "percentage": 5, "rest_version": "1"}, "RoutineCodeVersionNotExist"},
		"rest of nothing": {arguments{"version": one.Version, "rest_version": two.Version}, "pages-percent"},
		"twice":           {arguments{"version": one.Version, "percentage": 5, "rest_version": one.Version}, "pages-percent"},
		"over 100":        {arguments{"version": one.Version, "percentage": 101}, "percentage"},
		"no version":      {arguments{"version": "latest"}, "version"},
	} {
		c.arguments["name"] = "web"
		t.Run(name, func(t *testing.T) { require.Contains(t, s.refuse(t, "publish_routine_version", c.arguments), c.want) })
	}
	require.Contains(t, s.refuse(t, "delete_routine_version", arguments{"name": "web", "version": one.Version}), "is live")
	require.Contains(t, s.refuse(t, "delete_routine_version", arguments{"name": "none", "version": one.Version}), "no routine")
	callOK[tools.DeleteRoutineVersionOutput](t, s, "delete_routine_version", arguments{"name": "web", "version": two.Version})
	require.Len(t, callOK[tools.GetRoutineOutput](t, s, "get_routine", arguments{"name": "web"}).Versions, 2)
}

func TestRoutineAdministration(t *testing.T) {
	t.Parallel()
	s := startLocal(t, "--toolsets", "pages,routines")
	callOK[tools.DeployOutput](t, s, "deploy_routine", arguments{"name": "fn", "code": functionCode})
	require.False(t, callOK[tools.SetRoutineOutput](t, s, "set_routine", arguments{"name": "fn", "description": "what it does"}).Created)
	fn := callOK[tools.GetRoutineOutput](t, s, "get_routine", arguments{"name": "fn"})
	require.Equal(t, "what it does", fn.Description)
	require.Empty(t, fn.Source)
	fn = callOK[tools.GetRoutineOutput](t, s, "get_routine", arguments{"name": "fn", "source_version": fn.Versions[0].Version})
	require.Contains(t, fn.Source, "new Response(\"one\")")
	require.Contains(t, s.refuse(t, "get_routine", arguments{"name": "fn", "source_version": "1"}), "RoutineCodeVersionNotExist")

	made := callOK[tools.SetRoutineOutput](t, s, "set_routine", arguments{"name": "empty", "description": "to come"})
	require.True(t, made.Created)
	require.False(t, callOK[tools.SetRoutineOutput](t, s, "set_routine", arguments{"name": "empty"}).Created)
	empty := callOK[tools.GetRoutineOutput](t, s, "get_routine", arguments{"name": "empty"})
	require.Equal(t, "to come", empty.Description)
	require.Empty(t, empty.Versions)
	require.Contains(t, s.refuse(t, "set_routine", arguments{"name": "No_Name"}), "pages-name")
	service := callOK[tools.GetRoutineServiceOutput](t, s, "get_routine_service", nil)
	require.Equal(t, "Running", service.Status)
	require.Equal(t, []string{"127.0.0.1"}, service.StagingIPs)
	require.Equal(t, "100", service.Plans[0].Routines)
	require.Len(t, service.Subdomains, 1)
}
