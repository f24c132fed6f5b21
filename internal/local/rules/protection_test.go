package rules

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/esa-mcp/esa-mcp/internal/local/api"
)

func TestOriginProtection(t *testing.T) {
	latest := Whitelist{IPv4: []string{"192.0.2.0/25"}, IPv6: []string{"2001:db8::/48"}}
	b := newBench(t, Config{OriginAddresses: func() Whitelist { return latest }})
	got := b.Must("GetOriginProtection", api.Params{})
	require.Equal(t, "off", got["OriginProtection"])
	require.Equal(t, false, got["NeedUpdate"])
	for _, action := range []string{"UpdateOriginProtection", "UpdateOriginProtectionIpWhiteList", "DeleteOriginProtection"} {
		_, code := b.Call(action, api.Params{"OriginConverge": "on"})
		require.Equal(t, "OriginProtection.NotFound", code, action)
	}
	_, code := b.Call("CreateOriginProtection", api.Params{"AutoConfirmIPList": "yes"})
	require.Equal(t, "InvalidAutoConfirmIPList", code)
	b.Must("CreateOriginProtection", api.Params{})
	_, code = b.Call("CreateOriginProtection", api.Params{})
	require.Equal(t, "OriginProtection.AlreadyExist", code)

	latest.IPv4 = []string{"198.51.100.0/24"}
	got = b.Must("GetOriginProtection", api.Params{})
	require.Equal(t, true, got["NeedUpdate"])
	require.Equal(t, map[string]any{
		"AddedIPWhitelist":    map[string]any{"IPv4": []any{"198.51.100.0/24"}, "IPv6": []any{}},
		"NoChangeIpWhitelist": map[string]any{"IPv4": []any{}, "IPv6": []any{"2001:db8::/48"}},
		"RemovedIPWhitelist":  map[string]any{"IPv4": []any{"192.0.2.0/25"}, "IPv6": []any{}},
	}, got["DiffIPWhitelist"])
	b.Must("UpdateOriginProtectionIpWhiteList", api.Params{})
	require.Equal(t, false, b.Must("GetOriginProtection", api.Params{})["NeedUpdate"])

	b.Must("UpdateOriginProtection", api.Params{"OriginConverge": "on", "AutoConfirmIPList": "on"})
	latest.IPv4 = []string{"203.0.113.0/24"}
	got = b.Must("GetOriginProtection", api.Params{})
	require.Equal(t, false, got["NeedUpdate"], "confirmed by itself")
	require.Equal(t, []any{"203.0.113.0/24"}, got["CurrentIPWhitelist"].(map[string]any)["IPv4"])
	require.Equal(t, "on", got["OriginConverge"])
	_, code = b.Call("UpdateOriginProtection", api.Params{"OriginConverge": "maybe"})
	require.Equal(t, "InvalidOriginConverge", code)
	b.Must("DeleteOriginProtection", api.Params{})
	require.Equal(t, "off", b.Must("GetOriginProtection", api.Params{})["OriginProtection"])
	_, code = b.Call("GetOriginProtection", api.Params{"SiteId": "1"})
	require.Equal(t, "SiteNotFound", code)
}
