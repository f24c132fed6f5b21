package routine

import (
	"archive/zip"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"
	"unicode/utf8"
)

// The layout of a version's zip.
const (
	codeEntry   = "routine/index.js"
	assetPrefix = "assets/"
)

// ratioFloor is the unpacked size in bytes below which no ratio is a bomb.
const ratioFloor = 64 << 20

// plan is what is to be unpacked, and where it goes in the pack.
type plan struct {
	assets []planned
	code   *zip.File
	size   int64 // bytes of the pack
}

type planned struct {
	file   *zip.File
	path   string // as requests name it: "/index.html"
	offset int64
}

// openZip reads the directory of a zip. The number of entries is not known
// before, so what the directory may take is bounded by its bytes.
func openZip(r io.ReaderAt, size int64, limits Limits) (*zip.Reader, error) {
	budget := int64(1<<20) + int64(limits.MaxFiles)*300
	bounded := &boundedReaderAt{r: r, left: budget}
	zr, err := zip.NewReader(bounded, size)
	if errors.Is(err, errBudget) {
		return nil, fmt.Errorf("the zip has too many entries: at most %d files can be deployed", limits.MaxFiles)
	}
	if err != nil {
		return nil, fmt.Errorf("the upload is not a readable zip: %w", err)
	}
	bounded.left = -1
	return zr, nil
}

// boundedReaderAt fails once more than left bytes were read; -1 has no bound.
// It is bounded only while one goroutine uses it.
type boundedReaderAt struct {
	r    io.ReaderAt
	left int64
}

var errBudget = errors.New("read budget used up")

func (b *boundedReaderAt) ReadAt(p []byte, off int64) (int, error) {
	if b.left >= 0 {
		if b.left -= int64(len(p)); b.left < 0 {
			b.left = 0
			return 0, errBudget
		}
	}
	return b.r.ReadAt(p, off)
}

// inspect checks every entry of the zip's directory and lays out the pack.
// Nothing is unpacked before everything was found good.
func inspect(zr *zip.Reader, zipSize int64, limits Limits) (plan, error) {
	var p plan
	seen := make(map[string]bool, len(zr.File)) // true: a file, false: a folder
	var packed, total uint64
	for _, f := range zr.File {
		if err := checkEntry(f); err != nil {
			return p, err
		}
		folder := strings.HasSuffix(f.Name, "/")
		if err := claim(seen, strings.TrimSuffix(f.Name, "/"), folder); err != nil {
			return p, err
		}
		if folder {
			continue
		}
		packed += min(f.CompressedSize64, 1<<50) // no sum overflows
		total += min(f.UncompressedSize64, 1<<50)
		if err := p.add(f, limits); err != nil {
			return p, err
		}
	}
	if len(p.assets) == 0 && p.code == nil {
		return p, fmt.Errorf("the zip is empty: it needs files below %s, or %s", assetPrefix, codeEntry)
	}
	return p, checkTotals(packed, total, zipSize, limits)
}

// checkEntry refuses what no deployment needs and an attack may use.
func checkEntry(f *zip.File) error {
	if err := checkName(f.Name); err != nil {
		return err
	}
	if mode := f.Mode(); !mode.IsDir() && !mode.IsRegular() {
		kind := "special file"
		if mode&fs.ModeSymlink != 0 {
			kind = "symbolic link"
		}
		return fmt.Errorf("the entry %q is a %s: only regular files can be deployed", f.Name, kind)
	}
	if f.Flags&1 != 0 {
		return fmt.Errorf("the entry %q is encrypted", f.Name)
	}
	if f.Method != zip.Store && f.Method != zip.Deflate {
		return fmt.Errorf("the entry %q is compressed with method %d: only stored and deflated entries can be read", f.Name, f.Method)
	}
	return nil
}

// maxEntryName is the longest name of an entry, in bytes.
const maxEntryName = 1024

func checkName(name string) error {
	switch {
	case name == "":
		return errors.New("an entry has no name")
	case len(name) > maxEntryName:
		return fmt.Errorf("the entry name %.40q... is longer than %d bytes", name, maxEntryName)
	case !utf8.ValidString(name):
		return fmt.Errorf("the entry name %q is not UTF-8", name)
	case strings.ContainsAny(name, "\x00\\"):
		return fmt.Errorf("the entry name %q has a backslash or a zero byte", name)
	case strings.HasPrefix(name, "/"):
		return fmt.Errorf("the entry name %q is absolute", name)
	}
	for part := range strings.SplitSeq(strings.TrimSuffix(name, "/"), "/") {
		if part == "" || part == "." || part == ".." {
			return fmt.Errorf("the entry name %q has a part that is empty, . or .. and so no place in a site", name)
		}
	}
	return nil
}

// claim notes a name and the folders above it, and refuses what is there twice.
func claim(seen map[string]bool, name string, folder bool) error {
	file, known := seen[name]
	switch {
	case known && folder && !file:
		return nil // a folder may be listed after its content, or twice
	case known && !folder && file:
		return fmt.Errorf("the zip has the file %q twice", name)
	case known:
		return fmt.Errorf("the zip has %q both as a file and as a folder", name)
	}
	seen[name] = !folder
	for i := strings.LastIndexByte(name, '/'); i > 0; i = strings.LastIndexByte(name[:i], '/') {
		file, known := seen[name[:i]]
		if file {
			return fmt.Errorf("the zip has %q both as a file and as a folder", name[:i])
		}
		if known {
			break // and so are the folders above
		}
		seen[name[:i]] = false
	}
	return nil
}

// add takes a file into the plan if its place and size are right.
func (p *plan) add(f *zip.File, limits Limits) error {
	if f.Name == codeEntry {
		if f.UncompressedSize64 > uint64(limits.MaxCode) {
			return fmt.Errorf("%s has %d bytes: code may have at most %d", codeEntry, f.UncompressedSize64, limits.MaxCode)
		}
		if f.UncompressedSize64 == 0 {
			return fmt.Errorf("%s is empty", codeEntry)
		}
		p.code = f
		return nil
	}
	path, found := strings.CutPrefix(f.Name, assetPrefix)
	if !found {
		return fmt.Errorf("the entry %q is neither %s nor below %s", f.Name, codeEntry, assetPrefix)
	}
	if f.UncompressedSize64 > uint64(limits.MaxAsset) {
		return fmt.Errorf("the asset %q has %d bytes: an asset may have at most %d", path, f.UncompressedSize64, limits.MaxAsset)
	}
	if len(p.assets) >= limits.MaxFiles {
		return fmt.Errorf("the zip has too many entries: at most %d files can be deployed", limits.MaxFiles)
	}
	p.assets = append(p.assets, planned{file: f, path: "/" + path, offset: p.size})
	p.size += int64(f.UncompressedSize64)
	return nil
}

// checkTotals looks for zip bombs: entries that share their data, and data that
// unpacks to a multiple of what any real site does.
func checkTotals(packed, total uint64, zipSize int64, limits Limits) error {
	if packed > uint64(zipSize) {
		return errors.New("the zip's entries overlap: they claim more compressed bytes than the file has")
	}
	if total > uint64(limits.MaxTotal) {
		return fmt.Errorf("the files have %d bytes together: a version may have at most %d", total, limits.MaxTotal)
	}
	if total > ratioFloor && total/uint64(zipSize) >= uint64(limits.MaxRatio) {
		return fmt.Errorf("the files are more than %d times larger than the zip, like a zip bomb", limits.MaxRatio)
	}
	return nil
}
