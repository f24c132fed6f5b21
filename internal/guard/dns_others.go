package guard

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/esa-mcp/esa-mcp/internal/esa"
)

// keepRecord fills in what an update leaves out, as it is stored. A record that
// changes its type or is no longer proxied loses what goes with that.
func keepRecord(ctx context.Context, c *Call) error {
	stored, err := c.stored(ctx)
	if err != nil {
		return err
	}
	d := &draft{Call: c}
	kind := scalar(stored["RecordType"])
	same := d.text("Type") == "" || d.kind() == kind
	proxied, said := d.proxied()
	proxied = proxied || !said && scalar(stored["Proxied"]) == "true"
	var kept []string
	keep := func(name string, value any) {
		if c.Has(name) || scalar(value) == "" && len(asObject(value)) == 0 {
			return
		}
		c.Set(name, value)
		kept = append(kept, name)
	}
	keep("Type", kind)
	keep("Ttl", stored["Ttl"])
	keep("Proxied", stored["Proxied"])
	keep("Comment", stored["Comment"])
	if proxied {
		for _, name := range []string{"BizName", "HttpPorts", "HttpsPorts"} {
			keep(name, stored[name])
		}
	}
	if same && kind == typeCNAME {
		keep("SourceType", stored["RecordSourceType"])
		keep("AuthConf", stored["AuthConf"])
		if proxied {
			keep("HostPolicy", stored["HostPolicy"])
		}
	}
	if same {
		kept = append(kept, keepData(d, asObject(stored["Data"]))...)
	}
	if len(kept) > 0 {
		c.Fixed("UpdateRecord replaces the record whole: kept %s as stored.", strings.Join(kept, ", "))
	}
	return nil
}

func asObject(v any) map[string]any { object, _ := decoded(v).(map[string]any); return object }

// keepData fills in the members of Data that an update leaves out.
func keepData(d *draft, stored map[string]any) (kept []string) {
	data := d.object("Data")
	if data == nil {
		data = map[string]any{}
	}
	for _, name := range slices.Sorted(maps.Keys(stored)) {
		if slices.ContainsFunc(slices.Collect(maps.Keys(data)), func(k string) bool { return sameName(k, name) }) {
			continue
		}
		data[name] = stored[name]
		kept = append(kept, "Data."+name)
	}
	if len(kept) > 0 {
		d.put("Data", data)
	}
	return kept
}

// sameNameRecords are the stored records of a draft's name that the edge can
// serve, without the one that an update changes. Rows of a batch are not looked
// up, one by one: the service refuses each by itself, which dns-batch-partial
// reports.
func sameNameRecords(ctx context.Context, d *draft, site Site) ([]Record, string, error) {
	name, err := nameOf(ctx, d)
	if err != nil || name == "" || site.ID == "" || d.row != nil {
		return nil, name, err
	}
	records, err := d.State.Records(ctx, string(site.ID), name)
	own := ""
	if d.Op.Action == "UpdateRecord" {
		own = d.Text("RecordId")
	}
	return slices.DeleteFunc(slices.Clone(records), func(r Record) bool {
		return hostName(r.Name) != name || !r.Web() || string(r.ID) == own
	}), name, err
}

func checkOneAddressRecord(ctx context.Context, c *Call) error {
	site, err := siteOfRecord(ctx, c)
	if err != nil {
		return err
	}
	seen := map[string]string{}
	return eachRecord(c, func(d *draft) error {
		if d.kind() != typeAddress {
			return nil
		}
		others, name, err := sameNameRecords(ctx, d, site)
		if err != nil {
			return err
		}
		for _, r := range others {
			if r.Type == typeAddress {
				all := MergedAddresses(r.Value(), d.content())
				return d.Block("%s%s has the A/AAAA record %s (%s) already, which holds all its addresses. To add to it: update_record with record_id %s and value %q.",
					d.label, name, r.ID, r.Value(), r.ID, all).Instead("UpdateRecord", recordUpdate(r, typeAddress, all))
			}
		}
		if d.row == nil {
			return nil
		}
		if first, twice := seen[name]; twice {
			return d.block(nil, "%s has an A/AAAA record in %s already: give one row with all addresses, separated by commas.", name, first)
		}
		seen[name] = strings.TrimSuffix(d.label, ": ")
		return nil
	})
}

func checkExclusive(ctx context.Context, c *Call) error {
	site, err := siteOfRecord(ctx, c)
	if err != nil {
		return err
	}
	seen := map[string]string{}
	return eachRecord(c, func(d *draft) error {
		if !d.web() {
			return nil
		}
		others, name, err := sameNameRecords(ctx, d, site)
		if err != nil {
			return err
		}
		for _, r := range others {
			if r.Type == d.kind() && r.Type == typeAddress {
				continue // dns-one-address-record
			}
			why := "A/AAAA and CNAME exclude each other on a name"
			if r.Type == d.kind() {
				why = "a name has one CNAME"
			}
			refusal := d.Block("%s%s has the %s record %s (%s), and %s. Change that one: update_record with record_id %s, type %s and value %q.",
				d.label, name, r.Type, r.ID, r.Value(), why, r.ID, d.kind(), d.content())
			if c.Op.Action != "CreateRecord" {
				return refusal
			}
			return refusal.Instead("UpdateRecord", recordUpdate(r, d.kind(), d.content()))
		}
		if d.row == nil {
			return nil
		}
		if kind, twice := seen[name]; twice && (kind != d.kind() || kind == typeCNAME) {
			return d.block(nil, "%s stands in the list with type %s already: A/AAAA and CNAME exclude each other on a name, and a name has one CNAME.", name, kind)
		}
		seen[name] = d.kind()
		return nil
	})
}

// recordUpdate is the call that gives a stored record another type or value. The
// rest of it is kept by dns-update-whole, and is given here for those who read.
func recordUpdate(r Record, kind, value string) esa.Params {
	p := esa.Params{"RecordId": json.Number(r.ID), "Type": kind, "Data": map[string]any{"Value": value}, "Ttl": max(r.TTL, 1), "Proxied": r.Proxied}
	if r.Proxied {
		p["BizName"] = r.BizName
	}
	return p
}

// MergedAddresses are the addresses of both lists, each once.
func MergedAddresses(have, more string) string {
	var list []string
	for part := range strings.SplitSeq(have+","+more, ",") {
		if part = strings.TrimSpace(part); part != "" && !slices.Contains(list, part) {
			list = append(list, part)
		}
	}
	return strings.Join(list, ",")
}

// reportFailedRecords names the rows of a batch that were not created.
func reportFailedRecords(_ context.Context, c *Call) error {
	result := asObject(c.Answer()["RecordResultList"])
	failed, _ := result["Failed"].([]any)
	if len(failed) == 0 {
		return nil
	}
	made, _ := result["Success"].([]any)
	rows := make([]string, len(failed))
	for i, f := range failed {
		row := asObject(f)
		rows[i] = fmt.Sprintf("%s %s: %s", scalar(row["RecordType"]), scalar(row["RecordName"]), scalar(row["Description"]))
	}
	c.Warn("%d of %d records were NOT created: %s. The others are: send only the failed ones again, corrected.", len(failed), len(failed)+len(made), listed(rows))
	return nil
}
