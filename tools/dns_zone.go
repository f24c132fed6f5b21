package tools

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/miekg/dns"
)

// zoneRow is one record of a file that is imported.
type zoneRow struct {
	where   string // for messages
	name    string
	kind    string
	data    RecordData
	ttl     int64
	proxied *bool
	biz     string
}

// zoneFile is what a file holds: the records that ESA can have, those it does
// not have, and what cannot be read.
type zoneFile struct {
	rows     []zoneRow
	skipped  []string
	problems []string
	clamped  int
}

// readZone reads records from a CSV or zone file.
func readZone(text, site string, isCSV bool) (zoneFile, error) {
	if isCSV || looksLikeCSV(text) {
		return readCSV(text)
	}
	return readBIND(text, site)
}

func looksLikeCSV(text string) bool {
	first, _, _ := strings.Cut(strings.TrimSpace(text), "\n")
	columns := strings.Split(strings.ToLower(strings.TrimSpace(first)), ",")
	return slices.Contains(columns, "name") && slices.Contains(columns, "type")
}

// esaMark is how the mark at the end of a line of ESA's own export is handed
// through the parser: as a comment.
const esaMark = "; esa:"

// markComments makes comments of the words that ESA puts behind each record of
// an export, which no zone file has.
func markComments(text string) string {
	if !strings.Contains(text, ";; site:") {
		return text
	}
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		line = strings.TrimRight(line, " \t\r")
		for _, word := range []string{"direct", "proxied"} {
			rest, ok := strings.CutSuffix(line, word)
			if ok && !strings.HasPrefix(line, ";") && strings.TrimRight(rest, " \t") != rest {
				lines[i] = strings.TrimRight(rest, " \t") + "\t" + esaMark + word
			}
		}
	}
	return strings.Join(lines, "\n")
}

func readBIND(text, site string) (zoneFile, error) {
	var out zoneFile
	parser := dns.NewZoneParser(strings.NewReader(markComments(text)), dns.Fqdn(site), "")
	parser.SetDefaultTTL(1)
	for rr, ok := parser.Next(); ok; rr, ok = parser.Next() {
		if len(out.rows) > maxImportRows {
			return out, nil // refused by the caller; $GENERATE makes many of one line
		}
		out.add(rr, parser.Comment(), site)
	}
	if err := parser.Err(); err != nil {
		return out, Refuse("The zone file cannot be read: %s. Nothing was sent.", strings.TrimPrefix(err.Error(), "dns: "))
	}
	return out, nil
}

// add takes one resource record.
func (f *zoneFile) add(rr dns.RR, comment, site string) {
	h := rr.Header()
	name := strings.ToLower(strings.TrimSuffix(h.Name, "."))
	kind := dns.TypeToString[h.Rrtype]
	where := kind + " " + name
	skip := func(why string) { f.skipped = append(f.skipped, where+": "+why) }
	data, known := dataOf(rr)
	switch {
	case h.Rrtype == dns.TypeSOA, h.Rrtype == dns.TypeNS && name == site:
		skip("ESA sets it itself")
		return
	case !known:
		skip("ESA does not have the type")
		return
	case h.Class != dns.ClassINET:
		skip("not of class IN")
		return
	}
	kind, _ = recordType(kind)
	row := zoneRow{where: where, name: name, kind: kind, data: data, ttl: f.ttl(int64(h.Ttl))}
	yes, no := true, false
	switch {
	case strings.Contains(comment, esaMark+"proxied"), strings.Contains(comment, "cf-proxied:true"):
		row.proxied = &yes
	case strings.Contains(comment, esaMark+"direct"), strings.Contains(comment, "cf-proxied:false"):
		row.proxied = &no
	}
	f.rows = append(f.rows, row)
}

// ttl is the nearest one that ESA takes.
func (f *zoneFile) ttl(n int64) int64 {
	fit := n
	if n != 1 {
		fit = min(max(n, 30), 86400)
	}
	if fit != n {
		f.clamped++
	}
	return fit
}

// csvColumns are those that a CSV file may have.
func csvColumns() []string {
	return []string{"name", "type", "value", "ttl", "priority", "proxied", "biz_name"}
}

func readCSV(text string) (zoneFile, error) {
	var out zoneFile
	r := csv.NewReader(strings.NewReader(strings.TrimPrefix(text, "\ufeff")))
	r.TrimLeadingSpace = true
	header, err := r.Read()
	if err != nil {
		return out, Refuse("The CSV file has no header: its first line names the columns: %s.", strings.Join(csvColumns(), ", "))
	}
	at := map[string]int{}
	for i, name := range header {
		name = strings.ToLower(strings.TrimSpace(name))
		if !slices.Contains(csvColumns(), name) {
			return out, Refuse("CSV column %q is not known: use %s.", name, strings.Join(csvColumns(), ", "))
		}
		at[name] = i
	}
	for _, name := range []string{"name", "type", "value"} {
		if _, ok := at[name]; !ok {
			return out, Refuse("The CSV file has no column %s.", name)
		}
	}
	for {
		fields, err := r.Read()
		if errors.Is(err, io.EOF) {
			return out, nil
		}
		if err != nil {
			return out, Refuse("The CSV file cannot be read: %w. Nothing was sent.", err)
		}
		line, _ := r.FieldPos(0)
		row, err := csvRow(func(name string) string {
			if i, ok := at[name]; ok {
				return strings.TrimSpace(fields[i])
			}
			return ""
		})
		row.where = fmt.Sprintf("line %d, %s %s", line, row.kind, row.name)
		if err != nil {
			out.problems = append(out.problems, fmt.Sprintf("%s: %v", row.where, err))
			continue
		}
		out.rows = append(out.rows, row)
	}
}

func csvRow(field func(string) string) (row zoneRow, err error) {
	row.name, row.biz, row.ttl = field("name"), field("biz_name"), 1
	row.kind, _ = recordType(field("type"))
	if text := field("ttl"); text != "" {
		if row.ttl, err = strconv.ParseInt(text, 10, 64); err != nil {
			return row, Refuse("ttl %q is not a number", text)
		}
	}
	if text := field("proxied"); text != "" {
		proxied, err := strconv.ParseBool(strings.ToLower(text))
		if err != nil {
			return row, Refuse("proxied %q is neither true nor false", text)
		}
		row.proxied = &proxied
	}
	var priority *int64
	if text := field("priority"); text != "" {
		n, err := strconv.ParseInt(text, 10, 64)
		if err != nil || n < 0 || n > 65535 {
			return row, Refuse("priority %q is not a number up to 65535", text)
		}
		priority = &n
	}
	row.data, err = content(row.kind, field("value"), priority)
	return row, err
}
