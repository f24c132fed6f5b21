package tools

import (
	"cmp"
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/esa-mcp/esa-mcp/internal/esa"
	"github.com/esa-mcp/esa-mcp/internal/guard"
)

// How much of a report a result shows. The whole is in the file.
const (
	reportRowsShown  = 200
	reportRowsSaved  = 20 // when there is a file
	reportBytesShown = 60_000
	reportCellShown  = 300 // characters
)

// CreateReportInput are the arguments of create_report.
type CreateReportInput struct {
	Kind string `json:"kind" jsonschema:"enum=sites,enum=plans,enum=status,enum=records,enum=analytics" jsonschema_description:"status: what sites wait for; plans: sites by plan"`
	SiteRef
	Period
	Format string `json:"format,omitempty" jsonschema:"enum=markdown,enum=csv,enum=json" jsonschema_description:"Of the file; default as path ends"`
	Save   bool   `json:"save,omitempty" jsonschema_description:"To output/aliyun-esa-manage/"`
	Path   string `json:"path,omitempty" jsonschema_description:"New file, or folder/"`
}

// Figure is one number of a report's summary.
type Figure struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// CreateReportOutput is the result of create_report.
type CreateReportOutput struct {
	Noted
	Kind    string     `json:"kind"`
	Site    ID         `json:"site_id,omitempty"`
	Created string     `json:"created"`
	Summary []Figure   `json:"summary"`
	Columns []string   `json:"columns"`
	Rows    [][]string `json:"rows" jsonschema_description:"The first ones; a file has all"`
	Total   int        `json:"total" jsonschema_description:"Rows of the whole report"`
	SavedTo string     `json:"saved_to,omitempty"`
}

func reportTools() []Tool {
	return []Tool{
		Define(Meta{
			Name:        "create_report",
			Title:       "Report on sites, plans, records or traffic",
			Toolset:     "reports",
			Description: "Report on the whole account or one site, as a result and a file.",
			Calls: []string{"DescribeSiteTimeSeriesData", "DescribeSiteTopData", "ListRecords", "ListSites",
				"ListUserRatePlanInstances"},
			// It writes a file when asked to, and never over another.
			ReadOnly: No, Destructive: No, Idempotent: No, OpenWorld: Yes,
		}, createReport),
	}
}

// report is a report in the making.
type report struct {
	CreateReportOutput
	period span
}

func (r *report) figure(name string, value any) {
	r.Summary = append(r.Summary, Figure{name, fmt.Sprint(value)})
}

// row adds a row. A file has its texts whole, so they are not shortened here.
func (r *report) row(cells ...string) {
	for i, c := range cells {
		cells[i] = strings.NewReplacer("\n", " ", "\t", " ").Replace(visible(c))
	}
	r.Rows = append(r.Rows, cells)
}

func createReport(ctx context.Context, d *Deps, in CreateReportInput) (CreateReportOutput, error) {
	r := &report{CreateReportOutput: CreateReportOutput{Kind: in.Kind, Created: d.Now().UTC().Format(guard.StatsStamp)}}
	target, err := in.target(d.Now())
	if err != nil {
		return r.CreateReportOutput, err
	}
	if r.period, err = in.read(d.Now(), &r.Noted); err != nil {
		return r.CreateReportOutput, err
	}
	if r.Site, err = in.siteOrAccount(ctx, d); err != nil {
		return r.CreateReportOutput, err
	}
	collect := map[string]func(context.Context, *Deps) error{
		"sites": r.sites, "plans": r.plans, "status": r.status, "records": r.records, "analytics": r.analytics,
	}[in.Kind]
	if err := collect(ctx, d); err != nil {
		return r.CreateReportOutput, err
	}
	r.Total = len(r.Rows)
	if target.path != "" {
		if err := target.write(r); err != nil {
			return r.CreateReportOutput, err
		}
		r.SavedTo = target.path
	}
	r.cut()
	return r.CreateReportOutput, nil
}

// cut shortens what the result shows: long texts, and the list of rows.
func (r *report) cut() {
	for _, row := range r.Rows {
		for i, cell := range row {
			row[i] = clipLabel(cell, reportCellShown)
		}
	}
	most := reportRowsShown
	if r.SavedTo != "" {
		most = reportRowsSaved
	}
	bytes := 0
	for i, row := range r.Rows {
		for _, cell := range row {
			bytes += len(cell) + 3
		}
		if i == most || bytes > reportBytesShown {
			r.Rows = r.Rows[:i]
			if r.SavedTo == "" {
				r.Note(esa.Note{ID: "report-cut", Text: fmt.Sprintf("%d of %d rows are shown: save the report to have all.", i, r.Total)})
			}
			return
		}
	}
}

// allSites reads every page of the account's sites; of one site, if the report
// is about one.
func (r *report) allSites(ctx context.Context, d *Deps) ([]Site, error) {
	var sites []Site
	for page := 1; ; page++ {
		answer, err := invoke[listSitesAnswer](ctx, d, &r.Noted, "ListSites", esa.Params{"PageNumber": page, "PageSize": 500})
		if err != nil {
			return nil, fmt.Errorf("read the sites: %w", err)
		}
		for _, w := range answer.Sites {
			if r.Site == "" || r.Site == w.SiteID {
				sites = append(sites, w.site())
			}
		}
		if len(answer.Sites) == 0 || nextPage(page, 500, answer.TotalCount) == 0 {
			break
		}
	}
	if r.Site != "" && len(sites) == 0 {
		return nil, Refuse("There is no site with the id %s: list_sites shows all.", r.Site)
	}
	return sites, nil
}

// sites is the inventory.
func (r *report) sites(ctx context.Context, d *Deps) error {
	sites, err := r.allSites(ctx, d)
	if err != nil {
		return err
	}
	r.Columns = []string{"name", "id", "status", "access_type", "coverage", "plan", "plan_instance", "created"}
	var status, access, coverage tally
	for _, s := range sites {
		r.row(s.Name, string(s.ID), s.Status, s.AccessType, s.Coverage, s.Plan, s.PlanInstance, s.Created)
		status.add(s.Status)
		access.add(s.AccessType)
		coverage.add(s.Coverage)
	}
	r.figure("sites", len(sites))
	status.tell(r, "status ")
	access.tell(r, "access ")
	coverage.tell(r, "coverage ")
	return nil
}

// status lists the sites that something is wrong with first, and what to do.
func (r *report) status(ctx context.Context, d *Deps) error {
	sites, err := r.allSites(ctx, d)
	if err != nil {
		return err
	}
	r.Columns = []string{"name", "id", "status", "next_step"}
	var count tally
	for _, healthy := range []bool{false, true} {
		for _, s := range sites {
			if (s.Status == "active") != healthy {
				continue
			}
			step := ""
			if steps := s.nextSteps(); len(steps) > 0 {
				step = steps[0]
			}
			r.row(s.Name, string(s.ID), s.Status, step)
			count.add(s.Status)
		}
	}
	r.figure("sites", len(sites))
	count.tell(r, "status ")
	return nil
}

// plans puts the sites under the plan instances that they live on.
func (r *report) plans(ctx context.Context, d *Deps) error {
	sites, err := r.allSites(ctx, d)
	if err != nil {
		return err
	}
	names := map[string][]string{}
	plans := map[string]string{}
	var order []string
	for _, s := range sites {
		if _, seen := names[s.PlanInstance]; !seen {
			order = append(order, s.PlanInstance)
		}
		names[s.PlanInstance] = append(names[s.PlanInstance], s.Name)
		plans[s.PlanInstance] = s.Plan
	}
	r.Columns = []string{"plan", "plan_instance", "status", "expires", "sites", "site_quota", "site_names"}
	var byPlan tally
	full := 0
	row := func(plan, instance, status, expires, quota string) {
		here := names[instance]
		for range here {
			byPlan.add(plan)
		}
		r.row(plan, instance, status, expires, strconv.Itoa(len(here)), quota, strings.Join(here, " "))
		delete(names, instance)
	}
	instances := 0
	for page := 1; ; page++ {
		answer, err := invoke[reportPlans](ctx, d, &r.Noted, "ListUserRatePlanInstances", esa.Params{"PageNumber": page, "PageSize": 500})
		if err != nil {
			return fmt.Errorf("read the plan instances: %w", err)
		}
		for _, p := range answer.InstanceInfo {
			if r.Site != "" && names[p.InstanceID] == nil {
				continue
			}
			if quota, err := strconv.Atoi(p.SiteQuota); err == nil && r.Site == "" && len(names[p.InstanceID]) >= quota {
				full++
			}
			row(cmp.Or(p.SubscribeType, p.PlanName), p.InstanceID, p.Status, p.ExpireTime, p.SiteQuota)
			instances++
		}
		if len(answer.InstanceInfo) == 0 || nextPage(page, 500, answer.TotalCount) == 0 {
			break
		}
	}
	for _, instance := range order {
		if names[instance] != nil { // an instance that is not listed any more
			row(plans[instance], instance, "", "", "")
		}
	}
	r.figure("sites", len(sites))
	r.figure("plan instances", instances)
	r.figure("plan instances without room", full)
	byPlan.tell(r, "sites on ")
	return nil
}

// reportPlans is what the report reads of plan instances.
type reportPlans struct {
	TotalCount   int
	InstanceInfo []struct {
		InstanceID string `json:"InstanceId"`
		PlanName, SubscribeType, Status,
		ExpireTime, SiteQuota string
	}
}

// records lists the DNS records of one site, or of all.
func (r *report) records(ctx context.Context, d *Deps) error {
	sites, err := r.allSites(ctx, d)
	if err != nil {
		return err
	}
	r.Columns = []string{"site", "name", "type", "value", "ttl", "proxied", "biz_name", "source_type", "comment"}
	var types tally
	proxied := 0
	for i, s := range sites {
		Progress(ctx, float64(i), float64(len(sites)), "reading the records of "+s.Name)
		for page := 1; ; page++ {
			answer, err := invoke[reportRecords](ctx, d, &r.Noted, "ListRecords", esa.Params{"SiteId": s.ID.number(), "PageNumber": page, "PageSize": 500})
			if err != nil {
				return fmt.Errorf("read the records of %s: %w", s.Name, err)
			}
			for _, w := range answer.Records {
				value := w.Data.Value
				if w.Data.Priority != nil {
					value = strconv.FormatInt(*w.Data.Priority, 10) + " " + value
				}
				r.row(s.Name, w.RecordName, w.RecordType, value, strconv.FormatInt(w.TTL, 10), strconv.FormatBool(w.Proxied),
					w.BizName, w.RecordSourceType, w.Comment)
				types.add(w.RecordType)
				if w.Proxied {
					proxied++
				}
			}
			if len(answer.Records) == 0 || nextPage(page, 500, answer.TotalCount) == 0 {
				break
			}
		}
	}
	r.figure("sites", len(sites))
	r.figure("records", len(r.Rows))
	r.figure("proxied", proxied)
	types.tell(r, "type ")
	return nil
}

// reportRecords is what the report reads of records; no keys of origins.
type reportRecords struct {
	TotalCount int
	Records    []struct {
		RecordName, RecordType, RecordSourceType, BizName, Comment string
		Data                                                       struct {
			Value    string
			Priority *int64
		}
		TTL     int64 `json:"Ttl"`
		Proxied bool
	}
}

// reportStamp names files by time.
func reportStamp(now time.Time) string { return now.UTC().Format("20060102T150405Z") }
