package balance

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/esa-mcp/esa-mcp/internal/local/edge/plan"
)

func chooser() Chooser { return Chooser{Pick: rand.IntN, Health: &Health{}} }

func poolOf(weights ...int) *plan.Pool {
	p := &plan.Pool{ID: 1, Enabled: true}
	for i, w := range weights {
		p.Origins = append(p.Origins, &plan.PoolOrigin{ID: int64(10 + i), Enabled: true, Weight: w})
	}
	return p
}

// TestAddressesStayWhenOneGoes: those of the others keep their origin, and each
// has as many as its weight says.
func TestAddressesStayWhenOneGoes(t *testing.T) {
	p := poolOf(10, 20, 70)
	seen := map[int64]int{}
	for i := range 10_000 {
		v := Visitor{IP: fmt.Sprintf("10.0.%d.%d", i/256, i%256)}
		all := chooser().Pool(p, v, "ip")
		require.Len(t, all, 3)
		first := all[0].Origin.ID
		seen[first]++
		if first == 10 {
			continue
		}
		p.Origins[0].Enabled = false
		require.Equal(t, first, chooser().Pool(p, v, "ip")[0].Origin.ID)
		p.Origins[0].Enabled = true
	}
	require.InDelta(t, 1000, seen[10], 150)
	require.InDelta(t, 2000, seen[11], 250)
	require.InDelta(t, 7000, seen[12], 300)
}

func TestShuffleGoesByWeight(t *testing.T) {
	seen := map[int64]int{}
	for range 10_000 {
		all := chooser().Pool(poolOf(10, 0, 90), Visitor{}, "")
		require.Len(t, all, 2, "weight 0 is none")
		seen[all[0].Origin.ID]++
	}
	require.InDelta(t, 1000, seen[10], 150)
	require.Empty(t, chooser().Pool(nil, Visitor{}, ""))
	require.Empty(t, chooser().Pool(&plan.Pool{}, Visitor{}, ""), "switched off")
}

func TestHealthTakesSeveralInARow(t *testing.T) {
	var h Health
	w := watched{1, 2}
	is := func(want, reason string) {
		t.Helper()
		status, why := h.Of(1, 2)
		require.Equal(t, want, status)
		require.Equal(t, reason, why)
	}
	is(Unknown, "")
	for _, step := range []struct{ failure, want, reason string }{
		{"a", Unknown, ""}, {"", Unknown, ""}, {"", Healthy, ""}, {"a", Healthy, ""}, {"b", Healthy, ""}, {"c", Unhealthy, "c"},
		{"", Unhealthy, "c"}, {"d", Unhealthy, "c"}, {"", Unhealthy, "c"}, {"", Healthy, ""},
	} {
		h.note(w, step.failure, 2, 3)
		is(step.want, step.reason)
	}
	h.forget(w)
	is(Unknown, "")
}
