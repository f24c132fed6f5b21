// Command esa-mcp is the MCP server for Alibaba Cloud ESA, and the local ESA.
//
// It only puts the parts together: flags and environment into settings, settings
// into a client, a server or a local ESA. What a tool does is in tools.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/esa-mcp/esa-mcp/internal/esa"
)

// Exit codes.
const (
	exitOK      = 0
	exitFailure = 1 // what was asked for failed
	exitUsage   = 2 // what was asked for makes no sense
)

func main() {
	// Standard output is the protocol's: only what is handed it can write there.
	stdout, err := esa.TakeStdout()
	if err != nil {
		fmt.Fprintln(os.Stderr, "esa-mcp:", err)
		os.Exit(exitFailure)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args[1:], streams{os.Stdin, stdout, os.Stderr})
	stop()
	os.Exit(code)
}
