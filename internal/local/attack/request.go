package attack

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
)

// Request is what rules look at. Its parts are taken apart when the first rule
// asks for them.
type Request struct {
	Method string
	Host   string // without a port
	// Path and Query are as they were asked for, escaped.
	Path, Query string
	Header      http.Header
	Form        url.Values // posted; nil: none
	Body        []byte     // of any other kind, as far as it was read

	query, form, headers, path []string
}

// MaxBody is how much of a body is worth reading, in bytes.
const MaxBody = 64 << 10

// queryValues are the names and values of the query string, unescaped.
func (r *Request) queryValues() []string {
	if r.query == nil {
		r.query = []string{}
		for part := range strings.SplitSeq(r.Query, "&") {
			name, value, _ := strings.Cut(part, "=")
			r.query = append(r.query, unescape(name)...)
			r.query = append(r.query, unescape(value)...)
		}
	}
	return r.query
}

// sent are the values that the body has: of a form, the texts within JSON, or the
// body as it is.
func (r *Request) sent() []string {
	if r.form != nil {
		return r.form
	}
	r.form = []string{}
	for name, values := range r.Form {
		r.form = append(append(r.form, name), values...)
	}
	if len(r.Body) == 0 {
		return r.form
	}
	var content any
	if strings.Contains(r.Header.Get("Content-Type"), "json") && json.NewDecoder(bytes.NewReader(r.Body)).Decode(&content) == nil {
		r.form = texts(r.form, content)
	} else {
		r.form = append(r.form, string(r.Body))
	}
	return r.form
}

// texts are the texts in a JSON value, names included.
func texts(list []string, value any) []string {
	switch v := value.(type) {
	case string:
		list = append(list, v)
	case []any:
		for _, one := range v {
			list = texts(list, one)
		}
	case map[string]any:
		for name, one := range v {
			list = texts(append(list, name), one)
		}
	}
	return list
}

// paths is the path, unescaped.
func (r *Request) paths() []string {
	if r.path == nil {
		r.path = unescape(strings.ReplaceAll(r.Path, "+", "%2B"))
	}
	return r.path
}

// headerValues are the headers that programs of a site like to use, and the
// cookies.
func (r *Request) headerValues() []string {
	if r.headers == nil {
		r.headers = []string{}
		for _, name := range []string{"User-Agent", "Referer", "X-Forwarded-For", "X-Api-Version"} {
			r.headers = append(r.headers, r.Header[name]...)
		}
		for _, line := range r.Header["Cookie"] {
			for part := range strings.SplitSeq(line, ";") {
				_, value, _ := strings.Cut(part, "=")
				r.headers = append(r.headers, unescape(value)...)
			}
		}
	}
	return r.headers
}

// unescape is a text without its percent signs, and once more if it is escaped
// twice; as it stands if it cannot be read.
func unescape(text string) []string {
	if text == "" {
		return nil
	}
	once, err := url.QueryUnescape(text)
	if err != nil {
		return []string{text}
	}
	if twice, err := url.QueryUnescape(once); err == nil && strings.Contains(once, "%") && twice != once {
		return []string{once, twice}
	}
	return []string{once}
}
