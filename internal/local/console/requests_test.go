package console

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/esa-mcp/esa-mcp/internal/local/analytics"
)

type counted int

func (c *counted) Record(analytics.Visit) { *c++ }

func TestLastRequests(t *testing.T) {
	var log counted
	r := NewRequests(&log)
	for i := range kept + 3 {
		r.Record(analytics.Visit{Path: fmt.Sprint("/", i)})
	}
	last := r.Last()
	require.Len(t, last, kept)
	require.Equal(t, fmt.Sprint("/", kept+2), last[0].Path, "the newest first")
	require.Equal(t, "/3", last[kept-1].Path)
	require.Equal(t, counted(kept+3), log, "all go on to the log")
}

func TestHostsOfThisMachine(t *testing.T) {
	for host, want := range map[string]bool{"127.0.0.1:80": true, "localhost": true, "localhost:1": true, "[::1]:80": true, "[::1]": true,
		"evil.example": false, "127.0.0.1.evil.example:80": false, "192.0.2.1": false, "": false} {
		require.Equal(t, want, local(host), host)
	}
}
