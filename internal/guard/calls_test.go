package guard_test

import (
	"context"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/esa-mcp/esa-mcp/internal/catalog"
	"github.com/esa-mcp/esa-mcp/internal/esa"
	"github.com/esa-mcp/esa-mcp/internal/guard"
	"github.com/esa-mcp/esa-mcp/internal/local"
)

func notesOf(err error) []esa.Note { return guard.NotesOf(err) }

// The method is in the catalogue, and no guardrail can be turned off there.
// Sent with the wrong one, a call is refused as if a right were missing.
func TestGuardrail_api_method(t *testing.T) {
	prove(t, "api-method", proof{
		with: func(w *world) {
			w.goesThrough("ListSites", params{})
			for action, effect := range map[string]catalog.Effect{
				"DeleteKv": catalog.Delete, "DeleteCertificate": catalog.Delete, "SubmitUploadTask": catalog.Write, // sent with GET
				"GetRoutine": catalog.Read, "ListCertificates": catalog.Read, "DescribeSiteTopData": catalog.Read, // sent with POST
			} {
				op, ok := catalog.Lookup(action)
				require.True(w, ok)
				require.Equal(w, effect, op.Effect, action)
			}
		},
		without: func(w *world) { require.Equal(w, "UnsupportedHTTPMethod", w.posted("ListSites")) },
	})
}

// overlap counts calls that are under way at once. Each waits for another for a
// while.
type overlap struct {
	wait      time.Duration
	met       chan struct{} // closed when two have met
	mu        sync.Mutex
	now, most int
}

func (o *overlap) intercept(ctx context.Context, action string) error {
	if action != "CreateRecord" {
		return nil
	}
	o.mu.Lock()
	o.now++
	if o.now > 1 && o.most <= 1 {
		close(o.met)
	}
	o.most = max(o.most, o.now)
	o.mu.Unlock()
	select {
	case <-o.met:
	case <-time.After(o.wait):
	}
	o.mu.Lock()
	o.now--
	o.mu.Unlock()
	return nil
}

func TestGuardrail_api_serial(t *testing.T) {
	calls := &overlap{}
	race := func(w *world, wait time.Duration, callers ...esa.Caller) int {
		calls.wait, calls.met, calls.most = wait, make(chan struct{}), 0
		var all sync.WaitGroup
		for i, caller := range callers {
			all.Go(func() {
				_, err := caller.Call(w.Context(), "CreateRecord", w.on(params{
					"RecordName": string(rune('a'+i)) + ".shop.example", "Type": "TXT", "Ttl": 1, "Data": map[string]any{"Value": "x"}}))
				if err != nil {
					w.Error(err)
				}
			})
		}
		all.Wait()
		return calls.most
	}
	prove(t, "api-serial", proof{
		options: local.Options{Intercept: calls.intercept},
		setup:   func(w *world) { w.active("shop.example", "NS") },
		with:    func(w *world) { require.Equal(w, 1, race(w, 20*time.Millisecond, w.caller, w.caller, w.caller)) },
		without: func(w *world) {
			// Clients that know nothing of each other do meet.
			require.Greater(w, race(w, time.Minute, w.another(), w.another(), w.another()), 1)
		},
	})
}

func TestGuardrail_api_retry(t *testing.T) {
	prove(t, "api-retry", proof{
		options: local.Options{},
		with: func(w *world) {
			tries := 0
			w.meddle(func(action string) error {
				if tries++; tries < 3 {
					return answer(w, http.StatusBadRequest, "LockFailed")
				}
				return nil
			})
			_, err := w.patient(5).Call(w.Context(), "ListSites", nil)
			require.NoError(w, err)
			require.Equal(w, 3, tries)
			tries = 0
			w.meddle(func(string) error { tries++; return answer(w, http.StatusBadRequest, "InvalidParameter.InvalidBiz") })
			_, err = w.patient(5).Call(w.Context(), "ListSites", nil)
			require.Error(w, err)
			require.Equal(w, 1, tries, "what is wrong stays wrong")
		},
		without: func(w *world) {
			w.meddle(func(string) error { return answer(w, http.StatusBadRequest, "LockFailed") })
			_, err := w.patient(1).Call(w.Context(), "ListSites", nil)
			require.Equal(w, "LockFailed", esa.CodeOf(err))
		},
	})
}

func TestGuardrail_api_endpoint(t *testing.T) {
	endpoint := func(t require.TestingT, region string) string {
		c, err := esa.New(esa.Config{Region: region, Credentials: esa.StaticCredentials("a", "b", "")})
		require.NoError(t, err)
		return c.Endpoint()
	}
	prove(t, "api-endpoint", proof{
		with: func(w *world) {
			w.Setenv("ALIBABACLOUD_REGION_ID", "")
			require.Equal(w, "https://esa.cn-hangzhou.aliyuncs.com", endpoint(w, ""))
			require.Equal(w, "https://esa.cn-hangzhou.aliyuncs.com", endpoint(w, "cn-shanghai"))
			require.Equal(w, "https://esa.ap-southeast-1.aliyuncs.com", endpoint(w, "ap-southeast-1"))
		},
		without: func(w *world) {
			_, err := esa.New(esa.Config{Endpoint: "esa..aliyuncs.com", Credentials: esa.StaticCredentials("a", "b", "")})
			require.Error(w, err, "what an empty region makes of the host name")
		},
	})
}

func TestGuardrail_api_partial(t *testing.T) {
	pairs := params{"Namespace": "ns", "KvList": []any{map[string]any{"Key": "good", "Value": "1"}, map[string]any{"Key": "old", "Value": "2", "Expiration": 1000000000}}}
	prove(t, "api-partial", proof{
		setup: func(w *world) { w.do("CreateKvNamespace", params{"Namespace": "ns"}) },
		with:  func(w *world) { w.warned("1 of 2 keys failed: old", "BatchPutKv", pairs) },
		without: func(w *world) {
			require.Equal(w, []any{"old"}, w.goesThrough("BatchPutKv", pairs)["FailKeys"], "the answer is 200 all the same")
		},
	})
}

func TestGuardrail_api_delete(t *testing.T) {
	prove(t, "api-delete", proof{
		setup: func(w *world) {
			w.active("shop.example", "NS")
			w.do("CreateKvNamespace", params{"Namespace": "ns"})
			w.do("PutKv", params{"Namespace": "ns", "Key": "k", "Value": "v"})
		},
		with: func(w *world) {
			w.asks("record TXT www.shop.example x (RecordId ", "DeleteRecord", params{"RecordId": w.record("www.shop.example", "TXT", "x", false)})
			rule := w.do("CreateCacheRule", w.on(params{"RuleName": "img", "RuleEnable": "on", "Rule": `(http.host eq "a.shop.example")`, "EdgeCacheMode": "no_cache"}))
			w.asks(`cache rule img for (http.host eq "a.shop.example") (ConfigId `, "DeleteCacheRule", w.on(params{"config_id": rule["ConfigId"]}))
			w.asks("2 keys of namespace ns: a, k", "BatchDeleteKv", params{"Namespace": "ns", "Keys": []string{"a", "k"}})
			w.fails("InvalidKey.NotFound", "DeleteKv", params{"Namespace": "ns", "Key": "none"}) // nothing is lost
		},
		without: func(w *world) { w.asks("kv k (Namespace ns)", "DeleteKv", params{"Namespace": "ns", "Key": "k"}) },
	})
}
