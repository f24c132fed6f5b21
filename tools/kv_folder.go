package tools

import (
	"fmt"
	"hash/fnv"
	"io"
	"io/fs"
	"iter"
	"net/url"
	"os"
	"path/filepath"
	"strings"
)

// kvFolderSource gives the files of a folder. The key is the path below the
// folder, with ":" for "/" and %XX for what a file name cannot have. Hidden files
// and folders and links are left out.
type kvFolderSource struct {
	root  string
	pull  func() (kvFileEntry, error, bool)
	stop  func()
	read  int64
	bytes int64
	mark  string
}

type kvFileEntry struct {
	path string // below the root, with slashes
	size int64
}

func newKVFolder(root string) (*kvFolderSource, error) {
	s := &kvFolderSource{root: root}
	sum := fnv.New64a()
	for entry, err := range s.walk() {
		if err != nil {
			return nil, Refuse("the folder cannot be read: %v.", err)
		}
		info, err := os.Lstat(filepath.Join(root, filepath.FromSlash(entry.path)))
		if err != nil {
			return nil, Refuse("the folder cannot be read: %v.", err)
		}
		s.bytes += entry.size
		fmt.Fprintf(sum, "%s\x00%d %d\n", entry.path, entry.size, info.ModTime().UnixNano())
	}
	s.mark = fmt.Sprintf("%x", sum.Sum64())
	s.pull, s.stop = iter.Pull2(s.walk())
	return s, nil
}

// walk lists the files in the order of their names.
func (s *kvFolderSource) walk() iter.Seq2[kvFileEntry, error] {
	return func(yield func(kvFileEntry, error) bool) {
		err := filepath.WalkDir(s.root, func(path string, e fs.DirEntry, err error) error {
			if err != nil {
				return err
			}
			hidden := path != s.root && strings.HasPrefix(e.Name(), ".")
			switch {
			case e.IsDir() && hidden:
				return fs.SkipDir
			case hidden || !e.Type().IsRegular():
				return nil
			}
			info, err := e.Info()
			if err != nil {
				return err
			}
			below, err := filepath.Rel(s.root, path)
			if err != nil {
				return err
			}
			if !yield(kvFileEntry{filepath.ToSlash(below), info.Size()}, nil) {
				return fs.SkipAll
			}
			return nil
		})
		if err != nil {
			yield(kvFileEntry{}, err)
		}
	}
}

func (s *kvFolderSource) entry() (kvFileEntry, error) {
	entry, err, ok := s.pull()
	if !ok {
		return entry, io.EOF
	}
	if err != nil {
		return entry, fmt.Errorf("read the folder: %w", err)
	}
	s.read += entry.size
	return entry, nil
}

func (s *kvFolderSource) next() (kvItem, error) {
	entry, err := s.entry()
	if err != nil {
		return kvItem{}, err
	}
	item := kvItem{Key: keyOfFile(entry.path), File: entry.path}
	if entry.size > maxKVBig {
		item.Problem = fmt.Sprintf("the file has %d bytes, more than %d", entry.size, maxKVBig)
		return item, nil
	}
	content, err := os.ReadFile(filepath.Join(s.root, filepath.FromSlash(entry.path)))
	if err != nil {
		item.Problem = "the file cannot be read: " + err.Error()
		return item, nil
	}
	item.Value = string(content)
	item.check()
	return item, nil
}

func (s *kvFolderSource) skip(n int64) error {
	for range n {
		if _, err := s.entry(); err != nil {
			return err
		}
	}
	return nil
}

func (s *kvFolderSource) offset() int64 { return s.read }
func (s *kvFolderSource) size() int64   { return s.bytes }
func (s *kvFolderSource) print() string { return s.mark }
func (s *kvFolderSource) close() error  { s.stop(); return nil }

// keyOfFile is the key of a file of a folder; fileOfKey is the file of a key.
func keyOfFile(path string) string {
	name := strings.ReplaceAll(path, "/", ":")
	if key, err := url.PathUnescape(name); err == nil {
		return key
	}
	return name
}

// maxFileName is the longest name that file systems take, in bytes.
const maxFileName = 255

// fileOfKey makes a file name that keyOfFile turns back into the key. It returns
// false for a key that has no file name.
func fileOfKey(key string) (string, bool) {
	var b strings.Builder
	for i := range len(key) {
		c := key[i]
		safe := c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c >= 0x80 ||
			strings.IndexByte("-_+=@,;~!()[]{}'&#^", c) >= 0 || c == '.' && i > 0
		if safe {
			b.WriteByte(c)
		} else {
			fmt.Fprintf(&b, "%%%02X", c)
		}
	}
	return b.String(), b.Len() > 0 && b.Len() <= maxFileName
}
