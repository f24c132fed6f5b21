package purge

import (
	"bufio"
	"context"
	"database/sql"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/esa-mcp/esa-mcp/internal/local/api"
	"github.com/esa-mcp/esa-mcp/internal/local/state"
)

// maxUpload is the size of a file with addresses, in bytes.
const maxUpload = 10_000_000

// Files opens an uploaded file by its address and says how large it is.
type Files interface {
	Open(ctx context.Context, address string) (io.ReadCloser, int64, error)
}

// upload is a row of the table cache_uploads.
type upload struct {
	id, site           int64
	typ, name          string
	good, bad          string
	created, submitted int64
}

// status is the state of an upload, in the service's own spelling.
func (u upload) status(now int64, duration time.Duration) string {
	switch {
	case u.submitted == 0:
		return "init"
	case now < u.submitted+duration.Milliseconds():
		return "running"
	case u.bad == "":
		return "success"
	case u.good == "":
		return "fail"
	}
	return "partial"
}

// uploadFile answers UploadFile: it reads the file, a line for each address.
func (s *Service) uploadFile(ctx context.Context, r *api.Request) (any, error) {
	typ := r.Params.String("Type")
	if !slices.Contains([]string{typeFile, Preload, typeDirectory, typeIgnoreParams}, typ) {
		return nil, api.Errorf(400, "InvalidType", "Type must be file, preload, directory or ignoreParams, not %q.", typ)
	}
	id, served, err := siteOf(ctx, s.store.DB(), r.Params)
	if err != nil {
		return nil, err
	}
	u := upload{site: id, typ: typ, name: r.Params.String("UploadTaskName"), created: s.cfg.Now().UnixMilli()}
	if err := s.readLines(ctx, r.Params.String("Url"), served, &u); err != nil {
		return nil, err
	}
	err = s.store.Tx(ctx, func(tx *sql.Tx) error {
		if u.id, err = state.NextID(ctx, tx); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, `INSERT INTO cache_uploads (id, site_id, type, name, good, bad, created) VALUES (?, ?, ?, ?, ?, ?, ?)`,
			u.id, u.site, u.typ, u.name, u.good, u.bad, u.created)
		if err != nil {
			return fmt.Errorf("store the upload: %w", err)
		}
		return nil
	})
	return uploadAnswer{u.id}, err
}

type uploadAnswer struct {
	UploadID int64 `json:"UploadId"`
}

func (s *Service) readLines(ctx context.Context, address string, served names, u *upload) error {
	if s.cfg.Files == nil {
		return api.Errorf(400, "InvalidUrl", "No file can be read here.")
	}
	file, size, err := s.cfg.Files.Open(ctx, address)
	if err != nil {
		return err
	}
	defer file.Close()
	if size > maxUpload {
		return api.Errorf(400, "InvalidFile.ExceedsMaximum", "The file has %d bytes, more than %d.", size, maxUpload)
	}
	check := checkURL
	if u.typ == typeDirectory {
		check = checkDirectory
	}
	var good, bad []string
	lines := bufio.NewScanner(file)
	lines.Buffer(nil, maxUpload)
	for lines.Scan() {
		line := strings.TrimSpace(lines.Text())
		if line == "" {
			continue
		}
		if err := check(line, served); err != nil {
			bad = append(bad, line+" "+api.Told(err))
			continue
		}
		good = append(good, line)
	}
	if err := lines.Err(); err != nil {
		return fmt.Errorf("read the file: %w", err)
	}
	if len(good)+len(bad) == 0 {
		return api.Errorf(400, "InvalidFile.Empty", "The file has no lines.")
	}
	u.good, u.bad = strings.Join(good, "\n"), strings.Join(bad, "\n")
	return nil
}

// oneUpload loads the upload that a call names.
func oneUpload(ctx context.Context, q querier, p api.Params) (upload, error) {
	id, err := p.Int("UploadId", 0)
	if err != nil {
		return upload{}, err
	}
	u := upload{id: id}
	err = q.QueryRowContext(ctx, `SELECT site_id, type, name, good, bad, created, submitted FROM cache_uploads WHERE id = ?`, id).
		Scan(&u.site, &u.typ, &u.name, &u.good, &u.bad, &u.created, &u.submitted)
	if site := p.String("SiteId"); errors.Is(err, sql.ErrNoRows) || err == nil && site != "" && site != strconv.FormatInt(u.site, 10) {
		return u, api.Errorf(404, "InvalidUploadId.NotFound", "There is no upload %d.", id)
	}
	if err != nil {
		return u, fmt.Errorf("look up the upload: %w", err)
	}
	return u, nil
}

// submitUpload answers SubmitUploadTask: what was uploaded becomes tasks.
func (s *Service) submitUpload(ctx context.Context, r *api.Request) (any, error) {
	if _, err := r.Params.Bool("Force", false); err != nil {
		return nil, err
	}
	var u upload
	var taskID string
	err := s.store.Tx(ctx, func(tx *sql.Tx) (err error) {
		if u, err = oneUpload(ctx, tx, r.Params); err != nil {
			return err
		}
		if u.submitted != 0 {
			return api.Errorf(400, "UploadTask.StatusError", "The upload %d was submitted already.", u.id)
		}
		if taskID, err = s.submit(ctx, tx, u); err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, `UPDATE cache_uploads SET submitted = ? WHERE id = ?`, s.cfg.Now().UnixMilli(), u.id)
		if err != nil {
			return fmt.Errorf("note the submission: %w", err)
		}
		return nil
	})
	if err == nil && u.typ == Preload && u.good != "" {
		s.fetch(taskID, strings.Split(u.good, "\n"), nil)
	}
	return uploadAnswer{u.id}, err
}

// submit makes tasks of what was uploaded, and returns their id.
func (s *Service) submit(ctx context.Context, tx *sql.Tx, u upload) (taskID string, err error) {
	if u.good == "" {
		return "", nil
	}
	lines := strings.Split(u.good, "\n")
	tasks, code := preloads(lines), "QuotaExceeded.Preload"
	if u.typ != Preload {
		code = "QuotaExceeded.Refresh"
		for i := range tasks {
			tasks[i].kind, tasks[i].typ = kindPurge, u.typ
		}
	}
	if err := s.checkQuota(ctx, tx, u.site, u.typ, code, len(tasks)); err != nil {
		return "", err
	}
	if u.typ != Preload {
		if err := s.tellEdges(ctx, tx, u.site, tasks, false); err != nil {
			return "", err
		}
	}
	return s.insert(ctx, tx, u.site, tasks)
}

// getUpload answers GetUploadTask.
func (s *Service) getUpload(ctx context.Context, r *api.Request) (any, error) {
	u, err := oneUpload(ctx, s.store.DB(), r.Params)
	return struct{ Description, Status string }{u.description(), u.status(s.cfg.Now().UnixMilli(), s.cfg.Duration)}, err
}

func (u upload) description() string {
	if u.bad == "" {
		return ""
	}
	return fmt.Sprintf("%d lines are not valid", strings.Count(u.bad, "\n")+1)
}

type listedUpload struct {
	CreateTime, Description, ErrorCode, Status, Type string
	UploadID                                         string `json:"UploadId"`
	UploadTaskName                                   string
}

// listUploads answers ListUploadTasks, the newest first.
func (s *Service) listUploads(ctx context.Context, r *api.Request) (any, error) {
	from, to, err := span(r.Params)
	if err != nil {
		return nil, err
	}
	if !from.Valid {
		to.Int64 = 1 << 60
	}
	rows, err := s.store.DB().QueryContext(ctx, `SELECT id, site_id, type, name, good, bad, created, submitted FROM cache_uploads
		WHERE (?1 = '' OR site_id = CAST(?1 AS INTEGER)) AND (?2 = '' OR lower(type) = lower(?2)) AND created BETWEEN ?3 AND ?4 ORDER BY id DESC`,
		r.Params.String("SiteId"), r.Params.String("Type"), from.Int64, to.Int64)
	if err != nil {
		return nil, fmt.Errorf("list the uploads: %w", err)
	}
	defer rows.Close()
	out := struct{ Tasks []listedUpload }{[]listedUpload{}}
	for rows.Next() {
		var u upload
		if err := rows.Scan(&u.id, &u.site, &u.typ, &u.name, &u.good, &u.bad, &u.created, &u.submitted); err != nil {
			return nil, fmt.Errorf("read an upload: %w", err)
		}
		row := listedUpload{CreateTime: time.UnixMilli(u.created).UTC().Format(timeFormat), Description: u.description(), Type: u.typ,
			Status: u.status(s.cfg.Now().UnixMilli(), s.cfg.Duration), UploadID: strconv.FormatInt(u.id, 10), UploadTaskName: u.name}
		if u.bad != "" {
			row.ErrorCode = "InvalidLines"
		}
		out.Tasks = append(out.Tasks, row)
	}
	return out, rows.Err()
}

// failFile answers GetFailFile. The link holds the lines itself.
func (s *Service) failFile(ctx context.Context, r *api.Request) (any, error) {
	u, err := oneUpload(ctx, s.store.DB(), r.Params)
	if err != nil {
		return nil, err
	}
	if u.bad == "" {
		return nil, api.Errorf(404, "InvalidUploadId.NotFound", "No line of the upload %d failed.", u.id)
	}
	return struct{ DownloadLink string }{"data:text/plain;base64," + base64.StdEncoding.EncodeToString([]byte(u.bad))}, nil
}
