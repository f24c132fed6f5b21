package main

import (
	"bufio"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/esa-mcp/esa-mcp/internal/guard"
	"github.com/esa-mcp/esa-mcp/tools"
)

// logged reads the audit log.
func logged(t *testing.T, path string) []guard.Change {
	t.Helper()
	file, err := os.Open(path)
	require.NoError(t, err)
	defer file.Close()
	var all []guard.Change
	for lines := bufio.NewScanner(file); lines.Scan(); {
		var c guard.Change
		require.NoError(t, json.Unmarshal(lines.Bytes(), &c), lines.Text())
		all = append(all, c)
	}
	return all
}

func last(t *testing.T, s *server) tools.ListedChange {
	t.Helper()
	return callOK[tools.UndoChangeOutput](t, s, "undo_change", arguments{}).Changes[0]
}

func undo(t *testing.T, s *server) tools.UndoChangeOutput {
	t.Helper()
	return callOK[tools.UndoChangeOutput](t, s, "undo_change", arguments{"change": last(t, s).Change})
}

func TestAuditLog(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "audit.jsonl")
	s := startLocal(t, "--audit-log", path)
	site := newSite(t, s, "shop.example", "NS")
	record := callOK[tools.RecordOutput](t, s, "create_record", arguments{"site_id": site.ID, "name": "www", "type": "A", "value": "203.0.113.1", "proxied": true})
	s.preview(t, "delete_record", arguments{"record_id": record.ID})
	callOK[tools.RecordOutput](t, s, "delete_record", arguments{"record_id": record.ID})
	s.refuse(t, "write_api", arguments{"action": "UpdateSiteAccessType", "params": arguments{"SiteId": site.ID, "AccessType": "X"}})
	s.refuse(t, "write_api", arguments{"action": "CreateSite", "params": arguments{"SiteName": "b.example", "AccessType": "NS", "Coverage": "overseas", "InstanceId": "none"}})
	callOK[tools.CreateKVNamespaceOutput](t, s, "create_kv_namespace", arguments{"namespace": "ns"})
	key := "-----BEGIN PRIVATE KEY-----\nCANARY\n-----END PRIVATE KEY-----"
	callOK[tools.PutKVOutput](t, s, "put_kv", arguments{"namespace": "ns", "key": "pem", "value": key})
	callOK[tools.PutKVOutput](t, s, "put_kv", arguments{"namespace": "ns", "key": "pem", "value": "new"})
	require.Contains(t, s.refuse(t, "undo_change", arguments{"change": last(t, s).Change}), "a secret would be needed")

	all := logged(t, path)
	by := map[string][]guard.Change{}
	for _, c := range all {
		require.Len(t, c.ID, 12)
		require.False(t, c.Time.IsZero())
		by[c.Action] = append(by[c.Action], c)
	}
	created := by["CreateRecord"][0]
	require.Equal(t, "create_record", created.Tool)
	require.Equal(t, "203.0.113.1", created.Args["value"])
	require.Equal(t, "www.shop.example", created.Params["RecordName"])
	require.Equal(t, guard.Done, created.Outcome)
	require.Len(t, created.RequestID, 36)
	require.Equal(t, "DeleteRecord", created.Undo.Calls[0].Action)
	// callOK is asked once more, and confirms with the token of that.
	deleted := by["DeleteRecord"]
	require.Equal(t, []string{guard.NotConfirmed, guard.NotConfirmed, guard.Done}, []string{deleted[0].Outcome, deleted[1].Outcome, deleted[2].Outcome})
	require.Equal(t, "token", deleted[2].ConfirmedBy)
	require.Equal(t, "CreateRecord", deleted[2].Undo.Calls[0].Action)
	require.Equal(t, guard.FailedCall, by["UpdateSiteAccessType"][0].Outcome)
	refused := by["CreateSite"][1]
	require.Equal(t, guard.Refused, refused.Outcome)
	require.Contains(t, refused.Guardrails, "site-plan")
	raw, err := os.ReadFile(path)
	require.NoError(t, err)
	require.NotContains(t, string(raw), "CANARY")
	info, err := os.Stat(path)
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o600), info.Mode().Perm())
}

func TestUndo(t *testing.T) {
	t.Parallel()
	s := startLocal(t)
	site := newSite(t, s, "shop.example", "NS")
	records := func() []tools.Record {
		return callOK[tools.ListRecordsOutput](t, s, "list_records", arguments{"site_id": site.ID}).Records
	}
	// Records: create, update, delete.
	made := callOK[tools.RecordOutput](t, s, "create_record", arguments{"site_id": site.ID, "name": "www", "type": "A", "value": "203.0.113.1", "proxied": true, "comment": "first"})
	first := last(t, s)
	callOK[tools.RecordOutput](t, s, "update_record", arguments{"record_id": made.ID, "value": "203.0.113.2", "ttl": 600})
	require.Contains(t, s.refuse(t, "undo_change", arguments{"change": first.Change}), "changed meanwhile")
	out := undo(t, s)
	require.Equal(t, []string{"UpdateRecord"}, out.Calls)
	require.Equal(t, "203.0.113.1", records()[0].Data.Value)
	require.EqualValues(t, made.TTL, records()[0].TTL)
	again := last(t, s)
	require.Equal(t, "undo_change", again.Tool)
	require.Contains(t, s.refuse(t, "undo_change", arguments{"change": out.Undone}), "undone already, by "+again.Change)
	callOK[tools.RecordOutput](t, s, "delete_record", arguments{"record_id": made.ID})
	require.Empty(t, records())
	require.Equal(t, "its id", undo(t, s).Lossy)
	require.Equal(t, "203.0.113.1", records()[0].Data.Value)
	require.True(t, records()[0].Proxied)
	require.Equal(t, "first", records()[0].Comment)

	// Rules.
	rule := callOK[tools.SetRuleOutput](t, s, "set_cache_rule", arguments{"site_id": site.ID, "name": "img", "rule": `(http.host eq "www.shop.example")`, "edge_cache_mode": "override_origin", "edge_cache_ttl": 60})
	callOK[tools.SetRuleOutput](t, s, "set_cache_rule", arguments{"site_id": site.ID, "rule_id": rule.Rule.ID, "edge_cache_ttl": 120})
	undo(t, s)
	rules := func() []tools.SettingsRule {
		return callOK[tools.ListSettingsOutput](t, s, "list_cache_rules", arguments{"site_id": site.ID}).Rules
	}
	require.Equal(t, "60", rules()[0].Settings["edge_cache_ttl"])
	callOK[tools.DeleteRuleOutput](t, s, "delete_cache_rule", arguments{"site_id": site.ID, "rule_id": rule.Rule.ID})
	undo(t, s)
	require.Equal(t, "60", rules()[0].Settings["edge_cache_ttl"])
	require.Equal(t, "img", rules()[0].Name)

	// Settings.
	callOK[tools.UpdateSiteOutput](t, s, "update_site", arguments{"site_id": site.ID, "paused": true})
	undo(t, s)
	require.False(t, callOK[tools.GetSiteOutput](t, s, "get_site", arguments{"site_id": site.ID, "details": true}).Details.Paused)
	require.Contains(t, s.refuse(t, "undo_change", arguments{"change": "nothing"}), "no change")
}

func TestUndoOfKeysAndDeployments(t *testing.T) {
	t.Parallel()
	s := startLocal(t)
	callOK[tools.CreateKVNamespaceOutput](t, s, "create_kv_namespace", arguments{"namespace": "ns"})
	get := func(key string) string {
		text, isError := s.try(t, t.Context(), "get_kv", arguments{"namespace": "ns", "key": key})
		if isError {
			return "none"
		}
		var out tools.GetKVOutput
		require.NoError(t, json.Unmarshal([]byte(text), &out))
		return out.Value
	}
	put := func(key, value string) {
		callOK[tools.PutKVOutput](t, s, "put_kv", arguments{"namespace": "ns", "key": key, "value": value})
	}
	put("k", `{"a": 1}`)
	put("k", "two")
	undo(t, s)
	require.Equal(t, `{"a": 1}`, get("k"), "byte for byte")
	put("new", "x")
	undo(t, s)
	require.Equal(t, "none", get("new"))
	callOK[tools.DeleteKVOutput](t, s, "delete_kv", arguments{"namespace": "ns", "key": "k"})
	undo(t, s)
	require.Equal(t, `{"a": 1}`, get("k"))
	callOK[tools.BatchPutKVOutput](t, s, "batch_put_kv", arguments{"namespace": "ns", "values": map[string]string{"k": "9", "m": "9"}})
	require.ElementsMatch(t, []string{"BatchPutKv", "BatchDeleteKv"}, undo(t, s).Calls)
	require.Equal(t, []string{`{"a": 1}`, "none"}, []string{get("k"), get("m")})
	put("k", "mine")
	change := last(t, s)
	put("k", "Mine")
	require.Contains(t, s.refuse(t, "undo_change", arguments{"change": change.Change}), "changed meanwhile")
	put("k", "theirs")
	text := s.refuse(t, "undo_change", arguments{"change": change.Change})
	require.Contains(t, text, `Value, then and now: ["mine","theirs"]`)
	require.Contains(t, s.refuse(t, "write_api", arguments{"action": "PutKv", "params": arguments{"Namespace": "ns", "Key": "a b", "Value": "x"}}), "Key")

	one := callOK[tools.DeployOutput](t, s, "deploy_html", arguments{"name": "page", "html": "one"})
	require.False(t, last(t, s).CanUndo)
	require.Contains(t, last(t, s).Why, "nothing was live in production before")
	callOK[tools.DeployOutput](t, s, "deploy_html", arguments{"name": "page", "html": "two"})
	undo(t, s)
	require.Equal(t, one.Version, callOK[tools.GetRoutineOutput](t, s, "get_routine", arguments{"name": "page"}).Live[1].Versions[0].Version)
}

// Values with characters that nobody sees come back as they were; those with a secret
// do not, and the log has neither.
func TestUndoOfUnseenText(t *testing.T) {
	t.Parallel()
	s := startLocal(t)
	callOK[tools.CreateKVNamespaceOutput](t, s, "create_kv_namespace", arguments{"namespace": "ns"})
	put := func(value string) {
		callOK[tools.PutKVOutput](t, s, "put_kv", arguments{"namespace": "ns", "key": "k", "value": value})
	}
	for _, before := range []string{"a\r\nb\r\n", "\U0001F468\u200d\U0001F469\u200d\U0001F467", "a\x1b[31mb", "\ufeffa", `{"a":"b\r\nc\u200d"}`, "replaced \ufffd"} {
		put(before)
		put("after")
		undo(t, s)
		require.Equal(t, before, callOK[tools.GetKVOutput](t, s, "get_kv", arguments{"namespace": "ns", "key": "k"}).Value)
	}
	put("{\"password\":\"hunter2\u200dhunter2\"}\r\n")
	put("after")
	require.Contains(t, s.refuse(t, "undo_change", arguments{"change": last(t, s).Change}), "a secret would be needed")
}

// Values that are not text come back byte for byte, and only if nobody has written
// another since.
func TestUndoOfBytes(t *testing.T) {
	t.Parallel()
	s := startLocal(t)
	callOK[tools.CreateKVNamespaceOutput](t, s, "create_kv_namespace", arguments{"namespace": "ns"})
	const zeros, ones = "AP8A/w==", "AQH/AQ==" // neither is text
	base64Of := func(text string) string { return base64.StdEncoding.EncodeToString([]byte(text)) }
	get := func() string {
		return callOK[tools.GetKVOutput](t, s, "get_kv", arguments{"namespace": "ns", "key": "k", "base64": true}).Value
	}
	put := func(value string, encoded bool) {
		callOK[tools.PutKVOutput](t, s, "put_kv", arguments{"namespace": "ns", "key": "k", "value": value, "base64": encoded})
	}
	put("one", false)
	for _, c := range []struct{ before, after string }{
		{base64Of("one"), zeros}, {zeros, ones}, {ones, base64Of("two")}, {base64Of("two"), base64Of("a \ufffd")},
	} {
		put(c.before, true)
		put(c.after, true)
		change := last(t, s)
		put(base64Of("another"), true)
		require.Contains(t, s.refuse(t, "undo_change", arguments{"change": change.Change}), "changed meanwhile", c)
		put(c.after, true)
		undo(t, s) // of that
		require.Equal(t, base64Of("another"), get(), c)
		put(c.before, true)
		put(c.after, true)
		undo(t, s)
		require.Equal(t, c.before, get(), c)
	}
	put(zeros, true)
	put("text", false)
	undo(t, s)
	require.Equal(t, zeros, get(), "a text that replaced bytes")
	callOK[tools.DeleteKVOutput](t, s, "delete_kv", arguments{"namespace": "ns", "key": "k"})
	undo(t, s)
	require.Equal(t, zeros, get())
	callOK[tools.BatchPutKVOutput](t, s, "batch_put_kv", arguments{"namespace": "ns", "values": map[string]string{"k": "9", "m": "9"}})
	undo(t, s)
	require.Equal(t, zeros, get())
}

// A value that was stored by upload is known by its digest: it is taken back only
// while the key has it.
func TestUndoOfLargeValues(t *testing.T) {
	t.Parallel()
	s := startLocal(t)
	callOK[tools.CreateKVNamespaceOutput](t, s, "create_kv_namespace", arguments{"namespace": "ns"})
	put := func(value string) {
		callOK[tools.PutKVOutput](t, s, "put_kv", arguments{"namespace": "ns", "key": "k", "value": value})
	}
	large := strings.Repeat("large ", 400_000)
	put("small")
	put(large)
	change := last(t, s)
	require.Equal(t, "PutKvWithHighCapacity", change.Action)
	put("another")
	require.Contains(t, s.refuse(t, "undo_change", arguments{"change": change.Change}), "changed meanwhile")
	put("small")
	put(large)
	undo(t, s)
	require.Equal(t, "small", callOK[tools.GetKVOutput](t, s, "get_kv", arguments{"namespace": "ns", "key": "k"}).Value)
}

// TestUndoGoesOn: a change that takes several calls to take back is not taken back
// before the last of them, and a further try sends only those that are left, from
// another process, too.
func TestUndoGoesOn(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	path := filepath.Join(t.TempDir(), "audit.jsonl")
	fresh := func() *server { return start(t, r.env, "--toolsets", "all", "--audit-log", path) }
	refusing := func(refused string, after int) {
		var n atomic.Int32
		r.set(func(w http.ResponseWriter, q *http.Request) bool {
			return action(q) == refused && n.Add(1) > int32(after) && refuseAPI(w, http.StatusForbidden, "NoPermission", "not now")
		})
	}
	s := fresh()
	callOK[tools.CreateKVNamespaceOutput](t, s, "create_kv_namespace", arguments{"namespace": "ns"})
	callOK[tools.PutKVOutput](t, s, "put_kv", arguments{"namespace": "ns", "key": "k", "value": "old"})
	callOK[tools.BatchPutKVOutput](t, s, "batch_put_kv", arguments{"namespace": "ns", "values": map[string]string{"k": "9", "m": "9"}})
	site := newSite(t, s, "shop.example", "NS")
	var records []arguments
	for _, name := range []string{"a", "b", "c"} {
		records = append(records, arguments{"name": name, "type": "A", "value": "203.0.113.1"})
	}
	callOK[tools.BatchCreateOutput](t, s, "batch_create_records", arguments{"site_id": site.ID, "records": records})
	changes := map[string]string{}
	for _, c := range callOK[tools.UndoChangeOutput](t, s, "undo_change", arguments{}).Changes {
		changes[c.Action] = c.Change
	}
	for _, tt := range []struct {
		made, refused string
		after         int
		rest          []string
	}{
		{"BatchPutKv", "BatchDeleteKv", 0, []string{"BatchDeleteKv"}},
		{"BatchCreateRecords", "DeleteRecord", 1, []string{"DeleteRecord", "DeleteRecord"}},
	} {
		this := arguments{"change": changes[tt.made]}
		refusing(tt.refused, tt.after)
		text, isError := s.agree(t, "undo_change", this)
		require.True(t, isError, text)
		require.Contains(t, text, "undo_change with change "+changes[tt.made]+" goes on")
		r.set(nil)
		s = fresh()
		out := callOK[tools.UndoChangeOutput](t, s, "undo_change", this)
		require.Equal(t, tt.rest, out.Calls)
		require.Contains(t, s.refuse(t, "undo_change", this), "undone already")
	}
	require.Equal(t, "old", callOK[tools.GetKVOutput](t, s, "get_kv", arguments{"namespace": "ns", "key": "k"}).Value)
	require.Contains(t, s.refuse(t, "get_kv", arguments{"namespace": "ns", "key": "m"}), "m")
	require.Empty(t, callOK[tools.ListRecordsOutput](t, s, "list_records", arguments{"site_id": site.ID}).Records)
}

// TestUndoWithoutAnAnswer: what takes a change back is carried out, and its answer is
// lost. The next try finds that it is so already, and sends nothing.
func TestUndoWithoutAnAnswer(t *testing.T) {
	t.Parallel()
	f := newRemoteField(t)
	lose := func(name, action, how string) {
		t.Helper()
		change := last(t, f.s).Change
		f.faults("action=" + action + " " + how)
		text, isError := f.s.agree(t, "undo_change", arguments{"change": change})
		require.True(t, isError, "%s: %s", name, text)
		f.faults("")
		out := callOK[tools.UndoChangeOutput](t, f.s, "undo_change", arguments{"change": change})
		require.Equal(t, change, out.Undone, name)
		require.Empty(t, out.Calls, name)
		require.Contains(t, out.Notes[0].Text, "It was already so without "+action, name)
	}
	record := func(ttl int) tools.RecordOutput {
		return callOK[tools.RecordOutput](t, f.s, "create_record", arguments{"site_name": "drill.example", "name": fmt.Sprint("r", ttl), "type": "TXT", "value": "x", "ttl": ttl})
	}
	const soon = "code=NoPermission when=after count=1" // is not tried again
	record(60)
	lose("a new record", "DeleteRecord", soon)
	kept := record(120)
	callOK[tools.RecordOutput](t, f.s, "update_record", arguments{"record_id": kept.ID, "ttl": 600})
	lose("an update", "UpdateRecord", soon)
	require.Equal(t, 1, f.exported("r120.drill.example"))
	require.Zero(t, f.exported("r60.drill.example"))
	callOK[tools.SetRuleOutput](t, f.s, "set_cache_rule", arguments{"site_name": "drill.example", "name": "img", "rule": "(ssl)", "edge_cache_mode": "no_cache"})
	lose("a rule", "DeleteCacheRule", soon)
	f.do("put_kv", arguments{"namespace": "drill", "key": "k", "value": "v"})
	lose("a key", "DeleteKv", "drop=after count=9")

	// What somebody else changed is still in the way.
	callOK[tools.RecordOutput](t, f.s, "update_record", arguments{"record_id": kept.ID, "ttl": 900})
	change := last(t, f.s).Change
	callOK[tools.RecordOutput](t, f.s, "update_record", arguments{"record_id": kept.ID, "ttl": 1200})
	require.Contains(t, f.s.refuse(t, "undo_change", arguments{"change": change}), "changed meanwhile")
}

// Another process takes a change back from the log alone.
func TestUndoFromTheLog(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path, state := filepath.Join(dir, "audit.jsonl"), filepath.Join(dir, "state")
	env := environment("ESA_MCP_LOCAL=true", "ESA_MCP_LOCAL_DIR="+state, "ESA_MCP_AUDIT_LOG="+path)
	for _, args := range [][]string{{"create_kv_namespace", "namespace=ns"}, {"put_kv", "namespace=ns", "key=k", "value=one"}, {"put_kv", "namespace=ns", "key=k", "value=two"}} {
		code, _, log := shell(t, env, append([]string{"call"}, args...)...)
		require.Equal(t, 0, code, log)
	}
	all := logged(t, path)
	id := all[len(all)-1].ID
	code, out, log := shell(t, env, "call", "undo_change", "change="+id)
	require.Equal(t, 0, code, log)
	require.Contains(t, out, id)
	code, out, log = shell(t, env, "call", "get_kv", "namespace=ns", "key=k")
	require.Equal(t, 0, code, log)
	require.Contains(t, out, `"one"`)
	code, _, log = shell(t, env, "call", "undo_change", "change="+id)
	require.Equal(t, 1, code)
	require.Contains(t, log, "undone already")
	code, _, log = shell(t, environment("ESA_MCP_LOCAL=true", "ESA_MCP_LOCAL_DIR="+state), "call", "list_kv", "namespace=ns", "--audit-log", filepath.Join(dir, "no", "such", "folder"))
	require.NotEqual(t, 0, code)
	require.True(t, strings.Contains(log, "audit log"), log)
}
