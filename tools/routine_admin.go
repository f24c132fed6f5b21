package tools

import (
	"context"
	"fmt"

	"github.com/esa-mcp/esa-mcp/internal/esa"
)

// DeleteRoutineVersionInput are the arguments of delete_routine_version.
type DeleteRoutineVersionInput struct {
	Name    string `json:"name" jsonschema:"minLength=1" jsonschema_description:"Routine name"`
	Version string `json:"version" jsonschema:"pattern=^[0-9]+$" jsonschema_description:"Code version"`
}

// DeleteRoutineVersionOutput is the result of delete_routine_version.
type DeleteRoutineVersionOutput struct {
	Noted
	Name    string `json:"name" jsonschema_description:"Routine name"`
	Version string `json:"version" jsonschema_description:"The version that is gone"`
}

func deleteRoutineVersion() Tool {
	return Define(Meta{
		Name: "delete_routine_version", Title: "Delete a code version", Toolset: "routines",
		Description: "Delete a code version that is not live, to make room: a routine keeps only a few.",
		Calls:       []string{"GetRoutine", "DeleteRoutineCodeVersion"},
		ReadOnly:    No, Destructive: Yes, Idempotent: Yes, OpenWorld: Yes,
	}, func(ctx context.Context, d *Deps, in DeleteRoutineVersionInput) (DeleteRoutineVersionOutput, error) {
		out := DeleteRoutineVersionOutput{Name: in.Name, Version: in.Version}
		release, err := d.Locks.Lock(ctx, in.Name)
		if err != nil {
			return out, err
		}
		defer release()
		r, exists, err := getRoutine(ctx, d.ESA, in.Name)
		switch {
		case err != nil:
			return out, fmt.Errorf("look up routine %s: %w", in.Name, err)
		case !exists:
			return out, noRoutine(in.Name)
		case r.deployed(in.Version):
			return out, Refuse("Version %s is live (%s): deploy another one there first with publish_routine_version.", in.Version, describeLive(r.live()))
		}
		if _, err := invoke[struct{}](ctx, d, &out.Noted, "DeleteRoutineCodeVersion", esa.Params{"Name": in.Name, "CodeVersion": in.Version}); err != nil {
			return out, fmt.Errorf("delete version %s of %s: %w", in.Version, in.Name, err)
		}
		return out, nil
	})
}

// SetRoutineInput are the arguments of set_routine.
type SetRoutineInput struct {
	Name        string  `json:"name" jsonschema:"minLength=1" jsonschema_description:"Routine name"`
	Description *string `json:"description,omitempty" jsonschema_description:"Empty takes it away"`
}

// SetRoutineOutput is the result of set_routine.
type SetRoutineOutput struct {
	Noted
	Name        string `json:"name" jsonschema_description:"Routine name"`
	Created     bool   `json:"created"`
	Description string `json:"description" jsonschema_description:"Description now"`
}

func setRoutine() Tool {
	return Define(Meta{
		Name: "set_routine", Title: "Create or describe a routine", Toolset: "routines",
		Description: "Create a routine without code, or change the description of one.",
		Calls:       []string{"GetRoutine", "CreateRoutine", "UpdateRoutineConfigDescription", "GetErService"},
		ReadOnly:    No, Destructive: No, Idempotent: Yes, OpenWorld: Yes,
	}, func(ctx context.Context, d *Deps, in SetRoutineInput) (SetRoutineOutput, error) {
		out := SetRoutineOutput{Name: in.Name}
		release, err := d.Locks.Lock(ctx, in.Name)
		if err != nil {
			return out, err
		}
		defer release()
		r, exists, err := getRoutine(ctx, d.ESA, in.Name)
		if err != nil {
			return out, fmt.Errorf("look up routine %s: %w", in.Name, err)
		}
		out.Description = r.Description
		if in.Description != nil {
			out.Description = *in.Description
		}
		if !exists {
			if err := checkName(in.Name); err != nil {
				return out, err
			}
			out.Created = true
			return out, createRoutine(ctx, d.ESA, esa.Params{"Name": in.Name, "Description": out.Description})
		}
		if out.Description == r.Description {
			return out, nil
		}
		_, err = invoke[struct{}](ctx, d, &out.Noted, "UpdateRoutineConfigDescription", esa.Params{"Name": in.Name, "Description": out.Description})
		return out, err
	})
}

// GetRoutineServiceInput are the arguments of get_routine_service: none.
type GetRoutineServiceInput struct{}

// RoutinePlan is what a plan of the edge routine service allows. Quotas are as
// the service writes them.
type RoutinePlan struct {
	Name       string `json:"name,omitempty"`
	Payment    string `json:"payment,omitempty" jsonschema_description:"er_free or er_pay"`
	Routines   string `json:"routines,omitempty" jsonschema_description:"Routines at most"`
	Versions   string `json:"versions,omitempty" jsonschema_description:"Code versions of a routine at most"`
	RouteSites string `json:"route_sites,omitempty" jsonschema_description:"Sites that a routine has routes on, at most"`
}

// GetRoutineServiceOutput is the result of get_routine_service.
type GetRoutineServiceOutput struct {
	Noted
	Status     string        `json:"status" jsonschema_description:"Running when routines can be used, NotOpened, Creating"`
	PlanName   string        `json:"plan,omitempty" jsonschema_description:"The account's plan"`
	Plans      []RoutinePlan `json:"plans" jsonschema_description:"What plans allow"`
	StagingIPs []string      `json:"staging_ips" jsonschema_description:"Send a request with a routine's host name here to test its staging version"`
	Subdomains []string      `json:"subdomains,omitempty" jsonschema_description:"Account part of default domains"`
}

func getRoutineService() Tool {
	return Define(Meta{
		Name: "get_routine_service", Title: "Edge routine service", Toolset: "routines",
		Description: "Show whether edge routines are open on the account, their quotas, and the staging IPs to test with.",
		Calls:       []string{"GetErService", "ListEdgeRoutinePlans", "GetRoutineStagingEnvIp", "GetRoutineUserInfo"},
		ReadOnly:    Yes, Destructive: No, Idempotent: Yes, OpenWorld: Yes,
	}, getService)
}

func getService(ctx context.Context, d *Deps, _ GetRoutineServiceInput) (GetRoutineServiceOutput, error) {
	var out GetRoutineServiceOutput
	service, err := invoke[struct{ Status, PlanName string }](ctx, d, &out.Noted, "GetErService", nil)
	if err != nil {
		return out, fmt.Errorf("read the service's status: %w", err)
	}
	out.Status, out.PlanName = service.Status, service.PlanName
	if service.Status == "NotOpened" {
		return out, nil // the rest answers only once it is open
	}
	plans, err := invoke[struct {
		PlanInfo []struct {
			PlanName, PaymentMethod                                                 string
			ErRoutineQuota, ErRoutineCodeVersionQuota, ErRoutineRouteSiteCountQuota string
		}
	}](ctx, d, &out.Noted, "ListEdgeRoutinePlans", nil)
	if err != nil {
		return out, fmt.Errorf("list the plans: %w", err)
	}
	for _, p := range plans.PlanInfo {
		out.Plans = append(out.Plans, RoutinePlan{p.PlanName, p.PaymentMethod, p.ErRoutineQuota, p.ErRoutineCodeVersionQuota, p.ErRoutineRouteSiteCountQuota})
	}
	ips, err := invoke[struct{ IPV4 []string }](ctx, d, &out.Noted, "GetRoutineStagingEnvIp", nil)
	if err != nil {
		return out, fmt.Errorf("read the staging addresses: %w", err)
	}
	out.StagingIPs = ips.IPV4
	// Superseded by ListUserRoutines and known to fail; only it tells these.
	if user, err := invoke[struct{ Subdomains []string }](ctx, d, &out.Noted, "GetRoutineUserInfo", nil); err == nil {
		out.Subdomains = user.Subdomains
	}
	return out, nil
}
