//go:build !unix

package pages

const openNonblock = 0
