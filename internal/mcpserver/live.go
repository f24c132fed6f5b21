package mcpserver

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/mark3labs/mcp-go/mcp"
	"github.com/mark3labs/mcp-go/server"

	"github.com/esa-mcp/esa-mcp/resources/live"
	"github.com/esa-mcp/esa-mcp/tools"
)

// readTime bounds the reading of a resource or a prompt, when no time-out is set.
const readTime = time.Minute

// readLive is the handler of all live resources.
func readLive(l *live.Live, o Options) server.ResourceHandlerFunc {
	return guarded(o, "resources/read", func(ctx context.Context, r mcp.ReadResourceRequest) ([]mcp.ResourceContents, error) {
		text, err := l.Read(ctx, r.Params.URI)
		if err != nil {
			setCode(ctx, codeOf(ctx, err))
			return nil, err
		}
		return []mcp.ResourceContents{mcp.TextResourceContents{URI: r.Params.URI, MIMEType: live.MIMEType, Text: string(text)}}, nil
	})
}

// registerLive adds the live resources: templates, and those without variables as
// resources too, so that clients list them.
func registerLive(s *server.MCPServer, l *live.Live, read server.ResourceHandlerFunc) {
	for _, t := range l.Templates() {
		if len(t.Variables()) == 0 {
			s.AddResource(mcp.NewResource(t.Base(), t.Name, mcp.WithResourceTitle(t.Title),
				mcp.WithResourceDescription(t.Description), mcp.WithMIMEType(live.MIMEType)), read)
			if !t.Paged() {
				continue
			}
		}
		s.AddResourceTemplate(mcp.NewResourceTemplate(t.URI, t.Name, mcp.WithTemplateTitle(t.Title),
			mcp.WithTemplateDescription(t.Description), mcp.WithTemplateMIMEType(live.MIMEType)), server.ResourceTemplateHandlerFunc(read))
	}
}

// guarded bounds the time of a handler, and makes a panic an error: over HTTP
// mcp-go would drop the connection.
func guarded[In, Out any](o Options, method string, next func(context.Context, In) (Out, error)) func(context.Context, In) (Out, error) {
	return func(ctx context.Context, in In) (out Out, err error) {
		limit := o.Timeout
		if limit <= 0 {
			limit = readTime
		}
		ctx, cancel := context.WithTimeout(ctx, limit)
		defer cancel()
		defer func() {
			if v := recover(); v != nil {
				logPanic(o.Logger, method, v)
				err = fmt.Errorf("internal error in %s: this is a bug in esa-mcp", method)
			}
		}()
		return next(ctx, in)
	}
}

func logPanic(logger *slog.Logger, method string, v any) {
	logger.Error("handler panicked", "method", method, "panic", tools.Clean(fmt.Sprint(v)), "stack", string(debug.Stack()))
}

// codeOf is the JSON-RPC code of a resource's error.
func codeOf(ctx context.Context, err error) int {
	var (
		missing *live.NotFound
		invalid *live.Invalid
	)
	switch {
	case errors.As(err, &missing) && !mcp.IsModernProtocol(server.RequestProtocolVersion(ctx)):
		return mcp.RESOURCE_NOT_FOUND
	case errors.As(err, &missing), errors.As(err, &invalid):
		return mcp.INVALID_PARAMS
	}
	return mcp.INTERNAL_ERROR
}

// maxSubscriptions bounds what one session may subscribe to.
const maxSubscriptions = 500

// maxListed bounds the sites, routines and namespaces that are listed because
// they were made through the server.
const maxListed = 200

// updates tells clients which resources a write through the server has changed,
// and lists what it made.
type updates struct {
	s    *server.MCPServer
	l    *live.Live
	read server.ResourceHandlerFunc

	mu         sync.Mutex
	subscribed map[string]map[string]bool // addresses by session
	listed     []string
}

// watchUpdates answers subscriptions and listens to the server's own writes.
func watchUpdates(s *server.MCPServer, hooks *server.Hooks, l *live.Live, w *live.Watch, read server.ResourceHandlerFunc) {
	u := &updates{s: s, l: l, read: read, subscribed: make(map[string]map[string]bool)}
	w.Tell(u.changed)
	hooks.AddAfterInitialize(func(_ context.Context, _ any, _ *mcp.InitializeRequest, result *mcp.InitializeResult) {
		// Declared here and not to mcp-go, which would send the notification
		// while it is told of the documents.
		if result.Capabilities.Resources != nil {
			result.Capabilities.Resources.ListChanged = true
		}
	})
	hooks.AddAfterSubscribe(func(ctx context.Context, _ any, r *mcp.SubscribeRequest, _ *mcp.EmptyResult) {
		if c := server.ClientSessionFromContext(ctx); c != nil {
			u.subscribe(c.SessionID(), r.Params.URI)
		}
	})
	hooks.AddAfterUnsubscribe(func(ctx context.Context, _ any, r *mcp.UnsubscribeRequest, _ *mcp.EmptyResult) {
		if c := server.ClientSessionFromContext(ctx); c != nil {
			u.unsubscribe(c.SessionID(), r.Params.URI)
		}
	})
	hooks.AddOnUnregisterSession(func(_ context.Context, c server.ClientSession) {
		u.mu.Lock()
		defer u.mu.Unlock()
		delete(u.subscribed, c.SessionID())
	})
}

func (u *updates) subscribe(session, uri string) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if session == "" || len(u.subscribed[session]) >= maxSubscriptions || !strings.HasPrefix(uri, "esa://") {
		return // nothing that changes
	}
	if u.subscribed[session] == nil {
		u.subscribed[session] = make(map[string]bool)
	}
	u.subscribed[session][uri] = true
}

func (u *updates) unsubscribe(session, uri string) {
	u.mu.Lock()
	defer u.mu.Unlock()
	delete(u.subscribed[session], uri)
}

// changed runs on the goroutine of the call that made the change, and sends
// without waiting: a client that does not read misses the notification.
func (u *updates) changed(c live.Change) {
	type update struct{ session, uri string }
	var due []update
	u.mu.Lock()
	for session, uris := range u.subscribed {
		for uri := range uris {
			if u.l.Affects(c, uri) {
				due = append(due, update{session, uri})
			}
		}
	}
	u.mu.Unlock()
	for _, d := range due {
		_ = u.s.SendNotificationToSpecificClient(d.session, mcp.MethodNotificationResourceUpdated, map[string]any{"uri": d.uri})
	}
	if u.list(c) {
		u.s.SendNotificationToAllClients(mcp.MethodNotificationResourcesListChanged, nil)
	}
}

// list keeps the list of resources: what was made through the server is there,
// what was deleted is not. It reports whether the list has changed.
func (u *updates) list(c live.Change) bool {
	uri, title := c.Made()
	if uri == "" {
		return false
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	at := slices.Index(u.listed, uri)
	switch {
	case c.Gone && at >= 0:
		u.listed = slices.Delete(u.listed, at, at+1)
		u.s.DeleteResources(uri)
		return true
	case c.Came && at < 0 && len(u.listed) < maxListed:
		u.listed = append(u.listed, uri)
		// The name is the address: mcp-go pages by name, so it has to be unique.
		u.s.AddResource(mcp.NewResource(uri, uri, mcp.WithResourceTitle(title), mcp.WithMIMEType(live.MIMEType)), u.read)
		return true
	}
	return false
}
