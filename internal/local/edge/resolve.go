package edge

import (
	"path"
	"strings"

	"github.com/esa-mcp/esa-mcp/internal/local/routine"
)

// assets is what resolve looks in.
type assets interface {
	Asset(path string) (routine.Asset, bool)
}

// target is what a request path means.
type target struct {
	asset    routine.Asset
	found    bool
	redirect string // a folder's path with its slash, to redirect to
}

// resolve finds the asset of a decoded request path: the file of that name, or
// the index.html of a folder. A folder that was asked for without its slash
// redirects, so that the page's relative links work. The path is only a key:
// whatever it holds, it cannot leave the version's assets.
func resolve(set assets, requested string) target {
	clean := requested
	if !strings.HasPrefix(clean, "/") {
		clean = "/" + clean
	}
	clean = path.Clean(clean) // makes no new string of a clean path
	if isFolder(requested) || clean == "/" {
		a, ok := set.Asset(path.Join(clean, "index.html"))
		return target{asset: a, found: ok}
	}
	if a, ok := set.Asset(clean); ok {
		return target{asset: a, found: true}
	}
	if _, ok := set.Asset(clean + "/index.html"); ok {
		return target{redirect: clean + "/"}
	}
	return target{}
}

func isFolder(requested string) bool {
	return strings.HasSuffix(requested, "/") || strings.HasSuffix(requested, "/.") || strings.HasSuffix(requested, "/..")
}
