package guard

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/esa-mcp/esa-mcp/internal/catalog"
	"github.com/esa-mcp/esa-mcp/internal/esa"
)

func certificateRows() []Row {
	uploads := []string{"SetCertificate", "UploadSiteOriginClientCertificate", "UploadOriginClientCertificate"}
	return area("Certificates",
		Row{ID: "cert-not-automatic", Do: []Severity{Warn}, Source: fromGuide,
			Text:    "A new record has no certificate: HTTPS fails until one is issued.",
			Actions: []string{"CreateRecord", "UpdateRecord"}, After: warnNoCertificate,
			Reads: reads("GetSite", "ListCertificates")},
		Row{ID: "cert-key-path", Do: []Severity{Block}, Source: fromDesign, Where: "tools/certificates_files.go",
			Text:   "Private keys are read from a file that the user names; they are never taken from the model or given to it.",
			Covers: takesPrivateKey, Check: checkKeyPath},
		Row{ID: "cert-mismatch", Do: []Severity{Block}, Source: fromGuide,
			Text:    "Key and certificate that do not belong together, an expired certificate, or one that does not cover the site.",
			Actions: uploads, Check: checkPair,
			Reads: reads("GetSite")},
		Row{ID: "cert-cas-region", Do: []Severity{Fix}, Source: fromReports,
			Text:    "A certificate of the certificate service is found only in its region: it is looked up, or follows from the endpoint.",
			Actions: []string{"SetCertificate"}, Check: fixCasRegion,
			Reads: reads("ListCasCertificates")},
		Row{ID: "cert-quota", Do: []Severity{Block}, Source: fromReports,
			Text:    "Expired certificates still count: they are listed when the quota is used up.",
			Actions: []string{"ApplyCertificate", "SetCertificate"}, Check: checkCertificateQuota,
			Reads: reads("GetCertificateQuota", "ListCertificates")},
		Row{ID: "cert-cname-wildcard", Do: []Severity{Warn}, Source: fromReports,
			Text:    "A free wildcard on a site with CNAME access is issued only after DCV delegation.",
			Actions: []string{"ApplyCertificate"}, Check: warnCNAMEWildcard,
			Reads: reads("GetSite")},
		Row{ID: "cert-wait", Do: []Severity{Warn}, Source: fromGuide,
			Text:    "Issuing takes 1 to 5 minutes, and begins when the site is active.",
			Actions: []string{"ApplyCertificate"}, After: warnIssueTakes,
			Reads: reads("GetSite")},
	)
}

// Certificate is what guardrails need to know of a certificate of a site.
type Certificate struct {
	ID              string `json:"Id"`
	CommonName, SAN string
	Status          string // OK, Expiring, Expired, Issued, Applying, ApplyFailed, Canceled
	ApplyMessage    string
}

// Covers reports whether the certificate is for the host, which may be a
// wildcard. A wildcard in the certificate stands for one label.
func (c Certificate) Covers(host string) bool {
	host = hostName(host)
	_, parent, _ := strings.Cut(host, ".")
	for name := range strings.SplitSeq(c.CommonName+","+c.SAN, ",") {
		if name = hostName(name); name == host || name == "*."+parent {
			return true
		}
	}
	return false
}

// Valid reports whether the edge can use the certificate.
func (c Certificate) Valid() bool {
	return c.Status == "OK" || c.Status == "Issued" || c.Status == "Expiring"
}

// Certificates reads the certificates of a site, up to 500 of them.
func (s *State) Certificates(ctx context.Context, site string) ([]Certificate, error) {
	answer, err := Read[struct{ Result []Certificate }](ctx, s, "ListCertificates", esa.Params{"SiteId": json.Number(site), "PageNumber": 1, "PageSize": 500})
	return answer.Result, err
}

// warnNoCertificate looks for a certificate of a record that became proxied.
func warnNoCertificate(ctx context.Context, c *Call) error {
	d := &draft{Call: c}
	if !d.isProxied() || d.text("Type") != "" && !d.web() {
		return nil
	}
	if c.Op.Action == "UpdateRecord" {
		before, err := c.stored(ctx)
		if err != nil || scalar(before["Proxied"]) == "true" {
			return err
		}
	}
	name, err := nameOf(ctx, d)
	if err != nil || name == "" {
		return err
	}
	site, err := siteOfRecord(ctx, c)
	if err != nil {
		return err
	}
	list, err := c.State.Certificates(ctx, string(site.ID))
	if err != nil {
		return err
	}
	applying := ""
	for _, cert := range list {
		switch {
		case !cert.Covers(name):
		case cert.Valid():
			return nil
		case cert.Status == "Applying":
			applying = cert.ID
		}
	}
	if applying != "" {
		c.Warn("HTTPS fails for %s until its certificate %s is issued: list_certificates shows the status.", name, applying)
		return nil
	}
	c.Warn("No certificate covers %s, and none comes by itself: HTTPS fails until apply_certificate got one.", name)
	return nil
}

func takesPrivateKey(op *catalog.Operation) bool {
	_, ok := op.Param("PrivateKey")
	return ok && op.Effect == catalog.Write
}

func checkKeyPath(_ context.Context, c *Call) error {
	if c.Text("PrivateKey") == "" {
		return nil
	}
	const seen = "Private keys are not taken from arguments; one that was typed here has been seen and should be replaced."
	switch c.Op.Action {
	case "SetCertificate":
		return c.Block("%s set_certificate reads it from a file: give certificate_path and key_path.", seen)
	case "UploadSiteOriginClientCertificate", "UploadOriginClientCertificate":
		return c.Block("%s upload_origin_client_cert reads it from a file: give certificate_path and key_path.", seen)
	}
	return c.Block("%s No tool reads one for %s: do this step in the ESA console.", seen, c.Op.Action)
}

// checkPair looks at a certificate and its key before they are uploaded.
func checkPair(ctx context.Context, c *Call) error {
	if c.Text("Certificate") == "" || c.Text("PrivateKey") == "" {
		return nil
	}
	leaf, err := ReadKeyPair(c.Text("Certificate"), c.Text("PrivateKey"), c.now())
	if err != nil {
		return c.Block("%s. Nothing was sent.", err)
	}
	if c.Op.Action != "SetCertificate" || c.Site() == "" {
		return nil
	}
	site, err := c.State.Site(ctx, c.Site())
	if err != nil {
		return err
	}
	hosts := CertificateHosts(leaf)
	for _, host := range hosts {
		if _, under := FullRecordName(strings.TrimPrefix(hostName(host), "*.")+".", hostName(site.Name)); under {
			return nil
		}
	}
	return c.Block("the certificate is for %s, none of which is of the site %s. Nothing was sent.", listed(hosts), site.Name)
}

// fixCasRegion gives the region of a certificate of the certificate service: a
// missing one fails for accounts outside of mainland China.
func fixCasRegion(ctx context.Context, c *Call) error {
	if c.Text("Type") != "cas" || c.Text("CasId") == "" || c.Text("Region") != "" {
		return nil
	}
	const size, pages = 100, 20
	var failed error
	for page := 1; page <= pages; page++ {
		answer, err := Read[struct {
			Certificates []struct {
				ID     ID `json:"Id"`
				Region string
			}
			TotalCount int
		}](ctx, c.State, "ListCasCertificates", esa.Params{"PageNumber": page, "PageSize": size})
		if failed = err; err != nil {
			break
		}
		for _, cert := range answer.Certificates {
			if string(cert.ID) == c.Text("CasId") && cert.Region != "" {
				c.Set("Region", cert.Region)
				c.Fixed("Region %s was looked up in the certificate service.", cert.Region)
				return nil
			}
		}
		if page*size >= answer.TotalCount {
			break
		}
	}
	region := casRegion(c.region)
	if region == "" {
		return failed
	}
	c.Set("Region", region)
	c.Fixed("ListCasCertificates has no certificate %s: used Region %s, by the endpoint.", c.Text("CasId"), region)
	return nil
}

// casRegion is the region of the certificate service that goes with an endpoint's
// region: there is one for mainland China and one for the rest of the world.
func casRegion(endpoint string) string {
	switch {
	case endpoint == "":
		return ""
	case strings.HasPrefix(endpoint, "cn-") && endpoint != "cn-hongkong":
		return "cn-hangzhou"
	}
	return "ap-southeast-1"
}

// checkCertificateQuota refuses a certificate for which there is no room, and
// names the expired ones that take it up.
func checkCertificateQuota(ctx context.Context, c *Call) error {
	kind, more := "free", 1
	if c.Op.Action == "SetCertificate" {
		if kind = c.Text("Type"); c.Text("Id") != "" || kind != "upload" && kind != "cas" {
			return nil // takes the room of the one that it replaces
		}
	} else {
		more = len(strings.Split(c.Text("Domains"), ","))
	}
	if c.Site() == "" {
		return nil
	}
	answer, err := Read[struct{ Quota, QuotaUsage json.Number }](ctx, c.State, "GetCertificateQuota", esa.Params{"SiteId": json.Number(c.Site()), "Type": kind})
	if err != nil {
		return err
	}
	quota, known := number(answer.Quota)
	used, counted := number(answer.QuotaUsage)
	if !known || !counted || quota <= 0 || used+int64(more) <= quota {
		return nil
	}
	list, err := c.State.Certificates(ctx, c.Site())
	if err != nil {
		return err
	}
	return c.Block("%d of %d certificates are in use and %d more are wanted. %s", used, quota, more, MakeRoom(list))
}

// MakeRoom says which certificates can be deleted: expired ones count, too.
func MakeRoom(list []Certificate) string {
	var expired []string
	for _, cert := range list {
		if cert.Status == "Expired" {
			expired = append(expired, fmt.Sprintf("%s (%s)", cert.ID, cmp.Or(cert.SAN, cert.CommonName)))
		}
	}
	if len(expired) == 0 {
		return "Expired certificates of all sites count: get_certificate_quota shows which sites use the quota, delete_certificate makes room."
	}
	return "Expired certificates count: delete these with delete_certificate: " + listed(expired) + "."
}

func warnCNAMEWildcard(ctx context.Context, c *Call) error {
	if !strings.Contains(c.Text("Domains"), "*.") || c.Site() == "" {
		return nil
	}
	site, err := c.State.Site(ctx, c.Site())
	if err != nil || site.AccessType != accessCNAME {
		return err
	}
	for domain := range strings.SplitSeq(c.Text("Domains"), ",") {
		if strings.HasPrefix(strings.TrimSpace(domain), "*.") {
			c.Warn("%s stays Applying on a CNAME site until its validation record, or DCV delegation, is set at the external DNS.", strings.TrimSpace(domain))
		}
	}
	return nil
}

func warnIssueTakes(ctx context.Context, c *Call) error {
	site, err := c.State.Site(ctx, c.Site())
	if err == nil && site.Status != "active" {
		c.Warn("The site is %s: nothing is issued before it is active.", site.Status)
		return nil
	}
	c.Warn("Issuing takes 1 to 5 minutes: list_certificates with id shows the status.")
	return err
}
