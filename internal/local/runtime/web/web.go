// Package web is the JavaScript side of the routine runtime: the web platform's
// classes, ESA's own objects and the modules of node that routines may import.
//
// It holds sources and their compiled forms. It must not know how machines are
// run; what the sources call outside is listed at the top of host.js.
package web

import (
	"embed"
	"fmt"
	"path"
	"slices"
	"strings"
	"sync"

	"modernc.org/quickjs"
)

//go:embed core/*.js parts/*.js node/*.js third_party/web-streams-polyfill/ponyfill.js
var sources embed.FS

// core are the fragments that every machine runs, in this order. They share one
// scope.
var core = []string{"host", "events", "encoding", "timers", "headers", "url", "blob", "body", "message", "fetch", "platform", "main"}

var boot = sync.OnceValues(func() ([]byte, error) {
	var b strings.Builder
	b.WriteString("(function (environment) {\n'use strict';\n")
	for _, name := range core {
		text, err := sources.ReadFile("core/" + name + ".js")
		if err != nil {
			return nil, err
		}
		b.Write(text)
		b.WriteByte('\n')
	}
	b.WriteString("return entries;\n})")
	return compile(b.String())
})

// Boot returns the compiled code of the web layer: a function that takes the
// environment as JSON and returns the entry points begin, dispatch and settle.
func Boot() ([]byte, error) { return boot() }

// parts are compiled when they are first used.
var parts = map[string]func() ([]byte, error){
	"streams": part("parts/streams.js", "(%s)"),
	"crypto":  part("parts/crypto.js", "(%s)"),
	"ponyfill": part("third_party/web-streams-polyfill/ponyfill.js",
		"(function () {\nconst exports = {}, module = { exports };\n%s\nreturn exports;\n})"),
}

// part compiles a file within a frame that makes it an expression.
func part(file, frame string) func() ([]byte, error) {
	return sync.OnceValues(func() ([]byte, error) {
		text, err := sources.ReadFile(file)
		if err != nil {
			return nil, err
		}
		code, err := compile(fmt.Sprintf(frame, text))
		if err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
		return code, nil
	})
}

// Part returns the compiled code of a part that is loaded when it is first used:
// a function.
func Part(name string) ([]byte, error) {
	if code, ok := parts[name]; ok {
		return code()
	}
	return nil, fmt.Errorf("the web layer has no part %q", name)
}

func compile(source string) ([]byte, error) {
	vm, err := quickjs.NewVM()
	if err != nil {
		return nil, err
	}
	defer vm.Close()
	return vm.Compile(source, quickjs.EvalGlobal)
}

// Node returns the source of a module of node by its name, such as
// "node:crypto".
func Node(name string) (string, bool) {
	short, ok := strings.CutPrefix(name, "node:")
	if !ok {
		return "", false
	}
	text, err := sources.ReadFile("node/" + path.Clean(short) + ".js")
	return string(text), err == nil
}

// NodeModules are the names of all modules of node, sorted.
func NodeModules() []string {
	entries, err := sources.ReadDir("node")
	if err != nil {
		return nil
	}
	var names []string
	for _, e := range entries {
		names = append(names, "node:"+strings.TrimSuffix(e.Name(), ".js"))
	}
	slices.Sort(names)
	return names
}
