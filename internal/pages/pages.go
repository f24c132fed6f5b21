// Package pages turns a folder on disk, and optionally the entry file of an
// edge routine, into the zip archive that a Pages version is made from.
//
// A deployment is four calls: LoadConfig reads the project's esa.jsonc or
// esa.toml, Scan decides what of the folder is published, Bundle makes one
// script of the routine's sources, and Plan gives an Archive whose size and
// hash are known before a byte is sent and which can be read again and again
// for retries.
//
// It opens no connection and knows nothing of ESA's API, of credentials or of
// MCP.
package pages

import (
	"fmt"
	"strings"
)

// What the service takes, in bytes.
const (
	// MaxAssetSize is the size of the largest file that can be an asset.
	MaxAssetSize = 25 << 20
	// MaxCodeSize is the size of the largest script.
	MaxCodeSize = 5 << 20
)

// Guardrails whose refusals come from this package.
const (
	GuardEmpty   = "pages-empty"   // nothing to deploy
	GuardSecrets = "pages-secrets" // a link would publish what is outside the folder
	GuardLimits  = "pages-limits"  // a file, the script or the folder is too large
)

// Error is a refusal that the caller can do something about.
type Error struct {
	// Guardrail is one of the Guard constants, or empty.
	Guardrail string
	// Problem says what is wrong, without the paths.
	Problem string
	// Items are the paths concerned, each with its own detail.
	Items []string
	// Fix says what to do next.
	Fix string

	cause error
}

// shownItems is how many items an error's text lists.
const shownItems = 20

// Error gives the problem, its items (the first twenty), the fix and the
// guardrail's id.
func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString(e.Problem)
	if n := len(e.Items); n > 0 {
		b.WriteString(": " + strings.Join(e.Items[:min(n, shownItems)], "; "))
		if n > shownItems {
			fmt.Fprintf(&b, "; and %d more", n-shownItems)
		}
	}
	if e.Fix != "" {
		b.WriteString(". " + e.Fix)
	}
	if e.Guardrail != "" {
		b.WriteString(" [" + e.Guardrail + "]")
	}
	return b.String()
}

// Unwrap gives the cause, such as fs.ErrPermission; nil if there is none.
func (e *Error) Unwrap() error { return e.cause }

// ChangedError says that a file is no longer what it was when the folder was
// scanned. What was read so far must not be used.
type ChangedError struct {
	// Path is the file's path in the folder.
	Path string
	// Removed says that the file is gone.
	Removed bool
}

// Error names the file and says to deploy again.
func (e *ChangedError) Error() string {
	if e.Removed {
		return e.Path + " was removed while it was being read; deploy again"
	}
	return e.Path + " changed while it was being read; deploy again"
}

// megabytes writes a size for people.
func megabytes(n int64) string {
	if n < 1<<20 {
		return fmt.Sprintf("%.1f KB", float64(n)/(1<<10))
	}
	return fmt.Sprintf("%.1f MB", float64(n)/(1<<20))
}
