// Package site is the part of the local ESA that knows sites, their DNS records
// and the plan instances that sites live on.
//
// It must not know how calls arrive or are signed, what the edge does with a
// record, nor anything of the ESA client.
//
// Error codes are the documented ones of the service wherever one is known. For
// a site's creation few are: Site.AlreadyExist and Site.InvalidName are what
// CheckSiteName answers, the others follow the service's patterns.
package site

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"time"

	"github.com/esa-mcp/esa-mcp/internal/local/api"
	"github.com/esa-mcp/esa-mcp/internal/local/quota"
	"github.com/esa-mcp/esa-mcp/internal/local/state"
)

// Config is what the service needs. The zero value of each field has a default.
type Config struct {
	// Now is the clock; time.Now if nil.
	Now func() time.Time
	// Random makes verification codes; crypto/rand's if nil.
	Random io.Reader
	// Verify decides VerifySite; VerifyReserved if nil.
	Verify Verifier
	// CurrentNS answers which name servers the public DNS has for a domain. If nil
	// nobody is asked: an active site with NS access has those it should have.
	CurrentNS func(ctx context.Context, siteName string) ([]string, error)
	// NameTaken tells what besides a record has a host name of a site, and
	// IsHostnameOrigin whether custom host names have a record as their origin;
	// nothing does if nil.
	NameTaken        func(ctx context.Context, tx *sql.Tx, siteID int64, name string) (kind string, err error)
	IsHostnameOrigin func(ctx context.Context, tx *sql.Tx, recordID int64) (bool, error)
	// PoolExists tells whether a site has an origin pool (sourceType OP) or a load
	// balancer (LB) of that name; none has if nil.
	PoolExists func(ctx context.Context, tx *sql.Tx, siteID int64, sourceType, name string) (bool, error)
	// Quotas are how many sites the first plan instance takes, when a new state
	// gets it, and how many records a site has; and what the operations on quotas
	// report.
	Quotas quota.Set
	// AllowOrigin tells which private or reserved addresses are taken as proxied
	// origins, which the service takes none of; none if nil.
	AllowOrigin func(ip netip.Addr) bool
	// RefuseOrigin tells which public addresses are not taken as proxied origins:
	// on the service its own, and those that were abused; none if nil.
	RefuseOrigin func(ip netip.Addr) bool
	// Plan is the kind of the first plan instance, when a new state gets it:
	// enterprise, high, medium or basic; enterprise if empty.
	Plan string
	// PlanStatus is its status then: online, offline, disable or overdue; online
	// if empty. Only an online one takes sites.
	PlanStatus string
}

// Service answers the operations of sites, records and plan instances.
type Service struct {
	store *state.Store
	cfg   Config
}

// New makes the service. A new account gets one plan instance, since without
// one no site can be made and the local ESA sells none.
func New(ctx context.Context, store *state.Store, cfg Config) (*Service, error) {
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Random == nil {
		cfg.Random = rand.Reader
	}
	if cfg.Verify == nil {
		cfg.Verify = VerifyReserved
	}
	if cfg.AllowOrigin == nil {
		cfg.AllowOrigin = noAddress
	}
	if cfg.RefuseOrigin == nil {
		cfg.RefuseOrigin = noAddress
	}
	if cfg.Plan == "" {
		cfg.Plan = planEnterprise
	}
	if cfg.PlanStatus == "" {
		cfg.PlanStatus = planOnline
	}
	s := &Service{store: store, cfg: cfg}
	if err := s.grantPlan(ctx); err != nil {
		return nil, fmt.Errorf("set up the plan instance: %w", err)
	}
	return s, nil
}

func noAddress(netip.Addr) bool { return false }

// Table returns the operations.
func (s *Service) Table() api.Table {
	table := api.Table{
		"BatchCreateRecords":             s.batchCreateRecords,
		"CheckSiteName":                  s.checkSiteName,
		"CreateRecord":                   s.createRecord,
		"CreateSite":                     s.createSite,
		"DeleteRecord":                   s.deleteRecord,
		"DescribeRatePlanInstanceStatus": s.instanceStatus,
		"DeleteSite":                     s.deleteSite,
		"ExportRecords":                  s.exportRecords,
		"GetMatchSite":                   s.getMatchSite,
		"GetRecord":                      s.getRecord,
		"GetSite":                        s.getSite,
		"GetSiteCurrentNS":               s.currentNS,
		"ListPostpaidRatePlanInstances":  s.listPostpaid,
		"ListTagResources":               s.listTags,
		"PurchaseRatePlan":               s.purchasePlan,
		"ReleaseInstance":                s.releaseInstance,
		"TagResources":                   s.tagResources,
		"UntagResources":                 s.untagResources,
		"UpdateRatePlanSpec":             s.upgradePlan,
		"ListInstanceQuotas":             s.listQuotas,
		"ListInstanceQuotasWithUsage":    s.listQuotaUsage,
		"ListRecords":                    s.listRecords,
		"ListSites":                      s.listSites,
		"ListUserRatePlanInstances":      s.listPlans,
		"UpdateRecord":                   s.updateRecord,
		"UpdateSiteAccessType":           s.updateAccessType,
		"UpdateSiteCoverage":             s.updateCoverage,
		"VerifySite":                     s.verifySite,
	}
	table.Add(s.optionTable())
	return table
}

// querier is the part of sql.DB and sql.Tx that reads.
type querier interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

// site is a row of the table sites.
type site struct {
	id                              int64
	name, accessType, coverage      string
	status, offlineReason           string
	instanceID, resourceGroupID     string
	nameServers, verifyCode         string
	cnameZone                       string
	created, updated                int64
	tags                            string // JSON object
	planName, planSubscribe, planOf string // of its plan instance
}

const siteColumns = `s.id, s.name, s.access_type, s.coverage, s.status, s.offline_reason, s.instance_id, s.resource_group_id,
	s.name_servers, s.verify_code, s.cname_zone, s.created, s.updated,
	(SELECT json_group_object(key, value) FROM tags WHERE site_id = s.id), p.plan_name, p.subscribe_type, p.plan_type`

const siteTables = ` FROM sites s JOIN plan_instances p ON p.instance_id = s.instance_id `

func scanSite(row interface{ Scan(...any) error }) (site, error) {
	var t site
	err := row.Scan(&t.id, &t.name, &t.accessType, &t.coverage, &t.status, &t.offlineReason, &t.instanceID, &t.resourceGroupID,
		&t.nameServers, &t.verifyCode, &t.cnameZone, &t.created, &t.updated, &t.tags, &t.planName, &t.planSubscribe, &t.planOf)
	return t, err
}

// find loads the site of that id, or fails with SiteNotFound.
func find(ctx context.Context, q querier, id int64) (site, error) {
	t, err := scanSite(q.QueryRowContext(ctx, `SELECT `+siteColumns+siteTables+`WHERE s.id = ?`, id))
	if errors.Is(err, sql.ErrNoRows) {
		return t, api.Errorf(404, "SiteNotFound", "The specified site %d does not exist.", id)
	}
	return t, err
}

// clock is the time as the tables keep it.
func (s *Service) clock() int64 { return s.cfg.Now().Unix() }

// stamp writes a time of the tables as the API does.
func stamp(unix int64) string { return time.Unix(unix, 0).UTC().Format("2006-01-02T15:04:05Z") }
