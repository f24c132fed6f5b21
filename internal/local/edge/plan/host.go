package plan

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// Host is what a host name means.
type Host struct {
	Name string
	// Site is the account's site that the name belongs to, or that has it as a verified
	// custom host name; nil if there is none.
	Site *Site
	// Record is the A/AAAA or CNAME record of the name, of the wildcard that covers it,
	// or the one that a custom host name leads to; nil if there is none.
	Record *Record
	// Routine is the routine that the name as a whole leads to, by a related
	// record; empty if there is none.
	Routine string
}

// Record is a DNS record that can lead to an origin.
type Record struct {
	ID           int64
	Name         string // may be a wildcard
	Type         string // TypeAddress or TypeCNAME
	Values       []string
	Proxied      bool
	Source       string // of a CNAME: Domain, OSS, S3, LB, OP
	HostByTarget bool   // the origin gets the target as Host, not the visitor's host
	HTTPPort     int    // of the origin; 0: not said
	HTTPSPort    int
	// Balancer or Pool is what the record leads to, if that is the source, its own or
	// that of a record on the way; both are nil otherwise.
	Balancer *Balancer
	Pool     *Pool

	auth authConf
}

// The types of records that lead to origins.
const (
	TypeAddress = "A/AAAA"
	TypeCNAME   = "CNAME"
)

// loadHost finds the site, the record and the routine of a name.
func (s *Source) loadHost(ctx context.Context, now *snapshot, name string) (*Host, error) {
	h := &Host{Name: name}
	var id int64
	at := name // where the site has what the name leads to
	err := s.store.DB().QueryRowContext(ctx, `SELECT id FROM sites WHERE ?1 = name OR substr(?1, -length(name) - 1) = '.' || name
		ORDER BY length(name) DESC LIMIT 1`, name).Scan(&id)
	if errors.Is(err, sql.ErrNoRows) {
		err = s.store.DB().QueryRowContext(ctx, `SELECT d.site_id, d.name FROM resources r JOIN records d ON d.id = json_extract(r.fields, '$.RecordId')
			WHERE r.kind = 'CustomHostname' AND lower(r.name) = ? AND json_extract(r.fields, '$.Status') = 'active'`, name).Scan(&id, &at)
	}
	if errors.Is(err, sql.ErrNoRows) {
		return h, nil
	}
	if err != nil {
		return nil, fmt.Errorf("look up the site of the host %q: %w", name, err)
	}
	if h.Site, err = s.site(ctx, now, id, inProduction); err != nil {
		return nil, err
	}
	if h.Record, err = recordFor(ctx, s.store.DB(), id, h.Site.Name, at); err != nil {
		return nil, err
	}
	if b := h.Site.balancer(at); b != nil {
		// A load balancer has its name to itself, and serves it.
		h.Record = &Record{Name: at, Type: TypeCNAME, Values: []string{at}, Proxied: true, Source: "LB"}
	}
	if h.Record != nil {
		if err := h.Site.lead(ctx, s.store.DB(), h.Record); err != nil {
			return nil, err
		}
	}
	err = s.store.DB().QueryRowContext(ctx, `SELECT r.name FROM routine_records t JOIN routines r ON r.id = t.routine_id
		WHERE t.site_id = ? AND t.name = ?`, id, at).Scan(&h.Routine)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return nil, fmt.Errorf("look up the routine of the host %q: %w", name, err)
	}
	return h, nil
}

// Lookup finds the record of a name on whichever site of the account has it; nil
// if none does. It is the account's DNS, as far as origins need it.
func (s *Source) Lookup(ctx context.Context, name string) (*Record, error) {
	h, err := s.Host(ctx, name)
	if err != nil {
		return nil, err
	}
	return h.Record, nil
}

// recordFor finds the record that answers for a name: its own, or else, if the
// name has no record of any type, that of the nearest wildcard.
func recordFor(ctx context.Context, q querier, siteID int64, siteName, name string) (*Record, error) {
	for candidate := name; ; {
		list, any, err := recordsOf(ctx, q, siteID, candidate)
		switch {
		case err != nil:
			return nil, err
		case len(list) > 0:
			return list[0], nil
		case any:
			return nil, nil
		}
		_, parent, more := strings.Cut(strings.TrimPrefix(candidate, "*."), ".")
		if !more || candidate == "*."+siteName || len(parent) < len(siteName) {
			return nil, nil
		}
		candidate = "*." + parent
	}
}

// recordsOf reads the records of exactly that name that lead to origins; any
// tells whether the name has records at all.
func recordsOf(ctx context.Context, q querier, siteID int64, name string) (list []*Record, any bool, err error) {
	rows, err := q.QueryContext(ctx, `SELECT id, name, type, proxied, source_type, host_policy, auth_conf, data, http_ports, https_ports
		FROM records WHERE site_id = ? AND name = ?`, siteID, name)
	if err != nil {
		return nil, false, fmt.Errorf("look up the records of %q: %w", name, err)
	}
	defer rows.Close()
	for rows.Next() {
		any = true
		r := &Record{}
		var policy, auth, data, httpPorts, httpsPorts string
		if err := rows.Scan(&r.ID, &r.Name, &r.Type, &r.Proxied, &r.Source, &policy, &auth, &data, &httpPorts, &httpsPorts); err != nil {
			return nil, false, fmt.Errorf("read a record of %q: %w", name, err)
		}
		if r.Type != TypeAddress && r.Type != TypeCNAME {
			continue
		}
		content := struct{ Value string }{}
		if err := json.Unmarshal([]byte(data), &content); err != nil {
			return nil, false, fmt.Errorf("read the data of record %d: %w", r.ID, err)
		}
		for value := range strings.SplitSeq(content.Value, ",") {
			r.Values = append(r.Values, strings.ToLower(strings.TrimSuffix(strings.TrimSpace(value), ".")))
		}
		if r.auth, err = readAuth(auth); err != nil {
			return nil, false, fmt.Errorf("read the origin authentication of record %d: %w", r.ID, err)
		}
		// A bucket goes by its own name.
		r.HostByTarget = policy == "follow_origin_domain" || policy == "" && (r.Source == "OSS" || r.Source == "S3")
		r.HTTPPort, r.HTTPSPort = firstPort(httpPorts), firstPort(httpsPorts)
		list = append(list, r)
	}
	return list, any, rows.Err()
}

// firstPort is the first of a list of ports; 0 if it has none.
func firstPort(list string) int {
	first, _, _ := strings.Cut(list, ",")
	port, err := strconv.Atoi(strings.TrimSpace(first))
	if err != nil || port < 1 || port > 65535 {
		return 0
	}
	return port
}
