package kv

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"

	"github.com/esa-mcp/esa-mcp/internal/local/api"
)

// outcome is the answer of every batch: each key is in one of the lists. A batch
// whose keys all failed is answered with HTTP 200 too.
type outcome struct {
	FailKeys    []string
	SuccessKeys []string
}

func newOutcome() *outcome { return &outcome{FailKeys: []string{}, SuccessKeys: []string{}} }

// add files a key by what became of it. An error that is not the service's own
// ends the batch.
func (o *outcome) add(key string, err error) error {
	var refused *api.Error
	switch {
	case err == nil:
		o.SuccessKeys = append(o.SuccessKeys, key)
	case errors.As(err, &refused):
		o.FailKeys = append(o.FailKeys, key)
	default:
		return err
	}
	return nil
}

// entry is one pair of a KvList.
type entry struct {
	Key           string
	Value         *string
	Expiration    json.Number
	ExpirationTTL json.Number `json:"ExpirationTtl"`
}

// expiry reads when the pair ends, as of a single pair.
func (s *Service) entryExpiry(e entry) (sql.NullInt64, error) {
	p := api.Params{}
	if e.Expiration != "" {
		p["Expiration"] = e.Expiration
	}
	if e.ExpirationTTL != "" {
		p["ExpirationTtl"] = e.ExpirationTTL
	}
	return s.expiry(p)
}

// batchPut answers BatchPutKv.
func (s *Service) batchPut(ctx context.Context, r *api.Request) (any, error) {
	if n := len(r.Params.String("KvList")); n > maxBatchBytes {
		return nil, api.Errorf(400, "InvalidValue.ExceedsMaximum", "KvList has %d bytes, more than %d.", n, maxBatchBytes)
	}
	var list []entry
	if sent, err := r.Params.JSON("KvList", &list); err != nil {
		return nil, err
	} else if !sent {
		return nil, api.Errorf(400, "MissingKvList", "KvList is mandatory for this action.")
	}
	if len(list) > maxBatch {
		return nil, tooMany(len(list))
	}
	out := newOutcome()
	keys := make([]string, len(list))
	for i, e := range list {
		keys[i] = e.Key
	}
	err := s.change(ctx, r.Params, func(w *writer) error {
		if err := w.lookUp(keys); err != nil {
			return err
		}
		for _, e := range list {
			if err := out.add(e.Key, w.putEntry(e, maxValue)); err != nil {
				return err
			}
		}
		return nil
	})
	return out, err
}

func tooMany(n int) error {
	return api.Errorf(400, "InvalidKey.ExceedsMaximum", "The batch has %d keys, more than %d.", n, maxBatch)
}

// batchDelete answers BatchDeleteKv.
func (s *Service) batchDelete(ctx context.Context, r *api.Request) (any, error) {
	var keys []string
	if sent, err := r.Params.JSON("Keys", &keys); err != nil {
		return nil, err
	} else if !sent {
		return nil, api.Errorf(400, "MissingKeys", "Keys is mandatory for this action.")
	}
	if len(keys) > maxBatch {
		return nil, tooMany(len(keys))
	}
	out := newOutcome()
	err := s.change(ctx, r.Params, func(w *writer) error {
		if err := w.lookUp(keys); err != nil {
			return err
		}
		for _, key := range keys {
			if err := out.add(key, w.delete(key)); err != nil {
				return err
			}
		}
		return nil
	})
	return out, err
}
