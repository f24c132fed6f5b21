package site

import (
	"context"
	"database/sql"
	"fmt"
	"strconv"
	"time"

	"github.com/esa-mcp/esa-mcp/internal/local/api"
	"github.com/esa-mcp/esa-mcp/internal/local/quota"
)

// planEnterprise is the plan without limits on features.
const planEnterprise = "enterprise"

// planOnline is the status of a plan instance that can be used.
const planOnline = "online"

// subscribeTypes are the plans as ListSites filters them.
var subscribeTypes = map[string]string{"basic": "basicplan", "medium": "standardplan", "high": "advancedplan", planEnterprise: "enterpriseplan"}

// grantPlan gives an account without plan instances its first, for ten years:
// the one without limits on features unless told otherwise, so that none is
// missing locally.
func (s *Service) grantPlan(ctx context.Context) error {
	now := s.cfg.Now()
	_, err := s.store.Exec(ctx, `INSERT INTO plan_instances
		(instance_id, plan_name, subscribe_type, plan_type, status, site_quota, created, expires)
		SELECT ?, ?, ?, ?, ?, ?, ?, ?
		WHERE NOT EXISTS (SELECT 1 FROM plan_instances)`,
		"sp-xcdn-"+s.store.Account().Hash, s.cfg.Plan, subscribeTypes[s.cfg.Plan], s.cfg.Plan, s.cfg.PlanStatus, s.cfg.Quotas.Of(s.cfg.Plan, quota.Sites), now.Unix(), now.AddDate(10, 0, 0).Unix())
	return err
}

type planModel struct {
	BillingMode   string
	Coverages     string
	CreateTime    string
	Duration      int
	ExpireTime    string
	InstanceID    string `json:"InstanceId"`
	PlanName      string
	PlanType      string
	RenewalStatus string
	SiteQuota     string
	Sites         []planSite
	Status        string
	SubscribeType string
}

type planSite struct {
	SiteID     int64 `json:"SiteId"`
	SiteName   string
	SiteStatus string
}

type planPage struct {
	InstanceInfo         []planModel
	PageNumber, PageSize int64
	TotalCount           int64
	TotalPage            int64
}

// The ways in which an instance is paid.
const (
	prepaid  = "PREPAY"
	postpaid = "POSTPAY"
)

// listPlans answers ListUserRatePlanInstances.
func (s *Service) listPlans(ctx context.Context, r *api.Request) (any, error) {
	return s.plansOf(ctx, r.Params, "")
}

// plansOf lists the instances that a call asks for; those that are paid in one
// way if mode says so.
func (s *Service) plansOf(ctx context.Context, p api.Params, mode string) (planPage, error) {
	page, err := p.Page(500, 500)
	if err != nil {
		return planPage{}, err
	}
	clause, args, err := s.planConditions(p, mode)
	if err != nil {
		return planPage{}, err
	}
	order, err := planOrder(p)
	if err != nil {
		return planPage{}, err
	}
	out := planPage{InstanceInfo: []planModel{}, PageNumber: page.Number, PageSize: page.Size}
	err = s.store.Tx(ctx, func(tx *sql.Tx) error {
		if err := tx.QueryRowContext(ctx, `SELECT COUNT(*) FROM plan_instances p `+clause, args...).Scan(&out.TotalCount); err != nil {
			return fmt.Errorf("count plan instances: %w", err)
		}
		out.InstanceInfo, err = selectPlans(ctx, tx, clause+order+` LIMIT ? OFFSET ?`, append(args, page.Size, page.Offset())...)
		if err != nil {
			return fmt.Errorf("list plan instances: %w", err)
		}
		for i := range out.InstanceInfo {
			plan := &out.InstanceInfo[i]
			if plan.Sites, err = sitesOfPlan(ctx, tx, plan.InstanceID); err != nil {
				return fmt.Errorf("list the sites of a plan instance: %w", err)
			}
		}
		return nil
	})
	out.TotalPage = (out.TotalCount + page.Size - 1) / page.Size
	return out, err
}

func (s *Service) planConditions(p api.Params, mode string) (string, []any, error) {
	var cs []condition
	if mode == postpaid {
		cs = append(cs, condition{`p.instance_id IN (SELECT instance_id FROM postpaid_instances)`, nil})
	}
	for name, column := range map[string]string{"InstanceId": "p.instance_id", "Status": "p.status", "PlanType": "p.plan_type",
		"SubscribeType": "p.subscribe_type", "PlanNameEn": "p.subscribe_type"} {
		if v := p.String(name); v != "" {
			cs = append(cs, condition{column + ` = ?`, []any{v}})
		}
	}
	room, err := p.Bool("CheckRemainingSiteQuota", false)
	if err != nil {
		return "", nil, err
	}
	if room {
		cs = append(cs, condition{`p.site_quota > (SELECT COUNT(*) FROM sites WHERE instance_id = p.instance_id)`, nil})
	}
	days, err := p.Int("RemainingExpireDays", 0)
	if err != nil {
		return "", nil, err
	}
	if days > 0 {
		cs = append(cs, condition{`p.expires - ? <= ? * 86400`, []any{s.clock(), days}})
	}
	clause, args := where(cs)
	return clause, args, nil
}

func planOrder(p api.Params) (string, error) {
	column, ok := map[string]string{"": "created", "CreateTime": "created", "ExpireTime": "expires"}[p.String("SortBy")]
	if !ok {
		return "", api.Errorf(400, "InvalidSortBy", "SortBy must be CreateTime or ExpireTime.")
	}
	direction, ok := map[string]string{"": "DESC", "desc": "DESC", "asc": "ASC"}[p.String("SortOrder")]
	if !ok {
		return "", api.Errorf(400, "InvalidSortOrder", "SortOrder must be asc or desc.")
	}
	return ` ORDER BY p.` + column + ` ` + direction + `, p.instance_id`, nil
}

func selectPlans(ctx context.Context, q querier, rest string, args ...any) ([]planModel, error) {
	rows, err := q.QueryContext(ctx, `SELECT p.instance_id, p.plan_name, p.subscribe_type, p.plan_type, p.status, p.site_quota,
		p.created, p.expires, EXISTS (SELECT 1 FROM postpaid_instances WHERE instance_id = p.instance_id) FROM plan_instances p `+rest, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	plans := []planModel{}
	for rows.Next() {
		m := planModel{BillingMode: prepaid, Coverages: "domestic,global,overseas", RenewalStatus: "ManualRenewal"}
		var quota, created, expires int64
		var later bool
		if err := rows.Scan(&m.InstanceID, &m.PlanName, &m.SubscribeType, &m.PlanType, &m.Status, &quota, &created, &expires, &later); err != nil {
			return nil, err
		}
		if later {
			m.BillingMode = postpaid
		}
		m.SiteQuota, m.CreateTime, m.ExpireTime = strconv.FormatInt(quota, 10), stamp(created), stamp(expires)
		m.Duration = int((expires - created) / int64(30*24*time.Hour/time.Second)) // months
		plans = append(plans, m)
	}
	return plans, rows.Err()
}

func sitesOfPlan(ctx context.Context, q querier, instance string) ([]planSite, error) {
	rows, err := q.QueryContext(ctx, `SELECT id, name, status FROM sites WHERE instance_id = ? ORDER BY id`, instance)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	sites := []planSite{}
	for rows.Next() {
		var t planSite
		if err := rows.Scan(&t.SiteID, &t.SiteName, &t.SiteStatus); err != nil {
			return nil, err
		}
		sites = append(sites, t)
	}
	return sites, rows.Err()
}
