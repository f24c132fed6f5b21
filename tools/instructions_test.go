package tools

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestInstructions(t *testing.T) {
	count := counter(t)
	for _, spec := range []string{"default", "all", "api", "kv", "-api", "all,-pages"} {
		list, err := Select(All(), spec, false)
		require.NoError(t, err)
		require.Less(t, count(Instructions(list)), 300, spec)
	}
	kv, err := Select(All(), "kv", false)
	require.NoError(t, err)
	require.Contains(t, Instructions(kv), "edge KV")
	require.NotContains(t, Instructions(kv), "search_api")
	require.NotContains(t, Instructions(kv), "deploy_pages")
	require.NotContains(t, Instructions(kv), "DNS")
	api, err := Select(All(), "api", false)
	require.NoError(t, err)
	require.Contains(t, Instructions(api), "search_api")
	require.NotContains(t, Instructions(api), "next_page")

	// All the advice at once, and every subject: more can never be enabled.
	var every []Tool
	for _, a := range advice() {
		every = append(every, Define(Meta{Name: a.tool, Destructive: Yes}, func(ctx, *Deps, struct{}) (struct{}, error) { return struct{}{}, nil }))
	}
	for _, s := range subjects() {
		every = append(every, Define(Meta{Name: "list_" + s[0], Toolset: s[0]}, func(ctx, *Deps, struct{}) (struct{}, error) { return struct{}{}, nil }))
	}
	require.Less(t, count(Instructions(every)), 300)
}

// Every toolset has a word in the instructions, except the API's, which has a
// sentence.
func TestEveryToolsetHasASubject(t *testing.T) {
	known := map[string]bool{"api": true}
	for _, s := range subjects() {
		known[s[0]] = true
	}
	for _, set := range Toolsets(All()) {
		require.True(t, known[set], "add toolset %s to subjects in instructions.go", set)
	}
}
