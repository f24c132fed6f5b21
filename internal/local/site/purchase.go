package site

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/esa-mcp/esa-mcp/internal/local/api"
	"github.com/esa-mcp/esa-mcp/internal/local/state"
)

// Nothing is paid here. A purchase makes a plan instance, so that what comes
// after one can be tried.

// planOffer is a plan as a purchase names it.
type planOffer struct{ code, subscribe, name, kind string }

// offers are the plans, the smallest first. A purchase may name one by any of
// its names, which differ between operations.
func offers() []planOffer {
	return []planOffer{
		{"entranceplan", "entranceplan", "basic", "normal"},
		{"basicplan", "basicplan", "basic", "normal"},
		{"standardplan", "standardplan", "medium", "normal"},
		{"advancedplan", "advancedplan", "high", "normal"},
		{"enterpriseplan", "enterpriseplan", "enterprise", "enterprise"},
	}
}

func offer(names ...string) (planOffer, error) {
	for _, name := range names {
		if name == "" {
			continue
		}
		for _, o := range slices.Backward(offers()) { // basic is the Pro plan's name, too
			if o.code == name || o.name == name {
				return o, nil
			}
		}
		return planOffer{}, api.Errorf(400, "InvalidPlanName",
			"There is no plan %q: use entranceplan, basicplan, standardplan, advancedplan or enterpriseplan.", clip(name))
	}
	return planOffer{}, api.Errorf(400, "MissingPlanName", "PlanName or PlanCode is mandatory for this action.")
}

type order struct {
	InstanceID string `json:"InstanceId"`
	OrderID    string `json:"OrderId"`
}

// purchasePlan answers PurchaseRatePlan.
func (s *Service) purchasePlan(ctx context.Context, r *api.Request) (any, error) {
	o, err := offer(r.Params.String("PlanName"), r.Params.String("PlanCode"))
	if err != nil {
		return nil, err
	}
	months, err := r.Params.Int("Period", 1)
	if err != nil || months < 1 || months > 60 {
		return nil, api.Errorf(400, "InvalidPeriod", "Period must be 1 to 60 months.")
	}
	amount, err := r.Params.Int("Amount", 1)
	if err != nil || amount < 1 || amount > 1000 {
		return nil, api.Errorf(400, "InvalidAmount", "Amount must be between 1 and 1000.")
	}
	mode := r.Params.String("ChargeType")
	switch mode {
	case "":
		mode = prepaid
	case prepaid, postpaid:
	default:
		return nil, api.Errorf(400, "InvalidChargeType", "ChargeType must be PREPAY or POSTPAY, not %q.", clip(mode))
	}
	var out order
	err = s.store.Tx(ctx, func(tx *sql.Tx) error {
		id, err := state.NextID(ctx, tx)
		if err != nil {
			return err
		}
		out = order{"esa-site-" + strconv.FormatInt(id, 36), strconv.FormatInt(id, 10)}
		now := s.cfg.Now()
		_, err = tx.ExecContext(ctx, `INSERT INTO plan_instances
			(instance_id, plan_name, subscribe_type, plan_type, status, site_quota, created, expires)
			VALUES (?, ?, ?, ?, 'online', ?, ?, ?)`,
			out.InstanceID, o.name, o.subscribe, o.kind, amount, now.Unix(), now.AddDate(0, int(months), 0).Unix())
		if err == nil && mode == postpaid {
			_, err = tx.ExecContext(ctx, `INSERT INTO postpaid_instances (instance_id) VALUES (?)`, out.InstanceID)
		}
		if err != nil {
			return fmt.Errorf("store the plan instance: %w", err)
		}
		return nil
	})
	return out, err
}

// withInstance runs fn on the plan instance that a call names.
func (s *Service) withInstance(ctx context.Context, p api.Params, fn func(tx *sql.Tx, plan planModel) error) error {
	return s.store.Tx(ctx, func(tx *sql.Tx) error {
		plans, err := selectPlans(ctx, tx, `WHERE p.instance_id = ?`, p.String("InstanceId"))
		if err != nil {
			return fmt.Errorf("look up the plan instance: %w", err)
		}
		if len(plans) == 0 {
			return noInstance()
		}
		return fn(tx, plans[0])
	})
}

func noInstance() error {
	return api.Errorf(404, "InvalidInstanceId.NotFound",
		"The plan instance does not exist. ListUserRatePlanInstances lists those of the account.")
}

// upgradePlan answers UpdateRatePlanSpec, which goes upwards only.
func (s *Service) upgradePlan(ctx context.Context, r *api.Request) (any, error) {
	o, err := offer(r.Params.String("TargetPlanName"), r.Params.String("TargetPlanCode"))
	if err != nil {
		return nil, err
	}
	var out order
	err = s.withInstance(ctx, r.Params, func(tx *sql.Tx, plan planModel) error {
		rank := func(subscribe string) int {
			return slices.IndexFunc(offers(), func(o planOffer) bool { return o.subscribe == subscribe })
		}
		if rank(o.subscribe) <= rank(plan.SubscribeType) {
			return api.Errorf(400, "NotApplicable", "The instance has the plan %s: %s is no upgrade.", plan.SubscribeType, o.subscribe)
		}
		_, err := tx.ExecContext(ctx, `UPDATE plan_instances SET plan_name = ?, subscribe_type = ?, plan_type = ? WHERE instance_id = ?`,
			o.name, o.subscribe, o.kind, plan.InstanceID)
		if err != nil {
			return fmt.Errorf("store the plan instance: %w", err)
		}
		id, err := state.NextID(ctx, tx)
		out = order{plan.InstanceID, strconv.FormatInt(id, 10)}
		return err
	})
	return out, err
}

// releaseInstance answers ReleaseInstance. An instance with sites stays.
func (s *Service) releaseInstance(ctx context.Context, r *api.Request) (any, error) {
	return nil, s.withInstance(ctx, r.Params, func(tx *sql.Tx, plan planModel) error {
		sites, err := sitesOfPlan(ctx, tx, plan.InstanceID)
		if err != nil {
			return fmt.Errorf("list the sites of a plan instance: %w", err)
		}
		if len(sites) > 0 {
			return api.Errorf(400, "DependedByOthers", "The site %s is on the plan instance. Delete it first.", sites[0].SiteName)
		}
		if _, err := tx.ExecContext(ctx, `DELETE FROM plan_instances WHERE instance_id = ?`, plan.InstanceID); err != nil {
			return fmt.Errorf("delete the plan instance: %w", err)
		}
		return nil
	})
}

// instanceStatus answers DescribeRatePlanInstanceStatus.
func (s *Service) instanceStatus(ctx context.Context, r *api.Request) (any, error) {
	var out struct {
		InstanceID     string `json:"InstanceId"`
		InstanceStatus string
	}
	err := s.withInstance(ctx, r.Params, func(_ *sql.Tx, plan planModel) error {
		out.InstanceID, out.InstanceStatus = plan.InstanceID, plan.Status
		return nil
	})
	return out, err
}

type postpaidModel struct {
	BillingMethod, BillingMode, Coverages, CreateTime, ExpectedUpdateTime string
	InstanceID                                                            string `json:"InstanceId"`
	PlanName, PlanNameCn, PlanType, SiteQuota                             string
	Sites                                                                 []planSite
	Status                                                                string
}

// listPostpaid answers ListPostpaidRatePlanInstances.
func (s *Service) listPostpaid(ctx context.Context, r *api.Request) (any, error) {
	listed, err := s.plansOf(ctx, r.Params, postpaid)
	if err != nil {
		return nil, err
	}
	out := struct {
		InstanceInfo                                []postpaidModel
		PageNumber, PageSize, TotalCount, TotalPage int64
	}{[]postpaidModel{}, listed.PageNumber, listed.PageSize, listed.TotalCount, listed.TotalPage}
	for _, m := range listed.InstanceInfo {
		next, err := time.Parse(time.RFC3339, m.CreateTime)
		if err != nil {
			return nil, errors.Join(errors.New("read a stored time"), err)
		}
		out.InstanceInfo = append(out.InstanceInfo, postpaidModel{BillingMethod: "monthly", BillingMode: m.BillingMode, Coverages: m.Coverages,
			CreateTime: m.CreateTime, ExpectedUpdateTime: stamp(next.AddDate(0, 1, 0).Unix()), InstanceID: m.InstanceID, PlanName: m.PlanName,
			PlanNameCn: m.PlanName, PlanType: m.PlanType, SiteQuota: m.SiteQuota, Sites: m.Sites, Status: m.Status})
	}
	return out, nil
}
