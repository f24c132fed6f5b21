package mcpserver

import (
	"context"
	"sync/atomic"
)

// ownCode is the error code that the handler of a request chose. mcp-go gives all
// errors of handlers that of an internal error.
type ownCode struct{ code atomic.Int64 }

type ownCodeKey struct{}

func withOwnCode(ctx context.Context) (context.Context, *ownCode) {
	c := &ownCode{}
	return context.WithValue(ctx, ownCodeKey{}, c), c
}

// setCode chooses the code of the error that the handler is about to return.
func setCode(ctx context.Context, code int) {
	if c, ok := ctx.Value(ownCodeKey{}).(*ownCode); ok {
		c.code.Store(int64(code))
	}
}

// or returns the chosen code, or the given one if there is none.
func (c *ownCode) or(code int) int {
	if c != nil {
		if own := c.code.Load(); own != 0 {
			return int(own)
		}
	}
	return code
}
