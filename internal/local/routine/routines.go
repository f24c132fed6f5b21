package routine

import (
	"context"
	"database/sql"
	"fmt"
	"regexp"

	"github.com/esa-mcp/esa-mcp/internal/local/api"
	"github.com/esa-mcp/esa-mcp/internal/local/quota"
)

// maxName is the longest routine name: it becomes a label of a host name.
const maxName = 63

var validName = regexp.MustCompile(`^[a-z][a-z0-9-]+$`)

// ok is the answer of operations that only report success.
type ok struct{ Status string }

func (s *Service) createRoutine(ctx context.Context, r *api.Request) (any, error) {
	name, err := required(r.Params, "Name")
	if err != nil {
		return nil, err
	}
	if !validName.MatchString(name) || len(name) > maxName {
		return nil, api.Errorf(400, "InvalidName", "The routine name %.80q is invalid: it must have 2 to %d characters, "+
			"start with a lower-case letter, and have only lower-case letters, digits and hyphens.", name, maxName)
	}
	hasAssets, err := r.Params.Bool("HasAssets", false)
	if err != nil {
		return nil, err
	}
	err = s.store.Tx(ctx, func(tx *sql.Tx) error {
		var used, same int
		err := tx.QueryRowContext(ctx, `SELECT count(*), count(*) FILTER (WHERE name = ?) FROM routines`, name).Scan(&used, &same)
		if err != nil {
			return fmt.Errorf("count routines: %w", err)
		}
		if same > 0 {
			return api.Errorf(400, codeNameTaken, "The routine name %q already exists.", name)
		}
		if used >= s.cfg.quota(quota.Routines) {
			return api.Errorf(400, codeRoutineQuota, "The account has %d routines, which is the most it can have. Delete one first.", used)
		}
		_, err = tx.ExecContext(ctx, `INSERT INTO routines (name, description, has_assets, created_at) VALUES (?, ?, ?, ?)`,
			name, r.Params.String("Description"), hasAssets, s.cfg.Now().UnixNano())
		if err != nil {
			return fmt.Errorf("store routine: %w", err)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return ok{"OK"}, nil
}

// envAnswer is one environment in the answer of GetRoutine. An environment that
// nothing was deployed to has an empty list of versions.
type envAnswer struct {
	Env        Env
	CodeDeploy codeDeploy
}

type codeDeploy struct {
	DeployID     string `json:"DeployId"`
	CreationTime string
	Strategy     string
	CodeVersions []deployedVersion
}

type deployedVersion struct {
	CodeVersion string
	Percentage  int64
	Description string
	CreateTime  string
}

type routineAnswer struct {
	CreateTime           string
	DefaultRelatedRecord string
	Description          string
	HasAssets            bool
	Envs                 []envAnswer
}

func (s *Service) getRoutine(ctx context.Context, r *api.Request) (any, error) {
	var out routineAnswer
	// One transaction, so that a deployment in between does not show half.
	err := s.store.Tx(ctx, func(tx *sql.Tx) error {
		id, name, err := routineID(ctx, tx, r.Params)
		if err != nil {
			return err
		}
		var created int64
		err = tx.QueryRowContext(ctx, `SELECT description, has_assets, created_at FROM routines WHERE id = ?`, id).
			Scan(&out.Description, &out.HasAssets, &created)
		if err != nil {
			return fmt.Errorf("read routine: %w", err)
		}
		out.CreateTime, out.DefaultRelatedRecord = timeText(created), s.DefaultDomain(name, Production)
		out.Envs = nil
		for _, env := range []Env{Production, Staging} {
			deploy, err := readDeploy(ctx, tx, id, env)
			if err != nil {
				return err
			}
			out.Envs = append(out.Envs, envAnswer{env, deploy})
		}
		return nil
	})
	return out, err
}

type listedRoutine struct {
	RoutineName          string
	Description          string
	CreateTime           string
	DefaultRelatedRecord string
	HasAssets            bool
}

type routinesAnswer struct {
	PageNumber, PageSize, TotalCount      int64
	QuotaRoutineNumber, UsedRoutineNumber int64
	Routines                              []listedRoutine
}

func (s *Service) listUserRoutines(ctx context.Context, r *api.Request) (any, error) {
	p, err := pageOf(r.Params, 10, 50) // esa-cli asks for 50, whatever the documents say
	if err != nil {
		return nil, err
	}
	word := r.Params.String("SearchKeyWord")
	out := routinesAnswer{PageNumber: p.Number, PageSize: p.Size, QuotaRoutineNumber: int64(s.cfg.quota(quota.Routines)), Routines: []listedRoutine{}}
	db := s.store.DB()
	err = db.QueryRowContext(ctx, `SELECT count(*), count(*) FILTER (WHERE instr(name, lower(?)) > 0) FROM routines`, word).
		Scan(&out.UsedRoutineNumber, &out.TotalCount)
	if err != nil {
		return nil, fmt.Errorf("count routines: %w", err)
	}
	rows, err := db.QueryContext(ctx, `SELECT name, description, created_at, has_assets FROM routines
		WHERE instr(name, lower(?)) > 0 ORDER BY id DESC LIMIT ? OFFSET ?`, word, p.Size, p.Offset())
	if err != nil {
		return nil, fmt.Errorf("list routines: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var one listedRoutine
		var created int64
		if err := rows.Scan(&one.RoutineName, &one.Description, &created, &one.HasAssets); err != nil {
			return nil, fmt.Errorf("list routines: %w", err)
		}
		one.CreateTime, one.DefaultRelatedRecord = timeText(created), s.DefaultDomain(one.RoutineName, Production)
		out.Routines = append(out.Routines, one)
	}
	return out, rows.Err()
}

// deleteRoutine also ends what is deployed, as the service does.
func (s *Service) deleteRoutine(ctx context.Context, r *api.Request) (any, error) {
	var files []string
	err := s.store.Tx(ctx, func(tx *sql.Tx) error {
		id, _, err := routineID(ctx, tx, r.Params)
		if err != nil {
			return err
		}
		rows, err := tx.QueryContext(ctx, `SELECT pack, upload FROM routine_versions WHERE routine_id = ?`, id)
		if err != nil {
			return fmt.Errorf("list versions' files: %w", err)
		}
		if files, err = scanFiles(rows); err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, `DELETE FROM routines WHERE id = ?`, id); err != nil {
			return fmt.Errorf("delete routine: %w", err)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	s.removeFiles(files...)
	return ok{"OK"}, nil
}

// scanFiles gathers the file names of rows of (pack, upload) and closes rows.
func scanFiles(rows *sql.Rows) ([]string, error) {
	defer rows.Close()
	var files []string
	for rows.Next() {
		var pack, upload string
		if err := rows.Scan(&pack, &upload); err != nil {
			return nil, fmt.Errorf("list versions' files: %w", err)
		}
		files = append(files, pack, upload)
	}
	return files, rows.Err()
}
