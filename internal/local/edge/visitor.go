package edge

import (
	"net"
	"net/http"
	"net/netip"
	"strings"
)

// Headers that say where a visitor is supposed to be, for nothing locates them
// on one machine. The edge takes them out of the request.
const (
	clientIPHeader       = "X-Esa-Client-Ip"       // an address
	clientCountryHeader  = "X-Esa-Client-Country"  // two letters: CN
	clientProvinceHeader = "X-Esa-Client-Province" // ISO 3166-2: CN-ZJ
	clientISPHeader      = "X-Esa-Client-Isp"
	clientASNHeader      = "X-Esa-Client-Asn" // a number
)

// visitor is who asks.
type visitor struct {
	ip                          netip.Addr
	country, province, isp, asn string
}

// readVisitor takes who asks from the connection and from the headers above.
func readVisitor(r *http.Request) visitor {
	v := visitor{
		country: strings.ToUpper(take(r, clientCountryHeader)), province: strings.ToUpper(take(r, clientProvinceHeader)),
		isp: take(r, clientISPHeader), asn: strings.TrimPrefix(strings.ToUpper(take(r, clientASNHeader)), "AS"),
	}
	if said := take(r, clientIPHeader); said != "" {
		if ip, err := netip.ParseAddr(said); err == nil {
			v.ip = ip.Unmap()
			return v
		}
	}
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		host = r.RemoteAddr
	}
	if ip, err := netip.ParseAddr(host); err == nil {
		v.ip = ip.Unmap()
	}
	return v
}

// take returns a header and removes it. Names are in their canonical form.
func take(r *http.Request, name string) string {
	values, ok := r.Header[name]
	if !ok {
		return ""
	}
	delete(r.Header, name)
	return strings.TrimSpace(values[0])
}
