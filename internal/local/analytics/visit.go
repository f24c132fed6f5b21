package analytics

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"mime"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"github.com/esa-mcp/esa-mcp/internal/local/agent"
	"github.com/esa-mcp/esa-mcp/internal/local/state"
)

// Visit is one request that the edge answered.
type Visit struct {
	Time                 time.Time
	Host                 string // may have a port
	Method, Path, Query  string
	Protocol             string // HTTP/1.1
	Referer, UserAgent   string
	RequestedWith        string // X-Requested-With
	TLS                  string // TLSv1.3; empty over plain HTTP
	ClientIP             string
	Country, Province    string // nothing locates visitors locally: for tests
	ISP, ASN             string
	Status, OriginStatus int // 0: no origin was asked
	ContentType          string
	CacheStatus          string // HIT, MISS ...
	Version              string // of the site's configuration
	Bytes, RequestBytes  int64
	Rules                string // what applied, as the answer told; not in the log
}

// nothing stands for a value that a request does not have.
const nothing = "-"

// Seed stores requests at once. It is how tests and descriptions make traffic of
// the past. Those to hosts of no active site are left out.
func Seed(ctx context.Context, to *state.Store, visits []Visit) error {
	var all tally
	for i := range visits {
		all.add(&visits[i], 0)
	}
	return store(ctx, to, &all)
}

// store writes requests into the log.
func store(ctx context.Context, to *state.Store, t *tally) error {
	if len(t.groups) == 0 {
		return nil
	}
	err := to.Tx(ctx, func(tx *sql.Tx) error {
		texts, err := newTexts(ctx, tx)
		if err != nil {
			return err
		}
		defer texts.close()
		sites, agents := map[string]int64{}, map[string]agent.Agent{}
		rows := newInserter(tx)
		for _, g := range t.groups {
			v := t.visit(&g)
			host := hostName(v.Host)
			id, known := sites[host]
			if !known {
				if id, err = siteOf(ctx, tx, host); err != nil {
					return err
				}
				sites[host] = id
			}
			if id == 0 {
				continue
			}
			who, seen := agents[v.UserAgent]
			if !seen {
				who = agent.Read(v.UserAgent)
				agents[v.UserAgent] = who
			}
			row, err := v.row(ctx, g, id, host, who, texts)
			if err != nil {
				return err
			}
			if err := rows.add(ctx, row); err != nil {
				return err
			}
		}
		return rows.flush(ctx)
	})
	if err != nil {
		return fmt.Errorf("store requests: %w", err)
	}
	return nil
}

// siteOf finds the active site that a host belongs to; 0 if there is none.
func siteOf(ctx context.Context, tx *sql.Tx, host string) (int64, error) {
	var id int64
	err := tx.QueryRowContext(ctx, `SELECT id FROM sites WHERE status = 'active'
		AND (?1 = name OR substr(?1, -length(name) - 1) = '.' || name) ORDER BY length(name) DESC LIMIT 1`, host).Scan(&id)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, nil
	}
	return id, err
}

func hostName(host string) string {
	if h, _, err := net.SplitHostPort(host); err == nil {
		host = h
	}
	return strings.ToLower(strings.TrimSuffix(host, "."))
}

// columns is how many columns the log has.
const columns = 29

// sums is the first of the columns that are added up.
const sums = columns - 4

// row is a group of such requests as the log has it.
func (v *Visit) row(ctx context.Context, g group, site int64, host string, who agent.Agent, t *texts) (row, error) {
	contentType := v.ContentType
	if kind, seen := t.kinds[contentType]; seen {
		contentType = kind
	} else {
		kind, _, err := mime.ParseMediaType(contentType)
		if err != nil {
			kind = ""
		}
		t.kinds[contentType] = kind
		contentType = kind
	}
	r := row{v.Time.Unix(), site}
	for i, text := range [...]string{host, v.Method, v.Path, v.Query, v.Protocol, v.Referer, v.UserAgent, v.RequestedWith, v.TLS,
		v.ClientIP, ipVersion(v.ClientIP), v.ASN, v.Country, v.Province, v.ISP, who.Browser, who.System, who.Device,
		statusText(v.Status), statusText(v.OriginStatus), contentType, v.CacheStatus, v.Version} {
		id, err := t.id(ctx, text)
		if err != nil {
			return r, err
		}
		r[2+i] = id
	}
	r[sums], r[sums+1], r[sums+2] = g.n, g.bytes, g.requestBytes
	if v.Status/100 == 2 && v.Method == "GET" && contentType == "text/html" {
		r[sums+3] = g.n
	}
	return r, nil
}

func statusText(status int) string {
	if status == 0 {
		return ""
	}
	return strconv.Itoa(status)
}

func ipVersion(ip string) string {
	address, err := netip.ParseAddr(ip)
	switch {
	case err != nil:
		return ""
	case address.Unmap().Is4():
		return "IPv4"
	}
	return "IPv6"
}
