package tools

import (
	"context"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/esa-mcp/esa-mcp/internal/esa"
)

// PurgeCacheInput are the arguments of purge_cache.
type PurgeCacheInput struct {
	SiteRef
	Type    string   `json:"type,omitempty" jsonschema:"enum=file,enum=directory,enum=ignoreParams,enum=cachetag,enum=hostname,enum=purgeall,default=file" jsonschema_description:"ignoreParams: files with any query"`
	Targets []string `json:"targets,omitempty" jsonschema_description:"URLs, directory URLs, tags or host names"`
}

// PurgeCacheOutput is the result of purge_cache.
type PurgeCacheOutput struct {
	Noted
	SiteID    ID     `json:"site_id"`
	Type      string `json:"type"`
	TaskID    ID     `json:"task_id,omitempty" jsonschema_description:"For list_cache_tasks"`
	Submitted int    `json:"submitted" jsonschema_description:"Targets on their way"`
	QuotaLeft *int64 `json:"quota_left,omitempty" jsonschema_description:"Purges of the type left today"`
	Next      string `json:"next,omitempty" jsonschema_description:"What to do next"`
}

// PreloadCacheInput are the arguments of preload_cache.
type PreloadCacheInput struct {
	SiteRef
	URLs    []string          `json:"urls" jsonschema:"minItems=1" jsonschema_description:"URLs"`
	Headers map[string]string `json:"headers,omitempty" jsonschema_description:"Request headers"`
}

// PreloadCacheOutput is the result of preload_cache.
type PreloadCacheOutput struct {
	Noted
	SiteID    ID     `json:"site_id"`
	TaskID    ID     `json:"task_id" jsonschema_description:"For list_cache_tasks"`
	Submitted int    `json:"submitted"`
	Next      string `json:"next"`
}

func purgeTools() []Tool {
	return []Tool{
		Define(Meta{
			Name: "purge_cache", Title: "Purge cached content", Toolset: "cache",
			Description: "Drop cached content from the edge, so that it is fetched anew. Prefer files: wider types send all traffic to the origin for a while.",
			Calls:       []string{"ListSites", "GetSite", "GetPurgeQuota", "PurgeCaches"},
			ReadOnly:    No, Destructive: Yes, Idempotent: Yes, OpenWorld: Yes,
		}, purgeCache),
		Define(Meta{
			Name: "preload_cache", Title: "Preload content", Toolset: "cache",
			Description: "Fetch files to the edge before visitors ask for them.",
			Calls:       []string{"ListSites", "PreloadCaches"},
			ReadOnly:    No, Destructive: No, Idempotent: Yes, OpenWorld: Yes,
		}, preloadCache),
	}
}

// purgeAll is the type without targets.
const purgeAll = "purgeall"

func purgeCache(ctx context.Context, d *Deps, in PurgeCacheInput) (PurgeCacheOutput, error) {
	if in.Type == "" {
		in.Type = "file"
	}
	out := PurgeCacheOutput{Type: in.Type, Submitted: len(in.Targets)}
	if err := in.check(&out.Noted); err != nil {
		return out, err
	}
	site, err := siteOfTargets(ctx, d, in.SiteRef, in.Type, in.Targets)
	if err != nil {
		return out, err
	}
	out.SiteID = site
	out.quota(ctx, d)
	params := esa.Params{"SiteId": site.number(), "Type": in.Type, "Content": in.content()}
	answer, err := invoke[struct {
		TaskID ID `json:"TaskId"`
	}](ctx, d, &out.Noted, "PurgeCaches", params)
	if err != nil {
		return out, quotaError(err)
	}
	out.TaskID = answer.TaskID
	if out.QuotaLeft != nil {
		*out.QuotaLeft = max(*out.QuotaLeft-int64(max(out.Submitted, 1)), 0)
	}
	out.Next = fmt.Sprintf("list_cache_tasks with task_id %s and type %s shows when it is done, mostly within minutes", out.TaskID, out.Type)
	return out, nil
}

// quota looks how many purges are left. That is a courtesy: without it the
// service still counts.
func (out *PurgeCacheOutput) quota(ctx context.Context, d *Deps) {
	quota, err := purgeQuota(ctx, d, &out.Noted, out.SiteID, out.Type)
	if err != nil || quota.Limit == 0 {
		return
	}
	left := max(quota.Limit-quota.Used, 0)
	out.QuotaLeft = &left
}

// check refuses targets that are not of the type, and completes directories.
func (in *PurgeCacheInput) check(notes *Noted) error {
	if in.Type == purgeAll {
		if len(in.Targets) > 0 {
			return Refuse("purgeall takes no targets: leave them out, or choose the type that they are of.")
		}
		return nil
	}
	if len(in.Targets) == 0 {
		return Refuse("targets is empty: give what to purge, or type purgeall for everything.")
	}
	in.Targets = slices.Clone(in.Targets)
	for i, target := range in.Targets {
		isURL := hostOfURL(target) != ""
		switch in.Type {
		case "cachetag":
			if target == "" || strings.ContainsAny(target, " ,") {
				return Refuse("targets: %q is no cache tag: a tag has neither blanks nor commas.", target)
			}
			continue
		case "hostname":
			if isURL || strings.Contains(target, "/") {
				return Refuse("targets: %q is no host name: leave out scheme and path, or use type file.", target)
			}
			continue
		}
		if !isURL {
			return Refuse("targets: %q is no complete URL such as https://www.example.com/a.js.", target)
		}
		if in.Type == "directory" && !strings.HasSuffix(target, "/") {
			in.Targets[i] = target + "/"
			notes.Note(esa.Note{ID: "cache-directory", Text: "a directory ends with a slash: " + in.Targets[i]})
		}
	}
	return nil
}

// content is the parameter Content: the list of the type under its own name.
func (in PurgeCacheInput) content() map[string]any {
	switch in.Type {
	case purgeAll:
		return map[string]any{"PurgeAll": true}
	case "directory":
		return map[string]any{"Directories": in.Targets}
	case "ignoreParams":
		return map[string]any{"IgnoreParams": in.Targets}
	case "cachetag":
		return map[string]any{"CacheTags": in.Targets}
	case "hostname":
		return map[string]any{"Hostnames": in.Targets}
	}
	return map[string]any{"Files": in.Targets}
}

func preloadCache(ctx context.Context, d *Deps, in PreloadCacheInput) (PreloadCacheOutput, error) {
	out := PreloadCacheOutput{Submitted: len(in.URLs)}
	for _, address := range in.URLs {
		if hostOfURL(address) == "" {
			return out, Refuse("urls: %q is no complete URL such as https://www.example.com/a.js.", address)
		}
	}
	site, err := siteOfTargets(ctx, d, in.SiteRef, "file", in.URLs)
	if err != nil {
		return out, err
	}
	out.SiteID = site
	params := esa.Params{"SiteId": site.number(), "Content": in.URLs}
	if len(in.Headers) > 0 {
		params["Headers"] = in.Headers
	}
	answer, err := invoke[struct {
		TaskID ID `json:"TaskId"`
	}](ctx, d, &out.Noted, "PreloadCaches", params)
	if err != nil {
		return out, quotaError(err)
	}
	out.TaskID = answer.TaskID
	out.Next = fmt.Sprintf("list_cache_tasks with kind preload and task_id %s shows the outcome", out.TaskID)
	return out, nil
}

// quotaError says of a quota that it comes back by itself.
func quotaError(err error) error {
	if strings.HasPrefix(esa.CodeOf(err), "QuotaExceeded") {
		return Refuse("Today's quota does not allow that, and nothing was submitted. get_cache_settings shows the purge quotas; they start anew every day. (%w)", err)
	}
	return err
}

// hostOfURL is the host name of a complete http or https address, or nothing.
func hostOfURL(address string) string {
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" {
		return ""
	}
	return u.Hostname()
}

// siteOfTargets is the site that was named, or else the one that the first
// target's host belongs to.
func siteOfTargets(ctx context.Context, d *Deps, ref SiteRef, kind string, targets []string) (ID, error) {
	if ref.SiteID != "" || ref.SiteName != "" || len(targets) == 0 || kind == "cachetag" {
		return ref.resolve(ctx, d)
	}
	host := targets[0]
	if kind != "hostname" {
		host = hostOfURL(host)
	}
	site, err := siteOfHost(ctx, d, host)
	return site.ID, err
}
