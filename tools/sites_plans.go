package tools

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/esa-mcp/esa-mcp/internal/esa"
)

// ListPlanInstancesInput are the arguments of list_plan_instances.
type ListPlanInstancesInput struct {
	PlanInstance string   `json:"plan_instance,omitempty" jsonschema_description:"Only this one"`
	WithRoom     bool     `json:"with_room,omitempty" jsonschema_description:"Only with a free place"`
	Quotas       []string `json:"quotas,omitempty" jsonschema:"maxItems=100" jsonschema_description:"Names of quotas to show, or usual"`
	Page         int      `json:"page,omitempty" jsonschema:"minimum=1,default=1" jsonschema_description:"Page number"`
	PageSize     int      `json:"page_size,omitempty" jsonschema:"minimum=1,maximum=500,default=20" jsonschema_description:"Per page"`
}

// PlanInstance is a plan that the account has bought.
type PlanInstance struct {
	ID        string      `json:"id"`
	Plan      string      `json:"plan"`
	Status    string      `json:"status"`
	Coverages string      `json:"coverages,omitempty"`
	SiteQuota string      `json:"site_quota" jsonschema_description:"Sites that it takes"`
	Sites     []string    `json:"sites"`
	Expires   string      `json:"expires,omitempty"`
	Quotas    []PlanQuota `json:"quotas,omitempty"`
}

// PlanQuota is one limit of a plan instance.
type PlanQuota struct {
	Name  string `json:"name"`
	Value string `json:"value"`
	Usage string `json:"usage,omitempty"`
}

// ListPlanInstancesOutput is the result of list_plan_instances.
type ListPlanInstancesOutput struct {
	Noted
	Instances []PlanInstance `json:"instances"`
	Total     int            `json:"total"`
	Page      int            `json:"page"`
	NextPage  int            `json:"next_page,omitempty"`
}

// usualQuotas are those that people run into.
func usualQuotas() []string {
	return []string{"siteCount", "recordCount", "wildcard", "rules_support_regex", "cache_rules|rule_quota", "origin_rules|rule_quota",
		"redirect_rules|rule_quota", "https|rule_quota", "compression_rules|rule_quota", "configuration_rules|rule_quota",
		"customHttpCert", "free_cert", "refresh_file", "refresh_directory", "refresh_all", "preload", "custom_name_server", "data_timerange"}
}

// countedQuotas are those whose usage the API tells.
func countedQuotas() []string {
	return []string{"customHttpCert", "transition_rule", "waiting_room", "https|rule_quota", "cache_rules|rule_quota",
		"configuration_rules|rule_quota", "redirect_rules|rule_quota", "compression_rules|rule_quota", "origin_rules|rule_quota"}
}

func listPlanInstances(ctx context.Context, d *Deps, in ListPlanInstancesInput) (ListPlanInstancesOutput, error) {
	page, size := cmp.Or(in.Page, 1), cmp.Or(in.PageSize, 20)
	out := ListPlanInstancesOutput{Page: page}
	params := esa.Params{"PageNumber": page, "PageSize": size}
	if in.PlanInstance != "" {
		params["InstanceId"] = in.PlanInstance
	}
	if in.WithRoom {
		params["CheckRemainingSiteQuota"] = "true"
	}
	answer, err := invoke[listPlansAnswer](ctx, d, &out.Noted, "ListUserRatePlanInstances", params)
	if err != nil {
		return out, err
	}
	var names []string
	for _, name := range in.Quotas {
		if name == "usual" {
			names = append(names, usualQuotas()...)
		} else {
			names = append(names, name)
		}
	}
	for _, w := range answer.InstanceInfo {
		p := PlanInstance{ID: w.InstanceID, Plan: cmp.Or(w.PlanName, w.SubscribeType), Status: w.Status, Coverages: w.Coverages,
			SiteQuota: w.SiteQuota, Expires: w.ExpireTime}
		for _, s := range w.Sites {
			p.Sites = append(p.Sites, s.SiteName)
		}
		if p.Quotas, err = readQuotas(ctx, d, &out.Noted, w, names); err != nil {
			return out, fmt.Errorf("read the quotas of %s: %w", w.InstanceID, err)
		}
		out.Instances = append(out.Instances, p)
	}
	out.Total, out.NextPage = answer.TotalCount, nextPage(page, size, answer.TotalCount)
	return out, nil
}

// readQuotas asks for ten names at a time, as many as one call takes. Names that
// the service does not answer are left out.
func readQuotas(ctx context.Context, d *Deps, notes *Noted, plan wirePlan, names []string) ([]PlanQuota, error) {
	var quotas []PlanQuota
	type row struct{ QuotaName, QuotaValue, Usage string }
	for some := range slices.Chunk(names, 10) {
		answer, err := invoke[struct{ Quotas []row }](ctx, d, notes, "ListInstanceQuotas",
			esa.Params{"InstanceId": plan.InstanceID, "QuotaNames": strings.Join(some, ",")})
		if err != nil {
			return nil, err
		}
		for _, q := range answer.Quotas {
			quota := PlanQuota{Name: q.QuotaName, Value: q.QuotaValue}
			if q.QuotaName == "siteCount" {
				quota.Usage = strconv.Itoa(len(plan.Sites))
			}
			quotas = append(quotas, quota)
		}
	}
	var counted []string
	for _, q := range quotas {
		if slices.Contains(countedQuotas(), q.Name) {
			counted = append(counted, q.Name)
		}
	}
	if len(counted) == 0 {
		return quotas, nil
	}
	answer, err := invoke[struct{ Quotas []row }](ctx, d, notes, "ListInstanceQuotasWithUsage",
		esa.Params{"InstanceId": plan.InstanceID, "QuotaNames": strings.Join(counted, ",")})
	if err != nil {
		return nil, err
	}
	for _, used := range answer.Quotas {
		for i := range quotas {
			if quotas[i].Name == used.QuotaName {
				quotas[i].Usage = used.Usage
			}
		}
	}
	return quotas, nil
}
