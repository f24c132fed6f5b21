package kv

import (
	"context"
	"database/sql"
	"encoding/base64"
	"errors"
	"fmt"
	"math"
	"strconv"
	"time"
	"unicode/utf8"

	"github.com/esa-mcp/esa-mcp/internal/local/api"
)

// putPair answers PutKv. The answer's value is shortened when it is long, as on
// the service: it is to be looked at, not to be read back.
func (s *Service) putPair(ctx context.Context, r *api.Request) (any, error) {
	key := r.Params.String("Key")
	if err := checkKey(key); err != nil {
		return nil, err
	}
	text := r.Params.String("Value")
	value, err := valueOf(r.Params, text)
	if err != nil {
		return nil, err
	}
	expires, err := s.expiry(r.Params)
	if err != nil {
		return nil, err
	}
	s.forget()
	err = s.store.Tx(ctx, func(tx *sql.Tx) error {
		id, err := namespaceID(ctx, tx, r.Params.String("Namespace"))
		if err != nil {
			return err
		}
		return s.write(ctx, tx, id, key, value, expires)
	})
	if err != nil {
		return nil, err
	}
	return struct{ Length, Value string }{strconv.Itoa(len(value)), shorten(text)}, nil
}

// write stores one pair and keeps the namespace's size right.
func (s *Service) write(ctx context.Context, tx *sql.Tx, namespace int64, key string, value []byte, expires sql.NullInt64) error {
	if err := purge(ctx, tx, namespace, s.clock()); err != nil {
		return err
	}
	var used, old int64
	err := tx.QueryRowContext(ctx, `SELECT used, COALESCE((SELECT length(CAST(key AS BLOB)) + length(value) FROM kv_pairs
		WHERE namespace_id = ?1 AND key = ?2), 0) FROM kv_namespaces WHERE id = ?1`, namespace, key).Scan(&used, &old)
	if err != nil {
		return fmt.Errorf("read the namespace's size: %w", err)
	}
	size := int64(len(key)+len(value)) - old
	if used+size > s.cfg.Capacity {
		return api.Errorf(403, "InvalidKey.ExceedsCapacity", "The namespace holds at most %s.", sizeText(s.cfg.Capacity))
	}
	if err := s.note(ctx, tx, namespace, key); err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, `INSERT INTO kv_pairs (namespace_id, key, value, expires, updated) VALUES (?, ?, ?, ?, ?)
		ON CONFLICT (namespace_id, key) DO UPDATE SET value = excluded.value, expires = excluded.expires, updated = excluded.updated`,
		namespace, key, value, expires, s.clock())
	if err == nil {
		_, err = tx.ExecContext(ctx, `UPDATE kv_namespaces SET used = used + ? WHERE id = ?`, size, namespace)
	}
	if err != nil {
		return fmt.Errorf("store the pair: %w", err)
	}
	return nil
}

// valueOf is what is to be stored: the text, or what its Base64 stands for.
func valueOf(p api.Params, text string) ([]byte, error) {
	encoded, err := p.Bool("Base64", false)
	if err != nil {
		return nil, err
	}
	value := []byte(text)
	if encoded {
		if value, err = base64.StdEncoding.DecodeString(text); err != nil {
			return nil, api.Errorf(400, "InvalidValue.Malformed", "Base64 is true, but Value is not Base64.")
		}
	}
	return value, checkSize(value, maxValue)
}

func checkSize(value []byte, most int) error {
	if len(value) > most {
		return api.Errorf(400, "InvalidValue.ExceedsMaximum", "The value has %d bytes, more than %d.", len(value), most)
	}
	return nil
}

// expiry is when a pair ends, in Unix seconds. ExpirationTtl wins over
// Expiration.
func (s *Service) expiry(p api.Params) (sql.NullInt64, error) {
	now := s.clock()
	ttl, err := p.Int("ExpirationTtl", 0)
	if err != nil {
		return sql.NullInt64{}, err
	}
	if p.String("ExpirationTtl") != "" {
		if ttl <= 0 || ttl > math.MaxInt64-now {
			return sql.NullInt64{}, api.Errorf(400, "InvalidExpirationTtl", "ExpirationTtl must be a positive number of seconds, not %d.", ttl)
		}
		return sql.NullInt64{Int64: now + ttl, Valid: true}, nil
	}
	at, err := p.Int("Expiration", 0)
	if err != nil || p.String("Expiration") == "" {
		return sql.NullInt64{}, err
	}
	if at <= now {
		return sql.NullInt64{}, api.Errorf(400, "InvalidExpiration", "Expiration must be a Unix time in the future, in seconds; %d is past.", at)
	}
	return sql.NullInt64{Int64: at, Valid: true}, nil
}

// shorten keeps the first and the last 100 characters of a text of over 256.
func shorten(text string) string {
	if utf8.RuneCountInString(text) <= 256 {
		return text
	}
	runes := []rune(text)
	return string(runes[:100]) + "..." + string(runes[len(runes)-100:])
}

// load finds a pair that has not expired, or fails with InvalidKey.NotFound.
func (s *Service) load(ctx context.Context, q querier, r *api.Request) (value []byte, expires sql.NullInt64, err error) {
	key, namespace := r.Params.String("Key"), r.Params.String("Namespace")
	if err := checkKey(key); err != nil {
		return nil, expires, err
	}
	id, err := namespaceID(ctx, q, namespace)
	if err != nil {
		return nil, expires, err
	}
	if lag := s.cfg.Lag(r.Action, namespace); lag > 0 {
		if old, ok := s.past.at(pastKey{id, key}, s.cfg.Now().Add(-lag)); ok {
			if !old.there || old.over(s.clock()) {
				return nil, expires, keyNotFound(key)
			}
			return old.value, old.expires, nil
		}
	}
	err = q.QueryRowContext(ctx, `SELECT value, expires FROM kv_pairs WHERE namespace_id = ? AND key = ?
		AND (expires IS NULL OR expires > ?)`, id, key, s.clock()).Scan(&value, &expires)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, expires, keyNotFound(key)
	}
	if err != nil {
		return nil, expires, fmt.Errorf("read the pair: %w", err)
	}
	return value, expires, nil
}

func keyNotFound(key string) error {
	return api.Errorf(404, codeKeyNotFound, "The key %s does not exist.", key)
}

// getPair answers GetKv.
func (s *Service) getPair(ctx context.Context, r *api.Request) (any, error) {
	encode, err := r.Params.Bool("Base64", false)
	if err != nil {
		return nil, err
	}
	value, _, err := s.load(ctx, s.store.DB(), r)
	if err != nil {
		return nil, err
	}
	text := string(value)
	if encode {
		text = base64.StdEncoding.EncodeToString(value)
	}
	return struct{ Value string }{text}, nil
}

// getDetail answers GetKvDetail. ExpirationTtl is the seconds that are left,
// absent for a pair that stays.
func (s *Service) getDetail(ctx context.Context, r *api.Request) (any, error) {
	value, expires, err := s.load(ctx, s.store.DB(), r)
	if err != nil {
		return nil, err
	}
	out := struct {
		ExpirationTTL string `json:"ExpirationTtl,omitempty"`
		Value         string
	}{Value: string(value)}
	if expires.Valid {
		out.ExpirationTTL = strconv.FormatInt(expires.Int64-s.clock(), 10)
	}
	return out, nil
}

// deletePair answers DeleteKv.
func (s *Service) deletePair(ctx context.Context, r *api.Request) (any, error) {
	return nil, s.remove(ctx, r.Params.String("Namespace"), r.Params.String("Key"))
}

// remove drops one pair, or fails with InvalidKey.NotFound.
func (s *Service) remove(ctx context.Context, namespace, key string) error {
	s.forget()
	return s.store.Tx(ctx, func(tx *sql.Tx) error {
		if err := checkKey(key); err != nil {
			return err
		}
		id, err := namespaceID(ctx, tx, namespace)
		if err != nil {
			return err
		}
		if err := purge(ctx, tx, id, s.clock()); err != nil {
			return err
		}
		if err := s.note(ctx, tx, id, key); err != nil {
			return err
		}
		var size int64
		err = tx.QueryRowContext(ctx, `DELETE FROM kv_pairs WHERE namespace_id = ? AND key = ?
			RETURNING length(CAST(key AS BLOB)) + length(value)`, id, key).Scan(&size)
		if errors.Is(err, sql.ErrNoRows) {
			return keyNotFound(key)
		}
		if err == nil {
			_, err = tx.ExecContext(ctx, `UPDATE kv_namespaces SET used = used - ? WHERE id = ?`, size, id)
		}
		if err != nil {
			return fmt.Errorf("delete the pair: %w", err)
		}
		return nil
	})
}

// after is the first text behind all that begin with a prefix, in the order of
// bytes; empty if there is none.
func after(prefix string) string {
	for n := len(prefix); n > 0; n-- {
		if c := prefix[n-1]; c < 0xff {
			return prefix[:n-1] + string([]byte{c + 1})
		}
	}
	return ""
}

type listedKey struct{ Name, UpdateTime string }

func newListedKey(key string, updated int64) listedKey {
	return listedKey{key, time.Unix(updated, 0).UTC().Format("2006-01-02T15:04:05Z")}
}

// listPairs answers ListKvs, sorted by key.
func (s *Service) listPairs(ctx context.Context, r *api.Request) (any, error) {
	page, err := r.Params.Page(50, 100)
	if err != nil {
		return nil, err
	}
	if page.Number > maxWindow/page.Size {
		return nil, api.Errorf(400, "InvalidPageNumber",
			"PageNumber times PageSize must not exceed %d: list by Prefix instead.", maxWindow)
	}
	db := s.store.DB()
	id, err := namespaceID(ctx, db, r.Params.String("Namespace"))
	if err != nil {
		return nil, err
	}
	prefix := r.Params.String("Prefix")
	from := ` FROM kv_pairs WHERE namespace_id = ?1 AND key >= ?2 AND (expires IS NULL OR expires > ?3)`
	args := []any{id, prefix, s.clock()}
	if end := after(prefix); end != "" {
		from, args = from+` AND key < ?4`, append(args, end)
	}
	out := struct {
		Keys                             []listedKey
		PageNumber, PageSize, TotalCount int64
	}{PageNumber: page.Number, PageSize: page.Size}
	if lag := s.cfg.Lag(r.Action, r.Params.String("Namespace")); lag > 0 {
		now, err := listKeys(ctx, db, `SELECT key, updated`+from+` ORDER BY key`, args...)
		if err != nil {
			return nil, err
		}
		then := s.listPast(now, id, prefix, s.cfg.Now().Add(-lag))
		out.TotalCount = int64(len(then))
		first := min(page.Offset(), out.TotalCount)
		out.Keys = then[first:min(first+page.Size, out.TotalCount)]
		return out, nil
	}
	if err := db.QueryRowContext(ctx, `SELECT COUNT(*)`+from, args...).Scan(&out.TotalCount); err != nil {
		return nil, fmt.Errorf("count keys: %w", err)
	}
	out.Keys, err = listKeys(ctx, db, `SELECT key, updated`+from+` ORDER BY key LIMIT @size OFFSET @offset`,
		append(args, sql.Named("size", page.Size), sql.Named("offset", page.Offset()))...)
	return out, err
}

func listKeys(ctx context.Context, q querier, query string, args ...any) ([]listedKey, error) {
	rows, err := q.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, fmt.Errorf("list keys: %w", err)
	}
	defer rows.Close()
	keys := []listedKey{}
	for rows.Next() {
		var key string
		var updated int64
		if err := rows.Scan(&key, &updated); err != nil {
			return nil, fmt.Errorf("read a key: %w", err)
		}
		keys = append(keys, newListedKey(key, updated))
	}
	return keys, rows.Err()
}
