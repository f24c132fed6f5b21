package tools

import (
	"cmp"
	"context"
	"encoding/json"

	"github.com/esa-mcp/esa-mcp/internal/esa"
)

// ListCacheTasksInput are the arguments of list_cache_tasks.
type ListCacheTasksInput struct {
	SiteRef
	Kind   string `json:"kind,omitempty" jsonschema:"enum=purge,enum=preload,default=purge" jsonschema_description:"Which tasks"`
	TaskID ID     `json:"task_id,omitempty" jsonschema_description:"Only this task"`
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

func listCacheTasks(ctx context.Context, d *Deps, in ListCacheTasksInput) (ListCacheTasksOutput, error) {
	var out ListCacheTasksOutput
	params, err := in.params(ctx, d)
	if err != nil {
		return out, err
	}
	action := "DescribePurgeTasks"
	if in.Kind == "preload" {
		action = "DescribePreloadTasks"
	}
	page := cmp.Or(in.Page, 1)
	out.Statuses = map[string]int{}
	for range cacheTaskPages {
		params["PageNumber"] = page
		answer, err := invoke[cacheTasksAnswer](ctx, d, &out.Noted, action, params)
		if err != nil {
			return out, err
		}
		found := out.add(answer, in.TaskID)
		more := nextPage(page, cacheTaskPage, answer.TotalCount)
		if in.TaskID == "" {
			out.Total, out.NextPage = answer.TotalCount, more
			return out, nil
		}
		// The service has no filter by task. Its targets follow one another.
		if more == 0 || len(out.Tasks) > 0 && !found {
			break
		}
		page = more
	}
	if out.Total = len(out.Tasks); out.Total == 0 {
		return out, Refuse("There is no %s task %s among the newest: list without task_id to see what there is.", cmp.Or(in.Kind, "purge"), in.TaskID)
	}
	if len(out.Tasks) > 2*cacheTaskPage {
		out.Tasks = out.Tasks[:2*cacheTaskPage]
		out.Note(esa.Note{ID: "cache-tasks", Text: "only the newest targets of the task are shown; statuses and total count all"})
	}
	return out, nil
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
	return params, nil
}

// add takes the tasks of an answer, or those of the one task, and reports
// whether there were some.
func (out *ListCacheTasksOutput) add(answer cacheTasksAnswer, only ID) bool {
	found := false
	for _, t := range answer.Tasks {
		if only != "" && t.TaskID != only {
			continue
		}
		found = true
		out.Statuses[t.Status]++
		out.Tasks = append(out.Tasks, CacheTask{
			TaskID: t.TaskID, Target: t.Content, Type: t.Type, Status: t.Status,
			Progress: t.Process, Reason: t.Description, Created: t.CreateTime,
		})
	}
	return found
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
