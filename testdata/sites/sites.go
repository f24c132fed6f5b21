// Package sites holds the sample sites that the demo deploys and the tests use.
package sites

import "embed"

// Hello is a small site of HTML, CSS, JavaScript, an image, a nested folder and a
// file with a Chinese name, below the folder hello.
//
//go:embed all:hello
var Hello embed.FS
