package tools

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/esa-mcp/esa-mcp/internal/esa"
)

// routineTools are the tools of the toolset "routines".
func routineTools() []Tool {
	return slices.Concat(coreRoutineTools(), routeTools(), relatedTools())
}

// coreRoutineTools are those for routines and their versions.
func coreRoutineTools() []Tool {
	return []Tool{listRoutines(), getRoutineTool(), deleteRoutine(), deployRoutine(),
		publishRoutineVersion(), deleteRoutineVersion(), setRoutine(), getRoutineService()}
}

// RoutineSummary is one row of list_routines.
type RoutineSummary struct {
	Name        string `json:"name" jsonschema_description:"Routine name"`
	Description string `json:"description,omitempty" jsonschema_description:"Description"`
	Domain      string `json:"domain,omitempty" jsonschema_description:"Default domain; answers 401 without a token: get_routine returns an address that opens"`
	HasAssets   bool   `json:"has_assets" jsonschema_description:"Has static files (Pages)"`
	Created     string `json:"created,omitempty" jsonschema_description:"Creation time"`
}

// ListRoutinesInput are the arguments of list_routines.
type ListRoutinesInput struct {
	Search   string `json:"search,omitempty" jsonschema_description:"Part of the name"`
	Page     int    `json:"page,omitempty" jsonschema:"minimum=1,maximum=10,default=1" jsonschema_description:"Page, from 1"`
	PageSize int    `json:"page_size,omitempty" jsonschema:"minimum=1,maximum=20,default=20" jsonschema_description:"Routines a page"`
}

// ListRoutinesOutput is the result of list_routines.
type ListRoutinesOutput struct {
	Noted
	Routines []RoutineSummary `json:"routines" jsonschema_description:"Routines of this page"`
	Total    int64            `json:"total" jsonschema_description:"Routines that fit, on all pages"`
	Used     int64            `json:"used" jsonschema_description:"Routines of the account"`
	Quota    int64            `json:"quota" jsonschema_description:"Routines that the account may have"`
	Page     int              `json:"page"`
	NextPage int              `json:"next_page,omitempty" jsonschema_description:"Left out on the last page. ESA lists at most 200 routines: search finds others"`
}

func listRoutines() Tool {
	return Define(Meta{
		Name: "list_routines", Title: "List routines and Pages sites", Toolset: "routines",
		Description: "List the account's edge routines (Pages sites are routines with static files), with their default domains and the account's quota.",
		Calls:       []string{"ListUserRoutines"},
		ReadOnly:    Yes, Destructive: No, Idempotent: Yes, OpenWorld: Yes,
	}, func(ctx context.Context, d *Deps, in ListRoutinesInput) (ListRoutinesOutput, error) {
		page, size := max(in.Page, 1), in.PageSize
		if size == 0 {
			size = 20
		}
		params := esa.Params{"PageNumber": page, "PageSize": size}
		if in.Search != "" {
			params["SearchKeyWord"] = in.Search
		}
		out := ListRoutinesOutput{Routines: []RoutineSummary{}, Page: page}
		answer, err := invoke[struct {
			Routines []struct {
				RoutineName, Description, DefaultRelatedRecord, CreateTime string
				HasAssets                                                  bool
			}
			TotalCount, UsedRoutineNumber, QuotaRoutineNumber json.Number
		}](ctx, d, &out.Noted, "ListUserRoutines", params)
		if err != nil {
			return ListRoutinesOutput{}, err
		}
		out.Total, _ = answer.TotalCount.Int64()
		out.Used, _ = answer.UsedRoutineNumber.Int64()
		out.Quota, _ = answer.QuotaRoutineNumber.Int64()
		for _, r := range answer.Routines {
			out.Routines = append(out.Routines, RoutineSummary{
				Name: r.RoutineName, Description: r.Description, Domain: r.DefaultRelatedRecord,
				HasAssets: r.HasAssets, Created: r.CreateTime,
			})
		}
		if int64(page*size) < out.Total {
			out.NextPage = page + 1
		}
		return out, nil
	})
}

// RoutineVersion is one code version of a routine.
type RoutineVersion struct {
	Version          string `json:"version" jsonschema_description:"Code version"`
	Status           string `json:"status" jsonschema_description:"init while it is built, available when it can be deployed, else failed"`
	Description      string `json:"description,omitempty" jsonschema_description:"Description"`
	NotFoundStrategy string `json:"not_found_strategy,omitempty" jsonschema_description:"What is served for a path without a file"`
	Created          string `json:"created,omitempty" jsonschema_description:"Creation time"`
}

// GetRoutineInput are the arguments of get_routine.
type GetRoutineInput struct {
	Name          string `json:"name" jsonschema:"minLength=1" jsonschema_description:"Routine name"`
	SourceVersion string `json:"source_version,omitempty" jsonschema:"pattern=^[0-9]+$" jsonschema_description:"Also this version's code"`
}

// GetRoutineOutput is the result of get_routine.
type GetRoutineOutput struct {
	Noted
	Name        string `json:"name" jsonschema_description:"Routine name"`
	Description string `json:"description,omitempty" jsonschema_description:"Description"`
	Domain      string `json:"domain,omitempty" jsonschema_description:"Default domain"`
	Address
	HasAssets bool              `json:"has_assets" jsonschema_description:"Has static files (Pages)"`
	Created   string            `json:"created,omitempty" jsonschema_description:"Creation time"`
	Live      []LiveEnvironment `json:"live" jsonschema_description:"What each environment serves"`
	Versions  []RoutineVersion  `json:"versions" jsonschema_description:"Code versions that are kept, newest first"`
	Source    string            `json:"source,omitempty" jsonschema_description:"The script of source_version, as it was bundled"`
}

// maxSource bounds the code that a result shows, in bytes.
const maxSource = 60_000

func getRoutineTool() Tool {
	return Define(Meta{
		Name: "get_routine", Title: "Get a routine", Toolset: "routines",
		Description: "Show one routine or Pages site: what is live in staging and production, its code versions, and an address that opens. The address carries a token valid for an hour: treat it as a secret.",
		Calls:       []string{"GetRoutine", "ListRoutineCodeVersions", "GetRoutineAccessToken", "GetRoutineCodeVersion"},
		ReadOnly:    Yes, Destructive: No, Idempotent: Yes, OpenWorld: Yes,
	}, func(ctx context.Context, d *Deps, in GetRoutineInput) (GetRoutineOutput, error) {
		r, ok, err := getRoutine(ctx, d.ESA, in.Name)
		if err != nil {
			return GetRoutineOutput{}, err
		}
		if !ok {
			return GetRoutineOutput{}, noRoutine(in.Name)
		}
		versions, err := listVersions(ctx, d.ESA, in.Name)
		if err != nil {
			return GetRoutineOutput{}, fmt.Errorf("list the versions of %s: %w", in.Name, err)
		}
		out := GetRoutineOutput{
			Name: in.Name, Description: r.Description, Domain: r.DefaultRelatedRecord,
			HasAssets: r.HasAssets, Created: r.CreateTime, Live: r.live(), Versions: []RoutineVersion{},
		}
		for _, v := range versions {
			out.Versions = append(out.Versions, RoutineVersion{
				Version: v.CodeVersion, Status: v.Status, Description: v.CodeDescription,
				NotFoundStrategy: v.ConfOptions.NotFoundStrategy, Created: v.CreateTime,
			})
		}
		if len(r.versionsIn(production)) > 0 {
			if out.Address, err = addressOf(ctx, d, in.Name, r.DefaultRelatedRecord, production); err != nil {
				return out, err
			}
		}
		if in.SourceVersion != "" {
			err = out.readSource(ctx, d, in.SourceVersion)
		}
		return out, err
	})
}

// readSource adds a version's script. One that is too long for a result is cut.
func (out *GetRoutineOutput) readSource(ctx context.Context, d *Deps, version string) error {
	code, err := invoke[struct{ RoutineCode string }](ctx, d, &out.Noted, "GetRoutineCodeVersion", esa.Params{"Name": out.Name, "CodeVersion": version})
	if err != nil {
		return fmt.Errorf("read the code of version %s of %s: %w", version, out.Name, err)
	}
	out.Source = visible(code.RoutineCode)
	switch n := len(out.Source); {
	case n == 0:
		out.Note(esa.Note{ID: "source", Text: "Version " + version + " has no script, only files."})
	case n > maxSource:
		out.Source = strings.ToValidUTF8(out.Source[:maxSource], "")
		out.Note(esa.Note{ID: "source", Text: fmt.Sprintf("The script has %d bytes and is cut at %d: read_api with GetRoutineCodeVersion and jq .RoutineCode[%d:] shows the rest.",
			n, maxSource, len(out.Source))})
	}
	return nil
}

func noRoutine(name string) error {
	return Refuse("There is no routine %q. list_routines shows the account's routines; deploy_pages and deploy_html make one.", name)
}

// DeleteRoutineInput are the arguments of delete_routine.
type DeleteRoutineInput struct {
	Name string `json:"name" jsonschema:"minLength=1" jsonschema_description:"Routine name"`
}

// DeleteRoutineOutput is the result of delete_routine.
type DeleteRoutineOutput struct {
	Noted
	Name    string `json:"name" jsonschema_description:"Routine name"`
	Deleted bool   `json:"deleted"`
}

func deleteRoutine() Tool {
	return Define(Meta{
		Name: "delete_routine", Title: "Delete a routine", Toolset: "routines",
		Description: "Delete a routine or Pages site with all its versions and what is live. Cannot be undone.",
		Calls:       []string{"DeleteRoutine", "GetRoutine", "ListRoutineCodeVersions", "ListRoutineRoutes", "ListRoutineRelatedRecords"},
		ReadOnly:    No, Destructive: Yes, Idempotent: Yes, OpenWorld: Yes,
	}, func(ctx context.Context, d *Deps, in DeleteRoutineInput) (DeleteRoutineOutput, error) {
		release, err := d.Locks.Lock(ctx, in.Name)
		if err != nil {
			return DeleteRoutineOutput{}, err
		}
		defer release()
		_, ok, err := getRoutine(ctx, d.ESA, in.Name)
		if err != nil {
			return DeleteRoutineOutput{}, err
		}
		if !ok {
			return DeleteRoutineOutput{}, noRoutine(in.Name)
		}
		out := DeleteRoutineOutput{Name: in.Name}
		if _, err := invoke[struct{}](ctx, d, &out.Noted, "DeleteRoutine", esa.Params{"Name": in.Name}); err != nil {
			return DeleteRoutineOutput{}, fmt.Errorf("delete routine %s: %w", in.Name, err)
		}
		out.Deleted = true
		return out, nil
	})
}
