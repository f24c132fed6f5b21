//go:build unix

package main

import (
	"os"
	"os/exec"
	"runtime"
	"syscall"
)

// asNobody runs a process as a user who may read nothing that is locked: root may
// read everything.
func asNobody(cmd *exec.Cmd) {
	if os.Getuid() == 0 {
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
	}
}

// peakRSS is the most memory, in bytes, that a finished process had resident. It
// is no less than what the test had when it started the process.
func peakRSS(cmd *exec.Cmd) int64 {
	usage, ok := cmd.ProcessState.SysUsage().(*syscall.Rusage)
	switch {
	case !ok:
		return 0
	case runtime.GOOS == "darwin":
		return usage.Maxrss // bytes there
	}
	return int64(usage.Maxrss) << 10 // kilobytes
}
