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
	"github.com/esa-mcp/esa-mcp/internal/guard"
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
		out.Domains, out.Expires = guard.CertificateHosts(leaf), timeText(leaf.NotAfter)
		params["Type"], params["Certificate"], params["PrivateKey"] = "upload", pair.certificate, pair.key
		params["Name"] = cmp.Or(in.Name, leaf.Subject.CommonName, strings.Join(out.Domains[:min(1, len(out.Domains))], ""))
	} else {
		params["CasId"] = in.CasID.number()
		if in.CasRegion != "" {
			params["Region"] = in.CasRegion
		}
	}
	answer, err := invoke[struct {
		ID string `json:"Id"`
	}](guard.WithSaid(ctx, "cert-key-path"), d, &out.Noted, "SetCertificate", params)
	if esa.CodeOf(err) == "Certificate.Duplicated" {
		earlier := esa.OutcomeUnknown(err)
		out.ID, err = sameCertificate(ctx, d, site, leaf, in.CasID, err)
		out.Already = err == nil && !earlier
		if err == nil && earlier {
			out.Note(esa.Note{ID: esa.NoteEarlierTry, Text: "The first try got no answer; the site has the certificate now."})
		}
		return out, err
	}
	if in.CasID != "" && esa.CodeOf(err) == "InvalidCertificate.NotFound" {
		return out, Refuse("The certificate service has no certificate %s that ESA can see: check cas_id, or give cas_region. (%w)", in.CasID, err)
	}
	out.ID = answer.ID
	return out, certificateQuotaError(ctx, d, site, certificateNotFound(err, in.ID))
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
