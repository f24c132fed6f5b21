package tools

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestHides(t *testing.T) {
	const (
		www   = `(http.host eq "www.shop.example")`
		below = `(ends_with(http.host, ".shop.example"))`
		api   = `(http.host eq "www.shop.example" and starts_with(http.request.uri.path, "/api/"))`
	)
	for name, c := range map[string]struct {
		wide, narrow string
		want         bool
	}{
		"a path of the host":            {www, api, true},
		"a path of a host below":        {below, api, true},
		"a host below":                  {below, www, true},
		"of every host":                 {"true", api, true},
		"the same":                      {www, www, false},
		"the reverse":                   {api, www, false},
		"another host":                  {www, `(http.host eq "app.shop.example" and http.request.method eq "GET")`, false},
		"one of two hosts":              {www, `(http.host in {"www.shop.example" "app.shop.example"})`, false},
		"no host":                       {www, `(starts_with(http.request.uri.path, "/api/"))`, false},
		"the domain is not below":       {below, `(http.host eq "shop.example")`, false},
		"two hosts are not one":         {`(http.host in {"www.shop.example" "app.shop.example"})`, api, false},
		"what cannot be read":           {`(http.host eq`, api, false},
		"only some paths of every host": {`(starts_with(http.request.uri.path, "/"))`, api, false},
	} {
		t.Run(name, func(t *testing.T) { require.Equal(t, c.want, hides(c.wide, c.narrow)) })
	}
}

func TestPushedBack(t *testing.T) {
	for name, c := range map[string]struct{ have, want []int64 }{
		"alone":        {[]int64{1}, []int64{2}},
		"room":         {[]int64{1, 3}, []int64{2}},
		"all in a row": {[]int64{1, 2, 3, 9}, []int64{2, 3, 4}},
		"the same":     {[]int64{4, 4, 5}, []int64{5, 6, 7}},
	} {
		t.Run(name, func(t *testing.T) {
			var routes []wireRoute
			for _, n := range c.have {
				routes = append(routes, wireRoute{Sequence: n})
			}
			var got []int64
			for _, m := range pushedBack(routes) {
				got = append(got, m.Sequence)
			}
			require.Equal(t, c.want, got)
		})
	}
}
