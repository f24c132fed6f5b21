package local

import (
	"crypto/hmac"
	"crypto/sha1"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// bucket is an origin that answers only to requests that are signed in some way
// with a key, and says how.
func (b *shop) bucket(pattern string) (address string) {
	b.t.Helper()
	like := regexp.MustCompile(pattern)
	return b.origin(func(w http.ResponseWriter, r *http.Request) {
		given := r.Header.Get("Authorization")
		if _, signature, ok := strings.Cut(given, "OSS AK:"); ok {
			mac := hmac.New(sha1.New, []byte("SK"))
			fmt.Fprintf(mac, "GET\n\n\n%s\n/pictures%s", r.Header.Get("Date"), r.URL.Path)
			ok = signature == base64.StdEncoding.EncodeToString(mac.Sum(nil))
			given = map[bool]string{true: given}[ok]
		}
		if !like.MatchString(given) {
			w.WriteHeader(http.StatusForbidden)
			return
		}
		fmt.Fprintf(w, "%s%s", r.Host, r.URL.Path)
	}).URL
}

func TestEdgeSignsForBuckets(t *testing.T) {
	b := newShop(t, Options{})
	keys := map[string]any{"AccessKey": "AK", "SecretKey": "SK"}
	auth := func(kind string, more map[string]any) map[string]any {
		a := map[string]any{"AuthType": kind}
		for _, m := range []map[string]any{keys, more} {
			for name, v := range m {
				a[name] = v
			}
		}
		return a
	}
	ours := b.info.AccessKeyID
	for name, tt := range map[string]struct {
		source  string
		auth    map[string]any
		pattern string
	}{
		"s3v4":    {"S3", auth("private", map[string]any{"Region": "us-east-1", "Version": "v4"}), `^AWS4-HMAC-SHA256 Credential=AK/\d{8}/us-east-1/s3/aws4_request, `},
		"s3v2":    {"S3", auth("private", map[string]any{"Region": "us-east-1", "Version": "v2"}), `^AWS AK:`},
		"cross":   {"OSS", auth("private_cross_account", nil), `^OSS AK:`},
		"account": {"OSS", map[string]any{"AuthType": "private_same_account"}, `^OSS ` + regexp.QuoteMeta(ours) + `:`},
		"public":  {"OSS", map[string]any{"AuthType": "public"}, `^$`},
	} {
		t.Run(name, func(t *testing.T) {
			at := b.bucket(tt.pattern)
			host := name + ".shop.example"
			b.call("CreateRecord", map[string]any{"RecordName": host, "Type": "CNAME", "Ttl": 1, "Proxied": true, "BizName": "web", "SourceType": tt.source,
				"AuthConf": tt.auth, "HttpPorts": portOf(t, at), "Data": map[string]any{"Value": "pictures.oss-cn-hangzhou.localhost"}})
			require.Equal(t, answer{200, nil, "pictures.oss-cn-hangzhou.localhost/a b.png"}, b.bodyOf("http://"+host+"/a%20b.png"))

			// The same bucket as an origin of a pool.
			pool := b.poolOf(name, map[string]any{"Name": "o", "Type": tt.source, "Address": "pictures.localhost:" + portOf(t, at), "AuthConf": tt.auth})
			b.call("CreateRecord", map[string]any{"RecordName": "pool-" + host, "Type": "CNAME", "Ttl": 1, "Proxied": true, "BizName": "web",
				"SourceType": "OP", "Data": map[string]any{"Value": host}})
			require.Equal(t, answer{200, nil, "pictures.localhost/b.png"}, b.bodyOf("http://pool-"+host+"/b.png"))
			text, err := json.Marshal(b.call("GetOriginPool", map[string]any{"Id": pool}))
			require.NoError(t, err)
			require.Equal(t, tt.auth["SecretKey"] != nil, strings.Contains(string(text), `"SK"`), "as on the service, answers have it whole")
		})
	}
}

// bodyOf is an answer without its headers.
func (b *shop) bodyOf(address string) answer {
	b.t.Helper()
	got := b.get(address)
	got.header = nil
	return got
}
