package tools

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/esa-mcp/esa-mcp/internal/esa"
	"github.com/esa-mcp/esa-mcp/internal/guard"
)

// BatchRecord is one record of batch_create_records.
type BatchRecord struct {
	Name     string `json:"name" jsonschema:"maxLength=253" jsonschema_description:"As in create_record"`
	Type     string `json:"type" jsonschema:"maxLength=10" jsonschema_description:"Type"`
	Value    string `json:"value" jsonschema_description:"As in create_record"`
	Priority *int64 `json:"priority,omitempty" jsonschema:"minimum=0" jsonschema_description:"MX, SRV, URI"`
	Proxied  *bool  `json:"proxied,omitempty" jsonschema_description:"Through the edge"`
	BizName  string `json:"biz_name,omitempty" jsonschema:"enum=web,enum=api,enum=image_video" jsonschema_description:"If proxied"`
	TTL      int64  `json:"ttl,omitempty" jsonschema_description:"1 or 30-86400 seconds"`
}

// BatchCreateInput are the arguments of batch_create_records.
type BatchCreateInput struct {
	SiteRef
	Records []BatchRecord `json:"records" jsonschema:"minItems=1,maxItems=500" jsonschema_description:"Records"`
}

// CreatedRecord is one record that a batch made.
type CreatedRecord struct {
	ID    ID     `json:"id"`
	Name  string `json:"name"`
	Type  string `json:"type"`
	Value string `json:"value,omitempty"`
}

// BatchCreateOutput is the result of batch_create_records.
type BatchCreateOutput struct {
	Noted
	SiteID  ID              `json:"site_id"`
	Created []CreatedRecord `json:"created"`
}

func batchCreateRecords(ctx context.Context, d *Deps, in BatchCreateInput) (BatchCreateOutput, error) {
	var out BatchCreateOutput
	site, err := in.load(ctx, d, &out.Noted)
	if err != nil {
		return out, err
	}
	out.SiteID = site.SiteID
	var rows []draft
	var wrong []string
	for i, r := range in.Records {
		row, err := CreateRecordInput{Name: r.Name, Type: r.Type, Value: r.Value, Priority: r.Priority, Proxied: r.Proxied,
			BizName: r.BizName, TTL: r.TTL}.draft(site)
		if err == nil {
			err = row.check(r.Proxied)
		}
		if err != nil {
			wrong = append(wrong, fmt.Sprintf("records[%d] %s %s: %v", i, r.Type, r.Name, err))
		}
		rows = append(rows, row)
	}
	if len(wrong) > 0 {
		return out, Refuse("Nothing was sent: of %d records %d are wrong.\n%s", len(rows), len(wrong), listed(wrong))
	}
	rows, merged := mergeAddresses(rows)
	out.Note(merged...)
	out.Note(onceEach(rows)...)
	sent, err := sendRows(ctx, d, &out.Noted, site, rows)
	out.Created = sent.created
	if err != nil {
		return out, sent.failure(len(rows), err)
	}
	if len(sent.failed) > 0 {
		return out, sent.failure(len(rows), nil)
	}
	return out, nil
}

// onceEach are the notes of all rows, one of each kind.
func onceEach(rows []draft) []esa.Note {
	var notes []esa.Note
	for _, r := range rows {
		for _, n := range r.notes {
			if !slices.ContainsFunc(notes, func(o esa.Note) bool { return o.ID == n.ID }) {
				if n.ID == "dns-name" {
					n.Text = "ESA takes full names: the site's name was added."
				}
				notes = append(notes, n)
			}
		}
	}
	return notes
}

// mergeAddresses makes one row of all addresses of a name: ESA keeps them in one
// record.
func mergeAddresses(rows []draft) ([]draft, []esa.Note) {
	var out []draft
	var names []string
	at := map[string]int{}
	for _, r := range rows {
		i, twice := at[r.name]
		if r.kind != typeAddress || !twice {
			if r.kind == typeAddress {
				at[r.name] = len(out)
			}
			out = append(out, r)
			continue
		}
		first := &out[i]
		first.data.Value = guard.MergedAddresses(first.data.Value, r.data.Value)
		first.ttl = min(first.ttl, r.ttl)
		if r.proxied && !first.proxied {
			first.proxied, first.biz = true, r.biz
		}
		if !slices.Contains(names, r.name) {
			names = append(names, r.name)
		}
	}
	if len(names) == 0 {
		return out, nil
	}
	return out, []esa.Note{{ID: "dns-one-address-record", Text: fmt.Sprintf("One record holds all addresses of a name; made one each for: %s.", listedShort(names))}}
}

// sentRows is what became of rows.
type sentRows struct {
	created []CreatedRecord
	failed  []string
	sending int // rows of the call that failed
}

// failure tells of each row when some were not created.
func (s sentRows) failure(total int, cause error) error {
	var made []string
	for _, r := range s.created {
		made = append(made, fmt.Sprintf("%s %s (record_id %s)", r.Type, r.Name, r.ID))
	}
	open := 0 // of the call that failed
	if esa.OutcomeUnknown(cause) {
		open = s.sending
	}
	text := fmt.Sprintf("Of %d records %d were created and %d were not.", total, len(s.created), total-len(s.created)-open)
	if open > 0 {
		text = fmt.Sprintf("Of %d records %d were created, %d were not, and %d may have been: look with list_records before sending them again.",
			total, len(s.created), total-len(s.created)-open, open)
	}
	if len(s.failed) > 0 {
		text += "\nRefused by ESA:\n" + listed(s.failed)
	}
	if len(made) > 0 {
		text += "\nCreated:\n" + listed(made)
	}
	if cause != nil {
		return Refuse("%s\n%w", text, cause)
	}
	return Refuse("%s\nCorrect the refused ones and send only them again (dns-batch-partial).", text)
}

// The bounds of one call: rows travel in the address of the request, whose
// length gateways limit.
const (
	maxBatchRows  = 50
	maxBatchBytes = 4000
)

// sendRows creates records with as many calls as it takes. An error is that of a
// call; rows that ESA refused are in the result.
func sendRows(ctx context.Context, d *Deps, notes *Noted, site wireSite, rows []draft) (sentRows, error) {
	var out sentRows
	for done := 0; done < len(rows); {
		batch, n, err := nextBatch(rows[done:])
		if err != nil {
			return out, err
		}
		Progress(ctx, float64(done), float64(len(rows)), fmt.Sprintf("creating records %d to %d of %d", done+1, done+n, len(rows)))
		type row struct {
			RecordID               ID `json:"RecordId"`
			RecordName, RecordType string
			Description            string
			Data                   wireRecordData
		}
		answer, err := invoke[struct {
			RecordResultList struct{ Success, Failed []row }
		}](ctx, d, notes, "BatchCreateRecords", esa.Params{"SiteId": site.SiteID.number(), "RecordList": batch})
		if err != nil {
			out.sending = n
			return out, err
		}
		result := answer.RecordResultList
		for _, r := range result.Success {
			out.created = append(out.created, CreatedRecord{ID: r.RecordID, Name: r.RecordName, Type: r.RecordType, Value: RecordData(r.Data).text()})
		}
		for _, r := range result.Failed {
			out.failed = append(out.failed, fmt.Sprintf("%s %s %s: %s", r.RecordType, r.RecordName, RecordData(r.Data).text(), r.Description))
		}
		if missing := n - len(result.Success) - len(result.Failed); missing > 0 {
			out.failed = append(out.failed, fmt.Sprintf("%d records of which the answer says nothing: look with list_records", missing))
		}
		done += n
	}
	return out, nil
}

// nextBatch takes the rows that fit one call, at least one.
func nextBatch(rows []draft) (batch []any, n int, err error) {
	size := 0
	for _, r := range rows {
		params := r.params()
		delete(params, "Comment") // batches have none
		delete(params, "HostPolicy")
		params["RecordName"] = r.name
		raw, err := json.Marshal(params)
		if err != nil {
			return nil, 0, fmt.Errorf("encode the record %s: %w", r.name, err)
		}
		if n > 0 && (n == maxBatchRows || size+len(raw) > maxBatchBytes) {
			break
		}
		batch, size, n = append(batch, map[string]any(params)), size+len(raw), n+1
	}
	return batch, n, nil
}

// listed is a list of lines with a bound.
func listed(lines []string) string {
	const most = 50
	if n := len(lines) - most; n > 0 {
		lines = append(slices.Clone(lines[:most]), fmt.Sprintf("... and %d more", n))
	}
	return "- " + strings.Join(lines, "\n- ")
}

// listedShort is a list of names on one line, with a bound.
func listedShort(names []string) string {
	if n := len(names) - maxListed; n > 0 {
		return strings.Join(names[:maxListed], ", ") + fmt.Sprintf(" and %d more", n)
	}
	return strings.Join(names, ", ")
}

// text is the data on one line, as a zone file has it.
func (data RecordData) text() string {
	var parts []string
	for _, n := range []*int64{data.Flag, data.Priority, data.Weight, data.Port, data.Usage, data.Selector, data.MatchingType} {
		if n != nil {
			parts = append(parts, fmt.Sprint(*n))
		}
	}
	if data.Fingerprint != "" { // SSHFP has the algorithm first, CERT last
		parts = append(parts, fmt.Sprint(orZero(data.Algorithm)), fmt.Sprint(orZero(data.Type)))
	} else if data.KeyTag != nil {
		parts = append(parts, fmt.Sprint(orZero(data.Type)), fmt.Sprint(*data.KeyTag), fmt.Sprint(orZero(data.Algorithm)))
	}
	for _, s := range []string{data.Tag, data.Value, data.Certificate, data.Fingerprint} {
		if s != "" {
			parts = append(parts, s)
		}
	}
	return strings.Join(parts, " ")
}

func orZero(n *int64) int64 {
	if n == nil {
		return 0
	}
	return *n
}
