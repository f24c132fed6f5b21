package pages

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/evanw/esbuild/pkg/api"
)

// BundleOptions change how a routine's script is made.
type BundleOptions struct {
	// Dir is the project's folder: positions in messages are relative to it.
	// Empty means the folder of the entry file.
	Dir string
	// Minify makes the script smaller and harder to read.
	Minify bool
}

// Script is a bundled routine.
type Script struct {
	// Code is one ES module.
	Code []byte
	// Warnings are for people, one line each, with the position.
	Warnings []string
	// Inputs are the absolute paths of the files that the code was made from,
	// sorted.
	Inputs []string
}

// builtins are the node modules that ESA's runtime has.
var builtins = []string{
	"assert", "async_hooks", "buffer", "crypto", "diagnostics_channel", "events",
	"path", "process", "stream", "string_decoder", "util",
}

// Bundle makes one ES module of the entry file (JavaScript, TypeScript or JSX)
// and all it imports. JSON is imported as data; text, HTML, CSS and *.client.js
// as strings. Nothing is written to disk. Errors name file, line and column.
func Bundle(ctx context.Context, entry string, o BundleOptions) (*Script, error) {
	entry, dir, err := bundlePaths(entry, o.Dir)
	if err != nil {
		return nil, err
	}
	build, failed := api.Context(bundleSettings(entry, dir, o.Minify))
	if failed != nil {
		return nil, bundleError(failed.Errors)
	}
	defer build.Dispose()
	stop := context.AfterFunc(ctx, build.Cancel)
	result := build.Rebuild()
	stop()
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("bundle the routine: %w", err)
	}
	if len(result.Errors) > 0 {
		return nil, bundleError(result.Errors)
	}
	s, err := newScript(dir, result)
	if err == nil && len(bytes.TrimSpace(s.Code)) == 0 {
		return nil, fmt.Errorf("bundle the routine: %s has no code: write export default { async fetch(request) { ... } } into it", entry)
	}
	return s, err
}

func bundlePaths(entry, dir string) (string, string, error) {
	if entry == "" {
		return "", "", errors.New("bundle the routine: no entry file was given")
	}
	abs, err := filepath.Abs(entry)
	if err != nil {
		return "", "", fmt.Errorf("bundle the routine: %w", err)
	}
	info, err := os.Stat(abs)
	if err != nil {
		return "", "", fmt.Errorf("bundle the routine: entry file: %w", err)
	}
	if !info.Mode().IsRegular() {
		return "", "", fmt.Errorf("bundle the routine: entry file: %s is not a file", abs)
	}
	if dir == "" {
		dir = filepath.Dir(abs)
	}
	if dir, err = filepath.Abs(dir); err != nil {
		return "", "", fmt.Errorf("bundle the routine: %w", err)
	}
	return abs, dir, nil
}

func bundleSettings(entry, dir string, minify bool) api.BuildOptions {
	return api.BuildOptions{
		EntryPoints:   []string{entry},
		AbsWorkingDir: dir,
		Outfile:       filepath.Join(dir, "index.js"), // a name only: nothing is written
		Write:         false,
		Bundle:        true,
		Metafile:      true,
		Format:        api.FormatESModule,
		Platform:      api.PlatformBrowser,
		Target:        api.ES2022,
		Charset:       api.CharsetUTF8,
		LegalComments: api.LegalCommentsNone,
		LogLevel:      api.LogLevelSilent,
		Define:        map[string]string{"process.env.NODE_ENV": `"production"`},
		Loader: map[string]api.Loader{
			".html": api.LoaderText, ".css": api.LoaderText, ".txt": api.LoaderText, ".client.js": api.LoaderText,
		},
		MinifyWhitespace: minify, MinifyIdentifiers: minify, MinifySyntax: minify,
		Plugins: []api.Plugin{{Name: "builtins", Setup: keepBuiltins}},
	}
}

// keepBuiltins leaves imports of the runtime's own modules in the code, under
// the one name that the runtime knows them by.
func keepBuiltins(build api.PluginBuild) {
	filter := "^(node:)?(" + strings.Join(builtins, "|") + ")$"
	build.OnResolve(api.OnResolveOptions{Filter: filter}, func(a api.OnResolveArgs) (api.OnResolveResult, error) {
		return api.OnResolveResult{Path: "node:" + strings.TrimPrefix(a.Path, "node:"), External: true}, nil
	})
}

func newScript(dir string, result api.BuildResult) (*Script, error) {
	if len(result.OutputFiles) != 1 {
		return nil, fmt.Errorf("bundle the routine: it gave %d files in place of one script; import files only as code, JSON or text", len(result.OutputFiles))
	}
	s := &Script{Code: result.OutputFiles[0].Contents}
	if err := checkCodeSize(len(s.Code)); err != nil {
		return nil, err
	}
	var meta struct {
		Inputs  map[string]struct{}
		Outputs map[string]struct{ Exports []string }
	}
	if err := json.Unmarshal([]byte(result.Metafile), &meta); err != nil {
		return nil, fmt.Errorf("bundle the routine: read the list of inputs: %w", err)
	}
	for in := range meta.Inputs {
		if !filepath.IsAbs(in) {
			in = filepath.Join(dir, filepath.FromSlash(in))
		}
		if info, err := os.Stat(in); err == nil && info.Mode().IsRegular() {
			s.Inputs = append(s.Inputs, in)
		}
	}
	slices.Sort(s.Inputs)
	for _, m := range result.Warnings {
		s.Warnings = append(s.Warnings, messageText(m))
	}
	for _, out := range meta.Outputs {
		if !slices.Contains(out.Exports, "default") && !fetchListener.Match(s.Code) {
			s.Warnings = append(s.Warnings, "the routine has no default export: ESA calls export default { async fetch(request) { ... } }")
		}
	}
	return s, nil
}

// fetchListener finds the older way to handle requests.
var fetchListener = regexp.MustCompile("addEventListener\\(\\s*[\"'`]fetch[\"'`]")

func bundleError(messages []api.Message) error {
	e := &Error{Problem: "the routine cannot be bundled"}
	for _, m := range messages {
		e.Items = append(e.Items, messageText(m))
	}
	return e
}

var unresolved = regexp.MustCompile(`^Could not resolve "(?:node:)?([^"]+)"`)

// messageText is "file:line:column: text", with columns from 1.
func messageText(m api.Message) string {
	text := m.Text
	if found := unresolved.FindStringSubmatch(text); found != nil {
		text += resolveHint(found[1])
	}
	if m.Location == nil {
		return text
	}
	return fmt.Sprintf("%s:%d:%d: %s", m.Location.File, m.Location.Line, m.Location.Column+1, text)
}

// resolveHint tells a package that is not installed from a node module that
// ESA does not have.
func resolveHint(name string) string {
	switch strings.SplitN(name, "/", 2)[0] {
	case ".", "..", "":
		return ""
	case "fs", "net", "http", "https", "http2", "child_process", "cluster", "dgram", "dns", "os", "readline",
		"tls", "tty", "url", "v8", "vm", "worker_threads", "zlib", "module", "perf_hooks", "timers", "querystring", "console":
		return " (ESA's runtime has no such module; of node's it has " + strings.Join(builtins, ", ") + ")"
	}
	return " (if it is a package, install it in the project first)"
}
