package tools

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/esa-mcp/esa-mcp/internal/esa"
)

// kvReaders is how many values are read at once.
const kvReaders = 8

// run writes the keys of each prefix that is left. The service lists no more than
// 50,000 keys of a prefix, so one with more is replaced by longer ones.
func (x *kvExport) run(ctx context.Context) error {
	for len(x.state.Todo) > 0 {
		last := len(x.state.Todo) - 1
		prefix := x.state.Todo[last]
		total, _, err := x.list(ctx, prefix, 1, 1)
		if err != nil {
			return err
		}
		if total > maxKVWindow {
			longer, err := x.divide(ctx, prefix, total)
			if err != nil {
				return err
			}
			x.state.Todo, x.state.Page = append(x.state.Todo[:last], longer...), 0
		} else {
			if err := x.pages(ctx, prefix); err != nil {
				return err
			}
			x.state.Todo, x.state.Page = x.state.Todo[:last], 0
		}
		if err := saveState(x.statePath, x.state); err != nil {
			return err
		}
	}
	if x.state.Missed > 0 {
		x.out.Note(esa.Note{ID: "kv-list-window", Text: fmt.Sprintf(
			"%d keys were not listed: they begin with unusual characters that no list call reaches, or were stored meanwhile", x.state.Missed)})
	}
	return nil
}

// pages writes the keys of a prefix from the next page on.
func (x *kvExport) pages(ctx context.Context, prefix string) error {
	for x.state.Page < maxKVWindow/maxKVPage {
		total, keys, err := x.list(ctx, prefix, x.state.Page+1, maxKVPage)
		if err != nil {
			return err
		}
		pairs, err := x.read(ctx, keys)
		if err != nil {
			return err
		}
		if err := x.write(pairs); err != nil {
			return err
		}
		x.state.Page++
		if err := saveState(x.statePath, x.state); err != nil {
			return err
		}
		Progress(ctx, float64(x.state.Exported+x.state.Gone+x.state.Failed), float64(x.total), fmt.Sprintf("%d keys written", x.state.Exported))
		if len(keys) == 0 || x.state.Page*maxKVPage >= total {
			return nil
		}
	}
	return nil
}

// divide finds the longer prefixes that together have all keys of a prefix with
// too many, and writes the key that is the prefix itself.
func (x *kvExport) divide(ctx context.Context, prefix string, total int) ([]string, error) {
	found, longer := 0, []string(nil)
	if prefix != "" {
		pairs, err := x.read(ctx, []string{prefix})
		if err != nil {
			return nil, err
		}
		for _, p := range pairs {
			if p.there {
				found++
				if err := x.write([]kvRead{p}); err != nil {
					return nil, err
				}
			}
		}
	}
	probe := func(next []rune) error {
		counts := make([]int, len(next))
		err := each(ctx, x.d, len(next), func(i int) error {
			n, err := x.count(ctx, prefix+string(next[i]))
			counts[i] = n
			return err
		})
		for i, n := range counts {
			if n > 0 {
				found += n
				longer = append(longer, prefix+string(next[i]))
			}
		}
		return err
	}
	// The last of the list is worked on first, so the order is turned.
	if err := probe(usualRunes()); err != nil || found >= total {
		slices.Reverse(longer)
		return longer, err
	}
	seen, err := x.seen(ctx, prefix)
	if err != nil {
		return nil, err
	}
	if err := probe(seen); err != nil {
		return nil, err
	}
	x.state.Missed += int64(max(0, total-found))
	slices.Reverse(longer)
	return longer, nil
}

// usualRunes are the characters that keys commonly have.
func usualRunes() []rune {
	var all []rune
	for c := '!'; c <= '~'; c++ {
		if c != '/' && c != '\\' {
			all = append(all, c)
		}
	}
	return all
}

// seen finds the unusual characters that follow a prefix among the keys that can
// be listed.
func (x *kvExport) seen(ctx context.Context, prefix string) ([]rune, error) {
	const pages = maxKVWindow / maxKVPage
	var mu sync.Mutex
	more := map[rune]bool{}
	err := each(ctx, x.d, pages, func(i int) error {
		var notes Noted
		answer, err := invoke[listKVAnswer](ctx, x.d, &notes, "ListKvs", listKVParams(x.state.Namespace, prefix, i+1, maxKVPage))
		if err != nil {
			return err
		}
		mu.Lock()
		defer mu.Unlock()
		for _, k := range answer.Keys {
			if rest := strings.TrimPrefix(k.Name, prefix); rest != "" {
				if c, _ := utf8.DecodeRuneInString(rest); c > '~' {
					more[c] = true
				}
			}
		}
		return nil
	})
	var all []rune
	for c := range more {
		all = append(all, c)
	}
	slices.Sort(all)
	return all, err
}

func (x *kvExport) count(ctx context.Context, prefix string) (int, error) {
	if utf8.RuneCountInString(prefix) > maxKVKey {
		return 0, nil
	}
	var notes Noted
	answer, err := invoke[listKVAnswer](ctx, x.d, &notes, "ListKvs", listKVParams(x.state.Namespace, prefix, 1, 1))
	return answer.TotalCount, err
}

// kvRead is a pair that was read; there is false when it has disappeared.
type kvRead struct {
	kvItem
	there bool
	notes Noted
}

// read reads values, several at once, in the order of the keys.
func (x *kvExport) read(ctx context.Context, keys []string) ([]kvRead, error) {
	pairs := make([]kvRead, len(keys))
	err := each(ctx, x.d, len(keys), func(i int) error {
		p := &pairs[i]
		p.Key = keys[i]
		params := esa.Params{"Namespace": x.state.Namespace, "Key": p.Key}
		detail, err := invoke[kvDetail](ctx, x.d, &p.notes, "GetKvDetail", params)
		if err == nil && strings.ContainsRune(detail.Value, utf8.RuneError) {
			// Perhaps not text: what it was before it became JSON tells base64 alone.
			params["Base64"] = true
			var exact struct{ Value string }
			if exact, err = invoke[struct{ Value string }](ctx, x.d, &p.notes, "GetKv", params); err == nil {
				var raw []byte
				raw, err = base64.StdEncoding.DecodeString(exact.Value)
				detail.Value = string(raw)
			}
		}
		if esa.CodeOf(err) == "InvalidKey.NotFound" {
			return nil
		}
		if err != nil {
			return fmt.Errorf("read key %q: %w", p.Key, err)
		}
		p.there, p.Value = true, detail.Value
		if ttl := detail.ttl(); ttl > 0 {
			p.Expires = x.d.Now().Add(time.Duration(ttl) * time.Second).Unix()
		}
		return nil
	})
	for i := range pairs {
		x.note(pairs[i].notes)
	}
	return pairs, err
}

// write adds pairs to the file or folder and counts them.
func (x *kvExport) write(pairs []kvRead) error {
	var lines []byte
	for i := range pairs {
		p := &pairs[i]
		if !p.there {
			x.state.Gone++
			continue
		}
		if x.state.Format != kvLines && p.Expires > 0 {
			x.state.NoExpiry++
		}
		switch x.state.Format {
		case kvLines:
			lines = append(appendJSON(lines, rowOf(p.kvItem)), '\n')
		case kvObject:
			value, encoded := kvJSON(p.Value)
			if encoded {
				x.fail(p.Key, "the value is not text: format jsonl holds it")
				continue
			}
			if x.state.Bytes == 0 && len(lines) == 0 {
				lines = append(lines, "{\n"...)
			} else {
				lines = append(lines, ",\n"...)
			}
			lines = append(append(appendJSON(lines, p.Key), ':', ' '), value...)
		case kvFolder:
			name, ok := fileOfKey(p.Key)
			if !ok {
				x.fail(p.Key, "the key is too long for a file name: format jsonl holds it")
				continue
			}
			if err := os.WriteFile(filepath.Join(x.state.Path, name), []byte(p.Value), 0o644); err != nil {
				return fmt.Errorf("write a file: %w", err)
			}
		}
		x.state.Exported++
	}
	if x.file == nil {
		return nil
	}
	n, err := x.file.Write(lines)
	if err != nil {
		return fmt.Errorf("write the file: %w", err)
	}
	x.state.Bytes += int64(n)
	return nil
}

func (x *kvExport) fail(key, reason string) {
	x.state.Failed++
	if len(x.out.Failed) < maxKVFailures {
		x.out.Failed = append(x.out.Failed, KVFailedKey{key, reason})
	}
}

// each calls fn for 0 to n-1, several at once, and returns the first error.
func each(ctx context.Context, d *Deps, n int, fn func(i int) error) error {
	var (
		wg    sync.WaitGroup
		slots = make(chan struct{}, kvReaders)
		mu    sync.Mutex
		first error
	)
	failed := func(err error) bool {
		mu.Lock()
		defer mu.Unlock()
		if err != nil && first == nil {
			first = err
		}
		return first != nil
	}
	for i := range n {
		slots <- struct{}{}
		if failed(ctx.Err()) {
			break
		}
		wg.Go(func() {
			defer func() { <-slots }()
			defer func() {
				if v := recover(); v != nil {
					d.Logger.Error("export panicked", "panic", Clean(fmt.Sprint(v)), "stack", string(debug.Stack()))
					failed(errors.New("internal error: this is a bug in esa-mcp"))
				}
			}()
			failed(fn(i))
		})
	}
	wg.Wait()
	return first
}
