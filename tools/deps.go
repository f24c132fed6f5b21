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
	// Local tells about the local ESA that the endpoint is of: the embedded one or one
	// that has to be asked. It returns nil if there turns out to be none, and is nil
	// itself where there can be none.
	Local func(ctx context.Context) *LocalInfo
	// SameProcess says that the endpoint is in this process, so that what is sent
	// crosses no network.
	SameProcess bool
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
	// SiteVersion is the version of the site's configuration that the ESA caller works
	// on; nil if it was not said.
	SiteVersion *int
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

// KnownLocal is Deps.Local for a local ESA that need not be asked.
func KnownLocal(info LocalInfo) func(context.Context) *LocalInfo {
	return func(context.Context) *LocalInfo { return &info }
}

// local tells about the local ESA; nil against the real service.
func (d *Deps) local(ctx context.Context) *LocalInfo {
	if d.Local == nil {
		return nil
	}
	return d.Local(ctx)
}
