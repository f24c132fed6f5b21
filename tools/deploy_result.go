package tools

import (
	"context"
	"fmt"

	"github.com/esa-mcp/esa-mcp/internal/esa"
)

// What a deploy ended as.
const (
	StatusLive      = "live"
	StatusUnchanged = "unchanged"
	StatusBuilding  = "building"
	StatusAvailable = "available"
	StatusDryRun    = "dry_run"
)

// DeployOutput is the result of deploy_pages, deploy_html and get_deployment.
type DeployOutput struct {
	Noted
	Status  string `json:"status" jsonschema:"enum=live,enum=unchanged,enum=building,enum=available,enum=dry_run" jsonschema_description:"live: deployed. unchanged: this content was live already, nothing was sent. building: ESA still builds the version, see next. available: built, not deployed. dry_run: nothing was sent"`
	Name    string `json:"name" jsonschema_description:"Routine name"`
	Version string `json:"version,omitempty" jsonschema_description:"Code version with this content"`
	Address
	StagingURL string            `json:"staging_url,omitempty" jsonschema_description:"Address of the staging environment (local ESA only)"`
	Files      int               `json:"files" jsonschema_description:"Files in the deployment"`
	Bytes      int64             `json:"bytes" jsonschema_description:"Their size before compression"`
	Uploaded   int64             `json:"uploaded_bytes" jsonschema_description:"Bytes sent; 0 when the content was there already"`
	Live       []LiveEnvironment `json:"live" jsonschema_description:"What each environment serves now"`
	Skipped    []SkippedFile     `json:"skipped" jsonschema_description:"Files and folders left out, with the reason"`
	Next       string            `json:"next,omitempty" jsonschema_description:"The call to make next, if one is needed"`
}

// SkippedFile is something in the folder that was not deployed.
type SkippedFile struct {
	Path   string `json:"path" jsonschema_description:"Path below the folder; a folder stands for all in it"`
	Reason string `json:"reason" jsonschema_description:"Why it was left out"`
}

// result tells what is where now.
func (r *deployment) result(ctx context.Context, status string) (DeployOutput, error) {
	out := DeployOutput{Status: status, Name: r.name, Version: r.version, Skipped: []SkippedFile{}}
	if r.archive != nil {
		out.Files, out.Bytes = r.archive.Files, r.archive.Bytes
		if r.sent {
			out.Uploaded = r.archive.ZipSize
		}
	}
	now, exists, err := getRoutine(ctx, r.ESA, r.name)
	if err != nil {
		return DeployOutput{}, r.halfway(ctx, "look at the result", err)
	}
	if !exists {
		return DeployOutput{}, Refuse("Routine %s was deleted while it was deployed: nothing is live.", r.name)
	}
	out.Live = now.live()
	out.Note(r.noted.Notes...)
	if status == StatusBuilding {
		out.Next = fmt.Sprintf("get_deployment with name %q, version %q and resume true: it waits for the build and then deploys to %s. Nothing that was live has changed",
			r.name, r.version, r.environment)
		return out, nil
	}
	r.addAddress(ctx, &out, now.DefaultRelatedRecord)
	return out, nil
}

// addAddress adds where the deployment can be opened. Failing that is no failure
// of the deploy: what is live is live.
func (r *deployment) addAddress(ctx context.Context, out *DeployOutput, domain string) {
	env := production
	if r.environment == staging {
		env = staging
	}
	address, err := addressOf(ctx, r.Deps, r.name, domain, env)
	if err != nil {
		out.Note(esa.Note{ID: "pages-url-token",
			Text: "The site is deployed, but no address that opens could be made; get_routine tries again. " + Explain("the address", err)})
		return
	}
	out.Address = address
	local := r.local(ctx) != nil
	if local && r.environment != production {
		at := address
		if env != staging {
			at, _ = addressOf(ctx, r.Deps, r.name, domain, staging) // the one of production will do
		}
		out.StagingURL = at.URL
	}
	switch {
	case env == staging && !local:
		out.URL, out.Private = "", false
		out.Note(esa.Note{ID: "pages-url-token",
			Text: "Staging has no address of its own: get_routine_service names the servers to send a request with the host " + domain + " to."})
	case address.Private:
		out.Note(esa.Note{ID: "pages-url-token",
			Text: "The default domain is private: without its token it answers 401, and the token dies after an hour (get_routine makes a new one). To make the site public, use bind_custom_domain."})
	}
}
