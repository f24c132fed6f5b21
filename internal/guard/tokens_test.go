package guard_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/esa-mcp/esa-mcp/internal/guard"
)

func TestTokens(t *testing.T) {
	now := time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)
	tokens := guard.NewTokens(func() time.Time { return now })
	token := tokens.Issue("delete_site", "digest", "site a", "")
	require.ErrorIs(t, tokens.Redeem(token, "delete_site", "digest", "site b", ""), guard.ErrTokenOther)
	require.ErrorIs(t, tokens.Redeem(token, "delete_sit", "edigest", "site a", ""), guard.ErrTokenOther, "the parts have bounds")
	require.ErrorIs(t, guard.NewTokens(func() time.Time { return now }).Redeem(token, "delete_site", "digest", "site a", ""), guard.ErrTokenOther)
	for _, bad := range []string{"", "yes", "shop.example", "-", strings.Repeat("z", 40), token[:len(token)-1]} {
		require.ErrorIs(t, tokens.Redeem(bad, "delete_site", "digest", "site a", ""), guard.ErrTokenUnknown, bad)
	}
	_, mac, _ := strings.Cut(token, "-")
	require.ErrorIs(t, tokens.Redeem("zzzzzz-"+mac, "delete_site", "digest", "site a", ""), guard.ErrTokenOther, "the end is signed")
	require.NoError(t, tokens.Redeem(token, "delete_site", "digest", "site a", ""))
	require.ErrorIs(t, tokens.Redeem(token, "delete_site", "digest", "site a", ""), guard.ErrTokenUsed)
	late := tokens.Issue("x")
	now = now.Add(guard.TokenFor)
	require.ErrorIs(t, tokens.Redeem(late, "x"), guard.ErrTokenExpired)
}

func FuzzTokens(f *testing.F) {
	tokens := guard.NewTokens(func() time.Time { return time.Unix(0, 0) })
	good := tokens.Issue("part")
	f.Add(good)
	f.Add("-")
	f.Fuzz(func(t *testing.T, text string) {
		if tokens.Redeem(text, "part") == nil && text != good {
			t.Fatalf("%q is taken", text)
		}
	})
}
