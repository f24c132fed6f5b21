package tools

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

func names(list []Tool) []string {
	var out []string
	for _, t := range list {
		out = append(out, t.Meta().Name)
	}
	return out
}

// The everyday tools exist, once each, and are what "default" enables.
func TestDefaultTools(t *testing.T) {
	everyday := defaultTools()
	require.LessOrEqual(t, len(everyday), 25)
	all := names(All())
	for _, name := range everyday {
		require.Contains(t, all, name)
	}
	for _, spec := range []string{"", "default", "default,default", " default "} {
		list, err := Select(All(), spec, false)
		require.NoError(t, err)
		got := names(list)
		slices.Sort(got)
		require.Equal(t, slices.Sorted(slices.Values(everyday)), got, "%q", spec)
	}
}

func TestSelect(t *testing.T) {
	for _, c := range []struct {
		spec          string
		readOnly      bool
		with, without []string
	}{
		{"kv", false, []string{"put_kv", "get_kv"}, []string{"deploy_pages", "search_api"}},
		{"kv,get_site", false, []string{"put_kv", "get_site"}, []string{"list_sites"}},
		{"+delete_routine", false, []string{"delete_routine", "deploy_pages"}, nil},
		{"-api", false, []string{"deploy_pages"}, []string{"search_api", "write_api"}},
		{"all,-pages", false, []string{"delete_routine"}, []string{"deploy_pages"}},
		{"all -put_kv", false, []string{"get_kv"}, []string{"put_kv"}},
		{"api", true, []string{"search_api", "describe_api", "read_api"}, []string{"write_api"}},
	} {
		list, err := Select(All(), c.spec, c.readOnly)
		require.NoError(t, err, c.spec)
		got := names(list)
		require.Subset(t, got, c.with, c.spec)
		for _, name := range c.without {
			require.NotContains(t, got, name, c.spec)
		}
	}
	_, err := Select(All(), "frob", false)
	require.ErrorContains(t, err, "api")
	_, err = Select(All(), "+nothing", false)
	require.ErrorContains(t, err, "nothing")
	_, err = Select(All(), "all,-all", false)
	require.ErrorContains(t, err, "leaves no tool")
	_, err = Select(All(), "write_api", true)
	require.ErrorContains(t, err, "leaves no tool")
}

// Pages are rolled back and split with a tool of the routines.
func TestPagesCanBeRolledBack(t *testing.T) {
	list, err := Select(All(), "pages", false)
	require.NoError(t, err)
	require.Contains(t, names(list), "publish_routine_version")
	list, err = Select(All(), "all,-pages", false)
	require.NoError(t, err)
	require.Contains(t, names(list), "publish_routine_version", "it stays with the routines")
}
