package routine

import (
	"context"
	"database/sql"
	"encoding/base64"
	"encoding/json"
	"fmt"

	"github.com/esa-mcp/esa-mcp/internal/local/api"
	"github.com/esa-mcp/esa-mcp/internal/local/oss"
)

// unstable is how the service calls the staged script, which is no version yet.
const unstable = "unstable"

// getStagingUploadInfo gives out an upload address for one script.
func (s *Service) getStagingUploadInfo(ctx context.Context, r *api.Request) (any, error) {
	var grant oss.Grant
	err := s.store.Tx(ctx, func(tx *sql.Tx) error {
		id, name, err := routineID(ctx, tx, r.Params)
		if err != nil {
			return err
		}
		if err := s.checkVersionQuota(ctx, tx, id, name); err != nil {
			return err
		}
		slot, err := s.random(8)
		if err != nil {
			return err
		}
		key := "site_er_js/" + name + "." + slot + ".unstable.js"
		grant, err = s.grantUpload(ctx, tx, upload{key: key, routineID: id}, s.cfg.Limits.MaxCode)
		return err
	})
	if err != nil {
		return nil, err
	}
	// Nobody calls this address: the object storage tells the service directly.
	// Clients pass it on unread, but a form without it registers nothing.
	callback, err := json.Marshal(map[string]string{
		"callbackUrl":      r.BaseURL + "/oss-callback",
		"callbackBody":     "object=${object}&size=${size}&codeDescription=${x:codeDescription}",
		"callbackBodyType": "application/x-www-form-urlencoded",
	})
	if err != nil {
		return nil, fmt.Errorf("write upload callback: %w", err)
	}
	return struct {
		CodeVersion   string
		OssPostConfig map[string]string
	}{unstable, map[string]string{
		"Url":               oss.URL(r.BaseURL),
		"OSSAccessKeyId":    grant.AccessKeyID,
		"Signature":         grant.Signature,
		"policy":            grant.Policy,
		"key":               grant.Key,
		"callback":          base64.StdEncoding.EncodeToString(callback),
		"x:codeDescription": r.Params.String("CodeDescription"),
	}}, nil
}

// commitStagingCode makes a version of the staged script. The script stays
// staged, so a second commit makes a second version of it.
func (s *Service) commitStagingCode(ctx context.Context, r *api.Request) (any, error) {
	v := newVersion{status: statusAvailable, description: r.Params.String("CodeDescription"), hasCode: true}
	if v.deployEnv = r.Params.String("DeployEnv"); v.deployEnv != "" {
		if _, err := envOf("DeployEnv", v.deployEnv); err != nil {
			return nil, err
		}
	}
	var codeVersion string
	err := s.store.Tx(ctx, func(tx *sql.Tx) error {
		id, name, err := routineID(ctx, tx, r.Params)
		if err != nil {
			return err
		}
		err = tx.QueryRowContext(ctx, `SELECT staged_code FROM routines WHERE id = ?`, id).Scan(&v.code)
		if err != nil {
			return fmt.Errorf("read staged code: %w", err)
		}
		if len(v.code) == 0 {
			return api.Errorf(400, codeNoStagedCode, "The routine %q has no uploaded code to commit. "+
				"Upload a script with GetRoutineStagingCodeUploadInfo first; the form must carry its callback field.", name)
		}
		codeVersion, err = s.insertVersion(ctx, tx, id, name, v)
		return err
	})
	if err != nil {
		return nil, err
	}
	return struct{ CodeVersion string }{codeVersion}, nil
}
