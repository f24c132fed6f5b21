package esa

import (
	"context"
	"net/http"
	"net/http/httptrace"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/esa-mcp/esa-mcp/internal/catalog"
)

func refusal(status int, code string) http.HandlerFunc {
	return answer(status, `{"Code":"`+code+`","Message":"m","RequestId":"R"}`)
}

var createSite = Params{"SiteName": "example.com"}

func TestRepeats(t *testing.T) {
	success := answer(200, `{}`)
	for name, c := range map[string]struct {
		action  string
		params  Params
		steps   []http.HandlerFunc
		tries   int
		code    string // empty: success in the end
		unknown bool
	}{
		"throttled read":           {"GetErService", nil, []http.HandlerFunc{refusal(400, "Throttling.User"), success}, 2, "", false},
		"throttled create":         {"CreateSite", createSite, []http.HandlerFunc{refusal(400, "Throttling.Api"), success}, 2, "", false},
		"429 of any code":          {"GetErService", nil, []http.HandlerFunc{refusal(429, "SomethingNew"), success}, 2, "", false},
		"lock":                     {"CreateSite", createSite, []http.HandlerFunc{refusal(400, "LockFailed"), success}, 2, "", false},
		"internal on a read":       {"GetErService", nil, []http.HandlerFunc{refusal(500, "InternalException"), success}, 2, "", false},
		"internal on a put":        {"PutKv", Params{"Namespace": "n", "Key": "k", "Value": "v"}, []http.HandlerFunc{refusal(500, "InternalException"), success}, 2, "", false},
		"internal on a create":     {"CreateSite", createSite, []http.HandlerFunc{refusal(500, "InternalException")}, 1, "InternalException", true},
		"undefined":                {"GetErService", nil, []http.HandlerFunc{refusal(500, "undefined"), success}, 2, "", false},
		"busy for ever":            {"GetErService", nil, []http.HandlerFunc{refusal(400, "Site.ServiceBusy")}, 5, "Site.ServiceBusy", false},
		"invalid":                  {"GetErService", nil, []http.HandlerFunc{refusal(400, "InvalidParameter.X")}, 1, "InvalidParameter.X", false},
		"quota":                    {"CreateSite", createSite, []http.HandlerFunc{refusal(400, "QuotaExceed.Site")}, 1, "QuotaExceed.Site", false},
		"500 of an unknown code":   {"GetErService", nil, []http.HandlerFunc{refusal(500, "Strange")}, 1, "Strange", false},
		"gateway 503":              {"CreateSite", createSite, []http.HandlerFunc{answer(503, "busy"), success}, 2, "", false},
		"gateway 504 on a read":    {"GetErService", nil, []http.HandlerFunc{answer(504, "late"), success}, 2, "", false},
		"gateway 504 on a create":  {"CreateSite", createSite, []http.HandlerFunc{answer(504, "late")}, 1, CodeBadAnswer, true},
		"lost on a read":           {"GetErService", nil, []http.HandlerFunc{hangUp, success}, 2, "", false},
		"lost on a create":         {"CreateSite", createSite, []http.HandlerFunc{hangUp}, 1, CodeConnection, true},
		"lost on a delete":         {"DeleteSite", Params{"SiteId": 1}, []http.HandlerFunc{hangUp, success}, 2, "", false},
		"lost on a put":            {"PutKv", Params{"Namespace": "n", "Key": "k", "Value": "v"}, []http.HandlerFunc{hangUp, success}, 2, "", false},
		"nonce used on a read":     {"GetErService", nil, []http.HandlerFunc{refusal(400, "SignatureNonceUsed"), success}, 2, "", false},
		"nonce used on a create":   {"CreateSite", createSite, []http.HandlerFunc{refusal(400, "SignatureNonceUsed")}, 1, "SignatureNonceUsed", true},
		"internal where it spends": {"OpenErService", nil, []http.HandlerFunc{refusal(500, "InternalException")}, 1, "InternalException", true},
	} {
		t.Run(name, func(t *testing.T) {
			server := newScript(t, c.steps...)
			w := new(waits)
			client := testClient(t, server.URL, func(cfg *Config) { cfg.Sleep = w.sleep })
			op := operation(t, c.action)
			enc, err := encode(op, c.params)
			require.NoError(t, err)
			_, err = client.callEncoded(t.Context(), op, enc)
			require.Equal(t, c.tries, server.count())
			require.Len(t, w.list(), c.tries-1)
			if c.code == "" {
				require.NoError(t, err)
				return
			}
			e := failure(t, err)
			require.Equal(t, c.code, e.Code)
			require.Equal(t, c.unknown, e.OutcomeUnknown)
			if c.unknown {
				require.False(t, e.Retryable)
				require.Contains(t, e.Hint, "look")
			}
		})
	}
}

func TestTimeoutOfATry(t *testing.T) {
	arrived := make(chan struct{}, 10)
	w := new(waits)
	client := testClient(t, nobody, func(cfg *Config) {
		cfg.Timeout, cfg.MaxTries, cfg.Sleep = 20*time.Millisecond, 3, w.sleep
		// Sends the request and never answers, however slow this machine is.
		cfg.Transport = roundTrip(func(r *http.Request) (*http.Response, error) {
			httptrace.ContextClientTrace(r.Context()).WroteHeaders()
			arrived <- struct{}{}
			<-r.Context().Done()
			return nil, r.Context().Err()
		})
	})
	e := failure(t, second(client.Call(t.Context(), "GetErService", nil)))
	require.Equal(t, CodeTimeout, e.Code)
	require.True(t, e.Retryable)
	require.Contains(t, e.Message, "20ms")
	require.Len(t, w.list(), 2)
	require.Len(t, arrived, 3)

	e = failure(t, second(client.Call(t.Context(), "CreateRoutine", Params{"Name": "x"})))
	require.Equal(t, CodeTimeout, e.Code)
	require.True(t, e.OutcomeUnknown)
	require.False(t, e.Retryable)
	require.Len(t, arrived, 4, "a create is not repeated")
}

// A connection that was never made is safe to try again, even for a create.
func TestRefusedConnectionIsRepeated(t *testing.T) {
	w := new(waits)
	client := testClient(t, nobody, func(cfg *Config) { cfg.Sleep = w.sleep })
	e := failure(t, second(client.Call(t.Context(), "CreateRoutine", Params{"Name": "x"})))
	require.Equal(t, CodeConnection, e.Code)
	require.True(t, e.Retryable)
	require.False(t, e.OutcomeUnknown)
	require.Len(t, w.list(), DefaultMaxTries-1)
}

func TestBackoff(t *testing.T) {
	server := newScript(t, refusal(400, "LockFailed"))
	w := new(waits)
	client := testClient(t, server.URL, func(cfg *Config) { cfg.Sleep, cfg.MaxTries = w.sleep, 7 })
	failure(t, second(client.Call(t.Context(), "GetErService", nil)))
	const s = time.Second
	require.Equal(t, []time.Duration{s, 2 * s, 4 * s, 8 * s, 10 * s, 10 * s}, w.list(), "without jitter: random is 1")

	w = new(waits)
	client = testClient(t, server.URL, func(cfg *Config) {
		cfg.Sleep, cfg.MaxTries, cfg.Random = w.sleep, 3, func() float64 { return 0.25 }
	})
	failure(t, second(client.Call(t.Context(), "GetErService", nil)))
	require.Equal(t, []time.Duration{s / 4, s / 2}, w.list())
}

func TestRetryAfter(t *testing.T) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	for value, want := range map[string]time.Duration{
		"": 0, "7": 7 * time.Second, "-1": 0, "soon": 0, "100000": 30 * time.Second,
		now.Add(9 * time.Second).Format(http.TimeFormat):  9 * time.Second,
		now.Add(-9 * time.Second).Format(http.TimeFormat): 0,
	} {
		require.Equal(t, want, retryAfter(http.Header{"Retry-After": {value}}, now), "%q", value)
	}
	server := newScript(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Retry-After", "7")
		refusal(429, "TooQuickRequests")(w, r)
	}, answer(200, "{}"))
	w := new(waits)
	client := testClient(t, server.URL, func(cfg *Config) { cfg.Sleep = w.sleep })
	require.NoError(t, second(client.Call(t.Context(), "GetErService", nil)))
	require.Equal(t, []time.Duration{7 * time.Second}, w.list())
}

// Waiting past the deadline would hide the error behind a time-out.
func TestNoWaitPastTheDeadline(t *testing.T) {
	server := newScript(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Retry-After", "30")
		refusal(400, "LockFailed")(w, r)
	})
	w := new(waits)
	client := testClient(t, server.URL, func(cfg *Config) { cfg.Sleep = w.sleep })
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	e := failure(t, second(client.Call(ctx, "GetErService", nil)))
	require.Equal(t, "LockFailed", e.Code)
	require.Equal(t, 1, server.count())
	require.Empty(t, w.list())
}

func TestCancelWhileWaiting(t *testing.T) {
	server := newScript(t, refusal(400, "LockFailed"))
	ctx, cancel := context.WithCancel(t.Context())
	client := testClient(t, server.URL, func(cfg *Config) {
		cfg.Sleep = func(ctx context.Context, d time.Duration) error {
			cancel()
			return sleep(ctx, d)
		}
	})
	e := failure(t, second(client.Call(ctx, "GetErService", nil)))
	require.Equal(t, CodeCanceled, e.Code)
	require.Contains(t, e.Message, "LockFailed")
	require.ErrorIs(t, e, context.Canceled)
}

func TestEveryTryHasItsOwnNonce(t *testing.T) {
	nonces := map[string]bool{}
	server := newScript(t, func(w http.ResponseWriter, r *http.Request) {
		nonces[r.Header.Get("x-acs-signature-nonce")] = true
		refusal(400, "Throttling")(w, r)
	})
	failure(t, second(testClient(t, server.URL).Call(t.Context(), "GetErService", nil)))
	require.Len(t, nonces, DefaultMaxTries)
	require.NotContains(t, nonces, "")
}

// A deletion that finds nothing after a try without an answer has most likely
// been carried out by that.
func TestDeleteAfterDoubt(t *testing.T) {
	for name, c := range map[string]struct {
		action string
		params Params
		steps  []http.HandlerFunc
		code   string // empty: success
		noted  bool
	}{
		"gone":                 {"DeleteSite", Params{"SiteId": 1}, []http.HandlerFunc{hangUp, refusal(404, "SiteNotFound")}, "", true},
		"gone after a failure": {"DeleteRecord", Params{"RecordId": 1}, []http.HandlerFunc{refusal(500, "InternalException"), refusal(404, "Record.NotFound")}, "", true},
		"deleted again":        {"BatchDeleteKv", Params{"Namespace": "n", "Keys": []any{"k"}}, []http.HandlerFunc{hangUp, answer(200, `{}`)}, "", true},
		"never there":          {"DeleteSite", Params{"SiteId": 1}, []http.HandlerFunc{refusal(404, "SiteNotFound")}, "SiteNotFound", false},
		"after a refusal":      {"DeleteSite", Params{"SiteId": 1}, []http.HandlerFunc{refusal(400, "LockFailed"), refusal(404, "SiteNotFound")}, "SiteNotFound", false},
		"no site":              {"DeleteCacheRule", Params{"SiteId": 1, "ConfigId": 1}, []http.HandlerFunc{hangUp, refusal(404, "SiteNotFound")}, "SiteNotFound", false},
		"an update":            {"PutKv", Params{"Namespace": "n", "Key": "k", "Value": "v"}, []http.HandlerFunc{hangUp, answer(200, `{}`)}, "", false},
	} {
		t.Run(name, func(t *testing.T) {
			res, err := testClient(t, newScript(t, c.steps...).URL).Call(t.Context(), c.action, c.params)
			if c.code != "" {
				require.Equal(t, c.code, failure(t, err).Code)
				return
			}
			require.NoError(t, err)
			require.Equal(t, c.noted, len(res.Notes) == 1 && res.Notes[0].ID == NoteEarlierTry)
		})
	}
}

// What a later try is refused for does not undo what an earlier one may have done.
func TestDoubtStays(t *testing.T) {
	put := Params{"Namespace": "n", "Key": "k", "Value": "v"}
	for name, steps := range map[string][]http.HandlerFunc{
		"then refused": {hangUp, refusal(400, "InvalidValue.Malformed")},
		"then busy":    {hangUp, refusal(429, "TooQuickRequests")},
		"for ever":     {refusal(500, "InternalException")},
		"another code": {refusal(500, "ServiceInvokeFailed")},
	} {
		e := failure(t, second(testClient(t, newScript(t, steps...).URL).Call(t.Context(), "PutKv", put)))
		require.True(t, e.OutcomeUnknown, name)
	}
}

// What may be repeated is decided by the action, never by the HTTP method.
func TestRepeatable(t *testing.T) {
	for action, want := range map[string]bool{
		"GetSite": true, "ListRecords": true, "GetRoutineStagingCodeUploadInfo": true,
		"UpdateRecord": true, "DeleteKv": true, "PutKv": true, "BatchPutKv": true, "BatchDeleteKv": true, "SetCertificate": true,
		"PublishRoutineCodeVersion": true, "TagResources": true, "VerifySite": true,
		"CreateSite": false, "BatchCreateRecords": false, "ApplyCertificate": false, "CommitRoutineStagingCode": false,
		"PurchaseRatePlan": false, "UpdateRatePlanSpec": false, "OpenErService": false, "PurgeCaches": false,
		"SubmitUploadTask": false, "UploadFile": false, "PublishEdgeContainerAppVersion": false, "ReleaseInstance": false,
	} {
		require.Equal(t, want, repeatable(operation(t, action)), action)
	}
	for _, action := range catalog.Actions() {
		if op := operation(t, action); op.Effect != catalog.Read && op.Spend {
			require.False(t, repeatable(op), action)
		}
	}
}
