package esa

import (
	"fmt"
	"os"
)

// TakeStdout returns the process's standard output for the caller alone and
// points os.Stdout at the null device. main calls it before anything else and
// writes its output to the file it gets.
//
// The API library prints every request on os.Stdout, Authorization included,
// when the environment has DEBUG=dara (or tea, or credential). It reads the
// variable while the program is being initialised, before any code of this
// module could change it, so the only safe place for what it prints is nowhere:
// on stdout it would break the protocol, on stderr it would put credentials
// into logs.
func TakeStdout() (*os.File, error) {
	null, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0)
	if err != nil {
		return nil, fmt.Errorf("open the null device: %w", err)
	}
	out := os.Stdout
	os.Stdout = null
	return out, nil
}
