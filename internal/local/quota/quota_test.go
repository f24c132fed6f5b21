package quota

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestTable(t *testing.T) {
	seen := map[string]bool{}
	for _, k := range Kinds() {
		for _, name := range append([]string{k.Name}, k.Names...) {
			require.False(t, seen[name], name)
			seen[name] = true
		}
		require.NotEmpty(t, k.Code, k.Name)
		for i := 1; i < len(k.Numbers); i++ {
			require.GreaterOrEqual(t, k.Numbers[i], k.Numbers[i-1], "a larger plan has no less: %s", k.Name)
		}
	}
}

func TestParse(t *testing.T) {
	set, err := Parse(Set{}, "plan=basic cache_rules=3 records=4;\n waf_rules=0")
	require.NoError(t, err)
	require.Equal(t, 3, set.Of(Basic, CacheRules))
	require.Equal(t, 125, set.Of(Enterprise, CacheRules))
	require.Equal(t, 4, set.Of(Basic, Records))
	require.Equal(t, 0, set.Of(High, WAFRules))
	set, err = Parse(set, "cache_rules=7")
	require.NoError(t, err)
	require.Equal(t, 7, set.Of(Basic, CacheRules), "the last one counts")
	require.Equal(t, 10, Set{}.Of("", Namespaces))
	for text, want := range map[string]string{
		"":                           "empty",
		" ; ":                        "empty",
		"cache_rules":                "no NAME=VALUE",
		"plan=gold records=1":        "plan is one of basic, medium, high, enterprise",
		"records=1 plan=basic":       "plan comes first",
		"plan=basic":                 "says no number",
		"cachrules=1":                `no quota "cachrules"; those are sites, records`,
		"records=-1":                 "a number from 0",
		"records=many":               "a number from 0",
		"plan=basic kv_namespaces=1": "the same for all plans",
	} {
		_, err := Parse(Set{}, text)
		require.ErrorContains(t, err, want, text)
	}
}

// FuzzParse holds that whatever is read says numbers within the bounds.
func FuzzParse(f *testing.F) {
	f.Add("plan=basic cache_rules=3; records=4")
	f.Add("plan=")
	f.Fuzz(func(t *testing.T, text string) {
		set, err := Parse(Set{}, text)
		if err != nil {
			return
		}
		for _, k := range Kinds() {
			for _, plan := range Plans() {
				require.GreaterOrEqual(t, set.Of(plan, k.Name), 0)
				require.LessOrEqual(t, set.Of(plan, k.Name), maxNumber)
			}
		}
	})
}
