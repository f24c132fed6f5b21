package tools

import (
	"cmp"
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/esa-mcp/esa-mcp/internal/esa"
	"github.com/esa-mcp/esa-mcp/internal/guard"
)

// hostCertificates lists the certificates that cover a host, in whatever state.
func hostCertificates(ctx context.Context, d *Deps, notes *Noted, site ID, host string) ([]guard.Certificate, error) {
	var list []guard.Certificate
	for page := 1; page > 0 && page <= 20; {
		answer, err := invoke[struct {
			Result     []guard.Certificate
			TotalCount int
		}](ctx, d, notes, "ListCertificates", esa.Params{"SiteId": site.number(), "PageNumber": page, "PageSize": 50})
		if err != nil {
			return nil, fmt.Errorf("list the certificates: %w", err)
		}
		for _, c := range answer.Result {
			if c.Covers(host) {
				list = append(list, c)
			}
		}
		page = nextPage(page, 50, answer.TotalCount)
	}
	return list, nil
}

// ensureCertificate looks for a certificate of the host, and applies for one
// where none is valid or under way.
func (p *proxySetup) ensureCertificate(ctx context.Context) (SetupStep, error) {
	var applying, refused *guard.Certificate
	list, err := hostCertificates(ctx, p.d, &p.out.Noted, p.site.ID, p.in.Host)
	if err != nil {
		return SetupStep{}, err
	}
	for _, c := range list {
		switch c.Status {
		case "OK", "Issued", "Expiring":
			return SetupStep{ID: c.ID, Status: StepExisting, Detail: "valid certificate (" + c.Status + ")"}, nil
		case "Applying":
			applying = &c
		case "ApplyFailed":
			refused = &c
		}
	}
	if applying != nil {
		return SetupStep{ID: applying.ID, Status: StepWaiting, Detail: "applied for, not issued yet: that takes 1 to 5 minutes"}, nil
	}
	if p.record == nil {
		return SetupStep{Status: StepWaiting, Detail: "needs the record first"}, nil
	}
	step, err := p.applyForCertificate(ctx)
	if refused != nil {
		step.Detail += fmt.Sprintf("; application %s before it failed: %s", refused.ID, refused.ApplyMessage)
	}
	return step, err
}

func (p *proxySetup) applyForCertificate(ctx context.Context) (SetupStep, error) {
	answer, err := invoke[struct {
		Result []struct {
			ID     string `json:"Id"`
			Status string
		}
	}](guard.WithSaid(ctx, "cert-wait"), p.d, &p.out.Noted, "ApplyCertificate", esa.Params{"SiteId": p.site.ID.number(), "Domains": p.in.Host, "Type": "lets_encrypt"})
	if err != nil {
		return SetupStep{}, fmt.Errorf("apply for the certificate: %w", certificateQuotaError(ctx, p.d, p.site.ID, err))
	}
	step := SetupStep{Status: StepWaiting, Detail: "applied for: issuing takes 1 to 5 minutes"}
	if len(answer.Result) > 0 {
		step.ID = answer.Result[0].ID
		if answer.Result[0].Status == "OK" {
			step.Status, step.Detail = StepDone, "issued"
		}
	}
	return step, nil
}

// condition is the rule that this tool writes, and finds again.
func (p *proxySetup) condition() string { return `(http.host eq "` + p.in.Host + `")` }

// ensureRule makes the origin rule of the host, or changes in the existing one
// what was asked for.
func (p *proxySetup) ensureRule(ctx context.Context) (SetupStep, error) {
	in := SetOriginRuleInput{
		RuleRef:      RuleRef{SiteRef: SiteRef{SiteID: p.site.ID}, Rule: p.condition(), Name: p.in.Host},
		OriginScheme: p.in.OriginScheme, OriginPort: p.in.OriginPort, OriginHost: p.in.OriginHost,
	}
	found, err := p.findRule(ctx)
	if err != nil {
		return SetupStep{}, err
	}
	if found != nil {
		if found.Enabled && p.fits(*found) {
			return SetupStep{ID: string(found.ID), Status: StepExisting, Detail: "origin rule: " + describeOrigin(found.Settings)}, nil
		}
		on := true
		in.RuleRef = RuleRef{SiteRef: in.SiteRef, RuleID: found.ID, Enabled: &on}
	} else if in.OriginScheme == "" && in.OriginPort == 0 {
		in.OriginScheme = "https"
		p.out.Note(esa.Note{ID: "origin-scheme", Text: guard.OriginSchemeNote(0) + ". If the origin speaks http only, call again with origin_scheme http"})
	}
	// The steps of the record and of the verification say these.
	said := guard.WithSaid(guard.WithSaid(ctx, "origin-not-proxied"), "origin-route-wins")
	written, err := setOriginRule(said, p.d, in)
	if err != nil {
		return SetupStep{}, fmt.Errorf("write the origin rule: %w", err)
	}
	p.out.Note(written.Notes...)
	step := SetupStep{ID: string(written.Rule.ID), Status: StepDone, Detail: "origin rule: " + describeOrigin(written.Rule.Settings)}
	if p.record == nil {
		step.Detail += "; it runs once the record is there"
	}
	return step, nil
}

func (p *proxySetup) findRule(ctx context.Context) (*SettingsRule, error) {
	for page := 1; page > 0; {
		rules, total, err := originRules().configs(ctx, p.d, &p.out.Noted, esa.Params{"SiteId": p.site.ID.number(), "PageNumber": page, "PageSize": 500})
		if err != nil {
			return nil, fmt.Errorf("list the origin rules: %w", err)
		}
		for i := range rules {
			if bare(rules[i].Rule) == bare(p.condition()) {
				return &rules[i], nil
			}
		}
		page = nextPage(page, 500, total)
	}
	return nil, nil
}

// bare is a condition without its outer parentheses and doubled blanks.
func bare(rule string) string {
	rule = strings.Join(strings.Fields(rule), " ")
	return strings.TrimSuffix(strings.TrimPrefix(rule, "("), ")")
}

// fits reports whether a rule has what was asked for. What was not, is as it is.
func (p *proxySetup) fits(r SettingsRule) bool {
	scheme := cmp.Or(p.in.OriginScheme, r.Settings["origin_scheme"])
	if r.Settings["origin_scheme"] != scheme || p.in.OriginHost != "" && r.Settings["origin_host"] != p.in.OriginHost {
		return false
	}
	return p.in.OriginPort == 0 || r.Settings["origin_"+scheme+"_port"] == strconv.Itoa(p.in.OriginPort)
}

// describeOrigin says in brief how a rule reaches the origin.
func describeOrigin(settings map[string]string) string {
	scheme := cmp.Or(settings["origin_scheme"], "https")
	text := scheme
	if port := settings["origin_"+scheme+"_port"]; port != "" {
		text += ", port " + port
	}
	if host := settings["origin_host"]; host != "" {
		text += ", Host " + host
	}
	return text
}

// verify reads back what visitors depend on.
func (p *proxySetup) verify(ctx context.Context) (SetupStep, error) {
	found, err := recordsNamed(ctx, p.d, &p.out.Noted, p.site.ID, p.in.Host)
	if err != nil {
		return SetupStep{}, fmt.Errorf("read the record back: %w", err)
	}
	p.noteRoutes(ctx)
	var proxied *Record
	for i := range found {
		if found[i].Proxied {
			proxied = &found[i]
		}
	}
	rule, err := p.findRule(ctx)
	if err != nil {
		return SetupStep{}, err
	}
	waits := p.inState(StepWaiting)
	switch {
	case proxied == nil:
		return SetupStep{Status: StepFailed, Detail: "the host has no proxied record, so visitors do not come through the edge"}, nil
	case rule == nil || !rule.Enabled:
		return SetupStep{Status: StepFailed, Detail: "no enabled origin rule is in place: the edge reaches the origin by https on its usual port"}, nil
	}
	if proxied.Cname != "" && p.site.AccessType == "CNAME" {
		p.out.Next = append(p.out.Next, fmt.Sprintf("At the domain's DNS provider: CNAME %s to %s", p.in.Host, proxied.Cname))
	}
	if p.site.Status != "active" {
		p.out.Next = append(p.out.Next, p.site.nextSteps()...)
		return SetupStep{Status: StepWaiting, Detail: "the site is " + p.site.Status + ": nothing is served before it is active"}, nil
	}
	if len(waits) > 0 || len(p.inState(StepFailed)) > 0 {
		return SetupStep{Status: StepWaiting, Detail: "record and origin rule are in place; HTTPS works once the certificate is issued"}, nil
	}
	return SetupStep{Status: StepDone, Detail: "record, certificate and origin rule are in place; changes reach all nodes within minutes"}, nil
}

// noteRoutes names routes of edge functions for the host, which win over the
// origin.
func (p *proxySetup) noteRoutes(ctx context.Context) {
	answer, err := invoke[struct {
		Configs []struct{ RouteName, RoutineName, Rule, RouteEnable, Bypass string }
	}](ctx, p.d, &p.out.Noted, "ListSiteRoutes", esa.Params{"SiteId": p.site.ID.number(), "PageNumber": 1, "PageSize": 500})
	if err != nil {
		return // a courtesy
	}
	for _, r := range answer.Configs {
		if r.RouteEnable != "off" && r.Bypass != "on" && ruleHost(r.Rule) == p.in.Host {
			p.out.Note(esa.Note{ID: "origin-route-wins", Text: fmt.Sprintf("route %s of routine %s takes requests of %s before the origin", r.RouteName, r.RoutineName, p.in.Host)})
		}
	}
}
