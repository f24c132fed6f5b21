package account

import (
	"context"
	"database/sql"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/esa-mcp/esa-mcp/internal/local/state"
)

// maxContent is how many bytes of files and of key-value pairs an account file
// takes: it is read and written as a whole.
const maxContent = 64 << 20

// exporter reads an account.
type exporter struct {
	ctx   context.Context
	store *state.Store
	tx    *sql.Tx
	a     *Account
	// sites are where those of an id are in the account.
	sites   map[int64]int
	labels  *labels
	content *int64 // bytes of files and of key-value pairs so far
	limit   int64
}

// Export describes the account that a state has.
func Export(ctx context.Context, store *state.Store) (Account, error) {
	return export(ctx, store, maxContent)
}

func export(ctx context.Context, store *state.Store, limit int64) (Account, error) {
	a := Account{Format: Format}
	err := store.Tx(ctx, func(tx *sql.Tx) error {
		e := exporter{ctx, store, tx, &a, map[int64]int{}, newLabels(), new(int64), limit}
		for _, step := range []func() error{e.plans, e.lists, e.namespaces, e.routines, e.uploads, e.readSites, e.ids,
			e.environments, e.records, e.things, e.rules, e.settings, e.protection, e.rulesets, e.routes, e.certificates, e.otherCertificates, e.tags, e.traffic} {
			if err := step(); err != nil {
				return err
			}
		}
		e.name()
		return nil
	})
	if err != nil {
		return a, fmt.Errorf("export the account: %w", err)
	}
	return a, nil
}

// grow counts content, and refuses more than a file takes.
func (e exporter) grow(what string, bytes int64) error {
	if *e.content += bytes; *e.content > e.limit {
		return fmt.Errorf("%s: with it the files and key-value pairs of the account have %d bytes, more than the %d that an account file takes; delete what is not needed",
			what, *e.content, e.limit)
	}
	return nil
}

// each runs fn on every row.
func (e exporter) each(query string, fn func(scan func(...any) error) error) error {
	rows, err := e.tx.QueryContext(e.ctx, query)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := fn(rows.Scan); err != nil {
			return err
		}
	}
	return rows.Err()
}

// plans are all instances. The first, which every account is given, is left out
// if it is the usual one; the others are numbered, since ids are new in each
// account.
func (e exporter) plans() error {
	n := 0
	return e.each(`SELECT instance_id, subscribe_type, site_quota, status, EXISTS (SELECT 1 FROM postpaid_instances q WHERE q.instance_id = p.instance_id)
		FROM plan_instances p ORDER BY rowid`, func(scan func(...any) error) error {
		var p Plan
		var id string
		if err := scan(&id, &p.Plan, &p.Sites, &p.Status, &p.Postpaid); err != nil {
			return err
		}
		if p.Status == "online" {
			p.Status = ""
		}
		if n++; n == 1 {
			e.labels.words[id] = ownPlan
			if p != (Plan{Plan: "enterpriseplan", Sites: usualSites}) {
				e.a.OwnPlan = &p
			}
			return nil
		}
		p.ID = "plan-" + strconv.Itoa(n-1)
		e.labels.words[id] = p.ID
		e.a.Plans = append(e.a.Plans, p)
		return nil
	})
}

// usualSites is how many sites the plan instance takes that an account is given.
const usualSites = 20

func (e exporter) lists() error {
	return e.each(`SELECT name, kind, description, items FROM lists ORDER BY id`, func(scan func(...any) error) error {
		var l List
		var items string
		if err := scan(&l.Name, &l.Kind, &l.Description, &items); err != nil {
			return err
		}
		e.a.Lists = append(e.a.Lists, l)
		return json.Unmarshal([]byte(items), &e.a.Lists[len(e.a.Lists)-1].Items)
	})
}

func (e exporter) namespaces() error {
	at := map[int64]int{}
	err := e.each(`SELECT id, name, description FROM kv_namespaces ORDER BY id`, func(scan func(...any) error) error {
		var n Namespace
		var id int64
		err := scan(&id, &n.Name, &n.Description)
		at[id] = len(e.a.Namespaces)
		e.a.Namespaces = append(e.a.Namespaces, n)
		return err
	})
	if err != nil {
		return err
	}
	return e.each(`SELECT namespace_id, key, value, expires FROM kv_pairs ORDER BY namespace_id, key`, func(scan func(...any) error) error {
		var id int64
		var p Pair
		var value []byte
		var expires sql.NullInt64
		if err := scan(&id, &p.Key, &value, &expires); err != nil {
			return err
		}
		if p.Value = string(value); !utf8.Valid(value) {
			p.Value, p.Base64 = "", base64.StdEncoding.EncodeToString(value)
		}
		if expires.Valid {
			p.Expires = stamp(expires.Int64)
		}
		n := &e.a.Namespaces[at[id]]
		n.Pairs = append(n.Pairs, p)
		return e.grow("namespace "+n.Name, int64(len(value)))
	})
}

func stamp(unix int64) string { return time.Unix(unix, 0).UTC().Format(time.RFC3339) }

func decode(text string, v any) error {
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	return d.Decode(v)
}

// traffic groups like requests, hour by hour.
func (e exporter) traffic() error {
	text := func(column string) string { return `(SELECT text FROM visit_texts WHERE id = v.` + column + `)` }
	var columns []string
	for _, column := range []string{"host", "method", "path", "status", "cache_status", "content_type", "country", "user_agent"} {
		columns = append(columns, text(column))
	}
	return e.each(`SELECT MIN(at), MAX(at), SUM(n), `+strings.Join(columns, ", ")+`, SUM(traffic) FROM visits v
		GROUP BY host, method, path, status, cache_status, content_type, country, user_agent, at / 3600 ORDER BY 1, 4, 6, 5, 7, 8, 10, 11`, func(scan func(...any) error) error {
		var t Traffic
		var from, to int64
		var status string
		err := scan(&from, &to, &t.Count, &t.Host, &t.Method, &t.Path, &status, &t.Cache, &t.ContentType, &t.Country, &t.UserAgent, &t.Bytes)
		if err != nil {
			return err
		}
		for _, field := range []*string{&t.Cache, &t.ContentType, &t.Country, &t.UserAgent, &t.Method, &t.Path} {
			if *field == "-" {
				*field = ""
			}
		}
		t.From, t.To = stamp(from), stamp(to)
		if t.Status, err = strconv.Atoi(status); err != nil {
			return errors.Join(errors.New("read the status of a request"), err)
		}
		e.a.Traffic = append(e.a.Traffic, t)
		return nil
	})
}
