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
		Calls:       append(deployCalls(), "GetRoutineStagingCodeUploadInfo", "CommitRoutineStagingCode", "GetRoutineCodeVersion"),
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
	release, err := d.Locks.Lock(ctx, p.name)
	if err != nil {
		return DeployOutput{}, err
	}
	defer release()
	r := newDeployment(d, p)
	before, exists, err := getRoutine(ctx, r.ESA, p.name)
	if err != nil {
		return DeployOutput{}, fmt.Errorf("look up routine %s: %w", p.name, err)
	}
	if !exists {
		err = r.create(ctx)
	} else if !p.force {
		err = r.compare(ctx, before, code)
	}
	if err != nil {
		return DeployOutput{}, err
	}
	status := StatusUnchanged
	if r.version == "" {
		if err := r.stage(ctx, code); err != nil {
			return DeployOutput{}, r.halfway(ctx, "upload", err)
		}
		r.sent, status = true, StatusLive
	}
	out, err := r.end(ctx, status)
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

// end deploys the version, unless it is live already, and tells what is where.
func (r *deployment) end(ctx context.Context, status string) (DeployOutput, error) {
	if status == StatusUnchanged {
		return r.result(ctx, status)
	}
	return r.finish(ctx)
}

// compare looks at the script that is live. The same one need not be sent again;
// one beside static files is not replaced, for they would be gone.
func (r *deployment) compare(ctx context.Context, before routine, code []byte) error {
	var live string
	for _, env := range slices.Backward([]string{staging, production}) {
		if v := before.versionsIn(env); len(v) > 0 {
			live = v[0].Version
			break
		}
	}
	if live == "" {
		return nil
	}
	params := esa.Params{"Name": r.name, "CodeVersion": live}
	info, err := esa.Call[codeVersion](ctx, r.ESA, "GetRoutineCodeVersionInfo", params)
	if err != nil {
		return fmt.Errorf("look at version %s of %s: %w", live, r.name, err)
	}
	if info.HasAssets {
		return Refuse("%s is a Pages site: version %s has static files, which a function alone would take offline. Deploy folder and function together with deploy_pages, choose another name, or set force.", r.name, live)
	}
	r.version = live
	if !r.isLive(before) {
		r.version = ""
		return nil
	}
	// The code is only a means to spare an upload: without it, upload.
	old, err := esa.Call[struct{ RoutineCode string }](ctx, r.ESA, "GetRoutineCodeVersion", params)
	if err != nil || old.RoutineCode != string(code) {
		r.version = ""
	}
	return nil
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
