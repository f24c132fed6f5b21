package mcpserver

import (
	"context"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/mark3labs/mcp-go/mcp"
	"github.com/mark3labs/mcp-go/server"

	"github.com/esa-mcp/esa-mcp/resources/live"
)

// methodListen opens a stream of notifications, in the revision without sessions.
const methodListen = "subscriptions/listen"

// maxSubscriptions bounds what one client may subscribe to.
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

	mu          sync.Mutex
	sessions    map[string]bool // ids of those that are registered
	subscribers map[any]*subscriber
	listed      []string
}

// subscriber is a session, or one open subscriptions/listen of the revision
// without sessions.
type subscriber struct {
	to   chan<- mcp.JSONRPCNotification
	meta map[string]any
	uris map[string]bool
}

// watchUpdates answers subscriptions and listens to the server's own writes.
func watchUpdates(s *server.MCPServer, hooks *server.Hooks, l *live.Live, w *live.Watch, read server.ResourceHandlerFunc) {
	u := &updates{s: s, l: l, read: read, sessions: make(map[string]bool), subscribers: make(map[any]*subscriber)}
	w.Tell(u.changed)
	hooks.AddAfterInitialize(func(_ context.Context, _ any, _ *mcp.InitializeRequest, result *mcp.InitializeResult) {
		// Declared here and not to mcp-go, which would send the notification
		// while it is told of the documents.
		if result.Capabilities.Resources != nil {
			result.Capabilities.Resources.ListChanged = true
		}
	})
	hooks.AddAfterSubscribe(func(ctx context.Context, _ any, r *mcp.SubscribeRequest, _ *mcp.EmptyResult) {
		if c := server.ClientSessionFromContext(ctx); c != nil && c.SessionID() != "" {
			u.subscribe(c.SessionID(), c, nil, r.Params.URI)
		}
	})
	hooks.AddAfterUnsubscribe(func(ctx context.Context, _ any, r *mcp.UnsubscribeRequest, _ *mcp.EmptyResult) {
		if c := server.ClientSessionFromContext(ctx); c != nil {
			u.unsubscribe(c.SessionID(), r.Params.URI)
		}
	})
	hooks.AddOnRegisterSession(func(_ context.Context, c server.ClientSession) { u.come(c.SessionID()) })
	hooks.AddOnUnregisterSession(func(_ context.Context, c server.ClientSession) { u.leave(c.SessionID()) })
	hooks.AddBeforeSubscriptionsListen(func(ctx context.Context, id any, r *mcp.SubscriptionsListenRequest) {
		c := server.ClientSessionFromContext(ctx)
		if c == nil || len(r.Params.Notifications.ResourceSubscriptions) == 0 {
			return
		}
		stream := new(int) // a key of its own
		u.subscribe(stream, c, map[string]any{mcp.MetaKeySubscriptionID: id}, r.Params.Notifications.ResourceSubscriptions...)
		context.AfterFunc(ctx, func() { u.leave(stream) })
	})
}

func (u *updates) subscribe(key any, c server.ClientSession, meta map[string]any, uris ...string) {
	u.mu.Lock()
	defer u.mu.Unlock()
	who := u.subscribers[key]
	if who == nil {
		who = &subscriber{to: c.NotificationChannel(), meta: meta, uris: make(map[string]bool)}
		u.subscribers[key] = who
	}
	for _, uri := range uris {
		if len(who.uris) < maxSubscriptions && strings.HasPrefix(uri, "esa://") { // no other changes
			who.uris[uri] = true
		}
	}
}

func (u *updates) unsubscribe(key any, uri string) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if who := u.subscribers[key]; who != nil {
		delete(who.uris, uri)
	}
}

func (u *updates) come(id string) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.sessions[id] = true
}

// leave forgets a session, or a stream.
func (u *updates) leave(key any) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if id, ok := key.(string); ok {
		delete(u.sessions, id)
	}
	delete(u.subscribers, key)
}

// changed runs on the goroutine of the call that made the change, and sends
// without waiting: a client that does not read misses the notification. Over HTTP
// the caller itself is told on the stream of its call, as Notify has it: mcp-go
// would lose what it takes from the channel when the call ends.
func (u *updates) changed(ctx context.Context, c live.Change) {
	out, _ := ctx.Value(streamKey{}).(*stream)
	caller := server.ClientSessionFromContext(ctx)
	if caller == nil {
		out = nil
	}
	type news struct {
		who *subscriber
		uri string
	}
	var own []news // the caller's
	u.mu.Lock()
	for _, who := range u.subscribers {
		isCaller := out != nil && who.to == caller.NotificationChannel()
		for _, uri := range slices.Sorted(maps.Keys(who.uris)) {
			switch {
			case !u.l.Affects(c, uri):
			case isCaller:
				own = append(own, news{who, uri})
			default:
				who.tell(uri)
			}
		}
	}
	u.mu.Unlock()
	for _, n := range own { // without the lock: this waits for the client
		if !out.notification(n.who.note(n.uri)) {
			n.who.tell(n.uri) // the call has ended
		}
	}
	if u.list(c) {
		u.tellOfList(out, caller)
	}
}

// tellOfList tells all clients that the list of resources has changed: the caller
// on the stream of its call, if there is one.
func (u *updates) tellOfList(out *stream, caller server.ClientSession) {
	var others []string
	if out != nil {
		u.mu.Lock()
		if u.sessions[caller.SessionID()] { // the revision without sessions wants to be asked
			others = slices.Sorted(maps.Keys(u.sessions))
		}
		u.mu.Unlock()
	}
	const method = mcp.MethodNotificationResourcesListChanged
	if others == nil || !out.notification(mcp.JSONRPCNotification{JSONRPC: mcp.JSONRPC_VERSION, Notification: mcp.Notification{Method: method}}) {
		u.s.SendNotificationToAllClients(method, nil)
		return
	}
	for _, id := range others {
		if id != caller.SessionID() {
			_ = u.s.SendNotificationToSpecificClient(id, method, nil) // it may have left
		}
	}
}

func (s *subscriber) tell(uri string) {
	select {
	case s.to <- s.note(uri):
	default:
	}
}

func (s *subscriber) note(uri string) mcp.JSONRPCNotification {
	return mcp.JSONRPCNotification{JSONRPC: mcp.JSONRPC_VERSION, Notification: mcp.Notification{
		Method: mcp.MethodNotificationResourceUpdated,
		Params: mcp.NotificationParams{Meta: s.meta, AdditionalFields: map[string]any{"uri": uri}},
	}}
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
