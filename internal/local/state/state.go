// Package state keeps what the local ESA knows: one SQLite database and a folder
// for large files beside it. Each subject's tables are a file in schema/.
//
// It knows nothing of HTTP or of the API's operations.
package state

import (
	"context"
	"crypto/rand"
	"database/sql"
	"embed"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"

	"modernc.org/sqlite" // pure Go, so that the binary stays static
)

//go:embed schema/*.sql
var schemas embed.FS

// Memory as a directory keeps everything in memory, and large files in a
// temporary folder that Close removes.
const Memory = ":memory:"

// databaseFile is the database in a directory.
const databaseFile = "esa.db"

// Store is an open state. Two processes may have one directory open.
type Store struct {
	name      string                 // of the database, for the driver
	db        atomic.Pointer[sql.DB] // another one during a Whole
	keeper    *sql.DB                // of a database in memory; nil otherwise
	blobs     string
	temporary bool
	account   Account

	// writing has room for the one transaction at a time: those of this process
	// wait here, for waiting for the database's own lock is a sleep that gets
	// longer each time.
	writing chan struct{}

	versionStmt func() (*sql.Stmt, error) // prepared on first use, closed with the database
}

// Account is what the local ESA made up for its one account, once per state.
type Account struct {
	AccessKeyID     string
	AccessKeySecret string
	// Hash is the 8 hex digits in the default domains of the account's routines.
	Hash string
	// TokenKey signs the access tokens of default domains.
	TokenKey []byte
}

// Open opens the state in dir, making it if needed.
func Open(ctx context.Context, dir string) (*Store, error) {
	s, err := open(dir)
	if err != nil {
		return nil, fmt.Errorf("open local ESA state in %s: %w: give a folder that can be made and written", dir, err)
	}
	s.writing = make(chan struct{}, 1)
	s.versionStmt = sync.OnceValues(func() (*sql.Stmt, error) { return s.DB().Prepare(`SELECT n FROM config_version`) })
	if err := s.prepare(ctx); err != nil {
		s.Close()
		if _, ok := errors.AsType[*sqlite.Error](err); ok && dir != Memory {
			err = fmt.Errorf("%w: give a folder that can be written, in which %s is a local ESA's or does not exist", err, databaseFile)
		}
		return nil, fmt.Errorf("prepare local ESA state in %s: %w", dir, err)
	}
	return s, nil
}

func open(dir string) (*Store, error) {
	pragmas := "_txlock=immediate&_pragma=busy_timeout(10000)&_pragma=foreign_keys(1)"
	if dir == Memory {
		blobs, err := os.MkdirTemp("", "esa-local-")
		if err != nil {
			return nil, err
		}
		s := &Store{name: "file:/esa-" + randomHex(8) + "?vfs=memdb&" + pragmas, blobs: blobs, temporary: true}
		if err := s.openMemory(); err != nil {
			return nil, errors.Join(err, os.RemoveAll(blobs))
		}
		return s, nil
	}
	blobs := filepath.Join(dir, "blobs")
	if err := os.MkdirAll(blobs, 0o700); err != nil {
		return nil, err
	}
	path := filepath.Join(dir, databaseFile)
	// It has keys: the folder may be one that others look into.
	if made, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL, 0o600); err == nil {
		made.Close()
	} // or else it is there already, or the driver says why it cannot be
	file := (&url.URL{Scheme: "file", Opaque: url.PathEscape(filepath.ToSlash(path))}).String()
	s := &Store{name: file + "?" + pragmas + "&_pragma=journal_mode(WAL)&_pragma=synchronous(NORMAL)&_pragma=cache_size(-6000)", blobs: blobs}
	db, err := sql.Open("sqlite", s.name)
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(8)
	db.SetMaxIdleConns(8) // opening one costs a thousand questions
	s.db.Store(db)
	return s, nil
}

// openMemory makes a database in memory that lives for as long as the keeper, which
// has a connection to it that nobody uses: the driver drops a connection whose
// question was cancelled at the wrong moment, and a database in memory ends with
// its last one.
func (s *Store) openMemory() (err error) {
	if s.keeper, err = sql.Open("sqlite", s.name); err != nil {
		return err
	}
	s.keeper.SetMaxIdleConns(1)
	if err = s.keeper.Ping(); err != nil {
		return errors.Join(err, s.keeper.Close())
	}
	db, err := sql.Open("sqlite", s.name)
	if err != nil {
		return errors.Join(err, s.keeper.Close())
	}
	db.SetMaxOpenConns(1) // two would wait for each other's locks
	s.db.Store(db)
	return nil
}

func (s *Store) prepare(ctx context.Context) error {
	names, err := fs.Glob(schemas, "schema/*.sql")
	if err != nil {
		return err
	}
	return s.Tx(ctx, func(tx *sql.Tx) error {
		for _, name := range names {
			text, err := schemas.ReadFile(name)
			if err != nil {
				return err
			}
			if _, err := tx.ExecContext(ctx, string(text)); err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
		}
		if err := watch(ctx, tx); err != nil {
			return err
		}
		return s.loadAccount(ctx, tx)
	})
}

func (s *Store) loadAccount(ctx context.Context, tx *sql.Tx) error {
	row := tx.QueryRowContext(ctx, `SELECT access_key_id, access_key_secret, hash, token_key FROM account`)
	err := row.Scan(&s.account.AccessKeyID, &s.account.AccessKeySecret, &s.account.Hash, &s.account.TokenKey)
	if !errors.Is(err, sql.ErrNoRows) {
		return err
	}
	s.account = Account{
		AccessKeyID:     "LTAI" + strings.ToUpper(randomHex(10)),
		AccessKeySecret: randomHex(15),
		Hash:            randomHex(4),
		TokenKey:        []byte(randomHex(16)),
	}
	_, err = tx.ExecContext(ctx, `INSERT INTO account (access_key_id, access_key_secret, hash, token_key) VALUES (?, ?, ?, ?)`,
		s.account.AccessKeyID, s.account.AccessKeySecret, s.account.Hash, s.account.TokenKey)
	return err
}

func randomHex(n int) string {
	b := make([]byte, n)
	rand.Read(b) // never fails
	return hex.EncodeToString(b)
}

// Account returns the state's account.
func (s *Store) Account() Account { return s.account }

// DB is for reads outside a transaction.
func (s *Store) DB() *sql.DB { return s.db.Load() }

// BlobDir is the folder for large files.
func (s *Store) BlobDir() string { return s.blobs }

// Tx runs fn in one transaction that holds the write lock from its start, and
// commits if fn returns nil. fn must not call Tx again. With in-memory state there
// is one connection: fn must use tx alone, never DB.
func (s *Store) Tx(ctx context.Context, fn func(tx *sql.Tx) error) error {
	select {
	case s.writing <- struct{}{}:
		defer func() { <-s.writing }()
	case <-ctx.Done():
		return ctx.Err()
	}
	tx, err := s.DB().BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	if err := fn(tx); err != nil {
		return errors.Join(err, tx.Rollback())
	}
	return tx.Commit()
}

// Exec is a transaction of one statement.
func (s *Store) Exec(ctx context.Context, query string, args ...any) (result sql.Result, err error) {
	err = s.Tx(ctx, func(tx *sql.Tx) error {
		result, err = tx.ExecContext(ctx, query, args...)
		return err
	})
	return result, err
}

// Close closes the state; what was only in memory is gone.
func (s *Store) Close() error {
	err := s.DB().Close()
	if s.temporary {
		err = errors.Join(err, s.keeper.Close(), os.RemoveAll(s.blobs))
	}
	return err
}
