package edge

import (
	"net/url"
	"path"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/esa-mcp/esa-mcp/internal/local/routine"
)

// set is a set of assets by path.
type set map[string]bool

func (s set) Asset(path string) (routine.Asset, bool) {
	return routine.Asset{Path: path}, s[path]
}

// everything has every asset, or every index.html.
type everything struct{ onlyIndexes bool }

func (e everything) Asset(p string) (routine.Asset, bool) {
	return routine.Asset{Path: p}, !e.onlyIndexes || strings.HasSuffix(p, "/index.html")
}

func TestResolvePrefersTheFile(t *testing.T) {
	got := resolve(set{"/a": true, "/b/index.html": true}, "/a")
	require.Equal(t, target{asset: routine.Asset{Path: "/a"}, found: true}, got)
	require.Equal(t, target{redirect: "/b/"}, resolve(set{"/b/index.html": true}, "/b"))
	require.False(t, resolve(set{"/a": true}, "/a/").found)
	require.True(t, resolve(set{"/index.html": true}, "").found)
}

func FuzzResolve(f *testing.F) {
	for _, seed := range []string{"", "/", "/a/../..", "//evil.example/..", `/\evil`, "/a\x00b", "/a/.", "/%2e%2e/", "..", "/a//b/"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, requested string) {
		for _, e := range []everything{{false}, {true}} {
			got := resolve(e, requested)
			if got.found {
				require.Equal(t, path.Clean(got.asset.Path), got.asset.Path)
				require.True(t, strings.HasPrefix(got.asset.Path, "/"))
				require.NotContains(t, got.asset.Path+"/", "/../")
			}
			if got.redirect == "" {
				continue
			}
			// The redirect must stay on the site and lead to a folder.
			location, err := url.Parse((&url.URL{Path: got.redirect}).String())
			require.NoError(t, err)
			require.Empty(t, location.Host)
			require.Empty(t, location.Scheme)
			require.True(t, strings.HasPrefix(location.String(), "/"))
			require.True(t, resolve(e, location.Path).found, "no redirect loop")
		}
	})
}
