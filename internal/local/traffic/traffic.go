// Package traffic makes up requests of visitors from a description, for demos and
// tests of analytics: so many over a span of time, with hosts, paths, countries,
// browsers and results in given proportions. The same description gives the same
// requests.
//
// It must not know where requests are kept.
package traffic

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"mime"
	"path"
	"slices"
	"strconv"
	"time"

	"github.com/esa-mcp/esa-mcp/internal/local/analytics"
)

// MaxRequests bounds one description.
const MaxRequests = 50_000_000

// Weights are values and how often each comes, in proportion to the others.
type Weights map[string]float64

// Description says what the traffic is like. What is left out has a default.
type Description struct {
	Site     string   `json:"site"`
	Requests int      `json:"requests"` // 100,000 if 0
	Span     Duration `json:"span"`     // how far back it goes; a day if 0
	Seed     uint64   `json:"seed"`

	Hosts         Weights `json:"hosts"`
	Paths         Weights `json:"paths"`
	Methods       Weights `json:"methods"`
	Protocols     Weights `json:"protocols"`
	Countries     Weights `json:"countries"` // "DE", or with a province "CN-ZJ"
	ISPs          Weights `json:"isps"`
	ASNs          Weights `json:"asns"`
	Agents        Weights `json:"agents"` // User-Agent headers
	Referers      Weights `json:"referers"`
	Statuses      Weights `json:"statuses"`
	CacheStatuses Weights `json:"cache_statuses"`
	// Visitors is how many addresses the requests come from; 2,000 if 0.
	Visitors int `json:"visitors"`
}

// Duration is a time.Duration written as text: "24h".
type Duration time.Duration

// UnmarshalJSON reads "24h".
func (d *Duration) UnmarshalJSON(raw []byte) error {
	var text string
	if err := json.Unmarshal(raw, &text); err != nil {
		return fmt.Errorf(`write a span as "24h"`)
	}
	v, err := time.ParseDuration(text)
	if err != nil {
		return fmt.Errorf(`write a span as "24h", not %q`, text)
	}
	*d = Duration(v)
	return nil
}

// Parse reads a description. Unknown members are refused.
func Parse(text []byte) (Description, error) {
	var d Description
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&d); err != nil {
		return d, fmt.Errorf("read the description of traffic: %w", err)
	}
	if _, err := decoder.Token(); err != io.EOF {
		return d, fmt.Errorf("read the description of traffic: there is more after the object")
	}
	return d, nil
}

// Complete fills in the defaults, and refuses what makes no sense.
func (d Description) Complete() (Description, error) {
	if d.Site == "" {
		return d, fmt.Errorf("the description names no site")
	}
	d.Requests = cmp.Or(d.Requests, 100_000)
	d.Span = cmp.Or(d.Span, Duration(24*time.Hour))
	d.Visitors = cmp.Or(d.Visitors, 2000)
	switch {
	case d.Requests < 1 || d.Requests > MaxRequests:
		return d, fmt.Errorf("requests must be between 1 and %d, not %d", MaxRequests, d.Requests)
	case d.Span < Duration(time.Second) || d.Span > Duration(366*24*time.Hour):
		return d, fmt.Errorf("span must be between a second and a year, not %s", time.Duration(d.Span))
	case d.Visitors < 1 || d.Visitors > 1_000_000:
		return d, fmt.Errorf("visitors must be between 1 and 1000000, not %d", d.Visitors)
	}
	standard := defaults(d.Site)
	for _, pair := range []struct{ given, otherwise *Weights }{
		{&d.Hosts, &standard.Hosts}, {&d.Paths, &standard.Paths}, {&d.Methods, &standard.Methods}, {&d.Protocols, &standard.Protocols},
		{&d.Countries, &standard.Countries}, {&d.ISPs, &standard.ISPs}, {&d.ASNs, &standard.ASNs}, {&d.Agents, &standard.Agents},
		{&d.Referers, &standard.Referers}, {&d.Statuses, &standard.Statuses}, {&d.CacheStatuses, &standard.CacheStatuses},
	} {
		if len(*pair.given) == 0 {
			*pair.given = *pair.otherwise
		}
		if total := pair.given.total(); !(total > 0) || math.IsInf(total, 1) {
			return d, fmt.Errorf("weights must be positive numbers: %v", *pair.given)
		}
	}
	for status := range d.Statuses {
		if n, err := strconv.Atoi(status); err != nil || n < 100 || n > 599 {
			return d, fmt.Errorf("%q is no HTTP status", status)
		}
	}
	return d, nil
}

func (w Weights) total() float64 {
	total := 0.0
	for _, n := range w {
		if n < 0 {
			return -1
		}
		total += n
	}
	return total
}

// picker draws values by their weights.
type picker struct {
	values []string
	upTo   []float64
}

func newPicker(w Weights) picker {
	var p picker
	for value := range w {
		p.values = append(p.values, value)
	}
	slices.Sort(p.values) // the order of a map is not the same twice
	total := 0.0
	for _, value := range p.values {
		total += w[value]
		p.upTo = append(p.upTo, total)
	}
	return p
}

func (p picker) draw(r *rand.Rand) string {
	at := r.Float64() * p.upTo[len(p.upTo)-1]
	i, _ := slices.BinarySearch(p.upTo, at)
	return p.values[min(i, len(p.values)-1)]
}

// Generate makes the requests of a complete description that end now, and hands
// them on in batches, each of which is only good until the next.
func Generate(d Description, now time.Time, batch int, give func([]analytics.Visit) error) error {
	random := rand.New(rand.NewPCG(d.Seed, 0x657361))
	hosts, paths, methods, protocols := newPicker(d.Hosts), newPicker(d.Paths), newPicker(d.Methods), newPicker(d.Protocols)
	countries, isps, asns, agents := newPicker(d.Countries), newPicker(d.ISPs), newPicker(d.ASNs), newPicker(d.Agents)
	referers, statuses, results := newPicker(d.Referers), newPicker(d.Statuses), newPicker(d.CacheStatuses)
	span := time.Duration(d.Span)
	visits := make([]analytics.Visit, 0, min(batch, d.Requests))
	for i := range d.Requests {
		at := now.Add(-span + time.Duration((float64(i)+random.Float64())/float64(d.Requests)*float64(span)))
		if random.Float64() > rhythm(at) { // fewer at night: this one comes at another hour
			at = now.Add(-time.Duration(random.Float64() * float64(span)))
		}
		v := analytics.Visit{Time: at, Host: hosts.draw(random), Method: methods.draw(random), Protocol: protocols.draw(random), TLS: "TLSv1.3",
			Referer: referers.draw(random), UserAgent: agents.draw(random), ISP: isps.draw(random), ASN: asns.draw(random)}
		v.Path = paths.draw(random)
		v.Country, v.Province = place(countries.draw(random))
		n := random.IntN(d.Visitors)
		v.ClientIP = fmt.Sprintf("198.18.%d.%d", n/256%256, n%256)
		v.Status, _ = strconv.Atoi(statuses.draw(random)) // checked in Complete
		v.CacheStatus = results.draw(random)
		if v.CacheStatus != "HIT" && v.CacheStatus != "STALE" {
			v.OriginStatus = v.Status
		}
		v.ContentType, v.Bytes = contentOf(v.Path, random)
		if v.Status/100 != 2 {
			v.ContentType, v.Bytes = "text/html", 300+random.Int64N(700)
		}
		v.RequestBytes = 250 + random.Int64N(600)
		if visits = append(visits, v); len(visits) == batch {
			if err := give(visits); err != nil {
				return err
			}
			visits = visits[:0]
		}
	}
	if len(visits) > 0 {
		return give(visits)
	}
	return nil
}

// rhythm is how busy an hour of the day is, from 0.3 to 1.
func rhythm(at time.Time) float64 {
	hour := float64(at.Hour()) + float64(at.Minute())/60
	return 0.65 - 0.35*math.Cos((hour-3)/24*2*math.Pi)
}

// place splits a country with a province.
func place(text string) (country, province string) {
	if len(text) > 3 && text[2] == '-' {
		return text[:2], text
	}
	return text, ""
}

// contentOf is the type and the size that a path's content is likely to have.
func contentOf(p string, r *rand.Rand) (kind string, size int64) {
	extension := path.Ext(p)
	switch extension {
	case ".jpg", ".png", ".webp", ".mp4", ".zip":
		return mime.TypeByExtension(extension), 20_000 + r.Int64N(300_000)
	case ".js", ".css", ".svg", ".woff2":
		return mime.TypeByExtension(extension), 3_000 + r.Int64N(60_000)
	}
	if len(p) > 5 && p[:5] == "/api/" {
		return "application/json", 200 + r.Int64N(4_000)
	}
	return "text/html", 4_000 + r.Int64N(30_000)
}
