package tools

import (
	"bytes"
	"cmp"
	"context"
	"encoding/base64"
	"fmt"
	"slices"
	"strconv"
	"time"
	"unicode/utf8"

	"github.com/esa-mcp/esa-mcp/internal/esa"
	"github.com/esa-mcp/esa-mcp/internal/guard"
)

// PutKVInput are the arguments of put_kv.
type PutKVInput struct {
	KVRef
	Value string `json:"value" jsonschema_description:"At most 25,000,000 bytes"`
	KVExpiry
	Base64 bool `json:"base64,omitempty" jsonschema_description:"value is base64; store its decoded bytes"`
}

// PutKVOutput is the result of put_kv.
type PutKVOutput struct {
	Noted
	Namespace string `json:"namespace"`
	Key       string `json:"key"`
	Bytes     int    `json:"bytes" jsonschema_description:"Size of what was stored"`
	ExpiresAt string `json:"expires_at,omitempty"`
}

func putKVTool() Tool {
	return Define(Meta{
		Name:    "put_kv",
		Title:   "Store a KV value",
		Toolset: "kv",
		Description: "Stores one value under a key of edge KV, replacing any value there. " +
			"Other edge nodes may serve the old value for some minutes.",
		Calls:    []string{"PutKv", "PutKvWithHighCapacity", "BatchPutKvWithHighCapacity"},
		ReadOnly: No, Destructive: Yes, Idempotent: Yes, OpenWorld: Yes,
	}, putKV)
}

func putKV(ctx context.Context, d *Deps, in PutKVInput) (PutKVOutput, error) {
	out := PutKVOutput{Namespace: in.Namespace, Key: in.Key, Bytes: len(in.Value)}
	decoded := in.Value
	if in.Base64 {
		raw, err := base64.StdEncoding.DecodeString(in.Value)
		if err != nil {
			return out, Refuse("value is not base64 (standard alphabet, padded). Leave base64 out to store it as text.")
		}
		decoded, out.Bytes = string(raw), len(raw)
	}
	params := map[string]any{"Namespace": in.Namespace, "Key": in.Key, "Value": in.Value}
	expires, err := in.KVExpiry.params(params, d.Now())
	if err != nil {
		return out, err
	}
	out.ExpiresAt = expires
	if out.Bytes > maxKVValue {
		params["Value"] = decoded
		return out, kvError(putBigKV(ctx, d, &out, params), in.Namespace, in.Key)
	}
	if in.Base64 {
		params["Base64"] = true
	}
	_, err = invoke[struct{}](ctx, d, &out.Noted, "PutKv", params)
	return out, kvError(err, in.Namespace, in.Key)
}

// putBigKV stores a value that is too large for a plain call, by upload. A single
// value's upload has no place for an expiry, so one that expires goes as a batch
// of one.
func putBigKV(ctx context.Context, d *Deps, out *PutKVOutput, pair map[string]any) error {
	if out.Bytes > maxKVBig {
		return Refuse("value has %d bytes, more than the %d that edge KV stores under one key: split it over several keys.", out.Bytes, maxKVBig)
	}
	if !utf8.ValidString(pair["Value"].(string)) {
		return Refuse("value has %d bytes and is not text: values over %d bytes have to be text. Split it, or store its base64 text without base64.", out.Bytes, maxKVValue)
	}
	out.Note(esa.Note{ID: "kv-value-size", Text: fmt.Sprintf("over %d bytes: stored by upload", maxKVValue)})
	if out.ExpiresAt != "" {
		item := map[string]any{"Key": out.Key, "Value": pair["Value"]}
		for _, name := range []string{"Expiration", "ExpirationTtl"} {
			if v, ok := pair[name]; ok {
				item[name] = v
			}
		}
		done, err := uploadKVBatch(ctx, d, &out.Noted, "BatchPutKvWithHighCapacity", out.Namespace, "KvList", slices.Values([]any{item}), out.Bytes)
		if err != nil {
			return err
		}
		if !done[out.Key] {
			return fmt.Errorf("store key %q: the service did not confirm it and gives no reason", out.Key)
		}
		return nil
	}
	content := bytes.NewBuffer(appendJSON(nil, map[string]any{"Namespace": out.Namespace, "Key": out.Key, "Value": pair["Value"]}))
	location, err := uploadKV(ctx, d, content)
	if err != nil {
		return err
	}
	guard.SetUploaded(ctx, pair["Value"].(string))
	_, err = invoke[struct{}](ctx, d, &out.Noted, "PutKvWithHighCapacity",
		esa.Params{"Namespace": out.Namespace, "Key": out.Key, "Url": location})
	return err
}

// GetKVInput are the arguments of get_kv.
type GetKVInput struct {
	KVRef
	Base64   bool `json:"base64,omitempty" jsonschema_description:"Return base64, for values that are not text"`
	Offset   int  `json:"offset,omitempty" jsonschema:"minimum=0" jsonschema_description:"Skip so many bytes of the text"`
	MaxBytes int  `json:"max_bytes,omitempty" jsonschema:"minimum=1,maximum=80000,default=20000" jsonschema_description:"Return at most so many bytes"`
}

// GetKVOutput is the result of get_kv.
type GetKVOutput struct {
	Noted
	Namespace  string `json:"namespace"`
	Key        string `json:"key"`
	Value      string `json:"value"`
	Bytes      int    `json:"bytes" jsonschema_description:"Size of the whole returned text"`
	NextOffset int    `json:"next_offset,omitempty" jsonschema_description:"Where the rest begins; left out when the value is complete"`
	TTLSeconds int64  `json:"ttl_seconds,omitempty" jsonschema_description:"Seconds left; left out when it stays"`
	ExpiresAt  string `json:"expires_at,omitempty"`
}

func getKVTool() Tool {
	return Define(Meta{
		Name:    "get_kv",
		Title:   "Read a KV value",
		Toolset: "kv",
		Description: "Reads the value and expiry of a key of edge KV. A long value comes in parts: " +
			"call again with offset = next_offset.",
		Calls:    []string{"GetKv", "GetKvDetail"},
		ReadOnly: Yes, Destructive: No, Idempotent: Yes, OpenWorld: Yes,
	}, getKV)
}

// kvDetail is the answer of GetKvDetail.
type kvDetail struct {
	Value         string
	ExpirationTTL string `json:"ExpirationTtl"`
}

func (k kvDetail) ttl() int64 {
	n, err := strconv.ParseInt(k.ExpirationTTL, 10, 64)
	if err != nil || n < 0 {
		return 0
	}
	return n
}

func getKV(ctx context.Context, d *Deps, in GetKVInput) (GetKVOutput, error) {
	out := GetKVOutput{Namespace: in.Namespace, Key: in.Key}
	params := esa.Params{"Namespace": in.Namespace, "Key": in.Key}
	answer, err := invoke[kvDetail](ctx, d, &out.Noted, "GetKvDetail", params)
	if err == nil && in.Base64 {
		params["Base64"] = true
		var plain struct{ Value string }
		plain, err = invoke[struct{ Value string }](ctx, d, &out.Noted, "GetKv", params)
		answer.Value = plain.Value
	}
	if err != nil {
		return out, kvError(err, in.Namespace, in.Key)
	}
	if out.TTLSeconds = answer.ttl(); out.TTLSeconds > 0 {
		out.ExpiresAt = stamp(d.Now().Add(time.Duration(out.TTLSeconds) * time.Second))
	}
	out.Bytes = len(answer.Value)
	if in.Offset > 0 && in.Offset >= out.Bytes {
		return out, Refuse("offset %d is beyond the value, which has %d bytes.", in.Offset, out.Bytes)
	}
	out.Value, out.NextOffset = part(answer.Value, in.Offset, cmp.Or(in.MaxBytes, 20_000))
	return out, nil
}

// part cuts a text without breaking characters, and tells where the rest begins
// (0: there is none).
func part(text string, from, length int) (string, int) {
	for from < len(text) && !utf8.RuneStart(text[from]) {
		from++
	}
	text = text[from:]
	if len(text) <= length {
		return text, 0
	}
	end := length
	for end > 0 && !utf8.RuneStart(text[end]) {
		end--
	}
	if end == 0 { // a character longer than length: it has to make progress
		_, end = utf8.DecodeRuneInString(text)
	}
	if end == len(text) {
		return text, 0
	}
	return text[:end], from + end
}

// DeleteKVOutput is the result of delete_kv.
type DeleteKVOutput struct {
	Noted
	Namespace string `json:"namespace"`
	Key       string `json:"key"`
	Deleted   bool   `json:"deleted" jsonschema_description:"false: there was no such key"`
}

func deleteKVTool() Tool {
	return Define(Meta{
		Name:        "delete_kv",
		Title:       "Delete a KV key",
		Toolset:     "kv",
		Description: "Deletes one key of edge KV with its value.",
		Calls:       []string{"DeleteKv"},
		ReadOnly:    No, Destructive: Yes, Idempotent: Yes, OpenWorld: Yes,
	}, func(ctx context.Context, d *Deps, in KVRef) (DeleteKVOutput, error) {
		out := DeleteKVOutput{Namespace: in.Namespace, Key: in.Key}
		_, err := invoke[struct{}](ctx, d, &out.Noted, "DeleteKv", esa.Params{"Namespace": in.Namespace, "Key": in.Key})
		if esa.CodeOf(err) == "InvalidKey.NotFound" {
			return out, nil
		}
		out.Deleted = err == nil
		return out, kvError(err, in.Namespace, in.Key)
	})
}
