package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

const (
	// lookEvery is how often a project is looked through for changes.
	lookEvery = 300 * time.Millisecond
	// settleFor is how long it has to stay as it is before it is built, so that a
	// build tool that empties a folder and fills it again is let finish; after
	// settleAtMost it is built anyway.
	settleFor    = 60 * time.Millisecond
	settleAtMost = 2 * time.Second
)

// fileStamp changes when a file does.
type fileStamp struct {
	size int64
	mod  time.Time
}

// edits are what a project has become and where that differs.
type edits struct {
	now   map[string]fileStamp
	paths []string // with slashes, sorted
}

// names are the paths for a line of text.
func (c edits) names() string {
	const shown = 3
	if n := len(c.paths); n > shown {
		return fmt.Sprintf("%s and %d more", strings.Join(c.paths[:shown], ", "), n-shown)
	}
	return strings.Join(c.paths, ", ")
}

// lookThrough notes the files below dir, except in folders that no project is
// edited in. What cannot be read is for the build to complain about.
func lookThrough(dir string) map[string]fileStamp {
	seen := map[string]fileStamp{}
	if real, err := filepath.EvalSymlinks(dir); err == nil {
		dir = real
	}
	filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return nil
		case entry.IsDir():
			if name := entry.Name(); path != dir && (name == "node_modules" || name == ".git" || name == ".hg" || name == ".svn") {
				return fs.SkipDir
			}
			return nil
		}
		rel, relErr := filepath.Rel(dir, path)
		info, err := os.Stat(path) // of what a link leads to
		if err == nil && relErr == nil {
			seen[filepath.ToSlash(rel)] = fileStamp{info.Size(), info.ModTime()}
		}
		return nil
	})
	return seen
}

// difference lists the paths that are not the same.
func difference(before, now map[string]fileStamp) []string {
	var paths []string
	for path, stamp := range now {
		if old, ok := before[path]; !ok || old.size != stamp.size || !old.mod.Equal(stamp.mod) {
			paths = append(paths, path)
		}
	}
	for path := range before {
		if _, ok := now[path]; !ok {
			paths = append(paths, path)
		}
	}
	slices.Sort(paths)
	return paths
}

// waitForChange returns when the project has changed and come to rest. It fails
// if its folder is gone for good or ctx ends.
func waitForChange(ctx context.Context, dir string, seen map[string]fileStamp) (edits, error) {
	for {
		if err := sleep(ctx, lookEvery); err != nil {
			return edits{}, err
		}
		now := lookThrough(dir)
		if len(difference(seen, now)) == 0 {
			continue
		}
		for began := time.Now(); time.Since(began) < settleAtMost; {
			if err := sleep(ctx, settleFor); err != nil {
				return edits{}, err
			}
			later := lookThrough(dir)
			still := len(difference(now, later)) == 0
			if now = later; still {
				break
			}
		}
		if _, err := os.Stat(dir); errors.Is(err, fs.ErrNotExist) {
			return edits{}, fmt.Errorf("the project's folder %s is gone", dir)
		}
		if paths := difference(seen, now); len(paths) > 0 {
			return edits{now: now, paths: paths}, nil
		}
	}
}
