package guard

import (
	"crypto/sha256"
	"encoding/hex"
	"reflect"
	"strings"
	"unicode"

	"github.com/esa-mcp/esa-mcp/internal/esa"
)

// keeps reports whether a call can be kept as it is: the log has no secrets. What
// redaction drops because nobody sees it, such as the returns of Windows' lines, is
// none.
func (j *Journal) keeps(c Correction) bool {
	plain, _ := allSeen(opened(map[string]any(c.Params))).(map[string]any)
	return reflect.DeepEqual(plain, opened(j.redact(c.Action, plain)))
}

// allSeen puts a mark in the place of each character that cannot be seen.
func allSeen(v any) any {
	switch v := v.(type) {
	case map[string]any:
		for k, e := range v {
			v[k] = allSeen(e)
		}
	case []any:
		for i, e := range v {
			v[i] = allSeen(e)
		}
	case string:
		return strings.Map(func(r rune) rune {
			if unicode.IsControl(r) || unicode.Is(unicode.Cf, r) || r == unicode.ReplacementChar {
				return '.'
			}
			return r
		}, v)
	}
	return v
}

// sealed begins a value of which the log keeps only what tells whether it is the
// same.
const sealed = "sha256:"

// seal makes digests of fields that are long, or that have something to hide.
func (j *Journal) seal(action string, fields map[string]any) {
	for name, value := range fields {
		text := scalar(value)
		if text == "" {
			text = textOf(value)
		}
		if isDigest(text) {
			continue
		}
		if len(text) > maxShownText || !j.keeps(Correction{action, esa.Params{name: value}}) {
			fields[name] = digest(value)
		}
	}
}

// isDigest tells whether a text is a digest already.
func isDigest(text string) bool {
	sum, ok := strings.CutPrefix(text, sealed)
	raw, err := hex.DecodeString(sum)
	return ok && err == nil && len(raw) == sha256.Size
}

// digest is the same for values that are the same.
func digest(v any) string {
	text := scalar(v)
	if text == "" {
		text = textOf(decoded(v))
	}
	sum := sha256.Sum256([]byte(text))
	return sealed + hex.EncodeToString(sum[:])
}

// opened decodes texts that are JSON, which redaction writes anew.
func opened(v any) any {
	switch v := decoded(v).(type) {
	case map[string]any:
		for k, e := range v {
			v[k] = opened(e)
		}
		return v
	case []any:
		for i, e := range v {
			v[i] = opened(e)
		}
		return v
	default:
		return v
	}
}
