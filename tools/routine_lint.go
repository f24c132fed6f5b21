package tools

import (
	"fmt"

	"github.com/esa-mcp/esa-mcp/internal/esa"
	"github.com/esa-mcp/esa-mcp/internal/pages"
)

// maxLintNotes bounds what is said about a script.
const maxLintNotes = 20

// lintNotes warns of what a script's own sources use and ESA's runtime lacks.
func lintNotes(script *pages.Script, dir string) []esa.Note {
	var notes []esa.Note
	found := script.Lint(dir)
	for i, text := range found {
		if i == maxLintNotes {
			return append(notes, esa.Note{ID: pages.GuardLint, Text: fmt.Sprintf("and %d more findings", len(found)-i)})
		}
		notes = append(notes, esa.Note{ID: pages.GuardLint, Text: text})
	}
	return notes
}
