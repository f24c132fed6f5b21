package esa

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestAnswers(t *testing.T) {
	for name, c := range map[string]struct {
		status int
		body   string
		want   map[string]any // nil: an error
		err    Error
		hint   string
	}{
		"exact integers": {200, `{"SiteId":9007199254740993,"RequestId":"R"}`,
			map[string]any{"SiteId": json.Number("9007199254740993"), "RequestId": "R"}, Error{}, ""},
		"empty body": {200, "", map[string]any{}, Error{}, ""},
		"service error": {400, `{"RequestId":"R-1","HostId":"h","Code":"InvalidParameter.InvalidBiz","Message":"BizName is invalid. request id: R-1","Recommend":"https://x"}`,
			nil, Error{Code: "InvalidParameter.InvalidBiz", Message: "BizName is invalid.", RequestID: "R-1", HTTPStatus: 400}, "web, api"},
		"prefixed message": {404, `{"RequestId":"R-1","Code":"SiteNotFound","Message":"code: 404, no such site request id: R-1"}`,
			nil, Error{Code: "SiteNotFound", Message: "no such site", RequestID: "R-1", HTTPStatus: 404}, "list the sites"},
		"small letters": {400, `{"requestId":"R-2","code":"X.Y","message":"m"}`,
			nil, Error{Code: "X.Y", Message: "m", RequestID: "R-2", HTTPStatus: 400}, ""},
		"code with a tab": {400, `{"Code":"InvalidAccount.NotFound\t","Message":"m"}`,
			nil, Error{Code: "InvalidAccount.NotFound", Message: "m", HTTPStatus: 400}, "edge KV"},
		"code that is a number": {400, `{"Code":101,"Message":"m"}`,
			nil, Error{Code: "101", Message: "m", HTTPStatus: 400}, "site id"},
		"missing permission": {403, `{"Code":"NoPermission","Message":"no","AccessDeniedDetail":{"AuthAction":"esa:GetSite"}}`,
			nil, Error{Code: "NoPermission", Message: "no (the missing permission is esa:GetSite)", HTTPStatus: 403}, "AliyunESAFullAccess"},
		"error without code": {400, `{}`, nil, Error{Code: CodeBadAnswer, Message: "an error without code and message", HTTPStatus: 400}, ""},
		"gateway's page": {503, "<html><head><style>x{}</style></head><body><h1>Busy</h1></body></html>",
			nil, Error{Code: CodeBadAnswer, HTTPStatus: 503, Retryable: true, Message: "HTTP 503 Service Unavailable without the API's JSON: Busy"}, ""},
		"not found page": {404, "nothing here", nil, Error{Code: CodeBadAnswer, HTTPStatus: 404,
			Message: "HTTP 404 Not Found without the API's JSON: nothing here"}, "endpoint"},
		"list":       {200, "[1]", nil, Error{Code: CodeBadAnswer, HTTPStatus: 200, Message: "HTTP 200 OK without the API's JSON: [1]"}, ""},
		"two values": {200, "{} {}", nil, Error{Code: CodeBadAnswer, HTTPStatus: 200, Message: "HTTP 200 OK without the API's JSON: {} {}"}, ""},
		"XML error": {403, `<?xml version="1.0"?><Error><Code>Forbidden</Code><Message>no</Message><RequestId>R-3</RequestId></Error>`,
			nil, Error{Code: "Forbidden", Message: "no", RequestID: "R-3", HTTPStatus: 403}, "permission"},
		"redirect": {302, "", nil, Error{Code: CodeBadAnswer, HTTPStatus: 302, Message: "HTTP 302 Found without the API's JSON"}, "check the endpoint"},
	} {
		t.Run(name, func(t *testing.T) {
			server := newScript(t, answer(c.status, c.body))
			client := testClient(t, server.URL, func(cfg *Config) { cfg.MaxTries = 1 })
			res, err := client.Call(t.Context(), "GetSite", Params{"SiteId": 1})
			if c.want != nil {
				require.NoError(t, err)
				require.Equal(t, c.want, res.Body)
				return
			}
			e := failure(t, err)
			require.Contains(t, e.Hint, c.hint)
			c.err.Action, c.err.Hint = "GetSite", e.Hint
			require.Equal(t, c.err, *e)
		})
	}
}

// The service repeats the request, and so the access key, in signature errors.
func TestErrorsHideSecrets(t *testing.T) {
	body, err := json.Marshal(map[string]string{"Code": "SignatureDoesNotMatch", "RequestId": "R",
		"Message": "Specified signature is not matched with our calculation. server string to sign is:POST&" + testKeyID + "&" + testSecret})
	require.NoError(t, err)
	server := newScript(t, answer(400, string(body)), answer(502, "key "+testKeyID+" "+testSecret+" LTAI0123456789abcd Signature=abc"))
	var log bytes.Buffer
	client := testClient(t, server.URL, func(cfg *Config) {
		cfg.MaxTries = 1
		cfg.Logger = slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	})
	e := failure(t, second(client.Call(t.Context(), "GetSite", Params{"SiteId": 1})))
	require.Equal(t, "Specified signature is not matched with our calculation.", e.Message)
	e = failure(t, second(client.Call(t.Context(), "GetKv", Params{"Namespace": "n", "Key": "value-not-to-be-logged"})))
	require.Equal(t, "HTTP 502 Bad Gateway without the API's JSON: key *** *** *** Signature=***", e.Message)
	require.Contains(t, log.String(), "GetSite")
	for _, secret := range []string{testKeyID, testSecret, "value-not-to-be-logged"} {
		require.NotContains(t, log.String(), secret)
	}
}

func second[T any](_ T, err error) error { return err }

func TestConnectionErrorHidesParameters(t *testing.T) {
	client := testClient(t, nobody, func(cfg *Config) { cfg.MaxTries = 2 })
	e := failure(t, second(client.Call(t.Context(), "GetKv", Params{"Namespace": "n", "Key": "private-key-name"})))
	require.Equal(t, CodeConnection, e.Code)
	require.True(t, e.Retryable)
	for err := error(e); err != nil; {
		require.NotContains(t, err.Error(), "private-key-name")
		u, ok := err.(interface{ Unwrap() error })
		if !ok {
			break
		}
		err = u.Unwrap()
	}
}

// nobody is an address at which nobody listens, and no test does: connections are
// refused.
const nobody = "http://127.0.0.1:1"

func TestSecurityTokenIsSent(t *testing.T) {
	server := newCapture(t)
	client := testClient(t, server.URL, func(cfg *Config) { cfg.Credentials = StaticCredentials(testKeyID, testSecret, "token-1") })
	require.NoError(t, second(client.Call(t.Context(), "GetErService", nil)))
	req, _ := server.last()
	require.Equal(t, "token-1", req.Header.Get("x-acs-security-token"))
	require.Equal(t, testKeyID, req.Header.Get("x-acs-accesskey-id"))
	require.True(t, strings.HasPrefix(req.Header.Get("Authorization"), "ACS3-HMAC-SHA256 Credential="+testKeyID+","))
}

func TestAnswerTooLarge(t *testing.T) {
	server := newScript(t, func(w http.ResponseWriter, _ *http.Request) {
		chunk := bytes.Repeat([]byte(" "), 1<<20)
		for range maxAnswer>>20 + 1 {
			if _, err := w.Write(chunk); err != nil {
				return
			}
		}
	})
	e := failure(t, second(testClient(t, server.URL).Call(t.Context(), "GetErService", nil)))
	require.Equal(t, CodeBadAnswer, e.Code)
	require.Contains(t, e.Message, "larger than 64 MB")
	require.Equal(t, 1, server.count())
}

// stuck is a server that reads a request, says so, and never answers.
func stuck(t testing.TB) (*httptest.Server, chan struct{}) {
	arrived := make(chan struct{}, 100)
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		arrived <- struct{}{}
		<-r.Context().Done()
	}))
	t.Cleanup(server.Close)
	return server, arrived
}

func TestCancelStopsTheCall(t *testing.T) {
	server, arrived := stuck(t)
	for action, unknown := range map[string]bool{"GetErService": false, "CreateRoutine": true} {
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() {
			params := Params{"Name": "x"}
			if action == "GetErService" {
				params = nil
			}
			done <- second(testClient(t, server.URL).Call(ctx, action, params))
		}()
		<-arrived
		cancel()
		e := failure(t, <-done)
		require.Equal(t, CodeCanceled, e.Code)
		require.ErrorIs(t, e, context.Canceled)
		require.Equal(t, unknown, e.OutcomeUnknown)
	}
}

func TestDeadlineOfTheCaller(t *testing.T) {
	server, _ := stuck(t)
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Millisecond)
	defer cancel()
	e := failure(t, second(testClient(t, server.URL).Call(ctx, "GetErService", nil)))
	require.Equal(t, CodeTimeout, e.Code)
	require.ErrorIs(t, e, context.DeadlineExceeded)
}

func TestOneClientInParallel(t *testing.T) {
	var opened atomic.Int64
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, `{"SiteId":`+r.URL.Query().Get("SiteId")+`}`)
	}))
	server.Config.ConnState = func(_ net.Conn, s http.ConnState) {
		if s == http.StateNew {
			opened.Add(1)
		}
	}
	server.Start()
	t.Cleanup(server.Close)
	client := testClient(t, server.URL)
	for range 5 {
		var all sync.WaitGroup
		for i := range 20 {
			all.Go(func() {
				res, err := client.Call(t.Context(), "GetSite", Params{"SiteId": i})
				if err != nil || res.Body["SiteId"] != json.Number(json.Number(itoa(i))) {
					t.Errorf("call %d: %v, %v", i, res.Body, err)
				}
			})
		}
		all.Wait()
	}
	require.LessOrEqual(t, opened.Load(), int64(40), "connections are reused")
}

func itoa(i int) string { b, _ := json.Marshal(i); return string(b) }

func TestWritesOnOneSiteAreSerial(t *testing.T) {
	var mu sync.Mutex
	busy, most := map[string]int{}, 0
	together := make(chan struct{}, 2)
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		site := r.URL.Query().Get("SiteId")
		mu.Lock()
		busy[site]++
		most = max(most, busy[site])
		first := len(together) < 2
		mu.Unlock()
		if first { // the first of each site wait for each other: sites are parallel
			together <- struct{}{}
			for len(together) < 2 {
				select {
				case <-r.Context().Done():
					return
				case <-time.After(time.Millisecond):
				}
			}
		}
		mu.Lock()
		busy[site]--
		mu.Unlock()
	}))
	t.Cleanup(server.Close)
	client := testClient(t, server.URL)
	var all sync.WaitGroup
	for i := range 20 {
		all.Go(func() {
			_, err := client.Call(t.Context(), "UpdateSitePause", Params{"SiteId": i%2 + 1, "Paused": true})
			if err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	require.Equal(t, 1, most)
	require.Empty(t, client.sites.queues)
}

func TestWaitingForASiteCanBeCancelled(t *testing.T) {
	client := testClient(t, nobody)
	release, err := client.sites.enter(t.Context(), "7")
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	e := failure(t, second(client.Call(ctx, "DeleteSite", Params{"SiteId": 7})))
	require.Equal(t, CodeCanceled, e.Code)
	require.False(t, e.OutcomeUnknown)
	release()
	require.Empty(t, client.sites.queues)
}

func FuzzParseAnswer(f *testing.F) {
	f.Add(200, []byte(`{"a":1}`))
	f.Add(400, []byte(`{"Code":"X","Message":"code: 400, m request id: 1"}`))
	f.Add(403, []byte(`<Error><Code>AccessDenied</Code></Error>`))
	f.Add(502, []byte("<html>"))
	cred := Credential{AccessKeyID: testKeyID, AccessKeySecret: testSecret}
	f.Fuzz(func(t *testing.T, status int, raw []byte) {
		body, e := parseAnswer(status, http.Header{}, raw, cred)
		if (body == nil) == (e == nil) {
			t.Fatalf("neither answer nor error, or both: %v, %v", body, e)
		}
		if e != nil && (e.Code == "" || strings.Contains(e.Error(), testSecret)) {
			t.Fatalf("bad error: %v", e)
		}
	})
}
