package runtime

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"sort"
	"strings"
	"unicode/utf8"

	"modernc.org/quickjs"
)

// Kinds of values that cross between Go and JavaScript, as pairs of a kind and a
// text: the engine's wrapper passes no bytes.
const (
	kindNone   = 0
	kindText   = 1
	kindBytes  = 2 // the text is base64
	kindHandle = 3 // the text is the number of a body that Go holds
)

// value is one of those.
type value struct {
	kind int
	text string
}

func textValue(s string) value  { return value{kindText, s} }
func bytesValue(b []byte) value { return value{kindBytes, base64.StdEncoding.EncodeToString(b)} }

// bytes returns the bytes of a text or of bytes.
func (v value) bytes() ([]byte, error) {
	if v.kind == kindBytes {
		return base64.StdEncoding.DecodeString(v.text)
	}
	return []byte(v.text), nil
}

// settleArgs are an event as the web layer takes it: number, error, kind, text,
// and the handle of a body or nothing.
func (j *job) settleArgs(e event) []any {
	if e.err != nil {
		return []any{e.op, e.err.Error(), kindNone, "", ""}
	}
	handle := ""
	if e.body != nil {
		handle = j.bodies.add(e.body).text
	}
	return []any{e.op, quickjs.Undefined{}, e.value.kind, e.value.text, handle}
}

// validText is what UTF-8 stands for, without a mark at its beginning.
func validText(b []byte) string { return strings.TrimPrefix(decodeText(b), "\uFEFF") }

// decodeText replaces what is no UTF-8 as browsers do: each longest beginning of
// a character becomes one U+FFFD.
func decodeText(b []byte) string {
	if utf8.Valid(b) {
		return string(b)
	}
	var out strings.Builder
	for len(b) > 0 {
		r, size := utf8.DecodeRune(b)
		if r == utf8.RuneError && size <= 1 {
			size = brokenLength(b)
			out.WriteRune(utf8.RuneError)
		} else {
			out.Write(b[:size])
		}
		b = b[size:]
	}
	return out.String()
}

// brokenLength is how many of the bytes begin a character that does not go on.
func brokenLength(b []byte) int {
	low, high, more := byte(0x80), byte(0xBF), 0
	switch c := b[0]; {
	case 0xC2 <= c && c <= 0xDF:
		more = 1
	case 0xE0 <= c && c <= 0xEF:
		more = 2
		if c == 0xE0 {
			low = 0xA0
		} else if c == 0xED {
			high = 0x9F
		}
	case 0xF0 <= c && c <= 0xF4:
		more = 3
		if c == 0xF0 {
			low = 0x90
		} else if c == 0xF4 {
			high = 0x8F
		}
	}
	n := 1
	for n <= more && n < len(b) && low <= b[n] && b[n] <= high {
		low, high = 0x80, 0xBF
		n++
	}
	return n
}

// arguments are those of a call from JavaScript. The web layer alone calls, with
// the right types, so a missing one is a zero value.
type arguments []any

func (a arguments) text(i int) string {
	if i < len(a) {
		s, _ := a[i].(string)
		return s
	}
	return ""
}

func (a arguments) number(i int) int {
	if i >= len(a) {
		return 0
	}
	switch n := a[i].(type) {
	case int:
		return n
	case int64:
		return int(n)
	case int32:
		return int(n)
	case float64:
		return int(n)
	}
	return 0
}

func (a arguments) flag(i int) bool {
	if i < len(a) {
		b, _ := a[i].(bool)
		return b
	}
	return false
}

func (a arguments) value(i int) value { return value{a.number(i), a.text(i + 1)} }

// flatten writes headers as lines of name, value, name, value ... in the order
// of names, which JavaScript takes apart only when it is asked for one. A byte
// is one character there.
func flatten(h http.Header) string {
	names := make([]string, 0, len(h))
	size := 0
	for name, values := range h {
		names = append(names, name)
		for _, v := range values {
			size += len(name) + len(v) + 2
		}
	}
	sort.Strings(names)
	var b strings.Builder
	b.Grow(size)
	for _, name := range names {
		for _, v := range h[name] {
			writeLower(&b, name)
			b.WriteByte('\n')
			b.WriteString(latin1ToText(v))
			b.WriteByte('\n')
		}
	}
	return b.String()
}

func writeLower(b *strings.Builder, s string) {
	for i := range len(s) {
		c := s[i]
		if 'A' <= c && c <= 'Z' {
			c += 'a' - 'A'
		}
		b.WriteByte(c)
	}
}

// parseHeader reads what the web layer wrote in the same form.
func parseHeader(flat string) (http.Header, error) {
	h := http.Header{}
	for flat != "" {
		name, rest, ok := strings.Cut(flat, "\n")
		if !ok {
			return nil, fmt.Errorf("header %q has no value", name)
		}
		text, rest, _ := strings.Cut(rest, "\n")
		v, err := textToLatin1(text)
		if err != nil {
			return nil, fmt.Errorf("header %s: %w", name, err)
		}
		h.Add(name, v)
		flat = rest
	}
	return h, nil
}

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= 0x80 {
			return false
		}
	}
	return true
}

func latin1ToText(s string) string {
	if isASCII(s) {
		return s
	}
	runes := make([]rune, len(s))
	for i := range len(s) {
		runes[i] = rune(s[i])
	}
	return string(runes)
}

func textToLatin1(s string) (string, error) {
	if isASCII(s) {
		return s, nil
	}
	b := make([]byte, 0, len(s))
	for _, r := range s {
		if r > 0xff {
			return "", fmt.Errorf("the value has the character %q, and header values are bytes", r)
		}
		b = append(b, byte(r))
	}
	return string(b), nil
}
