package kv

import (
	"context"
	"database/sql"
	"fmt"
	"strconv"

	"github.com/esa-mcp/esa-mcp/internal/local/api"
	"github.com/esa-mcp/esa-mcp/internal/local/quota"
	"github.com/esa-mcp/esa-mcp/internal/local/state"
)

const statusOnline = "online"

func (s *Service) namespaceQuota() int { return s.cfg.Quotas.Of("", quota.Namespaces) }

// createNamespace answers CreateKvNamespace.
func (s *Service) createNamespace(ctx context.Context, r *api.Request) (any, error) {
	name, description := r.Params.String("Namespace"), r.Params.String("Description")
	if err := checkNamespace(name); err != nil {
		return nil, err
	}
	var id int64
	err := s.store.Tx(ctx, func(tx *sql.Tx) error {
		var count, same int
		err := tx.QueryRowContext(ctx, `SELECT COUNT(*), COALESCE(SUM(name = ?), 0) FROM kv_namespaces`, name).Scan(&count, &same)
		switch {
		case err != nil:
			return fmt.Errorf("count the namespaces: %w", err)
		case same > 0:
			return api.Errorf(406, "InvalidNameSpace.Duplicate", "The namespace %s exists already.", name)
		case count >= s.namespaceQuota():
			return api.Errorf(406, "InvalidNameSpace.QuotaFull", "The account has all its %d namespaces already.", s.namespaceQuota())
		}
		if id, err = state.NextID(ctx, tx); err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, `INSERT INTO kv_namespaces (id, name, description, created) VALUES (?, ?, ?, ?)`,
			id, name, description, s.clock())
		if err != nil {
			return fmt.Errorf("store the namespace: %w", err)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return struct {
		Description string
		Namespace   string
		NamespaceID string `json:"NamespaceId"`
		Status      string
	}{description, name, strconv.FormatInt(id, 10), statusOnline}, nil
}

// deleteNamespace answers DeleteKvNamespace: all its pairs go with it.
func (s *Service) deleteNamespace(ctx context.Context, r *api.Request) (any, error) {
	return nil, s.store.Tx(ctx, func(tx *sql.Tx) error {
		id, err := namespaceID(ctx, tx, r.Params.String("Namespace"))
		if err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, `DELETE FROM kv_namespaces WHERE id = ?`, id); err != nil {
			return fmt.Errorf("delete the namespace: %w", err)
		}
		return nil
	})
}

type namespaceModel struct {
	Capacity           int64
	CapacityString     string
	CapacityUsed       int64
	CapacityUsedString string
	Description        string
	Namespace          string
	NamespaceID        string `json:"NamespaceId"`
	Status             string
}

// getNamespace answers GetKvNamespace.
func (s *Service) getNamespace(ctx context.Context, r *api.Request) (any, error) {
	var out namespaceModel
	err := s.store.Tx(ctx, func(tx *sql.Tx) error {
		id, err := namespaceID(ctx, tx, r.Params.String("Namespace"))
		if err != nil {
			return err
		}
		if err := purge(ctx, tx, id, s.clock()); err != nil {
			return err
		}
		list, err := s.namespaces(ctx, tx, `WHERE id = ?`, id)
		if err != nil {
			return err
		}
		out = list[0] // found above, in this transaction
		return nil
	})
	return out, err
}

func (s *Service) namespaces(ctx context.Context, q querier, rest string, args ...any) ([]namespaceModel, error) {
	rows, err := q.QueryContext(ctx, `SELECT id, name, description, used FROM kv_namespaces `+rest, args...)
	if err != nil {
		return nil, fmt.Errorf("list the namespaces: %w", err)
	}
	defer rows.Close()
	list := []namespaceModel{}
	for rows.Next() {
		m := namespaceModel{Capacity: s.cfg.Capacity, CapacityString: sizeText(s.cfg.Capacity), Status: statusOnline}
		if err := rows.Scan(&m.NamespaceID, &m.Namespace, &m.Description, &m.CapacityUsed); err != nil {
			return nil, fmt.Errorf("read a namespace: %w", err)
		}
		m.CapacityUsedString = sizeText(m.CapacityUsed)
		list = append(list, m)
	}
	return list, rows.Err()
}

// describeAccount answers DescribeKvAccountStatus.
func (s *Service) describeAccount(context.Context, *api.Request) (any, error) {
	status := statusOnline
	if s.cfg.Offline {
		status = "offline"
	}
	return struct{ Status string }{status}, nil
}

// getAccount answers GetKvAccount.
func (s *Service) getAccount(ctx context.Context, _ *api.Request) (any, error) {
	capacity := s.cfg.Capacity * int64(s.namespaceQuota())
	out := struct {
		Capacity           int64
		CapacityString     string
		CapacityUsed       int64
		CapacityUsedString string
		NamespaceList      []namespaceModel
		NamespaceQuota     int
		NamespaceUsed      int
		Status             string
	}{Capacity: capacity, CapacityString: sizeText(capacity), NamespaceQuota: s.namespaceQuota(), Status: statusOnline}
	err := s.store.Tx(ctx, func(tx *sql.Tx) error {
		list, err := s.namespaces(ctx, tx, `ORDER BY id`)
		if err != nil {
			return err
		}
		for _, ns := range list {
			id, err := strconv.ParseInt(ns.NamespaceID, 10, 64)
			if err != nil {
				return fmt.Errorf("read a namespace's id: %w", err)
			}
			if err := purge(ctx, tx, id, s.clock()); err != nil {
				return err
			}
		}
		out.NamespaceList, err = s.namespaces(ctx, tx, `ORDER BY id`)
		return err
	})
	for _, ns := range out.NamespaceList {
		out.CapacityUsed += ns.CapacityUsed
	}
	out.CapacityUsedString, out.NamespaceUsed = sizeText(out.CapacityUsed), len(out.NamespaceList)
	return out, err
}

// sizeText writes bytes as the API does: "1 GB", "1.5 KB".
func sizeText(n int64) string {
	units := []string{"B", "KB", "MB", "GB", "TB"}
	size, unit := float64(n), 0
	for size >= 1024 && unit < len(units)-1 {
		size /= 1024
		unit++
	}
	return strconv.FormatFloat(float64(int64(size*100))/100, 'f', -1, 64) + " " + units[unit]
}
