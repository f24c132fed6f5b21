package plan

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestSplitPort(t *testing.T) {
	for address, want := range map[string]struct {
		host string
		port int
	}{
		"Origin.Example.": {"origin.example", 0}, "origin.example:81": {"origin.example", 81}, "127.0.0.1": {"127.0.0.1", 0}, "127.0.0.1:81": {"127.0.0.1", 81},
		"::1": {"::1", 0}, "[::1]": {"::1", 0}, "[::1]:81": {"::1", 81}, " a:b ": {"a:b", 0},
	} {
		host, port := splitPort(address)
		require.Equal(t, want.host, host, address)
		require.Equal(t, want.port, port, address)
	}
}

func TestHeadersOf(t *testing.T) {
	for text, want := range map[string]map[string][]string{
		`{"Host":["a","b"]}`: {"Host": {"a", "b"}}, `"{\"Host\":[\"a\"]}"`: {"Host": {"a"}}, `{"Host":"a"}`: {"Host": {"a"}}, `[1]`: nil, ``: nil,
	} {
		require.Equal(t, want, headersOf(json.RawMessage(text)), text)
	}
}

// TestOverrides: a rule changes what it names, in the API's spelling or in its own.
func TestOverrides(t *testing.T) {
	b, err := readBalancer(1, "LB.example.com", `{"SteeringPolicy":"order","DefaultPools":[352816096987136,"352816096987152"],"FallbackPool":3,
		"AdaptiveRouting":{"FailoverAcrossPools":true},"Monitor":{"Type":"HTTP","Interval":5},
		"Rules":[{"Sequence":2,"Rule":"true","Overrides":{"steering_policy":"random","random_steering":{"default_weight":5,"pool_weights":{"3":7}}}},
		{"Sequence":1,"Rule":"true","Overrides":{"SubRegionPools":"{\"al,MO\":[9]}","adaptive_routing":{"failover_across_pools":false}}},
		{"Sequence":3,"Rule":"true","RuleEnable":"off"}]}`)
	require.NoError(t, err)
	require.Equal(t, "lb.example.com", b.Name)
	require.Equal(t, Steering{Policy: "order", Default: []int64{352816096987136, 352816096987152}, Fallback: 3, AcrossPools: true}, b.Steering)
	require.Len(t, b.Rules, 2)
	first := b.Rules[0].Override(b.Steering)
	require.Equal(t, map[string][]int64{"AL": {9}, "MO": {9}}, first.SubRegions)
	require.False(t, first.AcrossPools)
	second := b.Rules[1].Override(first)
	require.Equal(t, "random", second.Policy)
	require.Equal(t, map[int64]int{3: 7}, second.Weights)
	require.Equal(t, 5, second.DefaultWeight)
	require.Equal(t, "order", b.Policy, "the load balancer stays as it is")
	require.Equal(t, []int64{3, 9, 352816096987136, 352816096987152}, b.Pools())
}

// FuzzReadBalancing: whatever is stored, it is read or refused.
func FuzzReadBalancing(f *testing.F) {
	f.Add(`{"SteeringPolicy":"geo","RegionPools":{"ENAM":[1]},"Rules":[{"Rule":"(ssl)","Overrides":{"default_pools":["1"]}}]}`)
	f.Add(`{"Enabled":true,"Origins":[{"Id":1,"Address":"[::1]:80","Weight":1,"Header":"{}","AuthConf":{"AuthType":"private"}}]}`)
	f.Fuzz(func(t *testing.T, text string) {
		if b, err := readBalancer(1, "lb.example.com", text); err == nil {
			for _, r := range b.Rules {
				r.Override(b.Steering)
			}
			b.Pools()
		}
		if p, err := readPool(1, "p", text); err == nil {
			for _, o := range p.Origins {
				require.NotNil(t, o.Record())
			}
		}
	})
}
