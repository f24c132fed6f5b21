// Package console shows what a local ESA has: as one value, for the command line
// and the desk, and as a page for a browser. It only reads.
//
// It must not know how calls arrive or are signed.
package console

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/esa-mcp/esa-mcp/internal/local/state"
)

// Snapshot is what a local ESA has at one moment.
type Snapshot struct {
	Sites      []Site      `json:"sites"`
	Routines   []Routine   `json:"routines"`
	Namespaces []Namespace `json:"namespaces"`
	// Requests are those that the edge's log has.
	Requests int64 `json:"requests"`
}

// Site is a site in short.
type Site struct {
	ID           int64  `json:"id,string"`
	Name         string `json:"name"`
	Status       string `json:"status"`
	Access       string `json:"access"`
	Plan         string `json:"plan"`
	Records      int    `json:"records"`
	Rules        int    `json:"rules"`
	Certificates int    `json:"certificates"`
}

// Routine is a routine in short.
type Routine struct {
	Name     string `json:"name"`
	Versions int    `json:"versions"`
	// Live is whether its production environment has a version; Domain its
	// default domain.
	Live   bool   `json:"live"`
	Domain string `json:"domain"`
	Routes int    `json:"routes"`
}

// Namespace is a namespace of the key-value store in short.
type Namespace struct {
	Name string   `json:"name"`
	Keys int      `json:"keys"`
	Used int64    `json:"used"`           // bytes
	Some []string `json:"some,omitempty"` // the first keys
}

// someKeys is how many keys of a namespace are shown.
const someKeys = 8

// Take reads a state. domain makes the default domain of a routine.
func Take(ctx context.Context, store *state.Store, domain func(name string) string) (Snapshot, error) {
	s := Snapshot{Sites: []Site{}, Routines: []Routine{}, Namespaces: []Namespace{}}
	err := store.Tx(ctx, func(tx *sql.Tx) error {
		if err := s.readSites(ctx, tx); err != nil {
			return fmt.Errorf("read the sites: %w", err)
		}
		if err := s.readRoutines(ctx, tx, domain); err != nil {
			return fmt.Errorf("read the routines: %w", err)
		}
		if err := s.readNamespaces(ctx, tx); err != nil {
			return fmt.Errorf("read the namespaces: %w", err)
		}
		return tx.QueryRowContext(ctx, `SELECT COALESCE(SUM(n), 0) FROM visits`).Scan(&s.Requests)
	})
	return s, err
}

func (s *Snapshot) readSites(ctx context.Context, tx *sql.Tx) error {
	rows, err := tx.QueryContext(ctx, `SELECT s.id, s.name, s.status, s.access_type, p.subscribe_type,
		(SELECT COUNT(*) FROM records WHERE site_id = s.id), (SELECT COUNT(*) FROM rule_configs WHERE site_id = s.id),
		(SELECT COUNT(*) FROM certificates WHERE site_id = s.id)
		FROM sites s JOIN plan_instances p ON p.instance_id = s.instance_id ORDER BY s.name`)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var t Site
		if err := rows.Scan(&t.ID, &t.Name, &t.Status, &t.Access, &t.Plan, &t.Records, &t.Rules, &t.Certificates); err != nil {
			return err
		}
		s.Sites = append(s.Sites, t)
	}
	return rows.Err()
}

func (s *Snapshot) readRoutines(ctx context.Context, tx *sql.Tx, domain func(string) string) error {
	rows, err := tx.QueryContext(ctx, `SELECT r.name, (SELECT COUNT(*) FROM routine_versions WHERE routine_id = r.id),
		EXISTS (SELECT 1 FROM routine_deployments WHERE routine_id = r.id AND env = 'production'),
		(SELECT COUNT(*) FROM routine_routes WHERE routine_id = r.id)
		FROM routines r ORDER BY r.name`)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var r Routine
		if err := rows.Scan(&r.Name, &r.Versions, &r.Live, &r.Routes); err != nil {
			return err
		}
		r.Domain = domain(r.Name)
		s.Routines = append(s.Routines, r)
	}
	return rows.Err()
}

func (s *Snapshot) readNamespaces(ctx context.Context, tx *sql.Tx) error {
	rows, err := tx.QueryContext(ctx, `SELECT id, name, used, (SELECT COUNT(*) FROM kv_pairs WHERE namespace_id = n.id) FROM kv_namespaces n ORDER BY name`)
	if err != nil {
		return err
	}
	defer rows.Close()
	var ids []int64
	for rows.Next() {
		var n Namespace
		var id int64
		if err := rows.Scan(&id, &n.Name, &n.Used, &n.Keys); err != nil {
			return err
		}
		ids, s.Namespaces = append(ids, id), append(s.Namespaces, n)
	}
	if err := rows.Err(); err != nil {
		return err
	}
	for i, id := range ids {
		if err := s.readKeys(ctx, tx, id, &s.Namespaces[i]); err != nil {
			return err
		}
	}
	return nil
}

func (s *Snapshot) readKeys(ctx context.Context, tx *sql.Tx, id int64, n *Namespace) error {
	rows, err := tx.QueryContext(ctx, `SELECT key FROM kv_pairs WHERE namespace_id = ? ORDER BY key LIMIT ?`, id, someKeys)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var key string
		if err := rows.Scan(&key); err != nil {
			return err
		}
		n.Some = append(n.Some, key)
	}
	return rows.Err()
}
