package edge

import (
	"net/http"
	"strconv"

	"github.com/esa-mcp/esa-mcp/internal/local/version"
)

// siteVersionHeader asks for a version of the site's configuration, whatever the
// environments say. Only the local ESA has it.
const siteVersionHeader = "X-Esa-Site-Version"

// environment finds the version of the site's configuration that is for the
// request, and goes on with it; if it reports false, it has answered.
func (x *exchange) environment() bool {
	site := x.host.Site
	asked := take(x.r, siteVersionHeader)
	if !site.Managed {
		return true
	}
	number := site.Version
	if n, err := strconv.ParseInt(asked, 10, 64); asked != "" {
		if err != nil || n < 0 || n > version.Last {
			problem(x.w, x.r, http.StatusBadRequest, "%s is %q: it names a version of the site's configuration, 0 to %d.", siteVersionHeader, asked, version.Last)
			return false
		}
		number = n
	} else {
		for _, e := range site.Environments {
			if e.When.Match(x.facts) {
				number = e.Version
				break
			}
		}
	}
	host, err := x.cfg.Plans.InVersion(x.r.Context(), x.host, number)
	if err != nil {
		x.refuse(err)
		return false
	}
	x.aside = host.Site != site
	x.host = host
	if number != 0 {
		x.apply("version", number)
	}
	return true
}
