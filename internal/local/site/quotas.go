package site

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/esa-mcp/esa-mcp/internal/local/api"
	"github.com/esa-mcp/esa-mcp/internal/local/quota"
)

// limit is one limit of a plan instance. kind is num or bool.
type limit struct{ kind, value string }

// limits are those that the local ESA keeps. Other names of the service are not
// known here and are left out of answers.
func (s *Service) limits(p planModel) map[string]limit {
	all := map[string]limit{
		"custom_name_server":  {"bool", strconv.FormatBool(p.PlanType == "enterprise")},
		"rules_support_regex": {"bool", strconv.FormatBool(p.PlanName != "basic")},
	}
	for _, k := range quota.Kinds() {
		for _, name := range k.Names {
			all[name] = limit{"num", strconv.Itoa(s.cfg.Quotas.Of(p.PlanName, k.Name))}
		}
	}
	all["siteCount"] = limit{"num", p.SiteQuota}
	return all
}

// counted are the limits whose use can be told, with how much of them a site s
// uses.
func counted() map[string]string {
	rules := func(families string) string {
		return `(SELECT COUNT(*) FROM rule_configs WHERE site_id = s.id AND site_version = 0 AND config_type = 'rule' AND family ` + families + `)`
	}
	return map[string]string{
		"siteCount":                    `1`,
		"recordCount":                  `(SELECT COUNT(*) FROM records WHERE site_id = s.id)`,
		"wildcard":                     `(SELECT COUNT(*) FROM records WHERE site_id = s.id AND substr(name, 1, 2) = '*.')`,
		"cache_rules|rule_quota":       rules(`= 'CacheRule'`),
		"origin_rules|rule_quota":      rules(`= 'OriginRule'`),
		"redirect_rules|rule_quota":    rules(`= 'RedirectRule'`),
		"compression_rules|rule_quota": rules(`= 'CompressionRule'`),
		"https|rule_quota":             rules(`LIKE 'Https%Configuration'`),
		"transition_rule": rules(`IN ('RewriteUrlRule', 'HttpRequestHeaderModificationRule', 'HttpResponseHeaderModificationRule',
			'HttpIncomingRequestHeaderModificationRule', 'HttpIncomingResponseHeaderModificationRule')`),
		"configuration_rules|rule_quota": rules(`IN ('CustomResponseCodeRule', 'ImageTransform', 'NetworkOptimization', 'VideoProcessing')`),
		"er_routers":                     `(SELECT COUNT(*) FROM routine_routes WHERE site_id = s.id)`,
		"waiting_room":                   `(SELECT COUNT(*) FROM resources WHERE site_id = s.id AND kind = 'WaitingRoom')`,
		"free_cert":                      `(SELECT COUNT(*) FROM certificates WHERE site_id = s.id AND type = 'free')`,
		"customHttpCert":                 `(SELECT COUNT(*) FROM certificates WHERE site_id = s.id AND type <> 'free')`,
	}
}

// quotaQuery reads the plan instance and the names that a call asks for.
func (s *Service) quotaQuery(ctx context.Context, p api.Params) (planModel, []string, error) {
	var names []string
	for name := range strings.SplitSeq(p.String("QuotaNames"), ",") {
		if name = strings.TrimSpace(name); name != "" {
			names = append(names, name)
		}
	}
	if len(names) == 0 {
		return planModel{}, nil, api.Errorf(400, "MissingQuotaNames", "QuotaNames is mandatory for this action.")
	}
	if len(names) > 10 {
		return planModel{}, nil, api.Errorf(400, "InvalidQuotaNames", "Ask for at most 10 quotas at a time, not %d.", len(names))
	}
	instance := p.String("InstanceId")
	if instance == "" {
		id, err := p.Int("SiteId", 0)
		if err != nil {
			return planModel{}, nil, err
		}
		if id == 0 {
			return planModel{}, nil, api.Errorf(400, "MissingInstanceId", "InstanceId or SiteId is mandatory for this action.")
		}
		t, err := find(ctx, s.store.DB(), id)
		if err != nil {
			return planModel{}, nil, err
		}
		instance = t.instanceID
	}
	plans, err := selectPlans(ctx, s.store.DB(), `WHERE p.instance_id = ?`, instance)
	if err != nil {
		return planModel{}, nil, fmt.Errorf("look up the plan instance: %w", err)
	}
	if len(plans) == 0 {
		return planModel{}, nil, noInstance()
	}
	return plans[0], names, nil
}

// listQuotas answers ListInstanceQuotas.
func (s *Service) listQuotas(ctx context.Context, r *api.Request) (any, error) {
	plan, names, err := s.quotaQuery(ctx, r.Params)
	if err != nil {
		return nil, err
	}
	type row struct{ QuotaName, QuotaValue, QuotaValueType string }
	rows := []row{}
	known := s.limits(plan)
	for _, name := range names {
		if q, ok := known[name]; ok {
			rows = append(rows, row{name, q.value, q.kind})
		}
	}
	return struct {
		InstanceID string `json:"InstanceId"`
		Quotas     []row
		Status     string
	}{plan.InstanceID, rows, plan.Status}, nil
}

type quotaUsage struct {
	QuotaName, QuotaValue, Usage string
	SiteUsage                    []siteUsage
}

type siteUsage struct {
	SiteID    int64 `json:"SiteId"`
	SiteName  string
	SiteUsage string
}

// listQuotaUsage answers ListInstanceQuotasWithUsage: the quotas that can be
// used up, with how much of them is.
func (s *Service) listQuotaUsage(ctx context.Context, r *api.Request) (any, error) {
	plan, names, err := s.quotaQuery(ctx, r.Params)
	if err != nil {
		return nil, err
	}
	siteID, err := r.Params.Int("SiteId", 0)
	if err != nil {
		return nil, err
	}
	rows := []quotaUsage{}
	known := s.limits(plan)
	err = s.store.Tx(ctx, func(tx *sql.Tx) error {
		for _, name := range names {
			q, ok := known[name]
			use := counted()[name]
			if !ok || use == "" {
				continue
			}
			row := quotaUsage{QuotaName: name, QuotaValue: q.value, SiteUsage: []siteUsage{}}
			if row.Usage, row.SiteUsage, err = usage(ctx, tx, use, plan.InstanceID, siteID); err != nil {
				return err
			}
			rows = append(rows, row)
		}
		return nil
	})
	return struct {
		InstanceID string `json:"InstanceId"`
		Quotas     []quotaUsage
		Status     string
	}{plan.InstanceID, rows, plan.Status}, err
}

// usage counts something for each site of a plan instance, or for one of them.
func usage(ctx context.Context, q querier, counted, instance string, siteID int64) (total string, sites []siteUsage, err error) {
	rows, err := q.QueryContext(ctx, `SELECT s.id, s.name, `+counted+` FROM sites s WHERE s.instance_id = ?1 AND (?2 = 0 OR s.id = ?2) ORDER BY s.id`,
		instance, siteID)
	if err != nil {
		return "", nil, fmt.Errorf("count what is used of a quota: %w", err)
	}
	defer rows.Close()
	sum := 0
	sites = []siteUsage{}
	for rows.Next() {
		var one siteUsage
		var n int
		if err := rows.Scan(&one.SiteID, &one.SiteName, &n); err != nil {
			return "", nil, errors.Join(errors.New("count what is used of a quota"), err)
		}
		one.SiteUsage = strconv.Itoa(n)
		sum += n
		sites = append(sites, one)
	}
	return strconv.Itoa(sum), sites, rows.Err()
}
