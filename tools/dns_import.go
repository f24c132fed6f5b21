package tools

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/esa-mcp/esa-mcp/internal/esa"
)

// ImportRecordsInput are the arguments of import_records.
type ImportRecordsInput struct {
	SiteRef
	Path    string `json:"path,omitempty" jsonschema_description:"BIND zone or CSV file (name,type,value,ttl,priority,proxied,biz_name)"`
	Text    string `json:"text,omitempty" jsonschema_description:"The same as text"`
	Proxied bool   `json:"proxied,omitempty" jsonschema_description:"Proxy A/AAAA and CNAME records of which the file does not say"`
	Update  bool   `json:"update,omitempty" jsonschema_description:"Also change records that exist and differ"`
	DryRun  bool   `json:"dry_run,omitempty" jsonschema_description:"Only show the difference"`
}

// ImportRow is one record of an import.
type ImportRow struct {
	Name     string `json:"name"`
	Type     string `json:"type"`
	Value    string `json:"value"`
	TTL      int64  `json:"ttl"`
	Proxied  bool   `json:"proxied,omitempty"`
	RecordID ID     `json:"record_id,omitempty" jsonschema_description:"The record that exists"`
	Was      string `json:"was,omitempty" jsonschema_description:"What it is now"`
}

// ImportRecordsOutput is the result of import_records.
type ImportRecordsOutput struct {
	Noted
	SiteID   ID          `json:"site_id"`
	DryRun   bool        `json:"dry_run"`
	ToCreate int         `json:"to_create" jsonschema_description:"Records that are not there yet"`
	ToChange int         `json:"to_change" jsonschema_description:"Records that exist and differ"`
	Same     int         `json:"same" jsonschema_description:"Records that exist just so"`
	Created  int         `json:"created"`
	Changed  int         `json:"changed"`
	Create   []ImportRow `json:"create,omitempty" jsonschema_description:"The first 100"`
	Change   []ImportRow `json:"change,omitempty" jsonschema_description:"The first 100"`
	Skipped  []string    `json:"skipped,omitempty" jsonschema_description:"What ESA does not take, with the reason"`
	Problems []string    `json:"problems,omitempty" jsonschema_description:"What has to be corrected first"`
}

const (
	maxImportBytes = 10 << 20
	maxImportRows  = 5000
	maxImportShown = 100
)

// recordChange is a record that exists and is to be as in the file.
type recordChange struct {
	old wireRecord
	row draft
}

// difference is what an import has to do.
type difference struct {
	create []draft
	change []recordChange
	same   int
}

func importRecords(ctx context.Context, d *Deps, in ImportRecordsInput) (ImportRecordsOutput, error) {
	out := ImportRecordsOutput{DryRun: in.DryRun}
	text, err := in.read()
	if err != nil {
		return out, err
	}
	site, err := in.load(ctx, d, &out.Noted)
	if err != nil {
		return out, err
	}
	out.SiteID = site.SiteID
	file, err := readZone(text, siteName(site.SiteName), strings.EqualFold(filepath.Ext(in.Path), ".csv"))
	if err != nil {
		return out, err
	}
	if len(file.rows) > maxImportRows {
		return out, Refuse("The file has %d records, more than %d: split it.", len(file.rows), maxImportRows)
	}
	rows := in.drafts(&file, site)
	rows, merged := mergeAddresses(rows)
	out.Note(merged...)
	if file.clamped > 0 {
		out.Note(esa.Note{ID: "dns-ttl", Text: fmt.Sprintf("TTLs that ESA does not take, brought to 30 or 86400 seconds: %d.", file.clamped)})
	}
	diff, err := compare(ctx, d, site, rows)
	if err != nil {
		return out, err
	}
	out.show(diff, file)
	if in.DryRun {
		return out, nil
	}
	if len(file.problems) > 0 {
		return out, Refuse("Nothing was sent: %d records of the file are wrong.\n%s", len(file.problems), listed(file.problems))
	}
	return out, in.carryOut(ctx, d, &out, site, diff)
}

// read returns the text of the file.
func (in ImportRecordsInput) read() (string, error) {
	if (in.Path == "") == (in.Text == "") {
		return "", Refuse("Give either path or text.")
	}
	if in.Text != "" {
		return in.Text, nil
	}
	f, err := os.Open(in.Path)
	if err != nil {
		return "", pathError(in.Path, err)
	}
	defer f.Close()
	raw, err := io.ReadAll(io.LimitReader(f, maxImportBytes+1))
	if err != nil {
		return "", pathError(in.Path, err)
	}
	if len(raw) > maxImportBytes {
		return "", Refuse("path %s is larger than 10 MiB: split it.", in.Path)
	}
	return string(raw), nil
}

// drafts makes records of the rows; what ESA would refuse becomes a problem.
func (in ImportRecordsInput) drafts(file *zoneFile, site wireSite) []draft {
	var rows []draft
	for _, row := range file.rows {
		r := draft{site: site, kind: row.kind, data: row.data, ttl: row.ttl, biz: row.biz}
		var err error
		if r.name, _, err = recordName(row.name, siteName(site.SiteName)); err != nil {
			file.problems = append(file.problems, row.where+": "+err.Error())
			continue
		}
		if site.AccessType == "CNAME" && !isWeb(r.kind) {
			file.skipped = append(file.skipped, row.where+": a site with CNAME access takes only A/AAAA and CNAME records")
			continue
		}
		switch {
		case row.proxied != nil:
			r.proxied = *row.proxied && isWeb(r.kind)
		default:
			r.proxied = isWeb(r.kind) && (in.Proxied || row.biz != "")
			r.unsaid = !r.proxied
		}
		if r.kind == typeCNAME {
			r.source = "Domain"
		}
		if err := r.check(nil); err != nil {
			file.problems = append(file.problems, row.where+": "+err.Error())
			continue
		}
		rows = append(rows, r)
	}
	return rows
}

// compare finds what of the rows the site has already.
func compare(ctx context.Context, d *Deps, site wireSite, rows []draft) (difference, error) {
	have := map[string][]wireRecord{}
	if err := eachRecord(ctx, d, site.SiteID, func(r wireRecord) { have[r.RecordName] = append(have[r.RecordName], r) }); err != nil {
		return difference{}, err
	}
	var diff difference
	for _, row := range rows {
		at := slices.IndexFunc(have[row.name], func(old wireRecord) bool {
			return isWeb(row.kind) && isWeb(old.RecordType) || old.RecordType == row.kind && sameData(row.kind, RecordData(old.Data), row.data)
		})
		if at >= 0 && row.unsaid {
			row.proxied, row.biz = have[row.name][at].Proxied, have[row.name][at].BizName
		}
		switch {
		case at < 0:
			diff.create = append(diff.create, row)
		case row.sameAs(have[row.name][at]):
			diff.same++
		default:
			diff.change = append(diff.change, recordChange{have[row.name][at], row})
		}
	}
	return diff, nil
}

func (r draft) sameAs(old wireRecord) bool {
	return old.RecordType == r.kind && old.TTL == r.ttl && old.Proxied == r.proxied && sameData(r.kind, RecordData(old.Data), r.data)
}

// sameData compares the content of two records of one type: addresses in any
// order, hosts without regard to case.
func sameData(kind string, a, b RecordData) bool {
	switch kind {
	case typeAddress:
		first, second := strings.Split(a.Value, ","), strings.Split(b.Value, ",")
		slices.Sort(first)
		slices.Sort(second)
		return slices.Equal(first, second)
	case "TXT", "URI":
		return a.text() == b.text()
	}
	return strings.EqualFold(strings.TrimSuffix(a.text(), "."), strings.TrimSuffix(b.text(), "."))
}

// show puts the difference into the output.
func (out *ImportRecordsOutput) show(diff difference, file zoneFile) {
	out.ToCreate, out.ToChange, out.Same = len(diff.create), len(diff.change), diff.same
	for _, r := range diff.create[:min(len(diff.create), maxImportShown)] {
		out.Create = append(out.Create, r.importRow())
	}
	for _, c := range diff.change[:min(len(diff.change), maxImportShown)] {
		row := c.row.importRow()
		row.RecordID = c.old.RecordID
		row.Was = fmt.Sprintf("%s %s, ttl %d, proxied %t", c.old.RecordType, RecordData(c.old.Data).text(), c.old.TTL, c.old.Proxied)
		out.Change = append(out.Change, row)
	}
	out.Skipped, out.Problems = capped(file.skipped), capped(file.problems)
}

func (r draft) importRow() ImportRow {
	return ImportRow{Name: r.name, Type: r.kind, Value: r.data.text(), TTL: r.ttl, Proxied: r.proxied}
}

func capped(lines []string) []string {
	if n := len(lines) - maxImportShown; n > 0 {
		return append(slices.Clone(lines[:maxImportShown]), fmt.Sprintf("... and %d more", n))
	}
	return lines
}

// carryOut creates and, if asked to, changes. Changes go first: they may make
// room for what is created.
func (in ImportRecordsInput) carryOut(ctx context.Context, d *Deps, out *ImportRecordsOutput, site wireSite, diff difference) error {
	if !in.Update && len(diff.change) > 0 {
		out.Note(esa.Note{ID: "import", Text: fmt.Sprintf("Records that exist and differ were left as they are: %d; update: true changes them.", len(diff.change))})
	}
	if in.Update {
		for _, c := range diff.change {
			if err := c.send(ctx, d, &out.Noted); err != nil {
				return Refuse("Changed %d of %d records, created none; changing %s %s (record_id %s) failed. A further call goes on from here.\n%w",
					out.Changed, len(diff.change), c.row.kind, c.row.name, c.old.RecordID, err)
			}
			out.Changed++
		}
	}
	sent, err := sendRows(ctx, d, &out.Noted, site, diff.create)
	out.Created = len(sent.created)
	if err != nil || len(sent.failed) > 0 {
		if out.Changed > 0 {
			return Refuse("Changed before: %d.\n%w", out.Changed, sent.failure(len(diff.create), err))
		}
		return sent.failure(len(diff.create), err)
	}
	return nil
}

// send makes an existing record as in the file. What a file does not have stays.
func (c recordChange) send(ctx context.Context, d *Deps, notes *Noted) error {
	r := c.row
	r.comment = c.old.Comment
	if c.old.RecordType == r.kind {
		r.source, r.hostPolicy, r.auth = c.old.RecordSourceType, c.old.HostPolicy, c.old.AuthConf
		if r.proxied && c.old.BizName != "" {
			r.biz = c.old.BizName
		}
	}
	params := r.params()
	params["RecordId"] = c.old.RecordID.number()
	_, err := invoke[struct{}](ctx, d, notes, "UpdateRecord", params)
	return err
}
