package origin

import (
	"cmp"
	"crypto/hmac"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"hash"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/esa-mcp/esa-mcp/internal/local/edge/plan"
)

// signing is how one kind of bucket wants requests signed. The two kinds differ in
// names more than in ways: OSS V1 is S3 V2, and OSS V4 is S3 V4 with a bucket in
// the path and no host.
type signing struct {
	prefix    string // of the kind's own headers
	old       string // begins the Authorization of the older way
	algorithm string
	secret    string // begins the key of the newer way
	service   string
	request   string
}

func signingOf(kind string) signing {
	if kind == "S3" {
		return signing{"x-amz-", "AWS ", "AWS4-HMAC-SHA256", "AWS4", "s3", "aws4_request"}
	}
	return signing{"x-oss-", "OSS ", "OSS4-HMAC-SHA256", "aliyun_v4", "oss", "aliyun_v4_request"}
}

// unsigned stands for the hash of a body that is not part of the signature: it is
// passed on as it comes.
const unsigned = "UNSIGNED-PAYLOAD"

// sign signs a request to a bucket, whose name is the first label of the target.
func sign(r *http.Request, a *plan.Auth, target string, now time.Time) {
	s := signingOf(a.Kind)
	bucket, _, _ := strings.Cut(target, ".")
	r.Header.Del("Authorization") // the visitor's own is none of the bucket's
	if a.Version == "v4" {
		s.signNew(r, a, bucket, cmp.Or(a.Region, regionOf(target)), now.UTC())
		return
	}
	s.signOld(r, a, bucket, now.UTC())
}

// regionOf reads the region of an OSS endpoint: bucket.oss-cn-hangzhou.aliyuncs.com.
func regionOf(target string) string {
	_, rest, _ := strings.Cut(target, ".oss-")
	region, _, _ := strings.Cut(rest, ".")
	return strings.TrimSuffix(region, "-internal")
}

// signOld signs with HMAC-SHA1 over the date, the resource and few headers.
func (s signing) signOld(r *http.Request, a *plan.Auth, bucket string, now time.Time) {
	r.Header.Set("Date", now.Format(http.TimeFormat))
	var text strings.Builder
	for _, part := range []string{r.Method, r.Header.Get("Content-Md5"), r.Header.Get("Content-Type"), r.Header.Get("Date")} {
		text.WriteString(part + "\n")
	}
	for _, line := range s.headers(r, false) {
		text.WriteString(line)
	}
	path := r.URL.Path // OSS has names as they are
	if s.service == "s3" {
		path = r.URL.EscapedPath()
	}
	text.WriteString("/" + bucket + cmp.Or(path, "/") + s.subResources(r.URL.Query()))
	mac := sum(sha1.New, []byte(a.SecretKey), text.String())
	r.Header.Set("Authorization", s.old+a.AccessKey+":"+base64.StdEncoding.EncodeToString(mac))
}

// signNew signs with HMAC-SHA256 over the whole request but its body.
func (s signing) signNew(r *http.Request, a *plan.Auth, bucket, region string, now time.Time) {
	at := now.Format("20060102T150405Z")
	r.Header.Set(s.prefix+"Date", at)
	r.Header.Set(s.prefix+"Content-Sha256", unsigned)
	path := encodePath(cmp.Or(r.URL.Path, "/"))
	lines := s.headers(r, true)
	signed := "" // OSS signs what it signs without being told
	if s.service == "s3" {
		names := make([]string, len(lines))
		for i, line := range lines {
			names[i], _, _ = strings.Cut(line, ":")
		}
		signed = strings.Join(names, ";")
	} else {
		path = "/" + bucket + path
	}
	canonical := strings.Join([]string{r.Method, path, s.encodeQuery(r.URL.Query()), strings.Join(lines, ""), signed, unsigned}, "\n")
	scope := strings.Join([]string{at[:8], region, s.service, s.request}, "/")
	hashed := sha256.Sum256([]byte(canonical))
	text := strings.Join([]string{s.algorithm, at, scope, hex.EncodeToString(hashed[:])}, "\n")
	key := []byte(s.secret + a.SecretKey)
	for _, part := range []string{at[:8], region, s.service, s.request} {
		key = sum(sha256.New, key, part)
	}
	credential := s.algorithm + " Credential=" + a.AccessKey + "/" + scope
	if signed != "" {
		credential += ", SignedHeaders=" + signed + ", Signature="
	} else {
		credential += ",Signature="
	}
	r.Header.Set("Authorization", credential+hex.EncodeToString(sum(sha256.New, key, text)))
}

// headers are the lines of the headers that are signed, in the order of their
// names: those of the kind itself, and in the newer way content headers for OSS and
// the host for S3.
func (s signing) headers(r *http.Request, newer bool) []string {
	found := map[string]string{}
	for name, values := range r.Header {
		low := strings.ToLower(name)
		content := newer && s.service == "oss" && (low == "content-type" || low == "content-md5")
		if strings.HasPrefix(low, s.prefix) || content {
			found[low] = strings.TrimSpace(strings.Join(values, ","))
		}
	}
	if newer && s.service == "s3" {
		found["host"] = r.Host
	}
	var lines []string
	for _, name := range slices.Sorted(maps.Keys(found)) {
		lines = append(lines, name+":"+found[name]+"\n")
	}
	return lines
}

// subResources is the part of a query that the older way signs.
func (s signing) subResources(q url.Values) string {
	names := "acl cors delete lifecycle location logging notification partNumber policy requestPayment response-cache-control " +
		"response-content-disposition response-content-encoding response-content-language response-content-type response-expires " +
		"restore tagging torrent uploadId uploads versionId versioning versions website"
	if s.service == "oss" {
		names += " append bucketInfo callback callback-var comp encryption endTime img inventory live objectMeta position process qos " +
			"referer security-token startTime stat status style styleName symlink vod worm x-oss-process x-oss-traffic-limit"
	}
	var found []string
	for _, name := range strings.Fields(names) {
		if values, ok := q[name]; ok {
			part := name
			if values[0] != "" {
				part += "=" + values[0]
			}
			found = append(found, part)
		}
	}
	if len(found) == 0 {
		return ""
	}
	slices.Sort(found)
	return "?" + strings.Join(found, "&")
}

// encodePath escapes all but unreserved characters and slashes.
func encodePath(path string) string {
	return strings.ReplaceAll(escape(path), "%2F", "/")
}

// encodeQuery writes a query in the order of its names, escaped likewise. OSS wants
// no equals sign after a name without a value.
func (s signing) encodeQuery(q url.Values) string {
	var pairs []string
	for _, name := range slices.Sorted(maps.Keys(q)) {
		for _, value := range slices.Sorted(slices.Values(q[name])) {
			pair := escape(name) + "=" + escape(value)
			if s.service == "oss" && value == "" {
				pair = escape(name)
			}
			pairs = append(pairs, pair)
		}
	}
	return strings.Join(pairs, "&")
}

func escape(text string) string {
	return strings.ReplaceAll(url.QueryEscape(text), "+", "%20")
}

func sum(h func() hash.Hash, key []byte, text string) []byte {
	m := hmac.New(h, key)
	m.Write([]byte(text)) // never fails
	return m.Sum(nil)
}
