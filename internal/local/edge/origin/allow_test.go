package origin

import (
	"net/netip"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestAllowed(t *testing.T) {
	tests := []struct {
		list    []string
		name    string
		address string
		port    int
		want    bool
	}{
		{nil, "x.example", "127.0.0.1", 80, true},
		{nil, "x.example", "127.9.9.9", 80, true},
		{nil, "x.example", "::1", 80, true},
		{nil, "x.example", "::ffff:127.0.0.1", 80, true},
		{nil, "x.example", "192.0.2.1", 80, false},
		{nil, "x.example", "0.0.0.0", 80, false},
		{[]string{"all"}, "x.example", "192.0.2.1", 80, true},
		{[]string{"192.0.2.1"}, "x.example", "192.0.2.1", 8080, true},
		{[]string{"192.0.2.1:80"}, "x.example", "192.0.2.1", 8080, false},
		{[]string{"192.0.2.1:80", "192.0.2.1:8080"}, "x.example", "192.0.2.1", 8080, true},
		{[]string{"X.example."}, "x.example", "192.0.2.1", 443, true},
		{[]string{"x.example:443"}, "y.example", "192.0.2.1", 443, false},
		{[]string{"2001:db8::1"}, "x.example", "2001:db8::1", 443, true},
		{[]string{"[2001:db8::1]:443"}, "x.example", "2001:db8::1", 443, true},
	}
	for _, tt := range tests {
		a, err := ParseAllowed(tt.list)
		require.NoError(t, err)
		require.Equal(t, tt.want, a.Address(tt.name, netip.MustParseAddr(tt.address), tt.port), "%+v", tt)
	}
	for _, bad := range []string{"", "http://x.example", "x.example:0", "x.example:port", "*.example", ":80"} {
		_, err := ParseAllowed([]string{bad})
		require.ErrorContains(t, err, "write HOST", bad)
	}
}

func TestAllowedNames(t *testing.T) {
	a, err := ParseAllowed([]string{"x.example:443", "10.0.0.1:80"})
	require.NoError(t, err)
	require.True(t, a.Name("x.example"))
	require.False(t, a.Name("y.example"))
	require.True(t, a.AnyPort(netip.MustParseAddr("10.0.0.1")))
	require.False(t, a.AnyPort(netip.MustParseAddr("127.0.0.1")), "records to loopback are taken only if that is asked for")
}
