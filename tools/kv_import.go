package tools

import (
	"context"
	"time"
)

// ImportKVInput are the arguments of import_kv.
type ImportKVInput struct {
	Namespace string `json:"namespace" jsonschema:"minLength=1" jsonschema_description:"KV namespace"`
	Path      string `json:"path" jsonschema:"minLength=1" jsonschema_description:"Local file or folder"`
	Format    string `json:"format,omitempty" jsonschema:"enum=jsonl,enum=json,enum=folder" jsonschema_description:"Default by path; json is one object"`
	KeyPrefix string `json:"key_prefix,omitempty" jsonschema_description:"Put before each key"`
	StateFile string `json:"state_file,omitempty" jsonschema_description:"Default PATH.import-state.json"`
	Restart   bool   `json:"restart,omitempty" jsonschema_description:"Forget an unfinished run"`
}

// ImportKVOutput is the result of import_kv.
type ImportKVOutput struct {
	Noted
	Namespace   string        `json:"namespace"`
	Format      string        `json:"format"`
	Rows        int64         `json:"rows" jsonschema_description:"Pairs in the source"`
	Stored      int64         `json:"stored" jsonschema_description:"Pairs that the service confirmed, of all runs"`
	Replaced    int64         `json:"replaced,omitempty" jsonschema_description:"Pairs that a later one with the same key made needless"`
	FailedCount int64         `json:"failed_count,omitempty"`
	Failed      []KVFailedKey `json:"failed,omitempty" jsonschema_description:"Some of this run's"`
	FailedFile  string        `json:"failed_file,omitempty" jsonschema_description:"All failed rows, ready to be imported again"`
	Resumed     int64         `json:"resumed_after,omitempty" jsonschema_description:"Rows that an earlier run had done"`
	Seconds     float64       `json:"seconds" jsonschema_description:"Time of this run"`
}

func importKVTool() Tool {
	return Define(Meta{
		Name:    "import_kv",
		Title:   "Import KV from files",
		Toolset: "kv",
		Description: "Stores the pairs of a file in edge KV: JSON Lines {key, value, ttl_seconds?, expires_at?, base64?}, a JSON object, or a folder (a/b.txt becomes key a:b.txt). " +
			"For millions of keys; repeat the call to resume one that was cut off.",
		Calls:    []string{"BatchPutKv", "BatchPutKvWithHighCapacity", "PutKv", "GetKvNamespace"},
		ReadOnly: No, Destructive: Yes, Idempotent: Yes, OpenWorld: Yes,
	}, importKV)
}

func importKV(ctx context.Context, d *Deps, in ImportKVInput) (out ImportKVOutput, err error) {
	began := d.Now()
	path, err := absolutePath(in.Path)
	if err != nil {
		return out, err
	}
	statePath := path + ".import-state.json"
	if in.StateFile != "" {
		if statePath, err = absolutePath(in.StateFile); err != nil {
			return out, err
		}
	}
	release, err := d.Locks.Lock(ctx, "kv import "+statePath)
	if err != nil {
		return out, err
	}
	defer release()
	source, format, err := openKVSource(path, in.Format, began)
	if err != nil {
		return out, err
	}
	defer source.close()
	// A namespace that is not there would fail each batch.
	if _, err := invoke[struct{}](ctx, d, &out.Noted, "GetKvNamespace", map[string]any{"Namespace": in.Namespace}); err != nil {
		return out, kvError(err, in.Namespace, "")
	}
	want := kvImportState{Namespace: in.Namespace, Source: path, Format: format, KeyPrefix: in.KeyPrefix, Print: source.print()}
	r := &kvImport{d: d, source: source, prefix: in.KeyPrefix, statePath: statePath, failedPath: path + ".failed.jsonl", out: &out}
	if err := r.open(want, in.Restart); err != nil {
		return out, err
	}
	out.Namespace, out.Format, out.Resumed = in.Namespace, format, r.state.Rows
	err = r.run(ctx)
	if closing := r.finish(err == nil); err == nil {
		err = closing
	}
	s := &r.state
	out.Rows, out.Stored, out.Replaced, out.FailedCount = s.Stored+s.Replaced+s.Failed, s.Stored, s.Replaced, s.Failed
	if s.Failed > 0 {
		out.FailedFile = r.failedPath
	}
	out.Seconds = d.Now().Sub(began).Round(time.Millisecond).Seconds()
	if err != nil {
		return out, Refuse("The import stopped after %d stored and %d failed rows: %w. Call import_kv again with the same arguments to go on from there (%s keeps the place).",
			s.Stored, s.Failed, kvError(err, in.Namespace, ""), statePath)
	}
	return out, nil
}

// kvImportState is what a later run needs to go on.
type kvImportState struct {
	Namespace string `json:"namespace"`
	Source    string `json:"source"`
	Format    string `json:"format"`
	KeyPrefix string `json:"key_prefix,omitempty"`
	Print     string `json:"print"` // of the source
	// Rows are done from the first on; Ahead are batches done behind a gap.
	Rows        int64     `json:"rows"`
	Ahead       []kvRange `json:"ahead,omitempty"`
	Stored      int64     `json:"stored"`
	Replaced    int64     `json:"replaced"`
	Failed      int64     `json:"failed"`
	FailedBytes int64     `json:"failed_bytes"` // of the file of failed rows
}

type kvRange struct {
	Start int64 `json:"start"`
	Rows  int64 `json:"rows"`
}

// same reports whether two states are of the same work.
func (s kvImportState) same(other kvImportState) bool {
	return s.Namespace == other.Namespace && s.Source == other.Source && s.Format == other.Format &&
		s.KeyPrefix == other.KeyPrefix && s.Print == other.Print
}

// done notes a batch.
func (s *kvImportState) done(r kvRange) {
	s.Ahead = append(s.Ahead, r)
	for moved := true; moved; {
		moved = false
		for i, a := range s.Ahead {
			if a.Start == s.Rows {
				s.Rows += a.Rows
				s.Ahead = append(s.Ahead[:i], s.Ahead[i+1:]...)
				moved = true
				break
			}
		}
	}
}

func (s *kvImportState) has(r kvRange) bool {
	for _, a := range s.Ahead {
		if a == r {
			return true
		}
	}
	return false
}
