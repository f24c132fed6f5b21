package routine

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/esa-mcp/esa-mcp/internal/local/api"
)

func TestAccessToken(t *testing.T) {
	f := newFixture(t, Config{})
	f.refuses("RoutineNotExist", "GetRoutineAccessToken", api.Params{"Name": "site"})
	f.call("CreateRoutine", api.Params{"Name": "site"})
	token := f.call("GetRoutineAccessToken", api.Params{"Name": "site"})["Token"].(string)
	live, err := f.svc.Live(t.Context(), "site", Production)
	require.NoError(t, err)

	expires, err := f.svc.CheckToken(token, live.RoutineID)
	require.NoError(t, err)
	require.Equal(t, f.clock.Now().Add(time.Hour).Unix(), expires.Unix())

	b64 := base64.RawURLEncoding
	parts := strings.Split(token, ".")
	require.Len(t, parts, 3)
	forge := func(header, claims string) string {
		text := b64.EncodeToString([]byte(header)) + "." + b64.EncodeToString([]byte(claims))
		mac := hmac.New(sha256.New, f.store.Account().TokenKey)
		mac.Write([]byte(text))
		return text + "." + b64.EncodeToString(mac.Sum(nil))
	}
	claims := fmt.Sprintf(`{"routine_id":"%d","exp":%d}`, live.RoutineID, f.clock.Now().Unix()+60)
	_, err = f.svc.CheckToken(forge(tokenHeader, claims), live.RoutineID)
	require.NoError(t, err, "the forger has the key and the form right")
	tests := map[string]string{
		"empty":             "",
		"not a JWT":         "abc",
		"two parts":         parts[0] + "." + parts[1],
		"no signature":      parts[0] + "." + parts[1] + ".",
		"other signature":   parts[0] + "." + parts[1] + "." + b64.EncodeToString(make([]byte, 32)),
		"changed claims":    parts[0] + "." + b64.EncodeToString([]byte(strings.Replace(claims, `60`, `61`, 1))) + "." + parts[2],
		"alg none":          b64.EncodeToString([]byte(`{"alg":"none"}`)) + "." + parts[1] + ".",
		"alg none, signed":  forge(`{"alg":"none"}`, claims),
		"claims not JSON":   forge(tokenHeader, "x"),
		"no expiry":         forge(tokenHeader, fmt.Sprintf(`{"routine_id":"%d"}`, live.RoutineID)),
		"other routine":     forge(tokenHeader, strings.Replace(claims, `"routine_id":"`, `"routine_id":"9`, 1)),
		"very long":         strings.Repeat("a", 5000),
		"trailing bits set": token[:len(token)-1] + "_",
	}
	for name, bad := range tests {
		t.Run(name, func(t *testing.T) {
			_, err := f.svc.CheckToken(bad, live.RoutineID)
			require.Error(t, err)
			if bad != "" {
				require.NotContains(t, err.Error(), bad)
			}
		})
	}
	f.clock.Add(time.Hour)
	_, err = f.svc.CheckToken(token, live.RoutineID)
	require.EqualError(t, err, "the token has expired")
}

func TestTokenDiesWithItsRoutine(t *testing.T) {
	f := newFixture(t, Config{})
	f.call("CreateRoutine", api.Params{"Name": "site"})
	token := f.call("GetRoutineAccessToken", api.Params{"Name": "site"})["Token"].(string)
	f.call("DeleteRoutine", api.Params{"Name": "site"})
	f.call("CreateRoutine", api.Params{"Name": "site"})
	live, err := f.svc.Live(t.Context(), "site", Production)
	require.NoError(t, err)
	_, err = f.svc.CheckToken(token, live.RoutineID)
	require.Error(t, err)
}

func TestParseHost(t *testing.T) {
	f := newFixture(t, Config{})
	hash := f.store.Account().Hash
	tests := map[string]struct {
		name string
		env  Env
	}{
		"site." + hash + ".er.localhost":           {"site", Production},
		"SITE." + hash + ".ER.localhost.:8080":     {"site", Production},
		"site." + hash + ".staging.er.localhost:1": {"site", Staging},
		"a.site." + hash + ".er.localhost":         {},
		"site.00000000x.er.localhost":              {},
		"." + hash + ".er.localhost":               {},
		"er.localhost":                             {},
		"site." + hash + ".er.localhost.evil.com":  {},
		"127.0.0.1:4001":                           {},
		"[::1]:80":                                 {},
		"":                                         {},
	}
	for host, want := range tests {
		name, env, ok := f.svc.ParseHost(host)
		require.Equal(t, want.name != "", ok, host)
		require.Equal(t, want.name, name, host)
		require.Equal(t, want.env, env, host)
	}
	require.Equal(t, "site."+hash+".staging.er.localhost", f.svc.DefaultDomain("site", Staging))
}
