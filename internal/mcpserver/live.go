package mcpserver

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"strings"
	"time"

	"github.com/mark3labs/mcp-go/mcp"
	"github.com/mark3labs/mcp-go/server"

	"github.com/esa-mcp/esa-mcp/resources/docs"
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

// docErrors says of a document that is not there that it is not there.
func docErrors(next server.ResourceHandlerFunc) server.ResourceHandlerFunc {
	return func(ctx context.Context, r mcp.ReadResourceRequest) ([]mcp.ResourceContents, error) {
		contents, err := next(ctx, r)
		if err != nil && strings.HasPrefix(r.Params.URI, docs.IndexURI) {
			setCode(ctx, codeOf(ctx, &live.NotFound{}))
		}
		return contents, err
	}
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
