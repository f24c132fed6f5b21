package tools

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/esa-mcp/esa-mcp/internal/esa"
	"github.com/esa-mcp/esa-mcp/internal/guard"
	"github.com/esa-mcp/esa-mcp/internal/rule"
)

// DiagnoseDomainInput are the arguments of diagnose_domain.
type DiagnoseDomainInput struct {
	Host   string `json:"host" jsonschema:"minLength=3" jsonschema_description:"Host name"`
	Path   string `json:"path,omitempty" jsonschema_description:"That misbehaves; default /"`
	Origin string `json:"origin,omitempty" jsonschema_description:"Server address, if known"`
}

// The severities of a finding.
const (
	SeverityError   = "error"
	SeverityWarning = "warning"
	SeverityInfo    = "info"
)

// Finding is something that a diagnosis found.
type Finding struct {
	ID       string `json:"id"`
	Severity string `json:"severity" jsonschema:"enum=error,enum=warning,enum=info" jsonschema_description:"error: the host does not work so"`
	Finding  string `json:"finding"`
	Evidence string `json:"evidence,omitempty" jsonschema_description:"What the configuration says"`
	Fix      *Fix   `json:"fix,omitempty"`
}

// Fix is the call that mends a finding.
type Fix struct {
	Tool      string         `json:"tool"`
	Arguments map[string]any `json:"arguments"`
	Fill      []string       `json:"fill,omitempty" jsonschema_description:"Arguments that only the person knows"`
}

// DiagnoseDomainOutput is the result of diagnose_domain.
type DiagnoseDomainOutput struct {
	Noted
	Host     string       `json:"host"`
	Healthy  bool         `json:"healthy" jsonschema_description:"No errors and no warnings"`
	SiteID   ID           `json:"site_id,omitempty"`
	SiteName string       `json:"site_name,omitempty"`
	Status   string       `json:"site_status,omitempty"`
	Access   string       `json:"access_type,omitempty"`
	Record   *RecordBrief `json:"record,omitempty"`
	Verdict  string       `json:"verdict,omitempty" jsonschema_description:"What the edge does with a GET by HTTPS; simulate_request shows more"`
	Findings []Finding    `json:"findings" jsonschema_description:"Worst first"`
}

func diagnoseDomainTool() Tool {
	return Define(Meta{
		Name: "diagnose_domain", Title: "Diagnose a domain", Toolset: "sites",
		Description: "Find why a host fails: 502, TLS error, old content, 401, wrong server. Checks site, DNS, certificate, route, origin, cache; each finding has the call that mends it.",
		Calls:       append(hostCalls(), "ListCertificates", "GetRoutine", "ListRoutineCodeVersions", "ListUserRoutines", "ListRoutineRelatedRecords"),
		ReadOnly:    Yes, Destructive: No, Idempotent: Yes, OpenWorld: Yes, Versioned: true,
	}, diagnoseDomain)
}

func diagnoseDomain(ctx context.Context, d *Deps, in DiagnoseDomainInput) (DiagnoseDomainOutput, error) {
	x := &diagnosis{d: d, in: in}
	host := siteName(in.Host)
	if strings.ContainsAny(host, "/:*@ ") || !strings.Contains(host, ".") {
		return x.out, Refuse("host is %q: give one host name such as www.example.com, without scheme, port and path.", in.Host)
	}
	if in.Path != "" && in.Path[0] != '/' {
		return x.out, Refuse("path is %q: it has to begin with /.", in.Path)
	}
	x.out.Host = host
	_, found, err := siteAbove(ctx, d, host)
	switch {
	case err != nil:
		return x.out, err
	case !found:
		err = x.noSite(ctx)
	default:
		err = x.withSite(ctx)
	}
	x.sort()
	return x.out, err
}

// diagnosis is one run of diagnose_domain.
type diagnosis struct {
	d   *Deps
	in  DiagnoseDomainInput
	s   *hostState
	sim SimulateRequestOutput
	out DiagnoseDomainOutput
}

// find adds a finding; fix may be nil.
func (x *diagnosis) find(id, severity string, fix *Fix, evidence, format string, args ...any) {
	x.out.Findings = append(x.out.Findings, Finding{ID: id, Severity: severity, Finding: fmt.Sprintf(format, args...), Evidence: evidence, Fix: fix})
}

// fix is a call about the site.
func (x *diagnosis) fix(tool string, args map[string]any) *Fix {
	args["site_id"] = x.s.site.ID
	return &Fix{Tool: tool, Arguments: args}
}

// sort puts the worst first.
func (x *diagnosis) sort() {
	order := []string{SeverityError, SeverityWarning, SeverityInfo}
	slices.SortStableFunc(x.out.Findings, func(a, b Finding) int {
		return cmp.Compare(slices.Index(order, a.Severity), slices.Index(order, b.Severity))
	})
	x.out.Healthy = !slices.ContainsFunc(x.out.Findings, func(f Finding) bool { return f.Severity != SeverityInfo })
}

// noSite is for hosts that no site of the account has: a routine's default domain
// is one.
func (x *diagnosis) noSite(ctx context.Context) error {
	host := x.out.Host
	name, _, _ := strings.Cut(host, ".")
	if strings.Contains(host, ".er.") {
		r, ok, err := getRoutine(ctx, x.d.ESA, name)
		if err != nil {
			return fmt.Errorf("look up routine %s: %w", name, err)
		}
		if ok && siteName(r.DefaultRelatedRecord) == strings.Replace(host, ".staging.er.", ".er.", 1) {
			x.find("pages-url-token", SeverityWarning, &Fix{Tool: "get_routine", Arguments: map[string]any{"name": name}}, "default domain of the routine "+name,
				"Default domains are private: without a token they answer 401. get_routine gives an address that opens for an hour; bind_custom_domain makes it public on a domain of yours")
			return x.deployed(ctx, name, r)
		}
	}
	labels := strings.Split(host, ".")
	site := strings.Join(labels[max(0, len(labels)-2):], ".")
	x.find("site-missing", SeverityError, &Fix{Tool: "create_site", Arguments: map[string]any{"name": site, "access_type": "CNAME"}, Fill: []string{"access_type"}},
		"", "No site of this account has %s: ESA does not know it", host)
	return nil
}

func (x *diagnosis) withSite(ctx context.Context) error {
	var err error
	if x.s, err = readHost(ctx, x.d, &x.out.Noted, x.out.Host); err != nil {
		return err
	}
	site := x.s.site
	x.out.SiteID, x.out.SiteName, x.out.Status, x.out.Access = site.ID, site.Name, site.Status, site.AccessType
	x.out.Record = x.s.record.brief()
	address := &url.URL{Scheme: "https", Host: x.out.Host, Path: cmp.Or(x.in.Path, "/")}
	w := newWalk(x.s, &rule.Request{Method: http.MethodGet, URL: address.String(), Header: http.Header{}}, address)
	w.run()
	x.sim, x.out.Verdict = w.out, w.out.Verdict
	x.checkSite()
	for _, check := range []func(context.Context) error{x.checkRecord, x.checkCertificate, x.checkRoute} {
		if err := check(ctx); err != nil {
			return err
		}
	}
	x.checkOrigin(ctx)
	x.checkAnswer()
	x.checkCache()
	return nil
}

func (x *diagnosis) checkSite() {
	site := x.s.site
	state := fmt.Sprintf("status %s, %s access", site.Status, site.AccessType)
	evidence := strings.Join(site.nextSteps(), ". ")
	switch {
	case site.Status == "pending":
		x.find("site-pending", SeverityError, x.fix("verify_site", map[string]any{}), evidence, "The site is not verified, so its domain does not lead to the edge")
	case site.OfflineReason == "missing_icp" && site.Status != "active":
		x.find("site-icp", SeverityError, x.fix("update_site", map[string]any{"coverage": "overseas"}), evidence, "The site is offline: it covers mainland China without an ICP filing")
	case site.Status != "active":
		x.find("site-offline", SeverityError, nil, cmp.Or(evidence, state), "The site is %s: the edge refuses its requests", site.Status)
	case x.s.paused:
		x.find("site-pause", SeverityError, x.fix("update_site", map[string]any{"paused": false}), "paused", "The site is paused: it has DNS only, no edge")
	}
}

func (x *diagnosis) checkRecord(ctx context.Context) error {
	r, site, host := x.s.record, x.s.site, x.out.Host
	if x.s.related && site.AccessType == "CNAME" {
		routine, err := x.relatedRoutine(ctx)
		if err != nil {
			return err
		}
		x.find("er-related-cname", SeverityError, &Fix{Tool: "delete_related_record", Arguments: map[string]any{"routine": routine, "record": host}},
			"related record of "+routine, "A related record does not work on a site with CNAME access. Delete it, then call bind_custom_domain with routine %s and domain %s", routine, host)
	}
	switch {
	case x.s.related:
	case r == nil:
		x.noRecord()
	case !r.Proxied:
		x.find("origin-not-proxied", SeverityError, &Fix{Tool: "update_record", Arguments: map[string]any{"record_id": r.ID, "proxied": true, "biz_name": "web"}},
			x.recordText(), "The record is not proxied: visitors go past the edge, no certificate, rule or routine of ESA works")
	}
	if r != nil && r.Cname != "" && site.AccessType == "CNAME" {
		target := r.Cname
		x.find("dns-cname-target", SeverityInfo, nil, "not visible from here: look with dig CNAME "+host,
			"At the domain's DNS provider %s has to be a CNAME of %s", host, target)
	}
	return nil
}

func (x *diagnosis) recordText() string {
	r := x.s.record
	return fmt.Sprintf("%s %s to %s, proxied %t", r.Type, r.Name, r.Data.Value, r.Proxied)
}

// noRecord offers a record: for the routine that a route has for the host, else
// for an origin.
func (x *diagnosis) noRecord() {
	host, evidence := x.out.Host, "neither "+x.out.Host+" nor a wildcard above it has an A/AAAA or CNAME record"
	for _, r := range x.s.routes {
		if r.Enabled && !r.Bypass && slices.Contains(ruleHosts(r.Rule), host) {
			x.find("er-route-needs-record", SeverityError, &Fix{Tool: "bind_custom_domain", Arguments: map[string]any{"routine": r.Routine, "domain": host}},
				evidence, "%s leads nowhere, so the route of %s never runs", host, r.Routine)
			return
		}
	}
	fix := &Fix{Tool: "proxy_subdomain", Arguments: map[string]any{"host": host, "origin": x.in.Origin}}
	if x.in.Origin == "" {
		fix.Fill = []string{"origin"}
	}
	x.find("dns-missing", SeverityError, fix, evidence, "%s leads nowhere", host)
}

// relatedRoutine finds the routine whose related record the host is.
func (x *diagnosis) relatedRoutine(ctx context.Context) (string, error) {
	for page := 1; page > 0; {
		answer, err := invoke[struct {
			Routines   []struct{ RoutineName string }
			TotalCount json.Number
		}](ctx, x.d, &x.out.Noted, "ListUserRoutines", esa.Params{"PageNumber": page, "PageSize": 20})
		if err != nil {
			return "", err
		}
		for _, r := range answer.Routines {
			own, err := relatedNamed(ctx, x.d, &x.out.Noted, r.RoutineName, x.out.Host)
			if own != nil || err != nil {
				return r.RoutineName, err
			}
		}
		total, _ := answer.TotalCount.Int64()
		page = nextPage(page, 20, int(total))
	}
	return "", nil
}

func (x *diagnosis) checkCertificate(ctx context.Context) error {
	list, err := hostCertificates(ctx, x.d, &x.out.Noted, x.s.site.ID, x.out.Host)
	if err != nil {
		return err
	}
	if x.s.record != nil && !x.s.record.Proxied {
		return nil // HTTPS is the origin's matter
	}
	apply := x.fix("apply_certificate", map[string]any{"domains": []string{x.out.Host}})
	evidence := "none covers the host"
	has := map[string]guard.Certificate{}
	for _, c := range list {
		has[c.Status] = c
		evidence = strings.TrimSpace(fmt.Sprintf("%s: %s %s", c.ID, c.Status, c.ApplyMessage))
	}
	_, ok := has["OK"]
	_, issued := has["Issued"]
	expiring, soon := has["Expiring"]
	applying, waits := has["Applying"]
	switch {
	case ok || issued:
	case soon && waits:
		x.find("cert-expiring", SeverityInfo, nil, expiring.ID+": Expiring, "+applying.ID+": Applying", "The certificate ends soon, and its successor is applied for")
	case soon:
		x.find("cert-expiring", SeverityWarning, apply, expiring.ID+": Expiring", "The certificate ends soon")
	case waits:
		x.find("cert-wait", SeverityWarning, nil, applying.ID+": Applying", "The certificate is applied for, not issued yet: HTTPS fails until then. That takes 1 to 5 minutes")
	default:
		x.find("cert-missing", SeverityError, apply, evidence, "No valid certificate covers the host: HTTPS fails")
	}
	return nil
}
