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

// exporter reads an account.
type exporter struct {
	ctx context.Context
	tx  *sql.Tx
	a   *Account
	// sites and plans are where those of an id are in the account.
	sites map[int64]int
}

// Export describes the account that a state has.
func Export(ctx context.Context, store *state.Store) (Account, error) {
	a := Account{Format: Format}
	err := store.Tx(ctx, func(tx *sql.Tx) error {
		e := exporter{ctx, tx, &a, map[int64]int{}}
		for _, step := range []func() error{e.plans, e.lists, e.namespaces, e.readSites, e.records, e.rules, e.settings, e.certificates, e.tags, e.traffic} {
			if err := step(); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return a, fmt.Errorf("export the account: %w", err)
	}
	return a, nil
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

// plans are all instances but the first, which every account is given. They are
// numbered, since ids are new in each account.
func (e exporter) plans() error {
	n := 0
	return e.each(`SELECT subscribe_type, site_quota FROM plan_instances ORDER BY rowid LIMIT -1 OFFSET 1`, func(scan func(...any) error) error {
		n++
		p := Plan{ID: "plan-" + strconv.Itoa(n)}
		err := scan(&p.Plan, &p.Sites)
		e.a.Plans = append(e.a.Plans, p)
		return err
	})
}

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
		return nil
	})
}

func stamp(unix int64) string { return time.Unix(unix, 0).UTC().Format(time.RFC3339) }

func (e exporter) readSites() error {
	return e.each(`SELECT s.id, s.name, s.access_type, s.coverage, s.status, COALESCE(o.paused, 0), COALESCE(o.version_management, 0),
		(SELECT COUNT(*) FROM plan_instances q WHERE q.rowid < p.rowid)
		FROM sites s JOIN plan_instances p ON p.instance_id = s.instance_id LEFT JOIN site_options o ON o.site_id = s.id ORDER BY s.id`,
		func(scan func(...any) error) error {
			var s Site
			var id int64
			var plan int
			if err := scan(&id, &s.Name, &s.Access, &s.Coverage, &s.Status, &s.Paused, &s.VersionManagement, &plan); err != nil {
				return err
			}
			if plan > 0 {
				s.Plan = "plan-" + strconv.Itoa(plan)
			}
			if s.Status == "active" {
				s.Status = ""
			}
			e.sites[id] = len(e.a.Sites)
			e.a.Sites = append(e.a.Sites, s)
			return nil
		})
}

func (e exporter) site(id int64) *Site { return &e.a.Sites[e.sites[id]] }

func (e exporter) records() error {
	return e.each(`SELECT site_id, name, type, ttl, proxied, biz_name, source_type, host_policy, auth_conf, comment, data, http_ports, https_ports
		FROM records ORDER BY site_id, id`, func(scan func(...any) error) error {
		var r Record
		var id int64
		var auth, data string
		err := scan(&id, &r.Name, &r.Type, &r.TTL, &r.Proxied, &r.Biz, &r.Source, &r.HostPolicy, &auth, &r.Comment, &data, &r.HTTPPorts, &r.HTTPSPorts)
		if err != nil {
			return err
		}
		if r.Source == "Domain" {
			r.Source = "" // what a CNAME has anyway
		}
		if err := decode(data, &r.Data); err != nil {
			return err
		}
		if auth != "" {
			if err := decode(auth, &r.Auth); err != nil {
				return err
			}
		}
		s := e.site(id)
		s.Records = append(s.Records, r)
		return nil
	})
}

func decode(text string, v any) error {
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	return d.Decode(v)
}

func (e exporter) rules() error {
	return e.each(`SELECT site_id, site_version, family, rule_name, rule, rule_enable, sequence, fields FROM rule_configs
		ORDER BY site_id, site_version, family, config_type <> 'global', sequence, id`, func(scan func(...any) error) error {
		var r Rule
		var id int64
		var fields string
		if err := scan(&id, &r.Version, &r.Family, &r.Name, &r.Rule, &r.Enable, &r.Sequence, &fields); err != nil {
			return err
		}
		if r.Enable == "on" {
			r.Enable = ""
		}
		if err := decode(fields, &r.Config); err != nil {
			return err
		}
		s := e.site(id)
		s.Rules = append(s.Rules, r)
		return nil
	})
}

// settings are those that an Update operation sets. Origin protection, which is
// switched on and off by operations of its own, is left out.
func (e exporter) settings() error {
	return e.each(`SELECT site_id, name, fields FROM site_settings WHERE site_version = 0 AND name <> 'OriginProtection' ORDER BY site_id, name`,
		func(scan func(...any) error) error {
			var id int64
			var name, fields string
			if err := scan(&id, &name, &fields); err != nil {
				return err
			}
			s := e.site(id)
			if s.Settings == nil {
				s.Settings = map[string]map[string]any{}
			}
			var values map[string]any
			err := decode(fields, &values)
			s.Settings[name] = values
			return err
		})
}

func (e exporter) certificates() error {
	return e.each(`SELECT site_id, type, name, domain, certificate, private_key FROM certificates ORDER BY site_id, created, rowid`,
		func(scan func(...any) error) error {
			var id int64
			var kind string
			var c Certificate
			if err := scan(&id, &kind, &c.Name, &c.Domain, &c.Certificate, &c.PrivateKey); err != nil {
				return err
			}
			if kind == "free" {
				c = Certificate{Domain: c.Domain}
			}
			s := e.site(id)
			s.Certificates = append(s.Certificates, c)
			return nil
		})
}

func (e exporter) tags() error {
	return e.each(`SELECT site_id, key, value FROM tags WHERE site_id IS NOT NULL`, func(scan func(...any) error) error {
		var id int64
		var key, value string
		if err := scan(&id, &key, &value); err != nil {
			return err
		}
		s := e.site(id)
		if s.Tags == nil {
			s.Tags = map[string]string{}
		}
		s.Tags[key] = value
		return nil
	})
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
