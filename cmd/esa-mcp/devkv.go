package main

import (
	"bytes"
	"cmp"
	"context"
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
		reason = `it must be {"NAMESPACE": {"KEY": VALUE}}, with no ` + wrong.Value + " here"
	}
	if errors.Is(err, io.ErrUnexpectedEOF) || offset < 0 || offset > int64(len(text)) {
		offset = int64(len(text))
	}
	line := bytes.Count(text[:offset], []byte("\n")) + 1
	return fmt.Errorf("%s:%d: %s", kvFile, line, reason)
}

// kvPairs are the values of an account by namespace and key.
func kvPairs(a *described.Account) map[[2]string]string {
	pairs := map[[2]string]string{}
	if a == nil {
		return pairs
	}
	for _, space := range a.Namespaces {
		for _, p := range space.Pairs {
			pairs[[2]string{space.Name, p.Key}] = p.Value
		}
	}
	return pairs
}

// kvContent is what a project's kv.json brought into the store.
type kvContent struct {
	namespaces map[string]bool
	pairs      map[[2]string]string // by namespace and key
}

func kvContentOf(a *described.Account) kvContent {
	c := kvContent{map[string]bool{}, kvPairs(a)}
	if a != nil {
		for _, space := range a.Namespaces {
			c.namespaces[space.Name] = true
		}
	}
	return c
}

// readKV reads kv.json again and brings what changed in it into the store. What
// the function wrote stays, but for keys that the file itself changed.
func (d *developer) readKV(ctx context.Context) {
	account, err := readKV(d.dir)
	if err != nil {
		d.print.problem("%v; the pairs stay as they are", err)
		return
	}
	now := kvContentOf(account)
	fail := func(what string, err error) { d.print.problem("%s: %s: %v", kvFile, what, err) }
	for _, name := range slices.Sorted(maps.Keys(now.namespaces)) {
		if d.kv.namespaces[name] {
			continue
		}
		if err := d.call(ctx, "create_kv_namespace", map[string]string{"namespace": name}, nil); err != nil {
			fail("namespace "+name, err)
			continue
		}
		d.kv.namespaces[name] = true
	}
	stored, deleted := 0, 0
	for _, at := range slices.SortedFunc(maps.Keys(now.pairs), comparePair) {
		value := now.pairs[at]
		if old, ok := d.kv.pairs[at]; ok && old == value {
			continue
		}
		if err := d.call(ctx, "put_kv", map[string]string{"namespace": at[0], "key": at[1], "value": value}, nil); err != nil {
			fail(at[0]+"."+at[1], err)
			continue
		}
		d.kv.pairs[at] = value
		stored++
	}
	for _, at := range slices.SortedFunc(maps.Keys(d.kv.pairs), comparePair) {
		if _, ok := now.pairs[at]; ok {
			continue
		}
		if err := d.call(ctx, "delete_kv", map[string]string{"namespace": at[0], "key": at[1]}, nil); err != nil {
			fail(at[0]+"."+at[1], err)
			continue
		}
		delete(d.kv.pairs, at)
		deleted++
	}
	d.print.say("%s was read again: %d stored, %d deleted", kvFile, stored, deleted)
}

func comparePair(a, b [2]string) int { return cmp.Or(cmp.Compare(a[0], b[0]), cmp.Compare(a[1], b[1])) }
