package guard

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/esa-mcp/esa-mcp/internal/esa"
)

// draft is a record that a call creates or changes: its fields are parameters of
// the call, or members of a row of RecordList.
type draft struct {
	*Call
	row   map[string]any // nil: the call's own parameters
	label string         // says which row, empty for the call's own
}

// eachRecord looks at the records of a call, one after the other. What was
// changed in rows of a batch goes back into the call.
func eachRecord(c *Call, look func(*draft) error) error {
	if c.Op.Action != "BatchCreateRecords" {
		return look(&draft{Call: c})
	}
	list := c.List("RecordList")
	for i := range list {
		row, ok := list[i].(map[string]any)
		if !ok {
			continue // which the service refuses
		}
		before, _ := compactJSON(row)
		if err := look(&draft{Call: c, row: row, label: fmt.Sprintf("RecordList[%d]: ", i)}); err != nil {
			return err
		}
		if after, _ := compactJSON(row); after != before {
			c.Set("RecordList", list)
		}
	}
	return nil
}

func (d *draft) value(name string) any {
	if d.row == nil {
		return d.Value(name)
	}
	for k, v := range d.row {
		if sameName(k, name) {
			return v
		}
	}
	return nil
}

func (d *draft) text(name string) string { return strings.TrimSpace(scalar(d.value(name))) }

func (d *draft) object(name string) map[string]any {
	object, _ := decoded(d.value(name)).(map[string]any)
	return object
}

// put gives a field a value, under the API's name.
func (d *draft) put(name string, value any) {
	if d.row == nil {
		d.Set(name, value)
		return
	}
	for k := range d.row {
		if sameName(k, name) {
			delete(d.row, k)
		}
	}
	d.row[name] = value
}

// fixed notes a change, with the row that it was made in.
func (d *draft) fixed(format string, a ...any) { d.Fixed("%s", d.label+fmt.Sprintf(format, a...)) }

// block refuses the call for this record. changes make it right; nil leaves a
// field out.
func (d *draft) block(changes esa.Params, format string, a ...any) error {
	refusal := d.Block("%s", d.label+fmt.Sprintf(format, a...))
	switch {
	case changes == nil:
		return refusal
	case d.row == nil:
		return refusal.With(d.Call, changes)
	}
	list := d.List("RecordList")
	for i := range list {
		row, ok := list[i].(map[string]any)
		if !ok || d.label != fmt.Sprintf("RecordList[%d]: ", i) {
			continue
		}
		for name, v := range changes {
			for k := range row {
				if sameName(k, name) {
					delete(row, k)
				}
			}
			if v != nil {
				row[name] = v
			}
		}
	}
	return refusal.With(d.Call, esa.Params{"RecordList": list})
}

// proxied is the field; said is false where it was left out.
func (d *draft) proxied() (proxied, said bool) {
	switch strings.ToLower(d.text("Proxied")) {
	case "true":
		return true, true
	case "false":
		return false, true
	}
	return false, false
}

// isProxied reports whether the record goes through the edge.
func (d *draft) isProxied() bool { proxied, _ := d.proxied(); return proxied }

// kind is the record's type as ESA writes it.
func (d *draft) kind() string { return recordType(d.text("Type")) }

func (d *draft) web() bool { return isWebType(d.kind()) }

// content is the record's main value, whatever the spelling of its member.
func (d *draft) content() string {
	for k, v := range d.object("Data") {
		if sameName(k, "Value") {
			return strings.TrimSpace(scalar(v))
		}
	}
	return ""
}

// recordType writes a type as ESA does.
func recordType(given string) string {
	switch t := strings.ToUpper(strings.TrimSpace(given)); t {
	case "A", "AAAA", "AAAA/A":
		return typeAddress
	default:
		return t
	}
}

func isWebType(kind string) bool { return kind == typeAddress || kind == typeCNAME }

// stored reads the record that UpdateRecord changes, once a call: its answer has
// keys of an origin, so it is not kept for longer.
func (c *Call) stored(ctx context.Context) (map[string]any, error) {
	if c.record == nil {
		answer, err := Read[struct{ RecordModel map[string]any }](ctx, c.State, "GetRecord", esa.Params{"RecordId": json.Number(c.Text("RecordId"))})
		if err != nil {
			return nil, err
		}
		c.record = answer.RecordModel
	}
	return c.record, nil
}

// siteOfRecord is the site of the records of a call, also where it does not name
// one.
func siteOfRecord(ctx context.Context, c *Call) (Site, error) {
	id := c.Site()
	if c.Op.Action == "UpdateRecord" {
		record, err := c.stored(ctx)
		if err != nil {
			return Site{}, err
		}
		id = scalar(record["SiteId"])
	}
	if id == "" {
		return Site{}, nil // the service says that it is missing
	}
	return c.State.Site(ctx, id)
}

// nameOf is the full name of a record, also of one that is stored.
func nameOf(ctx context.Context, d *draft) (string, error) {
	if d.Op.Action != "UpdateRecord" {
		return hostName(d.text("RecordName")), nil
	}
	record, err := d.stored(ctx)
	return hostName(scalar(record["RecordName"])), err
}

// FullRecordName is the full name of a record of a site, of one that may have
// been given relative to it: "www", "@", "www.example.com.". ok is false for a
// name that is absolute and not under the site.
func FullRecordName(given, site string) (full string, ok bool) {
	given = strings.ToLower(strings.TrimSpace(given))
	bare := strings.TrimSuffix(given, ".")
	switch {
	case bare == "@" || bare == "":
		return site, true
	case bare == site || strings.HasSuffix(bare, "."+site):
		return bare, true
	case bare != given, strings.HasSuffix(bare, site):
		return "", false
	}
	return bare + "." + site, true
}
