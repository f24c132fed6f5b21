package tools

import (
	"cmp"
	"context"
	"fmt"
	"strings"

	"github.com/esa-mcp/esa-mcp/internal/esa"
)

// placeholderOrigin is where a record points whose requests a routine answers:
// an address that is reserved for documentation, so nobody's.
const placeholderOrigin = "192.0.2.1"

// BindCustomDomainInput are the arguments of bind_custom_domain.
type BindCustomDomainInput struct {
	Routine string `json:"routine" jsonschema:"minLength=1" jsonschema_description:"Routine or Pages site"`
	Domain  string `json:"domain" jsonschema:"minLength=3" jsonschema_description:"Full host name under a site of the account, or *.example.com"`
	Origin  string `json:"origin,omitempty" jsonschema_description:"IP or host behind the routine, if there is one"`
}

// DNSEntry is what a person has to enter at the domain's DNS provider.
type DNSEntry struct {
	Type  string `json:"type"`
	Name  string `json:"name"`
	Value string `json:"value"`
}

// BindCustomDomainOutput is the result of bind_custom_domain.
type BindCustomDomainOutput struct {
	Noted
	Routine  string      `json:"routine"`
	Domain   string      `json:"domain"`
	SiteID   ID          `json:"site_id"`
	SiteName string      `json:"site_name"`
	Complete bool        `json:"complete" jsonschema_description:"Every step is done; dns may still be to enter"`
	Steps    []SetupStep `json:"steps"`
	DNS      *DNSEntry   `json:"dns,omitempty" jsonschema_description:"To enter at the domain's DNS provider"`
	Next     []string    `json:"next" jsonschema_description:"What is left to do, and by whom"`
}

func bindCustomDomain() Tool {
	return Define(Meta{
		Name: "bind_custom_domain", Title: "Bind a domain to a routine", Toolset: "pages",
		Description: "Make a routine or Pages site public on a domain: proxied DNS record, route, certificate, and what to enter at an external DNS provider. Steps that are done are kept: call it again to go on.",
		Calls: []string{"CreateRoutineRoute", "UpdateRoutineRoute", "GetRoutineRoute", "ListSiteRoutes", "CreateRecord", "GetRecord", "GetSite", "UpdateRecord", "ListRecords",
			"ListEdgeRoutineRecords", "ListRoutineRelatedRecords", "ApplyCertificate", "ListCertificates", "GetRoutine", "ListSites"},
		ReadOnly: No, Destructive: No, Idempotent: Yes, OpenWorld: Yes,
	}, func(ctx context.Context, d *Deps, in BindCustomDomainInput) (BindCustomDomainOutput, error) {
		in.Domain, in.Origin = siteName(in.Domain), siteName(in.Origin)
		p, err := parsePattern(in.Domain)
		if err != nil || strings.Contains(in.Domain, "/") || p.Apex {
			return BindCustomDomainOutput{}, Refuse("domain is %q: give one full host name such as www.example.com, or *.example.com, without scheme, port or path.", in.Domain)
		}
		if _, ok, err := getRoutine(ctx, d.ESA, in.Routine); err != nil {
			return BindCustomDomainOutput{}, fmt.Errorf("look up routine %s: %w", in.Routine, err)
		} else if !ok {
			return BindCustomDomainOutput{}, noRoutine(in.Routine)
		}
		site, err := siteOfHost(ctx, d, p.Host)
		if err != nil {
			return BindCustomDomainOutput{}, err
		}
		release, err := d.Locks.Lock(ctx, "domain "+in.Domain)
		if err != nil {
			return BindCustomDomainOutput{}, err
		}
		defer release()
		b := binding{d: d, in: in, rule: p.Expression(), site: site}
		b.out = BindCustomDomainOutput{Routine: in.Routine, Domain: in.Domain, SiteID: site.ID, SiteName: site.Name}
		err = b.run(ctx)
		return b.out, err
	})
}

// binding is one run of bind_custom_domain.
type binding struct {
	d       *Deps
	in      BindCustomDomainInput
	rule    string
	site    Site
	record  *Record // of the domain, once it is there
	related bool    // a related record leads the domain to the routine
	out     BindCustomDomainOutput
}

// run does the steps. One that fails does not keep the others from being done.
func (b *binding) run(ctx context.Context) error {
	err := setUp(ctx, b.in.Domain, &b.out.Steps, []setupPart{{"record", b.ensureRecord}, {"route", b.ensureRoute}, {"certificate", b.ensureCertificate}})
	if err != nil {
		return err
	}
	b.tellDNS(ctx)
	b.conclude()
	return nil
}

// ensureRecord makes sure that the domain leads to the edge.
func (b *binding) ensureRecord(ctx context.Context) (SetupStep, error) {
	found, err := recordsNamed(ctx, b.d, &b.out.Noted, b.site.ID, b.in.Domain)
	if err != nil {
		return SetupStep{}, fmt.Errorf("look for records of %s: %w", b.in.Domain, err)
	}
	for _, r := range found {
		if r.Type == "A/AAAA" || r.Type == "CNAME" {
			return b.keepRecord(ctx, r)
		}
	}
	if step, ok, err := b.relatedRecord(ctx); ok || err != nil {
		return step, err
	}
	target := cmp.Or(b.in.Origin, placeholderOrigin)
	kind := "CNAME"
	if first, _, _ := strings.Cut(target, ","); isIP(first) {
		kind = "A/AAAA"
	}
	answer, err := invoke[struct{ RecordID ID }](ctx, b.d, &b.out.Noted, "CreateRecord", esa.Params{
		"SiteId": b.site.ID.number(), "RecordName": b.in.Domain, "Type": kind, "Ttl": 1, "Proxied": true, "BizName": "web",
		"Data": map[string]any{"Value": strings.ReplaceAll(target, " ", "")},
	})
	if err != nil {
		return SetupStep{}, fmt.Errorf("create the record: %w", err)
	}
	b.record = &Record{ID: answer.RecordID, Name: b.in.Domain, Type: kind, Proxied: true}
	if b.in.Origin == "" {
		b.out.Note(esa.Note{ID: "er-origin", Text: "The record points at " + placeholderOrigin +
			", where nothing answers: the routine answers everything. If there is a server behind it, give the record its address with update_record."})
	}
	return SetupStep{ID: string(answer.RecordID), Status: StepDone, Detail: kind + " record to " + target + ", proxied"}, nil
}

// keepRecord uses the record that the domain has, proxied.
func (b *binding) keepRecord(ctx context.Context, r Record) (SetupStep, error) {
	step, err := proxiedStep(ctx, b.d, &b.out.Noted, r)
	if err == nil {
		b.record = &r
	}
	return step, err
}

// relatedRecord looks for a related record, which needs no route: on a site with
// NS access it will do if it is the routine's own.
func (b *binding) relatedRecord(ctx context.Context) (step SetupStep, ok bool, err error) {
	own, err := relatedNamed(ctx, b.d, &b.out.Noted, b.in.Routine, b.in.Domain)
	if err != nil {
		return step, false, fmt.Errorf("list the routine's related records: %w", err)
	}
	switch {
	case own == nil:
		return step, false, nil
	case b.site.AccessType == "CNAME":
		return step, true, Refuse("%s is a related record of %s, which does not work on a site with CNAME access (er-related-cname): delete it with delete_related_record, then call bind_custom_domain again.",
			b.in.Domain, b.in.Routine)
	}
	b.related = true
	b.record = &Record{ID: own.ID, Name: own.Name, Proxied: true}
	return SetupStep{ID: string(own.ID), Status: StepExisting, Detail: "related record of the routine"}, true, nil
}

// ensureRoute makes the route of the domain. Another routine's is not replaced.
func (b *binding) ensureRoute(ctx context.Context) (SetupStep, error) {
	if b.related {
		return SetupStep{Status: StepExisting, Detail: "the related record needs no route"}, nil
	}
	answer, err := invoke[routesAnswer](ctx, b.d, &b.out.Noted, "ListSiteRoutes", esa.Params{"SiteId": b.site.ID.number(), "PageNumber": 1, "PageSize": 500})
	if err != nil {
		return SetupStep{}, fmt.Errorf("list the site's routes: %w", err)
	}
	for _, w := range answer.Configs {
		if w.Rule == b.rule && w.RoutineName != b.in.Routine && w.RouteEnable == "on" {
			return SetupStep{ID: string(w.ConfigID)}, Refuse("route %s runs the routine %s for this domain. To replace it call set_route with site_id %s, id %s and routine %s.",
				w.ConfigID, w.RoutineName, b.site.ID, w.ConfigID, b.in.Routine)
		}
	}
	on, off := true, false
	made, err := setRoute(ctx, b.d, SetRouteInput{
		SiteRef: SiteRef{SiteID: b.site.ID}, Routine: b.in.Routine, Rule: b.rule, Enabled: &on, Bypass: &off,
	})
	if err != nil {
		return SetupStep{}, err
	}
	for _, n := range made.Notes {
		if n.ID != "er-route-needs-record" { // the record's step says that
			b.out.Note(n)
		}
	}
	step := SetupStep{ID: string(made.ID), Status: StepDone, Detail: made.Rule + " runs " + b.in.Routine}
	if made.Status == "unchanged" {
		step.Status = StepExisting
	}
	return step, nil
}

// ensureCertificate does what proxy_subdomain does for its host.
func (b *binding) ensureCertificate(ctx context.Context) (SetupStep, error) {
	p := proxySetup{d: b.d, in: ProxySubdomainInput{Host: b.in.Domain}, site: b.site, record: b.record}
	step, err := p.ensureCertificate(ctx)
	b.out.Note(p.out.Notes...)
	if step.Status == StepWaiting && b.site.AccessType == "CNAME" && strings.HasPrefix(b.in.Domain, "*.") {
		b.out.Note(esa.Note{ID: "cert-cname-wildcard", Text: "On a site with CNAME access a wildcard certificate is issued only once control of the domain is delegated (GetDcvDelegation)."})
	}
	return step, err
}

// tellDNS says what has to be entered outside of ESA: on a site with CNAME
// access, where the domain has to point.
func (b *binding) tellDNS(ctx context.Context) {
	if b.site.AccessType == "CNAME" && b.record != nil && !b.related {
		found, err := recordsNamed(ctx, b.d, &b.out.Noted, b.site.ID, b.in.Domain)
		if err == nil {
			for _, r := range found {
				if r.ID == b.record.ID && r.Cname != "" {
					b.out.DNS = &DNSEntry{Type: "CNAME", Name: b.in.Domain, Value: r.Cname}
				}
			}
		}
		if b.out.DNS == nil {
			b.out.Next = append(b.out.Next, "get_record of record "+string(b.record.ID)+" shows the CNAME to enter at the domain's DNS provider")
		} else {
			b.out.Next = append(b.out.Next, fmt.Sprintf("At the domain's DNS provider: CNAME %s to %s, unless it is there already", b.in.Domain, b.out.DNS.Value))
		}
	}
	if b.site.Status != "active" {
		b.out.Next = append(b.out.Next, b.site.nextSteps()...)
	}
}

// conclude says what is left.
func (b *binding) conclude() {
	var failed, waiting []string
	for _, s := range b.out.Steps {
		switch s.Status {
		case StepFailed:
			failed = append(failed, s.Step)
		case StepWaiting:
			waiting = append(waiting, s.Step)
		}
	}
	b.out.Complete = len(failed) == 0 && len(waiting) == 0 && b.site.Status == "active"
	switch {
	case len(failed) > 0:
		b.out.Next = append(b.out.Next, fmt.Sprintf("Correct what failed (%s), then call bind_custom_domain again: the other steps are kept", strings.Join(failed, ", ")))
	case len(waiting) > 0:
		b.out.Next = append(b.out.Next, "Call bind_custom_domain again in some minutes: it looks whether the certificate is issued")
	case b.out.Complete && !strings.HasPrefix(b.in.Domain, "*."):
		b.out.Next = append(b.out.Next, "Open https://"+b.in.Domain+"/")
	}
}
