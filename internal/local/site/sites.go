package site

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"

	"github.com/esa-mcp/esa-mcp/internal/local/api"
	"github.com/esa-mcp/esa-mcp/internal/local/state"
)

// How a domain comes to ESA.
const (
	accessNS    = "NS"
	accessCNAME = "CNAME"
)

// The states of a site that the local ESA sets.
const (
	statusPending = "pending"
	statusActive  = "active"
)

// createSite answers CreateSite.
func (s *Service) createSite(ctx context.Context, r *api.Request) (any, error) {
	t := site{
		name:            strings.ToLower(r.Params.String("SiteName")),
		accessType:      r.Params.String("AccessType"),
		coverage:        r.Params.String("Coverage"),
		instanceID:      r.Params.String("InstanceId"),
		resourceGroupID: r.Params.String("ResourceGroupId"),
		status:          statusPending,
		cnameZone:       s.store.Account().Hash + ".cname.localhost",
		created:         s.clock(),
		updated:         s.clock(),
	}
	if !validDomain(t.name, false) {
		return nil, api.Errorf(400, "Site.InvalidName", "SiteName must be a domain name such as example.com, without a trailing dot; "+
			"write an international name in punycode.")
	}
	if err := checkCoverage(t.coverage); err != nil {
		return nil, err
	}
	if err := s.assign(&t); err != nil {
		return nil, err
	}
	err := s.store.Tx(ctx, func(tx *sql.Tx) (err error) {
		if err := checkRoom(ctx, tx, t); err != nil {
			return err
		}
		if t.id, err = state.NextID(ctx, tx); err != nil {
			return err
		}
		return insertSite(ctx, tx, t)
	})
	if err != nil {
		return nil, err
	}
	return struct {
		NameServerList string
		SiteID         int64 `json:"SiteId"`
		VerifyCode     string
	}{t.nameServers, t.id, t.verifyCode}, nil
}

// checkRoom refuses a site whose name is taken or whose plan instance does not
// take it.
func checkRoom(ctx context.Context, tx *sql.Tx, t site) error {
	var taken bool
	if err := tx.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM sites WHERE name = ?)`, t.name).Scan(&taken); err != nil {
		return fmt.Errorf("look up the site's name: %w", err)
	}
	if taken {
		return api.Errorf(400, "Site.AlreadyExist", "The website domain name %s has already been added.", t.name)
	}
	above, err := matchSite(ctx, tx, t.name)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return fmt.Errorf("look for a site above: %w", err)
	}
	isSub := err == nil
	var status, plan string
	var quota, used int
	err = tx.QueryRowContext(ctx, `SELECT status, plan_type, site_quota, (SELECT COUNT(*) FROM sites s WHERE s.instance_id = p.instance_id)
		FROM plan_instances p WHERE instance_id = ?`, t.instanceID).Scan(&status, &plan, &quota, &used)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return api.Errorf(404, "InvalidInstanceId.NotFound",
			"The plan instance does not exist. ListUserRatePlanInstances lists those of the account.")
	case err != nil:
		return fmt.Errorf("look up the plan instance: %w", err)
	case status != planOnline:
		return api.Errorf(400, "Instance.NotOnline", "The plan instance is %s.", status)
	case isSub && plan != planEnterprise:
		return api.Errorf(400, "Site.SubSiteUnavailable", "%s lies under the site %s; the plan %s takes no such site.", t.name, above.name, plan)
	case used >= quota:
		return api.Errorf(400, "QuotaExceed.SiteCount", "The plan instance has all its %d sites already.", quota)
	}
	return nil
}

func insertSite(ctx context.Context, tx *sql.Tx, t site) error {
	_, err := tx.ExecContext(ctx, `INSERT INTO sites (id, name, access_type, coverage, status, instance_id, resource_group_id,
		name_servers, verify_code, cname_zone, created, updated) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		t.id, t.name, t.accessType, t.coverage, t.status, t.instanceID, t.resourceGroupID,
		t.nameServers, t.verifyCode, t.cnameZone, t.created, t.updated)
	if err != nil {
		return fmt.Errorf("store the site: %w", err)
	}
	return nil
}

// checkSiteName answers CheckSiteName. A sub-site is a name under a site that
// the account has; only an enterprise plan takes them.
func (s *Service) checkSiteName(ctx context.Context, r *api.Request) (any, error) {
	name := strings.ToLower(r.Params.String("SiteName"))
	out := struct {
		Description string
		IsSubSite   bool
		Message     string `json:"Messeage"` // the service spells it so
		Passed      bool
	}{Description: "success", Passed: true}
	refuse := func(code, why string) { out.Description, out.Message, out.Passed = code, why, false }
	if !validDomain(name, false) {
		refuse("Site.InvalidName", "Invalid website domain name.")
		return out, nil
	}
	match, err := matchSite(ctx, s.store.DB(), name)
	switch {
	case errors.Is(err, sql.ErrNoRows):
	case err != nil:
		return nil, fmt.Errorf("look up the site's name: %w", err)
	case match.name == name:
		refuse("Site.AlreadyExist", "The website domain name has already been added.")
	default:
		out.IsSubSite = true
		var takes bool
		err := s.store.DB().QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM plan_instances WHERE plan_type = ?)`, planEnterprise).Scan(&takes)
		if err != nil {
			return nil, fmt.Errorf("look for a plan that takes sub-sites: %w", err)
		}
		if !takes {
			refuse("Site.SubSiteUnavailable", "The plan does not take a site under another one.")
		}
	}
	return out, nil
}

// getMatchSite answers GetMatchSite, which no documentation lists but clients
// call: the site that a record name belongs to.
func (s *Service) getMatchSite(ctx context.Context, r *api.Request) (any, error) {
	name := strings.ToLower(strings.TrimSpace(r.Params.String("RecordName")))
	if name == "" {
		return nil, api.Errorf(400, "MissingRecordName", "RecordName is mandatory for this action.")
	}
	t, err := matchSite(ctx, s.store.DB(), name)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, api.Errorf(404, "SiteNotFound", "No site of the account has the name %q.", name)
	}
	return struct {
		SiteID   int64 `json:"SiteId"`
		SiteName string
	}{t.id, t.name}, err
}

// matchSite finds the site with the longest name that name is or lies under.
func matchSite(ctx context.Context, q querier, name string) (site, error) {
	return scanSite(q.QueryRowContext(ctx, `SELECT `+siteColumns+siteTables+
		`WHERE ?1 = s.name OR substr(?1, -length(s.name) - 1) = '.' || s.name ORDER BY length(s.name) DESC LIMIT 1`, name))
}

// verifySite answers VerifySite. A pass makes a pending site active at once;
// how it is decided is Config.Verify's matter.
func (s *Service) verifySite(ctx context.Context, r *api.Request) (any, error) {
	t, o, err := s.asked(ctx, r)
	if err != nil {
		return nil, err
	}
	passed := t.status == statusActive
	if !passed {
		claim := Claim{SiteName: t.name, AccessType: t.accessType, VerifyCode: t.verifyCode, NameServers: effectiveNS(t, o)}
		if passed, err = s.cfg.Verify(ctx, claim); err != nil {
			return nil, fmt.Errorf("verify site %s: %w", t.name, err)
		}
	}
	if passed {
		_, err := s.store.Exec(ctx, `UPDATE sites SET status = ?, updated = ? WHERE id = ? AND status = ?`,
			statusActive, s.clock(), t.id, statusPending)
		if err != nil {
			return nil, fmt.Errorf("make the site active: %w", err)
		}
	}
	return struct{ Passed bool }{passed}, nil
}

// deleteSite answers DeleteSite: all that belongs to the site goes with it.
func (s *Service) deleteSite(ctx context.Context, r *api.Request) (any, error) {
	id, err := r.Params.Int("SiteId", 0)
	if err != nil {
		return nil, err
	}
	return nil, s.store.Tx(ctx, func(tx *sql.Tx) error {
		if _, err := find(ctx, tx, id); err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, `DELETE FROM sites WHERE id = ?`, id); err != nil {
			return fmt.Errorf("delete the site: %w", err)
		}
		return nil
	})
}
