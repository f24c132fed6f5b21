package pages

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"sort"
	"strings"
	"time"
)

// ScanOptions change what Scan takes. The zero value is right for most.
type ScanOptions struct {
	// MaxFiles is the number of files above which the folder is refused: it is
	// probably not the one that was meant. 0 means 20,000.
	MaxFiles int
	// MaxFileSize is the size in bytes of the largest file that is taken. 0
	// means MaxAssetSize.
	MaxFileSize int64
	// MaxSkipped is the number of rows in Folder.Skipped. 0 means 200.
	MaxSkipped int
	// Exclude are more ignore patterns, as if at the end of the root's
	// .esaignore.
	Exclude []string
	// Sources are files, such as a routine's sources, that are left out if they
	// lie in the folder: publishing them is rarely meant.
	Sources []string
	// AllowEmpty makes a folder without files to deploy no error.
	AllowEmpty bool

	// open is os.Root.OpenFile but in tests.
	open openFunc
}

type openFunc func(root *os.Root, name string) (*os.File, error)

func (o ScanOptions) withDefaults() ScanOptions {
	if o.MaxFiles <= 0 {
		o.MaxFiles = 20_000
	}
	if o.MaxFileSize <= 0 {
		o.MaxFileSize = MaxAssetSize
	}
	if o.MaxSkipped <= 0 {
		o.MaxSkipped = 200
	}
	if o.open == nil {
		o.open = openInside
	}
	return o
}

// openInside opens a file for reading without ever waiting: a named pipe that
// took a file's place would otherwise hold the deployment for ever.
func openInside(root *os.Root, name string) (*os.File, error) {
	return root.OpenFile(name, os.O_RDONLY|openNonblock, 0)
}

// File is a file that will be published.
type File struct {
	// Path is relative to the folder, with slashes.
	Path string
	// Size is in bytes.
	Size    int64
	ModTime time.Time
	// Linked says that the file, or a folder above it, is a symbolic link.
	Linked bool

	real string // path below the root without links
}

// Skipped is a file or a whole folder that will not be published.
type Skipped struct {
	// Path is relative to the folder, with slashes; a folder's ends with one.
	Path string
	Kind Kind
	// Reason is for people.
	Reason string
}

// Folder is what Scan found.
type Folder struct {
	// Root is the absolute path without links.
	Root string
	// Files are sorted by path.
	Files []File
	// Bytes is the sum of their sizes.
	Bytes int64
	// Skipped are sorted by path. At most MaxSkipped are listed, secrets before
	// others; SkippedMore counts those not listed.
	Skipped     []Skipped
	SkippedMore int

	open openFunc
}

// Scan decides what of dir is published. It honours .gitignore and .esaignore
// in every folder and leaves out secrets, version control, node_modules, litter
// and hidden files; all of that is listed in the result. Symbolic links are
// followed inside dir. It fails with an *Error if a link leaves dir, is broken
// or runs in a circle, if something cannot be read or has a name that cannot be
// published, if limits are exceeded, or if nothing is left to deploy.
func Scan(ctx context.Context, dir string, o ScanOptions) (*Folder, error) {
	o = o.withDefaults()
	real, err := realFolder(dir)
	if err != nil {
		return nil, err
	}
	root, err := os.OpenRoot(real)
	if err != nil {
		return nil, fmt.Errorf("open the folder to deploy: %w", err)
	}
	defer root.Close()
	w := &walker{root: root, real: real, o: o, folder: &Folder{Root: real, open: o.open}}
	w.sources = w.relativeSources()
	if err := w.run(ctx); err != nil {
		return nil, err
	}
	if err := inspect(ctx, w, runtime.GOMAXPROCS(0)); err != nil {
		return nil, err
	}
	if err := w.problems.err(o); err != nil {
		return nil, err
	}
	w.finish()
	if len(w.folder.Files) == 0 && !o.AllowEmpty {
		return nil, emptyError(w.folder)
	}
	return w.folder, nil
}

func realFolder(dir string) (string, error) {
	if dir == "" {
		return "", errors.New("open the folder to deploy: the path is empty; give the path of a folder")
	}
	abs, err := filepath.Abs(dir)
	if err != nil {
		return "", fmt.Errorf("open the folder to deploy: %w", err)
	}
	real, err := filepath.EvalSymlinks(abs)
	if errors.Is(err, fs.ErrNotExist) {
		return "", fmt.Errorf("open the folder to deploy: there is no %s; give the path of an existing folder: %w", abs, fs.ErrNotExist)
	}
	if err != nil {
		return "", fmt.Errorf("open the folder to deploy: %w", err)
	}
	info, err := os.Stat(real)
	if err != nil {
		return "", fmt.Errorf("open the folder to deploy: %w", err)
	}
	if !info.IsDir() {
		return "", fmt.Errorf("open the folder to deploy: %s is a file; give the folder that holds it", abs)
	}
	if real == filepath.Dir(real) {
		return "", fmt.Errorf("open the folder to deploy: %s is the root of the file system; give the folder of the site", abs)
	}
	return real, nil
}

// finish sorts the lists and adds up the sizes.
func (w *walker) finish() {
	f := w.folder
	sort.Slice(f.Files, func(i, j int) bool { return f.Files[i].Path < f.Files[j].Path })
	for i := range f.Files {
		f.Bytes += f.Files[i].Size
	}
	// The rows come from several goroutines, so they are ordered before cutting.
	rows := w.skipped
	sort.Slice(rows, func(i, j int) bool {
		if a, b := rows[i].Kind == Secret, rows[j].Kind == Secret; a != b {
			return a
		}
		return rows[i].Path < rows[j].Path
	})
	if n := len(rows); n > w.o.MaxSkipped {
		f.SkippedMore, rows = n-w.o.MaxSkipped, rows[:w.o.MaxSkipped]
	}
	sort.Slice(rows, func(i, j int) bool { return rows[i].Path < rows[j].Path })
	f.Skipped = rows
}

func emptyError(f *Folder) error {
	e := &Error{
		Guardrail: GuardEmpty,
		Problem:   f.Root + " is empty: it has no files",
		Fix:       "Give the folder that holds the built site",
	}
	if len(f.Skipped) > 0 {
		e.Problem = "nothing in " + f.Root + " can be deployed; left out were"
		for _, s := range f.Skipped {
			e.Items = append(e.Items, s.Path+" ("+s.Reason+")")
		}
		if f.SkippedMore > 0 {
			e.Items = append(e.Items, fmt.Sprintf("%d more", f.SkippedMore))
		}
	}
	return e
}

// problems are what makes a scan fail, gathered so that one run names all.
type problems struct {
	leaving    []string // links that leave the folder
	links      []string // links that cannot be followed
	unreadable []string
	names      []string
	large      []string
	causes     []error
}

func (p *problems) err(o ScanOptions) error {
	var all []error
	add := func(guard, problem, fix string, items []string, causes ...error) {
		if len(items) > 0 {
			sort.Strings(items)
			all = append(all, &Error{Guardrail: guard, Problem: problem, Items: items, Fix: fix, cause: errors.Join(causes...)})
		}
	}
	add(GuardSecrets, "symbolic links leave the folder", "Replace each link by a copy, or name it in "+esaIgnore, p.leaving)
	add("", "symbolic links cannot be followed", "Repair or delete each link, or name it in "+esaIgnore, p.links)
	add("", "some of the folder cannot be read", "Make it readable, or name it in "+esaIgnore, p.unreadable, p.causes...)
	add("", "some names cannot be published", "Rename each, or leave it out in "+esaIgnore, p.names)
	add(GuardLimits, "files are larger than the "+strings.Replace(megabytes(o.MaxFileSize), ".0 ", " ", 1)+" that one asset may have",
		"Make them smaller, serve them from object storage, or name them in "+esaIgnore, p.large)
	if len(all) == 1 {
		return all[0]
	}
	return errors.Join(all...)
}
