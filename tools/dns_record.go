package tools

import (
	"context"
	"fmt"
	"strings"

	"github.com/esa-mcp/esa-mcp/internal/esa"
	"github.com/esa-mcp/esa-mcp/internal/guard"
)

// Record is one DNS record of a site. The keys of its origin, if it has some, are
// left out.
type Record struct {
	ID         ID         `json:"id" jsonschema_description:"Record id"`
	Name       string     `json:"name" jsonschema_description:"Full name"`
	Type       string     `json:"type"`
	Data       RecordData `json:"data"`
	TTL        int64      `json:"ttl" jsonschema_description:"Seconds; 1 is automatic"`
	Proxied    bool       `json:"proxied" jsonschema_description:"true: traffic goes through the edge, where rules and routines run"`
	BizName    string     `json:"biz_name,omitempty" jsonschema_description:"Acceleration of a proxied record: web, api or image_video"`
	SourceType string     `json:"source_type,omitempty" jsonschema_description:"What a CNAME points at: Domain, OSS, S3, LB or OP"`
	HostPolicy string     `json:"host_policy,omitempty"`
	OriginAuth string     `json:"origin_auth,omitempty" jsonschema_description:"How an OSS or S3 origin is read; its keys are never shown"`
	HTTPPorts  string     `json:"http_ports,omitempty"`
	HTTPSPorts string     `json:"https_ports,omitempty"`
	Cname      string     `json:"cname,omitempty" jsonschema_description:"CNAME access: what the name has to point at at its DNS provider"`
	Comment    string     `json:"comment,omitempty"`
	Updated    string     `json:"updated,omitempty"`
}

// RecordData is the content of a record; which fields there are depends on the
// type.
type RecordData struct {
	Value        string `json:"value,omitempty"`
	Priority     *int64 `json:"priority,omitempty"`
	Weight       *int64 `json:"weight,omitempty"`
	Port         *int64 `json:"port,omitempty"`
	Flag         *int64 `json:"flag,omitempty"`
	Tag          string `json:"tag,omitempty"`
	KeyTag       *int64 `json:"key_tag,omitempty"`
	Algorithm    *int64 `json:"algorithm,omitempty"`
	Type         *int64 `json:"type,omitempty"`
	Usage        *int64 `json:"usage,omitempty"`
	Selector     *int64 `json:"selector,omitempty"`
	MatchingType *int64 `json:"matching_type,omitempty"`
	Certificate  string `json:"certificate,omitempty"`
	Fingerprint  string `json:"fingerprint,omitempty"`
}

// wireRecordData is RecordData under the API's names.
type wireRecordData struct {
	Value        string
	Priority     *int64
	Weight       *int64
	Port         *int64
	Flag         *int64
	Tag          string
	KeyTag       *int64
	Algorithm    *int64
	Type         *int64
	Usage        *int64
	Selector     *int64
	MatchingType *int64
	Certificate  string
	Fingerprint  string
}

// wireRecord is a record as answers have it. AuthConf is kept as it came, to be
// sent back by an update, and is never shown.
type wireRecord struct {
	RecordID         ID `json:"RecordId"`
	SiteID           ID `json:"SiteId"`
	RecordName       string
	RecordType       string
	RecordSourceType string
	RecordCname      string
	Data             wireRecordData
	TTL              int64 `json:"Ttl"`
	Proxied          bool
	BizName          string
	HostPolicy       string
	HTTPPorts        string `json:"HttpPorts"`
	HTTPSPorts       string `json:"HttpsPorts"`
	Comment          string
	UpdateTime       string
	AuthConf         map[string]any
}

func (w wireRecord) record() Record {
	auth, _ := w.AuthConf["AuthType"].(string)
	return Record{
		ID: w.RecordID, Name: w.RecordName, Type: w.RecordType, Data: RecordData(w.Data), TTL: w.TTL,
		Proxied: w.Proxied, BizName: w.BizName, SourceType: w.RecordSourceType, HostPolicy: w.HostPolicy,
		HTTPPorts: w.HTTPPorts, HTTPSPorts: w.HTTPSPorts,
		OriginAuth: auth, Cname: w.RecordCname, Comment: w.Comment, Updated: w.UpdateTime,
	}
}

// readRecord loads one record.
func readRecord(ctx context.Context, d *Deps, notes *Noted, id ID) (wireRecord, error) {
	answer, err := invoke[struct{ RecordModel wireRecord }](ctx, d, notes, "GetRecord", esa.Params{"RecordId": id.number()})
	if err != nil {
		return wireRecord{}, fmt.Errorf("read record %s: %w", id, err)
	}
	return answer.RecordModel, nil
}

// params is the data as a parameter: only the fields that it has.
func (data RecordData) params() map[string]any {
	out := map[string]any{}
	for name, text := range map[string]string{"Value": data.Value, "Tag": data.Tag, "Certificate": data.Certificate, "Fingerprint": data.Fingerprint} {
		if text != "" {
			out[name] = text
		}
	}
	for name, number := range map[string]*int64{"Priority": data.Priority, "Weight": data.Weight, "Port": data.Port, "Flag": data.Flag,
		"KeyTag": data.KeyTag, "Algorithm": data.Algorithm, "Type": data.Type, "Usage": data.Usage, "Selector": data.Selector,
		"MatchingType": data.MatchingType} {
		if number != nil {
			out[name] = *number
		}
	}
	return out
}

// The record types. ESA keeps A and AAAA as one.
const (
	typeAddress = "A/AAAA"
	typeCNAME   = "CNAME"
)

// recordType writes a type as ESA does: it has no A and no AAAA of their own.
func recordType(typ string) (string, []esa.Note) {
	typ = strings.ToUpper(strings.TrimSpace(typ))
	if typ == "A" || typ == "AAAA" {
		return typeAddress, []esa.Note{{ID: "dns-type", Text: "ESA keeps A and AAAA in one type, A/AAAA: used that."}}
	}
	return typ, nil
}

// isWeb reports whether records of a type can go through the edge.
func isWeb(typ string) bool { return typ == typeAddress || typ == typeCNAME }

// recordName is the full name of a record of a site: names may be given
// relative to it.
func recordName(name, site string) (string, []esa.Note, error) {
	given := strings.ToLower(strings.TrimSpace(name))
	full, ok := guard.FullRecordName(name, site)
	if !ok {
		return "", nil, Refuse("name %q is not under the site %s: give a name relative to it, such as www, or one that ends with .%s.", name, site, site)
	}
	if full == given {
		return full, nil, nil
	}
	return full, []esa.Note{{ID: "dns-name", Text: "ESA takes full names: used " + full + "."}}, nil
}
