package local

import (
	"github.com/esa-mcp/esa-mcp/internal/catalog"
	"github.com/esa-mcp/esa-mcp/internal/local/generic"
)

// The ways in which the local ESA answers an operation.
const (
	// CoverageFull behaves as the service does, as far as that is known.
	CoverageFull = "full"
	// CoverageGeneric checks and keeps what it is told, and tells it again; or
	// says that nothing has happened, where only traffic could make it happen.
	CoverageGeneric = "generic"
	// CoverageRefused is refused with NotApplicable and the reason.
	CoverageRefused = "refused"
)

// Coverage is how the local ESA answers an operation.
type Coverage struct {
	Action, Area string
	How          string // CoverageFull, CoverageGeneric or CoverageRefused
	Why          string // of a refusal
}

// Coverages tells of every operation of the API how the local ESA answers it, by
// area and name.
func Coverages() []Coverage {
	refused := generic.Refused()
	var all []Coverage
	for _, action := range catalog.Actions() {
		op, _ := catalog.Lookup(action)
		c := Coverage{Action: action, Area: op.Area, How: CoverageFull}
		if full, ours := generic.Coverage(action); ours && !full {
			c.How = CoverageGeneric
		}
		if why, ok := refused[action]; ok {
			c.How, c.Why = CoverageRefused, why
		}
		all = append(all, c)
	}
	return all
}
