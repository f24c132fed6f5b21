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
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"
)

// Format is the version of the file's format.
const Format = 1

// Account is the file. Ids are not in it: those of what is seeded are new.
type Account struct {
	Format int `json:"format"`
	// Plans are plan instances besides the one that every account has.
	Plans      []Plan      `json:"plans,omitempty"`
	Lists      []List      `json:"lists,omitempty"`
	Namespaces []Namespace `json:"namespaces,omitempty"`
	Sites      []Site      `json:"sites,omitempty"`
	Traffic    []Traffic   `json:"traffic,omitempty"`
}

// Plan is a plan instance. ID is what sites of the file call it by.
type Plan struct {
	ID    string `json:"id"`
	Plan  string `json:"plan"`  // entranceplan, basicplan, standardplan, advancedplan, enterpriseplan
	Sites int    `json:"sites"` // how many it takes
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

// Site is a site. In a site with Repeat, {i} stands for its number, from 1 on,
// in all texts.
type Site struct {
	Name              string                    `json:"name"`
	Repeat            int                       `json:"repeat,omitempty"`
	Access            string                    `json:"access"`           // NS, CNAME
	Coverage          string                    `json:"coverage"`         // domestic, overseas, global
	Status            string                    `json:"status,omitempty"` // active if empty; pending, offline
	Plan              string                    `json:"plan,omitempty"`   // ID of one in Plans; the account's own if empty
	VersionManagement bool                      `json:"version_management,omitempty"`
	Paused            bool                      `json:"paused,omitempty"`
	Tags              map[string]string         `json:"tags,omitempty"`
	Records           []Record                  `json:"records,omitempty"`
	Rules             []Rule                    `json:"rules,omitempty"`
	Settings          map[string]map[string]any `json:"settings,omitempty"` // by X of UpdateX: {"TieredCache": {...}}
	Certificates      []Certificate             `json:"certificates,omitempty"`
}

// Record is a DNS record. In one with Repeat, {j} stands for its number.
type Record struct {
	Name       string         `json:"name"` // whole: www.example.com
	Repeat     int            `json:"repeat,omitempty"`
	Type       string         `json:"type"`          // A/AAAA, CNAME, TXT ...
	TTL        int            `json:"ttl,omitempty"` // seconds; 1, automatic, if 0
	Proxied    bool           `json:"proxied,omitempty"`
	Biz        string         `json:"biz,omitempty"` // of a proxied one: web, api, image_video
	Data       map[string]any `json:"data"`          // as CreateRecord's Data
	Source     string         `json:"source,omitempty"`
	HostPolicy string         `json:"host_policy,omitempty"`
	Auth       map[string]any `json:"auth,omitempty"` // as CreateRecord's AuthConf
	Comment    string         `json:"comment,omitempty"`
	HTTPPorts  string         `json:"http_ports,omitempty"`
	HTTPSPorts string         `json:"https_ports,omitempty"`
}

// Rule is a configuration of one family; the site's global one without Rule.
type Rule struct {
	Family   string         `json:"family"` // the X of CreateX: CacheRule
	Version  int64          `json:"version,omitempty"`
	Name     string         `json:"name,omitempty"`
	Rule     string         `json:"rule,omitempty"`
	Enable   string         `json:"enable,omitempty"` // on if empty
	Sequence int64          `json:"sequence,omitempty"`
	Config   map[string]any `json:"config,omitempty"` // the family's own parameters
}

// Certificate is one of the edge: a free one of Domain, or an uploaded one.
type Certificate struct {
	Domain      string `json:"domain,omitempty"`
	Name        string `json:"name,omitempty"`
	Certificate string `json:"certificate,omitempty"` // PEM
	PrivateKey  string `json:"private_key,omitempty"` // PEM
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

// Read reads a file and writes its repetitions out.
func Read(r io.Reader) (Account, error) {
	d := json.NewDecoder(r)
	d.DisallowUnknownFields()
	d.UseNumber()
	var a Account
	if err := d.Decode(&a); err != nil {
		return a, fmt.Errorf("read the account file: %w", err)
	}
	if a.Format != Format {
		return a, fmt.Errorf("read the account file: format is %d, not %d", a.Format, Format)
	}
	return a.expand()
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
