package catalog

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// facts reads the input that the embedded files are generated from.
func facts(t *testing.T) (ops []struct{ Action, Area, Effect, Method string }, models map[string]any) {
	t.Helper()
	raw, err := os.ReadFile("testdata/operations.json")
	require.NoError(t, err)
	var f struct {
		Models     map[string]any
		Operations []struct{ Action, Area, Effect, Method string }
	}
	require.NoError(t, json.Unmarshal(raw, &f))
	return f.Operations, f.Models
}

func TestEveryOperationIsThere(t *testing.T) {
	ops, models := facts(t)
	require.Len(t, Actions(), len(ops))
	require.IsIncreasing(t, Actions())
	for _, want := range ops {
		op, ok := Lookup(want.Action)
		require.True(t, ok, want.Action)
		require.Equal(t, want.Action, op.Action)
		require.Equal(t, want.Area, op.Area)
		require.Equal(t, Effect(want.Effect), op.Effect)
		require.Equal(t, want.Method, op.Method)
		for _, p := range op.Params {
			require.Contains(t, []string{InQuery, InBody}, p.In, "%s.%s", op.Action, p.Name)
			require.Contains(t, []string{AsPlain, AsJSON, AsFlat}, p.As, "%s.%s", op.Action, p.Name)
		}
	}
	for name := range models {
		fields, ok := Model(name)
		require.True(t, ok, name)
		require.NotEmpty(t, fields, name)
	}
}

func TestGeneratedFilesAreCurrent(t *testing.T) {
	dir := t.TempDir()
	lines, models := filepath.Join(dir, "operations.jsonl"), filepath.Join(dir, "models.json")
	out, err := exec.Command("go", "run", "./gen", "-operations", lines, "-models", models).CombinedOutput()
	require.NoError(t, err, string(out))
	for made, kept := range map[string]string{lines: "operations.jsonl", models: "models.json"} {
		want, err := os.ReadFile(made)
		require.NoError(t, err)
		got, err := os.ReadFile(kept)
		require.NoError(t, err)
		require.Equal(t, string(want), string(got), "%s is old: run go generate ./internal/catalog", kept)
	}
}

func TestEffectFollowsTheActionNotTheMethod(t *testing.T) {
	for action, want := range map[string]Effect{
		"DeleteKv":                  Delete, // sent as GET
		"ActivateClientCertificate": Write,  // sent as GET
		"GetRoutine":                Read,   // sent as POST
		"ListCertificates":          Read,   // sent as POST
	} {
		op, ok := Lookup(action)
		require.True(t, ok, action)
		require.Equal(t, want, op.Effect, action)
	}
}

func TestLookupOfUnknown(t *testing.T) {
	for _, name := range []string{"", "A", "zzz", "GetRoutin", "GetRoutine ", "\n"} {
		_, ok := Lookup(name)
		require.False(t, ok, "%q", name)
	}
}

func TestFind(t *testing.T) {
	op, err := Find("create_record")
	require.NoError(t, err)
	require.Equal(t, "CreateRecord", op.Action)
	_, err = Find("CreateRecrd")
	require.ErrorContains(t, err, "did you mean CreateRecord?")
}

func TestFindParam(t *testing.T) {
	op, _ := Lookup("CreateRecord")
	p, err := op.FindParam("site_id")
	require.NoError(t, err)
	require.Equal(t, "SiteId", p.Name)
	require.Equal(t, "long", p.Type)
	_, err = op.FindParam("recordname2")
	require.ErrorContains(t, err, "did you mean RecordName?")
	require.ErrorContains(t, err, "It takes AuthConf, ")
	op, _ = Lookup("GetKvAccount")
	_, err = op.FindParam("x")
	require.ErrorContains(t, err, "it takes none")
}

func TestSearch(t *testing.T) {
	for query, want := range map[string]string{
		"create dns record":            "CreateRecord",
		"list sites":                   "ListSites",
		"purge cache":                  "PurgeCaches",
		"origin client certificate":    "UploadSiteOriginClientCertificate",
		"waiting room event":           "CreateWaitingRoomEvent",
		"kv namespace delete":          "DeleteKvNamespace",
		"routine version frobnication": "GetRoutineCodeVersionInfo",
	} {
		var names []string
		for _, m := range Search(query, 8) {
			names = append(names, m.Action)
		}
		require.Contains(t, names, want, query)
	}
	require.Equal(t, "ListSites", Search("ListSites", 1)[0].Action)
	// By the words of other services, and by what people call it.
	for query, want := range map[string]string{"flush cache": "PurgeCaches", "firewall rule": "CreateWafRule", "warm cache": "PreloadCaches",
		"rollback": "CreateRoutineCodeDeployment", "traffic split": "CreateRoutineCodeDeployment", "ipv6": "UpdateIPv6"} {
		var found []string
		for _, m := range Search(query, 3) {
			found = append(found, m.Action)
		}
		require.Contains(t, found, want, query)
	}
	require.Empty(t, Search("", 5))
	require.Empty(t, Search("frobnicate", 5))
	require.Empty(t, Search("site", 0))
	require.Len(t, Search("site", 3), 3)
}

func TestWords(t *testing.T) {
	require.Equal(t, []string{"list", "waf", "rule"}, words("ListWAFRules"))
	require.Equal(t, []string{"dns", "record"}, words("dns-record"))
	require.Equal(t, []string{"policy", "address", "status"}, words("policies address status"))
}

func FuzzSearch(f *testing.F) {
	f.Add("create record")
	f.Add("ÄÖ 日本 \x00 " + strings.Repeat("A", 300))
	f.Fuzz(func(t *testing.T, q string) {
		for _, m := range Search(q, 5) {
			_, ok := Lookup(m.Action)
			require.True(t, ok)
		}
	})
}

// BenchmarkStart is what a process pays for its first look-up.
func BenchmarkStart(b *testing.B) {
	for b.Loop() {
		newStore()
	}
}

func BenchmarkDecodeOne(b *testing.B) {
	s := embedded()
	for b.Loop() {
		var op Operation
		if err := json.Unmarshal([]byte(s.line(40)), &op); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkLookup(b *testing.B) {
	for b.Loop() {
		Lookup("UpdateRecord")
	}
}

func BenchmarkSearch(b *testing.B) {
	for b.Loop() {
		Search("create dns record", 10)
	}
}
