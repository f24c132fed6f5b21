package routine

import (
	"archive/zip"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/esa-mcp/esa-mcp/internal/local/api"
	"github.com/esa-mcp/esa-mcp/internal/local/state"
)

// StoredVersion is a code version with all that it has.
type StoredVersion struct {
	Description, NotFound, ExtraInfo, DeployEnv string
	BuildID                                     *int64
	Status, Reason                              string // available, init or failed; why it failed
	HasCode                                     bool
	Code                                        []byte
	Assets                                      []StoredAsset
}

// StoredAsset is a file of a version: Path is "/index.html".
type StoredAsset struct {
	Path    string
	Content []byte
}

// ReadVersions calls fn with each version of a routine, oldest first, and with
// the bytes of its assets. size says how many bytes a version will have before
// they are read, so that the caller can refuse.
func ReadVersions(ctx context.Context, tx *sql.Tx, store *state.Store, routineID int64, size func(int64) error,
	fn func(codeVersion string, v StoredVersion) error) error {
	rows, err := tx.QueryContext(ctx, `SELECT code_version, status, reason, description, not_found_strategy, build_id, extra_info,
		deploy_env, has_code, code, pack, manifest FROM routine_versions WHERE routine_id = ? ORDER BY code_version`, routineID)
	if err != nil {
		return fmt.Errorf("list versions: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var v StoredVersion
		var codeVersion, pack string
		var buildID sql.NullInt64
		var manifest []byte
		if err := rows.Scan(&codeVersion, &v.Status, &v.Reason, &v.Description, &v.NotFound, &buildID, &v.ExtraInfo,
			&v.DeployEnv, &v.HasCode, &v.Code, &pack, &manifest); err != nil {
			return fmt.Errorf("read a version: %w", err)
		}
		if buildID.Valid {
			v.BuildID = &buildID.Int64
		}
		var assets []Asset
		if len(manifest) > 0 {
			if err := json.Unmarshal(manifest, &assets); err != nil {
				return fmt.Errorf("read the files of version %s: %w", codeVersion, err)
			}
		}
		total := int64(len(v.Code))
		for _, a := range assets {
			total += a.Size
		}
		if err := size(total); err != nil {
			return err
		}
		if v.Assets, err = readPack(filepath.Join(store.BlobDir(), filepath.FromSlash(pack)), assets); err != nil {
			return fmt.Errorf("read the files of version %s: %w", codeVersion, err)
		}
		if err := fn(codeVersion, v); err != nil {
			return err
		}
	}
	return rows.Err()
}

func readPack(path string, assets []Asset) ([]StoredAsset, error) {
	if len(assets) == 0 {
		return nil, nil
	}
	pack, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer pack.Close() // only read
	var out []StoredAsset
	for _, a := range assets {
		content := make([]byte, a.Size)
		if _, err := pack.ReadAt(content, a.Offset); err != nil && !errors.Is(err, io.EOF) {
			return nil, fmt.Errorf("%s: %w", a.Path, err)
		}
		out = append(out, StoredAsset{a.Path, content})
	}
	return out, nil
}

// Restore adds a version to a routine, as an upload would: what a build refuses
// is refused. Nobody else may use the service meanwhile.
func (s *Service) Restore(ctx context.Context, name string, v StoredVersion) (codeVersion string, err error) {
	row := newVersion{status: v.Status, description: v.Description, extraInfo: v.ExtraInfo, deployEnv: v.DeployEnv, notFound: v.NotFound}
	if v.BuildID != nil {
		row.buildID = sql.NullInt64{Int64: *v.BuildID, Valid: true}
	}
	build := build{}
	switch {
	case v.Status != statusAvailable && v.Status != statusInit && v.Status != statusFailed:
		return "", fmt.Errorf("the status %q is none of %s, %s, %s", v.Status, statusAvailable, statusInit, statusFailed)
	case int64(len(v.Code)) > s.cfg.Limits.MaxCode:
		return "", fmt.Errorf("the script has %d bytes, more than %d", len(v.Code), s.cfg.Limits.MaxCode)
	case v.Status == statusAvailable && len(v.Assets) > 0:
		row.status = statusInit
		if build.upload, err = s.writeZip(v); err != nil {
			return "", err
		}
	default:
		row.hasCode, row.code = v.HasCode, v.Code
	}
	err = s.store.Tx(ctx, func(tx *sql.Tx) error {
		id, _, err := routineID(ctx, tx, api.Params{"Name": name})
		if err != nil {
			return err
		}
		if codeVersion, err = s.insertVersion(ctx, tx, id, name, row); err != nil {
			return err
		}
		build.routineID, build.codeVersion = id, codeVersion
		_, err = tx.ExecContext(ctx, `UPDATE routine_versions SET reason = ?, upload = ? WHERE routine_id = ? AND code_version = ?`,
			v.Reason, build.upload, id, codeVersion)
		return err
	})
	if err != nil || build.upload == "" {
		s.removeFiles(build.upload)
		return codeVersion, err
	}
	pack, got, err := s.unpackUpload(ctx, build)
	if err != nil {
		s.removeFiles(pack, build.upload)
		_, gone := s.store.Exec(ctx, `DELETE FROM routine_versions WHERE routine_id = ? AND code_version = ?`, build.routineID, codeVersion)
		return "", errors.Join(err, gone)
	}
	s.restored = append(s.restored, pack)
	return codeVersion, s.finish(ctx, build, statusAvailable, "", pack, got)
}

// Forget removes the files of the versions that Restore made, which the state no
// longer has.
func (s *Service) Forget() {
	s.removeFiles(s.restored...)
	s.restored = nil
}

// writeZip writes the files of a version as an upload has them, and returns the
// upload's name below the blob folder.
func (s *Service) writeZip(v StoredVersion) (name string, err error) {
	slot, err := s.random(8)
	if err != nil {
		return "", err
	}
	name = packDir + "/restored-" + slot // a later Resume sweeps it if this process ends
	if err := os.MkdirAll(s.blob(packDir), 0o700); err != nil {
		return "", fmt.Errorf("make pack folder: %w", err)
	}
	file, err := os.OpenFile(s.blob(name), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return "", fmt.Errorf("write the files of a version: %w", err)
	}
	z := zip.NewWriter(file)
	add := func(path string, content []byte) error {
		w, err := z.CreateHeader(&zip.FileHeader{Name: path, Method: zip.Store}) // stays on this machine
		if err == nil {
			_, err = w.Write(content)
		}
		return err
	}
	if v.HasCode {
		err = add("routine/index.js", v.Code)
	}
	for _, a := range v.Assets {
		err = errors.Join(err, add("assets/"+strings.TrimPrefix(a.Path, "/"), a.Content))
	}
	if err = errors.Join(err, z.Close(), file.Close()); err != nil {
		s.removeFiles(name)
		return "", fmt.Errorf("write the files of a version: %w", err)
	}
	return name, nil
}

// RestoreStaged gives a routine the script that waits for its commit.
func (s *Service) RestoreStaged(ctx context.Context, name string, code []byte) error {
	if int64(len(code)) > s.cfg.Limits.MaxCode {
		return fmt.Errorf("the staged script has %d bytes, more than %d", len(code), s.cfg.Limits.MaxCode)
	}
	if _, err := s.store.Exec(ctx, `UPDATE routines SET staged_code = ? WHERE name = ?`, code, name); err != nil {
		return fmt.Errorf("store the staged script: %w", err)
	}
	return nil
}
