package tools

import (
	"cmp"
	"context"
	"strings"

	"github.com/esa-mcp/esa-mcp/internal/esa"
)

// certificateTools are the tools of the toolset "certificates".
func certificateTools() []Tool {
	return []Tool{
		Define(Meta{
			Name: "apply_certificate", Title: "Apply for free certificates", Toolset: "certificates",
			Description: "Applies for a free HTTPS certificate for each domain; new records have none.",
			Calls:       []string{"ApplyCertificate", "GetCertificate", "GetSite", "ListCertificates", "ListSites"},
			ReadOnly:    No, Destructive: No, Idempotent: No, OpenWorld: Yes,
		}, applyCertificate),
		Define(Meta{
			Name: "list_certificates", Title: "List certificates", Toolset: "certificates",
			Description: "Lists a site's certificates; with id one in detail; with host those that cover it.",
			Calls: []string{"GetCertificate", "GetOriginClientCertificate", "GetOriginClientCertificateHostnames", "GetSiteOriginClientCertificate",
				"ListCertificates", "ListCertificatesByRecord", "ListOriginClientCertificates", "ListSiteOriginClientCertificates", "ListSites"},
			ReadOnly: Yes, Destructive: No, Idempotent: Yes, OpenWorld: Yes,
		}, listCertificates),
		Define(Meta{
			Name: "set_certificate", Title: "Upload a certificate", Toolset: "certificates",
			Description: "Gives a site your own edge certificate, from files or from the certificate service (CAS).",
			Calls:       []string{"GetSite", "ListCasCertificates", "ListCertificates", "ListSites", "SetCertificate"},
			ReadOnly:    No, Destructive: Yes, Idempotent: Yes, OpenWorld: Yes,
		}, setCertificate),
		Define(Meta{
			Name: "delete_certificate", Title: "Delete a certificate", Toolset: "certificates",
			Description: "Deletes a certificate; hosts that no other covers lose HTTPS.",
			Calls:       []string{"DeleteCertificate", "DeleteOriginClientCertificate", "DeleteSiteOriginClientCertificate", "ListSites"},
			ReadOnly:    No, Destructive: Yes, Idempotent: Yes, OpenWorld: Yes,
		}, deleteCertificate),
		Define(Meta{
			Name: "get_certificate_quota", Title: "Certificate quota", Toolset: "certificates",
			Description: "Shows the certificate quota and its use by site.",
			Calls:       []string{"GetCertificateQuota", "ListSites"},
			ReadOnly:    Yes, Destructive: No, Idempotent: Yes, OpenWorld: Yes,
		}, certificateQuota),
		uploadOriginCert(), setOriginCertHosts(),
	}
}

// Certificate is one certificate, without its key.
type Certificate struct {
	ID          string   `json:"id"`
	Name        string   `json:"name,omitempty"`
	Type        string   `json:"type,omitempty" jsonschema_description:"free, upload, cas or keyless"`
	Status      string   `json:"status" jsonschema_description:"OK, Expiring, Expired, Issued, Applying, ApplyFailed or Canceled"`
	Domains     []string `json:"domains,omitempty"`
	Issuer      string   `json:"issuer,omitempty"`
	NotBefore   string   `json:"not_before,omitempty"`
	NotAfter    string   `json:"not_after,omitempty"`
	CasID       string   `json:"cas_id,omitempty"`
	Message     string   `json:"message,omitempty" jsonschema_description:"Why it is not issued"`
	Validation  []DCV    `json:"validation,omitempty" jsonschema_description:"What proves control of the domain"`
	Fingerprint string   `json:"fingerprint_sha256,omitempty"`
	Serial      string   `json:"serial,omitempty"`
	Hostnames   []string `json:"hostnames,omitempty" jsonschema_description:"Hosts whose origin gets to see it"`
}

// DCV is a proof of control of a domain that an application waits for.
type DCV struct {
	Type   string `json:"type"`
	Key    string `json:"key"`
	Value  string `json:"value"`
	Status string `json:"status,omitempty"`
}

// wireCertificate is a certificate as the API has it.
type wireCertificate struct {
	ID                         string `json:"Id"`
	Name, Type, Status         string
	CommonName, SAN, Issuer    string
	NotBefore, NotAfter, CasID string
	ApplyMessage               string
	FingerprintSha256          string
	SerialNumber               string
	Hostnames                  []string
	DCV                        []struct{ Type, Key, Value, Status string }
}

// brief is what a list shows.
func (w wireCertificate) brief() Certificate {
	c := Certificate{
		ID: w.ID, Name: w.Name, Type: w.Type, Status: w.Status, Issuer: w.Issuer, NotAfter: w.NotAfter,
		CasID: w.CasID, Message: w.ApplyMessage, Hostnames: w.Hostnames,
	}
	for name := range strings.SplitSeq(cmp.Or(w.SAN, w.CommonName), ",") {
		if name = strings.TrimSpace(name); name != "" {
			c.Domains = append(c.Domains, name)
		}
	}
	for _, v := range w.DCV {
		c.Validation = append(c.Validation, DCV(v))
	}
	return c
}

func (w wireCertificate) detail() Certificate {
	c := w.brief()
	c.NotBefore, c.Fingerprint, c.Serial = w.NotBefore, w.FingerprintSha256, w.SerialNumber
	return c
}

// CertificateList is a page of certificates.
type CertificateList struct {
	Noted
	SiteID       ID            `json:"site_id"`
	Certificates []Certificate `json:"certificates"`
	Total        int           `json:"total"`
	NextPage     int           `json:"next_page,omitempty"`
}

type certificatesAnswer struct {
	Result     []wireCertificate
	TotalCount int
}

// ListCertificatesInput are the arguments of list_certificates.
type ListCertificatesInput struct {
	SiteRef
	CertKind
	ID        string `json:"id,omitempty" jsonschema_description:"Certificate id"`
	Host      string `json:"host,omitempty" jsonschema_description:"Host name"`
	Keyword   string `json:"keyword,omitempty" jsonschema_description:"In name or domain"`
	ValidOnly bool   `json:"valid_only,omitempty" jsonschema_description:"Only valid ones"`
	Page      int    `json:"page,omitempty" jsonschema:"minimum=1,default=1" jsonschema_description:"Page"`
	PageSize  int    `json:"page_size,omitempty" jsonschema:"minimum=1,maximum=500,default=20" jsonschema_description:"Per page"`
}

func listCertificates(ctx context.Context, d *Deps, in ListCertificatesInput) (CertificateList, error) {
	var out CertificateList
	if in.ID != "" && in.Host != "" {
		return out, Refuse("id and host exclude each other: give one of them.")
	}
	site, err := in.resolve(ctx, d)
	if err != nil {
		return out, err
	}
	out.SiteID = site
	switch {
	case originKind(in.Kind):
		if in.Host != "" || in.Keyword != "" || in.ValidOnly {
			return out, Refuse("host, keyword and valid_only are for edge certificates: leave them out, or leave kind out.")
		}
		return out, out.listOrigin(ctx, d, in)
	case in.ID != "":
		c, err := getCertificate(ctx, d, &out.Noted, site, in.ID)
		out.Certificates, out.Total = []Certificate{c.detail()}, 1
		return out, err
	case in.Host != "":
		return out, out.covering(ctx, d, siteName(in.Host), in.ValidOnly)
	}
	page, size := cmp.Or(in.Page, 1), cmp.Or(in.PageSize, 20)
	params := esa.Params{"SiteId": site.number(), "PageNumber": page, "PageSize": size}
	if in.Keyword != "" {
		params["Keyword"] = in.Keyword
	}
	if in.ValidOnly {
		params["ValidOnly"] = true
	}
	answer, err := invoke[certificatesAnswer](ctx, d, &out.Noted, "ListCertificates", params)
	if err != nil {
		return out, err
	}
	for _, c := range answer.Result {
		out.Certificates = append(out.Certificates, c.brief())
	}
	out.Total, out.NextPage = answer.TotalCount, nextPage(page, size, answer.TotalCount)
	return out, nil
}

// covering lists the certificates that cover a host.
func (out *CertificateList) covering(ctx context.Context, d *Deps, host string, validOnly bool) error {
	params := esa.Params{"SiteId": out.SiteID.number(), "RecordName": host, "Detail": true}
	if validOnly {
		params["ValidOnly"] = true
	}
	answer, err := invoke[struct {
		Result []struct {
			Certificates  []wireCertificate
			ApplyingCount int `json:"ApplylingCount"`
		}
	}](ctx, d, &out.Noted, "ListCertificatesByRecord", params)
	if err != nil {
		return err
	}
	for _, r := range answer.Result {
		for _, c := range r.Certificates {
			out.Certificates = append(out.Certificates, c.brief())
		}
		if r.ApplyingCount > 0 {
			out.Note(esa.Note{ID: "cert-wait", Text: "An application that covers this host is under way."})
		}
	}
	if out.Total = len(out.Certificates); out.Total == 0 {
		out.Note(esa.Note{ID: "cert-not-automatic", Text: "No certificate covers " + host + ": apply_certificate gets one."})
	}
	return nil
}

func getCertificate(ctx context.Context, d *Deps, notes *Noted, site ID, id string) (wireCertificate, error) {
	answer, err := invoke[struct{ Result wireCertificate }](ctx, d, notes, "GetCertificate", esa.Params{"SiteId": site.number(), "Id": id})
	return answer.Result, certificateNotFound(err, id)
}

// certificateNotFound names the tool that shows what there is.
func certificateNotFound(err error, id string) error {
	switch esa.CodeOf(err) {
	case "InvalidCertificate.NotFound", "Certificate.NotFound":
		return Refuse("This site has no certificate %q: list_certificates shows those it has. (%w)", id, err)
	}
	return err
}

// CertificateIDInput names one certificate of a site.
type CertificateIDInput struct {
	SiteRef
	ID string `json:"id" jsonschema:"minLength=1" jsonschema_description:"Certificate id"`
}

// DeletedCertificate says that a certificate is gone.
type DeletedCertificate struct {
	Noted
	ID      string `json:"id"`
	Deleted bool   `json:"deleted"`
}

// DeleteCertificateInput are the arguments of delete_certificate.
type DeleteCertificateInput struct {
	CertificateIDInput
	CertKind
}

func deleteCertificate(ctx context.Context, d *Deps, in DeleteCertificateInput) (DeletedCertificate, error) {
	out := DeletedCertificate{ID: in.ID}
	site, err := in.resolve(ctx, d)
	if err != nil {
		return out, err
	}
	action, explain := "DeleteCertificate", certificateNotFound
	if originKind(in.Kind) {
		action, explain = originAction(in.Kind, "Delete", "OriginClientCertificate"), originCertError
	}
	_, err = invoke[struct{}](ctx, d, &out.Noted, action, esa.Params{"SiteId": site.number(), "Id": in.ID})
	out.Deleted = err == nil
	return out, explain(err, in.ID)
}

func originKind(kind string) bool { return kind != "" && kind != kindEdge }

// CertificateQuotaInput are the arguments of get_certificate_quota.
type CertificateQuotaInput struct {
	SiteRef
	Type string `json:"type,omitempty" jsonschema:"enum=free,enum=upload,enum=cas,default=free" jsonschema_description:"Kind of certificate"`
}

// CertificateQuotaOutput is the result of get_certificate_quota.
type CertificateQuotaOutput struct {
	Noted
	Quota int64              `json:"quota"`
	Used  int64              `json:"used"`
	Sites []CertificateUsage `json:"sites"`
}

// CertificateUsage is what one site uses of the quota.
type CertificateUsage struct {
	SiteID   ID     `json:"site_id"`
	SiteName string `json:"site_name"`
	Used     int64  `json:"used"`
}

func certificateQuota(ctx context.Context, d *Deps, in CertificateQuotaInput) (CertificateQuotaOutput, error) {
	var out CertificateQuotaOutput
	site, err := in.resolve(ctx, d)
	if err != nil {
		return out, err
	}
	answer, err := invoke[struct {
		Quota, QuotaUsage int64
		SiteUsage         []struct {
			SiteID    ID `json:"SiteId"`
			SiteName  string
			SiteUsage int64
		}
	}](ctx, d, &out.Noted, "GetCertificateQuota", esa.Params{"SiteId": site.number(), "Type": cmp.Or(in.Type, "free")})
	out.Quota, out.Used = answer.Quota, answer.QuotaUsage
	for _, u := range answer.SiteUsage {
		out.Sites = append(out.Sites, CertificateUsage{u.SiteID, u.SiteName, u.SiteUsage})
	}
	return out, err
}
