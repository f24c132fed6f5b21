package oss

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"mime/multipart"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// Bounds of a form; real forms have about ten fields of less than 2 KB.
const (
	maxFields     = 64
	maxFieldBytes = 16 << 10
)

// readForm reads the fields up to the file. Fields after it are ignored, as OSS
// does; nothing of the file is read yet.
func readForm(parts *multipart.Reader) (form, error) {
	f := form{fields: make(map[string]string)}
	for range maxFields {
		part, err := parts.NextRawPart()
		if errors.Is(err, io.EOF) {
			return form{}, missingField("file")
		}
		if err != nil {
			return form{}, malformed()
		}
		name := strings.ToLower(part.FormName())
		if name == "file" {
			f.file = part
			return f, nil
		}
		value, err := io.ReadAll(io.LimitReader(part, maxFieldBytes+1))
		if err != nil {
			return form{}, malformed()
		}
		if len(value) > maxFieldBytes {
			return form{}, refuse(http.StatusBadRequest, "FieldItemTooLong", "Your post item is too long: field %.64q.", name)
		}
		if _, twice := f.fields[name]; !twice {
			f.fields[name] = string(value)
		}
	}
	return form{}, refuse(http.StatusBadRequest, "FieldItemTooLong", "Your post has more than %d fields before the file.", maxFields)
}

// saveFile streams the file part into a new file of the blob folder and returns
// its path and size. Only a complete file of an allowed size stays.
func saveFile(blobs string, part io.Reader, min, max int64) (name string, size int64, err error) {
	dir := filepath.Join(blobs, uploadDir)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", 0, fmt.Errorf("make upload folder: %w", err)
	}
	f, err := os.CreateTemp(dir, "*.part")
	if err != nil {
		return "", 0, fmt.Errorf("make upload file: %w", err)
	}
	size, err = writeAll(f, io.LimitReader(part, max+1))
	if err == nil {
		err = checkSize(size, min, max)
	}
	if err != nil {
		return "", 0, errors.Join(err, removeFile(f.Name()))
	}
	name = strings.TrimSuffix(f.Name(), ".part") + ".object"
	if err := os.Rename(f.Name(), name); err != nil {
		return "", 0, errors.Join(fmt.Errorf("finish upload file: %w", err), removeFile(f.Name()))
	}
	return name, size, nil
}

// writeAll copies in large pieces and closes f. A part gives about 4 KB a read.
func writeAll(f *os.File, part io.Reader) (int64, error) {
	w := bufio.NewWriterSize(struct{ io.Writer }{f}, 256<<10)
	size, err := w.ReadFrom(part)
	if err != nil {
		// A body that ends too early or a connection that broke; a full disk
		// shows in Flush or, rarely, here.
		var disk *fs.PathError
		if !errors.As(err, &disk) {
			err = malformed()
		}
		return size, errors.Join(err, f.Close())
	}
	if err := errors.Join(w.Flush(), f.Close()); err != nil {
		return size, fmt.Errorf("write upload file: %w", err)
	}
	return size, nil
}

func checkSize(size, min, max int64) error {
	if size > max {
		return refuse(http.StatusBadRequest, "EntityTooLarge", "Your proposed upload exceeds the maximum allowed size.")
	}
	if size < min {
		return refuse(http.StatusBadRequest, "EntityTooSmall", "Your proposed upload is smaller than the minimum allowed size.")
	}
	return nil
}

const uploadDir = "uploads"

// Sweep removes uploads of the blob folder that were last written before the
// given time and that keep does not claim: what a crash left behind.
func Sweep(blobs string, before time.Time, keep func(name string) bool) error {
	entries, err := os.ReadDir(filepath.Join(blobs, uploadDir))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("list uploads: %w", err)
	}
	for _, e := range entries {
		info, err := e.Info()
		if err != nil || !info.ModTime().Before(before) {
			continue // gone already, or young: perhaps another process writes it
		}
		if name := filepath.Join(blobs, uploadDir, e.Name()); !keep(name) {
			if err := removeFile(name); err != nil {
				return err
			}
		}
	}
	return nil
}

func removeFile(name string) error {
	if err := os.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("remove upload file: %w", err)
	}
	return nil
}
