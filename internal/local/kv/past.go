package kv

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"sort"
	"strings"
	"sync"
	"time"
)

// past remembers what pairs were before they changed, for as long as reads may
// lag behind. It is kept in memory: a lag survives no restart.
type past struct {
	mu    sync.Mutex
	pairs map[pastKey][]undo
}

type pastKey struct {
	namespace int64
	key       string
}

// undo is what a pair was until some moment.
type undo struct {
	until time.Time
	was
}

// was is what a key stood for; without there, nothing.
type was struct {
	value   []byte
	expires sql.NullInt64
	updated int64
	there   bool
}

// note remembers pairs that are about to change. What a transaction did not do
// after all does no harm: then the pair was before what it is now.
func (s *Service) note(ctx context.Context, tx *sql.Tx, namespace int64, keys ...string) error {
	if s.cfg.MaxLag() == 0 {
		return nil
	}
	for _, key := range keys {
		var p was
		err := tx.QueryRowContext(ctx, `SELECT value, expires, updated FROM kv_pairs WHERE namespace_id = ? AND key = ?`,
			namespace, key).Scan(&p.value, &p.expires, &p.updated)
		if err != nil && !errors.Is(err, sql.ErrNoRows) {
			return fmt.Errorf("remember the pair: %w", err)
		}
		p.there = err == nil
		s.past.add(pastKey{namespace, key}, undo{s.cfg.Now(), p})
	}
	return nil
}

func (p *past) add(key pastKey, u undo) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.pairs == nil {
		p.pairs = map[pastKey][]undo{}
	}
	p.pairs[key] = append(p.pairs[key], u)
}

// forget drops what no read can see any more. Each operation that writes begins
// with it.
func (s *Service) forget() {
	s.past.forget(s.cfg.Now().Add(-s.cfg.MaxLag()))
}

func (p *past) forget(before time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for key, undos := range p.pairs {
		for len(undos) > 0 && !undos[0].until.After(before) {
			undos = undos[1:]
		}
		if p.pairs[key] = undos; len(undos) == 0 {
			delete(p.pairs, key)
		}
	}
}

// at is what the pair was at that time, if it has changed since.
func (p *past) at(key pastKey, when time.Time) (was, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, u := range p.pairs[key] {
		if u.until.After(when) {
			return u.was, true
		}
	}
	return was{}, false
}

// changed are the keys of a namespace that have changed since.
func (p *past) changed(namespace int64, when time.Time) map[string]was {
	p.mu.Lock()
	defer p.mu.Unlock()
	changed := map[string]was{}
	for key, undos := range p.pairs {
		for _, u := range undos {
			if key.namespace == namespace && u.until.After(when) {
				changed[key.key] = u.was
				break
			}
		}
	}
	return changed
}

// listPast turns the keys that a namespace has now into those that it had.
func (s *Service) listPast(now []listedKey, namespace int64, prefix string, when time.Time) []listedKey {
	changed := s.past.changed(namespace, when)
	then := []listedKey{}
	for _, k := range now {
		if _, ok := changed[k.Name]; !ok {
			then = append(then, k)
		}
	}
	for key, p := range changed {
		if p.there && strings.HasPrefix(key, prefix) && !p.over(s.clock()) {
			then = append(then, newListedKey(key, p.updated))
		}
	}
	sort.Slice(then, func(i, j int) bool { return then[i].Name < then[j].Name })
	return then
}

// over reports whether the pair has expired.
func (p was) over(now int64) bool { return p.expires.Valid && p.expires.Int64 <= now }
