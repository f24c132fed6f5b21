package tools

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"fmt"

	"github.com/esa-mcp/esa-mcp/internal/esa"
	"github.com/esa-mcp/esa-mcp/internal/guard"
)

// create makes the routine: one for static files, or for scripts alone.
func (r *deployment) create(ctx context.Context, assets bool) error {
	Progress(ctx, 20, 100, "creating routine "+r.name)
	params := esa.Params{"Name": r.name}
	if assets {
		params["HasAssets"] = true
	}
	if r.description != "" {
		params["Description"] = r.description
	}
	return createRoutine(ctx, r.ESA, params)
}

// createRoutine makes a routine. Somebody else may have made it meanwhile, which
// is fine.
func createRoutine(ctx context.Context, c esa.Caller, params esa.Params) error {
	_, err := c.Call(ctx, "CreateRoutine", params)
	if err == nil || guard.IsRoutineTaken(err) {
		return nil
	}
	if status := serviceStatus(ctx, c); status != "" && status != "Running" {
		return Refuse("Edge Routine is not open on this account (status %s). A person has to open it in the ESA console (Edge Computing > Functions and Pages); opening may cost money, so it is not done here. Cause: %v", status, err)
	}
	return fmt.Errorf("create routine %s: %w", params["Name"], err)
}

// serviceStatus is the account's Edge Routine status, empty if it is not told.
func serviceStatus(ctx context.Context, c esa.Caller) string {
	s, err := esa.Call[struct{ Status string }](ctx, c, "GetErService", nil)
	if err != nil {
		return ""
	}
	return s.Status
}

// upload makes a version and sends its content. When that fails, the version is
// taken back, for it would count against the routine's few.
func (r *deployment) upload(ctx context.Context) error {
	err := r.Upload.Upload(ctx, r.newVersion, esa.Object{
		Name: r.name + ".zip",
		Size: r.archive.ZipSize,
		Open: r.archive.Open,
		Sent: func(sent int64) {
			Progress(ctx, 25+45*float64(sent)/float64(max(r.archive.ZipSize, 1)), 100,
				fmt.Sprintf("uploading: %s of %s", size(sent), size(r.archive.ZipSize)))
		},
	})
	if err != nil && r.version != "" {
		r.discard(ctx)
	}
	r.sent = err == nil
	return err
}

// newVersion asks for a version and for leave to upload its content. It is asked
// again when that leave ran out; the version that got nothing is taken back.
func (r *deployment) newVersion(ctx context.Context) (esa.PostForm, error) {
	if r.version != "" {
		r.discard(ctx)
	}
	Progress(ctx, 25, 100, "creating a version")
	var try [16]byte
	rand.Read(try[:]) // never fails
	mine := origin{originSource, r.hash(), r.environment, r.percentage, hex.EncodeToString(try[:])}
	left, err := json.Marshal(mine)
	if err != nil {
		return esa.PostForm{}, err
	}
	params := esa.Params{"Name": r.name, "ExtraInfo": string(left), "DeployEnv": r.variablesOf()}
	if r.description != "" {
		params["CodeDescription"] = r.description
	}
	if r.notFoundStrategy != "" {
		params["ConfOptions"] = map[string]any{"NotFoundStrategy": r.notFoundStrategy}
	}
	answer, err := esa.Call[struct {
		CodeVersion   string
		OssPostConfig map[string]any
	}](ctx, r.ESA, "CreateRoutineWithAssetsCodeVersion", params)
	if err != nil {
		if esa.OutcomeUnknown(err) {
			r.abandon(ctx, mine.Try)
		}
		return esa.PostForm{}, fmt.Errorf("create a version of %s: %w", r.name, err)
	}
	r.version = answer.CodeVersion
	return esa.AssetsForm(answer.OssPostConfig)
}

// variablesOf names the environment whose variables the version carries: without
// one it carries none (esa-facts 1.3).
func (r *deployment) variablesOf() string {
	if r.environment == staging {
		return staging
	}
	return production
}

// abandon takes back the version that a call without an answer may have made:
// nothing can be uploaded to it.
func (r *deployment) abandon(ctx context.Context, try string) {
	look, cancel := context.WithTimeout(context.WithoutCancel(ctx), cleanupTime)
	defer cancel()
	versions, err := listVersions(look, r.ESA, r.name)
	if err != nil {
		r.Logger.Warn("an unused version may stay", "routine", r.name, "code", esa.CodeOf(err))
		return
	}
	for _, v := range versions {
		if originOf(v).Try == try {
			r.version = v.CodeVersion
			r.discard(look)
		}
	}
}

// discard takes back a version that nothing will use. It is a kindness: if it
// fails, the version stays and costs a place.
func (r *deployment) discard(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), cleanupTime)
	defer cancel()
	if _, err := r.ESA.Call(ctx, "DeleteRoutineCodeVersion", esa.Params{"Name": r.name, "CodeVersion": r.version}); err != nil {
		r.Logger.Warn("unused version stays", "routine", r.name, "version", r.version, "code", esa.CodeOf(err))
	}
	r.version = ""
}
