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
}

// nothing stands for a value that a request does not have.
const nothing = "-"

// Seed stores requests at once. It is how the log is written, and how tests
// make traffic of the past. Those to hosts of no active site are left out.
func Seed(ctx context.Context, store *state.Store, visits []Visit) error {
	if len(visits) == 0 {
		return nil
	}
	err := store.Tx(ctx, func(tx *sql.Tx) error {
		insert, err := tx.PrepareContext(ctx, `INSERT INTO request_log (at, site_id, host, method, path, query, protocol, referer,
			user_agent, requested_with, ssl_protocol, ip, ip_version, asn, country, province, isp, browser, os, device, status,
			origin_status, content_type, cache_status, version, traffic, request_traffic, page_view)
			VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`)
		if err != nil {
			return err
		}
		defer insert.Close()
		sites := map[string]int64{}
		agents := map[string]agent.Agent{}
		for _, v := range visits {
			who, seen := agents[v.UserAgent]
			if !seen {
				who = agent.Read(v.UserAgent)
				agents[v.UserAgent] = who
			}
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
			if _, err := insert.ExecContext(ctx, v.row(id, host, who)...); err != nil {
				return err
			}
		}
		return nil
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

func (v Visit) row(site int64, host string, who agent.Agent) []any {
	contentType, _, err := mime.ParseMediaType(v.ContentType)
	if err != nil {
		contentType = ""
	}
	pageView := 0
	if v.Status/100 == 2 && v.Method == "GET" && contentType == "text/html" {
		pageView = 1
	}
	row := []any{v.Time.Unix(), site}
	for _, text := range []string{host, v.Method, v.Path, v.Query, v.Protocol, v.Referer, v.UserAgent, v.RequestedWith, v.TLS,
		v.ClientIP, ipVersion(v.ClientIP), v.ASN, v.Country, v.Province, v.ISP, who.Browser, who.System, who.Device,
		statusText(v.Status), statusText(v.OriginStatus), contentType, v.CacheStatus, v.Version} {
		if text == "" {
			text = nothing
		}
		row = append(row, text)
	}
	return append(row, v.Bytes, v.RequestBytes, pageView)
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
