package tools

import (
	"cmp"
	"context"
	"fmt"

	"github.com/esa-mcp/esa-mcp/internal/esa"
)

// RelatedRecord is a host name that leads to a routine as a whole.
type RelatedRecord struct {
	ID       ID     `json:"id,omitempty" jsonschema_description:"Record id"`
	Name     string `json:"name" jsonschema_description:"Full host name"`
	SiteID   ID     `json:"site_id"`
	SiteName string `json:"site_name,omitempty"`
	Cname    string `json:"cname,omitempty" jsonschema_description:"What the name points at"`
}

// relatedTools are the tools for related records.
func relatedTools() []Tool {
	return []Tool{
		Define(Meta{
			Name: "list_related_records", Title: "List related records", Toolset: "routines",
			Description: "List the host names of a routine or site that lead to routines; list_records does not show them.",
			Calls:       []string{"ListRoutineRelatedRecords", "ListEdgeRoutineRecords", "ListSites"},
			ReadOnly:    Yes, Destructive: No, Idempotent: Yes, OpenWorld: Yes,
		}, listRelatedRecords),
		Define(Meta{
			Name: "create_related_record", Title: "Create a related record", Toolset: "routines",
			Description: "Lead a whole host name to a routine, on a site with NS access and without a DNS record of that name. Otherwise, and with certificate, use bind_custom_domain.",
			Calls:       []string{"CreateRoutineRelatedRecord", "ListRoutineRelatedRecords", "ListRecords", "ListSites"},
			ReadOnly:    No, Destructive: No, Idempotent: Yes, OpenWorld: Yes,
		}, createRelatedRecord),
		Define(Meta{
			Name: "delete_related_record", Title: "Delete a related record", Toolset: "routines",
			Description: "Stop a host name from leading to a routine.",
			Calls:       []string{"ListRoutineRelatedRecords", "DeleteRoutineRelatedRecord"},
			ReadOnly:    No, Destructive: Yes, Idempotent: Yes, OpenWorld: Yes,
		}, deleteRelatedRecord),
	}
}

type relatedAnswer struct {
	RelatedRecords []struct {
		RecordID, SiteID     ID
		RecordName, SiteName string
	}
	TotalCount int
}

// ListRelatedRecordsInput are the arguments of list_related_records.
type ListRelatedRecordsInput struct {
	SiteRef
	Routine string `json:"routine,omitempty" jsonschema_description:"Routine name, instead of a site"`
	Search  string `json:"search,omitempty" jsonschema_description:"Part of the host name"`
	Page    int    `json:"page,omitempty" jsonschema:"minimum=1,default=1" jsonschema_description:"Page of 20"`
}

// ListRelatedRecordsOutput is the result of list_related_records.
type ListRelatedRecordsOutput struct {
	Noted
	Records  []RelatedRecord `json:"records"`
	Total    int             `json:"total" jsonschema_description:"Records on all pages"`
	NextPage int             `json:"next_page,omitempty" jsonschema_description:"Left out on the last page"`
}

// relatedPage is the size of a page of related records, the service's largest.
const relatedPage = 20

func listRelatedRecords(ctx context.Context, d *Deps, in ListRelatedRecordsInput) (ListRelatedRecordsOutput, error) {
	var out ListRelatedRecordsOutput
	bySite := in.SiteID != "" || in.SiteName != ""
	if bySite == (in.Routine != "") {
		return out, Refuse("Whose records? Give routine, or a site (site_id or site_name), not both.")
	}
	page := cmp.Or(in.Page, 1)
	if bySite {
		return in.ofSite(ctx, d, page)
	}
	answer, err := related(ctx, d, &out.Noted, in.Routine, in.Search, page)
	if err != nil {
		return out, err
	}
	for _, r := range answer.RelatedRecords {
		out.Records = append(out.Records, RelatedRecord{ID: r.RecordID, Name: r.RecordName, SiteID: r.SiteID, SiteName: r.SiteName})
	}
	out.Total, out.NextPage = answer.TotalCount, nextPage(page, relatedPage, answer.TotalCount)
	return out, nil
}

func (in ListRelatedRecordsInput) ofSite(ctx context.Context, d *Deps, page int) (ListRelatedRecordsOutput, error) {
	var out ListRelatedRecordsOutput
	site, err := in.resolve(ctx, d)
	if err != nil {
		return out, err
	}
	params := esa.Params{"SiteId": site.number(), "PageNumber": page, "PageSize": relatedPage}
	if in.Search != "" {
		params["RecordName"], params["RecordMatchType"] = siteName(in.Search), "fuzzy"
	}
	answer, err := invoke[struct {
		Records []struct {
			RecordName, RecordCname, SiteName string
			SiteID                            ID
		}
		TotalCount int
	}](ctx, d, &out.Noted, "ListEdgeRoutineRecords", params)
	if err != nil {
		return out, err
	}
	for _, r := range answer.Records {
		out.Records = append(out.Records, RelatedRecord{Name: r.RecordName, SiteID: r.SiteID, SiteName: r.SiteName, Cname: r.RecordCname})
	}
	out.Total, out.NextPage = answer.TotalCount, nextPage(page, relatedPage, answer.TotalCount)
	return out, nil
}

// related reads a page of a routine's related records.
func related(ctx context.Context, d *Deps, notes *Noted, routine, search string, page int) (relatedAnswer, error) {
	params := esa.Params{"Name": routine, "PageNumber": page, "PageSize": relatedPage}
	if search != "" {
		params["SearchKeyWord"] = search
	}
	answer, err := invoke[relatedAnswer](ctx, d, notes, "ListRoutineRelatedRecords", params)
	if esa.CodeOf(err) == "RoutineNotExist" {
		return answer, noRoutine(routine)
	}
	return answer, err
}

// relatedNamed finds the routine's related record of exactly that name; nil if
// there is none.
func relatedNamed(ctx context.Context, d *Deps, notes *Noted, routine, name string) (*RelatedRecord, error) {
	for page := 1; page > 0; {
		answer, err := related(ctx, d, notes, routine, name, page)
		if err != nil {
			return nil, err
		}
		for _, r := range answer.RelatedRecords {
			if siteName(r.RecordName) == name {
				return &RelatedRecord{ID: r.RecordID, Name: r.RecordName, SiteID: r.SiteID, SiteName: r.SiteName}, nil
			}
		}
		page = nextPage(page, relatedPage, answer.TotalCount)
	}
	return nil, nil
}

// RelatedRecordInput are the arguments of create_related_record and
// delete_related_record.
type RelatedRecordInput struct {
	Routine string `json:"routine" jsonschema:"minLength=1" jsonschema_description:"Routine name"`
	Record  string `json:"record" jsonschema:"minLength=1" jsonschema_description:"Full host name"`
}

// RelatedRecordOutput is the result of create_related_record and
// delete_related_record.
type RelatedRecordOutput struct {
	Noted
	Status string `json:"status" jsonschema:"enum=created,enum=unchanged,enum=deleted"`
	RelatedRecord
}

func createRelatedRecord(ctx context.Context, d *Deps, in RelatedRecordInput) (RelatedRecordOutput, error) {
	var out RelatedRecordOutput
	name := siteName(in.Record)
	old, err := relatedNamed(ctx, d, &out.Noted, in.Routine, name)
	if err != nil {
		return out, err
	}
	if old != nil {
		out.Status, out.RelatedRecord = "unchanged", *old
		return out, nil
	}
	site, err := siteOfHost(ctx, d, name)
	if err != nil {
		return out, err
	}
	answer, err := invoke[struct{ RecordID ID }](ctx, d, &out.Noted, "CreateRoutineRelatedRecord", esa.Params{
		"Name": in.Routine, "SiteId": site.ID.number(), "RecordName": name,
	})
	if err != nil {
		return out, fmt.Errorf("create the related record %s: %w", name, err)
	}
	out.Status = "created"
	out.RelatedRecord = RelatedRecord{ID: answer.RecordID, Name: name, SiteID: site.ID, SiteName: site.Name}
	return out, nil
}

func deleteRelatedRecord(ctx context.Context, d *Deps, in RelatedRecordInput) (RelatedRecordOutput, error) {
	var out RelatedRecordOutput
	name := siteName(in.Record)
	old, err := relatedNamed(ctx, d, &out.Noted, in.Routine, name)
	if err != nil {
		return out, err
	}
	if old == nil {
		return out, Refuse("%s is no related record of %s. list_related_records shows them.", name, in.Routine)
	}
	_, err = invoke[struct{}](ctx, d, &out.Noted, "DeleteRoutineRelatedRecord", esa.Params{
		"Name": in.Routine, "SiteId": old.SiteID.number(), "RecordName": old.Name, "RecordId": old.ID.number(),
	})
	if err != nil {
		return out, fmt.Errorf("delete the related record %s: %w", name, err)
	}
	out.Status, out.RelatedRecord = "deleted", *old
	return out, nil
}
