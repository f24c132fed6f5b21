package tools

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/esa-mcp/esa-mcp/internal/esa"
	"github.com/esa-mcp/esa-mcp/internal/guard"
)

// The kinds of certificates. What ESA shows to origins has operations of its own:
// one set for certificates of a whole site, one for those of some hosts.
const (
	kindEdge        = "edge"
	kindOriginSite  = "origin_site"
	kindOriginHosts = "origin_hosts"
)

// CertKind is embedded in the input of tools for all kinds of certificates.
type CertKind struct {
	Kind string `json:"kind,omitempty" jsonschema:"enum=edge,enum=origin_site,enum=origin_hosts,default=edge" jsonschema_description:"edge: shown to visitors; else shown to origins"`
}

// originAction is the operation of a verb for a kind of origin client certificate.
func originAction(kind, verb, noun string) string {
	if kind == kindOriginSite {
		return verb + "Site" + noun
	}
	return verb + noun
}

// UploadOriginCertInput are the arguments of upload_origin_client_cert.
type UploadOriginCertInput struct {
	SiteRef
	CertificatePath string   `json:"certificate_path" jsonschema:"minLength=1" jsonschema_description:"PEM file, leaf first"`
	KeyPath         string   `json:"key_path" jsonschema:"minLength=1" jsonschema_description:"PEM file of its key"`
	Name            string   `json:"name,omitempty" jsonschema:"maxLength=128" jsonschema_description:"Label"`
	Hostnames       []string `json:"hostnames,omitempty" jsonschema_description:"Hosts; default: the whole site"`
}

// OriginCertOutput is one origin client certificate.
type OriginCertOutput struct {
	Noted
	SiteID ID     `json:"site_id"`
	Kind   string `json:"kind"`
	Certificate
}

func uploadOriginCert() Tool {
	return Define(Meta{
		Name: "upload_origin_client_cert", Title: "Upload an origin client certificate", Toolset: "certificates",
		Description: "Uploads the certificate that ESA shows to origins (mutual TLS), checked before sending.",
		Calls: []string{"GetSite", "ListSites", "SetOriginClientCertificateHostnames", "UploadOriginClientCertificate",
			"UploadSiteOriginClientCertificate"},
		ReadOnly: No, Destructive: No, Idempotent: No, OpenWorld: Yes,
	}, func(ctx context.Context, d *Deps, in UploadOriginCertInput) (OriginCertOutput, error) {
		out := OriginCertOutput{Kind: kindOriginSite}
		pair, err := readPair(in.CertificatePath, in.KeyPath, d.Now())
		if err != nil {
			return out, err
		}
		if out.SiteID, err = in.resolve(ctx, d); err != nil {
			return out, err
		}
		site, err := certificateSite(ctx, d, &out.Noted, out.SiteID)
		if err != nil {
			return out, err
		}
		hosts, err := hostsWithin(in.Hostnames, site.SiteName)
		if err != nil {
			return out, err
		}
		if len(hosts) > 0 {
			out.Kind = kindOriginHosts
		}
		w, err := invoke[wireCertificate](guard.WithSaid(ctx, "cert-key-path"), d, &out.Noted, originAction(out.Kind, "Upload", "OriginClientCertificate"), esa.Params{
			"SiteId": out.SiteID.number(), "Certificate": pair.certificate, "PrivateKey": pair.key,
			"Name": cmp.Or(in.Name, pair.leaf.Subject.CommonName, "origin client"),
		})
		if err != nil {
			return out, originCertError(err, "")
		}
		out.Certificate = w.detail()
		if len(hosts) > 0 {
			set, err := setHostnames(ctx, d, &out.Noted, out.SiteID, w.ID, hosts)
			if err != nil {
				return out, Refuse("Certificate %s was uploaded, but its hosts were not set: call set_origin_client_cert_hosts for it, do not upload again. (%w)", w.ID, err)
			}
			out.Hostnames = set
		}
		return out, nil
	})
}

// hostsWithin normalises host names and refuses those of other sites.
func hostsWithin(hosts []string, site string) ([]string, error) {
	out := make([]string, 0, len(hosts))
	for _, host := range hosts {
		host = siteName(host)
		if host == "" || strings.ContainsAny(host, "*/:, ") || host != site && !strings.HasSuffix(host, "."+site) {
			return nil, Refuse("hostnames: %q is no host name of the site %s. Write www.%s; wildcards are not taken.", host, site, site)
		}
		if !slices.Contains(out, host) {
			out = append(out, host)
		}
	}
	return out, nil
}

// listOrigin fills a page of origin client certificates.
func (out *CertificateList) listOrigin(ctx context.Context, d *Deps, in ListCertificatesInput) error {
	if in.ID != "" {
		return out.oneOrigin(ctx, d, in)
	}
	page, size := cmp.Or(in.Page, 1), cmp.Or(in.PageSize, 20)
	answer, err := invoke[certificatesAnswer](ctx, d, &out.Noted, originAction(in.Kind, "List", "OriginClientCertificates"),
		esa.Params{"SiteId": out.SiteID.number(), "PageNumber": page, "PageSize": size})
	if err != nil {
		return err
	}
	for _, c := range answer.Result {
		out.Certificates = append(out.Certificates, c.brief())
	}
	out.Total, out.NextPage = answer.TotalCount, nextPage(page, size, answer.TotalCount)
	return nil
}

func (out *CertificateList) oneOrigin(ctx context.Context, d *Deps, in ListCertificatesInput) error {
	params := esa.Params{"SiteId": out.SiteID.number(), "Id": in.ID}
	answer, err := invoke[struct{ Result wireCertificate }](ctx, d, &out.Noted, originAction(in.Kind, "Get", "OriginClientCertificate"), params)
	if err != nil {
		return originCertError(err, in.ID)
	}
	if in.Kind == kindOriginHosts {
		hosts, err := invoke[struct{ Hostnames []string }](ctx, d, &out.Noted, "GetOriginClientCertificateHostnames", params)
		if err != nil {
			return fmt.Errorf("read the hosts of %s: %w", in.ID, err)
		}
		answer.Result.Hostnames = hosts.Hostnames
	}
	out.Certificates, out.Total = []Certificate{answer.Result.detail()}, 1
	return nil
}

// SetOriginCertHostsInput are the arguments of set_origin_client_cert_hosts.
type SetOriginCertHostsInput struct {
	CertificateIDInput
	Hostnames []string `json:"hostnames" jsonschema_description:"The whole new list"`
}

// SetOriginCertHostsOutput is the result of set_origin_client_cert_hosts.
type SetOriginCertHostsOutput struct {
	Noted
	ID        string   `json:"id"`
	Hostnames []string `json:"hostnames"`
}

func setOriginCertHosts() Tool {
	return Define(Meta{
		Name: "set_origin_client_cert_hosts", Title: "Set hosts of an origin client certificate", Toolset: "certificates",
		Description: "Replaces the hosts of an origin_hosts certificate.",
		Calls:       []string{"GetSite", "ListSites", "SetOriginClientCertificateHostnames"},
		ReadOnly:    No, Destructive: Yes, Idempotent: Yes, OpenWorld: Yes,
	}, func(ctx context.Context, d *Deps, in SetOriginCertHostsInput) (SetOriginCertHostsOutput, error) {
		out := SetOriginCertHostsOutput{ID: in.ID}
		site, err := in.resolve(ctx, d)
		if err != nil {
			return out, err
		}
		w, err := certificateSite(ctx, d, &out.Noted, site)
		if err != nil {
			return out, err
		}
		hosts, err := hostsWithin(in.Hostnames, w.SiteName)
		if err != nil {
			return out, err
		}
		out.Hostnames, err = setHostnames(ctx, d, &out.Noted, site, in.ID, hosts)
		return out, originCertError(err, in.ID)
	})
}

func setHostnames(ctx context.Context, d *Deps, notes *Noted, site ID, id string, hosts []string) ([]string, error) {
	answer, err := invoke[struct{ Hostnames []string }](ctx, d, notes, "SetOriginClientCertificateHostnames",
		esa.Params{"SiteId": site.number(), "Id": id, "Hostnames": hosts})
	return answer.Hostnames, err
}

// originCertError says where to look for what was missed.
func originCertError(err error, id string) error {
	switch esa.CodeOf(err) {
	case "Certificate.NotFound", "InvalidCertificate.NotFound":
		return Refuse("There is no such origin client certificate %q: list_certificates shows them, each kind by itself. (%w)", id, err)
	case "Certificate.Duplicated":
		return Refuse("The site has this certificate already: list_certificates shows its id. (%w)", err)
	case "QuotaCheckFailed.Function":
		return Refuse("The site's plan does not have origin client certificates. (%w)", err)
	}
	return err
}
