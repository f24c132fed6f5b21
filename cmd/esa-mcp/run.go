package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
)

// errInterrupted is in errors that say themselves what an interruption has left.
var errInterrupted = errors.New("interrupted")

// run is main without the process around it.
func run(ctx context.Context, args []string, io streams) int {
	root := newRoot(io)
	root.SetArgs(args)
	cmd, err := root.ExecuteContextC(ctx)
	var failed *failure
	var file *fs.PathError
	switch {
	case err == nil:
		return exitOK
	case ctx.Err() != nil && !errors.Is(err, errInterrupted):
		fmt.Fprintln(io.err, "esa-mcp: interrupted") // and not where, as errors of databases and connections say it
		return exitFailure
	case errors.As(err, &failed):
		fmt.Fprintln(io.err, failed.text)
		return exitFailure
	case errors.As(err, &file) && file.Op == "write": // of standard output, when all was done
		fmt.Fprintln(io.err, "esa-mcp:", err)
		return exitFailure
	default:
		fmt.Fprintf(io.err, "esa-mcp: %v\nRun '%s --help' for usage.\n", err, cmd.CommandPath())
		return exitUsage
	}
}
