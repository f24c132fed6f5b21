// Package account describes what the local ESA's account has as one JSON file:
// sites with their records, rules, settings and certificates, lists, key-value
// pairs and past traffic. Seed makes an account from such a file, Export writes
// the file of an account; the file of what was seeded is the file again, with
// its repetitions written out.
//
// It must not know how calls arrive or are signed. Seed calls the operations'
// own handlers, so what they refuse cannot be seeded.
package account

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/esa-mcp/esa-mcp/internal/local/api"
)

// Format is the version of the file's format.
const Format = 1

// Account is the file. Ids are not in it: those of what is seeded are new. What
// other parts of the file refer to has a word of the file's own in ID; "${ID}",
// or "${NAME}" for a site, stands for its id wherever fields have one.
type Account struct {
	Format int `json:"format"`
	// OwnPlan is the plan instance that every account has, if it is not the usual
	// one; references to it are "${plan}".
	OwnPlan *Plan `json:"own_plan,omitempty"`
	// Plans are plan instances besides that.
	Plans      []Plan      `json:"plans,omitempty"`
	Lists      []List      `json:"lists,omitempty"`
	Namespaces []Namespace `json:"namespaces,omitempty"`
	Routines   []Routine   `json:"routines,omitempty"`
	// Uploads is the account's certificate service, which keeps each certificate
	// that was uploaded.
	Uploads []Upload `json:"certificate_service,omitempty"`
	// Things are what generic operations keep for the account: custom pages, scene
	// policies, container applications ...
	Things  []Thing   `json:"things,omitempty"`
	Sites   []Site    `json:"sites,omitempty"`
	Traffic []Traffic `json:"traffic,omitempty"`
}

// Plan is a plan instance. ID is what sites of the file call it by.
type Plan struct {
	ID       string `json:"id,omitempty"`
	Plan     string `json:"plan"`             // entranceplan, basicplan, standardplan, advancedplan, enterpriseplan
	Sites    int    `json:"sites"`            // how many it takes
	Status   string `json:"status,omitempty"` // online if empty; offline, disable, overdue
	Postpaid bool   `json:"postpaid,omitempty"`
}

// List is a list that rules name as $NAME.
type List struct {
	Name        string   `json:"name"`
	Kind        string   `json:"kind"` // ip, asn or host, as CreateList has it
	Description string   `json:"description,omitempty"`
	Items       []string `json:"items"`
}

// Namespace is one of the key-value store.
type Namespace struct {
	Name        string `json:"name"`
	Description string `json:"description,omitempty"`
	Pairs       []Pair `json:"pairs,omitempty"`
}

// Pair is a key and its value: Value as text, or Base64 for what is no text.
type Pair struct {
	Key    string `json:"key"`
	Value  string `json:"value,omitempty"`
	Base64 string `json:"base64,omitempty"`
	// Expires is when it ends; empty for one that stays.
	Expires string `json:"expires,omitempty"`
}

// Thing is one of a kind, or a setting, that generic operations keep.
type Thing struct {
	Kind string `json:"kind"` // the X of CreateX; of a setting "setting/X"
	ID   string `json:"id,omitempty"`
	// Of is whose it is where that is neither the account nor its site: the plan
	// instance of a rule set, the application of a container's setting.
	Of string `json:"of,omitempty"`
	// Site is the site of a part whose whole is the account's.
	Site   string         `json:"site,omitempty"`
	Fields map[string]any `json:"fields,omitempty"` // by the names of the operation's parameters
	Parts  []Thing        `json:"parts,omitempty"`  // such as the events of a waiting room

	own []string // the ids that it has in the account, in an export
}

// Traffic is Count like requests, evenly spread from From to To. Times are such
// as 2026-01-02T15:04:05Z, or relative to now: -24h.
type Traffic struct {
	From        string `json:"from"`
	To          string `json:"to"`
	Count       int    `json:"count"`
	Host        string `json:"host"`
	Method      string `json:"method,omitempty"` // GET if empty
	Path        string `json:"path,omitempty"`   // / if empty
	Status      int    `json:"status,omitempty"` // 200 if 0
	Cache       string `json:"cache,omitempty"`  // HIT, MISS ...
	ContentType string `json:"content_type,omitempty"`
	Country     string `json:"country,omitempty"`
	UserAgent   string `json:"user_agent,omitempty"`
	Bytes       int64  `json:"bytes,omitempty"` // of all requests together
}

// Limits of repetitions, so that a typing error does not fill the machine.
const (
	maxSites   = 10_000
	maxRecords = 100_000
)

// maxFile is how large a file may be, in bytes: it is read as a whole.
const maxFile = 256 << 20

// Read reads a file and writes its repetitions out. What is wrong with its form is
// said with the line.
func Read(r io.Reader) (Account, error) {
	text, err := io.ReadAll(io.LimitReader(r, maxFile+1))
	if err != nil {
		return Account{}, fmt.Errorf("read the account file: %w", err)
	}
	if len(text) > maxFile {
		return Account{}, fmt.Errorf("read the account file: it has more than %d MiB", maxFile>>20)
	}
	text = bytes.TrimPrefix(text, []byte("\ufeff")) // as some editors write it
	if len(bytes.TrimSpace(text)) == 0 {
		return Account{}, errors.New("read the account file: it is empty")
	}
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	d.UseNumber()
	var a Account
	if err := d.Decode(&a); err != nil {
		return a, fmt.Errorf("read the account file: line %d: %s", lineOf(text, err, d.InputOffset()), api.Unfit(err))
	}
	if _, err := d.Token(); err != io.EOF {
		return a, fmt.Errorf("read the account file: line %d: there is more after the account", lineOf(text, nil, d.InputOffset()))
	}
	if a.Format != Format {
		return a, fmt.Errorf("read the account file: format is %d, not %d", a.Format, Format)
	}
	return a.expand()
}

// lineOf is the line of an error: it says itself where it is, or else it is what
// has been read last.
func lineOf(text []byte, err error, read int64) int {
	at := read
	var syntax *json.SyntaxError
	var kind *json.UnmarshalTypeError
	if errors.As(err, &syntax) {
		at = syntax.Offset
	} else if errors.As(err, &kind) {
		at = kind.Offset
	} else if errors.Is(err, io.ErrUnexpectedEOF) {
		at = int64(len(text))
	}
	return 1 + bytes.Count(text[:min(at, int64(len(text)))], []byte("\n"))
}

// Write writes the file.
func (a Account) Write(w io.Writer) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(a)
}

func (a Account) expand() (Account, error) {
	var sites []Site
	records := 0
	for _, template := range a.Sites {
		for i := range max(template.Repeat, 1) {
			s, err := template.numbered(i + 1)
			if err != nil {
				return a, err
			}
			sites, records = append(sites, s), records+len(s.Records)
			if len(sites) > maxSites || records > maxRecords {
				return a, fmt.Errorf("read the account file: it has more than %d sites or %d records", maxSites, maxRecords)
			}
		}
	}
	a.Sites = sites
	return a, nil
}

// numbered is the site of that number, its records written out.
func (s Site) numbered(i int) (Site, error) {
	if s.Repeat > 0 {
		var err error
		if s, err = replaced(s, "{i}", strconv.Itoa(i)); err != nil {
			return s, err
		}
	}
	s.Repeat = 0
	var records []Record
	for _, r := range s.Records {
		repeat := r.Repeat
		r.Repeat = 0
		if repeat == 0 {
			records = append(records, r)
			continue
		}
		if len(records)+repeat > maxRecords {
			return s, fmt.Errorf("read the account file: the site %s has more than %d records", s.Name, maxRecords)
		}
		for j := range repeat {
			one, err := replaced(r, "{j}", strconv.Itoa(j+1))
			if err != nil {
				return s, err
			}
			records = append(records, one)
		}
	}
	s.Records = records
	return s, nil
}

// replaced replaces a placeholder in all texts of a value.
func replaced[T any](value T, placeholder, text string) (out T, err error) {
	raw, err := json.Marshal(value)
	if err != nil {
		return out, err
	}
	d := json.NewDecoder(bytes.NewReader(bytes.ReplaceAll(raw, []byte(placeholder), []byte(text))))
	d.UseNumber()
	err = d.Decode(&out)
	return out, err
}

// when reads a time of the file.
func when(text string, now time.Time) (time.Time, error) {
	if strings.HasPrefix(text, "-") {
		d, err := time.ParseDuration(text)
		if err != nil {
			return now, fmt.Errorf("the time %q is none such as -24h", text)
		}
		return now.Add(d), nil
	}
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return at, fmt.Errorf("the time %q is none such as 2026-01-02T15:04:05Z or -24h", text)
	}
	return at, nil
}
