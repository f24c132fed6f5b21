package kv

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/esa-mcp/esa-mcp/internal/local/api"
)

// outcome is the answer of every batch: each key is in one of the lists. A batch
// whose keys all failed is answered with HTTP 200 too.
type outcome struct {
	FailKeys    []string
	SuccessKeys []string
}

func newOutcome() *outcome { return &outcome{FailKeys: []string{}, SuccessKeys: []string{}} }

// add files a key by what became of it. An error that is not the service's own
// ends the batch.
func (o *outcome) add(key string, err error) error {
	var refused *api.Error
	switch {
	case err == nil:
		o.SuccessKeys = append(o.SuccessKeys, key)
	case errors.As(err, &refused):
		o.FailKeys = append(o.FailKeys, key)
	default:
		return err
	}
	return nil
}

// entry is one pair of a KvList.
type entry struct {
	Key           string
	Value         *string
	Expiration    json.Number
	ExpirationTTL json.Number `json:"ExpirationTtl"`
}

// expiry reads when the pair ends, as of a single pair.
func (s *Service) entryExpiry(e entry) (sql.NullInt64, error) {
	p := api.Params{}
	if e.Expiration != "" {
		p["Expiration"] = e.Expiration
	}
	if e.ExpirationTTL != "" {
		p["ExpirationTtl"] = e.ExpirationTTL
	}
	return s.expiry(p)
}

// batchPut answers BatchPutKv.
func (s *Service) batchPut(ctx context.Context, r *api.Request) (any, error) {
	if n := len(r.Params.String("KvList")); n > maxBatchBytes {
		return nil, api.Errorf(400, "InvalidValue.ExceedsMaximum", "KvList has %d bytes, more than %d.", n, maxBatchBytes)
	}
	var list []entry
	if sent, err := r.Params.JSON("KvList", &list); err != nil {
		return nil, err
	} else if !sent {
		return nil, api.Errorf(400, "MissingKvList", "KvList is mandatory for this action.")
	}
	if len(list) > maxBatch {
		return nil, tooMany(len(list))
	}
	out := newOutcome()
	err := s.change(ctx, r.Params, func(w *writer) error {
		for _, e := range list {
			if err := out.add(e.Key, w.putEntry(e, maxValue)); err != nil {
				return err
			}
		}
		return nil
	})
	return out, err
}

func tooMany(n int) error {
	return api.Errorf(400, "InvalidKey.ExceedsMaximum", "The batch has %d keys, more than %d.", n, maxBatch)
}

// batchDelete answers BatchDeleteKv.
func (s *Service) batchDelete(ctx context.Context, r *api.Request) (any, error) {
	var keys []string
	if sent, err := r.Params.JSON("Keys", &keys); err != nil {
		return nil, err
	} else if !sent {
		return nil, api.Errorf(400, "MissingKeys", "Keys is mandatory for this action.")
	}
	if len(keys) > maxBatch {
		return nil, tooMany(len(keys))
	}
	out := newOutcome()
	err := s.change(ctx, r.Params, func(w *writer) error {
		for _, key := range keys {
			if err := out.add(key, w.delete(key)); err != nil {
				return err
			}
		}
		return nil
	})
	return out, err
}

// writer changes many pairs of one namespace in one transaction.
type writer struct {
	s         *Service
	ctx       context.Context
	namespace int64
	now       int64
	used      int64 // bytes of the namespace, kept up to date
	sizes     *sql.Stmt
	puts      *sql.Stmt
	deletes   *sql.Stmt
}

// change opens a writer on the namespace of the parameters and keeps what fn did
// unless it fails.
func (s *Service) change(ctx context.Context, p api.Params, fn func(w *writer) error) error {
	return s.store.Tx(ctx, func(tx *sql.Tx) error {
		id, err := namespaceID(ctx, tx, p.String("Namespace"))
		if err != nil {
			return err
		}
		w := &writer{s: s, ctx: ctx, namespace: id, now: s.clock()}
		if err := purge(ctx, tx, id, w.now); err != nil {
			return err
		}
		if err := tx.QueryRowContext(ctx, `SELECT used FROM kv_namespaces WHERE id = ?`, id).Scan(&w.used); err != nil {
			return fmt.Errorf("read the namespace's size: %w", err)
		}
		for statement, text := range map[**sql.Stmt]string{
			&w.sizes: `SELECT length(CAST(key AS BLOB)) + length(value) FROM kv_pairs WHERE namespace_id = ? AND key = ?`,
			&w.puts: `INSERT INTO kv_pairs (namespace_id, key, value, expires, updated) VALUES (?, ?, ?, ?, ?)
				ON CONFLICT (namespace_id, key) DO UPDATE SET value = excluded.value, expires = excluded.expires, updated = excluded.updated`,
			&w.deletes: `DELETE FROM kv_pairs WHERE namespace_id = ? AND key = ?`,
		} {
			if *statement, err = tx.PrepareContext(ctx, text); err != nil {
				return fmt.Errorf("prepare the batch: %w", err)
			}
			defer (*statement).Close()
		}
		if err := fn(w); err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, `UPDATE kv_namespaces SET used = ? WHERE id = ?`, w.used, id); err != nil {
			return fmt.Errorf("note the namespace's size: %w", err)
		}
		return nil
	})
}

// size is what the pair takes now; 0 if there is none.
func (w *writer) size(key string) (int64, error) {
	var size int64
	err := w.sizes.QueryRowContext(w.ctx, w.namespace, key).Scan(&size)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return 0, fmt.Errorf("read a pair's size: %w", err)
	}
	return size, nil
}

func (w *writer) putEntry(e entry, most int) error {
	if e.Value == nil {
		return api.Errorf(400, "MissingValue", "Value is mandatory.")
	}
	expires, err := w.s.entryExpiry(e)
	if err != nil {
		return err
	}
	return w.put(e.Key, []byte(*e.Value), expires, most)
}

func (w *writer) put(key string, value []byte, expires sql.NullInt64, most int) error {
	if key == "" {
		return api.Errorf(400, "MissingKey", "Key is mandatory.")
	}
	if err := checkKey(key); err != nil {
		return err
	}
	if err := checkSize(value, most); err != nil {
		return err
	}
	old, err := w.size(key)
	if err != nil {
		return err
	}
	used := w.used + int64(len(key)+len(value)) - old
	if used > w.s.cfg.Capacity {
		return api.Errorf(403, "InvalidKey.ExceedsCapacity", "The namespace holds at most %s.", sizeText(w.s.cfg.Capacity))
	}
	if _, err := w.puts.ExecContext(w.ctx, w.namespace, key, value, expires, w.now); err != nil {
		return fmt.Errorf("store a pair: %w", err)
	}
	w.used = used
	return nil
}

func (w *writer) delete(key string) error {
	if err := checkKey(key); err != nil {
		return err
	}
	old, err := w.size(key)
	if err != nil {
		return err
	}
	if old == 0 {
		return keyNotFound(key)
	}
	if _, err := w.deletes.ExecContext(w.ctx, w.namespace, key); err != nil {
		return fmt.Errorf("delete a pair: %w", err)
	}
	w.used -= old
	return nil
}
