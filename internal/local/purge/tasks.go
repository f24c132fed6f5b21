package purge

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/esa-mcp/esa-mcp/internal/local/api"
)

// task is a row of the table cache_tasks.
type task struct {
	id                          string
	kind, typ, content, failure string
	variant                     map[string]string // of a purge: which variants of an address; nil: all
	created, finishes           int64
}

// The states of a task.
const (
	stateComplete   = "Complete"
	stateRefreshing = "Refreshing"
	stateFailed     = "Failed"
)

// listedTask is a task as both Describe operations tell it.
type listedTask struct {
	Content     string
	CreateTime  string
	Description string
	Process     string
	Status      string
	TaskID      string `json:"TaskId"`
	Type        string `json:",omitempty"` // of a purge
}

func (t task) listed(now int64) listedTask {
	out := listedTask{
		Content: t.content, TaskID: t.id, Type: t.typ,
		CreateTime: time.UnixMilli(t.created).UTC().Format(timeFormat),
	}
	switch {
	case now < t.finishes:
		out.Status = stateRefreshing
		out.Process = strconv.FormatInt(100*max(now-t.created, 0)/(t.finishes-t.created), 10) + "%"
	case t.failure != "":
		out.Status, out.Process, out.Description = stateFailed, "100%", t.failure
	default:
		out.Status, out.Process = stateComplete, "100%"
	}
	return out
}

const timeFormat = "2006-01-02T15:04:05Z"

func (s *Service) describePurges(ctx context.Context, r *api.Request) (any, error) {
	types := []string{"", typeFile, typeCacheTag, typeDirectory, typeIgnoreParams, typeHostname, typeAll}
	if typ := r.Params.String("Type"); !slices.Contains(types, typ) {
		return nil, api.Errorf(400, "InvalidType", "Type must be one of %s, not %q.", strings.Join(types[1:], ", "), typ)
	}
	return s.describe(ctx, r, kindPurge)
}

func (s *Service) describePreloads(ctx context.Context, r *api.Request) (any, error) {
	return s.describe(ctx, r, kindPreload)
}

type tasksAnswer struct {
	PageNumber, PageSize, TotalCount int64
	Tasks                            []listedTask
}

// describe lists the tasks that fit, newest first.
func (s *Service) describe(ctx context.Context, r *api.Request, kind string) (any, error) {
	page, err := r.Params.Page(20, 50)
	if err != nil {
		return nil, err
	}
	if page.Number > 100_000 {
		return nil, api.Errorf(400, "InvalidPageNumber", "PageNumber must be between 1 and 100000, not %d.", page.Number)
	}
	now := s.cfg.Now().UnixMilli()
	where, args, err := s.filter(ctx, r.Params, kind, now)
	if err != nil {
		return nil, err
	}
	db := s.store.DB()
	out := tasksAnswer{PageNumber: page.Number, PageSize: page.Size, Tasks: []listedTask{}}
	if err := db.QueryRowContext(ctx, `SELECT COUNT(*) FROM cache_tasks WHERE `+where, args...).Scan(&out.TotalCount); err != nil {
		return nil, fmt.Errorf("count the tasks: %w", err)
	}
	rows, err := db.QueryContext(ctx, `SELECT task_id, type, content, failure, created, finishes FROM cache_tasks WHERE `+where+
		` ORDER BY id DESC LIMIT ? OFFSET ?`, append(args, page.Size, page.Offset())...)
	if err != nil {
		return nil, fmt.Errorf("list the tasks: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var t task
		if err := rows.Scan(&t.id, &t.typ, &t.content, &t.failure, &t.created, &t.finishes); err != nil {
			return nil, fmt.Errorf("read a task: %w", err)
		}
		out.Tasks = append(out.Tasks, t.listed(now))
	}
	return out, rows.Err()
}

// filter makes the condition of a list. Without a site it is all of the
// account's.
func (s *Service) filter(ctx context.Context, p api.Params, kind string, now int64) (string, []any, error) {
	where, args := []string{"kind = ?"}, []any{kind}
	and := func(condition string, values ...any) {
		where, args = append(where, condition), append(args, values...)
	}
	and("created >= ?", now-keep.Milliseconds())
	if p.String("SiteId") != "" {
		site, _, err := siteOf(ctx, s.store.DB(), p)
		if err != nil {
			return "", nil, err
		}
		and("site_id = ?", site)
	}
	if text := p.String("Content"); text != "" {
		and("content = ?", text)
	}
	switch typ := p.String("Type"); {
	case kind != kindPurge:
	case typ == "" || typ == typeFile: // the documented default
		and("type IN (?, ?)", typeFile, typeCacheKey) // a cache key is a variant of a file
	default:
		and("type = ?", typ)
	}
	switch status := p.String("Status"); status {
	case "":
	case stateRefreshing:
		and("finishes > ?", now)
	case stateComplete:
		and("finishes <= ? AND failure = ''", now)
	case stateFailed:
		and("finishes <= ? AND failure <> ''", now)
	default:
		return "", nil, api.Errorf(400, "InvalidStatus", "Status must be Complete, Refreshing or Failed, not %q.", status)
	}
	from, to, err := span(p)
	if err != nil {
		return "", nil, err
	}
	if from.Valid {
		and("created BETWEEN ? AND ?", from.Int64, to.Int64)
	}
	return strings.Join(where, " AND "), args, nil
}

// span reads StartTime and EndTime, which go together.
func span(p api.Params) (from, to sql.NullInt64, err error) {
	start, end := p.String("StartTime"), p.String("EndTime")
	if start == "" && end == "" {
		return from, to, nil
	}
	if start == "" || end == "" {
		return from, to, api.Errorf(400, "MissingTimeParameter", "The StartTime and EndTime must be both specified.")
	}
	read := func(name, text string) sql.NullInt64 {
		at, parseErr := time.Parse(timeFormat, text)
		if parseErr != nil && err == nil {
			err = api.Errorf(400, "Invalid"+name+".Malformed", "The specified %s is malformed: write it as yyyy-MM-ddTHH:mm:ssZ.", name)
		}
		return sql.NullInt64{Int64: at.UnixMilli(), Valid: true}
	}
	from, to = read("StartTime", start), read("EndTime", end)
	if err == nil && to.Int64 < from.Int64 {
		err = api.Errorf(400, "InvalidEndTime.Mismatch", "The specified EndTime is earlier than the StartTime.")
	}
	to.Int64 += 999 // the whole second
	return from, to, err
}

// getQuota answers GetPurgeQuota. The numbers are texts, and the quota of 30 days
// is not configured, as on most plans.
func (s *Service) getQuota(ctx context.Context, r *api.Request) (any, error) {
	kind := r.Params.String("Type")
	of, known := quotaOf(kind)
	if !known || kind == Preload {
		return nil, api.Errorf(400, "InvalidType", "Type must be file, cachetag, directory, ignoreParams, hostname or purgeall, not %q.", kind)
	}
	db := s.store.DB()
	site, _, err := siteOf(ctx, db, r.Params)
	if err != nil {
		return nil, err
	}
	limit, err := s.cfg.Quotas.OfSite(ctx, db, site, of)
	if err != nil {
		return nil, err
	}
	used, err := s.used(ctx, db, site, kind)
	return struct{ Quota, Quota30Day, Usage, Usage30Day string }{
		strconv.Itoa(limit), "0", strconv.FormatInt(used, 10), "0",
	}, err
}
