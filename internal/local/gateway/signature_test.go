package gateway

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	openapi "github.com/alibabacloud-go/darabonba-openapi/v2/client"
	openapiutil "github.com/alibabacloud-go/darabonba-openapi/v2/utils"
	"github.com/alibabacloud-go/tea/dara"
	"github.com/stretchr/testify/require"
)

// TestOfficialClient has the library that the official SDKs are made of sign
// the calls.
func TestOfficialClient(t *testing.T) {
	cfg := testConfig()
	cfg.Now = time.Now // the library has its own clock
	server := httptest.NewServer(New(cfg))
	defer server.Close()
	host := strings.TrimPrefix(server.URL, "http://")
	newClient := func(secret string) *openapi.Client {
		c, err := openapi.NewClient(&openapi.Config{AccessKeyId: dara.String(testKey), AccessKeySecret: dara.String(secret),
			Endpoint: dara.String(host), Protocol: dara.String("http")})
		require.NoError(t, err)
		return c
	}
	params := func(action, method, body string) *openapi.Params {
		return &openapi.Params{Action: &action, Version: dara.String("2024-09-10"), Method: &method, Pathname: dara.String("/"),
			Protocol: dara.String("HTTPS"), AuthType: dara.String("AK"), Style: dara.String("RPC"),
			ReqBodyType: &body, BodyType: dara.String("json")}
	}
	odd := "ü ~*+/&=%:;'\"()<>#?@,[]{}|\\^`!$\n中文"
	for name, c := range map[string]struct {
		params *openapi.Params
		req    *openapi.OpenApiRequest
		want   map[string]any
	}{
		"query": {params("ListSites", "GET", "formData"),
			&openapi.OpenApiRequest{Query: openapiutil.Query(map[string]any{"SiteName": odd, "Status": "", "PageSize": 5})},
			map[string]any{"SiteName": odd, "Status": "", "PageSize": "5"}},
		"query and form": {params("PutKv", "POST", "formData"),
			&openapi.OpenApiRequest{Query: openapiutil.Query(map[string]any{"Namespace": "n", "Key": odd}), Body: map[string]any{"Value": odd}},
			map[string]any{"Namespace": "n", "Key": odd, "Value": odd}},
		"POST without body": {params("CreateRecord", "POST", "formData"),
			&openapi.OpenApiRequest{Query: openapiutil.Query(map[string]any{"SiteId": int64(352816096987136), "RecordName": "a", "Type": "TXT", "Ttl": 1, "Data": `{"Value":"x"}`})},
			map[string]any{"SiteId": "352816096987136", "RecordName": "a", "Type": "TXT", "Ttl": "1", "Data": `{"Value":"x"}`}},
		"JSON": {params("CreateRoutine", "POST", "json"),
			&openapi.OpenApiRequest{Body: map[string]any{"Name": odd, "HasAssets": true}},
			map[string]any{"Name": odd, "HasAssets": true}},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := newClient(testSecret).CallApi(c.params, c.req, &dara.RuntimeOptions{})
			require.NoError(t, err)
			require.Equal(t, c.want, got["body"].(map[string]any)["Params"])

			_, err = newClient("another").CallApi(c.params, c.req, &dara.RuntimeOptions{})
			require.ErrorContains(t, err, "SignatureDoesNotMatch")
		})
	}
}

func TestTamperedRequests(t *testing.T) {
	resign := func(from, to string) func(*http.Request) {
		return func(r *http.Request) {
			r.Header.Set("Authorization", strings.Replace(r.Header.Get("Authorization"), from, to, 1))
		}
	}
	at := func(d time.Duration) map[string]string {
		return map[string]string{"x-acs-date": testNow.Add(d).Format(dateLayout)}
	}
	put := call{action: "PutKv", method: "POST", contentType: "application/x-www-form-urlencoded",
		query: url.Values{"Namespace": {"n"}, "Key": {"k"}}, body: "Value=a"}
	with := func(c call, change func(*http.Request)) call { c.change = change; return c }
	list := call{action: "ListSites", query: url.Values{"SiteName": {"a"}}}

	for name, c := range map[string]struct {
		call   call
		status int
		code   string
	}{
		"untouched GET":             {list, 200, ""},
		"untouched POST":            {put, 200, ""},
		"no authorization":          {with(list, func(r *http.Request) { r.Header.Del("Authorization") }), 400, "MissingAccessKeyId"},
		"other algorithm":           {with(list, resign("ACS3-HMAC-SHA256", "ACS3-HMAC-SM3")), 400, "IncompleteSignature"},
		"unknown key":               {call{action: "ListSites", key: "LTAIOTHER"}, 404, "InvalidAccessKeyId.NotFound"},
		"wrong secret":              {call{action: "ListSites", secret: "guess"}, 400, "SignatureDoesNotMatch"},
		"changed method":            {with(list, func(r *http.Request) { r.Method = "POST" }), 400, "SignatureDoesNotMatch"},
		"changed path":              {with(list, func(r *http.Request) { r.URL.Path = "/x" }), 400, "SignatureDoesNotMatch"},
		"changed query":             {with(list, func(r *http.Request) { r.URL.RawQuery = "SiteName=b" }), 400, "SignatureDoesNotMatch"},
		"added query":               {with(list, func(r *http.Request) { r.URL.RawQuery += "&Status=x" }), 400, "SignatureDoesNotMatch"},
		"broken query":              {with(list, func(r *http.Request) { r.URL.RawQuery = "a=%zz" }), 400, "InvalidQueryString"},
		"changed action":            {with(list, func(r *http.Request) { r.Header.Set("x-acs-action", "DeleteKv") }), 400, "SignatureDoesNotMatch"},
		"changed host":              {with(list, func(r *http.Request) { r.Host = "evil.example" }), 400, "SignatureDoesNotMatch"},
		"second header value":       {with(list, func(r *http.Request) { r.Header.Add("x-acs-action", "DeleteKv") }), 400, "SignatureDoesNotMatch"},
		"header not signed":         {call{action: "ListSites", unsigned: map[string]string{"x-acs-other": "1"}}, 400, "IncompleteSignature"},
		"content type not signed":   {call{action: "ListSites", unsigned: map[string]string{"Content-Type": "application/json"}}, 400, "IncompleteSignature"},
		"host not signed":           {with(list, resign("host;", "")), 400, "IncompleteSignature"},
		"changed body hash":         {call{action: "PutKv", method: "POST", headers: map[string]string{"x-acs-content-sha256": strings.Repeat("0", 64)}}, 400, "SignatureDoesNotMatch"},
		"no body hash":              {call{action: "ListSites", headers: map[string]string{"x-acs-content-sha256": ""}}, 400, "MissingContentSha256"},
		"no date":                   {call{action: "ListSites", headers: map[string]string{"x-acs-date": ""}}, 400, "MissingTimestamp"},
		"no nonce":                  {call{action: "ListSites", headers: map[string]string{"x-acs-signature-nonce": ""}}, 400, "MissingSignatureNonce"},
		"date in another form":      {call{action: "ListSites", headers: map[string]string{"x-acs-date": "2026-03-01 12:00:00"}}, 400, "InvalidTimeStamp.Format"},
		"fifteen minutes early":     {call{action: "ListSites", headers: at(-15 * time.Minute)}, 200, ""},
		"too early":                 {call{action: "ListSites", headers: at(-15*time.Minute - time.Second)}, 400, "InvalidTimeStamp.Expired"},
		"too late":                  {call{action: "ListSites", headers: at(15*time.Minute + time.Second)}, 400, "InvalidTimeStamp.Expired"},
		"security token":            {call{action: "ListSites", headers: map[string]string{"x-acs-security-token": "sts"}}, 400, "InvalidSecurityToken.MismatchWithAccessKey"},
		"other header, signed":      {call{action: "ListSites", headers: map[string]string{"x-acs-credentials-provider": "env"}}, 200, ""},
		"signature of another form": {with(list, resign("Signature=", "Signature=zz")), 400, "IncompleteSignature"},
	} {
		t.Run(name, func(t *testing.T) {
			got := send(t, New(testConfig()), c.call.request())
			require.Equal(t, c.status, got.status, "%v", got.body)
			if c.code != "" {
				require.Equal(t, c.code, got.body["Code"])
			}
		})
	}
}

func TestTamperedBody(t *testing.T) {
	r := call{action: "PutKv", method: "POST", contentType: "application/x-www-form-urlencoded", body: "Value=a"}.request()
	other := call{action: "PutKv", method: "POST", contentType: "application/x-www-form-urlencoded", body: "Value=b"}.request()
	r.Body = other.Body
	require.Equal(t, "SignatureDoesNotMatch", send(t, New(testConfig()), r).body["Code"])
}

func TestNonceReplay(t *testing.T) {
	now := testNow
	cfg := testConfig()
	cfg.Now = func() time.Time { return now }
	g := New(cfg)
	first := call{action: "ListSites"}.request()
	again := first.Clone(t.Context())
	forged := first.Clone(t.Context())
	forged.Header.Set("Authorization", strings.Replace(forged.Header.Get("Authorization"), "Signature=", "Signature="+strings.Repeat("0", 64)+",X=", 1))

	require.NotEqual(t, 200, send(t, g, forged).status)
	require.Equal(t, 200, send(t, g, first).status, "a forged call must not use the nonce up")
	now = now.Add(14 * time.Minute)
	require.Equal(t, "SignatureNonceUsed", send(t, g, again).body["Code"])
}

func TestNoncesAreForgotten(t *testing.T) {
	n := newNonces()
	at := testNow
	require.True(t, n.use("a", at))
	require.False(t, n.use("a", at.Add(keepNonces)))
	at = at.Add(keepNonces + time.Second) // turns
	require.False(t, n.use("a", at))
	at = at.Add(keepNonces + time.Second) // turns again
	require.True(t, n.use("a", at))
	require.Empty(t, n.last)
	n.use("b", at.Add(5*keepNonces))
	require.Len(t, n.now, 1)
	require.Empty(t, n.last)
}
