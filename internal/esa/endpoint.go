package esa

import (
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"
)

// DefaultRegion is used where none is named.
const DefaultRegion = "cn-hangzhou"

const openPlatformHost = "openplatform.aliyuncs.com"

// target is where requests go.
type target struct {
	scheme string // http or https
	host   string // with port, if any
}

func (t target) String() string { return t.scheme + "://" + t.host }

func (t target) loopback() bool { return isLoopback(hostname(t.host)) }

// regionsWithEndpoint lists where ESA has a control plane: cn-hangzhou for
// accounts of the China site, ap-southeast-1 for international ones.
func regionsWithEndpoint() []string { return []string{DefaultRegion, "ap-southeast-1"} }

func hasEndpoint(region string) bool { return slices.Contains(regionsWithEndpoint(), region) }

// environmentRegion reads the region as the three families of variables spell
// it.
func environmentRegion() string {
	for _, name := range []string{"ALIBABACLOUD_REGION_ID", "ALIBABA_CLOUD_REGION_ID", "ALIBABA_CLOUD_REGION",
		"ALICLOUD_REGION_ID", "ALICLOUD_REGION"} {
		if v := strings.TrimSpace(os.Getenv(name)); v != "" {
			return v
		}
	}
	return DefaultRegion
}

// endpointFor resolves the endpoint. A region never becomes part of a host name
// unless ESA is known to be there.
func endpointFor(endpoint, region string) (target, error) {
	if strings.TrimSpace(endpoint) != "" {
		return parseEndpoint(endpoint)
	}
	if !hasEndpoint(region) {
		region = DefaultRegion
	}
	return target{"https", "esa." + region + ".aliyuncs.com"}, nil
}

func openPlatformFor(endpoint string, t target) (target, error) {
	switch {
	case strings.TrimSpace(endpoint) != "":
		return parseEndpoint(endpoint)
	case t.loopback():
		return t, nil
	default:
		return target{"https", openPlatformHost}, nil
	}
}

// parseEndpoint reads an endpoint as people write it.
func parseEndpoint(text string) (target, error) {
	fail := func(format string, args ...any) (target, error) {
		return target{}, fmt.Errorf("endpoint %q %s", withoutUser(text), fmt.Sprintf(format, args...))
	}
	s := strings.TrimSpace(text)
	scheme, host, given := strings.Cut(s, "://")
	if !given {
		scheme, host = "https", s
	}
	scheme = strings.ToLower(scheme)
	if scheme != "https" && scheme != "http" {
		return fail("has scheme %q: use https://", scheme)
	}
	host = strings.ToLower(strings.TrimSuffix(host, "/"))
	if strings.ContainsAny(host, "/?#@\\") {
		return fail("must be a host alone, without path, query or user: such as esa.%s.aliyuncs.com", DefaultRegion)
	}
	if err := checkHost(host); err != nil {
		return fail("%v", err)
	}
	name := hostname(host)
	switch {
	case scheme == "http" && !isLoopback(name):
		return fail("must use https://: http is for loopback hosts only, as requests carry credentials")
	case !given && isLoopback(name):
		return fail("needs a scheme: http://%s for a local ESA", host)
	case !given && !strings.Contains(name, "."):
		return fail("is not a host name: use esa.%s.aliyuncs.com or esa.ap-southeast-1.aliyuncs.com", DefaultRegion)
	}
	return target{scheme, host}, nil
}

// checkHost refuses what is no host or host:port, such as "esa..aliyuncs.com",
// which an empty region once made.
func checkHost(host string) error {
	name := host
	if h, port, err := net.SplitHostPort(host); err == nil {
		n, err := strconv.Atoi(port)
		if err != nil || n < 1 || n > 65535 {
			return fmt.Errorf("has no valid port: %q", port)
		}
		name = h
	} else if strings.Contains(host, ":") && !strings.HasPrefix(host, "[") {
		return fmt.Errorf("has no valid port")
	}
	name = strings.TrimSuffix(strings.TrimPrefix(name, "["), "]")
	if name == "" {
		return fmt.Errorf("names no host")
	}
	if _, err := netip.ParseAddr(name); err == nil {
		return nil
	}
	for label := range strings.SplitSeq(name, ".") {
		if label == "" {
			return fmt.Errorf("has an empty label in its host name: was a region left empty?")
		}
		if strings.ContainsFunc(label, notHostChar) {
			return fmt.Errorf("has a character that host names cannot have")
		}
	}
	return nil
}

func notHostChar(r rune) bool {
	return (r < 'a' || r > 'z') && (r < '0' || r > '9') && r != '-' && r != '_'
}

// hostname strips the port and the brackets of an IPv6 address.
func hostname(hostport string) string {
	if h, _, err := net.SplitHostPort(hostport); err == nil {
		return h
	}
	return strings.TrimSuffix(strings.TrimPrefix(hostport, "["), "]")
}

// isLoopback reports whether a host name or address means this machine:
// 127.0.0.0/8, ::1, localhost and *.localhost.
func isLoopback(name string) bool {
	name = strings.ToLower(strings.TrimSuffix(name, "."))
	if name == "localhost" || strings.HasSuffix(name, ".localhost") {
		return true
	}
	ip, err := netip.ParseAddr(name)
	return err == nil && ip.Unmap().IsLoopback()
}

// withoutUser hides a user and password that someone wrote into an endpoint.
func withoutUser(endpoint string) string {
	at := strings.LastIndexByte(endpoint, '@')
	if at < 0 {
		return endpoint
	}
	if u, err := url.Parse(endpoint); err == nil && u.User != nil {
		u.User = nil
		return u.String()
	}
	return "***" + endpoint[at:]
}
