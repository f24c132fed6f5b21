package pages

import (
	"archive/zip"
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"sync/atomic"

	"github.com/klauspost/compress/flate"
	"golang.org/x/sync/errgroup"
)

const (
	// chunkSize is what is read of a file at a time, and the sample that shows
	// whether compressing pays.
	chunkSize = 64 << 10
	// keepSize bounds the packed bytes of one file that may be kept.
	keepSize = 1 << 20
	// level is fast, since what is saved beyond it is less than what it costs.
	level = 1
	// smallest is the size below which a file is stored as it is.
	smallest = 64
)

// pack fills in the second block of every entry.
func pack(ctx context.Context, a *Archive, o PlanOptions) error {
	root, err := a.openRoot()
	if err != nil {
		return err
	}
	if root != nil {
		defer root.Close()
	}
	var next atomic.Int64
	budget := &budget{}
	budget.left.Store(o.CacheBytes)
	g, ctx := errgroup.WithContext(ctx)
	for range max(1, min(o.Workers, len(a.entries))) {
		g.Go(func() error {
			p, err := newPacker(a, root, budget, o.Store)
			if err != nil {
				return err
			}
			for {
				i := int(next.Add(1)) - 1
				if i >= len(a.entries) {
					return nil
				}
				if err := p.pack(ctx, &a.entries[i]); err != nil {
					return err
				}
			}
		})
	}
	return g.Wait()
}

// openRoot is nil if nothing is on disk.
func (a *Archive) openRoot() (*os.Root, error) {
	if a.root == "" {
		return nil, nil
	}
	root, err := os.OpenRoot(a.root)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, &ChangedError{Path: a.root, Removed: true}
	}
	if err != nil {
		return nil, fmt.Errorf("open the folder to deploy: %w", err)
	}
	return root, nil
}

// budget is what is left for kept bytes.
type budget struct{ left atomic.Int64 }

func (b *budget) take(n int64) bool {
	if b.left.Add(-n) >= 0 {
		return true
	}
	b.left.Add(n)
	return false
}

// packer is what one goroutine needs to pack files one after another.
type packer struct {
	a      *Archive
	root   *os.Root
	budget *budget
	store  bool
	chunk  []byte
	flate  *flate.Writer
	out    keeper
}

func newPacker(a *Archive, root *os.Root, b *budget, store bool) (*packer, error) {
	w, err := flate.NewWriter(io.Discard, level)
	if err != nil {
		return nil, fmt.Errorf("prepare compression: %w", err)
	}
	return &packer{a: a, root: root, budget: b, store: store, chunk: make([]byte, chunkSize), flate: w}, nil
}

// pack reads the entry once: for its hash and checksum, and to find the size
// it has in the archive.
func (p *packer) pack(ctx context.Context, e *entry) error {
	src, err := openEntry(p.a, p.root, e)
	if err != nil {
		return err
	}
	defer src.close()
	sum := sha256.New()
	compress := !p.store && e.size >= smallest && !isPackedType(e.name)
	for read := int64(0); read < e.size; {
		if err := ctx.Err(); err != nil {
			return fmt.Errorf("read the files to deploy: %w", err)
		}
		part := p.chunk[:min(e.size-read, chunkSize)]
		if err := src.read(part); err != nil {
			return err
		}
		sum.Write(part)
		e.crc = crc32.Update(e.crc, crc32.IEEETable, part)
		if compress && read == 0 {
			if compress, err = p.start(part, e.size); err != nil {
				return err
			}
		}
		if compress {
			if _, err := p.flate.Write(part); err != nil {
				return fmt.Errorf("compress %s: %w", e.path, err)
			}
		}
		read += int64(len(part))
	}
	if err := src.unchanged(); err != nil {
		return err
	}
	sum.Sum(e.sum[:0])
	return p.settle(e, compress)
}

// start makes ready to compress a file that begins with sample, unless the
// sample of a larger file does not get smaller.
func (p *packer) start(sample []byte, size int64) (bool, error) {
	if size > int64(len(sample)) {
		p.out.reset()
		p.flate.Reset(&p.out)
		if _, err := p.flate.Write(sample); err != nil {
			return false, fmt.Errorf("compress a sample: %w", err)
		}
		if err := p.flate.Close(); err != nil {
			return false, fmt.Errorf("compress a sample: %w", err)
		}
		if p.out.n > int64(len(sample))*19/20 {
			return false, nil
		}
	}
	p.out.reset()
	p.flate.Reset(&p.out)
	return true, nil
}

// settle decides how the entry goes into the archive.
func (p *packer) settle(e *entry, compressed bool) error {
	e.method, e.packed = zip.Store, e.size
	if !compressed {
		return nil
	}
	if err := p.flate.Close(); err != nil {
		return fmt.Errorf("compress %s: %w", e.path, err)
	}
	if p.out.n >= e.size {
		return nil
	}
	e.method, e.packed = zip.Deflate, p.out.n
	if p.out.n == int64(p.out.buf.Len()) && p.budget.take(p.out.n) {
		e.kept = slices.Clone(p.out.buf.Bytes())
	}
	return nil
}

// keeper counts what is written and keeps it as long as it is small.
type keeper struct {
	n   int64
	buf bytes.Buffer
}

func (k *keeper) reset() {
	k.n = 0
	k.buf.Reset()
}

func (k *keeper) Write(b []byte) (int, error) {
	k.n += int64(len(b))
	if k.n <= keepSize {
		k.buf.Write(b)
	}
	return len(b), nil
}

// source reads one entry and notices when it is not what was planned.
type source struct {
	e    *entry
	file *os.File // nil for a file in memory
	data []byte   // what is left of a file in memory
}

func openEntry(a *Archive, root *os.Root, e *entry) (*source, error) {
	if e.data != nil {
		return &source{e: e, data: e.data}, nil
	}
	f, err := a.open(root, filepath.FromSlash(e.real))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, &ChangedError{Path: e.path, Removed: true}
	}
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", e.path, reason(err))
	}
	s := &source{e: e, file: f}
	if err := s.unchanged(); err != nil {
		s.close()
		return nil, err
	}
	return s, nil
}

// read fills b.
func (s *source) read(b []byte) error {
	if s.file == nil {
		s.data = s.data[copy(b, s.data):]
		return nil
	}
	_, err := io.ReadFull(s.file, b)
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return &ChangedError{Path: s.e.path}
	}
	if err != nil {
		return fmt.Errorf("read %s: %w", s.e.path, reason(err))
	}
	return nil
}

// unchanged compares size and time with those of the scan. It is asked before
// and after reading.
func (s *source) unchanged() error {
	if s.file == nil {
		return nil
	}
	info, err := s.file.Stat()
	if err != nil {
		return fmt.Errorf("read %s: %w", s.e.path, reason(err))
	}
	if !info.Mode().IsRegular() || info.Size() != s.e.size || !info.ModTime().Equal(s.e.modTime) {
		return &ChangedError{Path: s.e.path}
	}
	return nil
}

func (s *source) close() {
	if s.file != nil {
		s.file.Close()
	}
}
