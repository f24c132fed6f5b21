package routine

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/esa-mcp/esa-mcp/internal/local/oss"
)

// packDir is the folder of the packs below the blob folder.
const packDir = "packs"

// strayAge is how old a file must be to count as left behind: a younger one may
// be the work of another process that has not registered it yet.
const strayAge = time.Hour

// build names a version to be built and its zip.
type build struct {
	routineID   int64
	codeVersion string
	upload      string
}

// Resume starts the builds again that a crash left unfinished, and removes files
// that no version names. Another process may be building the same versions: both
// then do the work, and the first one's result counts.
func (s *Service) Resume(ctx context.Context) error {
	rows, err := s.store.DB().QueryContext(ctx, `SELECT routine_id, code_version, upload, pack FROM routine_versions
		WHERE upload != '' OR pack != ''`)
	if err != nil {
		return fmt.Errorf("list unfinished builds: %w", err)
	}
	defer rows.Close()
	var unfinished []build
	used := map[string]bool{}
	for rows.Next() {
		var b build
		var pack string
		if err := rows.Scan(&b.routineID, &b.codeVersion, &b.upload, &pack); err != nil {
			return fmt.Errorf("list unfinished builds: %w", err)
		}
		used[s.blob(pack)], used[s.blob(b.upload)] = true, true
		if b.upload != "" {
			unfinished = append(unfinished, b)
		}
	}
	if err := errors.Join(rows.Err(), rows.Close()); err != nil {
		return fmt.Errorf("list unfinished builds: %w", err)
	}
	for _, b := range unfinished {
		s.build(b)
	}
	return s.sweep(func(path string) bool { return used[path] })
}

// sweep removes old files that keep does not claim. The age is the files' own,
// so it is held against the real clock.
func (s *Service) sweep(keep func(path string) bool) error {
	before := time.Now().Add(-strayAge)
	if err := oss.Sweep(s.store.BlobDir(), before, keep); err != nil {
		return err
	}
	packs, err := filepath.Glob(filepath.Join(s.store.BlobDir(), packDir, "*"))
	if err != nil {
		return fmt.Errorf("list packs: %w", err)
	}
	for _, path := range packs {
		info, err := os.Stat(path)
		if err != nil || !info.ModTime().Before(before) || keep(path) {
			continue
		}
		if err := removeIfThere(path); err != nil {
			return err
		}
	}
	return nil
}

// build builds a version in the background, or leaves it to Resume of a later
// service if this one is closed.
func (s *Service) build(b build) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return
	}
	s.builds.Go(func() {
		select {
		case s.slots <- struct{}{}:
			defer func() { <-s.slots }()
		case <-s.ctx.Done():
			return
		}
		if err := s.runBuild(s.ctx, b); err != nil && s.ctx.Err() == nil {
			s.cfg.Logger.Error("version stays unbuilt until the next start", "code_version", b.codeVersion, "error", err)
		}
	})
}

// runBuild builds a version and records how it ended. An error means that
// neither was possible.
func (s *Service) runBuild(ctx context.Context, b build) error {
	started := time.Now()
	var name string
	err := s.store.DB().QueryRowContext(ctx, `SELECT r.name FROM routine_versions v JOIN routines r ON r.id = v.routine_id
		WHERE v.routine_id = ? AND v.code_version = ? AND v.status = ?`, b.routineID, b.codeVersion, statusInit).Scan(&name)
	if isNoRows(err) {
		return nil // deleted, or another process was first
	}
	if err != nil {
		return fmt.Errorf("read version to build: %w", err)
	}
	log := s.cfg.Logger.With("routine", name, "code_version", b.codeVersion)
	pack, got, err := s.unpackVersion(ctx, name, b)
	if ctx.Err() != nil {
		s.removeFiles(pack)
		return ctx.Err() // the build did not fail, it was stopped
	}
	if err != nil {
		s.removeFiles(pack)
		log.Warn("version build failed", "reason", err)
		return s.finish(ctx, b, statusFailed, strings.TrimSpace(err.Error()), "", contents{})
	}
	if err := s.finish(ctx, b, statusAvailable, "", pack, got); err != nil {
		return err
	}
	log.Debug("version built", "assets", len(got.assets), "bytes", got.size, "code", len(got.code), "took", time.Since(started))
	return nil
}

// unpackVersion runs the test hook and unpacks the zip into a new pack.
func (s *Service) unpackVersion(ctx context.Context, name string, b build) (pack string, got contents, err error) {
	if s.cfg.BeforeBuild != nil {
		if err := s.cfg.BeforeBuild(ctx, name, b.codeVersion); err != nil {
			return "", contents{}, err
		}
	}
	return s.unpackUpload(ctx, b)
}

// unpackUpload unpacks the zip of a version into a new pack.
func (s *Service) unpackUpload(ctx context.Context, b build) (pack string, got contents, err error) {
	if err := os.MkdirAll(s.blob(packDir), 0o700); err != nil {
		return "", contents{}, fmt.Errorf("make pack folder: %w", err)
	}
	// Each attempt has a file of its own, so that two processes that build the
	// same version do not meet.
	slot, err := s.random(8)
	if err != nil {
		return "", contents{}, err
	}
	pack = packDir + "/" + b.codeVersion + "-" + slot
	got, err = unpack(ctx, s.blob(b.upload), s.blob(pack), s.cfg.Limits)
	if err == nil && len(got.assets) == 0 {
		s.removeFiles(pack)
		pack = ""
	}
	return pack, got, err
}

// finish records the end of a build and removes the zip. If the version is gone
// or was finished by another process, the result is dropped.
func (s *Service) finish(ctx context.Context, b build, status, reason, pack string, got contents) error {
	manifest, err := json.Marshal(got.assets)
	if err != nil {
		return fmt.Errorf("write manifest: %w", err)
	}
	var changed int64
	err = s.store.Tx(ctx, func(tx *sql.Tx) error {
		res, err := tx.ExecContext(ctx, `UPDATE routine_versions
			SET status = ?, reason = ?, pack = ?, manifest = ?, code = ?, has_assets = ?, has_code = ?, upload = ''
			WHERE routine_id = ? AND code_version = ? AND status = ?`,
			status, reason, pack, manifest, got.code, len(got.assets) > 0, got.code != nil, b.routineID, b.codeVersion, statusInit)
		if err != nil {
			return err
		}
		changed, err = res.RowsAffected()
		return err
	})
	if err != nil {
		s.removeFiles(pack)
		return fmt.Errorf("record build: %w", err)
	}
	if changed == 0 {
		s.removeFiles(pack)
	}
	s.removeFiles(b.upload)
	return nil
}
