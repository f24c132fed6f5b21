package main

import (
	"os/exec"
	"syscall"
)

// peakRSS is the most memory, in bytes, that a finished process had resident.
func peakRSS(cmd *exec.Cmd) int64 {
	usage, ok := cmd.ProcessState.SysUsage().(*syscall.Rusage)
	if !ok {
		return 0
	}
	return usage.Maxrss << 10 // kilobytes on Linux
}
