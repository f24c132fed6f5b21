package tools

import (
	"cmp"
	"context"
	"fmt"
	"strings"

	"github.com/esa-mcp/esa-mcp/internal/esa"
)

// ListSitesInput are the arguments of list_sites.
type ListSitesInput struct {
	Name       string `json:"name,omitempty" jsonschema:"maxLength=253" jsonschema_description:"Part of the site's name"`
	Match      string `json:"match,omitempty" jsonschema:"enum=fuzzy,enum=exact,enum=prefix,enum=suffix,default=fuzzy" jsonschema_description:"How name is compared"`
	Status     string `json:"status,omitempty" jsonschema:"enum=pending,enum=active,enum=offline,enum=moved" jsonschema_description:"Only sites in this state"`
	AccessType string `json:"access_type,omitempty" jsonschema:"enum=NS,enum=CNAME" jsonschema_description:"Only sites connected this way"`
	Page       int    `json:"page,omitempty" jsonschema:"minimum=1,default=1" jsonschema_description:"Page number"`
	PageSize   int    `json:"page_size,omitempty" jsonschema:"minimum=1,maximum=500,default=20" jsonschema_description:"Sites per page"`
}

// Site is one site of the account.
type Site struct {
	ID            ID       `json:"id" jsonschema_description:"Site id"`
	Name          string   `json:"name"`
	Status        string   `json:"status" jsonschema_description:"pending until verified, then active; offline or moved"`
	AccessType    string   `json:"access_type" jsonschema_description:"NS: ESA is the DNS of the domain; CNAME: another DNS points at ESA"`
	Coverage      string   `json:"coverage,omitempty" jsonschema_description:"domestic, global or overseas"`
	Plan          string   `json:"plan,omitempty"`
	PlanInstance  string   `json:"plan_instance,omitempty"`
	NameServers   []string `json:"name_servers,omitempty"`
	CnameZone     string   `json:"cname_zone,omitempty" jsonschema_description:"CNAME access: suffix that a host's CNAME gets"`
	VerifyCode    string   `json:"verify_code,omitempty" jsonschema_description:"CNAME access: value of the TXT record that proves ownership"`
	OfflineReason string   `json:"offline_reason,omitempty"`
	Created       string   `json:"created,omitempty"`
}

// ListSitesOutput is the result of list_sites.
type ListSitesOutput struct {
	Noted
	Sites     []Site   `json:"sites"`
	Total     int      `json:"total" jsonschema_description:"Sites on all pages"`
	Page      int      `json:"page"`
	NextPage  int      `json:"next_page,omitempty" jsonschema_description:"Left out on the last page"`
	NextSteps []string `json:"next_steps,omitempty" jsonschema_description:"What pending or offline sites wait for"`
}

// GetSiteInput are the arguments of get_site.
type GetSiteInput struct {
	SiteRef
	Details bool `json:"details,omitempty" jsonschema_description:"Also name servers in use and all settings"`
}

// GetSiteOutput is the result of get_site.
type GetSiteOutput struct {
	Noted
	Site
	ResourceGroup     string         `json:"resource_group,omitempty"`
	VersionManagement bool           `json:"version_management" jsonschema_description:"true: configuration changes need a site version"`
	Tags              map[string]any `json:"tags"`
	Updated           string         `json:"updated,omitempty"`
	Details           *SiteDetails   `json:"details,omitempty"`
	NextSteps         []string       `json:"next_steps,omitempty" jsonschema_description:"What a pending or offline site waits for"`
}

// wireSite is a site as the API tells it.
type wireSite struct {
	SiteID            ID `json:"SiteId"`
	SiteName          string
	Status            string
	AccessType        string
	Coverage          string
	PlanName          string
	InstanceID        string `json:"InstanceId"`
	NameServerList    string
	CnameZone         string
	VerifyCode        string
	OfflineReason     string
	CreateTime        string
	UpdateTime        string
	ResourceGroupID   string `json:"ResourceGroupId"`
	VersionManagement bool
	Tags              map[string]any
	VanityNSList      map[string]string
}

type listSitesAnswer struct {
	Sites      []wireSite
	TotalCount int
}

// siteTools are the tools of the toolset "sites".
func siteTools() []Tool {
	return []Tool{
		Define(Meta{
			Name: "list_sites", Title: "List sites", Toolset: "sites",
			Calls:       []string{"ListSites"},
			Description: "Lists the account's sites (domains), with state and what pending ones wait for.",
			ReadOnly:    Yes, Destructive: No, Idempotent: Yes, OpenWorld: Yes,
		}, listSites),
		Define(Meta{
			Name: "get_site", Title: "Show a site", Toolset: "sites",
			Calls:       append([]string{"GetIPv6", "GetSite", "GetSiteCurrentNS", "GetSiteNameExclusive", "GetSitePause", "ListSites"}, siteSettingReads()...),
			Description: "Shows one site, or that of a host name: state, access type, coverage, plan, name servers, and what it waits for.",
			ReadOnly:    Yes, Destructive: No, Idempotent: Yes, OpenWorld: Yes, Versioned: true,
		}, getSite),
		diagnoseDomainTool(),
		Define(Meta{
			Name: "create_site", Title: "Add a site", Toolset: "sites",
			Calls:       []string{"CreateSite", "GetSite", "ListUserRatePlanInstances"},
			Description: "Adds a domain as a site on a plan instance that has room; never buys one. Then verify_site.",
			ReadOnly:    No, Destructive: No, Idempotent: No, OpenWorld: Yes,
		}, createSite),
		Define(Meta{
			Name: "verify_site", Title: "Verify a site", Toolset: "sites",
			Calls:       []string{"GetSite", "GetSiteCurrentNS", "ListSites", "VerifySite"},
			Description: "Checks who owns a pending site and activates it, or says what is still missing.",
			ReadOnly:    No, Destructive: No, Idempotent: Yes, OpenWorld: Yes,
		}, verifySite),
		Define(Meta{
			Name: "update_site", Title: "Change a site", Toolset: "sites",
			Calls: append([]string{"ActivateVersionManagement", "DeactivateVersionManagement", "GetSite", "ListRecords", "ListSites", "UpdateIPv6",
				"UpdateSiteAccessType", "UpdateSiteCoverage", "UpdateSiteNameExclusive", "UpdateSitePause", "UpdateSiteVanityNS"}, siteSettingWrites()...),
			Description: "Changes settings of a site; what is left out stays.",
			ReadOnly:    No, Destructive: Yes, Idempotent: Yes, OpenWorld: Yes, Versioned: true,
		}, updateSite),
		Define(Meta{
			Name: "delete_site", Title: "Delete a site", Toolset: "sites",
			Calls:       append([]string{"DeleteSite", "GetSite", "ListSites"}, lostWithSite()...),
			Description: "Deletes a site with all its records, rules and certificates. First without confirm: says what would go. Ask the person.",
			ReadOnly:    No, Destructive: Yes, Idempotent: Yes, OpenWorld: Yes,
		}, deleteSite),
		Define(Meta{
			Name: "check_site_name", Title: "Check a site name", Toolset: "sites",
			Calls:       []string{"CheckSiteName"},
			Description: "Says whether a domain can be added as a site.",
			ReadOnly:    Yes, Destructive: No, Idempotent: Yes, OpenWorld: Yes,
		}, checkSiteName),
		Define(Meta{
			Name: "list_plan_instances", Title: "List plan instances", Toolset: "sites",
			Calls:       []string{"ListInstanceQuotas", "ListInstanceQuotasWithUsage", "ListUserRatePlanInstances"},
			Description: "Lists the plans that the account has bought, with their sites and quotas.",
			ReadOnly:    Yes, Destructive: No, Idempotent: Yes, OpenWorld: Yes,
		}, listPlanInstances),
	}
}

func listSites(ctx context.Context, d *Deps, in ListSitesInput) (ListSitesOutput, error) {
	page, size := cmp.Or(in.Page, 1), cmp.Or(in.PageSize, 20)
	params := esa.Params{"PageNumber": page, "PageSize": size}
	if name := siteName(in.Name); name != "" {
		params["SiteName"] = name
		params["SiteSearchType"] = cmp.Or(in.Match, "fuzzy")
	}
	if in.Status != "" {
		params["Status"] = in.Status
	}
	if in.AccessType != "" {
		params["AccessType"] = in.AccessType
	}
	var out ListSitesOutput
	answer, err := invoke[listSitesAnswer](ctx, d, &out.Noted, "ListSites", params)
	if err != nil {
		return out, err
	}
	for _, w := range answer.Sites {
		s := w.site()
		out.Sites = append(out.Sites, s.brief())
		out.NextSteps = append(out.NextSteps, s.nextSteps()...)
	}
	out.Total, out.Page, out.NextPage = answer.TotalCount, page, nextPage(page, size, answer.TotalCount)
	return out, nil
}

func getSite(ctx context.Context, d *Deps, in GetSiteInput) (GetSiteOutput, error) {
	var out GetSiteOutput
	ref, err := in.orOfHost(ctx, d, &out.Noted)
	if err != nil {
		return out, err
	}
	w, err := ref.load(ctx, d, &out.Noted)
	if err != nil {
		return out, err
	}
	out.Site = w.site()
	out.ResourceGroup, out.Updated = w.ResourceGroupID, w.UpdateTime
	out.VersionManagement, out.Tags = w.VersionManagement, w.Tags
	out.NextSteps = out.Site.nextSteps()
	if in.Details {
		details, err := readDetails(ctx, d, &out.Noted, w)
		if err != nil {
			return out, err
		}
		out.Details = &details
	}
	return out, nil
}

// orOfHost takes a host name for the name of the site that it belongs to.
func (ref SiteRef) orOfHost(ctx context.Context, d *Deps, notes *Noted) (SiteRef, error) {
	if ref.SiteName == "" {
		return ref, nil
	}
	site, found, err := siteAbove(ctx, d, ref.SiteName)
	if host := siteName(ref.SiteName); found && siteName(site.SiteName) != host {
		notes.Note(esa.Note{ID: "host", Text: host + " is a host of the site " + site.SiteName + "."})
		ref.SiteName = site.SiteName
	}
	if found && ref.SiteID == "" {
		return SiteRef{SiteID: site.SiteID}, nil // looked up once is enough
	}
	return ref, err
}

// brief is a site as one of many: get_site shows the rest.
func (s Site) brief() Site {
	return Site{ID: s.ID, Name: s.Name, Status: s.Status, AccessType: s.AccessType, OfflineReason: s.OfflineReason}
}

func (w wireSite) site() Site {
	s := Site{
		ID: w.SiteID, Name: w.SiteName, Status: w.Status, AccessType: w.AccessType, Coverage: w.Coverage,
		Plan: w.PlanName, PlanInstance: w.InstanceID, CnameZone: w.CnameZone, VerifyCode: w.VerifyCode,
		OfflineReason: w.OfflineReason, Created: w.CreateTime,
	}
	for ns := range strings.SplitSeq(w.NameServerList, ",") {
		if ns = strings.TrimSpace(ns); ns != "" {
			s.NameServers = append(s.NameServers, ns)
		}
	}
	return s
}

// nextSteps says what the owner of a site that is not active has to do.
func (s Site) nextSteps() []string {
	switch {
	case s.Status == "pending" && s.AccessType == "NS" && len(s.NameServers) > 0:
		return []string{fmt.Sprintf("%s is pending: set its name servers at the registrar to %s, then verify the site (verify_site)",
			s.Name, strings.Join(s.NameServers, " and "))}
	case s.Status == "pending" && s.AccessType == "CNAME" && s.VerifyCode != "":
		return []string{fmt.Sprintf("%s is pending: add the TXT record _esaauth.%s with the value %s at its DNS provider, then verify the site (verify_site)",
			s.Name, s.Name, s.VerifyCode)}
	case s.Status == "pending":
		return []string{s.Name + " is pending: its ownership is not verified yet (verify_site)"}
	case s.Status == "offline" && s.OfflineReason == "missing_icp":
		return []string{s.Name + " is offline: coverage in mainland China needs an ICP filing of the domain; file it or change the coverage to overseas"}
	case s.Status == "offline" && s.OfflineReason == "expiration_arrears":
		return []string{s.Name + " is offline: its plan has expired or is unpaid; renew it in the console"}
	case s.Status == "offline":
		return []string{strings.TrimSuffix(s.Name+" is offline: "+s.OfflineReason, ": ")}
	}
	return nil
}

// load reads the site that ref means.
func (ref SiteRef) load(ctx context.Context, d *Deps, notes *Noted) (wireSite, error) {
	id, err := ref.resolve(ctx, d)
	if err != nil {
		return wireSite{}, err
	}
	answer, err := invoke[struct{ SiteModel wireSite }](ctx, d, notes, "GetSite", esa.Params{"SiteId": id.number()})
	if err != nil {
		return wireSite{}, err
	}
	return answer.SiteModel, nil
}
