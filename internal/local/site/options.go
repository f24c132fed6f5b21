package site

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/esa-mcp/esa-mcp/internal/local/api"
	configuration "github.com/esa-mcp/esa-mcp/internal/local/version"
)

// options is what can be switched on a site itself.
type options struct {
	paused            bool
	nameExclusive     string
	ipv6, ipv6Region  string
	vanityNS          []string
	versionManagement bool
}

// optionsOf reads the options of a site that exists.
func optionsOf(ctx context.Context, q querier, siteID int64) (options, error) {
	o := options{nameExclusive: "off", ipv6: "off", ipv6Region: "x.x"}
	var vanity string
	err := q.QueryRowContext(ctx, `SELECT paused, name_exclusive, ipv6, ipv6_region, vanity_ns, version_management
		FROM site_options WHERE site_id = ?`, siteID).
		Scan(&o.paused, &o.nameExclusive, &o.ipv6, &o.ipv6Region, &vanity, &o.versionManagement)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return o, fmt.Errorf("read the options of site %d: %w", siteID, err)
	}
	if vanity != "" {
		o.vanityNS = strings.Split(vanity, ",")
	}
	return o, nil
}

func storeOptions(ctx context.Context, tx *sql.Tx, siteID int64, o options) error {
	_, err := tx.ExecContext(ctx, `INSERT OR REPLACE INTO site_options
		(site_id, paused, name_exclusive, ipv6, ipv6_region, vanity_ns, version_management) VALUES (?, ?, ?, ?, ?, ?, ?)`,
		siteID, o.paused, o.nameExclusive, o.ipv6, o.ipv6Region, strings.Join(o.vanityNS, ","), o.versionManagement)
	if err != nil {
		return fmt.Errorf("store the options of site %d: %w", siteID, err)
	}
	return nil
}

// KnownVersion tells whether a site has that version of its configuration,
// besides version 0. Versions are made in the console, which no operation does: a
// site with version management is taken to have all that it can have. One that was
// not cloned is empty.
func KnownVersion(ctx context.Context, tx *sql.Tx, siteID, version int64) (bool, error) {
	o, err := optionsOf(ctx, tx, siteID)
	return o.versionManagement && version > 0 && version <= configuration.Last, err
}

// readOption makes the handler of an operation that answers one option.
func (s *Service) readOption(answer func(o options) any) api.Handler {
	return func(ctx context.Context, r *api.Request) (any, error) {
		_, o, err := s.asked(ctx, r)
		if err != nil {
			return nil, err
		}
		return answer(o), nil
	}
}

// asked is the site that a call is about, and its options.
func (s *Service) asked(ctx context.Context, r *api.Request) (site, options, error) {
	id, err := r.Params.Int("SiteId", 0)
	if err != nil {
		return site{}, options{}, err
	}
	t, err := find(ctx, s.store.DB(), id)
	if err != nil {
		return site{}, options{}, err
	}
	o, err := optionsOf(ctx, s.store.DB(), id)
	return t, o, err
}

// changeOption makes the handler of an operation that changes one option.
func (s *Service) changeOption(change func(p api.Params, t site, o *options) error) api.Handler {
	return func(ctx context.Context, r *api.Request) (any, error) {
		id, err := r.Params.Int("SiteId", 0)
		if err != nil {
			return nil, err
		}
		return nil, s.store.Tx(ctx, func(tx *sql.Tx) error {
			t, err := find(ctx, tx, id)
			if err != nil {
				return err
			}
			o, err := optionsOf(ctx, tx, id)
			if err != nil {
				return err
			}
			if err := change(r.Params, t, &o); err != nil {
				return err
			}
			return storeOptions(ctx, tx, id, o)
		})
	}
}

// optionTable has the operations that read or change an option.
func (s *Service) optionTable() api.Table {
	return api.Table{
		"ActivateVersionManagement": s.changeOption(func(_ api.Params, _ site, o *options) error {
			o.versionManagement = true
			return nil
		}),
		"DeactivateVersionManagement": s.changeOption(func(_ api.Params, _ site, o *options) error {
			o.versionManagement = false
			return nil
		}),
		"GetIPv6": s.readOption(func(o options) any {
			return struct{ Enable, Region string }{o.ipv6, o.ipv6Region}
		}),
		"UpdateIPv6": s.changeOption(updateIPv6),
		"GetSiteNameExclusive": s.readOption(func(o options) any {
			return struct{ Enable string }{o.nameExclusive}
		}),
		"UpdateSiteNameExclusive": s.changeOption(func(p api.Params, _ site, o *options) error {
			return onOff(p, "Enable", &o.nameExclusive)
		}),
		"GetSitePause": s.readOption(func(o options) any {
			return struct{ Paused bool }{o.paused}
		}),
		"UpdateSitePause":    s.changeOption(updatePause),
		"UpdateSiteVanityNS": s.changeOption(updateVanityNS),
	}
}

func onOff(p api.Params, name string, into *string) error {
	v := p.String(name)
	if v != "on" && v != "off" {
		return api.Errorf(400, "Invalid"+name, "%s must be on or off, not %q.", name, clip(v))
	}
	*into = v
	return nil
}

func updateIPv6(p api.Params, _ site, o *options) error {
	if region := p.String("Region"); region != "" {
		if region != "x.x" && region != "cn.cn" {
			return api.Errorf(400, "InvalidRegion", "Region must be x.x (everywhere) or cn.cn (mainland China).")
		}
		o.ipv6Region = region
	}
	return onOff(p, "Enable", &o.ipv6)
}

// updatePause answers UpdateSitePause. That only active sites with NS access can
// be paused is documented, the code of the refusal is not.
func updatePause(p api.Params, t site, o *options) error {
	paused, err := p.Bool("Paused", false)
	if err != nil {
		return err
	}
	if t.accessType != accessNS || t.status != statusActive {
		return api.Errorf(400, "Site.PauseNotSupported", "Only an active site with NS access can be paused or resumed; %s is %s with %s access.",
			t.name, t.status, t.accessType)
	}
	o.paused = paused
	return nil
}

// updateVanityNS answers UpdateSiteVanityNS: 2 to 5 names of the site's own for
// its name servers, or none to go back to the assigned ones.
func updateVanityNS(p api.Params, t site, o *options) error {
	var names []string
	for name := range strings.SplitSeq(p.String("VanityNSList"), ",") {
		if name = hostOf(strings.TrimSpace(name)); name != "" {
			names = append(names, name)
		}
	}
	if t.accessType != accessNS && len(names) > 0 {
		return api.Errorf(400, "InvalidParameter.VanityNS", "Custom name servers are for sites with NS access.")
	}
	if t.planOf != planEnterprise && len(names) > 0 {
		return api.Errorf(400, "NotApplicable", "Custom name servers need an enterprise plan.")
	}
	if n := len(names); n == 1 || n > 5 {
		return api.Errorf(400, "InvalidVanityNSList", "Give 2 to 5 custom name servers, not %d.", n)
	}
	for i, name := range names {
		switch {
		case !validDomain(name, false) || !within(name, t.name) || name == t.name:
			return api.Errorf(400, "InvalidVanityNSList", "%q is not a host name under %s.", clip(name), t.name)
		case slices.Contains(names[:i], name):
			return api.Errorf(400, "InvalidVanityNSList", "%s is given twice.", name)
		}
	}
	o.vanityNS = names
	return nil
}

// vanityModel is how GetSite tells the custom name servers: each with the
// address that its glue record has to have. The local ones are addresses for
// documentation.
func (o options) vanityModel() map[string]string {
	model := map[string]string{}
	for i, name := range o.vanityNS {
		model[name] = fmt.Sprintf("192.0.2.%d", 53+i)
	}
	return model
}

// effectiveNS are the name servers that the domain has to be delegated to.
func effectiveNS(t site, o options) []string {
	if len(o.vanityNS) > 0 {
		return o.vanityNS
	}
	if t.nameServers == "" {
		return nil
	}
	return strings.Split(t.nameServers, ",")
}
