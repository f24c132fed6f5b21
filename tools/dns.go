package tools

import (
	"cmp"
	"context"

	"github.com/esa-mcp/esa-mcp/internal/esa"
)

// ListRecordsInput are the arguments of list_records.
type ListRecordsInput struct {
	SiteRef
	Name     string `json:"name,omitempty" jsonschema:"maxLength=253" jsonschema_description:"Part of the full name"`
	Match    string `json:"match,omitempty" jsonschema:"enum=fuzzy,enum=exact,enum=prefix,enum=suffix,default=fuzzy" jsonschema_description:"How name is compared"`
	Type     string `json:"type,omitempty" jsonschema:"maxLength=10" jsonschema_description:"Such as A/AAAA"`
	Proxied  *bool  `json:"proxied,omitempty" jsonschema_description:"Through the edge or not"`
	Page     int    `json:"page,omitempty" jsonschema:"minimum=1,default=1" jsonschema_description:"Page number"`
	PageSize int    `json:"page_size,omitempty" jsonschema:"minimum=1,maximum=500,default=50" jsonschema_description:"Records per page"`
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
	Records    []wireRecord
	TotalCount int
}

// dnsTools are the tools of the toolset "dns".
func dnsTools() []Tool {
	return []Tool{
		Define(Meta{
			Name: "list_records", Title: "List DNS records", Toolset: "dns",
			Calls:       []string{"ListRecords", "ListSites"},
			Description: "Lists the DNS records of a site, without those of edge routines.",
			ReadOnly:    Yes, Destructive: No, Idempotent: Yes, OpenWorld: Yes,
		}, listRecords),
		Define(Meta{
			Name: "get_record", Title: "Show a DNS record", Toolset: "dns",
			Calls:       []string{"GetRecord"},
			Description: "Shows one DNS record by its id.",
			ReadOnly:    Yes, Destructive: No, Idempotent: Yes, OpenWorld: Yes,
		}, getRecord),
		Define(Meta{
			Name: "create_record", Title: "Create a DNS record", Toolset: "dns",
			Calls: []string{"CreateRecord", "GetRecord", "GetSite", "ListRecords", "ListSites"},
			Description: "Creates a DNS record. A name has one A/AAAA record for all its addresses: " +
				"to add one, use update_record.",
			ReadOnly: No, Destructive: No, Idempotent: No, OpenWorld: Yes,
		}, createRecord),
		Define(Meta{
			Name: "update_record", Title: "Change a DNS record", Toolset: "dns",
			Calls:       []string{"GetRecord", "GetSite", "UpdateRecord"},
			Description: "Changes a DNS record; what is left out stays. A name cannot be changed.",
			ReadOnly:    No, Destructive: Yes, Idempotent: Yes, OpenWorld: Yes,
		}, updateRecord),
		Define(Meta{
			Name: "delete_record", Title: "Delete a DNS record", Toolset: "dns",
			Calls:       []string{"DeleteRecord", "GetRecord"},
			Description: "Deletes a DNS record and returns what it was.",
			ReadOnly:    No, Destructive: Yes, Idempotent: Yes, OpenWorld: Yes,
		}, deleteRecord),
		Define(Meta{
			Name: "batch_create_records", Title: "Create DNS records", Toolset: "dns",
			Calls:       []string{"BatchCreateRecords", "GetSite", "ListSites"},
			Description: "Creates many DNS records at once; fails with a report of each if ESA refuses any.",
			ReadOnly:    No, Destructive: No, Idempotent: No, OpenWorld: Yes,
		}, batchCreateRecords),
		Define(Meta{
			Name: "export_records", Title: "Export DNS records", Toolset: "dns",
			Calls:       []string{"ExportRecords", "ListSites"},
			Description: "Exports all DNS records of a site as a BIND zone.",
			ReadOnly:    No, Destructive: No, Idempotent: No, OpenWorld: Yes,
		}, exportRecords),
		Define(Meta{
			Name: "import_records", Title: "Import DNS records", Toolset: "dns",
			Calls: []string{"BatchCreateRecords", "GetSite", "ListRecords", "ListSites", "UpdateRecord"}, OwnDryRun: true,
			Description: "Brings a zone file or CSV into a site: creates what is missing, deletes nothing.",
			ReadOnly:    No, Destructive: Yes, Idempotent: Yes, OpenWorld: Yes,
		}, importRecords),
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
		out.Records = append(out.Records, r.record())
	}
	out.SiteID = id
	out.Total, out.Page, out.NextPage = answer.TotalCount, page, nextPage(page, size, answer.TotalCount)
	return out, nil
}
