package tools

import (
	"cmp"
	"context"
	"strings"

	"github.com/esa-mcp/esa-mcp/internal/esa"
)

// ListRecordsInput are the arguments of list_records.
type ListRecordsInput struct {
	SiteRef
	Name     string `json:"name,omitempty" jsonschema:"maxLength=253" jsonschema_description:"Part of the record's full name, such as www or www.example.com"`
	Match    string `json:"match,omitempty" jsonschema:"enum=fuzzy,enum=exact,enum=prefix,enum=suffix,default=fuzzy" jsonschema_description:"How name is compared; exact needs the full name, such as www.example.com"`
	Type     string `json:"type,omitempty" jsonschema:"maxLength=10" jsonschema_description:"Only this type: A/AAAA (ESA keeps both in one record), CNAME, MX, TXT, NS, SRV, CAA, CERT, SMIMEA, SSHFP, TLSA or URI"`
	Proxied  *bool  `json:"proxied,omitempty" jsonschema_description:"true: only records that go through the edge; false: only plain DNS"`
	Page     int    `json:"page,omitempty" jsonschema:"minimum=1,default=1" jsonschema_description:"Number of the page"`
	PageSize int    `json:"page_size,omitempty" jsonschema:"minimum=1,maximum=500,default=50" jsonschema_description:"Records per page"`
}

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

// ListRecordsOutput is the result of list_records.
type ListRecordsOutput struct {
	Noted
	SiteID   ID       `json:"site_id"`
	Records  []Record `json:"records"`
	Total    int      `json:"total" jsonschema_description:"Records on all pages"`
	Page     int      `json:"page"`
	NextPage int      `json:"next_page,omitempty" jsonschema_description:"Left out on the last page"`
}

type listRecordsAnswer struct {
	Records []struct {
		RecordID         ID `json:"RecordId"`
		RecordName       string
		RecordType       string
		RecordSourceType string
		RecordCname      string
		Data             wireRecordData
		TTL              int64 `json:"Ttl"`
		Proxied          bool
		BizName          string
		HostPolicy       string
		Comment          string
		UpdateTime       string
		// AuthConf also has AccessKey and SecretKey, which are not read at all.
		AuthConf struct{ AuthType string }
	}
	TotalCount int
}

func dnsTools() []Tool {
	return []Tool{
		Define(Meta{
			Name:    "list_records",
			Title:   "List DNS records",
			Toolset: "dns",
			Description: "Lists the DNS records of a site (site_id or site_name). The name search is fuzzy unless match says otherwise. " +
				"One A/AAAA record holds all addresses of a name, comma-separated in data.value. " +
				"Records that belong to edge routines are not listed here.",
			Calls:    []string{"ListRecords", "ListSites"},
			ReadOnly: Yes, Destructive: No, Idempotent: Yes, OpenWorld: Yes,
		}, listRecords),
	}
}

func listRecords(ctx context.Context, d *Deps, in ListRecordsInput) (ListRecordsOutput, error) {
	var out ListRecordsOutput
	id, err := in.resolve(ctx, d)
	if err != nil {
		return out, err
	}
	page, size := cmp.Or(in.Page, 1), cmp.Or(in.PageSize, 50)
	params := esa.Params{"SiteId": id.number(), "PageNumber": page, "PageSize": size}
	if name := siteName(in.Name); name != "" {
		params["RecordName"] = name
		params["RecordMatchType"] = cmp.Or(in.Match, "fuzzy")
	}
	if in.Type != "" {
		typ, note := recordType(in.Type)
		params["Type"] = typ
		out.Note(note...)
	}
	if in.Proxied != nil {
		params["Proxied"] = *in.Proxied
	}
	answer, err := invoke[listRecordsAnswer](ctx, d, &out.Noted, "ListRecords", params)
	if err != nil {
		return out, err
	}
	for _, r := range answer.Records {
		out.Records = append(out.Records, Record{
			ID: r.RecordID, Name: r.RecordName, Type: r.RecordType, Data: RecordData(r.Data), TTL: r.TTL,
			Proxied: r.Proxied, BizName: r.BizName, SourceType: r.RecordSourceType, HostPolicy: r.HostPolicy,
			OriginAuth: r.AuthConf.AuthType, Cname: r.RecordCname, Comment: r.Comment, Updated: r.UpdateTime,
		})
	}
	out.SiteID = id
	out.Total, out.Page, out.NextPage = answer.TotalCount, page, nextPage(page, size, answer.TotalCount)
	return out, nil
}

// recordType writes a type as ESA does: it has no A and no AAAA of their own.
func recordType(typ string) (string, []esa.Note) {
	typ = strings.ToUpper(strings.TrimSpace(typ))
	if typ == "A" || typ == "AAAA" {
		return "A/AAAA", []esa.Note{{ID: "dns-type", Text: "ESA keeps " + typ + " in the type A/AAAA: searched for that"}}
	}
	return typ, nil
}
