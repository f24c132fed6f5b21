package generic

import (
	"context"
	"database/sql"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/esa-mcp/esa-mcp/internal/local/api"
	"github.com/esa-mcp/esa-mcp/internal/local/quota"
	"github.com/esa-mcp/esa-mcp/internal/local/values"
)

// preloads are scheduled preloads: jobs, which have the addresses, and their
// executions, which say when: from StartTime on, SliceLen addresses every Interval
// seconds. Run has them preloaded.
func preloads() []kind {
	return []kind{
		{
			name: "ScheduledPreloadJob", what: "scheduled preload", quota: quota.PreloadJobs, id: "Id", unique: "Name", site: true, byID: true, full: true,
			create: "CreateScheduledPreloadJob", get: "GetScheduledPreloadJob", remove: "DeleteScheduledPreloadJob",
			list: "ListScheduledPreloadJobs", member: "Jobs", missing: "InvalidId.NotFound",
			check: checkJob, view: viewJob,
			verbs: map[string]change{
				"ResetScheduledPreloadJob":         resetJob,
				"CreateScheduledPreloadExecutions": schedule,
			},
			looks: map[string]change{"ListScheduledPreloadExecutions": executions},
		},
		{
			name: "ScheduledPreloadExecution", what: "execution", id: "Id", missing: "InvalidId.NotFound", full: true,
			parent: "ScheduledPreloadJob", parentID: "JobId",
			update: "UpdateScheduledPreloadExecution", remove: "DeleteScheduledPreloadExecution",
			check: checkExecution, now: executionStatus, view: viewOwner,
			verbs: map[string]change{"StartScheduledPreloadExecution": turn(runStarted), "StopScheduledPreloadExecution": turn(runStopped)},
		},
	}
}

func turn(status string) change {
	return func(_ context.Context, _ *sql.Tx, _ *Service, it *item, _ api.Params) (map[string]any, error) {
		it.set("Status", status)
		return nil, nil
	}
}

func addresses(it *item) []string {
	return strings.FieldsFunc(it.text("UrlList"), func(r rune) bool { return r == '\n' || r == '\r' || r == ' ' || r == ',' })
}

// maxAddressFile is the size of a file with addresses, in bytes, as of UploadFile.
const maxAddressFile = 10_000_000

// checkJob wants a job's addresses. Those of a file are read when the job is made,
// while the file is there: what it has is the job's UrlList from then on.
func checkJob(ctx context.Context, tx *sql.Tx, s *Service, it *item, sent api.Params) error {
	from := "UrlList"
	if it.text("InsertWay") == "oss" {
		from = "OssUrl"
		if sent.Has("InsertWay") { // and not when it is restored from an account file
			if err := s.readAddresses(ctx, tx, it); err != nil {
				return err
			}
		}
	}
	list := addresses(it)
	if len(list) == 0 {
		return api.Errorf(400, "Missing"+from, "%s is mandatory here: InsertWay %s needs an address to preload.", from, it.text("InsertWay"))
	}
	for _, address := range list {
		u, err := url.Parse(address)
		if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
			return values.Invalid(from, "%q is no http or https address", address)
		}
		if err := ofSite(from, u.Hostname(), it.siteName); err != nil {
			return err
		}
	}
	return nil
}

func (s *Service) readAddresses(ctx context.Context, tx *sql.Tx, it *item) error {
	if it.text("OssUrl") == "" {
		return api.Errorf(400, "MissingOssUrl", "OssUrl is mandatory here: InsertWay oss needs it.")
	}
	if s.cfg.ReadFile == nil {
		return values.Invalid("OssUrl", "no file can be read here")
	}
	content, err := s.cfg.ReadFile(ctx, tx, it.text("OssUrl"), maxAddressFile)
	if err != nil {
		return err
	}
	if !utf8.Valid(content) {
		return values.Invalid("OssUrl", "the file is no text")
	}
	it.set("UrlList", string(content))
	it.set("OssUrl", nil)
	return nil
}

func viewJob(ctx context.Context, tx *sql.Tx, it *item, m map[string]any) error {
	var hosts []string
	for _, address := range addresses(it) {
		if u, err := url.Parse(address); err == nil {
			hosts = append(hosts, u.Hostname())
		}
	}
	slices.Sort(hosts)
	runs, err := find(ctx, tx, kindOf("ScheduledPreloadExecution"), `r.parent_id = ?`, it.id)
	if err != nil {
		return err
	}
	m["Domains"] = strings.Join(slices.Compact(hosts), ",")
	submitted, tasks := int64(0), 0
	for _, run := range runs {
		n := number(run.fields["Submitted"])
		submitted += n
		if length := max(1, number(run.fields["SliceLen"])); n > 0 {
			tasks += int((n + length - 1) / length)
		}
	}
	m["UrlCount"], m["UrlSubmitted"], m["TaskSubmitted"], m["TaskType"] = len(addresses(it)), submitted, tasks, "preload"
	m["ExecutionCount"] = len(runs)
	return viewOwner(ctx, tx, it, m)
}

// viewOwner adds the number of the account, which has 16 digits.
func viewOwner(ctx context.Context, tx *sql.Tx, _ *item, m map[string]any) error {
	var hash string
	if err := tx.QueryRowContext(ctx, `SELECT hash FROM account`).Scan(&hash); err != nil {
		return fmt.Errorf("look up the account: %w", err)
	}
	n, err := strconv.ParseUint(hash, 16, 32)
	if err != nil {
		return fmt.Errorf("read the account: %w", err)
	}
	m["AliUid"] = strconv.FormatUint(1_000_000_000_000_000+n, 10)
	return nil
}

func checkExecution(_ context.Context, _ *sql.Tx, _ *Service, it *item, _ api.Params) error {
	if err := within("SliceLen", it.fields["SliceLen"], 1, 10_000); err != nil {
		return err
	}
	if err := within("Interval", it.fields["Interval"], 1, 86_400); err != nil {
		return err
	}
	for _, name := range []string{"StartTime", "EndTime"} {
		if at, err := time.Parse(time.RFC3339, it.text(name)); err == nil { // documented with an offset, too
			it.set(name, at.UTC().Format(timeFormat))
		}
	}
	if it.text("StartTime") == "" || it.text("EndTime") == "" {
		return nil
	}
	return times("StartTime", it.text("StartTime"), "EndTime", it.text("EndTime"))
}

// schedule adds executions to a job, each by itself: those that are refused are
// told beside those that are not.
func schedule(ctx context.Context, tx *sql.Tx, s *Service, job *item, sent api.Params) (map[string]any, error) {
	op := operation("CreateScheduledPreloadExecutions")
	taken, err := take(op, sent)
	if err != nil {
		return nil, err
	}
	asked := list(taken["Executions"])
	if len(asked) == 0 {
		return nil, values.Invalid("Executions", "it is a list of at least one execution")
	}
	k := kindOf("ScheduledPreloadExecution")
	done, failed, messages := []any{}, []any{}, []any{}
	for _, fields := range asked {
		it := &item{parent: job.id, parentKey: job.key, site: job.site, fields: map[string]any{"Status": runWaiting}, created: s.clock()}
		for name, value := range object(fields) {
			it.set(name, value)
		}
		err := checkExecution(ctx, tx, s, it, nil)
		if err == nil {
			if it.id, it.key, err = k.newKey(ctx, tx); err != nil {
				return nil, err
			}
			if err := s.keep(ctx, tx, k, it); err != nil {
				return nil, err
			}
		}
		m, viewErr := s.members(ctx, tx, k, it)
		if viewErr != nil {
			return nil, viewErr
		}
		if err != nil {
			failed, messages = append(failed, m), append(messages, api.Told(err))
			continue
		}
		done = append(done, m)
	}
	return map[string]any{"SuccessExecutions": done, "SuccessCount": len(done), "FailedExecutions": failed, "FailedMessages": messages,
		"TotalCount": len(asked)}, nil
}

func executions(ctx context.Context, tx *sql.Tx, s *Service, job *item, _ api.Params) (map[string]any, error) {
	k := kindOf("ScheduledPreloadExecution")
	found, err := find(ctx, tx, k, `r.parent_id = ?`, job.id)
	if err != nil {
		return nil, err
	}
	entries := []any{}
	for _, it := range found {
		m, err := s.members(ctx, tx, k, it)
		if err != nil {
			return nil, err
		}
		entries = append(entries, m)
	}
	return map[string]any{"Executions": entries, "TotalCount": len(entries)}, nil
}
