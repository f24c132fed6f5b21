package tools

import (
	"context"
	"maps"
	"slices"

	"github.com/esa-mcp/esa-mcp/internal/esa"
)

// SiteDetails is what get_site tells of a site when it is asked for more.
type SiteDetails struct {
	CurrentNameServers []string          `json:"current_name_servers" jsonschema_description:"What the public DNS has for the domain"`
	CustomNameServers  map[string]string `json:"custom_name_servers" jsonschema_description:"Own names of the name servers, with their addresses"`
	Paused             bool              `json:"paused"`
	IPv6               string            `json:"ipv6,omitempty" jsonschema_description:"on or off"`
	IPv6Region         string            `json:"ipv6_region,omitempty" jsonschema_description:"x.x everywhere, cn.cn mainland China"`
	NameExclusive      string            `json:"name_exclusive,omitempty" jsonschema_description:"on: no other account can add the name"`
	SiteSettings
	OriginAddresses *OriginAddresses `json:"origin_addresses,omitempty"`
}

// readDetails asks for each detail. One that the plan does not have is noted and
// does not fail the rest.
func readDetails(ctx context.Context, d *Deps, notes *Noted, w wireSite) (SiteDetails, error) {
	out := SiteDetails{CustomNameServers: w.VanityNSList}
	var (
		answer struct {
			NSList []string
			Paused bool
		}
		ipv6      struct{ Enable, Region string }
		exclusive struct{ Enable string }
		flatten   struct{ FlattenMode string }
		transform managedTransform
		origin    originProtectionAnswer
	)
	parts := []detail{
		{"GetSiteCurrentNS", &answer}, {"GetSitePause", &answer}, {"GetIPv6", &ipv6}, {"GetSiteNameExclusive", &exclusive},
		{"GetCnameFlattening", &flatten}, {"GetManagedTransform", &transform}, {"GetOriginProtection", &origin},
	}
	switches := out.switches()
	states := make([]struct{ Enable string }, len(switches))
	for i, x := range switches {
		parts = append(parts, detail{"Get" + x.operation, &states[i]})
	}
	for _, part := range parts {
		if err := part.read(ctx, d, notes, w.SiteID); err != nil {
			return out, err
		}
	}
	out.CurrentNameServers, out.Paused = answer.NSList, answer.Paused
	out.IPv6, out.IPv6Region, out.NameExclusive = ipv6.Enable, ipv6.Region, exclusive.Enable
	for i, x := range switches {
		*x.value = isOn(states[i].Enable)
	}
	out.CNAMEFlattening = flatten.FlattenMode
	out.ClientGeoHeader, out.ClientIPHeader = isOn(transform.AddClientGeolocationHeader), transform.clientIPHeader()
	out.OriginProtection, out.OriginAddresses = origin.mode(), origin.addresses()
	if origin.OriginProtection == "on" {
		out.OriginConverge = isOn(origin.OriginConverge)
	}
	return out, nil
}

// detail is one question about a site, and where its answer goes.
type detail struct {
	action string
	into   any
}

// read notes what the service does not answer; only the end of ctx is an error.
func (p detail) read(ctx context.Context, d *Deps, notes *Noted, site ID) error {
	res, err := d.ESA.Call(ctx, p.action, esa.Params{"SiteId": site.number()})
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err == nil {
		notes.Note(res.Notes...)
		err = res.Decode(p.into)
	}
	if err != nil {
		notes.Note(esa.Note{ID: "unread", Text: p.action + " failed: " + Clean(err.Error())})
	}
	return nil
}

// expectedNS are the name servers that a site's domain has to be delegated to.
func (w wireSite) expectedNS() []string {
	if len(w.VanityNSList) > 0 {
		return slices.Sorted(maps.Keys(w.VanityNSList))
	}
	return w.site().NameServers
}
