package local

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"mime/multipart"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	openapi "github.com/alibabacloud-go/darabonba-openapi/v2/client"
	openapiutil "github.com/alibabacloud-go/darabonba-openapi/v2/utils"
	"github.com/alibabacloud-go/tea/dara"
	"github.com/stretchr/testify/require"

	"github.com/esa-mcp/esa-mcp/internal/catalog"
	"github.com/esa-mcp/esa-mcp/internal/local/api"
)

func start(t *testing.T, o Options) *Server {
	t.Helper()
	s, err := Start(t.Context(), patient(o))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	return s
}

// patient are options with which routines are not ended, nor warned, because the
// machine is busy: what they compute is measured by the clock.
func patient(o Options) Options {
	o.Runtime.Limits.CPU = time.Minute
	return o
}

// plainHTTP stands in for the library's own HTTP clients, which it shares and
// changes without a lock.
type plainHTTP struct{}

func (plainHTTP) Call(r *http.Request, _ *http.Transport) (*http.Response, error) {
	return http.DefaultClient.Do(r)
}

// call sends one operation as the official SDKs do: with their library, from
// the catalogue.
func call(t testing.TB, info Info, action string, params map[string]any) (map[string]any, error) {
	t.Helper()
	client, err := openapi.NewClient(&openapi.Config{AccessKeyId: &info.AccessKeyID, AccessKeySecret: &info.AccessKeySecret,
		Endpoint: dara.String(strings.TrimPrefix(info.Endpoint, "http://")), Protocol: dara.String("http"), HttpClient: plainHTTP{}})
	require.NoError(t, err)
	op, ok := catalog.Lookup(action)
	require.True(t, ok, action)
	query, body := map[string]any{}, map[string]any{}
	for name, v := range params {
		p, ok := op.Param(name)
		require.True(t, ok, "%s.%s", action, name)
		if p.As == catalog.AsJSON {
			raw, err := json.Marshal(v)
			require.NoError(t, err)
			v = string(raw)
		}
		if p.In == catalog.InBody {
			body[name] = v
		} else {
			query[name] = v
		}
	}
	req := &openapi.OpenApiRequest{Query: openapiutil.Query(query)}
	if op.HasBody() {
		req.Body = body
	}
	out, err := client.CallApi(&openapi.Params{Action: &op.Action, Version: dara.String(catalog.Version), Method: &op.Method,
		Pathname: dara.String("/"), Protocol: dara.String("HTTPS"), AuthType: dara.String("AK"), Style: dara.String("RPC"),
		ReqBodyType: dara.String("formData"), BodyType: dara.String("json")}, req, &dara.RuntimeOptions{})
	if err != nil {
		return nil, err
	}
	answer := out["body"].(map[string]any)
	require.NotEmpty(t, answer["RequestId"])
	return answer, nil
}

func must(t testing.TB, info Info, action string, params map[string]any) map[string]any {
	t.Helper()
	out, err := call(t, info, action, params)
	require.NoError(t, err, action)
	return out
}

func TestSitesAndKVOverTheWire(t *testing.T) {
	info := start(t, Options{}).Info()
	instance := must(t, info, "ListUserRatePlanInstances", nil)["InstanceInfo"].([]any)[0].(map[string]any)["InstanceId"]
	site := must(t, info, "CreateSite", map[string]any{"SiteName": "shop.example", "AccessType": "NS", "Coverage": "overseas", "InstanceId": instance})
	id, err := site["SiteId"].(json.Number).Int64()
	require.NoError(t, err)
	require.Equal(t, true, must(t, info, "VerifySite", map[string]any{"SiteId": id})["Passed"])
	must(t, info, "CreateRecord", map[string]any{"SiteId": id, "RecordName": "www.shop.example", "Type": "A/AAAA", "Ttl": 1,
		"Proxied": true, "BizName": "web", "Data": map[string]any{"Value": "203.0.113.1,2001:db8::1"}, "Comment": "中文 & more"})
	records := must(t, info, "ListRecords", map[string]any{"SiteId": id})["Records"].([]any)
	require.Len(t, records, 1)
	require.Equal(t, "中文 & more", records[0].(map[string]any)["Comment"])
	_, err = call(t, info, "CreateRecord", map[string]any{"SiteId": id, "RecordName": "www", "Type": "TXT", "Ttl": 1, "Data": map[string]any{"Value": "x"}})
	require.ErrorContains(t, err, "InvalidParameter.InvalidRecordNameSuffix")

	value := strings.Repeat("中+%&", 400_000/2) // 1.2 MB, over 2 MB as a form
	must(t, info, "CreateKvNamespace", map[string]any{"Namespace": "ns"})
	must(t, info, "PutKv", map[string]any{"Namespace": "ns", "Key": "k", "Value": value})
	require.Equal(t, value, must(t, info, "GetKv", map[string]any{"Namespace": "ns", "Key": "k"})["Value"])
	_, err = call(t, info, "DescribeRatePlanPrice", nil)
	require.ErrorContains(t, err, "NotApplicable")
}

// TestDeployedPagesAreServed walks the way of a deployment with assets, and
// reads the result back from the edge.
func TestDeployedPagesAreServed(t *testing.T) {
	info := start(t, Options{OpenDefaultDomain: true}).Info()
	page := []byte("<h1>deployed \\n `here`</h1>")
	must(t, info, "CreateRoutine", map[string]any{"Name": "hello", "HasAssets": true})
	version := deploy(t, info, "hello", page)

	got := must(t, info, "GetRoutine", map[string]any{"Name": "hello"})
	host := got["DefaultRelatedRecord"].(string)
	status, body := fetch(t, info, host, "/")
	require.Equal(t, 200, status)
	require.Equal(t, page, body)
	require.Contains(t, string(mustJSON(t, got)), version)
	status, _ = fetch(t, info, "unknown.deadbeef.er.localhost", "/")
	require.Equal(t, 404, status)
}

func TestDefaultDomainIsPrivate(t *testing.T) {
	info := start(t, Options{}).Info()
	must(t, info, "CreateRoutine", map[string]any{"Name": "hello", "HasAssets": true})
	deploy(t, info, "hello", []byte("private"))
	host := must(t, info, "GetRoutine", map[string]any{"Name": "hello"})["DefaultRelatedRecord"].(string)
	status, _ := fetch(t, info, host, "/")
	require.Equal(t, 401, status)
	token := must(t, info, "GetRoutineAccessToken", map[string]any{"Name": "hello"})["Token"].(string)
	status, body := fetch(t, info, host, "/?esa_er_token="+token)
	require.Equal(t, 200, status)
	require.Equal(t, "private", string(body))
}

// upload makes a version of one page.
func upload(t testing.TB, info Info, name string, page []byte) (version string) {
	t.Helper()
	return uploadFiles(t, info, name, "", map[string]string{"assets/index.html": string(page)})
}

// uploadFiles uploads a pack of files.
func uploadFiles(t testing.TB, info Info, name, strategy string, files map[string]string) (version string) {
	t.Helper()
	var pack bytes.Buffer
	z := zip.NewWriter(&pack)
	for file, content := range files {
		f, err := z.Create(file)
		require.NoError(t, err)
		_, err = io.WriteString(f, content)
		require.NoError(t, err)
	}
	require.NoError(t, z.Close())

	params := map[string]any{"Name": name}
	if strategy != "" {
		params["ConfOptions"] = map[string]any{"NotFoundStrategy": strategy}
	}
	made := must(t, info, "CreateRoutineWithAssetsCodeVersion", params)
	version = made["CodeVersion"].(string)
	slot := made["OssPostConfig"].(map[string]any)
	var form bytes.Buffer
	w := multipart.NewWriter(&form)
	for field, member := range map[string]string{"OSSAccessKeyId": "OSSAccessKeyId", "Signature": "Signature", "policy": "Policy",
		"key": "Key", "x-oss-security-token": "XOssSecurityToken"} {
		require.NoError(t, w.WriteField(field, slot[member].(string)))
	}
	part, err := w.CreateFormFile("file", "code.zip")
	require.NoError(t, err)
	_, err = part.Write(pack.Bytes())
	require.NoError(t, err)
	require.NoError(t, w.Close())
	res, err := http.Post(slot["Url"].(string), w.FormDataContentType(), &form)
	require.NoError(t, err)
	defer res.Body.Close()
	answer, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	require.Contains(t, []int{200, 204}, res.StatusCode, string(answer))
	return version
}

// deploy uploads one page and puts it live in production.
func deploy(t testing.TB, info Info, name string, page []byte) (version string) {
	t.Helper()
	return goLive(t, info, name, upload(t, info, name, page))
}

// goLive puts an uploaded version live in production.
func goLive(t testing.TB, info Info, name, version string) string {
	t.Helper()
	require.Eventually(t, func() bool {
		status := must(t, info, "GetRoutineCodeVersionInfo", map[string]any{"Name": name, "CodeVersion": version})["Status"].(string)
		return strings.EqualFold(status, "available")
	}, time.Minute, 5*time.Millisecond)
	must(t, info, "CreateRoutineCodeDeployment", map[string]any{"Name": name, "Env": "production", "Strategy": "percentage",
		"CodeVersions": []map[string]any{{"Percentage": 100, "CodeVersion": version}}})
	return version
}

func fetch(t *testing.T, info Info, host, path string) (int, []byte) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, info.Edge+path, nil)
	require.NoError(t, err)
	req.Host = host
	res, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	return res.StatusCode, body
}

func mustJSON(t *testing.T, v any) []byte {
	t.Helper()
	raw, err := json.Marshal(v)
	require.NoError(t, err)
	return raw
}

func TestStateSurvivesAndIsShared(t *testing.T) {
	dir := t.TempDir()
	first := start(t, Options{Dir: dir, OpenDefaultDomain: true})
	must(t, first.Info(), "CreateKvNamespace", map[string]any{"Namespace": "ns"})
	must(t, first.Info(), "CreateRoutine", map[string]any{"Name": "hello", "HasAssets": true})
	deploy(t, first.Info(), "hello", []byte("kept"))

	second := start(t, Options{Dir: dir, OpenDefaultDomain: true}) // beside the first
	require.Equal(t, first.Info().AccessKeySecret, second.Info().AccessKeySecret)
	must(t, second.Info(), "PutKv", map[string]any{"Namespace": "ns", "Key": "k", "Value": "v"})
	require.Equal(t, "v", must(t, first.Info(), "GetKv", map[string]any{"Namespace": "ns", "Key": "k"})["Value"])
	require.NoError(t, first.Close())
	require.NoError(t, second.Close())

	third := start(t, Options{Dir: dir, OpenDefaultDomain: true}).Info()
	require.Equal(t, "v", must(t, third, "GetKv", map[string]any{"Namespace": "ns", "Key": "k"})["Value"])
	host := must(t, third, "GetRoutine", map[string]any{"Name": "hello"})["DefaultRelatedRecord"].(string)
	status, body := fetch(t, third, host, "/")
	require.Equal(t, 200, status)
	require.Equal(t, "kept", string(body))
}

func TestListenRefusals(t *testing.T) {
	for address, want := range map[string]string{
		"0.0.0.0:0":     "not loopback",
		":0":            "not loopback",
		"[::]:0":        "not loopback",
		"192.0.2.1:80":  "not loopback",
		"example.com:0": "not loopback",
		"127.0.0.1":     "127.0.0.1:PORT",
	} {
		_, err := Start(t.Context(), Options{Listen: address})
		require.ErrorContains(t, err, want, address)
		_, err = Start(t.Context(), Options{EdgeListen: address})
		require.ErrorContains(t, err, want, address)
	}
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer taken.Close()
	_, err = Start(t.Context(), Options{Listen: taken.Addr().String()})
	require.ErrorContains(t, err, "listen for the local ESA's API")
	s := start(t, Options{Listen: "localhost:0"})
	require.Regexp(t, `^http://(127\.0\.0\.1|\[::1\]):\d+$`, s.Info().Endpoint)
}

func TestStateRefusals(t *testing.T) {
	_, err := Start(t.Context(), Options{Dir: "/dev/null/state"})
	require.ErrorContains(t, err, "/dev/null/state")
}

func TestInfoAsJSON(t *testing.T) {
	require.JSONEq(t, `{"endpoint":"http://127.0.0.1:1","edge":"http://127.0.0.1:2","access_key_id":"a","access_key_secret":"b","admin":"http://127.0.0.1:1/_local","console":"http://127.0.0.1:1/console",
		"edge_tls":"https://127.0.0.1:3","ca_file":"/ca.pem","endpoint_tls":"https://127.0.0.1:4"}`,
		string(mustJSON(t, Info{"http://127.0.0.1:1", "http://127.0.0.1:2", "a", "b", "http://127.0.0.1:1/_local", "http://127.0.0.1:1/console", "https://127.0.0.1:3", "/ca.pem", "https://127.0.0.1:4"})))
}

func TestInterceptAndUploads(t *testing.T) {
	var log bytes.Buffer
	refuse := true
	s := start(t, Options{
		Logger: slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug})),
		Intercept: func(_ context.Context, action string) error {
			if action == "ListSites" && refuse {
				refuse = false
				return api.Errorf(503, "ServiceUnavailable", "later")
			}
			return nil
		},
		WrapUploads: func(http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTeapot) })
		},
	})
	_, err := call(t, s.Info(), "ListSites", nil)
	require.ErrorContains(t, err, "ServiceUnavailable")
	must(t, s.Info(), "ListSites", nil)
	res, err := http.Post(s.Info().Endpoint+"/oss/any/", "text/plain", nil)
	require.NoError(t, err)
	require.NoError(t, res.Body.Close())
	require.Equal(t, http.StatusTeapot, res.StatusCode)
	require.NoError(t, s.Close())
	require.Contains(t, log.String(), "ListSites")
	require.NotContains(t, log.String(), s.Info().AccessKeySecret)
}

// TestCloseEndsWaitingCalls closes while a call hangs: the call's context ends,
// and Close comes back.
func TestCloseEndsWaitingCalls(t *testing.T) {
	entered, ended := make(chan struct{}), make(chan error, 1)
	s := start(t, Options{Grace: time.Millisecond, Intercept: func(ctx context.Context, _ string) error {
		close(entered)
		<-ctx.Done()
		ended <- ctx.Err()
		return ctx.Err()
	}})
	answered := make(chan error, 1)
	go func() {
		_, err := call(t, s.Info(), "ListSites", nil)
		answered <- err
	}()
	<-entered
	require.NoError(t, s.Close())
	require.ErrorIs(t, <-ended, context.Canceled)
	require.Error(t, <-answered)
	_, err := http.Get(s.Info().Endpoint)
	require.Error(t, err, "nobody listens any more")
}
