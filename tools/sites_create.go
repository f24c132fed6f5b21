package tools

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/esa-mcp/esa-mcp/internal/esa"
)

// CreateSiteInput are the arguments of create_site.
type CreateSiteInput struct {
	Name         string `json:"name" jsonschema:"minLength=3,maxLength=253" jsonschema_description:"Domain, such as example.com"`
	AccessType   string `json:"access_type" jsonschema:"enum=NS,enum=CNAME" jsonschema_description:"NS: ESA becomes its DNS; CNAME: DNS stays elsewhere"`
	Coverage     string `json:"coverage,omitempty" jsonschema:"enum=domestic,enum=global,enum=overseas,default=overseas" jsonschema_description:"Mainland China (domestic, global) needs an ICP filing"`
	PlanInstance string `json:"plan_instance,omitempty" jsonschema_description:"From list_plan_instances; default one with room"`
}

// SiteOutput is a site and what remains to be done about it.
type SiteOutput struct {
	Noted
	Site
	NextSteps []string `json:"next_steps,omitempty"`
}

func createSite(ctx context.Context, d *Deps, in CreateSiteInput) (SiteOutput, error) {
	var out SiteOutput
	name, coverage := siteName(in.Name), cmp.Or(in.Coverage, "overseas")
	if !strings.Contains(name, ".") || strings.ContainsAny(name, "/:*@ ") {
		return out, Refuse("name %q is not a domain: give it alone, such as example.com, without scheme, port or path.", in.Name)
	}
	instance, err := in.instance(ctx, d, coverage)
	if err != nil {
		return out, err
	}
	made, err := invoke[struct {
		SiteID         ID `json:"SiteId"`
		NameServerList string
		VerifyCode     string
	}](ctx, d, &out.Noted, "CreateSite", esa.Params{"SiteName": name, "AccessType": in.AccessType, "Coverage": coverage, "InstanceId": instance})
	switch code := esa.CodeOf(err); {
	case strings.Contains(code, "AlreadyExist"):
		return out, Refuse("The site %s exists already: look at it with get_site. If it is not in this account, another one has it. (%w)", name, err)
	case err != nil:
		return out, err
	}
	w := wireSite{SiteID: made.SiteID, SiteName: name, Status: "pending", AccessType: in.AccessType, Coverage: coverage,
		InstanceID: instance, NameServerList: made.NameServerList, VerifyCode: made.VerifyCode}
	if read, err := (SiteRef{SiteID: made.SiteID}).load(ctx, d, &out.Noted); err == nil {
		w = read
	} else {
		out.Note(unread("this is what was sent and answered"))
	}
	out.Site = w.site()
	out.NextSteps = out.Site.nextSteps()
	return out, nil
}

// wirePlan is a plan instance as answers have it.
type wirePlan struct {
	InstanceID    string `json:"InstanceId"`
	PlanName      string
	SubscribeType string
	Status        string
	SiteQuota     string
	Coverages     string
	ExpireTime    string
	Sites         []struct {
		SiteID   ID `json:"SiteId"`
		SiteName string
	}
}

type listPlansAnswer struct {
	InstanceInfo []wirePlan
	TotalCount   int
}

// instance is the plan instance that the site goes on: the one that was named,
// or the first with room.
func (in CreateSiteInput) instance(ctx context.Context, d *Deps, coverage string) (string, error) {
	if in.PlanInstance != "" {
		return in.PlanInstance, nil
	}
	found, err := esa.Call[listPlansAnswer](ctx, d.ESA, "ListUserRatePlanInstances", esa.Params{
		"CheckRemainingSiteQuota": "true", "Status": "online", "PageNumber": 1, "PageSize": 100,
	})
	if err != nil {
		return "", fmt.Errorf("look for a plan instance with room: %w", err)
	}
	for _, p := range found.InstanceInfo {
		if p.Coverages == "" || slices.Contains(strings.Split(p.Coverages, ","), coverage) {
			return p.InstanceID, nil
		}
	}
	if len(found.InstanceInfo) > 0 {
		return "", Refuse("No plan instance with room covers %s (site-plan): choose another coverage; list_plan_instances shows what each covers.", coverage)
	}
	return "", Refuse("No plan instance has room for another site (site-plan): delete a site, or buy a plan in the ESA console; this tool never buys. " +
		"list_plan_instances shows what the account has.")
}

// CheckSiteNameInput are the arguments of check_site_name.
type CheckSiteNameInput struct {
	Name string `json:"name" jsonschema:"minLength=1,maxLength=253" jsonschema_description:"Domain, such as example.com"`
}

// CheckSiteNameOutput is the result of check_site_name.
type CheckSiteNameOutput struct {
	Noted
	Name      string `json:"name"`
	Available bool   `json:"available"`
	Reason    string `json:"reason,omitempty" jsonschema_description:"Why it is not"`
	SubSite   bool   `json:"sub_site,omitempty" jsonschema_description:"The name lies under a site of the account"`
}

func checkSiteName(ctx context.Context, d *Deps, in CheckSiteNameInput) (CheckSiteNameOutput, error) {
	out := CheckSiteNameOutput{Name: siteName(in.Name)}
	answer, err := invoke[struct {
		Passed, IsSubSite bool
		Description       string
		Message           string `json:"Messeage"` // the service spells it so
	}](ctx, d, &out.Noted, "CheckSiteName", esa.Params{"SiteName": out.Name})
	if err != nil {
		return out, err
	}
	out.Available, out.SubSite = answer.Passed, answer.IsSubSite
	if !answer.Passed {
		out.Reason = strings.Trim(answer.Description+": "+answer.Message, ": ")
	}
	return out, nil
}

// VerifySiteOutput is the result of verify_site.
type VerifySiteOutput struct {
	Noted
	SiteID  ID       `json:"site_id"`
	Name    string   `json:"name"`
	Passed  bool     `json:"passed"`
	Status  string   `json:"status"`
	Missing []string `json:"missing,omitempty" jsonschema_description:"What to do before the next try"`
}

// VerifySiteInput are the arguments of verify_site.
type VerifySiteInput struct {
	SiteRef
}

func verifySite(ctx context.Context, d *Deps, in VerifySiteInput) (VerifySiteOutput, error) {
	var out VerifySiteOutput
	id, err := in.resolve(ctx, d)
	if err != nil {
		return out, err
	}
	answer, err := invoke[struct{ Passed bool }](ctx, d, &out.Noted, "VerifySite", esa.Params{"SiteId": id.number()})
	if err != nil {
		return out, err
	}
	w, err := (SiteRef{SiteID: id}).load(ctx, d, &out.Noted)
	if err != nil {
		return out, err
	}
	out.SiteID, out.Name, out.Passed, out.Status = id, w.SiteName, answer.Passed, w.Status
	if out.Passed {
		return out, nil
	}
	if w.AccessType != "NS" {
		out.Missing = []string{fmt.Sprintf("TXT record _esaauth.%s with the value %s at the domain's DNS provider; new records can take minutes to be seen",
			w.SiteName, w.VerifyCode)}
		return out, nil
	}
	missing := fmt.Sprintf("the name servers of %s at its registrar must be exactly %s", w.SiteName, strings.Join(w.expectedNS(), " and "))
	if now, err := esa.Call[struct{ NSList []string }](ctx, d.ESA, "GetSiteCurrentNS", esa.Params{"SiteId": id.number()}); err == nil {
		missing += "; now they are: " + cmp.Or(strings.Join(now.NSList, ", "), "none that the public DNS knows")
	}
	out.Missing = []string{missing + ". A change can take hours to be seen"}
	return out, nil
}
