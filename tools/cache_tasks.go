package tools

import (
	"cmp"
	"context"
	"encoding/json"
	"slices"
	"strings"

	"github.com/esa-mcp/esa-mcp/internal/esa"
)

// ListCacheTasksInput are the arguments of list_cache_tasks.
type ListCacheTasksInput struct {
	SiteRef
	Kind   string `json:"kind,omitempty" jsonschema:"enum=purge,enum=preload,default=purge" jsonschema_description:"Which tasks"`
	TaskID ID     `json:"task_id,omitempty" jsonschema_description:"Only this task, of any type"`
	Type   string `json:"type,omitempty" jsonschema_description:"Of a purge, as in purge_cache; default file"`
	Status string `json:"status,omitempty" jsonschema:"enum=Complete,enum=Refreshing,enum=Failed" jsonschema_description:"Only in this state"`
	Page   int    `json:"page,omitempty" jsonschema:"minimum=1" jsonschema_description:"Page of 50"`
}

// CacheTask is one target of a purge or preload.
type CacheTask struct {
	TaskID   ID     `json:"task_id"`
	Target   string `json:"target"`
	Type     string `json:"type,omitempty"`
	Status   string `json:"status"`
	Progress string `json:"progress,omitempty"`
	Reason   string `json:"reason,omitempty" jsonschema_description:"Why it failed"`
	Created  string `json:"created,omitempty"`
}

// ListCacheTasksOutput is the result of list_cache_tasks.
type ListCacheTasksOutput struct {
	Noted
	Tasks    []CacheTask    `json:"tasks" jsonschema_description:"Newest first, one for each target"`
	Statuses map[string]int `json:"statuses" jsonschema_description:"How many of these are in which state"`
	Total    int            `json:"total" jsonschema_description:"On all pages"`
	NextPage int            `json:"next_page,omitempty"`
}

type cacheTasksAnswer struct {
	Tasks []struct {
		TaskID                                                  ID `json:"TaskId"`
		Content, CreateTime, Description, Process, Status, Type string
	}
	TotalCount int
}

const (
	cacheTaskPage  = 50 // the most that the service lists at once
	cacheTaskPages = 40 // that are searched for a task
)

func cacheTaskTools() []Tool {
	return []Tool{Define(Meta{
		Name: "list_cache_tasks", Title: "List purges and preloads", Toolset: "cache",
		Description: "Show how far purges or preloads are, of a site or of all.",
		Calls:       []string{"ListSites", "DescribePurgeTasks", "DescribePreloadTasks"},
		ReadOnly:    Yes, Destructive: No, Idempotent: Yes, OpenWorld: Yes,
	}, listCacheTasks)}
}

// purgeTypes are the types of a purge that the service lists and counts.
func purgeTypes() []string {
	return []string{"file", "directory", "ignoreParams", "cachetag", "hostname", purgeAll}
}

func listCacheTasks(ctx context.Context, d *Deps, in ListCacheTasksInput) (ListCacheTasksOutput, error) {
	out := ListCacheTasksOutput{Statuses: map[string]int{}}
	params, err := in.params(ctx, d)
	if err != nil {
		return out, err
	}
	if in.TaskID == "" {
		page := cmp.Or(in.Page, 1)
		answer, err := in.read(ctx, d, &out, params, page)
		out.Total, out.NextPage = answer.TotalCount, nextPage(page, cacheTaskPage, answer.TotalCount)
		return out, err
	}
	// The service has no filter by task, and lists one type at a time.
	types := []string{cmp.Or(in.Type, "file")}
	if in.Type == "" && in.Kind != "preload" {
		types = purgeTypes()
	}
	for _, kind := range types {
		if in.Kind != "preload" {
			params["Type"] = kind
		}
		if err := in.search(ctx, d, &out, params); err != nil {
			return out, err
		}
		if len(out.Tasks) > 0 {
			return out, nil
		}
	}
	return out, Refuse("There is no %s task %s among the newest: list without task_id to see what there is.", cmp.Or(in.Kind, "purge"), in.TaskID)
}

// search finds the targets of one task, which follow one another.
func (in ListCacheTasksInput) search(ctx context.Context, d *Deps, out *ListCacheTasksOutput, params esa.Params) error {
	for page, n := cmp.Or(in.Page, 1), 0; page > 0 && n < cacheTaskPages; n++ {
		before := len(out.Tasks)
		answer, err := in.read(ctx, d, out, params, page)
		if err != nil {
			return err
		}
		if before > 0 && len(out.Tasks) == before {
			break
		}
		page = nextPage(page, cacheTaskPage, answer.TotalCount)
	}
	if out.Total = len(out.Tasks); out.Total > 2*cacheTaskPage {
		out.Tasks = out.Tasks[:2*cacheTaskPage]
		out.Note(esa.Note{ID: "cache-tasks", Text: "only the newest targets of the task are shown; statuses and total count all"})
	}
	return nil
}

// read adds the tasks of one page, or those of the one task.
func (in ListCacheTasksInput) read(ctx context.Context, d *Deps, out *ListCacheTasksOutput, params esa.Params, page int) (cacheTasksAnswer, error) {
	action := "DescribePurgeTasks"
	if in.Kind == "preload" {
		action = "DescribePreloadTasks"
	}
	params["PageNumber"] = page
	answer, err := invoke[cacheTasksAnswer](ctx, d, &out.Noted, action, params)
	for _, t := range answer.Tasks {
		if in.TaskID != "" && t.TaskID != in.TaskID {
			continue
		}
		out.Statuses[t.Status]++
		out.Tasks = append(out.Tasks, CacheTask{
			TaskID: t.TaskID, Target: t.Content, Type: t.Type, Status: t.Status,
			Progress: t.Process, Reason: t.Description, Created: t.CreateTime,
		})
	}
	return answer, err
}

func (in ListCacheTasksInput) params(ctx context.Context, d *Deps) (esa.Params, error) {
	params := esa.Params{"PageSize": cacheTaskPage}
	if in.SiteID != "" || in.SiteName != "" {
		site, err := in.resolve(ctx, d)
		if err != nil {
			return nil, err
		}
		params["SiteId"] = site.number()
	}
	if in.Status != "" {
		params["Status"] = in.Status
	}
	switch {
	case in.Type == "":
	case in.Kind == "preload":
		return nil, Refuse("type is of purges: leave it out with kind preload.")
	case !slices.Contains(purgeTypes(), in.Type):
		return nil, Refuse("type: there is no %q%s There are %s.", in.Type, DidYouMean(in.Type, purgeTypes()), strings.Join(purgeTypes(), ", "))
	default:
		params["Type"] = in.Type
	}
	return params, nil
}

// PurgeQuota is how many targets of a type may be purged.
type PurgeQuota struct {
	Type        string `json:"type"`
	Limit       int64  `json:"limit" jsonschema_description:"A day"`
	Used        int64  `json:"used" jsonschema_description:"Today"`
	Limit30Days int64  `json:"limit_30_days,omitempty"`
	Used30Days  int64  `json:"used_30_days,omitempty"`
}

func purgeQuota(ctx context.Context, d *Deps, notes *Noted, site ID, kind string) (PurgeQuota, error) {
	out := PurgeQuota{Type: kind}
	answer, err := invoke[struct{ Quota, Usage, Quota30Day, Usage30Day json.Number }](ctx, d, notes, "GetPurgeQuota",
		esa.Params{"SiteId": site.number(), "Type": kind})
	if err != nil {
		return out, err
	}
	// They are texts on the wire; one that is no number is none.
	out.Limit, _ = answer.Quota.Int64()
	out.Used, _ = answer.Usage.Int64()
	out.Limit30Days, _ = answer.Quota30Day.Int64()
	out.Used30Days, _ = answer.Usage30Day.Int64()
	return out, nil
}
