package tools

import (
	"cmp"
	"context"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"slices"
	"strings"

	"github.com/esa-mcp/esa-mcp/internal/esa"
)

// SetCertificateInput are the arguments of set_certificate.
type SetCertificateInput struct {
	SiteRef
	CertificatePath string `json:"certificate_path,omitempty" jsonschema_description:"PEM file, leaf first"`
	KeyPath         string `json:"key_path,omitempty" jsonschema_description:"PEM file of its key"`
	Name            string `json:"name,omitempty" jsonschema:"maxLength=128" jsonschema_description:"Label"`
	CasID           ID     `json:"cas_id,omitempty" jsonschema_description:"CAS certificate, instead of files"`
	CasRegion       string `json:"cas_region,omitempty" jsonschema:"enum=cn-hangzhou,enum=ap-southeast-1" jsonschema_description:"Default: looked up"`
	ID              string `json:"id,omitempty" jsonschema_description:"Uploaded certificate to replace"`
}

// SetCertificateOutput is the result of set_certificate.
type SetCertificateOutput struct {
	Noted
	SiteID  ID       `json:"site_id"`
	ID      string   `json:"id"`
	Already bool     `json:"already,omitempty" jsonschema_description:"The site had this certificate"`
	Domains []string `json:"domains,omitempty"`
	Expires string   `json:"expires,omitempty"`
}

func setCertificate(ctx context.Context, d *Deps, in SetCertificateInput) (SetCertificateOutput, error) {
	var out SetCertificateOutput
	fromFiles := in.CertificatePath != "" || in.KeyPath != ""
	if fromFiles == (in.CasID != "") {
		return out, Refuse("Give either certificate_path and key_path, or cas_id.")
	}
	site, err := in.resolve(ctx, d)
	if err != nil {
		return out, err
	}
	out.SiteID = site
	params := esa.Params{"SiteId": site.number(), "Type": "cas"}
	if in.ID != "" {
		params["Id"] = in.ID
	}
	var leaf *x509.Certificate
	if fromFiles {
		pair, err := readPair(in.CertificatePath, in.KeyPath, d.Now())
		if err != nil {
			return out, err
		}
		leaf = pair.leaf
		if err := in.checkSite(ctx, d, &out, leaf); err != nil {
			return out, err
		}
		out.Domains, out.Expires = hostsOf(leaf), timeText(leaf.NotAfter)
		params["Type"], params["Certificate"], params["PrivateKey"] = "upload", pair.certificate, pair.key
		params["Name"] = cmp.Or(in.Name, leaf.Subject.CommonName, strings.Join(out.Domains[:min(1, len(out.Domains))], ""))
	} else {
		region := in.CasRegion
		if region == "" {
			if region, err = casRegion(ctx, d, &out.Noted, in.CasID); err != nil {
				return out, err
			}
		}
		params["CasId"], params["Region"] = in.CasID.number(), region
	}
	answer, err := invoke[struct {
		ID string `json:"Id"`
	}](ctx, d, &out.Noted, "SetCertificate", params)
	if esa.CodeOf(err) == "Certificate.Duplicated" {
		out.ID, err = sameCertificate(ctx, d, site, leaf, in.CasID, err)
		out.Already = err == nil
		return out, err
	}
	out.ID = answer.ID
	return out, certificateQuotaError(ctx, d, site, certificateNotFound(err, in.ID))
}

// checkSite refuses a certificate that covers nothing of the site.
func (in SetCertificateInput) checkSite(ctx context.Context, d *Deps, out *SetCertificateOutput, leaf *x509.Certificate) error {
	site, err := certificateSite(ctx, d, &out.Noted, out.SiteID)
	if err != nil {
		return err
	}
	for _, host := range hostsOf(leaf) {
		host = strings.TrimPrefix(siteName(host), "*.")
		if host == site.SiteName || strings.HasSuffix(host, "."+site.SiteName) {
			return nil
		}
	}
	return Refuse("cert-mismatch: the certificate is for %s, none of which is of the site %s. Nothing was sent.",
		strings.Join(hostsOf(leaf), ", "), site.SiteName)
}

// casRegion finds the region of a certificate in the certificate service: a
// wrong or missing one fails.
func casRegion(ctx context.Context, d *Deps, notes *Noted, id ID) (string, error) {
	const size, most = 100, 20
	for page := 1; page > 0 && page <= most; {
		answer, err := invoke[struct {
			Certificates []struct {
				ID     ID `json:"Id"`
				Region string
			}
			TotalCount int
		}](ctx, d, notes, "ListCasCertificates", esa.Params{"PageNumber": page, "PageSize": size})
		if err != nil {
			return "", Refuse("The region of cas_id %s could not be looked up: give cas_region. (%w)", id, err)
		}
		for _, c := range answer.Certificates {
			if c.ID == id && c.Region != "" {
				notes.Note(esa.Note{ID: "cert-cas-region", Text: "Region " + c.Region + " was looked up."})
				return c.Region, nil
			}
		}
		page = nextPage(page, size, answer.TotalCount)
	}
	return "", Refuse("The certificate service has no certificate %s that ESA can see: check cas_id, or give cas_region.", id)
}

// sameCertificate finds the certificate that an upload repeats.
func sameCertificate(ctx context.Context, d *Deps, site ID, leaf *x509.Certificate, cas ID, cause error) (string, error) {
	list, err := esa.Call[certificatesAnswer](ctx, d.ESA, "ListCertificates", esa.Params{"SiteId": site.number(), "PageNumber": 1, "PageSize": 500})
	if err != nil {
		return "", cause
	}
	print := ""
	if leaf != nil {
		sum := sha256.Sum256(leaf.Raw)
		print = hex.EncodeToString(sum[:])
	}
	i := slices.IndexFunc(list.Result, func(c wireCertificate) bool {
		return print != "" && strings.EqualFold(strings.ReplaceAll(c.FingerprintSha256, ":", ""), print) || cas != "" && c.CasID == string(cas)
	})
	if i < 0 {
		return "", cause
	}
	return list.Result[i].ID, nil
}
