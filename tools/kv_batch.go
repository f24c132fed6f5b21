package tools

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/esa-mcp/esa-mcp/internal/esa"
	"github.com/esa-mcp/esa-mcp/internal/guard"
)

// maxKVFailures is how many failed keys a result names.
const maxKVFailures = 50

// KVFailedKey is a key that was not stored or deleted.
type KVFailedKey struct {
	Key    string `json:"key"`
	Reason string `json:"reason"`
}

// BatchPutKVInput are the arguments of batch_put_kv.
type BatchPutKVInput struct {
	Namespace string            `json:"namespace" jsonschema:"minLength=1" jsonschema_description:"KV namespace"`
	Values    map[string]string `json:"values" jsonschema_description:"Value by key, text"`
	KVExpiry
}

// BatchPutKVOutput is the result of batch_put_kv.
type BatchPutKVOutput struct {
	Noted
	Namespace   string        `json:"namespace"`
	Stored      int           `json:"stored" jsonschema_description:"Keys that the service confirmed"`
	FailedCount int           `json:"failed_count,omitempty"`
	Failed      []KVFailedKey `json:"failed,omitempty" jsonschema_description:"The first 50 of them"`
	ExpiresAt   string        `json:"expires_at,omitempty"`
}

func batchPutKVTool() Tool {
	return Define(Meta{
		Name:        "batch_put_kv",
		Title:       "Store many KV values",
		Toolset:     "kv",
		Description: "Stores several text values in edge KV, replacing those there, and reports each that failed. From files use import_kv.",
		Calls:       []string{"BatchPutKv", "BatchPutKvWithHighCapacity"},
		ReadOnly:    No, Destructive: Yes, Idempotent: Yes, OpenWorld: Yes,
	}, batchPutKV)
}

func batchPutKV(ctx context.Context, d *Deps, in BatchPutKVInput) (BatchPutKVOutput, error) {
	out := BatchPutKVOutput{Namespace: in.Namespace}
	common := map[string]any{}
	expires, err := in.KVExpiry.params(common, d.Now())
	if err != nil {
		return out, err
	}
	out.ExpiresAt = expires
	keys := slices.Sorted(maps.Keys(in.Values))
	if len(keys) == 0 {
		return out, Refuse("values is empty: give at least one key with its value.")
	}
	if err := checkKVKeys(keys); err != nil {
		return out, err
	}
	var (
		batch []kvItem
		bytes int
		done  int
	)
	flush := func() error {
		failed, err := sendKV(ctx, d, &out.Noted, in.Namespace, batch)
		if err != nil {
			return kvPartial(kvError(err, in.Namespace, ""), done, len(keys))
		}
		done += len(batch)
		out.Stored += len(batch) - len(failed)
		out.fail(failed)
		batch, bytes = batch[:0], 0
		Progress(ctx, float64(done), float64(len(keys)), fmt.Sprintf("%d keys stored", out.Stored))
		return nil
	}
	for _, key := range keys {
		item := kvItem{Key: key, Value: in.Values[key], TTL: in.TTLSeconds}
		if in.ExpiresAt != nil {
			item.Expires = in.ExpiresAt.Unix()
		}
		item.check()
		if len(batch) > 0 && (len(batch) == maxKVKeys || bytes+item.size()+2 > maxKVBatch) {
			if err := flush(); err != nil {
				return out, err
			}
		}
		batch, bytes = append(batch, item), bytes+item.size()
	}
	return out, flush()
}

func (o *BatchPutKVOutput) fail(failed []kvFailure) {
	o.FailedCount += len(failed)
	for _, f := range failed {
		if len(o.Failed) < maxKVFailures {
			o.Failed = append(o.Failed, KVFailedKey{f.Key, f.Reason})
		}
	}
}

// kvPartial says how much was done before a batch failed.
func kvPartial(err error, done, total int) error {
	if done == 0 {
		return err
	}
	return Refuse("After %d of %d keys: %w", done, total, err)
}

// checkKVKeys refuses keys that the service would, so that a slip stores nothing.
func checkKVKeys(keys []string) error {
	var bad []string
	for _, key := range keys {
		if err := guard.CheckKVKey(key); err != nil {
			bad = append(bad, fmt.Sprintf("%q (%v)", key, err))
		}
	}
	if len(bad) == 0 {
		return nil
	}
	return Refuse("%d of the keys cannot be used, so nothing was sent: %s.", len(bad), strings.Join(bad[:min(len(bad), 5)], ", "))
}

// BatchDeleteKVInput are the arguments of batch_delete_kv.
type BatchDeleteKVInput struct {
	Namespace string   `json:"namespace" jsonschema:"minLength=1" jsonschema_description:"KV namespace"`
	Keys      []string `json:"keys" jsonschema:"minItems=1" jsonschema_description:"Keys to delete"`
}

// BatchDeleteKVOutput is the result of batch_delete_kv.
type BatchDeleteKVOutput struct {
	Noted
	Namespace   string   `json:"namespace"`
	Deleted     int      `json:"deleted"`
	FailedCount int      `json:"failed_count,omitempty" jsonschema_description:"Keys that were not there or that the service refused"`
	Failed      []string `json:"failed,omitempty" jsonschema_description:"The first 50 of them"`
}

func batchDeleteKVTool() Tool {
	return Define(Meta{
		Name:        "batch_delete_kv",
		Title:       "Delete many KV keys",
		Toolset:     "kv",
		Description: "Deletes several keys of edge KV and names those that were not there or failed.",
		Calls:       []string{"BatchDeleteKv", "BatchDeleteKvWithHighCapacity"},
		ReadOnly:    No, Destructive: Yes, Idempotent: Yes, OpenWorld: Yes,
	}, batchDeleteKV)
}

func batchDeleteKV(ctx context.Context, d *Deps, in BatchDeleteKVInput) (BatchDeleteKVOutput, error) {
	out := BatchDeleteKVOutput{Namespace: in.Namespace}
	keys := slices.Clone(in.Keys)
	slices.Sort(keys)
	keys = slices.Compact(keys)
	if err := checkKVKeys(keys); err != nil {
		return out, err
	}
	list := make([]any, len(keys))
	for i, key := range keys {
		list[i] = key
	}
	var (
		done map[string]bool
		err  error
	)
	if len(keys) <= maxKVKeys {
		done, err = batchKV(ctx, d, &out.Noted, "BatchDeleteKv", esa.Params{"Namespace": in.Namespace, "Keys": list})
	} else {
		// Before the keys are uploaded, and while they can be named.
		if err := guard.Confirm(ctx, guard.Question{IDs: []string{"api-delete"}, Action: "BatchDeleteKvWithHighCapacity",
			Lost: fmt.Sprintf("%d keys of namespace %s, from %s to %s", len(keys), in.Namespace, keys[0], keys[len(keys)-1])}); err != nil {
			return out, err
		}
		done, err = uploadKVBatch(ctx, d, &out.Noted, "BatchDeleteKvWithHighCapacity", in.Namespace, "Keys", slices.Values(list), 0)
	}
	if err != nil {
		return out, kvError(err, in.Namespace, "")
	}
	for _, key := range keys {
		switch {
		case done[key]:
			out.Deleted++
		default:
			out.FailedCount++
			if len(out.Failed) < maxKVFailures {
				out.Failed = append(out.Failed, key)
			}
		}
	}
	return out, nil
}
