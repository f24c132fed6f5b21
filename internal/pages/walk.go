package pages

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"sort"
	"strings"
	"sync"
)

// walker goes through the folders and decides by name; inspect then looks into
// the files it found.
type walker struct {
	root    *os.Root
	real    string // the root's path without links
	o       ScanOptions
	folder  *Folder
	sources map[string]bool // real paths below the root
	exclude *ignoreFile
	found   []File
	visited int

	mu       sync.Mutex // guards what inspect's goroutines add to
	skipped  []Skipped
	problems problems
}

// place is a folder on the way.
type place struct {
	path   string // as published; empty for the root
	real   string // without links; "." for the root
	linked bool
	up     *place
	git    *ignoreFile
	esa    *ignoreFile
}

// holds reports whether the walk is inside the folder real already.
func (d *place) holds(real string) bool {
	for ; d != nil; d = d.up {
		if d.real == real {
			return true
		}
	}
	return false
}

// errTooMany stops the walk.
var errTooMany = errors.New("too many files")

func (w *walker) run(ctx context.Context) error {
	w.exclude = parseIgnore(nil, "the exclude option", "", strings.Join(w.o.Exclude, "\n"))
	err := w.walk(ctx, &place{real: "."})
	if errors.Is(err, errTooMany) {
		return &Error{
			Guardrail: GuardLimits,
			Problem:   fmt.Sprintf("%s holds more than %d files", w.real, w.o.MaxFiles),
			Fix:       "Give the folder of the built site, or leave folders out in " + esaIgnore,
		}
	}
	return err
}

func (w *walker) walk(ctx context.Context, d *place) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("scan the folder: %w", err)
	}
	entries, err := w.readDir(d.real)
	if err != nil {
		w.unreadable(d.path+"/", err)
		return nil
	}
	if d.git, err = w.readIgnore(d, entries, gitIgnore, d.git); err != nil {
		return nil
	}
	if d.esa, err = w.readIgnore(d, entries, esaIgnore, d.esa); err != nil {
		return nil
	}
	for _, e := range entries {
		// Links can make a small folder endless without a circle, so entries
		// count as well as files.
		if w.visited++; w.visited > 10*w.o.MaxFiles+1000 || len(w.found) > w.o.MaxFiles {
			return errTooMany
		}
		if err := w.visit(ctx, d, e); err != nil {
			return err
		}
	}
	if len(w.found) > w.o.MaxFiles {
		return errTooMany
	}
	return nil
}

func (w *walker) readDir(real string) ([]fs.DirEntry, error) {
	f, err := w.o.open(w.root, filepath.FromSlash(real))
	if err != nil {
		return nil, err
	}
	defer f.Close()
	entries, err := f.ReadDir(-1)
	sort.Slice(entries, func(i, j int) bool { return entries[i].Name() < entries[j].Name() })
	return entries, err
}

func (w *walker) visit(ctx context.Context, d *place, e fs.DirEntry) error {
	name := e.Name()
	p, real := path.Join(d.path, name), path.Join(d.real, name)
	switch mode := e.Type(); {
	case mode.IsDir():
		if w.leaveOut(d, p, real, true) || !w.goodName(p, name) {
			return nil
		}
		return w.walk(ctx, &place{path: p, real: real, linked: d.linked, up: d, git: d.git, esa: d.esa})
	case mode.IsRegular():
		if w.leaveOut(d, p, real, false) || !w.goodName(p, name) {
			return nil
		}
		w.found = append(w.found, File{Path: p, real: real, Linked: d.linked})
	case mode&fs.ModeSymlink != 0:
		return w.visitLink(ctx, d, p, real)
	default:
		w.skip(p, Special, "not a file but "+special(mode))
	}
	return nil
}

func (w *walker) visitLink(ctx context.Context, d *place, p, real string) error {
	// A link counts as a file and as a folder here: "dist/" in an ignore file
	// is meant for a linked dist, too, and an ignored link may be broken.
	if w.leaveOut(d, p, real, false) || w.leaveOut(d, p, real, true) || !w.goodName(p, path.Base(p)) {
		return nil
	}
	target, mode, err := w.resolve(p, real)
	if err != nil {
		return nil
	}
	for part := range strings.SplitSeq(target, "/") {
		if kind, why := nameRule(part); kind != "" {
			w.skip(p, kind, "links to "+target+": "+why)
			return nil
		}
	}
	if w.sources[target] {
		w.skip(p, Source, "links to the routine's source "+target)
		return nil
	}
	switch {
	case mode.IsRegular():
		w.found = append(w.found, File{Path: p, real: target, Linked: true})
	case !mode.IsDir():
		w.skip(p, Special, "links to "+special(mode))
	case d.holds(target):
		w.problems.links = append(w.problems.links, fmt.Sprintf("%s links to %s, the folder it is in, so it has no end", p, target))
	default:
		return w.walk(ctx, &place{path: p, real: target, linked: true, up: d, git: d.git, esa: d.esa})
	}
	return nil
}

var errBadLink = errors.New("link cannot be followed")

// resolve follows a link to its end. A link that cannot be followed, or that
// leaves the root, is noted as a problem.
func (w *walker) resolve(p, real string) (target string, mode fs.FileMode, err error) {
	abs := filepath.Join(w.real, filepath.FromSlash(real))
	text, err := os.Readlink(abs)
	if err != nil {
		w.unreadable(p, err)
		return "", 0, errBadLink
	}
	info, err := os.Stat(abs)
	end, evalErr := filepath.EvalSymlinks(abs)
	if err = errors.Join(err, evalErr); err != nil {
		note := fmt.Sprintf("%s links to %s, which does not exist", p, text)
		if !errors.Is(err, fs.ErrNotExist) {
			note = fmt.Sprintf("%s links to %s: %v", p, text, reason(err))
		}
		w.problems.links = append(w.problems.links, note)
		return "", 0, errBadLink
	}
	rel, err := filepath.Rel(w.real, end)
	if err != nil || !filepath.IsLocal(rel) {
		w.problems.leaving = append(w.problems.leaving, fmt.Sprintf("%s links to %s", p, end))
		return "", 0, errBadLink
	}
	return filepath.ToSlash(rel), info.Mode(), nil
}

// reason is an error without the absolute path that the system put into it.
func reason(err error) error {
	if pe, ok := errors.AsType[*fs.PathError](err); ok {
		return pe.Err
	}
	return err
}

// leaveOut decides by name, notes what is left out, and reports whether it is.
func (w *walker) leaveOut(d *place, p, real string, isDir bool) bool {
	name, shown := path.Base(p), p
	if isDir {
		shown += "/"
	}
	if kind, why := nameRule(name); kind != "" {
		return w.skip(shown, kind, why)
	}
	if d.up == nil && (name == ConfigJSONC || name == ConfigTOML) {
		return w.skip(shown, Settings, "the project's configuration")
	}
	if !isDir && w.sources[real] {
		return w.skip(shown, Source, "a source file of the routine")
	}
	v, decided := w.exclude.decide(p, isDir)
	if !decided {
		v, decided = d.esa.decide(p, isDir)
	}
	if !decided {
		v, decided = d.git.decide(p, isDir)
	}
	if decided && !v.pattern.include {
		return w.skip(shown, Ignored, fmt.Sprintf("%q, line %d of %s", v.pattern.text, v.pattern.line, v.file))
	}
	// A wide pattern such as !*/ is not meant for hidden files.
	if isHidden(name) && (!decided || !v.pattern.dotted()) {
		return w.skip(shown, Hidden, "a hidden file; a line !"+name+" in "+esaIgnore+" publishes it")
	}
	return false
}

// skip notes a row and returns true.
func (w *walker) skip(p string, kind Kind, why string) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.skipped = append(w.skipped, Skipped{Path: strings.ToValidUTF8(p, "\ufffd"), Kind: kind, Reason: why})
	return true
}

func (w *walker) goodName(p, name string) bool {
	why := badName(name)
	if why != "" {
		w.problems.names = append(w.problems.names, fmt.Sprintf("%q: %s", p, why))
	}
	return why == ""
}

func (w *walker) unreadable(p string, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.problems.unreadable = append(w.problems.unreadable, fmt.Sprintf("%s: %v", p, reason(err)))
	w.problems.causes = append(w.problems.causes, err)
}

// maxIgnoreSize is far above any real ignore file.
const maxIgnoreSize = 1 << 20

// readIgnore adds the ignore file of that name, if entries has one, to those
// from above. An ignore file that cannot be read is a problem, since what it
// keeps back would be published.
func (w *walker) readIgnore(d *place, entries []fs.DirEntry, name string, up *ignoreFile) (*ignoreFile, error) {
	i := sort.Search(len(entries), func(i int) bool { return entries[i].Name() >= name })
	if i == len(entries) || entries[i].Name() != name {
		return up, nil
	}
	p, real := path.Join(d.path, name), path.Join(d.real, name)
	mode := entries[i].Type()
	if mode&fs.ModeSymlink != 0 {
		var err error
		if real, mode, err = w.resolve(p, real); err != nil {
			return nil, err
		}
	}
	if !mode.IsRegular() {
		return up, nil
	}
	text, err := w.readSmall(real)
	if err != nil {
		w.unreadable(p, err)
		return nil, err
	}
	return parseIgnore(up, p, d.path, string(text)), nil
}

func (w *walker) readSmall(real string) ([]byte, error) {
	f, err := w.o.open(w.root, filepath.FromSlash(real))
	if err != nil {
		return nil, err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxIgnoreSize+1))
	if err == nil && len(text) > maxIgnoreSize {
		err = errors.New("it is too large for an ignore file")
	}
	return text, err
}

// relativeSources are the real paths of those sources that lie in the root.
func (w *walker) relativeSources() map[string]bool {
	in := map[string]bool{}
	for _, s := range w.o.Sources {
		abs, err := filepath.Abs(s)
		if err != nil {
			continue
		}
		if end, err := filepath.EvalSymlinks(abs); err == nil {
			abs = end
		}
		if rel, err := filepath.Rel(w.real, abs); err == nil && filepath.IsLocal(rel) {
			in[filepath.ToSlash(rel)] = true
		}
	}
	return in
}

// special names a kind of file that has no content of its own.
func special(mode fs.FileMode) string {
	switch {
	case mode&fs.ModeNamedPipe != 0:
		return "a named pipe"
	case mode&fs.ModeSocket != 0:
		return "a socket"
	case mode&fs.ModeDevice != 0:
		return "a device"
	}
	return "a special file"
}
