// Package catalog is the ESA API as data: every operation of version 2024-09-10
// with its parameters, how each is put on the wire, and whether the operation
// reads, writes or deletes.
//
// It knows nothing of HTTP, of credentials or of MCP. The facts live in
// operations.jsonl and models.json, which `go generate` makes from
// testdata/operations.json. Nothing is parsed at start-up: an operation is
// decoded when it is first asked for.
package catalog

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"sort"
	"strings"
	"sync"
)

//go:generate go run ./gen -in testdata/operations.json -operations operations.jsonl -models models.json

// Version is the API version that the catalogue describes.
const Version = "2024-09-10"

//go:embed operations.jsonl
var operationLines string

//go:embed models.json
var modelText []byte

// Effect says what an operation does to the account. It follows from the
// operation's name and meaning, never from its HTTP method: DeleteKv is a GET.
type Effect string

// The three effects.
const (
	Read   Effect = "read"
	Write  Effect = "write"
	Delete Effect = "delete"
)

// Where a parameter travels.
const (
	InQuery = "query" // URL query string
	InBody  = "body"  // field of a form-encoded body
)

// How a parameter's value is written.
const (
	AsPlain = "plain" // scalar text
	AsJSON  = "json"  // JSON text of the whole value
	AsFlat  = "flat"  // Name.1, Name.2 or Name.1.Key
)

// Operation is one operation of the API.
type Operation struct {
	Action string `json:"action"`
	// Area groups operations by subject: "site", "dns-record", "kv" ...
	Area   string `json:"area"`
	Effect Effect `json:"effect"`
	// Method is the HTTP method that the official SDK sends, GET or POST.
	Method string  `json:"method"`
	Params []Param `json:"params"`
	// Response is the shape of the answer: leaf texts are types, [x] is a list
	// of x, {"*": x} a map, and ref:NAME a model (see Model).
	Response json.RawMessage `json:"response"`
	// Spend marks operations that may cost money or end a paid thing.
	Spend bool `json:"spend,omitempty"`
	// SecretInResponse marks answers that may hold a key, token or signature.
	SecretInResponse bool `json:"secretInResponse,omitempty"`
	// SideEffect marks operations named Get that make something.
	SideEffect bool `json:"sideEffect,omitempty"`
	// Upload marks operations whose Url parameter names a file that has to be
	// uploaded first.
	Upload bool `json:"upload,omitempty"`
}

// Param is one parameter of an operation, or one field of a parameter.
type Param struct {
	Name string `json:"name,omitempty"` // empty for the elements of a list
	// In is InQuery or InBody; empty for a field of a parameter.
	In string `json:"in,omitempty"`
	// As is AsPlain, AsJSON or AsFlat; empty for a field of a parameter.
	As string `json:"as,omitempty"`
	// Type is string, integer (32 bits), long (64 bits), number, boolean,
	// array, object, map or any.
	Type     string `json:"type"`
	Required bool   `json:"required,omitempty"`
	// Enum lists the values that the documentation names. The service may know
	// more, so it advises and does not refuse.
	Enum      []EnumValue     `json:"enum,omitempty"`
	Example   json.RawMessage `json:"example,omitempty"`
	Default   json.RawMessage `json:"default,omitempty"`
	Min       *int64          `json:"min,omitempty"`
	Max       *int64          `json:"max,omitempty"`
	MinLength int             `json:"minLength,omitempty"`
	MaxLength int             `json:"maxLength,omitempty"` // characters
	MaxBytes  int             `json:"maxBytes,omitempty"`
	MaxItems  int             `json:"maxItems,omitempty"`
	// Separator splits a string that holds several values.
	Separator  string `json:"separator,omitempty"`
	Secret     bool   `json:"secret,omitempty"`
	System     bool   `json:"system,omitempty"` // old gateway parameter, not for callers
	Deprecated bool   `json:"deprecated,omitempty"`
	// TextOf is "json" for a parameter declared any and sent as plain text: it
	// takes the JSON text.
	TextOf string `json:"textOf,omitempty"`
	// Ref names a model that has the fields of an object.
	Ref string `json:"ref,omitempty"`
	// Fields are those of an object, Items the elements of an array, Values
	// those of a map.
	Fields []Param `json:"fields,omitempty"`
	Items  *Param  `json:"items,omitempty"`
	Values *Param  `json:"values,omitempty"`
}

// EnumValue is one value of an enumeration, as text.
type EnumValue string

// UnmarshalJSON also takes numbers: a few enumerations are of integers.
func (v *EnumValue) UnmarshalJSON(b []byte) error {
	var text string
	if json.Unmarshal(b, &text) == nil {
		*v = EnumValue(text)
		return nil
	}
	*v = EnumValue(b)
	return nil
}

// Param returns the parameter of that exact wire name.
func (o *Operation) Param(name string) (*Param, bool) {
	for i := range o.Params {
		if o.Params[i].Name == name {
			return &o.Params[i], true
		}
	}
	return nil, false
}

// HasBody reports whether the operation has form fields, and so always sends a
// form content type.
func (o *Operation) HasBody() bool {
	for i := range o.Params {
		if o.Params[i].In == InBody {
			return true
		}
	}
	return false
}

// FindParam returns the parameter whose name equals name without regard to case
// and underscores: site_id finds SiteId. If there is none, the error names the
// nearest known one.
func (o *Operation) FindParam(name string) (*Param, error) {
	if p, ok := o.Param(name); ok {
		return p, nil
	}
	want := fold(name)
	names := make([]string, 0, len(o.Params))
	for i := range o.Params {
		if fold(o.Params[i].Name) == want {
			return &o.Params[i], nil
		}
		if !o.Params[i].System {
			names = append(names, o.Params[i].Name)
		}
	}
	if len(names) == 0 {
		return nil, fmt.Errorf("%s has no parameter %q: it takes none", o.Action, name)
	}
	return nil, fmt.Errorf("%s has no parameter %q: did you mean %s? It takes %s",
		o.Action, name, Nearest(name, names), strings.Join(names, ", "))
}

// fold makes SiteId, site_id and siteid one.
func fold(s string) string {
	return strings.ToLower(strings.ReplaceAll(strings.ReplaceAll(s, "_", ""), "-", ""))
}

// store decodes operations on demand from the sorted lines.
type store struct {
	starts  []int // offset of each line, sorted by action
	mu      sync.RWMutex
	decoded map[string]*Operation
}

var embedded = sync.OnceValue(newStore)

func newStore() *store {
	s := &store{starts: make([]int, 0, 512), decoded: make(map[string]*Operation)}
	for at := 0; at < len(operationLines); {
		s.starts = append(s.starts, at)
		end := strings.IndexByte(operationLines[at:], '\n')
		if end < 0 {
			break
		}
		at += end + 1
	}
	return s
}

const linePrefix = `{"action":"`

// action returns the name on line i without decoding the line.
func (s *store) action(i int) string {
	rest := operationLines[s.starts[i]+len(linePrefix):]
	return rest[:strings.IndexByte(rest, '"')]
}

func (s *store) line(i int) string {
	if i+1 < len(s.starts) {
		return operationLines[s.starts[i] : s.starts[i+1]-1]
	}
	return strings.TrimSuffix(operationLines[s.starts[i]:], "\n")
}

// Lookup returns the operation of that exact name.
func Lookup(action string) (*Operation, bool) {
	s := embedded()
	s.mu.RLock()
	op, ok := s.decoded[action]
	s.mu.RUnlock()
	if ok {
		return op, true
	}
	i := sort.Search(len(s.starts), func(i int) bool { return s.action(i) >= action })
	if i == len(s.starts) || s.action(i) != action {
		return nil, false
	}
	op = new(Operation)
	if err := json.Unmarshal([]byte(s.line(i)), op); err != nil {
		// The embedded file is generated and tested; a bad line is a broken build.
		panic(fmt.Sprintf("catalog: line of %s: %v", action, err))
	}
	s.mu.Lock()
	s.decoded[action] = op
	s.mu.Unlock()
	return op, true
}

// Find is Lookup for names that people and models type: it ignores case and
// underscores, and its error names the nearest actions.
func Find(action string) (*Operation, error) {
	if op, ok := Lookup(action); ok {
		return op, nil
	}
	want := fold(action)
	for _, name := range Actions() {
		if fold(name) == want {
			op, _ := Lookup(name)
			return op, nil
		}
	}
	return nil, fmt.Errorf("ESA has no operation %q: did you mean %s?", action, Nearest(action, Actions()))
}

// Actions returns the names of all operations, sorted.
func Actions() []string {
	s := embedded()
	names := make([]string, len(s.starts))
	for i := range names {
		names[i] = s.action(i)
	}
	return names
}

var models = sync.OnceValue(func() map[string][]Param {
	var m map[string][]Param
	if err := json.Unmarshal(modelText, &m); err != nil {
		panic(fmt.Sprintf("catalog: models.json: %v", err))
	}
	return m
})

// Model returns the fields of a model that a Param.Ref or a response names.
func Model(name string) ([]Param, bool) {
	m, ok := models()[name]
	return m, ok
}
