package tools

import (
	"context"
	"fmt"
	"strings"

	"github.com/esa-mcp/esa-mcp/internal/esa"
)

// SiteSettings are what a site is set to besides its rules. Each has a pair of
// operations of its own. As arguments, those left out stay as they are.
type SiteSettings struct {
	DevelopmentMode  *bool   `json:"development_mode,omitempty" jsonschema_description:"Past the cache, to the origin"`
	SEOBypass        *bool   `json:"seo_bypass,omitempty" jsonschema_description:"Let search crawlers pass"`
	CNAMEFlattening  string  `json:"cname_flattening,omitempty" jsonschema:"enum=flatten_at_root,enum=flatten_all" jsonschema_description:"Answer addresses for a CNAME"`
	CrossBorder      *bool   `json:"cross_border,omitempty" jsonschema_description:"Faster from mainland China"`
	PerformanceData  *bool   `json:"performance_data,omitempty" jsonschema_description:"Measure page loads"`
	ClientGeoHeader  *bool   `json:"client_geo_header,omitempty" jsonschema_description:"Visitor's place to the origin"`
	ClientIPHeader   *string `json:"client_ip_header,omitempty" jsonschema_description:"Header with the visitor's IP to the origin; empty: none"`
	OriginProtection string  `json:"origin_protection,omitempty" jsonschema:"enum=off,enum=on,enum=auto,enum=confirm" jsonschema_description:"Known ESA addresses at the origin; confirm takes the newest list, auto always"`
	OriginConverge   *bool   `json:"origin_converge,omitempty" jsonschema_description:"From fewer of them"`
}

// siteSwitch is a setting that is on or off and nothing else.
type siteSwitch struct {
	name, operation string // of Get and Update
	value           **bool
}

func (s *SiteSettings) switches() []siteSwitch {
	return []siteSwitch{
		{"development_mode", "DevelopmentMode", &s.DevelopmentMode},
		{"seo_bypass", "SeoBypass", &s.SEOBypass},
		{"cross_border", "CrossBorderOptimization", &s.CrossBorder},
		{"performance_data", "PerformanceDataCollection", &s.PerformanceData},
	}
}

// siteSettingReads and siteSettingWrites are the operations behind the settings.
func siteSettingReads() []string {
	return []string{"GetCnameFlattening", "GetCrossBorderOptimization", "GetDevelopmentMode", "GetManagedTransform", "GetOriginProtection",
		"GetPerformanceDataCollection", "GetSeoBypass"}
}

func siteSettingWrites() []string {
	return []string{"CreateOriginProtection", "DeleteOriginProtection", "GetOriginProtection", "UpdateCnameFlattening",
		"UpdateCrossBorderOptimization", "UpdateDevelopmentMode", "UpdateManagedTransform", "UpdateOriginProtection",
		"UpdateOriginProtectionIpWhiteList", "UpdatePerformanceDataCollection", "UpdateSeoBypass"}
}

// onOff is a switch as the API has it.
func onOff(on bool) string {
	if on {
		return "on"
	}
	return "off"
}

// isOn reads one; nil when the answer does not say.
func isOn(text string) *bool {
	if text == "" {
		return nil
	}
	on := text == "on"
	return &on
}

// OriginAddresses are the addresses that ESA fetches from, when they have
// changed since the owner took them over.
type OriginAddresses struct {
	NeedUpdate bool     `json:"need_update" jsonschema_description:"true: allow the added ones at the origin, then origin_protection confirm"`
	Added      []string `json:"added,omitempty"`
	Removed    []string `json:"removed,omitempty"`
	Current    int      `json:"current" jsonschema_description:"Number of addresses; raw shows them"`
}

type ipLists struct{ IPv4, IPv6 []string }

func (l ipLists) all() []string { return append(append([]string{}, l.IPv4...), l.IPv6...) }

type originProtectionAnswer struct {
	OriginProtection, OriginConverge, AutoConfirmIPList string
	NeedUpdate                                          bool
	CurrentIPWhitelist                                  ipLists
	DiffIPWhitelist                                     struct{ AddedIPWhitelist, RemovedIPWhitelist ipLists }
}

// mode is the value of origin_protection.
func (a originProtectionAnswer) mode() string {
	if a.OriginProtection == "on" && a.AutoConfirmIPList == "on" {
		return "auto"
	}
	return a.OriginProtection
}

func (a originProtectionAnswer) addresses() *OriginAddresses {
	if a.OriginProtection != "on" {
		return nil
	}
	return &OriginAddresses{
		NeedUpdate: a.NeedUpdate, Added: a.DiffIPWhitelist.AddedIPWhitelist.all(), Removed: a.DiffIPWhitelist.RemovedIPWhitelist.all(),
		Current: len(a.CurrentIPWhitelist.all()),
	}
}

type managedTransform struct{ AddClientGeolocationHeader, AddRealClientIPHeader, RealClientIPHeaderName string }

// clientIPHeader is the value of client_ip_header.
func (m managedTransform) clientIPHeader() *string {
	name := ""
	switch {
	case m.AddRealClientIPHeader == "":
		return nil
	case m.AddRealClientIPHeader == "on":
		name = m.RealClientIPHeaderName
	}
	return &name
}

// changes lists what to send for the settings that are given.
func (s *SiteSettings) changes() []siteChange {
	var list []siteChange
	for _, w := range s.switches() {
		if *w.value != nil {
			list = append(list, siteChange{w.name, "Update" + w.operation, esa.Params{"Enable": onOff(**w.value)}})
		}
	}
	if s.CNAMEFlattening != "" {
		list = append(list, siteChange{"cname_flattening", "UpdateCnameFlattening", esa.Params{"FlattenMode": s.CNAMEFlattening}})
	}
	if names, params := s.transform(); len(params) > 0 {
		list = append(list, siteChange{strings.Join(names, ", "), "UpdateManagedTransform", params})
	}
	return list
}

// transform is the managed transform that is wanted, in one call for both
// headers, and the arguments that ask for it.
func (s *SiteSettings) transform() (names []string, params esa.Params) {
	params = esa.Params{}
	if s.ClientGeoHeader != nil {
		names = append(names, "client_geo_header")
		params["AddClientGeolocationHeader"] = onOff(*s.ClientGeoHeader)
	}
	if s.ClientIPHeader != nil {
		names = append(names, "client_ip_header")
		params["AddRealClientIpHeader"] = onOff(*s.ClientIPHeader != "")
		if *s.ClientIPHeader != "" {
			params["RealClientIpHeaderName"] = *s.ClientIPHeader
		}
	}
	return names, params
}

// originChanges lists what brings the origin protection to what is wanted: it is
// made and deleted, not switched, and a change of it repeats what stays.
func (s *SiteSettings) originChanges(ctx context.Context, d *Deps, site ID) ([]siteChange, error) {
	if s.OriginProtection == "" && s.OriginConverge == nil {
		return nil, nil
	}
	now, err := esa.Call[originProtectionAnswer](ctx, d.ESA, "GetOriginProtection", esa.Params{"SiteId": site.number()})
	if err != nil {
		return nil, fmt.Errorf("read the origin protection: %w", err)
	}
	on := now.OriginProtection == "on"
	var list []siteChange
	add := func(action string, params esa.Params) {
		list = append(list, siteChange{"origin_protection", action, params})
	}
	auto := now.AutoConfirmIPList
	switch s.OriginProtection {
	case "off":
		if s.OriginConverge != nil {
			return nil, Refuse("origin_converge is a part of the origin protection, which is to be off: leave it out.")
		}
		if on {
			add("DeleteOriginProtection", esa.Params{})
		}
		return list, nil
	case "confirm":
		if !on {
			return nil, Refuse("The site has no origin protection whose addresses could be confirmed: give origin_protection on first.")
		}
		add("UpdateOriginProtectionIpWhiteList", esa.Params{})
	case "on", "auto":
		auto = onOff(s.OriginProtection == "auto")
		if !on {
			add("CreateOriginProtection", esa.Params{"AutoConfirmIPList": auto})
		}
	}
	if !on && s.OriginProtection == "" {
		return nil, Refuse("origin_converge needs the origin protection: give origin_protection on as well.")
	}
	converge := now.OriginConverge
	if s.OriginConverge != nil {
		converge = onOff(*s.OriginConverge)
	}
	if converge != now.OriginConverge || on && auto != now.AutoConfirmIPList {
		add("UpdateOriginProtection", esa.Params{"OriginConverge": converge, "AutoConfirmIPList": auto})
	}
	return list, nil
}
