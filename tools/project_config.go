package tools

import "github.com/esa-mcp/esa-mcp/internal/pages"

// NoteSkipped is the id of the note that files were left out of a deployment.
const NoteSkipped = pages.GuardSecrets

// LoadProject reads the esa.jsonc or esa.toml of a project, as deploy_pages does;
// a project without one has the zero value. Errors name file, line and key.
func LoadProject(dir string) (pages.Config, error) { return pages.LoadConfig(dir) }

// ParseNotFoundStrategy gives deploy_pages' spelling of a strategy in any letters.
func ParseNotFoundStrategy(s string) (string, error) { return pages.ParseNotFoundStrategy(s) }
