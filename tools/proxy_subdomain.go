package tools

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/esa-mcp/esa-mcp/internal/esa"
	"github.com/esa-mcp/esa-mcp/internal/guard"
)

// ProxySubdomainInput are the arguments of proxy_subdomain.
type ProxySubdomainInput struct {
	Host         string `json:"host" jsonschema:"minLength=3" jsonschema_description:"Full host name to serve, such as api.example.com"`
	Origin       string `json:"origin,omitempty" jsonschema_description:"IPs (comma-separated) or host name of the server; needed until the record exists"`
	OriginScheme string `json:"origin_scheme,omitempty" jsonschema:"enum=http,enum=https" jsonschema_description:"What the origin speaks; default https"`
	OriginPort   int    `json:"origin_port,omitempty" jsonschema_description:"Its port, if not the usual one"`
	OriginHost   string `json:"origin_host,omitempty" jsonschema_description:"Host header, if not host"`
}

// ProxySubdomainOutput is the result of proxy_subdomain.
type ProxySubdomainOutput struct {
	Noted
	Host     string      `json:"host"`
	SiteID   ID          `json:"site_id"`
	SiteName string      `json:"site_name"`
	Complete bool        `json:"complete" jsonschema_description:"Every step is done"`
	Steps    []SetupStep `json:"steps"`
	Next     []string    `json:"next" jsonschema_description:"What is left to do, and by whom"`
}

func proxySubdomain() Tool {
	return Define(Meta{
		Name: "proxy_subdomain", Title: "Proxy a host to its origin", Toolset: "origin",
		Description: "Put a host of a site in front of a server: proxied DNS record, certificate, origin rule, check. Steps that are done are kept: call it again to go on after waiting or a failure.",
		Calls: []string{"ListSites", "ListRecords", "CreateRecord", "GetRecord", "GetSite", "UpdateRecord", "ListCertificates", "ApplyCertificate",
			"ListOriginRules", "GetOriginRule", "CreateOriginRule", "UpdateOriginRule", "ListSiteRoutes"},
		ReadOnly: No, Destructive: Yes, Idempotent: Yes, OpenWorld: Yes, Versioned: true,
	}, func(ctx context.Context, d *Deps, in ProxySubdomainInput) (ProxySubdomainOutput, error) {
		if err := in.check(); err != nil {
			return ProxySubdomainOutput{}, err
		}
		site, err := siteOfHost(ctx, d, in.Host)
		if err != nil {
			return ProxySubdomainOutput{}, err
		}
		release, err := d.Locks.Lock(ctx, "proxy "+in.Host)
		if err != nil {
			return ProxySubdomainOutput{}, err
		}
		defer release()
		p := proxySetup{d: d, in: in, site: site}
		p.out = ProxySubdomainOutput{Host: in.Host, SiteID: site.ID, SiteName: site.Name}
		err = p.run(ctx)
		return p.out, err
	})
}

// check refuses what is no host and no origin, before anything is sent.
func (in *ProxySubdomainInput) check() error {
	in.Host, in.Origin = siteName(in.Host), siteName(in.Origin)
	if strings.ContainsAny(in.Host, "/: *") || !strings.Contains(in.Host, ".") || isIP(in.Host) {
		return Refuse("host is %q: give one full host name, such as api.example.com, without scheme, port or path.", in.Host)
	}
	if strings.Contains(in.Origin, "://") || strings.Contains(in.Origin, "/") {
		return Refuse("origin is %q: give IP addresses or a host name alone; the protocol is origin_scheme, the port origin_port.", in.Origin)
	}
	if host, port, ok := strings.Cut(in.Origin, ":"); ok && !strings.Contains(port, ":") {
		return Refuse("origin has a port: give origin %s and origin_port %s.", host, port)
	}
	if in.Origin == in.Host {
		return Refuse("origin is the host itself, which would lead back to the edge: give the server's IP address or another name.")
	}
	if in.OriginPort < 0 || in.OriginPort > 65535 {
		return Refuse("origin_port must be from 1 to 65535, not %d.", in.OriginPort)
	}
	return nil
}

// proxySetup is one run of proxy_subdomain.
type proxySetup struct {
	d      *Deps
	in     ProxySubdomainInput
	site   Site
	record *Record // of the host, once it is there
	out    ProxySubdomainOutput
}

// run does the steps. One that fails does not keep the others from being done,
// but for those that need it.
func (p *proxySetup) run(ctx context.Context) error {
	err := setUp(ctx, p.in.Host, &p.out.Steps,
		[]setupPart{{"record", p.ensureRecord}, {"certificate", p.ensureCertificate}, {"origin_rule", p.ensureRule}, {"verification", p.verify}})
	if err != nil {
		return err
	}
	p.conclude()
	return nil
}

// conclude says what is left.
func (p *proxySetup) conclude() {
	failed, waiting := p.inState(StepFailed), p.inState(StepWaiting)
	p.out.Complete = len(failed) == 0 && len(waiting) == 0
	switch {
	case len(failed) > 0:
		p.out.Next = append(p.out.Next, fmt.Sprintf("Correct what failed (%s), then call proxy_subdomain again: the other steps are kept", strings.Join(failed, ", ")))
	case len(waiting) > 0:
		p.out.Next = append(p.out.Next, "Call proxy_subdomain again in some minutes")
	default:
		p.out.Next = append(p.out.Next, "Open https://"+p.in.Host+"/. A 502 means that the origin does not answer as origin_scheme and origin_port say")
	}
}

func (p *proxySetup) inState(state string) []string {
	var names []string
	for _, s := range p.out.Steps {
		if s.Status == state {
			names = append(names, s.Step)
		}
	}
	return names
}

// ensureRecord makes the proxied record of the host, or switches the proxy of an
// existing one on. A record that points elsewhere is left alone.
func (p *proxySetup) ensureRecord(ctx context.Context) (SetupStep, error) {
	found, err := recordsNamed(ctx, p.d, &p.out.Noted, p.site.ID, p.in.Host)
	if err != nil {
		return SetupStep{}, err
	}
	at := slices.IndexFunc(found, func(r Record) bool { return r.Type == "A/AAAA" || r.Type == "CNAME" })
	if at < 0 {
		return p.createRecord(ctx)
	}
	r := found[at]
	if p.in.Origin != "" && !sameTargets(p.in.Origin, r.Data.Value) {
		return SetupStep{ID: string(r.ID)}, Refuse("%s points at %s, not at %s. To change it call update_record with record_id %s; to keep it leave origin out.",
			p.in.Host, r.Data.Value, p.in.Origin, r.ID)
	}
	step, err := proxiedStep(guard.WithSaid(ctx, "cert-not-automatic"), p.d, &p.out.Noted, r)
	if err == nil {
		p.record = &r
	}
	return step, err
}

// proxiedStep switches the proxy of a record on, if it is off, and keeps the rest
// of the record.
func proxiedStep(ctx context.Context, d *Deps, noted *Noted, r Record) (SetupStep, error) {
	step := SetupStep{ID: string(r.ID), Status: StepExisting, Detail: fmt.Sprintf("%s record to %s, proxied", r.Type, r.Data.Value)}
	if r.Proxied {
		return step, nil
	}
	on := true
	changed, err := updateRecord(ctx, d, UpdateRecordInput{RecordID: r.ID, Proxied: &on})
	if err != nil {
		return step, fmt.Errorf("switch the proxy of record %s on: %w", r.ID, err)
	}
	noted.Note(changed.Notes...)
	step.Status, step.Detail = StepDone, step.Detail+" from now on"
	return step, nil
}

func (p *proxySetup) createRecord(ctx context.Context) (SetupStep, error) {
	if p.in.Origin == "" {
		return SetupStep{}, Refuse("%s has no record yet: give origin, the IP addresses or the host name of the server.", p.in.Host)
	}
	kind := "CNAME"
	if first, _, _ := strings.Cut(p.in.Origin, ","); isIP(first) {
		kind = "A/AAAA"
	}
	answer, err := invoke[struct {
		RecordID ID `json:"RecordId"`
	}](guard.WithSaid(ctx, "cert-not-automatic"), p.d, &p.out.Noted, "CreateRecord", esa.Params{
		"SiteId": p.site.ID.number(), "RecordName": p.in.Host, "Type": kind, "Ttl": 1, "Proxied": true, "BizName": "web",
		"Data": map[string]any{"Value": strings.ReplaceAll(p.in.Origin, " ", "")},
	})
	if err != nil {
		return SetupStep{}, fmt.Errorf("create the record: %w", err)
	}
	p.record = &Record{ID: answer.RecordID, Name: p.in.Host, Type: kind, Proxied: true}
	return SetupStep{ID: string(answer.RecordID), Status: StepDone, Detail: kind + " record to " + p.in.Origin + ", proxied"}, nil
}

// sameTargets compares lists of addresses or names, in any order and spelling.
func sameTargets(a, b string) bool {
	set := func(list string) []string {
		var out []string
		for text := range strings.SplitSeq(list, ",") {
			text = siteName(text)
			if ip, err := netip.ParseAddr(text); err == nil {
				text = ip.String()
			}
			out = append(out, text)
		}
		slices.Sort(out)
		return out
	}
	return slices.Equal(set(a), set(b))
}
