package pages

import (
	"archive/zip"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"io/fs"
	"path"
	"runtime"
	"slices"
	"strings"
	"time"
)

// Names in the archive, as ESA wants them.
const (
	assetPrefix = "assets/"
	codeName    = "routine/index.js"
)

// PlanOptions change how an archive is made, never the files in it.
type PlanOptions struct {
	// Workers is the number of files read at a time. 0 means one per CPU.
	Workers int
	// CacheBytes bounds the compressed files that are kept between Plan and
	// Open; others are compressed again. 0 means 8 MB, less than 0 none.
	CacheBytes int64
	// Store leaves everything uncompressed, which is faster where the way to
	// the service is short, as on one machine. The Hash stays the same.
	Store bool
}

func (o PlanOptions) withDefaults() PlanOptions {
	if o.Workers <= 0 {
		o.Workers = runtime.GOMAXPROCS(0)
	}
	if o.CacheBytes == 0 {
		o.CacheBytes = 8 << 20
	}
	return o
}

// MemFile is a file that exists in memory only.
type MemFile struct {
	Path string // relative, with slashes
	Data []byte
}

// Archive is a zip that is not written yet but whose every byte is decided:
// the same content gives the same bytes, whatever the order, the age or the
// mode of its files. An Archive may be opened by several goroutines.
type Archive struct {
	// Files is the number of assets.
	Files int
	// Bytes is the size of the assets and the script before compression.
	Bytes int64
	// CodeSize is the size of the script; 0 if there is none.
	CodeSize int64
	// ZipSize is the exact number of bytes that a reader from Open gives.
	ZipSize int64
	// Hash names the content: "sha256:" and 64 hex digits over paths, content
	// and script. It does not depend on how the zip is compressed.
	Hash string

	root    string // folder of the entries that are on disk
	open    openFunc
	entries []entry
}

// entry is one file of the archive. What is known of it before packing is in
// the first block, the rest is found by packing.
type entry struct {
	name    string // in the archive
	path    string // for errors
	real    string // below the root; unused if data is not nil
	data    []byte // of a file in memory
	size    int64
	modTime time.Time

	sum    [sha256.Size]byte
	crc    uint32
	method uint16
	packed int64  // size in the archive
	kept   []byte // the packed bytes, if they were kept
}

// Plan reads every file of the folder once and decides the archive. The folder
// may be nil for a script alone, and the code for assets alone. It fails with a
// *ChangedError if a file is not what Scan saw.
func Plan(ctx context.Context, folder *Folder, code []byte, o PlanOptions) (*Archive, error) {
	a := &Archive{}
	if folder != nil {
		a.root, a.open = folder.Root, folder.open
		if a.open == nil {
			a.open = openInside
		}
		for _, f := range folder.Files {
			a.entries = append(a.entries, entry{
				name: assetPrefix + f.Path, path: f.Path, real: f.real, size: f.Size, modTime: f.ModTime,
			})
		}
	}
	return a.plan(ctx, code, o)
}

// PlanBytes is Plan for files in memory, which must not be changed afterwards.
func PlanBytes(ctx context.Context, files []MemFile, code []byte, o PlanOptions) (*Archive, error) {
	a := &Archive{}
	for _, f := range files {
		if err := checkMemFile(f); err != nil {
			return nil, err
		}
		a.entries = append(a.entries, memEntry(assetPrefix+f.Path, f.Path, f.Data))
	}
	return a.plan(ctx, code, o)
}

func memEntry(name, path string, data []byte) entry {
	if data == nil {
		data = []byte{}
	}
	return entry{name: name, path: path, data: data, size: int64(len(data))}
}

func checkMemFile(f MemFile) error {
	if !fs.ValidPath(f.Path) || f.Path == "." {
		return fmt.Errorf("%q is not the path of an asset: give a relative path with slashes and without dots", f.Path)
	}
	if why := badName(f.Path); why != "" {
		return fmt.Errorf("%q cannot be published: %s", f.Path, why)
	}
	if len(f.Data) > MaxAssetSize {
		return &Error{
			Guardrail: GuardLimits, Items: []string{f.Path + " (" + megabytes(int64(len(f.Data))) + ")"},
			Problem: "a file is larger than the 25 MB that one asset may have", Fix: "Make it smaller",
		}
	}
	return nil
}

func (a *Archive) plan(ctx context.Context, code []byte, o PlanOptions) (*Archive, error) {
	if err := checkCodeSize(len(code)); err != nil {
		return nil, err
	}
	a.Files, a.CodeSize = len(a.entries), int64(len(code))
	if len(code) > 0 {
		a.entries = append(a.entries, memEntry(codeName, codeName, code))
	}
	if len(a.entries) == 0 {
		return nil, &Error{Guardrail: GuardEmpty, Problem: "there is neither a file nor a script to deploy", Fix: "Give a folder with files, or a script"}
	}
	slices.SortFunc(a.entries, func(x, y entry) int { return strings.Compare(x.name, y.name) })
	for i := range a.entries {
		if i > 0 && a.entries[i].name == a.entries[i-1].name {
			return nil, fmt.Errorf("two files are both named %q", a.entries[i].path)
		}
		a.Bytes += a.entries[i].size
	}
	if err := pack(ctx, a, o.withDefaults()); err != nil {
		return nil, err
	}
	a.Hash = a.hash()
	size, err := a.measure()
	if err != nil {
		return nil, fmt.Errorf("measure the archive: %w", err)
	}
	a.ZipSize = size
	return a, nil
}

func checkCodeSize(n int) error {
	if n <= MaxCodeSize {
		return nil
	}
	return &Error{
		Guardrail: GuardLimits, Items: []string{codeName + " (" + megabytes(int64(n)) + ")"},
		Problem: "the routine's script is larger than the 5 MB that it may have",
		Fix:     "Import less, or publish data as assets",
	}
}

// hash is over names, sizes and the hashes of contents, in the order of names.
func (a *Archive) hash() string {
	h := sha256.New()
	h.Write([]byte("esa-pages 1\n")) // a later way of counting must not collide
	var number [8]byte
	for i := range a.entries {
		e := &a.entries[i]
		binary.BigEndian.PutUint64(number[:], uint64(len(e.name)))
		h.Write(number[:])
		h.Write([]byte(e.name))
		binary.BigEndian.PutUint64(number[:], uint64(e.size))
		h.Write(number[:])
		h.Write(e.sum[:])
	}
	return "sha256:" + hex.EncodeToString(h.Sum(nil))
}

// header is the entry's header in the zip. All that is not content is fixed.
func (e *entry) header() *zip.FileHeader {
	h := &zip.FileHeader{
		Name:               e.name,
		Method:             e.method,
		CRC32:              e.crc,
		CompressedSize64:   uint64(e.packed),
		UncompressedSize64: uint64(e.size),
		ReaderVersion:      20,
	}
	// 1 January 1980 is the first date that a zip knows; some readers stumble
	// over the zero in its place.
	//lint:ignore SA1019 CreateRaw writes this field and not Modified
	h.ModifiedDate = 1<<5 | 1
	h.SetMode(0o644)
	if strings.ContainsFunc(e.name, func(r rune) bool { return r > 0x7e }) {
		h.Flags |= 0x800 // the name is UTF-8
	}
	return h
}

// measure writes the archive to nowhere, with zeros for content, so that the
// size is exact by construction.
func (a *Archive) measure() (int64, error) {
	var n counter
	zw := zip.NewWriter(&n)
	zeros := make([]byte, chunkSize)
	for i := range a.entries {
		w, err := zw.CreateRaw(a.entries[i].header())
		if err != nil {
			return 0, err
		}
		for left := a.entries[i].packed; left > 0; {
			part := min(left, chunkSize)
			if _, err := w.Write(zeros[:part]); err != nil {
				return 0, err
			}
			left -= part
		}
	}
	err := zw.Close()
	return int64(n), err
}

type counter int64

func (c *counter) Write(p []byte) (int, error) {
	*c += counter(len(p))
	return len(p), nil
}

// isPackedType is true of names whose content is compressed already.
func isPackedType(name string) bool {
	switch strings.ToLower(path.Ext(name)) {
	case ".png", ".jpg", ".jpeg", ".gif", ".webp", ".avif", ".heic", ".jxl",
		".mp3", ".mp4", ".m4a", ".m4v", ".webm", ".ogg", ".opus", ".aac", ".flac", ".mov", ".mkv",
		".woff", ".woff2", ".zip", ".gz", ".tgz", ".br", ".zst", ".xz", ".bz2", ".7z", ".rar",
		".jar", ".apk", ".docx", ".xlsx", ".pptx", ".epub":
		return true
	}
	return false
}
