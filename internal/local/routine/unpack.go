package routine

import (
	"archive/zip"
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"os"
	"runtime"
	"sync"
	"sync/atomic"

	"github.com/klauspost/compress/flate"
	"golang.org/x/sync/errgroup"
)

// Asset is one file of a version.
type Asset struct {
	Path        string `json:"p"` // as requests name it: "/index.html"
	Offset      int64  `json:"o"` // in the pack
	Size        int64  `json:"n"` // bytes
	SHA256      string `json:"h"` // hex
	ContentType string `json:"t"`
}

// contents is what a zip held. The assets' bytes are in the pack.
type contents struct {
	assets []Asset
	code   []byte // nil: the zip has no script
	size   int64  // bytes of the pack
}

// unpack checks a zip and writes all its assets into one new file, the pack: one
// file is much cheaper to make, to remove and to serve from than thousands. Each
// asset's place in it follows from the sizes that the zip's directory declares,
// so the assets are unpacked side by side. Memory does not depend on file sizes.
func unpack(ctx context.Context, zipPath, packPath string, limits Limits) (contents, error) {
	src, err := os.Open(zipPath)
	if err != nil {
		return contents{}, fmt.Errorf("open upload: %w", err)
	}
	defer src.Close() // only read
	info, err := src.Stat()
	if err != nil {
		return contents{}, fmt.Errorf("open upload: %w", err)
	}
	zr, err := openZip(src, info.Size(), limits)
	if err != nil {
		return contents{}, err
	}
	p, err := inspect(zr, info.Size(), limits)
	if err != nil {
		return contents{}, err
	}
	var inflaters inflaterPool
	zr.RegisterDecompressor(zip.Deflate, inflaters.get)
	out := contents{size: p.size}
	if p.code != nil {
		if out.code, err = readCode(p.code, limits.MaxCode); err != nil {
			return contents{}, err
		}
	}
	pack, err := os.OpenFile(packPath, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return contents{}, fmt.Errorf("make pack: %w", err)
	}
	out.assets, err = unpackAssets(ctx, p.assets, pack)
	if err := errors.Join(err, pack.Close()); err != nil {
		return contents{}, err
	}
	return out, nil
}

// unpackAssets writes the assets to their places with one worker for each core.
func unpackAssets(ctx context.Context, todo []planned, pack io.WriterAt) ([]Asset, error) {
	assets := make([]Asset, len(todo))
	var next atomic.Int64
	group, ctx := errgroup.WithContext(ctx)
	for range min(runtime.GOMAXPROCS(0), len(todo)) {
		group.Go(func() error {
			w := worker{pack: pack, buf: make([]byte, 128<<10), sum: sha256.New()}
			for {
				i := int(next.Add(1)) - 1
				if i >= len(todo) {
					return nil
				}
				var err error
				if assets[i], err = w.unpack(ctx, todo[i]); err != nil {
					return err
				}
			}
		})
	}
	return assets, group.Wait()
}

// worker unpacks one asset after another with the same buffers.
type worker struct {
	pack io.WriterAt
	buf  []byte
	sum  hash.Hash
}

func (w *worker) unpack(ctx context.Context, p planned) (Asset, error) {
	size := int64(p.file.UncompressedSize64)
	a := Asset{Path: p.path, Offset: p.offset, Size: size}
	r, err := p.file.Open()
	if err != nil {
		return a, fmt.Errorf("unpack %q: %w", p.file.Name, err)
	}
	defer r.Close() // only read
	w.sum.Reset()
	for at := int64(0); ; {
		if err := ctx.Err(); err != nil {
			return a, err
		}
		n, err := fill(r, w.buf)
		// The zip's reader checks size and CRC at the end; this stops an entry
		// that gives more than it declared before it can overwrite the next one.
		if at+int64(n) > size {
			return a, fmt.Errorf("unpack %q: it has more bytes than the zip's directory says", p.file.Name)
		}
		if at == 0 {
			a.ContentType = contentType(p.path, w.buf[:n])
		}
		w.sum.Write(w.buf[:n])
		if _, werr := w.pack.WriteAt(w.buf[:n], p.offset+at); werr != nil {
			return a, fmt.Errorf("write pack: %w", werr)
		}
		at += int64(n)
		if err == io.EOF { // size and CRC are right
			break
		}
		if err != nil {
			return a, fmt.Errorf("unpack %q: %w", p.file.Name, err)
		}
	}
	a.SHA256 = hex.EncodeToString(w.sum.Sum(nil))
	return a, nil
}

// fill reads until buf is full or the reader ends. Unlike io.ReadFull it passes
// the reader's own error on: io.EOF is a checked end, io.ErrUnexpectedEOF a
// compressed stream that is cut off.
func fill(r io.Reader, buf []byte) (n int, err error) {
	for n < len(buf) && err == nil {
		var m int
		m, err = r.Read(buf[n:])
		n += m
	}
	return n, err
}

func readCode(f *zip.File, maxCode int64) ([]byte, error) {
	r, err := f.Open()
	if err != nil {
		return nil, fmt.Errorf("unpack %s: %w", codeEntry, err)
	}
	defer r.Close() // only read
	code, err := io.ReadAll(io.LimitReader(r, maxCode+1))
	if err != nil {
		return nil, fmt.Errorf("unpack %s: %w", codeEntry, err)
	}
	if int64(len(code)) > maxCode {
		return nil, fmt.Errorf("%s has more than %d bytes", codeEntry, maxCode)
	}
	return code, nil
}

// inflaterPool keeps the decompressors of one build, which are costly to make.
type inflaterPool struct{ pool sync.Pool }

// inflater is a decompressor that goes back to its pool when closed.
type inflater struct {
	in   *bufio.Reader
	out  io.ReadCloser
	pool *sync.Pool
}

func (p *inflaterPool) get(r io.Reader) io.ReadCloser {
	f, _ := p.pool.Get().(*inflater)
	if f == nil {
		in := bufio.NewReaderSize(nil, 32<<10)
		f = &inflater{in: in, out: flate.NewReader(in), pool: &p.pool}
	}
	f.in.Reset(r)
	// The library's readers all reset, and Reset fails only without a reader.
	_ = f.out.(flate.Resetter).Reset(f.in, nil)
	return f
}

func (f *inflater) Read(b []byte) (int, error) { return f.out.Read(b) }

func (f *inflater) Close() error {
	f.in.Reset(nil)
	f.pool.Put(f)
	return nil
}
