// Package kv is the edge key-value store of the local ESA: namespaces, and
// pairs one at a time or in batches.
//
// It must not know how calls arrive or are signed, nor how edge routines read
// pairs. Here a pair is readable at once, or after a lag if one is set; on the
// service it can take minutes.
package kv

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/esa-mcp/esa-mcp/internal/local/api"
	"github.com/esa-mcp/esa-mcp/internal/local/quota"
	"github.com/esa-mcp/esa-mcp/internal/local/state"
)

// Limits of the service.
const (
	maxKey        = 512       // characters
	maxValue      = 2_000_000 // bytes
	maxWindow     = 50_000    // page number times page size of a list
	maxBatch      = 10_000    // keys of a batch in the request itself
	maxBatchBytes = 2_000_000 // of KvList
	maxFileValue  = 25_000_000
	maxFileBatch  = 100_000_000
)

// Config is what the service needs. The zero value of each field has a default.
type Config struct {
	// Now is the clock; time.Now if nil.
	Now func() time.Time
	// Offline makes an account whose key-value store was never enabled: every
	// call but DescribeKvAccountStatus answers InvalidAccount.NotFound.
	Offline bool
	// Capacity is what one namespace holds, in bytes of keys and values; 1 GiB
	// if 0. The account holds that of all namespaces that it may have.
	Capacity int64
	// Quotas are how many namespaces the account has.
	Quotas quota.Set
	// Files opens what the high-capacity operations read; they refuse every
	// address if nil.
	Files Files
	// Lag, if set, is how far back a read sees, and MaxLag how far back any may
	// have to. Zero is what is true now.
	Lag    func(action, namespace string) time.Duration
	MaxLag func() time.Duration
}

// Files opens an uploaded file by its address and says how large it is.
type Files interface {
	Open(ctx context.Context, address string) (io.ReadCloser, int64, error)
}

// Service answers the operations of the key-value store.
type Service struct {
	store *state.Store
	cfg   Config
	past  past
}

// New makes the service.
func New(store *state.Store, cfg Config) *Service {
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Capacity == 0 {
		cfg.Capacity = 1 << 30
	}
	if cfg.Lag == nil || cfg.MaxLag == nil {
		cfg.Lag = func(string, string) time.Duration { return 0 }
		cfg.MaxLag = func() time.Duration { return 0 }
	}
	return &Service{store: store, cfg: cfg}
}

// Table returns the operations.
func (s *Service) Table() api.Table {
	t := api.Table{
		"BatchDeleteKv":                 s.batchDelete,
		"BatchDeleteKvWithHighCapacity": s.batchDeleteFile,
		"BatchPutKv":                    s.batchPut,
		"BatchPutKvWithHighCapacity":    s.batchPutFile,
		"CreateKvNamespace":             s.createNamespace,
		"DeleteKv":                      s.deletePair,
		"DeleteKvNamespace":             s.deleteNamespace,
		"GetKv":                         s.getPair,
		"GetKvAccount":                  s.getAccount,
		"GetKvDetail":                   s.getDetail,
		"GetKvNamespace":                s.getNamespace,
		"ListKvs":                       s.listPairs,
		"PutKv":                         s.putPair,
		"PutKvWithHighCapacity":         s.putFile,
	}
	if s.cfg.Offline {
		for action := range t {
			t[action] = refuseOffline
		}
	}
	t["DescribeKvAccountStatus"] = s.describeAccount
	return t
}

func refuseOffline(context.Context, *api.Request) (any, error) {
	return nil, api.Errorf(404, "InvalidAccount.NotFound", "Edge KV is not enabled for the account.")
}

func (s *Service) clock() int64 { return s.cfg.Now().Unix() }

// The documentation names no alphabet for namespaces. This one takes every name
// in its examples and nothing that a key may not have.
var namespaceName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_.-]*$`)

// maxNamespace is the longest name of a namespace, in characters. It is not in
// the pattern: a counted repetition is slow to compile.
const maxNamespace = 128

func checkNamespace(name string) error {
	if len(name) > maxNamespace || !namespaceName.MatchString(name) {
		return api.Errorf(400, "InvalidNameSpace.Malformed",
			"Namespace must begin with a letter or digit and have letters, digits, hyphens, underscores and dots only, at most 128.")
	}
	return nil
}

func checkKey(key string) error {
	if key == "" {
		return api.Errorf(400, "InvalidKey.Malformed", "The key must not be empty.")
	}
	if utf8.RuneCountInString(key) > maxKey {
		return api.Errorf(400, "InvalidKey.ExceedsMaximum", "The key is longer than %d characters.", maxKey)
	}
	if !utf8.ValidString(key) || strings.ContainsAny(key, " /\\\t\r\n\x00") {
		return api.Errorf(400, "InvalidKey.Malformed", "The key must not have spaces, slashes or backslashes.")
	}
	return nil
}

type querier interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

// namespaceID finds the namespace, or fails with InvalidNameSpace.NotFound.
func namespaceID(ctx context.Context, q querier, name string) (int64, error) {
	if err := checkNamespace(name); err != nil {
		return 0, err
	}
	var id int64
	err := q.QueryRowContext(ctx, `SELECT id FROM kv_namespaces WHERE name = ?`, name).Scan(&id)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, api.Errorf(404, "InvalidNameSpace.NotFound", "The namespace %s does not exist.", name)
	}
	if err != nil {
		return 0, fmt.Errorf("look up the namespace: %w", err)
	}
	return id, nil
}

// purge drops the pairs of a namespace that have expired, so that they no
// longer take room.
func purge(ctx context.Context, tx *sql.Tx, namespace, now int64) error {
	const expired = ` FROM kv_pairs WHERE namespace_id = ?1 AND expires <= ?2`
	_, err := tx.ExecContext(ctx, `UPDATE kv_namespaces SET used = used -
		(SELECT COALESCE(SUM(length(CAST(key AS BLOB)) + length(value)), 0)`+expired+`) WHERE id = ?1
		AND EXISTS (SELECT 1`+expired+`)`, namespace, now)
	if err == nil {
		_, err = tx.ExecContext(ctx, `DELETE`+expired, namespace, now)
	}
	if err != nil {
		return fmt.Errorf("drop expired pairs: %w", err)
	}
	return nil
}
