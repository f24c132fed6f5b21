package certificate

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"database/sql"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/esa-mcp/esa-mcp/internal/local/api"
	"github.com/esa-mcp/esa-mcp/internal/local/apitest"
	"github.com/esa-mcp/esa-mcp/internal/local/quota"
	"github.com/esa-mcp/esa-mcp/internal/local/site"
)

// bench is a service on a fresh state, called as the gateway calls it.
type bench struct {
	*apitest.Bench
	service *Service
}

func newBench(t *testing.T, cfg Config) *bench {
	t.Helper()
	b := &bench{Bench: apitest.New(t)}
	b.Inspect = func(action string, answer []byte) {
		if action != "CreateClientCertificate" { // which hands over the key that it made
			require.NotContains(t, string(answer), "PRIVATE KEY", "%s gives a key away", action)
		}
	}
	cfg.Now = b.Clock
	cfg.IssueAfter = time.Minute
	sites, err := site.New(t.Context(), b.Store, site.Config{Now: cfg.Now})
	require.NoError(t, err)
	b.service = New(b.Store, cfg)
	b.Table = b.service.Table()
	b.Table.Add(sites.Table())
	return b
}

// call is Call, and no refusal repeats a key.
func (b *bench) call(action string, params api.Params) (map[string]any, string) {
	b.T.Helper()
	out, refused := b.Do(action, params)
	if refused != nil {
		require.NotContains(b.T, refused.Message, "PRIVATE KEY")
		return nil, refused.Code
	}
	return out, ""
}

// site makes an active site.
func (b *bench) site(name, access string) string {
	b.T.Helper()
	plans := b.Must("ListUserRatePlanInstances", api.Params{})["InstanceInfo"].([]any)
	out := b.Must("CreateSite", api.Params{"SiteName": name, "AccessType": access, "Coverage": "overseas",
		"InstanceId": plans[0].(map[string]any)["InstanceId"]})
	id := out["SiteId"].(json.Number).String()
	b.Must("VerifySite", api.Params{"SiteId": id})
	return id
}

// pair makes a certificate of its own and its key.
func (b *bench) pair(days int, names ...string) (certificate, key string) {
	b.T.Helper()
	certificate, key, err := sign(&x509.Certificate{
		Subject: pkix.Name{CommonName: names[0]}, DNSNames: names,
		NotBefore: b.Now.AddDate(0, 0, -1), NotAfter: b.Now.AddDate(0, 0, days),
	}, nil)
	require.NoError(b.T, err)
	return certificate, key
}

func first(list any) map[string]any { return list.([]any)[0].(map[string]any) }

func TestApplicationIsIssued(t *testing.T) {
	b := newBench(t, Config{})
	id := b.site("shop.test", "NS")
	out := b.Must("ApplyCertificate", api.Params{"SiteId": id, "Domains": "www.shop.test, *.shop.test", "Type": "lets_encrypt"})
	require.Len(t, out["Result"], 2)
	certID := first(out["Result"])["Id"].(string)
	get := func() map[string]any {
		return b.Must("GetCertificate", api.Params{"SiteId": id, "Id": certID})["Result"].(map[string]any)
	}
	c := get()
	require.Equal(t, "Applying", c["Status"])
	require.Equal(t, "HTTP", first(c["DCV"])["Type"])
	none, err := b.service.CertificateFor(t.Context(), "www.shop.test")
	require.NoError(t, err)
	require.Nil(t, none)

	b.Now = b.Now.Add(time.Minute)
	c = get()
	require.Equal(t, "OK", c["Status"])
	require.Equal(t, "www.shop.test", c["SAN"])
	require.NotContains(t, c, "DCV")
	require.Len(t, b.Must("ListCertificates", api.Params{"SiteId": id, "ValidOnly": "true"})["Result"], 2)
	require.Len(t, b.Must("ListCertificates", api.Params{"SiteId": id, "Keyword": "WWW"})["Result"], 1)
	paged := b.Must("ListCertificates", api.Params{"SiteId": id, "PageSize": "1", "PageNumber": "2"})
	require.Len(t, paged["Result"], 1)
	require.Equal(t, json.Number("2"), paged["TotalCount"])

	exact, err := b.service.CertificateFor(t.Context(), "www.shop.test")
	require.NoError(t, err)
	require.Equal(t, "www.shop.test", exact.Leaf.Subject.CommonName, "before the wildcard")
	wild, err := b.service.CertificateFor(t.Context(), "a.shop.test")
	require.NoError(t, err)
	roots := x509.NewCertPool()
	require.NoError(t, b.Store.Tx(t.Context(), func(tx *sql.Tx) error {
		ca, err := b.service.authority(context.Background(), tx)
		roots.AddCert(ca.Leaf)
		return err
	}))
	_, err = wild.Leaf.Verify(x509.VerifyOptions{DNSName: "a.shop.test", Roots: roots, CurrentTime: b.Now})
	require.NoError(t, err, "issued by the state's own authority")
	none, err = b.service.CertificateFor(t.Context(), "shop.test")
	require.NoError(t, err)
	require.Nil(t, none, "a wildcard does not cover the apex")

	b.Now = b.Now.AddDate(0, 0, 61)
	require.Equal(t, "Expiring", get()["Status"])
	b.Now = b.Now.AddDate(0, 0, 30)
	require.Equal(t, "Expired", get()["Status"])
	b.Must("DeleteCertificate", api.Params{"SiteId": id, "Id": certID})
	_, code := b.call("GetCertificate", api.Params{"SiteId": id, "Id": certID})
	require.Equal(t, "InvalidCertificate.NotFound", code)
}

// The state keeps seconds: what is applied for in the middle of one is not issued
// before its time for that.
func TestApplicationTakesItsTime(t *testing.T) {
	b := newBench(t, Config{})
	id := b.site("shop.test", "NS")
	for _, into := range []time.Duration{0, time.Nanosecond, 999 * time.Millisecond} {
		b.Now = b.Now.Truncate(time.Second).Add(into)
		made := first(b.Must("ApplyCertificate", api.Params{"SiteId": id, "Domains": "www.shop.test"})["Result"])
		status := func() any {
			return b.Must("GetCertificate", api.Params{"SiteId": id, "Id": made["Id"]})["Result"].(map[string]any)["Status"]
		}
		b.Now = b.Now.Add(time.Minute - time.Nanosecond)
		require.Equal(t, "Applying", status(), into)
		b.Now = b.Now.Add(time.Second)
		require.Equal(t, "OK", status(), into)
	}
}

func TestApplicationThatWaits(t *testing.T) {
	b := newBench(t, Config{})
	cname := b.site("cname.test", "CNAME")
	pending := b.site("pending.dev", "NS") // nobody verifies it
	for site, domain := range map[string]string{cname: "*.cname.test", pending: "www.pending.dev"} {
		b.Must("ApplyCertificate", api.Params{"SiteId": site, "Domains": domain})
		b.Now = b.Now.AddDate(0, 0, 1)
		c := first(b.Must("ListCertificates", api.Params{"SiteId": site})["Result"])
		require.Equal(t, "Applying", c["Status"])
		require.NotEmpty(t, c["ApplyMessage"])
		require.NotEmpty(t, c["DCV"])
	}
	record := b.Must("ListCertificatesByRecord", api.Params{"SiteId": cname, "RecordName": "a.cname.test,cname.test", "Detail": "true"})["Result"].([]any)
	require.Equal(t, "applying", record[0].(map[string]any)["Status"])
	require.Equal(t, "none", record[1].(map[string]any)["Status"])
}

func TestApplicationsRefused(t *testing.T) {
	b := newBench(t, Config{Quotas: quota.Set{}.With(quota.FreeCertificates, 2)})
	id := b.site("a.test", "NS")
	for name, c := range map[string]struct{ site, domains, brand, code string }{
		"site":          {"1", "a.test", "", "SiteNotFound"},
		"other domain":  {id, "b.test", "", "CertificateDomainNotMatchSite"},
		"looks like it": {id, "xa.test", "", "CertificateDomainNotMatchSite"},
		"empty part":    {id, "a.test,,", "", "InvalidParameter.Domains"},
		"inner star":    {id, "a.*.a.test", "", "InvalidParameter.Domains"},
		"brand":         {id, "a.test", "x", "InvalidParameter.Type"},
		"single":        {id, "*.a.test", "digicert_single", "InvalidParameter.Domains"},
		"wildcard":      {id, "a.test", "digicert_wildcard", "InvalidParameter.Domains"},
		"quota":         {id, "a.test,b.a.test,c.a.test", "", "CertQuotaCheckFailed"},
	} {
		_, code := b.call("ApplyCertificate", api.Params{"SiteId": c.site, "Domains": c.domains, "Type": c.brand})
		require.Equal(t, c.code, code, name)
	}
	require.Empty(t, b.Must("ListCertificates", api.Params{"SiteId": id})["Result"])
}

func TestExpiredCountsForTheQuota(t *testing.T) {
	b := newBench(t, Config{Quotas: quota.Set{}.With(quota.OwnCertificates, 1).With(quota.FreeCertificates, 1)})
	id := b.site("a.test", "NS")
	b.Must("ApplyCertificate", api.Params{"SiteId": id, "Domains": "a.test"})
	b.Now = b.Now.AddDate(1, 0, 0)
	old := first(b.Must("ListCertificates", api.Params{"SiteId": id})["Result"])
	require.Equal(t, "Expired", old["Status"])
	_, code := b.call("ApplyCertificate", api.Params{"SiteId": id, "Domains": "a.test"})
	require.Equal(t, "CertQuotaCheckFailed", code)
	quota := b.Must("GetCertificateQuota", api.Params{"SiteId": id, "Type": "free"})
	require.Equal(t, json.Number("1"), quota["QuotaUsage"])
	require.Equal(t, id, first(quota["SiteUsage"])["SiteId"])
	b.Must("DeleteCertificate", api.Params{"SiteId": id, "Id": old["Id"]})
	b.Must("ApplyCertificate", api.Params{"SiteId": id, "Domains": "a.test"})
}

func TestUpload(t *testing.T) {
	b := newBench(t, Config{})
	id := b.site("a.test", "NS")
	cert, key := b.pair(90, "www.a.test")
	_, otherKey := b.pair(90, "www.a.test")
	old, oldKey := b.pair(0, "www.a.test")
	foreign, foreignKey := b.pair(90, "www.b.test")
	out := b.Must("SetCertificate", api.Params{"SiteId": id, "Type": "upload", "Certificate": cert, "PrivateKey": key, "Name": "mine"})
	c := b.Must("GetCertificate", api.Params{"SiteId": id, "Id": out["Id"]})
	require.Equal(t, cert, c["Certificate"])
	require.Equal(t, "mine", c["Result"].(map[string]any)["Name"])
	pair, err := b.service.CertificateFor(t.Context(), "www.a.test")
	require.NoError(t, err)
	require.IsType(t, &tls.Certificate{}, pair)
	b.Now = b.Now.Add(time.Minute) // past the end of the old one

	for name, c := range map[string]struct{ cert, key, code string }{
		"again":    {cert, key, "Certificate.Duplicated"},
		"no pem":   {"x", key, "InvalidSSLPub"},
		"key":      {cert, "x", "InvalidSSLPri"},
		"bad key":  {cert, strings.Replace(key, "M", "N", 3), "InvalidSSLPri"},
		"mismatch": {cert, otherKey, "CertificateNotMatchPrivateKey"},
		"expired":  {old, oldKey, "Certificate.StatusError"},
		"foreign":  {foreign, foreignKey, "CertificateDomainNotMatchSite"},
	} {
		_, code := b.call("SetCertificate", api.Params{"SiteId": id, "Type": "upload", "Certificate": c.cert, "PrivateKey": c.key})
		require.Equal(t, c.code, code, name)
	}
	newer, newerKey := b.pair(200, "www.a.test", "a.test")
	again := b.Must("SetCertificate", api.Params{"SiteId": id, "Type": "upload", "Certificate": newer, "PrivateKey": newerKey, "Id": out["Id"]})
	require.Equal(t, out["Id"], again["Id"])
	require.Len(t, b.Must("ListCertificates", api.Params{"SiteId": id})["Result"], 1)
	_, code := b.call("SetCertificate", api.Params{"SiteId": id, "Type": "upload", "Certificate": cert, "PrivateKey": key, "Id": "0"})
	require.Equal(t, "InvalidCertificate.NotFound", code)
	_, code = b.call("SetCertificate", api.Params{"SiteId": id, "Type": "keyless"})
	require.Equal(t, "QuotaCheckFailed.Function", code)
	b.Must("DeleteSite", api.Params{"SiteId": id})
	pair, err = b.service.CertificateFor(t.Context(), "www.a.test")
	require.NoError(t, err)
	require.Nil(t, pair, "gone with its site")
}

func TestFreeCertificateIsNotUpdated(t *testing.T) {
	b := newBench(t, Config{})
	id := b.site("a.test", "NS")
	free := first(b.Must("ApplyCertificate", api.Params{"SiteId": id, "Domains": "a.test"})["Result"])["Id"]
	cert, key := b.pair(90, "a.test")
	_, code := b.call("SetCertificate", api.Params{"SiteId": id, "Type": "upload", "Certificate": cert, "PrivateKey": key, "Id": free})
	require.Equal(t, "Certificate.StatusError", code)
}

func TestCertificateService(t *testing.T) {
	for _, c := range []struct{ account, asked, code string }{
		{"cn-hangzhou", "cn-hangzhou", ""}, {"cn-hangzhou", "", ""}, {"cn-hangzhou", "ap-southeast-1", "InvalidCertificate.NotFound"},
		{"ap-southeast-1", "", "InvalidCertificate.NotFound"}, {"ap-southeast-1", "ap-southeast-1", ""},
	} {
		b := newBench(t, Config{Region: c.account})
		one, two := b.site("a.test", "NS"), b.site("b.a.test", "NS")
		cert, key := b.pair(90, "b.a.test")
		b.Must("SetCertificate", api.Params{"SiteId": one, "Type": "upload", "Certificate": cert, "PrivateKey": key})
		kept := first(b.Must("ListCasCertificates", api.Params{"SearchKeyword": "b.a"})["Certificates"])
		params := api.Params{"SiteId": two, "Type": "cas", "CasId": kept["Id"].(json.Number).String()}
		if c.asked != "" {
			params["Region"] = c.asked
		}
		_, code := b.call("SetCertificate", params)
		require.Equal(t, c.code, code, "%v", c)
		require.Empty(t, b.Must("ListCasCertificates", api.Params{"SearchKeyword": "zzz"})["Certificates"])
	}
}
