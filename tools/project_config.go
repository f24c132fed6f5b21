package tools

import (
	"net/url"

	"github.com/esa-mcp/esa-mcp/internal/pages"
)

// NoteSkipped is the id of the note that files were left out of a deployment.
const NoteSkipped = pages.GuardSecrets

// ProjectConfig is what LoadProject reads.
type ProjectConfig = pages.Config

// LoadProject reads the esa.jsonc or esa.toml of a project, as deploy_pages does;
// a project without one has the zero value. Errors name file, line and key.
func LoadProject(dir string) (ProjectConfig, error) { return pages.LoadConfig(dir) }

// ParseNotFoundStrategy gives deploy_pages' spelling of a strategy in any letters.
func ParseNotFoundStrategy(s string) (string, error) { return pages.ParseNotFoundStrategy(s) }

// ParseUpstream reads the origin that a project is developed against.
func ParseUpstream(s string) (*url.URL, error) { return pages.ParseUpstream(s) }
