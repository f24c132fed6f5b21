package tools

import (
	"strings"

	"github.com/esa-mcp/esa-mcp/internal/esa"
	"github.com/esa-mcp/esa-mcp/internal/guard"
)

// metricName finds the metric that name means, and says so if it is another.
func metricName(name string, notes *Noted) (string, error) {
	if guard.IsHitRate(name) {
		return "", Refuse("stats-metric: ESA has no hit-rate metric. Rank metric Requests by dimension EdgeCacheStatus with query_top_data, or let create_report make kind analytics: it has the cache hit rate.")
	}
	found, same, ok := guard.MeantMetric(name)
	return found, notes.meant("metric", name, found, same, ok, guard.Metrics())
}

func dimensionName(name string, notes *Noted) (string, error) {
	found, same, ok := guard.MeantDimension(name)
	return found, notes.meant("dimension", name, found, same, ok, guard.Dimensions())
}

// meant notes that another name was taken; another spelling of the same is not
// worth a note.
func (n *Noted) meant(kind, name, found string, same, ok bool, known []string) error {
	switch {
	case !ok:
		return Refuse("stats-%s: ESA has no %s %q: did you mean %s? There are %s.", kind, kind, name, Nearest(name, known), strings.Join(known, ", "))
	case !same:
		n.Note(esa.Note{ID: "stats-" + kind, Text: "ESA has no " + kind + " " + name + ": took " + found + "."})
	}
	return nil
}
