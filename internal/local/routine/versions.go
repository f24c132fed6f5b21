package routine

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"

	"github.com/esa-mcp/esa-mcp/internal/local/api"
	"github.com/esa-mcp/esa-mcp/internal/local/oss"
	"github.com/esa-mcp/esa-mcp/internal/local/quota"
)

// The states of a version.
const (
	statusInit      = "init"      // waits for its upload, or is being built
	statusAvailable = "available" // can be deployed
	statusFailed    = "failed"    // never will be
)

// The not-found strategies.
const (
	SinglePageApplication = "SinglePageApplication" // unknown paths show /index.html with 200
	NotFoundPage          = "404Page"               // unknown paths show /404.html with 404
)

// newVersion is what insertVersion stores.
type newVersion struct {
	status      string
	description string
	notFound    string
	buildID     sql.NullInt64
	extraInfo   string
	deployEnv   string
	hasCode     bool
	code        []byte
}

// insertVersion adds a version to a routine if it has room and returns its id.
func (s *Service) insertVersion(ctx context.Context, tx *sql.Tx, routineID int64, name string, v newVersion) (string, error) {
	if err := s.checkVersionQuota(ctx, tx, routineID, name); err != nil {
		return "", err
	}
	codeVersion, err := s.nextID(ctx, tx)
	if err != nil {
		return "", err
	}
	_, err = tx.ExecContext(ctx, `INSERT INTO routine_versions (routine_id, code_version, status, description,
			not_found_strategy, build_id, extra_info, deploy_env, has_assets, has_code, created_at, code)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, 0, ?, ?, ?)`,
		routineID, codeVersion, v.status, v.description, v.notFound, v.buildID, v.extraInfo, v.deployEnv, v.hasCode,
		s.cfg.Now().UnixNano(), v.code)
	if err != nil {
		return "", fmt.Errorf("store version: %w", err)
	}
	return codeVersion, nil
}

// checkVersionQuota refuses one more version than a routine keeps.
func (s *Service) checkVersionQuota(ctx context.Context, q querier, routineID int64, name string) error {
	var used int
	err := q.QueryRowContext(ctx, `SELECT count(*) FROM routine_versions WHERE routine_id = ?`, routineID).Scan(&used)
	if err != nil {
		return fmt.Errorf("count versions: %w", err)
	}
	if used >= s.cfg.quota(quota.RoutineVersions) {
		return api.Errorf(400, codeVersionQuota, "The routine %q keeps %d code versions, which is the most it can. "+
			"Delete versions that are not deployed with DeleteRoutineCodeVersion first.", name, used)
	}
	return nil
}

// confOptions is the ConfOptions parameter and answer.
type confOptions struct {
	NotFoundStrategy string `json:",omitempty"`
}

// versionOf reads and checks the parameters of a version with assets.
func versionOf(p api.Params) (newVersion, error) {
	v := newVersion{status: statusInit, description: p.String("CodeDescription"), extraInfo: p.String("ExtraInfo")}
	var conf confOptions
	if _, err := p.JSON("ConfOptions", &conf); err != nil {
		return v, err
	}
	switch {
	case conf.NotFoundStrategy == "":
	case strings.EqualFold(conf.NotFoundStrategy, SinglePageApplication):
		v.notFound = SinglePageApplication
	case strings.EqualFold(conf.NotFoundStrategy, NotFoundPage):
		v.notFound = NotFoundPage
	default:
		return v, api.Errorf(400, "InvalidConfOptions", "ConfOptions.NotFoundStrategy must be %s or %s, not %.80q.",
			SinglePageApplication, NotFoundPage, conf.NotFoundStrategy)
	}
	if p.String("BuildId") != "" {
		id, err := p.Int("BuildId", 0)
		if err != nil {
			return v, err
		}
		v.buildID = sql.NullInt64{Int64: id, Valid: true}
	}
	if v.deployEnv = p.String("DeployEnv"); v.deployEnv != "" {
		if _, err := envOf("DeployEnv", v.deployEnv); err != nil {
			return v, err
		}
	}
	return v, nil
}

// ossPostConfig is the upload form of a version with assets.
type ossPostConfig struct {
	URL               string `json:"Url"`
	OSSAccessKeyID    string `json:"OSSAccessKeyId"`
	Signature         string
	Policy            string
	Key               string
	XOssSecurityToken string
}

// createAssetsVersion makes a version that waits for its zip.
func (s *Service) createAssetsVersion(ctx context.Context, r *api.Request) (any, error) {
	v, err := versionOf(r.Params)
	if err != nil {
		return nil, err
	}
	var codeVersion string
	var grant oss.Grant
	err = s.store.Tx(ctx, func(tx *sql.Tx) error {
		id, name, err := routineID(ctx, tx, r.Params)
		if err != nil {
			return err
		}
		if codeVersion, err = s.insertVersion(ctx, tx, id, name, v); err != nil {
			return err
		}
		slot, err := s.random(8)
		if err != nil {
			return err
		}
		key := "site_er_assets/" + name + "." + codeVersion + "." + slot + ".zip"
		grant, err = s.grantUpload(ctx, tx, upload{key, id, codeVersion}, s.cfg.Limits.MaxUpload)
		return err
	})
	if err != nil {
		return nil, err
	}
	return struct {
		CodeVersion   string
		Status        string
		OssPostConfig ossPostConfig
	}{codeVersion, statusInit, ossPostConfig{
		URL: oss.URL(r.BaseURL), OSSAccessKeyID: grant.AccessKeyID, Signature: grant.Signature,
		Policy: grant.Policy, Key: grant.Key, XOssSecurityToken: grant.SecurityToken,
	}}, nil
}

// versionRow is a version as the operations show it.
type versionRow struct {
	codeVersion, status, description, notFound, extraInfo, deployEnv string
	buildID                                                          sql.NullInt64
	hasAssets                                                        bool
	created                                                          int64
}

const versionColumns = `code_version, status, description, not_found_strategy, extra_info, deploy_env, build_id, has_assets, created_at`

func (v *versionRow) scan(row interface{ Scan(...any) error }) error {
	return row.Scan(&v.codeVersion, &v.status, &v.description, &v.notFound, &v.extraInfo, &v.deployEnv, &v.buildID, &v.hasAssets, &v.created)
}

func (v *versionRow) build() *int64 {
	if !v.buildID.Valid {
		return nil
	}
	return &v.buildID.Int64
}

type versionInfo struct {
	CodeVersion     string
	Status          string
	CodeDescription string
	ConfOptions     confOptions
	BuildID         *int64 `json:"BuildId,omitempty"`
	ExtraInfo       string
	HasAssets       bool
	CreateTime      string
}

func (s *Service) getVersionInfo(ctx context.Context, r *api.Request) (any, error) {
	id, name, err := routineID(ctx, s.store.DB(), r.Params)
	if err != nil {
		return nil, err
	}
	codeVersion, err := required(r.Params, "CodeVersion")
	if err != nil {
		return nil, err
	}
	var v versionRow
	err = v.scan(s.store.DB().QueryRowContext(ctx, `SELECT `+versionColumns+` FROM routine_versions
		WHERE routine_id = ? AND code_version = ?`, id, codeVersion))
	if isNoRows(err) {
		return nil, noVersion(name, codeVersion)
	}
	if err != nil {
		return nil, fmt.Errorf("read version: %w", err)
	}
	return versionInfo{
		CodeVersion: v.codeVersion, Status: v.status, CodeDescription: v.description,
		ConfOptions: confOptions{v.notFound}, BuildID: v.build(), ExtraInfo: v.extraInfo,
		HasAssets: v.hasAssets, CreateTime: timeText(v.created),
	}, nil
}

func noVersion(name, codeVersion string) *api.Error {
	return api.Errorf(404, codeNoVersion, "The routine %q has no code version %.80q.", name, codeVersion)
}

type listedVersion struct {
	CodeVersion     string
	Status          string
	CodeDescription string
	ConfOptions     confOptions
	BuildID         *int64 `json:"BuildId,omitempty"`
	DeployEnv       string
	ExtraInfo       string
	HasEnvVars      bool // the local ESA has no environment variables yet
	CreateTime      string
}

type versionsAnswer struct {
	PageNumber, PageSize, TotalCount int64
	CodeVersions                     []listedVersion
}

// listVersions lists the newest first.
func (s *Service) listVersions(ctx context.Context, r *api.Request) (any, error) {
	p, err := pageOf(r.Params, 2, 20)
	if err != nil {
		return nil, err
	}
	id, _, err := routineID(ctx, s.store.DB(), r.Params)
	if err != nil {
		return nil, err
	}
	const matching = ` FROM routine_versions WHERE routine_id = ? AND (instr(code_version, ?) > 0 OR instr(lower(description), lower(?)) > 0)`
	word := r.Params.String("SearchKeyWord")
	out := versionsAnswer{PageNumber: p.Number, PageSize: p.Size, CodeVersions: []listedVersion{}}
	if err := s.store.DB().QueryRowContext(ctx, `SELECT count(*)`+matching, id, word, word).Scan(&out.TotalCount); err != nil {
		return nil, fmt.Errorf("count versions: %w", err)
	}
	rows, err := s.store.DB().QueryContext(ctx, `SELECT `+versionColumns+matching+` ORDER BY code_version DESC LIMIT ? OFFSET ?`,
		id, word, word, p.Size, p.Offset())
	if err != nil {
		return nil, fmt.Errorf("list versions: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var v versionRow
		if err := v.scan(rows); err != nil {
			return nil, fmt.Errorf("list versions: %w", err)
		}
		out.CodeVersions = append(out.CodeVersions, listedVersion{
			CodeVersion: v.codeVersion, Status: v.status, CodeDescription: v.description,
			ConfOptions: confOptions{v.notFound}, BuildID: v.build(), DeployEnv: v.deployEnv,
			ExtraInfo: v.extraInfo, CreateTime: timeText(v.created),
		})
	}
	return out, rows.Err()
}

// deleteVersion refuses a version that is deployed. One that is being built
// loses its build.
func (s *Service) deleteVersion(ctx context.Context, r *api.Request) (any, error) {
	codeVersion, err := required(r.Params, "CodeVersion")
	if err != nil {
		return nil, err
	}
	var pack, zip string
	err = s.store.Tx(ctx, func(tx *sql.Tx) error {
		id, name, err := routineID(ctx, tx, r.Params)
		if err != nil {
			return err
		}
		for _, env := range []Env{Staging, Production} {
			live, err := readShares(ctx, tx, id, env)
			if err != nil {
				return err
			}
			for _, share := range live {
				if share.CodeVersion == codeVersion {
					return api.Errorf(400, codeInUse, "The code version %s of routine %q is deployed to %s. "+
						"Deploy another version there first.", codeVersion, name, env)
				}
			}
		}
		err = tx.QueryRowContext(ctx, `DELETE FROM routine_versions WHERE routine_id = ? AND code_version = ?
			RETURNING pack, upload`, id, codeVersion).Scan(&pack, &zip)
		if isNoRows(err) {
			return noVersion(name, codeVersion)
		}
		if err != nil {
			return fmt.Errorf("delete version: %w", err)
		}
		_, err = tx.ExecContext(ctx, `DELETE FROM routine_uploads WHERE routine_id = ? AND code_version = ?`, id, codeVersion)
		if err != nil {
			return fmt.Errorf("delete version's upload: %w", err)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	s.removeFiles(pack, zip)
	return ok{"OK"}, nil
}

// FailureReason tells why the build of a version failed; empty if it did not.
// The API has no field for it, so it is for logs and tests.
func (s *Service) FailureReason(ctx context.Context, name, codeVersion string) (string, error) {
	var reason string
	err := s.store.DB().QueryRowContext(ctx, `SELECT v.reason FROM routine_versions v JOIN routines r ON r.id = v.routine_id
		WHERE r.name = ? AND v.code_version = ?`, name, codeVersion).Scan(&reason)
	if isNoRows(err) {
		return "", errors.New("read failure reason: no such version")
	}
	if err != nil {
		return "", fmt.Errorf("read failure reason: %w", err)
	}
	return reason, nil
}
