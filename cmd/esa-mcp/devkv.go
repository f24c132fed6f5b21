package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"

	described "github.com/esa-mcp/esa-mcp/internal/local/account"
)

// kvFile is what a project's EdgeKV begins with.
const kvFile = "kv.json"

// readKV describes an account that has the namespaces and pairs of the project's
// kv.json; nil if there is no such file.
func readKV(dir string) (*described.Account, error) {
	text, err := os.ReadFile(filepath.Join(dir, kvFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", kvFile, err)
	}
	return parseKV(text)
}

// parseKV reads {"NAMESPACE": {"KEY": VALUE}}; its errors name file and line.
func parseKV(text []byte) (*described.Account, error) {
	text = bytes.TrimPrefix(text, []byte("\ufeff"))
	var spaces map[string]map[string]json.RawMessage
	if err := json.Unmarshal(text, &spaces); err != nil {
		return nil, kvError(text, err)
	}
	a := &described.Account{Format: described.Format}
	for _, name := range slices.Sorted(maps.Keys(spaces)) {
		space := described.Namespace{Name: name}
		for _, key := range slices.Sorted(maps.Keys(spaces[name])) {
			value, err := kvValue(spaces[name][key])
			if err != nil {
				return nil, fmt.Errorf("%s: %s.%s: %w", kvFile, name, key, err)
			}
			space.Pairs = append(space.Pairs, described.Pair{Key: key, Value: value})
		}
		a.Namespaces = append(a.Namespaces, space)
	}
	return a, nil
}

// kvValue is what a value is stored as: a text as it is, all else as JSON.
func kvValue(raw json.RawMessage) (string, error) {
	if raw[0] == '"' {
		var text string
		err := json.Unmarshal(raw, &text)
		return text, err
	}
	var compact bytes.Buffer
	err := json.Compact(&compact, raw)
	return compact.String(), err
}

func kvError(text []byte, err error) error {
	offset := int64(-1)
	reason := err.Error()
	if wrong, ok := errors.AsType[*json.SyntaxError](err); ok {
		offset = wrong.Offset
	}
	if wrong, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		offset = wrong.Offset
		reason = `it must be {"NAMESPACE": {"KEY": VALUE}}, and here is a ` + wrong.Value
	}
	if errors.Is(err, io.ErrUnexpectedEOF) || offset < 0 || offset > int64(len(text)) {
		offset = int64(len(text))
	}
	line := bytes.Count(text[:offset], []byte("\n")) + 1
	return fmt.Errorf("%s:%d: %s", kvFile, line, reason)
}
