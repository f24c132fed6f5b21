package site

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
)

// Claim is a site whose owner is to be verified.
type Claim struct {
	SiteName string
	// AccessType is NS or CNAME.
	AccessType string
	// NameServers are those that the domain has to be delegated to (NS access).
	NameServers []string
	// VerifyCode is what the TXT record of _esaauth.<site> has to say (CNAME
	// access).
	VerifyCode string
}

// Verifier decides whether a claim is proven. An error means that it could not
// find out, and makes the call fail.
type Verifier func(ctx context.Context, c Claim) (bool, error)

// VerifyReserved asks nobody: it passes the names that are reserved for tests
// and examples (RFC 2606 and 6761), which nobody can own or delegate, and no
// other. So a site under .test, .example, .localhost or .invalid, example.com,
// example.net or example.org becomes active at the first VerifySite, and a site
// of any other name stays pending, as one does whose owner has not yet changed
// the name servers.
func VerifyReserved(_ context.Context, c Claim) (bool, error) {
	for _, reserved := range []string{"example.com", "example.net", "example.org", "test", "example", "localhost", "invalid"} {
		if within(c.SiteName, reserved) {
			return true, nil
		}
	}
	return false, nil
}

// Resolver looks up names; *net.Resolver is one.
type Resolver interface {
	LookupNS(ctx context.Context, name string) ([]*net.NS, error)
	LookupTXT(ctx context.Context, name string) ([]string, error)
}

// VerifyDNS asks a resolver what the service would ask the public DNS: whether
// the domain's name servers are exactly the assigned ones, or whether the TXT
// record has the code. A name that does not exist is not proven.
func VerifyDNS(r Resolver) Verifier {
	return func(ctx context.Context, c Claim) (bool, error) {
		if c.AccessType == accessCNAME {
			texts, err := r.LookupTXT(ctx, "_esaauth."+c.SiteName)
			return slices.Contains(texts, c.VerifyCode), lookupFailure(err)
		}
		servers, err := r.LookupNS(ctx, c.SiteName)
		var hosts []string
		for _, s := range servers {
			hosts = append(hosts, strings.ToLower(strings.TrimSuffix(s.Host, ".")))
		}
		slices.Sort(hosts)
		return slices.Equal(hosts, slices.Sorted(slices.Values(c.NameServers))), lookupFailure(err)
	}
}

func lookupFailure(err error) error {
	var dns *net.DNSError
	if err == nil || errors.As(err, &dns) && dns.IsNotFound {
		return nil
	}
	return fmt.Errorf("look up the proof of ownership: %w", err)
}
