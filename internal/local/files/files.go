// Package files is the temporary store of the local ESA: files that a client
// uploads so that an operation can read them by address, such as those of the
// high-capacity KV operations.
//
// It must not know what the files hold, nor reach any address outside the local
// ESA.
package files

import (
	"context"
	"crypto/rand"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/esa-mcp/esa-mcp/internal/local/api"
	"github.com/esa-mcp/esa-mcp/internal/local/oss"
	"github.com/esa-mcp/esa-mcp/internal/local/state"
)

// The one operation, which is of another product and version than ESA's.
const (
	Action  = "AuthorizeFileUpload"
	Version = "2019-12-19"
)

const (
	keyPrefix = "esa/upload/"
	folder    = "files"
	maxBytes  = 100_000_000
	slotLife  = 15 * time.Minute
	fileLife  = time.Hour
)

// Config is what the store needs. The zero value of each field has a default.
type Config struct {
	Now    func() time.Time // time.Now if nil
	Random io.Reader        // crypto/rand if nil
}

// Store keeps uploaded files for an hour.
type Store struct {
	state *state.Store
	cfg   Config
}

// New makes the store.
func New(store *state.Store, cfg Config) *Store {
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Random == nil {
		cfg.Random = rand.Reader
	}
	return &Store{state: store, cfg: cfg}
}

// Table returns the operation.
func (s *Store) Table() api.Table { return api.Table{Action: s.authorize} }

type authorizeAnswer struct {
	AccessKeyID   string `json:"AccessKeyId"`
	Bucket        string
	EncodedPolicy string
	Endpoint      string
	ObjectKey     string
	Signature     string
	UseAccelerate bool
}

// authorize answers AuthorizeFileUpload: a slot for one file.
func (s *Store) authorize(ctx context.Context, r *api.Request) (any, error) {
	switch product := r.Params.String("Product"); product {
	case "ESA":
	case "":
		return nil, api.Errorf(400, "MissingProduct", "Product is mandatory for this action.")
	default:
		return nil, api.Errorf(400, "InvalidProduct", "The local ESA takes files for the product ESA only.")
	}
	base, err := url.Parse(r.BaseURL)
	if err != nil {
		return nil, fmt.Errorf("read the gateway's address: %w", err)
	}
	id := make([]byte, 16)
	if _, err := io.ReadFull(s.cfg.Random, id); err != nil {
		return nil, fmt.Errorf("make an object key: %w", err)
	}
	key, now := keyPrefix+hex.EncodeToString(id), s.cfg.Now()
	if err := s.forget(ctx, now.Add(-fileLife)); err != nil {
		return nil, err
	}
	var grant oss.Grant
	err = s.state.Tx(ctx, func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, `INSERT INTO files (object_key, created_at) VALUES (?, ?)`, key, now.UnixNano()); err != nil {
			return fmt.Errorf("store the upload slot: %w", err)
		}
		grant, err = oss.Issue(ctx, tx, s.cfg.Random, oss.GrantRequest{
			Key: key, MinBytes: 1, MaxBytes: maxBytes, Now: now, Expires: now.Add(slotLife),
		})
		return err
	})
	if err != nil {
		return nil, err
	}
	endpoint := oss.Host
	if port := base.Port(); port != "" {
		endpoint += ":" + port
	}
	return authorizeAnswer{
		AccessKeyID: grant.AccessKeyID, Bucket: oss.Bucket, EncodedPolicy: grant.Policy,
		Endpoint: endpoint, ObjectKey: key, Signature: grant.Signature,
	}, nil
}

// forget drops the slots and files made before a time.
func (s *Store) forget(ctx context.Context, before time.Time) error {
	var names []string
	err := s.state.Tx(ctx, func(tx *sql.Tx) error {
		rows, err := tx.QueryContext(ctx, `DELETE FROM files WHERE created_at < ? RETURNING name`, before.UnixNano())
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var name string
			if err := rows.Scan(&name); err != nil {
				return err
			}
			if name != "" {
				names = append(names, name)
			}
		}
		return rows.Err()
	})
	if err != nil {
		return fmt.Errorf("forget old files: %w", err)
	}
	for _, name := range names {
		if err := os.Remove(s.path(name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("remove an old file: %w", err)
		}
	}
	return nil
}

func (s *Store) path(name string) string {
	return filepath.Join(s.state.BlobDir(), filepath.FromSlash(name))
}

// Uploaded takes over an object that arrived, and reports whether it is one of
// this store's.
func (s *Store) Uploaded(ctx context.Context, object oss.Object) (bool, error) {
	id, ours := strings.CutPrefix(object.Key, keyPrefix)
	if !ours {
		return false, nil
	}
	name := folder + "/" + id
	if err := os.MkdirAll(s.path(folder), 0o700); err != nil {
		return true, fmt.Errorf("make the folder of files: %w", err)
	}
	if err := os.Rename(object.Path, s.path(name)); err != nil {
		return true, fmt.Errorf("keep the uploaded file: %w", err)
	}
	err := s.state.Tx(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `UPDATE files SET name = ? WHERE object_key = ?`, name, object.Key)
		return err
	})
	if err != nil {
		return true, fmt.Errorf("note the uploaded file: %w", err)
	}
	return true, nil
}

// Read reads the file at an address within a transaction; see Open. One that has
// more bytes than most is refused.
func (s *Store) Read(ctx context.Context, tx *sql.Tx, address string, most int64) ([]byte, error) {
	file, size, err := s.open(ctx, tx, address)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	if size > most {
		return nil, api.Errorf(400, "InvalidFile.ExceedsMaximum", "The file has %d bytes, more than %d.", size, most)
	}
	content, err := io.ReadAll(file)
	if err != nil {
		return nil, fmt.Errorf("read the file: %w", err)
	}
	return content, nil
}

// Open opens the file at an address that Uploaded was given one for, and says how
// large it is. Only addresses of the local store can be read.
func (s *Store) Open(ctx context.Context, address string) (io.ReadCloser, int64, error) {
	return s.open(ctx, s.state.DB(), address)
}

type querier interface {
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

func (s *Store) open(ctx context.Context, q querier, address string) (io.ReadCloser, int64, error) {
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return nil, 0, api.Errorf(400, "InvalidUrl", "Url is not the address of a file.")
	}
	if !strings.EqualFold(u.Hostname(), oss.Bucket+"."+oss.Host) {
		return nil, 0, api.Errorf(400, "InvalidUrl",
			"The local ESA reads files of its own storage only, at http://%s.%s: upload with AuthorizeFileUpload.", oss.Bucket, oss.Host)
	}
	key := strings.TrimPrefix(u.Path, "/")
	var name string
	err = q.QueryRowContext(ctx, `SELECT name FROM files WHERE object_key = ? AND created_at >= ?`,
		key, s.cfg.Now().Add(-fileLife).UnixNano()).Scan(&name)
	if errors.Is(err, sql.ErrNoRows) || err == nil && name == "" {
		return nil, 0, api.Errorf(404, "InvalidUrl.NotFound", "There is no file at the Url.")
	}
	if err != nil {
		return nil, 0, fmt.Errorf("look up the file: %w", err)
	}
	f, err := os.Open(s.path(name))
	if err != nil {
		return nil, 0, fmt.Errorf("open the file: %w", err)
	}
	info, err := f.Stat()
	if err != nil {
		return nil, 0, errors.Join(fmt.Errorf("measure the file: %w", err), f.Close())
	}
	return f, info.Size(), nil
}
