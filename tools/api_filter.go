package tools

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math/big"
	"runtime/metrics"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/itchyny/gojq"

	"github.com/esa-mcp/esa-mcp/internal/catalog"
)

// Bounds of a jq filter.
const (
	jqTime   = 2 * time.Second
	jqMemory = 256 << 20 // bytes that the heap may grow by
	jqValues = 10_000    // results of one filter
)

// jqFilter is a compiled filter. It reaches no file, no module and no
// environment variable.
type jqFilter struct{ code *gojq.Code }

// compileJQ returns nil for an empty filter.
func compileJQ(text string) (*jqFilter, error) {
	if strings.TrimSpace(text) == "" {
		return nil, nil
	}
	query, err := gojq.Parse(text)
	if err != nil {
		return nil, Refuse("jq is not a valid filter: %w. Example: [.Sites[] | {SiteName, Status}]", err)
	}
	code, err := gojq.Compile(query, gojq.WithEnvironLoader(func() []string { return nil }))
	if err != nil {
		return nil, Refuse("jq cannot be used: %w. Example: [.Sites[] | {SiteName, Status}]", err)
	}
	return &jqFilter{code}, nil
}

// run returns the filter's result: the value itself if there is one, else the
// list of them.
func (f *jqFilter) run(ctx context.Context, value any) (any, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, jqTime, errJQTime)
	defer cancel()
	ctx, stop := boundHeap(ctx)
	defer stop()
	results := []any{}
	// gojq changes what it is given; the copy also has exact integers.
	for iter := f.code.RunWithContext(ctx, forJQ(value)); ; {
		v, more := iter.Next()
		if !more {
			break
		}
		if err, failed := v.(error); failed {
			var halt *gojq.HaltError
			if errors.As(err, &halt) && halt.Value() == nil {
				break
			}
			if ctx.Err() != nil {
				return nil, Refuse("jq was stopped: %w.", context.Cause(ctx))
			}
			return nil, Refuse("jq failed: %s", shorten(err.Error(), 300))
		}
		if results = append(results, v); len(results) > jqValues {
			return nil, Refuse("jq gave more than %d results: narrow the filter.", jqValues)
		}
	}
	if len(results) == 1 {
		return plainJQ(results[0])
	}
	return plainJQ(results)
}

var (
	errJQTime   = errors.New("it took more than 2 seconds")
	errJQMemory = errors.New("it needed too much memory")
)

// boundHeap ends the context when the heap has grown too far: jq can double a
// text thirty times in no time.
func boundHeap(parent context.Context) (context.Context, func()) {
	ctx, cancel := context.WithCancelCause(parent)
	done := make(chan struct{})
	before := heapBytes()
	go func() {
		defer close(done)
		tick := time.NewTicker(5 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
				if heapBytes() > before+jqMemory {
					cancel(errJQMemory)
				}
			}
		}
	}()
	return ctx, func() { cancel(nil); <-done }
}

func heapBytes() uint64 {
	sample := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}}
	metrics.Read(sample)
	return sample[0].Value.Uint64()
}

// forJQ copies a decoded answer into the types that gojq computes with:
// integers exactly, however long.
func forJQ(v any) any {
	switch v := v.(type) {
	case map[string]any:
		out := make(map[string]any, len(v))
		for k, e := range v {
			out[k] = forJQ(e)
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i, e := range v {
			out[i] = forJQ(e)
		}
		return out
	case json.Number:
		if n, err := strconv.Atoi(v.String()); err == nil {
			return n
		}
		if n, ok := new(big.Int).SetString(v.String(), 10); ok {
			return n
		}
		f, err := v.Float64()
		if err != nil {
			return v.String()
		}
		return f
	}
	return v
}

// plainJQ makes of a result what encoding/json can write: gojq has NaN.
func plainJQ(v any) (any, error) {
	raw, err := gojq.Marshal(v)
	if err != nil {
		return nil, fmt.Errorf("encode the result of jq: %w", err)
	}
	if len(raw) > maxResult {
		return nil, Refuse("jq gave %d bytes, more than the limit of %d: narrow the filter.", len(raw), maxResult)
	}
	return json.RawMessage(raw), nil
}

// pickFields keeps the named fields of an answer. A name is a path of fields,
// which goes through lists: Sites.SiteName. Case and underscores do not matter.
func pickFields(op *catalog.Operation, value any, names []string) (any, error) {
	var picked any = map[string]any{}
	for _, name := range names {
		path := strings.Split(strings.TrimPrefix(strings.ReplaceAll(name, "[]", ""), "."), ".")
		part, found := pick(value, path)
		if !found {
			if !knownField(op, path) {
				return nil, Refuse("fields names %q, which the answer of %s does not have. It has %s; describe_api shows all.",
					name, op.Action, strings.Join(fieldNames(value), ", "))
			}
			continue // empty in this answer
		}
		picked = merge(picked, part)
	}
	return picked, nil
}

// pick returns the part of v that a path leads to, in its place.
func pick(v any, path []string) (any, bool) {
	switch v := v.(type) {
	case map[string]any:
		for key, e := range v {
			if foldName(key) != foldName(path[0]) {
				continue
			}
			if len(path) == 1 {
				return map[string]any{key: e}, true
			}
			sub, found := pick(e, path[1:])
			return map[string]any{key: sub}, found
		}
	case []any:
		out, somewhere := make([]any, len(v)), len(v) == 0
		for i, e := range v {
			sub, found := pick(e, path)
			if !found {
				sub = map[string]any{}
			}
			out[i], somewhere = sub, somewhere || found
		}
		return out, somewhere
	}
	return nil, false
}

// merge puts two picked parts of one value together.
func merge(a, b any) any {
	switch x := a.(type) {
	case map[string]any:
		y, ok := b.(map[string]any)
		if !ok {
			return a
		}
		out := maps.Clone(x)
		for k, e := range y {
			if have, twice := out[k]; twice {
				e = merge(have, e)
			}
			out[k] = e
		}
		return out
	case []any:
		y, ok := b.([]any)
		if !ok || len(x) != len(y) {
			return a
		}
		out := make([]any, len(x))
		for i := range x {
			out[i] = merge(x[i], y[i])
		}
		return out
	}
	return a
}

// knownField reports whether the catalogue has the field that a path leads to.
func knownField(op *catalog.Operation, path []string) bool {
	var shape any
	return json.Unmarshal(op.Response, &shape) == nil && leads(shape, path)
}

func leads(shape any, path []string) bool {
	if len(path) == 0 {
		return true
	}
	switch s := shape.(type) {
	case map[string]any:
		for key, e := range s {
			if key == "*" || foldName(key) == foldName(path[0]) {
				return leads(e, path[1:])
			}
		}
	case []any:
		return len(s) > 0 && leads(s[0], path)
	case string:
		return s == "any" || strings.HasPrefix(s, "ref:") // what is in there is not said
	}
	return false
}

func fieldNames(v any) []string {
	object, _ := v.(map[string]any)
	return slices.Sorted(maps.Keys(object))
}
