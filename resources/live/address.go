package live

import (
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/esa-mcp/esa-mcp/tools"
)

const scheme = "esa://"

// maxValue is the longest variable of an address, in bytes: that of a KV key.
const maxValue = 512

// match finds the template of an address and decodes its variables.
func (l *Live) match(uri string) (Template, Values, error) {
	rest, ok := strings.CutPrefix(uri, scheme)
	if !ok {
		return Template{}, nil, &NotFound{fmt.Sprintf("there is no resource %q: addresses begin with %s", shorten(uri), scheme)}
	}
	path, query, hasQuery := strings.Cut(rest, "?")
	segments := strings.Split(path, "/")
	at := slices.IndexFunc(l.list, func(t Template) bool { return t.fits(segments) })
	if at < 0 {
		return Template{}, nil, l.unknown(uri, segments)
	}
	t := l.list[at]
	v := Values{}
	for i, segment := range t.pattern {
		name, ok := variable(segment)
		if !ok {
			continue
		}
		text, err := decode(name, segments[i])
		if err != nil {
			return t, nil, err
		}
		v[name] = text
	}
	if hasQuery {
		if err := t.readQuery(query, v); err != nil {
			return t, nil, err
		}
	}
	return t, v, nil
}

func (t Template) fits(segments []string) bool {
	if len(segments) != len(t.pattern) {
		return false
	}
	for i, p := range t.pattern {
		if _, free := variable(p); !free && p != segments[i] {
			return false
		}
	}
	return true
}

// Unknown is the error for an address that no template fits.
func Unknown(uri string) error {
	l := &Live{list: templates()}
	if _, _, err := l.match(uri); err != nil {
		return err
	}
	return &NotFound{fmt.Sprintf("there is no resource %q", shorten(uri))}
}

// unknown says what the address may have been meant to be.
func (l *Live) unknown(uri string, segments []string) error {
	var near []string
	for _, t := range l.list {
		if t.pattern[0] == segments[0] {
			near = append(near, t.Base())
		}
	}
	text := fmt.Sprintf("there is no resource %q", shorten(uri))
	switch {
	case segments[0] == "kv" && len(segments) > 3:
		text += ": in an address a / of a key is written %2F"
	case len(near) > 0:
		text += ": there are " + strings.Join(near, ", ")
	default:
		text += ": resources/list and resources/templates/list show what there is"
	}
	return &NotFound{text}
}

// decode checks one variable. What it may be further is the tool's affair.
func decode(name, segment string) (string, error) {
	text, err := url.PathUnescape(segment)
	switch {
	case err != nil:
		return "", invalid("%s is not percent-encoded well: %q", name, shorten(segment))
	case text == "":
		return "", invalid("%s is empty: put it into the address", name)
	case len(text) > maxValue:
		return "", invalid("%s is longer than %d bytes", name, maxValue)
	case !utf8.ValidString(text) || strings.ContainsFunc(text, unicode.IsControl):
		return "", invalid("%s has characters that no name has", name)
	case strings.HasPrefix(text, "{"):
		return "", invalid("%s is still a placeholder: put the name into the address", name)
	case name != "key" && (strings.ContainsAny(text, "/\\ ") || text == "." || text == ".."):
		return "", invalid("%s is no name: %q", name, shorten(text))
	}
	if name == "site" {
		text = strings.ToLower(strings.TrimSuffix(text, "."))
	}
	return text, nil
}

func (t Template) readQuery(query string, v Values) error {
	given, err := url.ParseQuery(query)
	if err != nil {
		return invalid("the query of the address is not encoded well")
	}
	for name, values := range given {
		if name != t.query {
			if t.query == "" {
				return invalid("%s takes no query", t.Base())
			}
			return invalid("%s takes ?%s=N, not %q", t.Base(), t.query, tools.Clean(shorten(name)))
		}
		n, err := strconv.ParseUint(values[0], 10, 31)
		if err != nil || len(values) > 1 {
			return invalid("%s has to be a number", name)
		}
		v[name] = strconv.FormatUint(n, 10)
	}
	return nil
}

// shorten keeps a text that is repeated in an error short.
func shorten(s string) string {
	const most = 100
	if len(s) <= most {
		return s
	}
	cut := most
	for !utf8.RuneStart(s[cut]) {
		cut--
	}
	return s[:cut] + "..."
}
