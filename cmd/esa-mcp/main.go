// Command esa-mcp is the MCP server for Alibaba Cloud ESA, and the local ESA.
//
// It only puts the parts together: flags and environment into settings, settings
// into a client, a server or a local ESA. What a tool does is in tools.
package main

import (
	"context"
	"errors"
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

// errInterrupted is in errors that say themselves what an interruption has left.
var errInterrupted = errors.New("interrupted")

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

// run is main without the process around it.
func run(ctx context.Context, args []string, io streams) int {
	root := newRoot(io)
	root.SetArgs(args)
	cmd, err := root.ExecuteContextC(ctx)
	var failed *failure
	switch {
	case err == nil:
		return exitOK
	case ctx.Err() != nil && !errors.Is(err, errInterrupted):
		fmt.Fprintln(io.err, "esa-mcp: interrupted") // and not where, as errors of databases and connections say it
		return exitFailure
	case errors.As(err, &failed):
		fmt.Fprintln(io.err, failed.text)
		return exitFailure
	default:
		fmt.Fprintf(io.err, "esa-mcp: %v\nRun '%s --help' for usage.\n", err, cmd.CommandPath())
		return exitUsage
	}
}
