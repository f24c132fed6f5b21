//go:build unix

package pages

import "syscall"

const openNonblock = syscall.O_NONBLOCK
