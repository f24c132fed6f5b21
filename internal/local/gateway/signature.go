package gateway

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/esa-mcp/esa-mcp/internal/local/api"
	"github.com/esa-mcp/esa-mcp/internal/local/values"
)

const (
	// dateWindow is how far a call's date may be off the clock, either way.
	dateWindow = 15 * time.Minute
	dateLayout = "2006-01-02T15:04:05Z"
)

// authenticate verifies that the holder of the key made exactly this request,
// recently, and for the first time. A nonce counts as used only once the
// signature is right: a stranger must not be able to use one up.
func (g *Gateway) authenticate(r *http.Request, body []byte) error {
	header := r.Header.Get("Authorization")
	if header == "" {
		return missing("AccessKeyId")
	}
	auth, err := parseAuthorization(header)
	if err != nil {
		return api.Errorf(400, "IncompleteSignature",
			"The request signature does not conform to Aliyun standards: Authorization: %v.", err)
	}
	if err := checkCoverage(r, auth); err != nil {
		return err
	}
	if err := g.checkDate(r.Header.Get("x-acs-date")); err != nil {
		return err
	}
	if auth.keyID != g.cfg.AccessKeyID {
		return api.Errorf(404, "InvalidAccessKeyId.NotFound", "Specified access key is not found.")
	}
	if r.Header.Get("x-acs-security-token") != "" {
		return api.Errorf(400, "InvalidSecurityToken.MismatchWithAccessKey",
			"Specified SecurityToken mismatch with the AccessKey: the local ESA's key has none.")
	}
	if err := g.checkSignature(r, auth, body); err != nil {
		return err
	}
	if !g.nonces.use(r.Header.Get("x-acs-signature-nonce"), g.cfg.Now()) {
		return api.Errorf(400, "SignatureNonceUsed", "Specified signature nonce was used already.")
	}
	return nil
}

// checkCoverage refuses a request that lacks one of the headers that carry the
// protocol, or has one that the signature does not cover.
func checkCoverage(r *http.Request, auth authorization) error {
	for _, h := range []struct{ header, name string }{
		{"x-acs-date", "Timestamp"},
		{"x-acs-signature-nonce", "SignatureNonce"},
		{"x-acs-content-sha256", "ContentSha256"},
	} {
		if r.Header.Get(h.header) == "" {
			return api.Errorf(400, "Missing"+h.name, "The header %s is mandatory.", h.header)
		}
	}
	need := []string{"host"}
	for name := range r.Header {
		if lower := strings.ToLower(name); strings.HasPrefix(lower, "x-acs-") || lower == "content-type" {
			need = append(need, lower)
		}
	}
	slices.Sort(need)
	for _, name := range need {
		if !auth.covers(name) {
			return api.Errorf(400, "IncompleteSignature",
				"The request signature does not conform to Aliyun standards: the header %s is not signed.", values.Clip(name))
		}
	}
	return nil
}

func (g *Gateway) checkDate(text string) error {
	at, err := time.Parse(dateLayout, text)
	if err != nil {
		return api.Errorf(400, "InvalidTimeStamp.Format",
			"Specified time stamp or date value is not well formatted: x-acs-date must be like 2006-01-02T15:04:05Z.")
	}
	if off := g.cfg.Now().Sub(at); off > dateWindow || off < -dateWindow {
		return api.Errorf(400, "InvalidTimeStamp.Expired", "Specified time stamp or date value is expired.")
	}
	return nil
}

func (g *Gateway) checkSignature(r *http.Request, auth authorization, body []byte) error {
	sum := sha256.Sum256(body)
	bodyHash := hex.EncodeToString(sum[:])
	if r.Header.Get("x-acs-content-sha256") != bodyHash {
		return api.Errorf(400, "SignatureDoesNotMatch",
			"Specified signature does not match our calculation: x-acs-content-sha256 is not the SHA-256 of the body.")
	}
	canonical, err := canonicalRequest(r, auth.headers, bodyHash)
	if err != nil {
		return err
	}
	hashed := sha256.Sum256([]byte(canonical))
	mac := hmac.New(sha256.New, []byte(g.cfg.AccessKeySecret))
	mac.Write([]byte(algorithm + "\n" + hex.EncodeToString(hashed[:])))
	if !hmac.Equal(mac.Sum(nil), auth.signature) {
		return api.Errorf(400, "SignatureDoesNotMatch",
			"Specified signature does not match our calculation: check the AccessKeySecret.")
	}
	return nil
}

// canonicalRequest is the text that a signature is made of.
func canonicalRequest(r *http.Request, headers []string, bodyHash string) (string, error) {
	query, err := canonicalQuery(r.URL.RawQuery)
	if err != nil {
		return "", err
	}
	var b strings.Builder
	b.WriteString(r.Method + "\n" + canonicalPath(r.URL.Path) + "\n" + query + "\n")
	for _, name := range headers {
		b.WriteString(name + ":" + canonicalHeader(r, name) + "\n")
	}
	b.WriteString("\n" + strings.Join(headers, ";") + "\n" + bodyHash)
	return b.String(), nil
}

// canonicalHeader is a header's trimmed values, sorted, joined with commas. Host
// is no header to net/http.
func canonicalHeader(r *http.Request, name string) string {
	if name == "host" {
		return strings.TrimSpace(r.Host)
	}
	values := slices.Clone(r.Header.Values(name))
	for i, v := range values {
		values[i] = strings.TrimSpace(v)
	}
	slices.Sort(values)
	return strings.Join(values, ",")
}

func canonicalPath(path string) string {
	parts := strings.Split(path, "/")
	for i, part := range parts {
		parts[i] = escape(part)
	}
	return strings.Join(parts, "/")
}

func canonicalQuery(raw string) (string, error) {
	values, err := url.ParseQuery(raw)
	if err != nil {
		return "", api.Errorf(400, "InvalidQueryString", "The query string is not well formed: %v.", err)
	}
	var pairs [][2]string
	for name, all := range values {
		for _, v := range all {
			pairs = append(pairs, [2]string{name, v})
		}
	}
	slices.SortFunc(pairs, func(a, b [2]string) int {
		if c := strings.Compare(a[0], b[0]); c != 0 {
			return c
		}
		return strings.Compare(a[1], b[1])
	})
	texts := make([]string, len(pairs))
	for i, p := range pairs {
		texts[i] = escape(p[0]) + "=" + escape(p[1])
	}
	return strings.Join(texts, "&"), nil
}

// escape percent-encodes all but the unreserved characters of RFC 3986.
// url.QueryEscape differs in the blank alone.
func escape(s string) string {
	return strings.ReplaceAll(url.QueryEscape(s), "+", "%20")
}
