package site

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/esa-mcp/esa-mcp/internal/local/api"
	"github.com/esa-mcp/esa-mcp/internal/local/apitest"
)

// bench is a service on a fresh state, called as the gateway calls it.
type bench struct{ *apitest.Bench }

func newBench(t *testing.T, cfg Config) *bench {
	t.Helper()
	b := &bench{apitest.New(t)}
	if cfg.Now == nil {
		cfg.Now = b.Clock
	}
	s, err := New(t.Context(), b.Store, cfg)
	require.NoError(t, err)
	b.Table = s.Table()
	return b
}

func (b *bench) instance() string {
	b.T.Helper()
	list := b.Must("ListUserRatePlanInstances", api.Params{})["InstanceInfo"].([]any)
	require.Len(b.T, list, 1)
	return list[0].(map[string]any)["InstanceId"].(string)
}

func (b *bench) site(name, access string) string {
	b.T.Helper()
	out := b.Must("CreateSite", api.Params{"SiteName": name, "AccessType": access, "Coverage": "overseas", "InstanceId": b.instance()})
	return out["SiteId"].(json.Number).String()
}

// names gives one member of each entry of a list.
func names(list any, member string) []string {
	out := []string{}
	for _, entry := range list.([]any) {
		out = append(out, entry.(map[string]any)[member].(string))
	}
	return out
}

func fails(context.Context, Claim) (bool, error) { return false, errors.New("no network") }

func long(n int) string { return strings.Repeat("a", n) }
