package expression

import (
	"context"
	"database/sql"
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/esa-mcp/esa-mcp/internal/local/api"
	"github.com/esa-mcp/esa-mcp/internal/local/state"
)

func TestCompile(t *testing.T) {
	store, err := state.Open(t.Context(), state.Memory)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, store.Close()) })
	for id, plan := range map[int]string{1: "basic", 2: "medium", 3: "enterprise"} {
		_, err := store.DB().ExecContext(t.Context(), `INSERT INTO plan_instances VALUES (?, ?, '', '', 'online', 1, 0, 0)`, plan, plan)
		require.NoError(t, err)
		_, err = store.DB().ExecContext(t.Context(), `INSERT INTO sites (id, name, access_type, coverage, status, instance_id, name_servers, verify_code, cname_zone, created, updated)
			VALUES (?, ?, 'NS', 'global', 'active', ?, '', '', '', 0, 0)`, id, plan+".example", plan)
		require.NoError(t, err)
	}
	_, err = store.DB().ExecContext(t.Context(), `INSERT INTO lists VALUES (1, 'known', 'ip', '', '[]', 0, 0)`)
	require.NoError(t, err)
	for _, c := range []struct {
		site     int64
		of, text string
		code     string
	}{
		{1, "CacheRule", `(http.host eq "a.com")`, ""},
		{1, "CacheRule", `(http.host matches "^a")`, "RuleRegexQuotaCheckFailed"},
		{2, "CacheRule", `(http.host matches "^a")`, ""},
		{3, "CacheRule", `(http.host matches "^a")`, ""},
		{3, "CacheRule", `(http.host matches "(")`, "CompileRuleError"},
		{3, "CacheRule", `(http.host not in {"a"})`, "CompileRuleError"},
		{3, "CacheRule", `(not http.host eq "a")`, ""},
		{3, "CacheRule", ``, "CompileRuleError"},
		{3, "HttpsBasicConfiguration", `(ssl)`, "CompileRuleError"},
		{3, "http_custom", `ip.src == 1.1.1.1`, ""},
		{3, "RoutineRoute", `(http.host == "a.com")`, "CompileRuleError"},
		{3, "CacheRule", `(ip.src in $known)`, ""},
		{3, "CacheRule", `(ip.src in $unknown)`, "CompileRuleError"},
		{9, "CacheRule", `(http.host matches "^a")`, ""},
	} {
		err := store.Tx(t.Context(), func(tx *sql.Tx) error {
			_, err := Compile(context.WithoutCancel(t.Context()), tx, c.site, c.of, c.text)
			return err
		})
		if c.code == "" {
			require.NoError(t, err, c.text)
			continue
		}
		var refused *api.Error
		require.True(t, errors.As(err, &refused), "%s: %v", c.text, err)
		require.Equal(t, c.code, refused.Code, c.text)
	}
	require.Equal(t, []string{"a", "b"}, Lists(`(ip.src in $a or http.host in $b or ip.geoip.asnum in $a or http.host eq "$c")`))
	require.Empty(t, Lists(`(ip.src in $a`))
	require.Nil(t, CheckValue("TargetUrl", `concat("https://a.com", http.request.uri.path)`))
	require.Equal(t, "CompileRuleError", CheckValue("TargetUrl", `concat("a`).Code)
}
