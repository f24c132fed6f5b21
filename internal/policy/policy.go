// Package policy holds the tests of rules that the whole repository keeps: which
// package may import which, package comments, and where a library's types may
// appear. It has no code of its own.
package policy
