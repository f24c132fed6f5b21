package pages

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"sync/atomic"

	"golang.org/x/sync/errgroup"
)

// inspect opens every file that the walker found: for its size, to see that it
// can be read, and to look for a private key at its start. What passes goes
// into the folder.
func inspect(ctx context.Context, w *walker, workers int) error {
	keep := make([]bool, len(w.found))
	var next atomic.Int64
	g, ctx := errgroup.WithContext(ctx)
	for range max(1, min(workers, len(w.found))) {
		g.Go(func() error {
			head := make([]byte, headSize)
			for {
				i := int(next.Add(1)) - 1
				if i >= len(w.found) {
					return nil
				}
				if err := ctx.Err(); err != nil {
					return fmt.Errorf("scan the folder: %w", err)
				}
				keep[i] = w.inspectFile(&w.found[i], head)
			}
		})
	}
	if err := g.Wait(); err != nil {
		return err
	}
	for i, ok := range keep {
		if ok {
			w.folder.Files = append(w.folder.Files, w.found[i])
		}
	}
	return nil
}

// inspectFile fills in what the file system says and reports whether the file
// can be published.
func (w *walker) inspectFile(f *File, head []byte) bool {
	opened, err := w.o.open(w.root, filepath.FromSlash(f.real))
	if err != nil {
		w.unreadable(f.Path, err)
		return false
	}
	defer opened.Close()
	info, err := opened.Stat()
	if err != nil {
		w.unreadable(f.Path, err)
		return false
	}
	if !info.Mode().IsRegular() {
		w.unreadable(f.Path, &fs.PathError{Err: errors.New("it stopped being a file")})
		return false
	}
	f.Size, f.ModTime = info.Size(), info.ModTime()
	n, err := io.ReadFull(opened, head)
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		w.unreadable(f.Path, err)
		return false
	}
	if holdsPrivateKey(head[:n]) {
		w.skip(f.Path, Secret, "holds a private key")
		return false
	}
	if f.Size > w.o.MaxFileSize {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.problems.large = append(w.problems.large, fmt.Sprintf("%s (%s)", f.Path, megabytes(f.Size)))
		return false
	}
	return true
}
