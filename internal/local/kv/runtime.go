package kv

import (
	"context"
	"database/sql"
	"errors"

	"github.com/esa-mcp/esa-mcp/internal/local/api"
)

const (
	// routineGet is what a read of an edge routine counts as, for what can be set
	// by action.
	routineGet = "EdgeKV.get"
	// maxRoutineValue is what a routine may write, in bytes; the API takes a
	// little more.
	maxRoutineValue = 1_800_000
	codeKeyNotFound = "InvalidKey.NotFound"
)

// Get returns what an edge routine reads, or false if there is no such key.
func (s *Service) Get(ctx context.Context, namespace, key string) ([]byte, bool, error) {
	r := &api.Request{Action: routineGet, Params: api.Params{"Namespace": namespace, "Key": key}}
	value, _, err := s.load(ctx, s.store.DB(), r)
	if isNotFound(err) {
		return nil, false, nil
	}
	return value, err == nil, err
}

// Put stores what an edge routine writes. It stays: EdgeKV knows no expiration.
func (s *Service) Put(ctx context.Context, namespace, key string, value []byte) error {
	if err := checkKey(key); err != nil {
		return err
	}
	if err := checkSize(value, maxRoutineValue); err != nil {
		return err
	}
	s.forget()
	return s.store.Tx(ctx, func(tx *sql.Tx) error {
		id, err := namespaceID(ctx, tx, namespace)
		if err != nil {
			return err
		}
		return s.write(ctx, tx, id, key, value, sql.NullInt64{})
	})
}

// Delete reports whether there was such a key.
func (s *Service) Delete(ctx context.Context, namespace, key string) (bool, error) {
	err := s.remove(ctx, namespace, key)
	if isNotFound(err) {
		return false, nil
	}
	return err == nil, err
}

// isNotFound reports whether a key does not exist; a namespace that does not is
// another matter.
func isNotFound(err error) bool {
	var e *api.Error
	return errors.As(err, &e) && e.Code == codeKeyNotFound
}
