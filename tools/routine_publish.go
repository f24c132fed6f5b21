package tools

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/esa-mcp/esa-mcp/internal/esa"
)

// PublishRoutineVersionInput are the arguments of publish_routine_version.
type PublishRoutineVersionInput struct {
	Name        string `json:"name" jsonschema:"minLength=1" jsonschema_description:"Routine name"`
	Version     string `json:"version,omitempty" jsonschema:"pattern=^[0-9]+$" jsonschema_description:"Left out: roll back"`
	Environment string `json:"environment,omitempty" jsonschema:"enum=staging,enum=production,enum=both,default=production" jsonschema_description:"both: staging first"`
	Percentage  int    `json:"percentage,omitempty" jsonschema:"minimum=1,maximum=100,default=100" jsonschema_description:"Its share of the requests"`
	RestVersion string `json:"rest_version,omitempty" jsonschema:"pattern=^[0-9]+$" jsonschema_description:"Gets the rest; default: the live version"`
}

// PublishRoutineVersionOutput is the result of publish_routine_version.
type PublishRoutineVersionOutput struct {
	Noted
	Name    string            `json:"name" jsonschema_description:"Routine name"`
	Version string            `json:"version" jsonschema_description:"The version that was deployed"`
	Live    []LiveEnvironment `json:"live" jsonschema_description:"What each environment serves now"`
	Address
}

func publishRoutineVersion() Tool {
	return Define(Meta{
		Name: "publish_routine_version", Title: "Deploy, split or roll back versions", Toolset: "routines", Also: "pages",
		Description: "Deploy an existing version of a routine or Pages site, for all requests or a share (traffic split). Without version: rollback to the one before.",
		Calls:       []string{"GetRoutine", "ListRoutineCodeVersions", "GetRoutineCodeVersionInfo", "CreateRoutineCodeDeployment", "GetRoutineAccessToken"},
		ReadOnly:    No, Destructive: No, Idempotent: No, OpenWorld: Yes,
	}, func(ctx context.Context, d *Deps, in PublishRoutineVersionInput) (PublishRoutineVersionOutput, error) {
		if in.RestVersion != "" && (in.Percentage == 0 || in.Percentage == 100) {
			return PublishRoutineVersionOutput{}, Refuse("rest_version gets what percentage leaves, and it leaves nothing (pages-percent): set percentage to 1 to 99, or leave rest_version out.")
		}
		if in.RestVersion != "" && in.RestVersion == in.Version {
			return PublishRoutineVersionOutput{}, Refuse("version and rest_version are the same: a split needs two versions (pages-percent).")
		}
		release, err := d.Locks.Lock(ctx, in.Name)
		if err != nil {
			return PublishRoutineVersionOutput{}, err
		}
		defer release()
		r := newDeployment(d, plan{
			name: in.Name, environment: cmp.Or(in.Environment, production), percentage: cmp.Or(in.Percentage, 100), rest: in.RestVersion,
		})
		return r.publish(ctx, in.Version)
	})
}

// publish deploys a version that exists, or the one before what is live.
func (r *deployment) publish(ctx context.Context, version string) (PublishRoutineVersionOutput, error) {
	var out PublishRoutineVersionOutput
	now, exists, err := getRoutine(ctx, r.ESA, r.name)
	if err != nil {
		return out, fmt.Errorf("look up routine %s: %w", r.name, err)
	}
	if !exists {
		return out, noRoutine(r.name)
	}
	if r.version = version; version == "" {
		if err := r.previous(ctx, now); err != nil {
			return out, err
		}
	}
	if r.rest == "" {
		if err := r.checkSplit(now); err != nil {
			return out, err
		}
	}
	for _, env := range r.environments() {
		if err := r.release(ctx, env); err != nil {
			return out, r.halfway(ctx, "deployment to "+env, err)
		}
	}
	done, err := r.result(ctx, StatusLive)
	if err != nil {
		return out, err
	}
	return PublishRoutineVersionOutput{Noted: done.Noted, Name: r.name, Version: r.version, Live: done.Live, Address: done.Address}, nil
}

// previous finds the version to go back to. The service keeps no history of
// deployments: of two live versions it is the older, else the newest available
// one made before the live one.
func (r *deployment) previous(ctx context.Context, now routine) error {
	from := r.environments()[len(r.environments())-1]
	live := now.versionsIn(from)
	if len(live) == 0 {
		return Refuse("Nothing is live in %s, so there is nothing to roll back: give version. get_routine lists the versions.", from)
	}
	versions, err := listVersions(ctx, r.ESA, r.name)
	if err != nil {
		return fmt.Errorf("list the versions of %s: %w", r.name, err)
	}
	isLive := func(v codeVersion) bool {
		return slices.ContainsFunc(live, func(l LiveVersion) bool { return l.Version == v.CodeVersion })
	}
	newest := slices.IndexFunc(versions, isLive) // versions come newest first
	if newest < 0 {
		return Refuse("The live version %s is not among the listed ones: give version. get_routine lists them.", live[0].Version)
	}
	for _, v := range versions[newest+1:] {
		if v.is(versionAvailable) && (len(live) == 1 || isLive(v)) {
			r.version = v.CodeVersion
			r.noted.Note(esa.Note{ID: "rollback", Text: fmt.Sprintf(
				"ESA keeps no history of deployments: went back from version %s to %s, the newest available one made before it.", versions[newest].CodeVersion, v.CodeVersion)})
			return nil
		}
	}
	return Refuse("There is no available version older than the live %s, so nothing to roll back to. get_routine lists the versions.", versions[newest].CodeVersion)
}
