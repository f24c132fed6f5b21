package tools

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/esa-mcp/esa-mcp/internal/esa"
	"github.com/esa-mcp/esa-mcp/internal/guard"
	"github.com/esa-mcp/esa-mcp/internal/pages"
)

// pagesTools are the tools of the toolset "pages".
func pagesTools() []Tool {
	return []Tool{deployPages(), deployHTML(), getDeployment(), bindCustomDomain()}
}

// checkName refuses a name that no routine can have, before anything else is done.
func checkName(name string) error {
	if err := guard.CheckRoutineName(name); err != nil {
		return Refuse("name %w (pages-name). For example my-site.", err)
	}
	return nil
}

// DeployTarget are the arguments that all deploys share.
type DeployTarget struct {
	Environment string `json:"environment,omitempty" jsonschema:"enum=staging,enum=production,enum=both,default=both" jsonschema_description:"both: staging, then production"`
	Percentage  int    `json:"percentage,omitempty" jsonschema:"minimum=1,maximum=100,default=100" jsonschema_description:"Share of requests; the live version keeps the rest"`
	Description string `json:"description,omitempty" jsonschema:"maxLength=200" jsonschema_description:"Of the version"`
	Force       bool   `json:"force,omitempty" jsonschema_description:"Upload even if this content is there"`
}

func (t DeployTarget) plan(name string, archive *pages.Archive) plan {
	p := plan{name: name, description: t.Description, environment: t.Environment, percentage: t.Percentage, force: t.Force, archive: archive}
	if p.environment == "" {
		p.environment = both
	}
	if p.percentage == 0 {
		p.percentage = 100
	}
	return p
}

// DeployHTMLInput are the arguments of deploy_html.
type DeployHTMLInput struct {
	Name string `json:"name" jsonschema_description:"Routine name, such as my-page"`
	HTML string `json:"html,omitempty" jsonschema_description:"The page; or give path"`
	Path string `json:"path,omitempty" jsonschema_description:"HTML file on this machine"`
	DeployTarget
}

// deployCalls are the operations of a deploy, the look at it included. Only the
// version that the deploy itself made and could not fill is deleted.
func deployCalls() []string {
	return []string{"GetErService", "GetRoutine", "CreateRoutine", "ListRoutineCodeVersions",
		"CreateRoutineWithAssetsCodeVersion", "GetRoutineCodeVersionInfo", "DeleteRoutineCodeVersion",
		"CreateRoutineCodeDeployment", "GetRoutineAccessToken"}
}

// scriptCalls are the operations of a deploy that may send a script alone.
func scriptCalls() []string {
	return append(deployCalls(), "GetRoutineStagingCodeUploadInfo", "CommitRoutineStagingCode", "GetRoutineCodeVersion")
}

func deployHTML() Tool {
	return Define(Meta{
		Name: "deploy_html", Title: "Deploy one HTML page", Toolset: "pages",
		Description: "Put one HTML page live, as the index of a Pages site of its own, and return an address that opens. Deploying to a name again replaces its page. For several files use deploy_pages.",
		Calls:       scriptCalls(),
		ReadOnly:    No, Destructive: No, Idempotent: Yes, OpenWorld: Yes,
	}, func(ctx context.Context, d *Deps, in DeployHTMLInput) (DeployOutput, error) {
		if err := checkName(in.Name); err != nil {
			return DeployOutput{}, err
		}
		page, err := in.page()
		if err != nil {
			return DeployOutput{}, err
		}
		archive, err := pages.PlanBytes(ctx, []pages.MemFile{{Path: "index.html", Data: page}}, nil, d.packing())
		if err != nil {
			return DeployOutput{}, about(err)
		}
		return in.plan(in.Name, archive).deployPage(ctx, d, page)
	})
}

// page returns the page's bytes.
func (in DeployHTMLInput) page() ([]byte, error) {
	switch {
	case in.HTML != "" && in.Path != "":
		return nil, Refuse("Both html and path are given: give one.")
	case in.HTML != "":
		return []byte(in.HTML), nil
	case in.Path == "":
		return nil, Refuse("Neither html nor path is given, or html is empty: give the page as html, or the path of an HTML file.")
	}
	info, err := os.Stat(in.Path)
	if err != nil {
		return nil, pathError(in.Path, err)
	}
	if info.IsDir() {
		return nil, Refuse("path %s is a folder: deploy_pages deploys folders.", in.Path)
	}
	if !info.Mode().IsRegular() {
		return nil, Refuse("path %s is not a regular file.", in.Path)
	}
	if info.Size() > pages.MaxAssetSize {
		return nil, Refuse("path %s has %s; ESA takes at most %s a file (pages-limits).", in.Path, size(info.Size()), size(pages.MaxAssetSize))
	}
	page, err := os.ReadFile(in.Path)
	if err != nil {
		return nil, pathError(in.Path, err)
	}
	if len(page) == 0 {
		return nil, Refuse("path %s is empty: there is nothing to deploy (pages-empty).", in.Path)
	}
	return page, nil
}

// pathError says what is wrong with a path that was given.
func pathError(path string, err error) error {
	abs, absErr := filepath.Abs(path)
	if absErr != nil {
		abs = path
	}
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return Refuse("path %s does not exist (looked for %s). Relative paths start in the server's working directory: give an absolute path.", path, abs)
	case errors.Is(err, fs.ErrPermission):
		return Refuse("path %s cannot be read: permission denied.", abs)
	}
	return Refuse("path %s cannot be read: %v", abs, err)
}

// DeployPagesInput are the arguments of deploy_pages.
type DeployPagesInput struct {
	Name             string `json:"name,omitempty" jsonschema_description:"Routine name, such as my-site; default from esa.jsonc or esa.toml"`
	Path             string `json:"path" jsonschema:"minLength=1" jsonschema_description:"Folder, best absolute: the built site, or a project with esa.jsonc or esa.toml"`
	Entry            string `json:"entry,omitempty" jsonschema_description:"JS or TS edge function for paths without a file, relative to path"`
	NotFoundStrategy string `json:"not_found_strategy,omitempty" jsonschema:"enum=SinglePageApplication,enum=404Page" jsonschema_description:"For paths without a file: /index.html with 200, or /404.html with 404"`
	DryRun           bool   `json:"dry_run,omitempty" jsonschema_description:"Only show what would be deployed and left out"`
	DeployTarget
}

func deployPages() Tool {
	return Define(Meta{
		Name: "deploy_pages", Title: "Deploy a folder", Toolset: "pages",
		Description: "Deploy a folder as a static site (Pages), with an edge function if wanted, and return an address that opens. Deploying to a name again makes a new version. Secrets and what .gitignore names are left out. Staging is deployed before production.",
		Calls:       deployCalls(), OwnDryRun: true,
		ReadOnly: No, Destructive: No, Idempotent: Yes, OpenWorld: Yes,
	}, func(ctx context.Context, d *Deps, in DeployPagesInput) (DeployOutput, error) {
		project, err := in.load(ctx, d)
		if err != nil {
			return DeployOutput{}, err
		}
		p := in.plan(project.name, project.archive)
		p.notFoundStrategy = project.notFoundStrategy
		if p.description == "" {
			p.description = project.description
		}
		var out DeployOutput
		if in.DryRun {
			out = p.preview()
		} else if out, err = p.deploy(ctx, d); err != nil {
			return DeployOutput{}, err
		}
		out.Skipped = project.skipped
		out.Note(project.notes...)
		return out, nil
	})
}

// preview is what a dry run tells: it sends nothing and asks nothing.
func (p plan) preview() DeployOutput {
	return DeployOutput{
		Status: StatusDryRun, Name: p.name, Files: p.archive.Files, Bytes: p.archive.Bytes,
		Live: []LiveEnvironment{},
		Next: fmt.Sprintf("deploy_pages without dry_run uploads %s and deploys to %s", size(p.archive.ZipSize), strings.Join(p.environments(), ", then ")),
	}
}

// GetDeploymentInput are the arguments of get_deployment.
type GetDeploymentInput struct {
	Name    string `json:"name" jsonschema:"minLength=1" jsonschema_description:"Routine name"`
	Version string `json:"version" jsonschema:"pattern=^[0-9]+$" jsonschema_description:"Code version"`
	Resume  bool   `json:"resume,omitempty" jsonschema_description:"Finish the deploy; without it nothing changes"`
}

func getDeployment() Tool {
	return Define(Meta{
		Name: "get_deployment", Title: "Look at or resume a deployment", Toolset: "pages",
		Description: "Look at a version that deploy_pages or deploy_html made: is it built, and what is live where. With resume, finish the deploy where it stopped.",
		Calls:       deployCalls(),
		ReadOnly:    No, Destructive: No, Idempotent: Yes, OpenWorld: Yes,
	}, func(ctx context.Context, d *Deps, in GetDeploymentInput) (DeployOutput, error) {
		release, err := d.Locks.Lock(ctx, in.Name)
		if err != nil {
			return DeployOutput{}, err
		}
		defer release()
		v, err := esa.Call[codeVersion](ctx, d.ESA, "GetRoutineCodeVersionInfo", esa.Params{"Name": in.Name, "CodeVersion": in.Version})
		if err != nil {
			return DeployOutput{}, fmt.Errorf("look up version %s of %s: %w", in.Version, in.Name, err)
		}
		asked := originOf(v)
		r := newDeployment(d, plan{name: in.Name, environment: asked.Environment, percentage: asked.Percentage})
		r.version = in.Version
		if in.Resume {
			if asked.Environment == "" || asked.Percentage == 0 {
				return DeployOutput{}, Refuse("Version %s of %s was not made by deploy_pages or deploy_html, so there is no deploy to resume.", in.Version, in.Name)
			}
			return r.finish(ctx)
		}
		return r.look(ctx, v)
	})
}

// look tells the state of a version without changing anything.
func (r *deployment) look(ctx context.Context, v codeVersion) (DeployOutput, error) {
	if r.environment == "" {
		r.environment = both
	}
	if !v.is(versionAvailable) && !v.is(versionBuilding) {
		return DeployOutput{}, Refuse("ESA could not build version %s of %s: its status is %s.", r.version, r.name, v.Status)
	}
	now, _, err := getRoutine(ctx, r.ESA, r.name)
	if err != nil {
		return DeployOutput{}, fmt.Errorf("look up routine %s: %w", r.name, err)
	}
	if now.deployed(r.version) {
		return r.result(ctx, StatusLive)
	}
	out, err := r.result(ctx, StatusBuilding)
	if err == nil && v.is(versionAvailable) {
		out.Status = StatusAvailable
		out.Next = fmt.Sprintf("get_deployment with resume true deploys version %s to %s", r.version, r.environment)
	}
	return out, err
}
