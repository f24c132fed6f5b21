package tools

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// saveState replaces a state file in one step, so that a process that is killed
// leaves the old state or the new one.
func saveState(path string, state any) error {
	raw, err := json.Marshal(state)
	if err != nil {
		return fmt.Errorf("encode the state: %w", err)
	}
	if err := os.WriteFile(path+".new", raw, 0o600); err != nil {
		return fmt.Errorf("write the state: %w", err)
	}
	if err := os.Rename(path+".new", path); err != nil {
		return fmt.Errorf("write the state: %w", err)
	}
	return nil
}

// loadState reads a state file; false if there is none.
func loadState(path string, state any) (bool, error) {
	raw, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, Refuse("The state file cannot be read: %v.", err)
	}
	if err := json.Unmarshal(raw, state); err != nil {
		return false, Refuse("The state file %s is damaged: give restart true to begin anew.", path)
	}
	return true, nil
}

// dropState removes the state of something that is finished.
func dropState(path string) error {
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("remove the state file: %w", err)
	}
	return nil
}

// absolutePath is what a state file and a lock call a path.
func absolutePath(path string) (string, error) {
	whole, err := filepath.Abs(path)
	if err != nil {
		return "", Refuse("path %q cannot be used: %v.", path, err)
	}
	return whole, nil
}

// cutFile opens a file for appending after its first length bytes, which are
// all that the state knows of.
func cutFile(path string, length int64) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err == nil && info.Size() < length {
		err = fmt.Errorf("%s is shorter than the state says: give restart true to begin anew", path)
	}
	if err == nil {
		err = f.Truncate(length)
	}
	if err == nil {
		_, err = f.Seek(length, 0)
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}
