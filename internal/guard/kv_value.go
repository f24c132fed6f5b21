package guard

import (
	"context"
	"encoding/base64"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/esa-mcp/esa-mcp/internal/esa"
)

// A value of edge KV need not be text, and an answer in JSON shows what is none with
// replacement characters. What is read of a key has such a value in base64, and a
// field beside it that says so, as the calls of the API have it.
const base64Field = "Base64"

// isBase64 reports whether a value is in base64.
func isBase64(fields map[string]any) bool {
	return strings.EqualFold(scalar(fields[base64Field]), "true")
}

// exactKV makes an answer of GetKv exact: if it may be of a value that is no text,
// it is asked for once more.
func exactKV(ctx context.Context, ref esa.Params, body map[string]any, read func(context.Context, esa.Params) (map[string]any, error)) (map[string]any, error) {
	if !strings.ContainsRune(scalar(body["Value"]), utf8.RuneError) {
		return body, nil
	}
	body, err := read(ctx, esa.Params{"Namespace": ref["Namespace"], "Key": ref["Key"], base64Field: true})
	if err != nil {
		return nil, err
	}
	return kvFields(scalar(body["Value"]), true), nil
}

// kvFields are the fields of a value as it is sent; in base64 only if it is no text.
func kvFields(value string, encoded bool) map[string]any {
	if !encoded {
		return map[string]any{"Value": value}
	}
	raw, err := base64.StdEncoding.DecodeString(value)
	if err == nil && utf8.Valid(raw) {
		return map[string]any{"Value": string(raw)}
	}
	return map[string]any{"Value": value, base64Field: true}
}

// kvValue is what a key stands for from some time on. The zero value is not sure.
type kvValue struct {
	since  time.Time
	sure   bool   // it is known what it is
	maybe  bool   // not sure, but it is this or what was before
	print  string // a digest; empty if there is no such key
	text   string // the value, if whole
	binary bool   // text is in base64
	whole  bool
	until  time.Time // when it expires; zero if it stays
}

// kvText is a value that is there.
func kvText(text string) kvValue {
	v := kvValue{sure: true, print: digest(text)}
	if len(text) <= maxKVText {
		v.text, v.whole = text, true
	}
	return v
}

// kvOf is the value that fields have.
func kvOf(fields map[string]any) kvValue {
	text := scalar(fields["Value"])
	var v kvValue
	if strings.HasPrefix(text, sealed) {
		v = kvValue{sure: true, print: text}
	} else {
		v = kvText(text)
	}
	if isBase64(fields) {
		v.binary, v.print = true, "base64 "+v.print
	}
	return v
}

// fields are those of a value that is whole.
func (v kvValue) fields() map[string]any {
	fields := map[string]any{"Value": v.text}
	if v.binary {
		fields[base64Field] = true
	}
	return fields
}

// kvSeen is a value as a read shows it.
func kvSeen(s subject) kvValue {
	switch {
	case s.reads == "" || s.unsure:
		return kvValue{}
	case s.state == nil:
		return kvValue{sure: true}
	}
	return kvOf(s.state)
}

// at is the value at a time when it may have expired.
func (v kvValue) at(now time.Time) kvValue {
	if !v.until.IsZero() && !now.Before(v.until) {
		return kvValue{since: v.since, sure: v.sure}
	}
	return v
}
