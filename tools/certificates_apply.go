package tools

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/esa-mcp/esa-mcp/internal/esa"
	"github.com/esa-mcp/esa-mcp/internal/guard"
)

// How long apply_certificate waits at most for an issue, and between two looks.
const (
	certificateWait      = 5 * time.Minute
	certificatePauseMost = 15 * time.Second
)

// ApplyCertificateInput are the arguments of apply_certificate.
type ApplyCertificateInput struct {
	SiteRef
	Domains []string `json:"domains" jsonschema:"minItems=1,maxItems=50" jsonschema_description:"Host names; *.example.com for a wildcard"`
	Type    string   `json:"type,omitempty" jsonschema:"enum=lets_encrypt,enum=digicert_single,enum=digicert_wildcard,default=lets_encrypt" jsonschema_description:"Certificate authority"`
	Wait    bool     `json:"wait,omitempty" jsonschema_description:"Wait for the issue, up to 5 minutes"`
}

// ApplyCertificateOutput is the result of apply_certificate.
type ApplyCertificateOutput struct {
	Noted
	SiteID       ID            `json:"site_id"`
	Certificates []Certificate `json:"certificates"`
}

func applyCertificate(ctx context.Context, d *Deps, in ApplyCertificateInput) (ApplyCertificateOutput, error) {
	var out ApplyCertificateOutput
	site, err := in.resolve(ctx, d)
	if err != nil {
		return out, err
	}
	out.SiteID = site
	w, err := certificateSite(ctx, d, &out.Noted, site)
	if err != nil {
		return out, err
	}
	if err := in.check(w.SiteName); err != nil {
		return out, err
	}
	wait, asked := in.Wait && !in.stuck(w), ctx
	if wait {
		asked = guard.WithSaid(ctx, "cert-wait")
	}
	answer, err := invoke[struct {
		Result []struct {
			Domain, Status string
			ID             string `json:"Id"`
		}
	}](asked, d, &out.Noted, "ApplyCertificate", esa.Params{
		"SiteId": site.number(), "Domains": strings.Join(in.Domains, ","), "Type": cmp.Or(in.Type, "lets_encrypt"),
	})
	if err != nil {
		return out, certificateQuotaError(ctx, d, site, err)
	}
	for _, r := range answer.Result {
		out.Certificates = append(out.Certificates, Certificate{ID: r.ID, Status: r.Status, Domains: []string{r.Domain}})
	}
	if wait {
		return out, out.await(ctx, d)
	}
	return out, nil
}

// check normalises the domains and refuses those that the site cannot get.
func (in *ApplyCertificateInput) check(site string) error {
	for i, domain := range in.Domains {
		domain = siteName(domain)
		bare := strings.TrimPrefix(domain, "*.")
		switch {
		case bare == "" || strings.ContainsAny(bare, "*/:, "):
			return Refuse("domains: %q is no host name. Write www.example.com or *.example.com, without scheme, port or path.", domain)
		case bare != site && !strings.HasSuffix(bare, "."+site):
			return Refuse("domains: %s is not of the site %s, so the site cannot get a certificate for it.", domain, site)
		case in.Type == "digicert_single" && bare != domain:
			return Refuse("domains: %s is a wildcard: use type digicert_wildcard or lets_encrypt.", domain)
		case in.Type == "digicert_wildcard" && bare == domain:
			return Refuse("domains: %s is no wildcard: use type digicert_single or lets_encrypt.", domain)
		}
		in.Domains[i] = domain
	}
	return nil
}

// stuck reports whether something else has to happen before a certificate can be
// issued: guardrails say what.
func (in ApplyCertificateInput) stuck(site wireSite) bool {
	wildcard := slices.ContainsFunc(in.Domains, func(domain string) bool { return strings.HasPrefix(domain, "*.") })
	return site.Status != "active" || wildcard && site.AccessType == "CNAME"
}

// await looks at the applications until all are decided or time is up.
func (out *ApplyCertificateOutput) await(ctx context.Context, d *Deps) error {
	pause, waited := time.Second, time.Duration(0)
	for {
		left := 0
		for i, c := range out.Certificates {
			if c.Status != "Applying" {
				continue
			}
			now, err := getCertificate(ctx, d, &out.Noted, out.SiteID, c.ID)
			if err != nil {
				return fmt.Errorf("look at certificate %s, which was applied for: %w", c.ID, err)
			}
			out.Certificates[i] = now.brief()
			if now.Status == "Applying" {
				left++
			}
		}
		if left == 0 {
			return nil
		}
		if waited >= certificateWait {
			out.Note(esa.Note{ID: "cert-wait", Text: "Not issued after 5 minutes: see validation, and list_certificates later."})
			return nil
		}
		Progress(ctx, waited.Seconds()+1, certificateWait.Seconds()+pause.Seconds(), fmt.Sprintf("waiting for %d of %d certificates", left, len(out.Certificates)))
		if err := d.Sleep(ctx, pause); err != nil {
			return err
		}
		waited += pause
		pause = min(2*pause, certificatePauseMost)
	}
}

// certificateSite reads the site that certificates are for.
func certificateSite(ctx context.Context, d *Deps, notes *Noted, site ID) (wireSite, error) {
	answer, err := invoke[struct{ SiteModel wireSite }](ctx, d, notes, "GetSite", esa.Params{"SiteId": site.number()})
	if err != nil {
		return wireSite{}, fmt.Errorf("look at site %s: %w", site, err)
	}
	return answer.SiteModel, nil
}

// certificateQuotaError adds to a full quota what can be deleted.
func certificateQuotaError(ctx context.Context, d *Deps, site ID, err error) error {
	if esa.CodeOf(err) != "CertQuotaCheckFailed" {
		return err
	}
	list, _ := esa.Call[struct{ Result []guard.Certificate }](ctx, d.ESA, "ListCertificates", esa.Params{"SiteId": site.number(), "PageNumber": 1, "PageSize": 500})
	return Refuse("The certificate quota is used up. %s (%w)", guard.MakeRoom(list.Result), err)
}
