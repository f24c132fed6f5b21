package main

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/esa-mcp/esa-mcp/internal/esa"
)

// staleReads has every read of KV see what was half a minute ago.
const staleReads = "stale=30s"

// space makes a namespace with pairs that every read shows, and then has reads
// lag.
func (f *field) space(pairs arguments) {
	f.t.Helper()
	f.do("create_kv_namespace", arguments{"namespace": "ns"})
	f.faults(staleReads)
	if len(pairs) > 0 {
		f.do("batch_put_kv", arguments{"namespace": "ns", "values": pairs})
	}
	f.clock.pass(6 * time.Minute) // the service allows clocks to differ by a quarter of an hour
}

// pairs are those that there are in truth.
func (f *field) pairs() map[string]string {
	f.t.Helper()
	out := map[string]string{}
	rows, err := f.state.db.Query(`SELECT key, CAST(value AS TEXT) FROM kv_pairs WHERE expires IS NULL OR expires > ?`, f.clock.Now().Unix())
	require.NoError(f.t, err)
	defer rows.Close()
	for rows.Next() {
		var key, value string
		require.NoError(f.t, rows.Scan(&key, &value))
		out[key] = value
	}
	require.NoError(f.t, rows.Err())
	return out
}

// lastChange is the id of the change that was made last.
func (f *field) lastChange() string {
	f.t.Helper()
	all, err := f.deps.Journal.Recent(1)
	require.NoError(f.t, err)
	return all[0].ID
}

func (f *field) put(key, value string) string {
	f.t.Helper()
	f.do("put_kv", arguments{"namespace": "ns", "key": key, "value": value})
	return f.lastChange()
}

func (f *field) refused(tool string, args arguments, want string) {
	f.t.Helper()
	text, isError := f.call(f.t.Context(), tool, args)
	require.True(f.t, isError, text)
	require.Contains(f.t, text, want)
}

// somebodyElse is a client that these tools know nothing of.
func (f *field) somebodyElse() esa.Caller { return f.deps.Upload.(esa.Caller) }

// TestStaleReadDrills changes pairs and takes it back while reads show what was.
func TestStaleReadDrills(t *testing.T) {
	undo := func(f *field, change string) { f.do("undo_change", arguments{"change": change}) }
	for _, c := range []struct {
		name string
		run  func(f *field)
		want map[string]string
	}{
		{"each back in turn", func(f *field) {
			changes := []string{f.put("k", "1"), f.put("k", "2"), f.put("k", "3")}
			for _, change := range slices.Backward(changes) {
				undo(f, change)
			}
		}, map[string]string{"a": "0", "b": "0"}},
		{"not the one before", func(f *field) {
			first := f.put("a", "1")
			f.put("a", "2")
			f.refused("undo_change", arguments{"change": first}, "changed meanwhile")
		}, map[string]string{"a": "2", "b": "0"}},
		{"deleted", func(f *field) {
			f.put("a", "1")
			f.do("delete_kv", arguments{"namespace": "ns", "key": "a"})
			undo(f, f.lastChange())
		}, map[string]string{"a": "1", "b": "0"}},
		{"a batch", func(f *field) {
			f.put("a", "1")
			f.do("batch_put_kv", arguments{"namespace": "ns", "values": arguments{"a": "2", "c": "2"}})
			undo(f, f.lastChange())
		}, map[string]string{"a": "1", "b": "0"}},
		{"a batch deleted", func(f *field) {
			f.put("a", "1")
			f.do("batch_delete_kv", arguments{"namespace": "ns", "keys": []string{"a", "b"}})
			undo(f, f.lastChange())
		}, map[string]string{"a": "1", "b": "0"}},
		{"by a new process", func(f *field) {
			first := f.put("a", "1")
			f.put("a", "2")
			f.save()
			f.restore()
			f.refused("undo_change", arguments{"change": first}, "changed meanwhile")
			undo(f, f.put("a", "3"))
		}, map[string]string{"a": "2", "b": "0"}},
		{"after an unknown outcome", func(f *field) {
			f.faults(staleReads + "\naction=PutKv drop=after count=9")
			f.refused("put_kv", arguments{"namespace": "ns", "key": "a", "value": "1"}, "may have been carried out")
			f.faults(staleReads)
			f.refused("undo_change", arguments{"change": f.put("a", "2")}, "reads of edge KV may be older")
		}, map[string]string{"a": "2", "b": "0"}},
		{"taken back in two tries", func(f *field) {
			change := f.put("a", "1")
			for _, drop := range []string{"before", "after"} {
				f.faults(staleReads + "\naction=PutKv count=9 drop=" + drop)
				f.refused("undo_change", arguments{"change": change}, "may have been carried out")
			}
			f.faults(staleReads)
			undo(f, change)
		}, map[string]string{"a": "0", "b": "0"}},
		{"after an import", func(f *field) {
			f.do("import_kv", arguments{"namespace": "ns", "path": writeFile(f, f.t.TempDir(), "in.json", `{"a":"1","c":"1"}`)})
			undo(f, f.put("a", "2"))
		}, map[string]string{"a": "1", "b": "0", "c": "1"}},
		{"of what expired", func(f *field) {
			f.do("put_kv", arguments{"namespace": "ns", "key": "a", "value": "1", "ttl_seconds": 60})
			f.clock.pass(100 * time.Second)
			undo(f, f.put("a", "2"))
		}, map[string]string{"b": "0"}},
		{"of somebody else", func(f *field) {
			change := f.put("a", "1")
			_, err := f.somebodyElse().Call(f.t.Context(), "PutKv", esa.Params{"Namespace": "ns", "Key": "a", "Value": "2"})
			require.NoError(f.t, err)
			f.clock.pass(31 * time.Second)
			f.refused("undo_change", arguments{"change": change}, "try again after")
		}, map[string]string{"a": "2", "b": "0"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			f := newField(t)
			f.space(arguments{"a": "0", "b": "0"})
			c.run(f)
			require.Equal(t, c.want, f.pairs())
		})
	}
}

// TestStaleReadsAreSaid reads what was written just now, and is told that it is
// older.
func TestStaleReadsAreSaid(t *testing.T) {
	t.Parallel()
	f := newField(t)
	f.space(arguments{"a": "0", "b": "0"})
	get := func(key string) string {
		text, _ := f.call(t.Context(), "get_kv", arguments{"namespace": "ns", "key": key})
		return text
	}
	list := func() string {
		text, _ := f.call(t.Context(), "list_kv", arguments{"namespace": "ns"})
		return text
	}
	require.NotContains(t, get("a")+list(), "5 minutes")
	f.put("a", "1")
	f.put("new", "1")
	f.do("delete_kv", arguments{"namespace": "ns", "key": "b"})
	require.Contains(t, get("a"), "written 0 s ago with another value")
	require.Contains(t, get("new"), "written 0 s ago with another value")
	require.Contains(t, get("b"), "deleted 0 s ago")
	require.Contains(t, list(), "not in it: new.")
	require.Contains(t, list(), "still in it: b.")
	text, isError := f.call(t.Context(), "export_kv", arguments{"namespace": "ns", "path": t.TempDir() + "/out.jsonl"})
	require.False(t, isError, text)
	require.Contains(t, text, "The list lags")
	f.clock.pass(31 * time.Second)
	require.NotContains(t, get("a")+get("new")+list(), "5 minutes")
}

// TestStaleReadsAsk has a deletion confirmed that a read shows nothing of.
func TestStaleReadsAsk(t *testing.T) {
	t.Parallel()
	f := newField(t)
	f.space(nil)
	f.put("a", "1")
	f.deps.Confirmed = false
	text, _ := f.call(t.Context(), "delete_kv", arguments{"namespace": "ns", "key": "a"})
	require.Equal(t, map[string]string{"a": "1"}, f.pairs(), text)
}

// TestStaleWalk changes and undoes at random while reads lag. What an undo says is
// true: it brings back what was, or it changes nothing, and that only if the pairs
// were changed since.
func TestStaleWalk(t *testing.T) {
	type change struct {
		id            string
		before, after map[string]string
	}
	for seed := range uint64(4) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			f := newField(t)
			f.space(nil)
			r := rand.New(rand.NewPCG(seed, 0))
			var all []change
			names := []string{"a", "b", "c"}
			for step := range 60 {
				before := f.pairs()
				key, value := names[r.IntN(len(names))], fmt.Sprint(r.IntN(3))
				touched := []string{key}
				switch n := r.IntN(10); {
				case n < 4:
					f.put(key, value)
				case n < 5:
					touched = names[:2]
					f.do("batch_put_kv", arguments{"namespace": "ns", "values": arguments{"a": value, "b": value}})
				case n < 6:
					if f.do("delete_kv", arguments{"namespace": "ns", "key": key})["deleted"] == false {
						continue
					}
				case len(all) > 0:
					c := all[max(0, len(all)-1-r.IntN(3))]
					text, isError := f.call(t.Context(), "undo_change", arguments{"change": c.id})
					now, want := f.pairs(), maps.Clone(before)
					untouched := true
					for k := range c.after {
						untouched = untouched && before[k] == c.after[k]
						if delete(want, k); c.before[k] != "" {
							want[k] = c.before[k]
						}
					}
					if isError {
						require.Equal(t, before, now, text)
						require.True(t, !untouched || c.id == "", "step %d: %s", step, text)
						continue
					}
					require.True(t, untouched, "step %d: %s", step, text)
					require.Equal(t, want, now, "step %d: %s", step, text)
					all = slices.DeleteFunc(all, func(o change) bool { return o.id == c.id })
					continue
				default:
					continue
				}
				f.clock.pass(time.Duration(r.IntN(12)) * time.Second)
				c := change{f.lastChange(), map[string]string{}, map[string]string{}}
				now := f.pairs()
				for _, k := range touched {
					c.before[k], c.after[k] = before[k], now[k]
				}
				all = append(all, c)
			}
		})
	}
}
