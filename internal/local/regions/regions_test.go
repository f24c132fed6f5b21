package regions

import (
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestOf(t *testing.T) {
	for country, want := range map[string][]string{
		"US": {"ENAM", "WNAM"}, "DE": {"WEU"}, "HK": {"NEAS"}, "KZ": {"EEU"}, "ZA": {"AF"}, "": nil, "D": nil, "XX": nil, "N ": nil,
	} {
		require.Equal(t, want, Of(country), country)
	}
}

// TestCountriesAreInOneRegion, but for those that are as wide as their continent.
func TestCountriesAreInOneRegion(t *testing.T) {
	seen := map[string]string{}
	for _, r := range All() {
		codes := strings.Fields(r.countries)
		for _, c := range r.Named {
			codes = append(codes, c.Code)
		}
		require.Len(t, slices.Compact(slices.Sorted(slices.Values(codes))), len(codes), r.Code)
		for _, code := range codes {
			if seen[code] != "" && !strings.Contains("US CA MX", code) {
				t.Errorf("%s is in %s and %s", code, seen[code], r.Code)
			}
			seen[code] = r.Code
		}
	}
}
