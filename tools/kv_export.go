package tools

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// ExportKVInput are the arguments of export_kv.
type ExportKVInput struct {
	Namespace string `json:"namespace" jsonschema:"minLength=1" jsonschema_description:"KV namespace"`
	Path      string `json:"path" jsonschema:"minLength=1" jsonschema_description:"File or folder to write"`
	Format    string `json:"format,omitempty" jsonschema:"enum=jsonl,enum=json,enum=folder" jsonschema_description:"Default by path"`
	Prefix    string `json:"prefix,omitempty" jsonschema_description:"Only keys that begin with this"`
	Overwrite bool   `json:"overwrite,omitempty" jsonschema_description:"Replace what is at path"`
	StateFile string `json:"state_file,omitempty" jsonschema_description:"Default PATH.export-state.json"`
	Restart   bool   `json:"restart,omitempty" jsonschema_description:"Forget an unfinished run"`
}

// ExportKVOutput is the result of export_kv.
type ExportKVOutput struct {
	Noted
	Namespace string        `json:"namespace"`
	Path      string        `json:"path"`
	Format    string        `json:"format"`
	Exported  int64         `json:"exported" jsonschema_description:"Keys written, by all runs"`
	Gone      int64         `json:"gone,omitempty" jsonschema_description:"Keys that disappeared while the export ran"`
	Missed    int64         `json:"missed,omitempty" jsonschema_description:"Keys that exist and could not be listed"`
	NoExpiry  int64         `json:"without_expiry,omitempty" jsonschema_description:"Keys whose expiry this format cannot hold"`
	Failed    []KVFailedKey `json:"failed,omitempty" jsonschema_description:"Keys that this format cannot hold, the first 50"`
	FailCount int64         `json:"failed_count,omitempty"`
	Resumed   int64         `json:"resumed_after,omitempty" jsonschema_description:"Keys that an earlier run had written"`
	Seconds   float64       `json:"seconds" jsonschema_description:"Time of this run"`
}

func exportKVTool() Tool {
	return Define(Meta{
		Name:    "export_kv",
		Title:   "Export KV to files",
		Toolset: "kv",
		Description: "Writes the keys, values and expiry of an edge KV namespace to a file or folder that import_kv reads. " +
			"Repeat the call to resume one that was cut off.",
		Calls:    []string{"ListKvs", "GetKvDetail", "GetKv"},
		ReadOnly: No, Destructive: No, Idempotent: Yes, OpenWorld: Yes,
	}, exportKV)
}

func exportKV(ctx context.Context, d *Deps, in ExportKVInput) (out ExportKVOutput, err error) {
	began := d.Now()
	path, err := absolutePath(in.Path)
	if err != nil {
		return out, err
	}
	statePath := path + ".export-state.json"
	if in.StateFile != "" {
		if statePath, err = absolutePath(in.StateFile); err != nil {
			return out, err
		}
	}
	release, err := d.Locks.Lock(ctx, "kv export "+statePath)
	if err != nil {
		return out, err
	}
	defer release()
	x := &kvExport{d: d, out: &out, statePath: statePath, noted: map[string]bool{}}
	want := kvExportState{Namespace: in.Namespace, Path: path, Format: exportFormat(path, in.Format), Prefix: in.Prefix, Todo: []string{in.Prefix}}
	if err := x.open(ctx, want, in.Restart, in.Overwrite); err != nil {
		return out, err
	}
	out.Namespace, out.Path, out.Format, out.Resumed = in.Namespace, path, want.Format, x.state.Exported
	err = x.run(ctx)
	if closing := x.finish(err == nil); err == nil {
		err = closing
	}
	s := &x.state
	out.Exported, out.Gone, out.Missed, out.NoExpiry, out.FailCount = s.Exported, s.Gone, s.Missed, s.NoExpiry, s.Failed
	out.Seconds = d.Now().Sub(began).Round(time.Millisecond).Seconds()
	if err != nil {
		return out, Refuse("The export stopped after %d keys: %w. Call export_kv again with the same arguments to go on from there (%s keeps the place).",
			s.Exported, kvError(err, in.Namespace, ""), statePath)
	}
	return out, nil
}

func exportFormat(path, format string) string {
	if format != "" {
		return format
	}
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		return kvFolder
	}
	if strings.HasSuffix(strings.ToLower(path), ".json") {
		return kvObject
	}
	return kvLines
}

// kvExportState is what a later run needs to go on.
type kvExportState struct {
	Namespace string `json:"namespace"`
	Path      string `json:"path"`
	Format    string `json:"format"`
	Prefix    string `json:"prefix,omitempty"`
	// Todo are the prefixes whose keys are still to be written, the next one last;
	// Page is how many of its pages are.
	Todo     []string `json:"todo"`
	Page     int      `json:"page"`
	Bytes    int64    `json:"bytes"` // of the file
	Exported int64    `json:"exported"`
	Gone     int64    `json:"gone"`
	Missed   int64    `json:"missed"`
	NoExpiry int64    `json:"without_expiry"`
	Failed   int64    `json:"failed"`
}

// kvExport is one run of export_kv.
type kvExport struct {
	d         *Deps
	out       *ExportKVOutput
	statePath string
	state     kvExportState
	file      *os.File // nil for a folder
	total     int
	noted     map[string]bool
}

func (x *kvExport) note(n Noted) {
	for _, note := range n.Notes {
		if !x.noted[note.ID] {
			x.noted[note.ID] = true
			x.out.Note(note)
		}
	}
}

// open begins anew or goes on with what the state file tells of.
func (x *kvExport) open(ctx context.Context, want kvExportState, restart, overwrite bool) error {
	var old kvExportState
	found := false
	var err error
	if !restart {
		if found, err = loadState(x.statePath, &old); err != nil {
			return err
		}
	}
	if found && (old.Namespace != want.Namespace || old.Path != want.Path || old.Format != want.Format || old.Prefix != want.Prefix) {
		return Refuse("%s is of another export (other namespace, path, format or prefix). Give restart true to begin anew, or another state_file.", x.statePath)
	}
	x.state = want
	if found {
		x.state = old
	} else if err := x.clear(overwrite || restart && exists(x.statePath)); err != nil {
		return err
	}
	// Before anything is written: is the namespace there?
	if x.total, _, err = x.list(ctx, want.Prefix, 1, 1); err != nil {
		return kvError(err, want.Namespace, "")
	}
	if want.Format == kvFolder {
		if err := os.MkdirAll(want.Path, 0o755); err != nil {
			return Refuse("The folder cannot be made: %v.", err)
		}
	} else if x.file, err = cutFile(want.Path, x.state.Bytes); err != nil {
		return Refuse("The file cannot be written: %v.", err)
	}
	if err := saveState(x.statePath, x.state); err != nil {
		return Refuse("%v. Give state_file a place that can be written.", err)
	}
	return nil
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// clear refuses to write over something, unless that is wanted.
func (x *kvExport) clear(overwrite bool) error {
	path := x.state.Path
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return nil // not there; or it cannot be written, which shows soon
	case info.IsDir() != (x.state.Format == kvFolder):
		return Refuse("path %s and format %q do not fit: %q is for folders alone.", path, x.state.Format, kvFolder)
	case overwrite:
		return nil
	case info.IsDir():
		names, err := filepath.Glob(filepath.Join(path, "*"))
		if err == nil && len(names) > 0 {
			return Refuse("The folder %s is not empty: choose another, or give overwrite true.", path)
		}
		return nil
	}
	return Refuse("%s exists already: choose another path, or give overwrite true.", path)
}

// finish closes the file and removes the state that is of no use any more.
func (x *kvExport) finish(complete bool) error {
	var err error
	if x.file != nil {
		if complete && x.state.Format == kvObject {
			end := "\n}\n"
			if x.state.Bytes == 0 {
				end = "{}\n"
			}
			_, err = x.file.WriteString(end)
		}
		err = errors.Join(err, x.file.Close())
	}
	if err == nil && complete {
		err = dropState(x.statePath)
	}
	return err
}

// list asks for one page of keys and the number of all of them.
func (x *kvExport) list(ctx context.Context, prefix string, page, size int) (int, []string, error) {
	var notes Noted
	answer, err := invoke[listKVAnswer](ctx, x.d, &notes, "ListKvs", listKVParams(x.state.Namespace, prefix, page, size))
	if err != nil {
		return 0, nil, fmt.Errorf("list the keys that begin with %q: %w", prefix, err)
	}
	x.note(notes)
	keys := make([]string, len(answer.Keys))
	for i, k := range answer.Keys {
		keys[i] = k.Name
	}
	return answer.TotalCount, keys, nil
}
