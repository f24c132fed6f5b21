package origin

import (
	"context"
	"net"
	"net/http"
	"net/netip"
	"strings"

	"github.com/esa-mcp/esa-mcp/internal/local/edge/plan"
)

// maxHops bounds chains of CNAME records.
const maxHops = 8

// records finds the record of a name among the account's sites; nil if none has
// it.
type records func(ctx context.Context, name string) (*plan.Record, error)

// resolve finds the addresses that a record leads to, and the last name on the
// way. Names are looked for in this order: localhost and what ends in .localhost
// is this machine, then the account's own records, then the machine's resolver
// if the name is allowed as an origin.
func resolve(ctx context.Context, find records, allowed Allowed, r *plan.Record) (name string, addresses []netip.Addr, err error) {
	name = r.Name
	for range maxHops {
		if r.Type == plan.TypeAddress {
			for _, value := range r.Values {
				ip, err := netip.ParseAddr(value)
				if err != nil {
					return name, nil, fail(http.StatusBadGateway, DestinationNotFound, "The record %s holds %q, which is no address.", r.Name, value)
				}
				addresses = append(addresses, ip)
			}
			return name, addresses, nil
		}
		if len(r.Values) == 0 {
			return name, nil, fail(http.StatusBadGateway, DestinationNotFound, "The record %s leads nowhere.", r.Name)
		}
		name = r.Values[0]
		if IsLocalhost(name) {
			return name, []netip.Addr{netip.AddrFrom4([4]byte{127, 0, 0, 1}), netip.IPv6Loopback()}, nil
		}
		next, err := find(ctx, name)
		if err != nil {
			return name, nil, err
		}
		if next == nil {
			addresses, err := outside(ctx, allowed, name)
			return name, addresses, err
		}
		r = next
	}
	return name, nil, fail(http.StatusBadGateway, DestinationNotFound, "The chain of CNAME records from %s is longer than %d.", r.Name, maxHops)
}

// IsLocalhost reports whether a name means this machine, as RFC 6761 has it.
func IsLocalhost(name string) bool {
	return name == "localhost" || strings.HasSuffix(name, ".localhost")
}

// outside asks the machine's resolver.
func outside(ctx context.Context, allowed Allowed, name string) ([]netip.Addr, error) {
	if !allowed.Name(name) {
		return nil, fail(http.StatusBadGateway, NotAllowed, "The local edge goes to no origin outside this machine, such as %s. "+
			"Point the record to a name that ends in .localhost, or start the local ESA with --allow-origin %s.", name, name)
	}
	addresses, err := net.DefaultResolver.LookupNetIP(ctx, "ip", name)
	if err != nil || len(addresses) == 0 {
		f := fail(http.StatusBadGateway, DestinationNotFound, "The name %s has no address.", name)
		f.err = err
		return nil, f
	}
	return addresses, nil
}
