package tools

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/esa-mcp/esa-mcp/internal/esa"
)

// UpdateSiteInput are the arguments of update_site.
type UpdateSiteInput struct {
	SiteRef
	AccessType    string   `json:"access_type,omitempty" jsonschema:"enum=NS,enum=CNAME" jsonschema_description:"To CNAME: only proxied A/AAAA and CNAME records may be left"`
	Coverage      string   `json:"coverage,omitempty" jsonschema:"enum=domestic,enum=global,enum=overseas" jsonschema_description:"As in create_site"`
	Paused        *bool    `json:"paused,omitempty" jsonschema_description:"Only DNS, no edge; for active NS sites"`
	NameExclusive *bool    `json:"name_exclusive,omitempty" jsonschema_description:"No other account can add the name"`
	VanityNS      []string `json:"vanity_ns,omitempty" jsonschema:"maxItems=5" jsonschema_description:"2-5 own name servers; [] for the assigned"`
	IPv6          string   `json:"ipv6,omitempty" jsonschema:"enum=on,enum=off,enum=mainland" jsonschema_description:"mainland: in mainland China only"`
	Versions      *bool    `json:"version_management,omitempty" jsonschema_description:"Keep configuration in versions"`
	SiteSettings
}

// UpdateSiteOutput is the result of update_site.
type UpdateSiteOutput struct {
	Noted
	Changed []string `json:"changed" jsonschema_description:"Settings that were sent"`
	Site
	VersionManagement bool     `json:"version_management"`
	NextSteps         []string `json:"next_steps,omitempty"`
}

// siteChange is one setting to send.
type siteChange struct {
	name, action string
	params       esa.Params
}

func updateSite(ctx context.Context, d *Deps, in UpdateSiteInput) (UpdateSiteOutput, error) {
	var out UpdateSiteOutput
	changes := append(in.changes(), in.SiteSettings.changes()...)
	if len(changes) == 0 && in.OriginProtection == "" && in.OriginConverge == nil {
		return out, Refuse("Nothing to change: give a setting, such as coverage, paused or development_mode.")
	}
	w, err := in.load(ctx, d, &out.Noted)
	if err != nil {
		return out, err
	}
	if err := in.check(ctx, d, w); err != nil {
		return out, err
	}
	origin, err := in.originChanges(ctx, d, w.SiteID)
	if err != nil {
		return out, err
	}
	for _, c := range append(changes, origin...) {
		c.params["SiteId"] = w.SiteID.number()
		if _, err := invoke[struct{}](ctx, d, &out.Noted, c.action, c.params); err != nil {
			if len(out.Changed) > 0 {
				return out, fmt.Errorf("change %s of %s (changed before: %s): %w", c.name, w.SiteName, strings.Join(out.Changed, ", "), err)
			}
			return out, fmt.Errorf("change %s of %s: %w", c.name, w.SiteName, err)
		}
		if !slices.Contains(out.Changed, c.name) {
			out.Changed = append(out.Changed, c.name)
		}
	}
	if now, err := (SiteRef{SiteID: w.SiteID}).load(ctx, d, &out.Noted); err == nil {
		w = now
	} else {
		out.Note(unread("the site is shown as it was before"))
	}
	out.Site, out.VersionManagement = w.site(), w.VersionManagement
	out.NextSteps = append(out.Site.nextSteps(), in.afterwards(w)...)
	return out, nil
}

// changes lists what to send, in an order in which one setting makes room for
// the next: custom name servers go before the access type.
func (in UpdateSiteInput) changes() []siteChange {
	var list []siteChange
	add := func(name, action string, params esa.Params) { list = append(list, siteChange{name, action, params}) }
	if in.VanityNS != nil && len(in.VanityNS) == 0 {
		add("vanity_ns", "UpdateSiteVanityNS", esa.Params{"VanityNSList": ""})
	}
	if in.Paused != nil && !*in.Paused {
		add("paused", "UpdateSitePause", esa.Params{"Paused": false})
	}
	if in.AccessType != "" {
		add("access_type", "UpdateSiteAccessType", esa.Params{"AccessType": in.AccessType})
	}
	if in.Coverage != "" {
		add("coverage", "UpdateSiteCoverage", esa.Params{"Coverage": in.Coverage})
	}
	if len(in.VanityNS) > 0 {
		add("vanity_ns", "UpdateSiteVanityNS", esa.Params{"VanityNSList": strings.Join(in.VanityNS, ",")})
	}
	if in.NameExclusive != nil {
		add("name_exclusive", "UpdateSiteNameExclusive", esa.Params{"Enable": onOff(*in.NameExclusive)})
	}
	switch in.IPv6 {
	case "off":
		add("ipv6", "UpdateIPv6", esa.Params{"Enable": "off"})
	case "on":
		add("ipv6", "UpdateIPv6", esa.Params{"Enable": "on", "Region": "x.x"})
	case "mainland":
		add("ipv6", "UpdateIPv6", esa.Params{"Enable": "on", "Region": "cn.cn"})
	}
	if in.Versions != nil {
		action := map[bool]string{true: "ActivateVersionManagement", false: "DeactivateVersionManagement"}[*in.Versions]
		add("version_management", action, esa.Params{})
	}
	if in.Paused != nil && *in.Paused {
		add("paused", "UpdateSitePause", esa.Params{"Paused": true})
	}
	return list
}

// check refuses what ESA would refuse after half of the changes were made.
func (in UpdateSiteInput) check(ctx context.Context, d *Deps, w wireSite) error {
	access := w.AccessType
	if in.AccessType != "" {
		access = in.AccessType
	}
	if in.Paused != nil && *in.Paused && (access != "NS" || w.Status != "active") {
		return Refuse("Only an active site with NS access can be paused (site-pause); %s is %s with %s access. To stop the edge for one name, set proxied to false with update_record.",
			w.SiteName, w.Status, access)
	}
	if n := len(in.VanityNS); n == 1 {
		return Refuse("vanity_ns: give 2 to 5 names, or none for the assigned name servers.")
	} else if n > 0 && access != "NS" {
		return Refuse("vanity_ns is for sites with NS access; %s has %s access.", w.SiteName, access)
	}
	if in.AccessType == "CNAME" && w.AccessType == "NS" {
		return in.checkSwitch(ctx, d, w)
	}
	return nil
}

// maxListed bounds how many things an error names.
const maxListed = 20

// checkSwitch refuses the way from NS to CNAME access while records are in it.
func (in UpdateSiteInput) checkSwitch(ctx context.Context, d *Deps, w wireSite) error {
	if len(w.VanityNSList) > 0 && (in.VanityNS == nil || len(in.VanityNS) > 0) {
		return Refuse("%s has custom name servers, which CNAME access excludes (site-access-switch): give vanity_ns [] as well.", w.SiteName)
	}
	var misfits []string
	err := eachRecord(ctx, d, w.SiteID, func(r wireRecord) {
		if !isWeb(r.RecordType) || !r.Proxied {
			why := "not proxied"
			if !isWeb(r.RecordType) {
				why = "type"
			}
			misfits = append(misfits, fmt.Sprintf("%s %s (record_id %s, %s)", r.RecordType, r.RecordName, r.RecordID, why))
		}
	})
	if err != nil {
		return err
	}
	if len(misfits) == 0 {
		return nil
	}
	more := ""
	if n := len(misfits) - maxListed; n > 0 {
		misfits, more = misfits[:maxListed], fmt.Sprintf(" and %d more", n)
	}
	return Refuse("CNAME access takes only proxied A/AAAA and CNAME records (site-access-switch). In the way: %s%s. "+
		"Export them, then delete them or set proxied with update_record.", strings.Join(misfits, ", "), more)
}

// eachRecord gives every record of a site, page by page.
func eachRecord(ctx context.Context, d *Deps, site ID, use func(wireRecord)) error {
	const size = 500
	for page := 1; page > 0; {
		answer, err := esa.Call[listRecordsAnswer](ctx, d.ESA, "ListRecords", esa.Params{"SiteId": site.number(), "PageNumber": page, "PageSize": size})
		if err != nil {
			return fmt.Errorf("list the site's records: %w", err)
		}
		for _, r := range answer.Records {
			use(r)
		}
		if len(answer.Records) == 0 {
			return nil
		}
		page = nextPage(page, size, answer.TotalCount)
	}
	return nil
}

// afterwards says what the owner has to do outside of ESA after a change.
func (in UpdateSiteInput) afterwards(w wireSite) []string {
	var steps []string
	if in.AccessType == "CNAME" && w.Status != "pending" {
		steps = append(steps, "At the domain's DNS provider point each name at the cname that list_records shows for it.")
	}
	if in.AccessType == "NS" && w.Status != "pending" || len(in.VanityNS) > 0 {
		steps = append(steps, "Set the name servers at the registrar to "+strings.Join(w.expectedNS(), " and ")+".")
	}
	for _, name := range slices.Sorted(maps.Keys(w.VanityNSList)) {
		address := w.VanityNSList[name]
		if len(in.VanityNS) > 0 && address != "" {
			steps = append(steps, fmt.Sprintf("Glue record at the registrar: %s has the address %s.", name, address))
		}
	}
	return steps
}
