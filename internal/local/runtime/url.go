package runtime

import (
	"strings"

	"github.com/nlnwa/whatwg-url/url"
)

// parseURL parses a URL as browsers do: the URL and an optional base, then
// optionally a part to set and its value. It returns the parts as lines, or
// nothing if there is no such URL.
func parseURL(a []any) (any, error) {
	args := arguments(a)
	parser := url.NewParser()
	var u *url.Url
	var err error
	if base := args.text(1); base != "" {
		u, err = parser.ParseRef(base, args.text(0))
	} else {
		u, err = parser.Parse(args.text(0))
	}
	if err != nil {
		return "", nil
	}
	if part := args.text(2); part != "" {
		setPart(u, part, args.text(3))
	}
	return strings.Join([]string{u.Href(false), u.Protocol(), u.Username(), u.Password(), u.Hostname(), u.Port(),
		u.Pathname(), u.Search(), u.Hash(), origin(u)}, "\n"), nil
}

func setPart(u *url.Url, part, value string) {
	switch part {
	case "protocol":
		u.SetProtocol(value)
	case "username":
		u.SetUsername(value)
	case "password":
		u.SetPassword(value)
	case "host":
		u.SetHost(value)
	case "hostname":
		u.SetHostname(value)
	case "port":
		u.SetPort(value)
	case "pathname":
		u.SetPathname(value)
	case "search":
		u.SetSearch(value)
	case "hash":
		u.SetHash(value)
	}
}

func origin(u *url.Url) string {
	switch u.Scheme() {
	case "http", "https", "ws", "wss", "ftp":
		return u.Protocol() + "//" + u.Host()
	case "blob":
		if inner, err := url.Parse(u.Pathname()); err == nil && strings.HasPrefix(inner.Scheme(), "http") {
			return origin(inner)
		}
	}
	return "null"
}
