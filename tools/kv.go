package tools

import (
	"cmp"
	"context"
	"encoding/base64"
	"encoding/json"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/esa-mcp/esa-mcp/internal/esa"
)

// Limits of edge KV.
const (
	maxKVValue  = 2_000_000 // bytes of a value in one plain call
	maxKVWindow = 50_000    // page number times page size
)

// KVRef is embedded in the input of tools that work on one key.
type KVRef struct {
	Namespace string `json:"namespace" jsonschema:"minLength=1,maxLength=512" jsonschema_description:"KV namespace; create_kv_namespace makes one"`
	Key       string `json:"key" jsonschema:"minLength=1,maxLength=512,pattern=^[^\\s/\\\\]+$" jsonschema_description:"Key: at most 512 characters, no spaces, slashes or backslashes"`
}

// PutKVInput are the arguments of put_kv.
type PutKVInput struct {
	KVRef
	Value      string     `json:"value" jsonschema_description:"The value, at most 2,000,000 bytes"`
	TTLSeconds int64      `json:"ttl_seconds,omitempty" jsonschema:"minimum=1,maximum=3153600000" jsonschema_description:"The key disappears after so many seconds. Give this or expires_at, or neither to keep it"`
	ExpiresAt  *time.Time `json:"expires_at,omitempty" jsonschema_description:"The key disappears then: a time to come, such as 2030-01-02T15:04:05Z"`
	Base64     bool       `json:"base64,omitempty" jsonschema_description:"true: value is base64 and its decoded bytes are stored"`
}

// PutKVOutput is the result of put_kv.
type PutKVOutput struct {
	Noted
	Namespace string `json:"namespace"`
	Key       string `json:"key"`
	Bytes     int    `json:"bytes" jsonschema_description:"Size of what was stored"`
	ExpiresAt string `json:"expires_at,omitempty"`
}

// GetKVInput are the arguments of get_kv.
type GetKVInput struct {
	KVRef
	Base64   bool `json:"base64,omitempty" jsonschema_description:"true: return the value as base64; needed for values that are not text"`
	Offset   int  `json:"offset,omitempty" jsonschema:"minimum=0" jsonschema_description:"Skip so many bytes of the returned text, to read a long value in parts"`
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
}

// ListKVInput are the arguments of list_kv.
type ListKVInput struct {
	Namespace string `json:"namespace" jsonschema:"minLength=1,maxLength=512" jsonschema_description:"KV namespace"`
	Prefix    string `json:"prefix,omitempty" jsonschema:"maxLength=512" jsonschema_description:"Only keys that begin with this"`
	Page      int    `json:"page,omitempty" jsonschema:"minimum=1,default=1" jsonschema_description:"Number of the page; page times page_size is at most 50000"`
	PageSize  int    `json:"page_size,omitempty" jsonschema:"minimum=1,maximum=100,default=50" jsonschema_description:"Keys per page"`
}

// KVKey is one key of a namespace.
type KVKey struct {
	Name    string `json:"name"`
	Updated string `json:"updated,omitempty"`
}

// ListKVOutput is the result of list_kv.
type ListKVOutput struct {
	Noted
	Keys     []KVKey `json:"keys"`
	Total    int     `json:"total" jsonschema_description:"Keys on all pages"`
	Page     int     `json:"page"`
	NextPage int     `json:"next_page,omitempty" jsonschema_description:"Left out on the last page"`
}

// CreateKVNamespaceInput are the arguments of create_kv_namespace.
type CreateKVNamespaceInput struct {
	Namespace   string `json:"namespace" jsonschema:"minLength=1,maxLength=512" jsonschema_description:"Name of the namespace"`
	Description string `json:"description,omitempty" jsonschema:"maxLength=255" jsonschema_description:"What it is for"`
}

// CreateKVNamespaceOutput is the result of create_kv_namespace.
type CreateKVNamespaceOutput struct {
	Noted
	Namespace string `json:"namespace"`
	ID        string `json:"id,omitempty" jsonschema_description:"Namespace id"`
	Status    string `json:"status,omitempty"`
	Created   bool   `json:"created" jsonschema_description:"false: it existed already and was left as it is"`
}

func kvTools() []Tool {
	return []Tool{
		Define(Meta{
			Name:    "put_kv",
			Title:   "Store a KV value",
			Toolset: "kv",
			Description: "Stores a value under a key of edge KV, replacing any value there. The namespace has to exist. " +
				"Other edge nodes may serve the old value for some minutes.",
			Calls:    []string{"PutKv"},
			ReadOnly: No, Destructive: Yes, Idempotent: Yes, OpenWorld: Yes,
		}, putKV),
		Define(Meta{
			Name:    "get_kv",
			Title:   "Read a KV value",
			Toolset: "kv",
			Description: "Reads the value of a key of edge KV. A long value is returned in parts: " +
				"call again with offset set to next_offset. Use base64 for a value that is not text.",
			Calls:    []string{"GetKv"},
			ReadOnly: Yes, Destructive: No, Idempotent: Yes, OpenWorld: Yes,
		}, getKV),
		Define(Meta{
			Name:        "list_kv",
			Title:       "List KV keys",
			Toolset:     "kv",
			Description: "Lists the keys of an edge KV namespace, without values. Beyond 50,000 keys narrow the list with prefix.",
			Calls:       []string{"ListKvs"},
			ReadOnly:    Yes, Destructive: No, Idempotent: Yes, OpenWorld: Yes,
		}, listKV),
		Define(Meta{
			Name:    "create_kv_namespace",
			Title:   "Create a KV namespace",
			Toolset: "kv",
			Description: "Creates a namespace of edge KV. An account has few of them (10 by default), so use one for several purposes with key prefixes. " +
				"If it exists already it is left as it is and created is false.",
			Calls:    []string{"CreateKvNamespace"},
			ReadOnly: No, Destructive: No, Idempotent: Yes, OpenWorld: Yes,
		}, createKVNamespace),
	}
}

func putKV(ctx context.Context, d *Deps, in PutKVInput) (PutKVOutput, error) {
	out := PutKVOutput{Namespace: in.Namespace, Key: in.Key, Bytes: len(in.Value)}
	if in.Base64 {
		decoded, err := base64.StdEncoding.DecodeString(in.Value)
		if err != nil {
			return out, Refuse("value is not base64 (standard alphabet, padded). Leave base64 out to store it as text.")
		}
		out.Bytes = len(decoded)
	}
	if out.Bytes > maxKVValue {
		return out, Refuse("value has %d bytes, more than the %d that one call can store: split it over several keys.", out.Bytes, maxKVValue)
	}
	params := esa.Params{"Namespace": in.Namespace, "Key": in.Key, "Value": in.Value}
	if in.Base64 {
		params["Base64"] = true
	}
	switch now := d.Now(); {
	case in.TTLSeconds > 0 && in.ExpiresAt != nil:
		return out, Refuse("ttl_seconds and expires_at exclude each other: give one of them.")
	case in.TTLSeconds > 0:
		params["ExpirationTtl"] = in.TTLSeconds
		out.ExpiresAt = now.Add(time.Duration(in.TTLSeconds) * time.Second).UTC().Format(time.RFC3339)
	case in.ExpiresAt != nil && !in.ExpiresAt.After(now):
		return out, Refuse("expires_at is %s, which has passed (it is %s): give a time to come, or ttl_seconds.",
			in.ExpiresAt.UTC().Format(time.RFC3339), now.UTC().Format(time.RFC3339))
	case in.ExpiresAt != nil:
		params["Expiration"] = in.ExpiresAt.Unix()
		out.ExpiresAt = in.ExpiresAt.UTC().Format(time.RFC3339)
	}
	_, err := invoke[struct{}](ctx, d, &out.Noted, "PutKv", params)
	return out, kvError(err, in.Namespace, in.Key)
}

func getKV(ctx context.Context, d *Deps, in GetKVInput) (GetKVOutput, error) {
	out := GetKVOutput{Namespace: in.Namespace, Key: in.Key}
	params := esa.Params{"Namespace": in.Namespace, "Key": in.Key}
	if in.Base64 {
		params["Base64"] = true
	}
	answer, err := invoke[struct{ Value string }](ctx, d, &out.Noted, "GetKv", params)
	if err != nil {
		return out, kvError(err, in.Namespace, in.Key)
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

func listKV(ctx context.Context, d *Deps, in ListKVInput) (ListKVOutput, error) {
	var out ListKVOutput
	page, size := cmp.Or(in.Page, 1), cmp.Or(in.PageSize, 50)
	if page > maxKVWindow/size {
		return out, Refuse("page %d times page_size %d is more than %d, which is as far as the service lists: narrow the list with prefix.", page, size, maxKVWindow)
	}
	params := esa.Params{"Namespace": in.Namespace, "PageNumber": page, "PageSize": size}
	if in.Prefix != "" {
		params["Prefix"] = in.Prefix
	}
	answer, err := invoke[struct {
		Keys       []struct{ Name, UpdateTime string }
		TotalCount int
	}](ctx, d, &out.Noted, "ListKvs", params)
	if err != nil {
		return out, kvError(err, in.Namespace, "")
	}
	for _, k := range answer.Keys {
		out.Keys = append(out.Keys, KVKey{Name: k.Name, Updated: k.UpdateTime})
	}
	out.Total, out.Page, out.NextPage = answer.TotalCount, page, nextPage(page, size, answer.TotalCount)
	return out, nil
}

func createKVNamespace(ctx context.Context, d *Deps, in CreateKVNamespaceInput) (CreateKVNamespaceOutput, error) {
	out := CreateKVNamespaceOutput{Namespace: in.Namespace}
	params := esa.Params{"Namespace": in.Namespace}
	if in.Description != "" {
		params["Description"] = in.Description
	}
	answer, err := invoke[struct {
		NamespaceID json.RawMessage `json:"NamespaceId"`
		Status      string
	}](ctx, d, &out.Noted, "CreateKvNamespace", params)
	if esa.CodeOf(err) == "InvalidNameSpace.Duplicate" {
		return out, nil
	}
	if err != nil {
		return out, err
	}
	out.ID, out.Status, out.Created = strings.Trim(string(answer.NamespaceID), `"`), answer.Status, true
	return out, nil
}

// kvError names the tool that repairs a call which missed its namespace or key.
func kvError(err error, namespace, key string) error {
	switch esa.CodeOf(err) {
	case "InvalidNameSpace.NotFound":
		return Refuse("There is no KV namespace %q: create it with create_kv_namespace. (%w)", namespace, err)
	case "InvalidKey.NotFound":
		return Refuse("There is no key %q in the KV namespace %q: list_kv shows the keys. (%w)", key, namespace, err)
	}
	return err
}
