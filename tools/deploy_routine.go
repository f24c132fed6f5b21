package tools

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"

	"github.com/esa-mcp/esa-mcp/internal/esa"
	"github.com/esa-mcp/esa-mcp/internal/pages"
)

// DeployRoutineInput are the arguments of deploy_routine.
type DeployRoutineInput struct {
	Name        string `json:"name" jsonschema_description:"Routine name; made if there is none"`
	Entry       string `json:"entry,omitempty" jsonschema_description:"File, absolute path; or give code"`
	Code        string `json:"code,omitempty" jsonschema_description:"Source text"`
	Environment string `json:"environment,omitempty" jsonschema:"enum=staging,enum=production,enum=both,default=both" jsonschema_description:"both: staging first"`
	Description string `json:"description,omitempty" jsonschema:"maxLength=200" jsonschema_description:"Of the version"`
	Force       bool   `json:"force,omitempty" jsonschema_description:"Also unchanged, or over static files"`
}

func deployRoutine() Tool {
	return Define(Meta{
		Name: "deploy_routine", Title: "Deploy an edge function", Toolset: "routines",
		Description: "Put JavaScript or TypeScript live as an edge function (export default {fetch(request, context, env)}): bundled, and checked for what ESA lacks. For static files use deploy_pages.",
		Calls:       scriptCalls(),
		ReadOnly:    No, Destructive: No, Idempotent: Yes, OpenWorld: Yes,
	}, func(ctx context.Context, d *Deps, in DeployRoutineInput) (DeployOutput, error) {
		if err := checkName(in.Name); err != nil {
			return DeployOutput{}, err
		}
		script, notes, err := in.bundle(ctx)
		if err != nil {
			return DeployOutput{}, err
		}
		p := plan{name: in.Name, description: in.Description, environment: in.Environment, percentage: 100, force: in.Force}
		if p.environment == "" {
			p.environment = both
		}
		out, err := p.deployScript(ctx, d, script.Code)
		if err != nil {
			return DeployOutput{}, err
		}
		out.Note(notes...)
		return out, nil
	})
}

// bundle makes one script of the sources and says what is doubtful in them.
func (in DeployRoutineInput) bundle(ctx context.Context) (*pages.Script, []esa.Note, error) {
	entry := in.Entry
	switch {
	case in.Entry != "" && in.Code != "":
		return nil, nil, Refuse("Both entry and code are given: give one.")
	case in.Entry == "" && in.Code == "":
		return nil, nil, Refuse("Neither entry nor code is given: give the path of the function's file as entry, or its source as code.")
	case in.Code != "":
		dir, err := os.MkdirTemp("", "esa-routine-")
		if err != nil {
			return nil, nil, fmt.Errorf("make a folder for the code: %w", err)
		}
		defer os.RemoveAll(dir)
		entry = filepath.Join(dir, "code.ts") // JavaScript is TypeScript too
		if err := os.WriteFile(entry, []byte(in.Code), 0o600); err != nil {
			return nil, nil, fmt.Errorf("write the code: %w", err)
		}
	default:
		if info, err := os.Stat(entry); err != nil {
			return nil, nil, pathError(entry, err)
		} else if info.IsDir() {
			return nil, nil, Refuse("entry %s is a folder: give the function's file, or deploy the folder with deploy_pages.", entry)
		}
	}
	Progress(ctx, 2, 100, "bundling "+filepath.Base(entry))
	script, err := pages.Bundle(ctx, entry, pages.BundleOptions{})
	if err != nil {
		return nil, nil, about(err)
	}
	var notes []esa.Note
	for _, w := range script.Warnings {
		notes = append(notes, esa.Note{ID: "bundle", Text: w})
	}
	return script, append(notes, lintNotes(script, filepath.Dir(entry))...), nil
}

// deployScript brings a script live and says what is where; it is what deploy is
// for folders.
func (p plan) deployScript(ctx context.Context, d *Deps, code []byte) (DeployOutput, error) {
	r, before, exists, release, err := p.begin(ctx, d)
	if err != nil {
		return DeployOutput{}, err
	}
	defer release()
	if !exists {
		if err := r.create(ctx, false); err != nil {
			return DeployOutput{}, err
		}
	} else if !p.force {
		served, err := r.served(ctx, before)
		if err != nil {
			return DeployOutput{}, err
		}
		if served.HasAssets {
			return DeployOutput{}, Refuse("%s is a Pages site: version %s has static files, which a function alone would take offline. Deploy folder and function together with deploy_pages, choose another name, or set force.", p.name, served.CodeVersion)
		}
	}
	return r.sendScript(ctx, before, code)
}

// deployPage brings one HTML page live: as a file, or as a function's script if
// the routine was made for scripts alone and has no version with files.
func (p plan) deployPage(ctx context.Context, d *Deps, page []byte) (DeployOutput, error) {
	r, before, exists, release, err := p.begin(ctx, d)
	if err != nil {
		return DeployOutput{}, err
	}
	defer release()
	if !exists || before.HasAssets {
		return r.sendArchive(ctx, before, exists)
	}
	served, err := r.served(ctx, before)
	if err != nil {
		return DeployOutput{}, err
	}
	if served.HasAssets {
		return r.sendArchive(ctx, before, exists)
	}
	if err := r.checkSplit(before); err != nil {
		return DeployOutput{}, err
	}
	code, err := pages.WrapPage(page)
	if err != nil {
		return DeployOutput{}, about(err)
	}
	old := r.sourceOf(ctx, served.CodeVersion)
	out, err := r.sendScript(ctx, before, code)
	if err != nil {
		return DeployOutput{}, err
	}
	out.Files, out.Bytes = r.archive.Files, r.archive.Bytes
	if old != "" && !pages.IsWrappedPage(old) && out.Status == StatusLive && r.percentage == 100 {
		out.Note(esa.Note{ID: "replaced", Text: fmt.Sprintf(
			"The page took the place of the function in version %s: publish_routine_version with that version brings it back.", served.CodeVersion)})
	}
	return out, nil
}

// sendScript brings a script live and tells what is where. One that is live
// somewhere already is not sent again.
func (r *deployment) sendScript(ctx context.Context, before routine, code []byte) (DeployOutput, error) {
	if !r.force {
		if r.version = r.liveWith(ctx, before, code); r.version == "" {
			r.version = r.newestWith(ctx, code)
		}
	}
	var out DeployOutput
	var err error
	if r.version != "" && r.isLive(before) {
		out, err = r.result(ctx, StatusUnchanged)
	} else {
		if r.version == "" {
			if err := r.stage(ctx, code); err != nil {
				return DeployOutput{}, r.halfway(ctx, "upload", err)
			}
			r.sent = true
		}
		out, err = r.finish(ctx)
	}
	if err != nil {
		return DeployOutput{}, err
	}
	out.Bytes = int64(len(code))
	if r.sent {
		out.Uploaded = out.Bytes
	}
	if out.Status == StatusBuilding {
		out.Next = fmt.Sprintf("publish_routine_version with name %q, version %q and environment %q once get_routine shows it as available. Nothing that was live has changed",
			r.name, r.version, r.environment)
	}
	return out, nil
}

// served looks at the version that takes the requests, that of production first;
// zero if there is none.
func (r *deployment) served(ctx context.Context, now routine) (codeVersion, error) {
	for _, env := range slices.Backward([]string{staging, production}) {
		live := now.versionsIn(env)
		if len(live) == 0 {
			continue
		}
		v, err := esa.Call[codeVersion](ctx, r.ESA, "GetRoutineCodeVersionInfo", esa.Params{"Name": r.name, "CodeVersion": live[0].Version})
		if err != nil {
			return codeVersion{}, fmt.Errorf("look at version %s of %s: %w", live[0].Version, r.name, err)
		}
		v.CodeVersion = live[0].Version
		return v, nil
	}
	return codeVersion{}, nil
}

// liveWith finds the version with this script among those that any environment
// serves; empty if there is none.
func (r *deployment) liveWith(ctx context.Context, now routine, code []byte) string {
	var seen []string
	for _, env := range slices.Backward(now.live()) {
		for _, v := range env.Versions {
			if slices.Contains(seen, v.Version) {
				continue
			}
			seen = append(seen, v.Version)
			if r.sourceOf(ctx, v.Version) == string(code) {
				return v.Version
			}
		}
	}
	return ""
}

// sourceOf reads a version's script. It is only a means to spare an upload and
// to tell what was replaced: empty if it cannot be read.
func (r *deployment) sourceOf(ctx context.Context, version string) string {
	if version == "" {
		return ""
	}
	answer, err := esa.Call[struct{ RoutineCode string }](ctx, r.ESA, "GetRoutineCodeVersion", esa.Params{"Name": r.name, "CodeVersion": version})
	if err != nil {
		return ""
	}
	return answer.RoutineCode
}

// newestWith is the newest version, which an earlier deploy may have made and not
// brought live, if it has this script; else empty.
func (r *deployment) newestWith(ctx context.Context, code []byte) string {
	versions, err := listVersions(ctx, r.ESA, r.name)
	if err != nil || len(versions) == 0 {
		return ""
	}
	newest := versions[0]
	if r.usable(newest) && newest.ExtraInfo == "" && r.sourceOf(ctx, newest.CodeVersion) == string(code) {
		return newest.CodeVersion
	}
	return ""
}

// stage uploads the script and makes a version of it.
func (r *deployment) stage(ctx context.Context, code []byte) error {
	params := esa.Params{"Name": r.name}
	if r.description != "" {
		params["CodeDescription"] = r.description
	}
	fresh := func(ctx context.Context) (esa.PostForm, error) {
		answer, err := esa.Call[struct{ OssPostConfig map[string]any }](ctx, r.ESA, "GetRoutineStagingCodeUploadInfo", params)
		if err != nil {
			return esa.PostForm{}, fmt.Errorf("create a version of %s: %w", r.name, err)
		}
		return esa.ScriptForm(answer.OssPostConfig)
	}
	Progress(ctx, 30, 100, "uploading "+size(int64(len(code))))
	err := r.Upload.Upload(ctx, fresh, esa.Object{
		Name: "index.js", Size: int64(len(code)),
		Open: func(context.Context) (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(code)), nil },
	})
	if err != nil {
		return err
	}
	Progress(ctx, 60, 100, "making a version")
	commit := esa.Params{"Name": r.name, "DeployEnv": r.variablesOf()}
	if r.description != "" {
		commit["CodeDescription"] = r.description
	}
	answer, err := esa.Call[struct{ CodeVersion string }](ctx, r.ESA, "CommitRoutineStagingCode", commit)
	if err != nil {
		return fmt.Errorf("create a version of %s: %w", r.name, err)
	}
	r.version = answer.CodeVersion
	return nil
}
