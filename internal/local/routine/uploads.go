package routine

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"io/fs"
	"os"
	"path/filepath"

	"github.com/esa-mcp/esa-mcp/internal/local/oss"
)

// upload says what an object is for.
type upload struct {
	key         string
	routineID   int64
	codeVersion string // empty: the staged script
}

// grantUpload notes what the object will be for and lets one be uploaded.
func (s *Service) grantUpload(ctx context.Context, tx *sql.Tx, u upload, maxBytes int64) (oss.Grant, error) {
	now := s.cfg.Now()
	// Slots that were never used are forgotten a day after they ended.
	_, err := tx.ExecContext(ctx, `DELETE FROM routine_uploads WHERE created_at < ?`,
		now.Add(-s.cfg.UploadTTL).AddDate(0, 0, -1).UnixNano())
	if err != nil {
		return oss.Grant{}, fmt.Errorf("forget old uploads: %w", err)
	}
	_, err = tx.ExecContext(ctx, `INSERT INTO routine_uploads (object_key, routine_id, code_version, created_at) VALUES (?, ?, ?, ?)`,
		u.key, u.routineID, u.codeVersion, now.UnixNano())
	if err != nil {
		return oss.Grant{}, fmt.Errorf("store upload: %w", err)
	}
	return oss.Issue(ctx, tx, s.cfg.Random, oss.GrantRequest{
		Key: u.key, MinBytes: 1, MaxBytes: maxBytes,
		Now: now, Expires: now.Add(s.cfg.UploadTTL),
		Temporary: u.codeVersion != "",
	})
}

// Uploaded takes over an object that arrived in the object storage; it is what
// oss.Config.Uploaded has to be. A script is staged, and a zip starts the build
// of its version. Objects that no version waits for any more are dropped: a
// client that sends a file twice has still succeeded.
func (s *Service) Uploaded(ctx context.Context, object oss.Object) error {
	u := upload{key: object.Key}
	err := s.store.DB().QueryRowContext(ctx, `SELECT routine_id, code_version FROM routine_uploads WHERE object_key = ?`, object.Key).
		Scan(&u.routineID, &u.codeVersion)
	if isNoRows(err) {
		s.cfg.Logger.InfoContext(ctx, "uploaded object belongs to no routine", "key", object.Key)
		return removeIfThere(object.Path)
	}
	if err != nil {
		return fmt.Errorf("look up upload: %w", err)
	}
	if u.codeVersion == "" {
		return s.stage(ctx, u, object)
	}
	return s.startBuild(ctx, u, object)
}

// stage keeps a script as the routine's staged code.
func (s *Service) stage(ctx context.Context, u upload, object oss.Object) error {
	if !object.Callback {
		// As with the service: without the callback nobody hears of the object.
		s.cfg.Logger.WarnContext(ctx, "code was uploaded without the callback field, so it is not staged", "key", object.Key)
		return removeIfThere(object.Path)
	}
	code, err := os.ReadFile(object.Path) // bounded by the grant
	if err != nil {
		return fmt.Errorf("read uploaded code: %w", err)
	}
	err = s.store.Tx(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `UPDATE routines SET staged_code = ? WHERE id = ?`, code, u.routineID)
		return err
	})
	if err != nil {
		return fmt.Errorf("stage uploaded code: %w", err)
	}
	return removeIfThere(object.Path)
}

// startBuild claims the version for this object and builds it in the background.
func (s *Service) startBuild(ctx context.Context, u upload, object oss.Object) error {
	name, err := filepath.Rel(s.store.BlobDir(), object.Path)
	if err != nil {
		return fmt.Errorf("place uploaded zip: %w", err)
	}
	var claimed int64
	err = s.store.Tx(ctx, func(tx *sql.Tx) error {
		res, err := tx.ExecContext(ctx, `UPDATE routine_versions SET upload = ?
			WHERE routine_id = ? AND code_version = ? AND status = ? AND upload = ''`,
			filepath.ToSlash(name), u.routineID, u.codeVersion, statusInit)
		if err != nil {
			return err
		}
		claimed, err = res.RowsAffected()
		return err
	})
	if err != nil {
		return fmt.Errorf("register uploaded zip: %w", err)
	}
	if claimed == 0 {
		return removeIfThere(object.Path)
	}
	s.build(build{u.routineID, u.codeVersion, filepath.ToSlash(name)})
	return nil
}

// blob is the path of a file of the blob folder.
func (s *Service) blob(name string) string {
	return filepath.Join(s.store.BlobDir(), filepath.FromSlash(name))
}

// removeFiles removes files of the blob folder that no row names any more. One
// that cannot be removed now, because a response is still reading it on a system
// that forbids that, is swept by a later Resume.
func (s *Service) removeFiles(names ...string) {
	for _, name := range names {
		if name == "" {
			continue
		}
		if err := removeIfThere(s.blob(name)); err != nil {
			s.cfg.Logger.Warn("file stays until the next start", "error", err)
		}
	}
}

func removeIfThere(path string) error {
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("remove file: %w", err)
	}
	return nil
}
