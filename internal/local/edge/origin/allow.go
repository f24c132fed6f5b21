package origin

import (
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"
)

// Allowed says which origins the edge may connect to besides loopback
// addresses: the local ESA is for one machine, and must not be a way to reach
// others by mistake. The zero value allows none.
type Allowed struct {
	all   bool
	hosts map[string]map[int]bool // by name or address; port 0: all ports
}

// ParseAllowed reads the values of --allow-origin: HOST, HOST:PORT or all, where
// HOST is a name or an address.
func ParseAllowed(list []string) (Allowed, error) {
	a := Allowed{hosts: map[string]map[int]bool{}}
	for _, text := range list {
		if text == "all" {
			a.all = true
			continue
		}
		host, port := text, 0
		if _, err := netip.ParseAddr(text); err != nil && strings.Contains(text, ":") {
			h, p, err := net.SplitHostPort(text)
			if err == nil {
				port, err = strconv.Atoi(p)
			}
			if err != nil || port < 1 || port > 65535 {
				return Allowed{}, fmt.Errorf("origin %q: write HOST, HOST:PORT or all", text)
			}
			host = h
		}
		host = strings.ToLower(strings.TrimSuffix(host, "."))
		if host == "" || strings.ContainsAny(host, "/ *") {
			return Allowed{}, fmt.Errorf("origin %q: write HOST, HOST:PORT or all", text)
		}
		if ip, err := netip.ParseAddr(host); err == nil {
			host = ip.Unmap().String()
		}
		if a.hosts[host] == nil {
			a.hosts[host] = map[int]bool{}
		}
		a.hosts[host][port] = true
	}
	return a, nil
}

// Address reports whether the edge may connect to an address; name is how the
// record called it, which counts too.
func (a Allowed) Address(name string, ip netip.Addr, port int) bool {
	ip = ip.Unmap()
	return ip.IsLoopback() || a.all || a.listed(name, port) || a.listed(ip.String(), port)
}

// Name reports whether the names that the machine's own resolver knows may be
// asked for this one.
func (a Allowed) Name(name string) bool { return a.all || len(a.hosts[name]) > 0 }

// AnyPort reports whether an address is allowed at whatever port, so that a
// record may point to it.
func (a Allowed) AnyPort(ip netip.Addr) bool {
	return a.all || len(a.hosts[ip.Unmap().String()]) > 0
}

func (a Allowed) listed(host string, port int) bool {
	ports := a.hosts[host]
	return ports[0] || ports[port]
}
