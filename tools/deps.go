package tools

import (
	"context"
	"log/slog"
	"time"

	"github.com/esa-mcp/esa-mcp/internal/esa"
	"github.com/esa-mcp/esa-mcp/internal/guard"
)

// Deps is what a tool may use. Everything that reaches out of the process, or
// that a test wants to decide, comes from here.
type Deps struct {
	// ESA is the guarded client: the only way to the API.
	ESA esa.Caller
	// Upload sends objects to the slots that the API opens.
	Upload Uploader
	// Locks keep calls apart that work on the same thing.
	Locks *Locks
	// Local tells about the embedded local ESA; nil against the real service.
	Local *LocalInfo
	// Confirmed says that a person confirmed beforehand what a tool would ask.
	Confirmed bool
	// Tokens confirm a call by a second one; nil if there will be none.
	Tokens *guard.Tokens
	// Journal keeps what the tools change; nil keeps nothing.
	Journal *guard.Journal
	// Now is the clock.
	Now func() time.Time
	// Sleep waits for d between two looks at something that is being built. It
	// returns early, with the context's error, when ctx ends.
	Sleep func(ctx context.Context, d time.Duration) error
	// Logger never gets arguments, answers or secrets.
	Logger *slog.Logger
	// Version is the version of esa-mcp, as it appears in what tools leave behind.
	Version string
}

// Uploader sends objects to where the service reads them.
type Uploader interface {
	// Upload sends an object to an upload slot. fresh opens the slot, and is called
	// again when its policy has run out.
	Upload(ctx context.Context, fresh func(context.Context) (esa.PostForm, error), obj esa.Object) error
	// UploadFile puts an object where the service can read it and returns its
	// address, for operations that take a Url.
	UploadFile(ctx context.Context, obj esa.Object) (url string, err error)
}

// LocalInfo describes the local ESA that the tools work against.
type LocalInfo struct {
	// Edge is the base URL of the edge, such as http://127.0.0.1:8080.
	Edge string
	// OpenDefaultDomain says that the default domains of routines open without a
	// token.
	OpenDefaultDomain bool
}
