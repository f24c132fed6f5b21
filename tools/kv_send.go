package tools

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"iter"
	"strings"
	"unicode/utf8"

	"github.com/esa-mcp/esa-mcp/internal/esa"
	"github.com/esa-mcp/esa-mcp/internal/guard"
)

// kvItem is one pair on its way to the service.
type kvItem struct {
	Key   string
	Value string // the bytes, text or not
	// TTL and Expires are as the API has them; 0 for none.
	TTL, Expires int64
	// Problem, if any, is why it is not even sent.
	Problem string
	// File is where the value came from, for a pair of a folder.
	File string
}

// kvFailure is a pair that was not stored or deleted, and why.
type kvFailure struct {
	kvItem
	Reason string
}

const (
	kvUnexplained = "refused by the service, which gives no reason for single keys of a batch"
	kvUnconfirmed = "not confirmed: the service named the key neither as stored nor as failed"
)

// check finds what is wrong with an item before it is sent.
func (i *kvItem) check() {
	if i.Problem != "" {
		return
	}
	switch err := guard.CheckKVKey(i.Key); {
	case err != nil:
		i.Problem = err.Error()
	case len(i.Value) > maxKVBig:
		i.Problem = fmt.Sprintf("the value has %d bytes, more than %d", len(i.Value), maxKVBig)
	case len(i.Value) > maxKVValue && !utf8.ValidString(i.Value):
		i.Problem = fmt.Sprintf("the value has %d bytes and is not text: over %d bytes it has to be", len(i.Value), maxKVValue)
	}
}

func (i *kvItem) pair() map[string]any {
	pair := map[string]any{"Key": i.Key, "Value": i.Value}
	if i.TTL > 0 {
		pair["ExpirationTtl"] = i.TTL
	}
	if i.Expires > 0 {
		pair["Expiration"] = i.Expires
	}
	return pair
}

// size is at least what the pair takes in the JSON of a batch.
func (i *kvItem) size() int {
	n := len(`{"Key":"","Value":""},`) + jsonLength(i.Key) + jsonLength(i.Value)
	if i.TTL > 0 {
		n += len(`"ExpirationTtl":,`) + 20
	}
	if i.Expires > 0 {
		n += len(`"Expiration":,`) + 20
	}
	return n
}

// jsonLength is the length of a text in JSON without its quotes.
func jsonLength(s string) int {
	n := len(s)
	for i := range len(s) {
		switch c := s[i]; {
		case c == '"' || c == '\\' || c == '\n' || c == '\r' || c == '\t':
			n++
		case c < ' ' || c == 0x7f:
			n += 5
		}
	}
	if strings.Contains(s, "\u2028") || strings.Contains(s, "\u2029") || !utf8.ValidString(s) {
		n *= 6 // rare, so no more exact than safe
	}
	return n
}

// sendKV stores items, by one plain call, or by upload when they are too large
// for one. It returns those that were not stored. An error is one of the whole
// call: nothing is known of any item then.
func sendKV(ctx context.Context, d *Deps, notes *Noted, namespace string, items []kvItem) ([]kvFailure, error) {
	var (
		failed []kvFailure
		texts  []*kvItem
		bytes  int
	)
	for i := range items {
		switch item := &items[i]; {
		case item.Problem != "":
			failed = append(failed, kvFailure{*item, item.Problem})
		case utf8.ValidString(item.Value):
			texts, bytes = append(texts, item), bytes+item.size()
		default:
			err := putBinaryKV(ctx, d, notes, namespace, item)
			if refusesKVItem(err) {
				failed = append(failed, kvFailure{*item, err.Error()})
			} else if err != nil {
				return nil, err
			}
		}
	}
	if len(texts) == 0 {
		return failed, nil
	}
	more, err := putKVTexts(ctx, d, notes, namespace, texts, bytes)
	return append(failed, more...), err
}

// putBinaryKV stores a value that is not text: a batch has no place for one.
func putBinaryKV(ctx context.Context, d *Deps, notes *Noted, namespace string, item *kvItem) error {
	params := esa.Params{"Namespace": namespace, "Base64": true}
	for name, v := range item.pair() {
		params[name] = v
	}
	params["Value"] = base64.StdEncoding.EncodeToString([]byte(item.Value))
	_, err := invoke[struct{}](ctx, d, notes, "PutKv", params)
	return err
}

// putKVTexts stores text items. When the service refuses the whole batch for
// what a single pair has wrong, halves are tried, so that the others arrive.
func putKVTexts(ctx context.Context, d *Deps, notes *Noted, namespace string, items []*kvItem, bytes int) ([]kvFailure, error) {
	var done map[string]bool
	var err error
	if bytes+2 <= maxKVBatch && len(items) <= maxKVKeys {
		list := make([]any, len(items))
		for i, item := range items {
			list[i] = item.pair()
		}
		done, err = batchKV(ctx, d, notes, "BatchPutKv", esa.Params{"Namespace": namespace, "KvList": list})
	} else {
		done, err = uploadKVBatch(ctx, d, notes, "BatchPutKvWithHighCapacity", namespace, "KvList", wires(items), bytes)
	}
	if refusesKVItem(err) {
		if len(items) == 1 {
			return []kvFailure{{*items[0], err.Error()}}, nil
		}
		half := len(items) / 2
		failed, err := putKVTexts(ctx, d, notes, namespace, items[:half], bytes)
		if err != nil {
			return nil, err
		}
		more, err := putKVTexts(ctx, d, notes, namespace, items[half:], bytes)
		return append(failed, more...), err
	}
	if err != nil {
		return nil, err
	}
	var failed []kvFailure
	for _, item := range items {
		if ok, named := done[item.Key]; !ok {
			failed = append(failed, kvFailure{*item, kvReason(named)})
		}
	}
	return failed, nil
}

func kvReason(named bool) string {
	if named {
		return kvUnexplained
	}
	return kvUnconfirmed
}

// refusesKVItem reports whether an error is about one pair, not about the call.
func refusesKVItem(err error) bool {
	switch esa.CodeOf(err) {
	case "InvalidKey.Malformed", "InvalidKey.ExceedsMaximum", "InvalidValue.Malformed", "InvalidValue.ExceedsMaximum",
		"InvalidExpiration", "InvalidExpirationTtl":
		return true
	}
	return false
}

// batchKV sends a batch and says of each key that the service named whether it
// is done. Keys that it did not name are missing.
func batchKV(ctx context.Context, d *Deps, notes *Noted, action string, params esa.Params) (map[string]bool, error) {
	answer, err := invoke[struct{ SuccessKeys, FailKeys []string }](ctx, d, notes, action, params)
	if err != nil {
		return nil, err
	}
	done := make(map[string]bool, len(answer.SuccessKeys)+len(answer.FailKeys))
	for _, key := range answer.SuccessKeys {
		done[key] = true
	}
	for _, key := range answer.FailKeys {
		done[key] = false
	}
	return done, nil
}

// kvWire is an item as a batch by upload has it: the same as pair, at a quarter
// of the memory.
type kvWire struct {
	Key, Value    string
	ExpirationTTL int64 `json:"ExpirationTtl,omitempty"`
	Expiration    int64 `json:",omitempty"`
}

// wires gives items one by one.
func wires(items []*kvItem) iter.Seq[any] {
	return func(yield func(any) bool) {
		for _, i := range items {
			if !yield(kvWire{i.Key, i.Value, i.TTL, i.Expires}) {
				return
			}
		}
	}
}

// uploadKVBatch is batchKV by upload. size is about what the list takes, in
// bytes; 0 if that is not known.
func uploadKVBatch(ctx context.Context, d *Deps, notes *Noted, action, namespace, list string, items iter.Seq[any], size int) (map[string]bool, error) {
	var b bytes.Buffer
	b.Grow(size + 64 + len(namespace)) // growing by itself would need twice the memory
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	write := func(before string, v any) error {
		b.WriteString(before)
		if err := e.Encode(v); err != nil {
			return fmt.Errorf("encode the upload: %w", err)
		}
		return nil
	}
	if err := write(`{"Namespace":`, namespace); err != nil {
		return nil, err
	}
	before := `,"` + list + `":[`
	for item := range items {
		if err := write(before, item); err != nil {
			return nil, err
		}
		before = ","
	}
	b.WriteString("]}")
	location, err := uploadKV(ctx, d, &b)
	if err != nil {
		return nil, err
	}
	return batchKV(ctx, d, notes, action, esa.Params{"Namespace": namespace, "Url": location})
}

// uploadKV puts the content of a high-capacity call where the service reads it.
func uploadKV(ctx context.Context, d *Deps, b *bytes.Buffer) (string, error) {
	if b.Len() > maxKVUpload {
		return "", Refuse("the upload would have %d bytes, more than the %d of one call: use import_kv, which cuts it.", b.Len(), maxKVUpload)
	}
	location, err := d.Upload.UploadFile(ctx, esa.Object{
		Name: "kv.json",
		Size: int64(b.Len()),
		Open: func(context.Context) (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(b.Bytes())), nil },
	})
	if err != nil {
		return "", fmt.Errorf("upload the KV data: %w", err)
	}
	return location, nil
}
