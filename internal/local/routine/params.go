package routine

import (
	"context"
	"database/sql"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/esa-mcp/esa-mcp/internal/local/api"
)

// The codes of RoutineNotExist and RoutineNameAlreadyExist are known from
// clients that match them. The others are the local ESA's guess at the service's
// manner; clients must not depend on them.
const (
	codeNoRoutine    = "RoutineNotExist"
	codeNameTaken    = "RoutineNameAlreadyExist"
	codeNoVersion    = "RoutineCodeVersionNotExist"
	codeNotAvailable = "RoutineCodeVersionNotAvailable"
	codeInUse        = "DependedByOthers"
	codeRoutineQuota = "QuotaExceed.Routine"
	codeVersionQuota = "QuotaExceed.RoutineCodeVersion"
	codeNoStagedCode = "RoutineStagingCodeNotExist"

	codeNoRoute        = "RoutineRouteNotExist"
	codeRouteSiteQuota = "QuotaExceed.RoutineRouteSite"
	codeRouteQuota     = "QuotaExceed.RoutineRoute"
	codeRelatedTaken   = "Record.RecordNameConflictWithSameRecordType"
)

// querier is a database or a transaction.
type querier interface {
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}

// required returns a parameter that must not be empty.
func required(p api.Params, name string) (string, error) {
	v := p.String(name)
	if strings.TrimSpace(v) == "" {
		return "", api.Errorf(400, "Missing"+name, "%s is mandatory for this action.", name)
	}
	return v, nil
}

// pageOf reads the paging parameters: PageNumber up to maxNumber, and PageSize
// up to maxSize; the default is 20, which is also the documented maximum.
func pageOf(p api.Params, maxNumber, maxSize int64) (api.Page, error) {
	page, err := p.Page(20, maxSize)
	if err != nil {
		return page, err
	}
	if page.Number > maxNumber {
		return page, api.Errorf(400, "InvalidPageNumber", "PageNumber must be from 1 to %d, not %d.", maxNumber, page.Number)
	}
	return page, nil
}

// envOf checks a parameter that names an environment.
func envOf(name, value string) (Env, error) {
	switch env := Env(value); env {
	case Staging, Production:
		return env, nil
	}
	return "", api.Errorf(400, "Invalid"+name, "%s must be staging or production, not %q.", name, value)
}

// routineID finds the routine that the Name parameter names.
func routineID(ctx context.Context, q querier, p api.Params) (id int64, name string, err error) {
	if name, err = required(p, "Name"); err != nil {
		return 0, "", err
	}
	err = q.QueryRowContext(ctx, `SELECT id FROM routines WHERE name = ?`, name).Scan(&id)
	if isNoRows(err) {
		return 0, "", api.Errorf(404, codeNoRoutine, "The routine %q does not exist.", name)
	}
	if err != nil {
		return 0, "", fmt.Errorf("look up routine: %w", err)
	}
	return id, name, nil
}

// timeText writes a time of the database as the API does.
func timeText(nanoseconds int64) string {
	return time.Unix(0, nanoseconds).UTC().Format(time.RFC3339)
}

// nextID gives the ids of versions and deployments: 19 digits that look like
// nanoseconds, and that never repeat or go back even if the clock does.
func (s *Service) nextID(ctx context.Context, tx *sql.Tx) (string, error) {
	const smallest = 1_000_000_000_000_000_000
	var id int64
	err := tx.QueryRowContext(ctx, `INSERT INTO sequence (name, last) VALUES ('routine', ?)
		ON CONFLICT (name) DO UPDATE SET last = max(last + 1, excluded.last) RETURNING last`,
		max(s.cfg.Now().UnixNano(), smallest)).Scan(&id)
	if err != nil {
		return "", fmt.Errorf("make id: %w", err)
	}
	return fmt.Sprint(id), nil
}

// random returns n random bytes as hex digits.
func (s *Service) random(n int) (string, error) {
	b := make([]byte, n)
	if _, err := io.ReadFull(s.cfg.Random, b); err != nil {
		return "", fmt.Errorf("read randomness: %w", err)
	}
	return fmt.Sprintf("%x", b), nil
}
