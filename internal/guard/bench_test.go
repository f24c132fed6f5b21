package guard_test

import (
	"context"
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/esa-mcp/esa-mcp/internal/esa"
	"github.com/esa-mcp/esa-mcp/internal/guard"
)

// instant answers every call at once, so that only the guardrails cost time.
type instant struct{}

func (instant) Call(_ context.Context, action string, _ esa.Params) (esa.Result, error) {
	switch action {
	case "GetSite":
		return esa.Result{Body: map[string]any{"SiteModel": map[string]any{"SiteId": json.Number("1"), "SiteName": "shop.example", "Status": "active", "AccessType": "NS"}}}, nil
	case "ListRecords":
		return esa.Result{Body: map[string]any{"Records": []any{}, "TotalCount": json.Number("0")}}, nil
	}
	return esa.Result{Body: map[string]any{"RequestId": "1", "ConfigId": json.Number("2")}}, nil
}

func guardedWrite(b testing.TB, caller esa.Caller) {
	_, err := caller.Call(b.Context(), "CreateCacheRule", esa.Params{"SiteId": json.Number("1"), "RuleName": "img", "RuleEnable": "on",
		"Rule": `(http.host eq "www.shop.example")`, "EdgeCacheMode": "override_origin", "EdgeCacheTtl": "60"})
	require.NoError(b, err)
}

// BenchmarkWrite compares a write with the guardrails, warm, with one without.
// The difference has to stay below 0.1 ms.
func BenchmarkWrite(b *testing.B) {
	journal, err := guard.OpenJournal("", time.Now, func(_ string, body map[string]any) map[string]any { return body })
	require.NoError(b, err)
	for name, caller := range map[string]esa.Caller{
		"bare": instant{}, "guarded": guard.New(instant{}, guard.Config{}), "guarded and kept": guard.New(instant{}, guard.Config{Journal: journal}),
	} {
		b.Run(name, func(b *testing.B) {
			guardedWrite(b, caller)
			for b.Loop() {
				guardedWrite(b, caller)
			}
		})
	}
}

// TestGuardrailsCostLittle: the work that the guardrails add to a write stays
// small. It is counted in allocations, which no machine makes slower; the time is
// the benchmark's.
func TestGuardrailsCostLittle(t *testing.T) {
	caller := guard.New(instant{}, guard.Config{})
	require.Less(t, testing.AllocsPerRun(100, func() { guardedWrite(t, caller) }), 200.0, "it was 110")
}
