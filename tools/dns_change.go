package tools

import (
	"context"
	"fmt"
	"strings"

	"github.com/esa-mcp/esa-mcp/internal/esa"
	"github.com/esa-mcp/esa-mcp/internal/guard"
)

// RecordOrigin says where a CNAME record's content comes from, when it is not
// simply a host.
type RecordOrigin struct {
	SourceType string `json:"source_type,omitempty" jsonschema:"maxLength=10" jsonschema_description:"CNAME: Domain (default), OSS, S3, LB or OP"`
	HostPolicy string `json:"host_policy,omitempty" jsonschema:"maxLength=30" jsonschema_description:"Proxied CNAME: follow_hostname or follow_origin_domain"`
	AuthFile   string `json:"auth_file,omitempty" jsonschema_description:"OSS, S3: JSON file with auth_type, access_key, secret_key, region, version"`
}

// CreateRecordInput are the arguments of create_record.
type CreateRecordInput struct {
	SiteRef
	Name     string `json:"name" jsonschema:"maxLength=253" jsonschema_description:"www or full name; @ for the site"`
	Type     string `json:"type" jsonschema:"maxLength=10" jsonschema_description:"A/AAAA, CNAME, MX, TXT, NS, SRV, CAA, CERT, SMIMEA, SSHFP, TLSA or URI"`
	Value    string `json:"value" jsonschema_description:"As in a zone file: addresses, host, text, 0 issue \"ca.com\" ..."`
	Priority *int64 `json:"priority,omitempty" jsonschema:"minimum=0" jsonschema_description:"MX, SRV, URI"`
	Proxied  *bool  `json:"proxied,omitempty" jsonschema_description:"Through the edge; default only on CNAME-access sites"`
	BizName  string `json:"biz_name,omitempty" jsonschema:"enum=web,enum=api,enum=image_video" jsonschema_description:"If proxied; default web"`
	TTL      int64  `json:"ttl,omitempty" jsonschema_description:"30-86400 seconds; default 1, automatic"`
	Comment  string `json:"comment,omitempty" jsonschema:"maxLength=100" jsonschema_description:"Comment"`
	RecordOrigin
}

// UpdateRecordInput are the arguments of update_record.
type UpdateRecordInput struct {
	RecordID ID      `json:"record_id" jsonschema_description:"From list_records"`
	Type     string  `json:"type,omitempty" jsonschema:"maxLength=10" jsonschema_description:"Other type; needs value"`
	Value    string  `json:"value,omitempty" jsonschema_description:"As in create_record; all addresses"`
	Priority *int64  `json:"priority,omitempty" jsonschema:"minimum=0" jsonschema_description:"MX, SRV, URI"`
	Proxied  *bool   `json:"proxied,omitempty" jsonschema_description:"Through the edge"`
	BizName  string  `json:"biz_name,omitempty" jsonschema:"enum=web,enum=api,enum=image_video" jsonschema_description:"If proxied"`
	TTL      int64   `json:"ttl,omitempty" jsonschema_description:"1 or 30-86400 seconds"`
	Comment  *string `json:"comment,omitempty" jsonschema:"maxLength=100" jsonschema_description:"Remark; empty removes it"`
	RecordOrigin
}

// RecordInput are the arguments of get_record and delete_record.
type RecordInput struct {
	RecordID ID `json:"record_id" jsonschema_description:"From list_records"`
}

// RecordOutput is a record and what remains to be done about it.
type RecordOutput struct {
	Noted
	Record
	NextSteps []string `json:"next_steps,omitempty"`
}

func getRecord(ctx context.Context, d *Deps, in RecordInput) (RecordOutput, error) {
	var out RecordOutput
	w, err := readRecord(ctx, d, &out.Noted, in.RecordID)
	out.Record = w.record()
	return out, err
}

func deleteRecord(ctx context.Context, d *Deps, in RecordInput) (RecordOutput, error) {
	var out RecordOutput
	w, err := readRecord(ctx, d, &out.Noted, in.RecordID)
	if err != nil {
		return out, err
	}
	out.Record = w.record()
	_, err = invoke[struct{}](ctx, d, &out.Noted, "DeleteRecord", esa.Params{"RecordId": in.RecordID.number()})
	return out, err
}

// draft is a record about to be sent.
type draft struct {
	site       wireSite
	id         ID // empty: a new one
	name, kind string
	data       RecordData
	proxied    bool
	biz        string
	ttl        int64
	comment    string
	source     string
	hostPolicy string
	auth       map[string]any
	httpPorts  string
	httpsPorts string
	unsaid     bool // an import does not say whether it is proxied
	notes      []esa.Note
}

func createRecord(ctx context.Context, d *Deps, in CreateRecordInput) (RecordOutput, error) {
	var out RecordOutput
	site, err := in.load(ctx, d, &out.Noted)
	if err != nil {
		return out, err
	}
	r, err := in.draft(site)
	if err != nil {
		return out, err
	}
	if err := r.check(in.Proxied); err != nil {
		return out, err
	}
	if err := r.clash(ctx, d); err != nil {
		return out, err
	}
	out.Note(r.notes...)
	params := r.params()
	params["SiteId"], params["RecordName"] = site.SiteID.number(), r.name
	made, err := invoke[struct {
		RecordID ID `json:"RecordId"`
	}](ctx, d, &out.Noted, "CreateRecord", params)
	if err != nil {
		return out, err
	}
	out.read(ctx, d, made.RecordID, r)
	out.NextSteps = nextAfterRecord(site, out.Record)
	return out, nil
}

func (in CreateRecordInput) draft(site wireSite) (r draft, err error) {
	r = draft{site: site, ttl: in.TTL, comment: in.Comment, biz: in.BizName, proxied: in.Proxied != nil && *in.Proxied}
	if r.ttl == 0 {
		r.ttl = 1
	}
	var notes []esa.Note
	if r.kind, notes = recordType(in.Type); len(notes) > 0 {
		r.notes = append(r.notes, notes...)
	}
	if r.name, notes, err = recordName(in.Name, siteName(site.SiteName)); err != nil {
		return r, err
	}
	r.notes = append(r.notes, notes...)
	if r.data, err = content(r.kind, in.Value, in.Priority); err != nil {
		return r, err
	}
	return r, in.RecordOrigin.apply(&r)
}

// check settles what follows from other fields and refuses what ESA would,
// naming the fix. proxied is what was asked for.
func (r *draft) check(proxied *bool) error {
	if r.site.AccessType == "CNAME" {
		if !isWeb(r.kind) {
			return Refuse("The site %s has CNAME access: it takes only A/AAAA and CNAME records (dns-cname-site-type). Create the %s record at the domain's DNS provider.",
				r.site.SiteName, r.kind)
		}
		if proxied != nil && !*proxied {
			return Refuse("The site %s has CNAME access, where every record is proxied: leave proxied out (dns-cname-site-proxy).", r.site.SiteName)
		}
		if !r.proxied {
			r.proxied = true
			r.notes = append(r.notes, esa.Note{ID: "dns-cname-site-proxy", Text: "Sites with CNAME access proxy every record: set proxied."})
		}
	}
	if r.proxied && !isWeb(r.kind) {
		return Refuse("proxied is for A/AAAA and CNAME records: leave it out for %s.", r.kind)
	}
	if err := ttlFits(r.ttl); err != nil {
		return err
	}
	biz, notes, err := bizFits(r.biz, r.proxied)
	if err != nil {
		return err
	}
	r.biz, r.notes = biz, append(r.notes, notes...)
	if r.hostPolicy != "" && !r.proxied {
		return Refuse("host_policy is for proxied CNAME records: leave it out, or set proxied to true (dns-biz-unproxied).")
	}
	if r.kind == typeCNAME && strings.EqualFold(r.data.Value, r.name) {
		return Refuse("value: %s cannot point to itself.", r.name)
	}
	return nil
}

// clash refuses a new record that the site's others leave no room for, and says
// how to get what was meant.
func (r *draft) clash(ctx context.Context, d *Deps) error {
	if !isWeb(r.kind) {
		return nil
	}
	found, err := esa.Call[listRecordsAnswer](ctx, d.ESA, "ListRecords", esa.Params{
		"SiteId": r.site.SiteID.number(), "RecordName": r.name, "RecordMatchType": "exact", "PageNumber": 1, "PageSize": 100,
	})
	if err != nil {
		return fmt.Errorf("look for records of the name %s: %w", r.name, err)
	}
	for _, other := range found.Records {
		switch {
		case other.RecordName != r.name || !isWeb(other.RecordType):
		case other.RecordType != r.kind:
			return Refuse("%s has the %s record %s (%s): A/AAAA and CNAME exclude each other on a name (dns-exclusive). "+
				"Change it with update_record: record_id %s, type %s, value %q.",
				r.name, other.RecordType, other.RecordID, other.Data.Value, other.RecordID, r.kind, r.data.Value)
		case r.kind == typeAddress:
			return Refuse("%s has the A/AAAA record %s (%s) already, which holds all its addresses (dns-one-address-record). "+
				"To add to it call update_record: record_id %s, value %q.",
				r.name, other.RecordID, other.Data.Value, other.RecordID, guard.MergedAddresses(other.Data.Value, r.data.Value))
		default:
			return Refuse("%s has the CNAME record %s (%s) already, and a name has one. To change it call update_record: record_id %s, value %q.",
				r.name, other.RecordID, other.Data.Value, other.RecordID, r.data.Value)
		}
	}
	return nil
}

// params are those that creating and updating share.
func (r *draft) params() esa.Params {
	p := esa.Params{"Type": r.kind, "Data": r.data.params(), "Ttl": r.ttl, "Proxied": r.proxied}
	for name, v := range map[string]string{"BizName": r.biz, "Comment": r.comment, "SourceType": r.source, "HostPolicy": r.hostPolicy,
		"HttpPorts": r.httpPorts, "HttpsPorts": r.httpsPorts} {
		if v != "" {
			p[name] = v
		}
	}
	if len(r.auth) > 0 {
		p["AuthConf"] = r.auth
	}
	return p
}

// read stores what ESA made of a record; if that cannot be read, what was sent.
func (out *RecordOutput) read(ctx context.Context, d *Deps, id ID, r draft) {
	w, err := readRecord(ctx, d, &out.Noted, id)
	if err == nil {
		out.Record = w.record()
		return
	}
	out.Record = Record{ID: id, Name: r.name, Type: r.kind, Data: r.data, TTL: r.ttl, Proxied: r.proxied, BizName: r.biz, Comment: r.comment}
	out.Note(unread("this is what was sent"))
}

// nextAfterRecord says what a new record needs to be of use.
func nextAfterRecord(site wireSite, r Record) []string {
	var steps []string
	if site.AccessType == "CNAME" && r.Cname != "" {
		steps = append(steps, fmt.Sprintf("At the DNS provider of %s point %s at %s with a CNAME record.", site.SiteName, r.Name, r.Cname))
	}
	if site.Status == "pending" {
		steps = append(steps, site.SiteName+" is pending: nothing is served before verify_site passes.")
	}
	return steps
}

func updateRecord(ctx context.Context, d *Deps, in UpdateRecordInput) (RecordOutput, error) {
	var out RecordOutput
	old, err := readRecord(ctx, d, &out.Noted, in.RecordID)
	if err != nil {
		return out, err
	}
	answer, err := invoke[struct{ SiteModel wireSite }](ctx, d, &out.Noted, "GetSite", esa.Params{"SiteId": old.SiteID.number()})
	if err != nil {
		return out, fmt.Errorf("read the record's site: %w", err)
	}
	r, err := in.patch(old, answer.SiteModel)
	if err != nil {
		return out, err
	}
	if err := r.check(in.Proxied); err != nil {
		return out, err
	}
	out.Note(r.notes...)
	params := r.params()
	params["RecordId"] = in.RecordID.number()
	if in.Comment != nil {
		params["Comment"] = *in.Comment
	}
	if _, err := invoke[struct{}](ctx, d, &out.Noted, "UpdateRecord", params); err != nil {
		return out, err
	}
	out.read(ctx, d, in.RecordID, r)
	return out, nil
}

// patch puts the arguments over the record as it is. Everything is sent again,
// because what an update leaves out does not stay for sure.
func (in UpdateRecordInput) patch(old wireRecord, site wireSite) (draft, error) {
	r := draft{
		site: site, id: in.RecordID, name: old.RecordName, kind: old.RecordType, data: RecordData(old.Data), proxied: old.Proxied,
		biz: old.BizName, ttl: old.TTL, comment: old.Comment, source: old.RecordSourceType, hostPolicy: old.HostPolicy, auth: old.AuthConf,
		httpPorts: old.HTTPPorts, httpsPorts: old.HTTPSPorts,
	}
	if in.Type != "" {
		var notes []esa.Note
		r.kind, notes = recordType(in.Type)
		r.notes = append(r.notes, notes...)
		if r.kind != old.RecordType {
			if in.Value == "" {
				return r, Refuse("value is missing: a record of another type needs one.")
			}
			r.source, r.hostPolicy, r.auth = "", "", nil
		}
	}
	if err := in.patchData(&r); err != nil {
		return r, err
	}
	if in.Proxied != nil {
		r.proxied = *in.Proxied
	}
	if !r.proxied {
		r.hostPolicy, r.httpPorts, r.httpsPorts = "", "", "" // have no meaning any more
	}
	if in.BizName != "" {
		r.biz = in.BizName
	} else if !r.proxied {
		r.biz = ""
	}
	if in.TTL != 0 {
		r.ttl = in.TTL
	}
	if in.Comment != nil {
		r.comment = *in.Comment
	}
	return r, in.RecordOrigin.apply(&r)
}

func (in UpdateRecordInput) patchData(r *draft) error {
	switch {
	case in.Value != "":
		priority := in.Priority
		_, err := content(r.kind, in.Value, priority)
		if err != nil && priority == nil && r.data.Priority != nil {
			priority = r.data.Priority // the value came without: it stays
		}
		if r.data, err = content(r.kind, in.Value, priority); err != nil {
			return err
		}
	case in.Priority != nil:
		if r.data.Priority == nil {
			return Refuse("priority is for MX, SRV and URI records: leave it out for %s.", r.kind)
		}
		r.data.Priority = in.Priority
	case in == (UpdateRecordInput{RecordID: in.RecordID}):
		return Refuse("Nothing to change: give value, priority, proxied, biz_name, ttl, comment or another field.")
	}
	return nil
}
