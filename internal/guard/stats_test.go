package guard

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestRelativeTimes(t *testing.T) {
	for text, want := range map[string]time.Duration{"-30s": 30 * time.Second, "-24h": statsDay, "now-7d": 7 * statsDay, "-1d12h": 36 * time.Hour, "-2w": 14 * statsDay} {
		got, ok := relative(text)
		require.True(t, ok, text)
		require.Equal(t, want, got, text)
	}
	for _, text := range []string{"", "-", "24h", "-1y", "-h", "--1h", "-1", "-999999d"} {
		_, ok := relative(text)
		require.False(t, ok, text)
	}
}

// Names that are taken for others lead to ones that exist, and hide none.
func TestStatsTables(t *testing.T) {
	for from, to := range meantMetrics() {
		require.Equal(t, folded(from), from)
		require.Contains(t, Metrics(), to, from)
	}
	for from, to := range meantDimensions() {
		require.Equal(t, folded(from), from)
		require.Contains(t, Dimensions(), to, from)
	}
}
