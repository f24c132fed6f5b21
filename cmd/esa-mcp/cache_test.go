package main

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/esa-mcp/esa-mcp/internal/esa"
	"github.com/esa-mcp/esa-mcp/internal/local"
	"github.com/esa-mcp/esa-mcp/tools"
)

func TestCacheRules(t *testing.T) {
	t.Parallel()
	s, _ := withSite(t, "cache", "shop.test", "NS")
	made := callOK[tools.SetRuleOutput](t, s, "set_cache_rule", arguments{"site_name": "shop.test", "name": "images",
		"rule": `(http.request.uri.path.extension in {"png" "jpg"})`, "edge_cache_ttl": 3600,
		"settings": arguments{"query_string_mode": "include_query_string", "query_string": "v w", "serve_stale": true}})
	require.True(t, made.Created)
	require.NotEmpty(t, made.Rule.ID)
	require.Len(t, made.Notes, 1)
	require.Equal(t, "cache-ttl", made.Notes[0].ID)

	settings := map[string]string{"edge_cache_mode": "override_origin", "edge_cache_ttl": "3600",
		"query_string_mode": "include_query_string", "query_string": "v w", "serve_stale": "on"}
	shown := callOK[tools.ListSettingsOutput](t, s, "list_cache_rules", arguments{"site_name": "shop.test", "rule_id": made.Rule.ID})
	require.Equal(t, settings, shown.Rules[0].Settings)
	require.Equal(t, "images", shown.Rules[0].Name)

	changed := callOK[tools.SetRuleOutput](t, s, "set_cache_rule", arguments{"site_name": "shop.test", "rule_id": made.Rule.ID,
		"edge_cache_mode": "no_cache", "browser_cache_ttl": 60, "enabled": false})
	require.False(t, changed.Created)
	shown = callOK[tools.ListSettingsOutput](t, s, "list_cache_rules", arguments{"site_name": "shop.test"})
	require.Len(t, shown.Rules, 1)
	rule := shown.Rules[0]
	require.Equal(t, made.Rule.Rule, rule.Rule, "what is not given stays")
	require.False(t, rule.Enabled)
	require.Equal(t, "no_cache", rule.Settings["edge_cache_mode"])
	require.Equal(t, "override_origin", rule.Settings["browser_cache_mode"])
	require.Equal(t, "v w", rule.Settings["query_string"])

	global := callOK[tools.SetRuleOutput](t, s, "set_cache_rule", arguments{"site_name": "shop.test", "scope": "global", "edge_cache_mode": "follow_origin"})
	again := callOK[tools.SetRuleOutput](t, s, "set_cache_rule", arguments{"site_name": "shop.test", "scope": "global", "edge_cache_ttl": 5})
	require.True(t, global.Created)
	require.False(t, again.Created, "a site has one default")
	require.Equal(t, global.Rule.ID, again.Rule.ID)
	require.Equal(t, "global", again.Rule.Scope)

	gone := callOK[tools.DeleteRuleOutput](t, s, "delete_cache_rule", arguments{"site_name": "shop.test", "rule_id": rule.ID})
	require.True(t, gone.Deleted)
	require.Contains(t, s.refuse(t, "list_cache_rules", arguments{"site_name": "shop.test", "rule_id": rule.ID}), "NotFound")
	require.Contains(t, s.refuse(t, "delete_cache_rule", arguments{"site_name": "shop.test", "rule_id": rule.ID}), "NotFound")
}

func TestCacheRuleRefusals(t *testing.T) {
	t.Parallel()
	s, _ := withSite(t, "cache", "shop.test", "NS")
	for name, c := range map[string]struct {
		args arguments
		want string
	}{
		"no condition":        {arguments{"edge_cache_ttl": 5}, "scope global"},
		"nothing set":         {arguments{"rule": "true"}, "Nothing is set"},
		"no TTL":              {arguments{"rule": "true", "edge_cache_mode": "override_origin"}, "needs edge_cache_ttl"},
		"TTL without effect":  {arguments{"rule": "true", "edge_cache_mode": "no_cache", "edge_cache_ttl": 5}, "has no effect"},
		"list without a mode": {arguments{"rule": "true", "settings": arguments{"query_string": "a"}}, "query_string_mode"},
		"mode without a list": {arguments{"rule": "true", "settings": arguments{"query_string_mode": "include_query_string"}}, "needs query_string"},
		"unknown setting":     {arguments{"rule": "true", "settings": arguments{"serv_stale": "on"}}, `did you mean "serve_stale"`},
		"unknown word":        {arguments{"rule": "true", "settings": arguments{"bypass_cache": "yes"}}, "use cache_all, bypass_all"},
		"no setting":          {arguments{"rule": "true", "settings": arguments{"rule_name": "a"}}, "beside settings"},
		"given twice":         {arguments{"rule": "true", "edge_cache_ttl": 5, "settings": arguments{"edge_cache_ttl": "6"}}, "given twice"},
		"a default's rule":    {arguments{"scope": "global", "rule": "true", "edge_cache_ttl": 5}, "leave them out"},
		"syntax":              {arguments{"rule": "(http.host eq", "edge_cache_ttl": 5}, "rule-syntax"},
		"nothing to change":   {arguments{"rule_id": "123"}, "Nothing to change"},
		"unknown rule":        {arguments{"rule_id": "123", "edge_cache_ttl": 5}, "NotFound"},
	} {
		t.Run(name, func(t *testing.T) {
			c.args["site_name"] = "shop.test"
			require.Contains(t, s.refuse(t, "set_cache_rule", c.args), c.want)
		})
	}
	require.Empty(t, callOK[tools.ListSettingsOutput](t, s, "list_cache_rules", arguments{"site_name": "shop.test"}).Rules)
}

func TestCacheSettings(t *testing.T) {
	t.Parallel()
	s, _ := withSite(t, "cache", "shop.test", "NS")
	callOK[tools.SetCacheSettingsOutput](t, s, "set_cache_settings", arguments{"site_name": "shop.test", "tiered_cache": "edge_smart", "tag_name": "Cache-Tag"})
	callOK[tools.SetCacheSettingsOutput](t, s, "set_cache_settings", arguments{"site_name": "shop.test", "tag_case_insensitive": true})
	got := callOK[tools.GetCacheSettingsOutput](t, s, "get_cache_settings", arguments{"site_name": "shop.test"})
	require.Equal(t, "edge_smart", got.TieredCache)
	require.Equal(t, "Cache-Tag", got.TagName, "what is not given stays")
	require.True(t, *got.TagCaseInsensitive)
	require.Len(t, got.Quotas, 6)
	require.Positive(t, got.Quotas[0].Limit)
	require.Contains(t, s.refuse(t, "set_cache_settings", arguments{"site_name": "shop.test"}), "Nothing to set")
	require.Contains(t, s.refuse(t, "set_cache_settings", arguments{"site_name": "shop.test", "tiered_cache": "all"}), "tiered_cache")
	require.Contains(t, s.refuse(t, "get_cache_settings", arguments{"site_id": "1"}), "SiteNotFound")
}

func TestPurgeCache(t *testing.T) {
	t.Parallel()
	s, _ := withSite(t, "cache", "shop.test", "NS")
	purged := callOK[tools.PurgeCacheOutput](t, s, "purge_cache", arguments{"targets": []string{"https://www.shop.test/a.js", "https://www.shop.test/b.js"}})
	require.NotEmpty(t, purged.SiteID, "found by the host")
	require.Equal(t, 2, purged.Submitted)
	require.NotNil(t, purged.QuotaLeft)
	listed := callOK[tools.ListCacheTasksOutput](t, s, "list_cache_tasks", arguments{"task_id": purged.TaskID})
	require.Equal(t, 2, listed.Total)
	require.ElementsMatch(t, []string{"https://www.shop.test/a.js", "https://www.shop.test/b.js"}, []string{listed.Tasks[0].Target, listed.Tasks[1].Target})

	for kind, targets := range map[string][]string{"directory": {"https://www.shop.test/img"}, "hostname": {"www.shop.test"},
		"cachetag": {"news"}, "ignoreParams": {"https://www.shop.test/a.js"}} {
		out := callOK[tools.PurgeCacheOutput](t, s, "purge_cache", arguments{"site_name": "shop.test", "type": kind, "targets": targets})
		require.Equal(t, 1, callOK[tools.ListCacheTasksOutput](t, s, "list_cache_tasks", arguments{"task_id": out.TaskID}).Total, kind)
	}
	require.Contains(t, s.preview(t, "purge_cache", arguments{"site_name": "shop.test", "type": "purgeall"}).Lost, "everything cached of shop.test")
	all := callOK[tools.PurgeCacheOutput](t, s, "purge_cache", arguments{"site_name": "shop.test", "type": "purgeall"})
	require.NotEmpty(t, all.TaskID)
	require.Equal(t, 2, callOK[tools.ListCacheTasksOutput](t, s, "list_cache_tasks", arguments{"site_name": "shop.test"}).Total, "files")
	require.Equal(t, all.TaskID, callOK[tools.ListCacheTasksOutput](t, s, "list_cache_tasks", arguments{"site_name": "shop.test", "type": "purgeall"}).Tasks[0].TaskID)
	require.Contains(t, s.refuse(t, "list_cache_tasks", arguments{"type": "directry"}), `did you mean "directory"`)
	directories := make([]string, 500)
	for i := range directories {
		directories[i] = fmt.Sprintf("https://www.shop.test/%d/", i)
	}
	require.Contains(t, s.refuse(t, "purge_cache", arguments{"type": "directory", "targets": directories}), "QuotaExceeded.Refresh", "one is used already")

	for name, c := range map[string]struct {
		args arguments
		want string
	}{
		"nothing":            {arguments{"site_name": "shop.test"}, "targets is empty"},
		"no URL":             {arguments{"site_name": "shop.test", "targets": []string{"/a.js"}}, "no complete URL"},
		"URL for a host":     {arguments{"site_name": "shop.test", "type": "hostname", "targets": []string{"https://www.shop.test/"}}, "no host name"},
		"bad tag":            {arguments{"site_name": "shop.test", "type": "cachetag", "targets": []string{"a b"}}, "no cache tag"},
		"tag without a site": {arguments{"type": "cachetag", "targets": []string{"a"}}, "Which site"},
		"another's host":     {arguments{"targets": []string{"https://www.other.test/"}}, "No site of the account"},
		"another's URL":      {arguments{"site_name": "shop.test", "targets": []string{"https://www.other.test/"}}, "InvalidParameter.Content"},
		"all with targets":   {arguments{"site_name": "shop.test", "type": "purgeall", "targets": []string{"a"}}, "takes no targets"},
	} {
		t.Run(name, func(t *testing.T) { require.Contains(t, s.refuse(t, "purge_cache", c.args), c.want) })
	}
	require.Contains(t, s.refuse(t, "list_cache_tasks", arguments{"task_id": "77"}), "no purge task 77")
}

func TestPreloadCache(t *testing.T) {
	t.Parallel()
	clock := &drillClock{now: time.Now()} // held: the task is looked at before it ends
	s, c := withSiteOver(t, local.Options{Now: clock.Now}, "cache", "shop.test", "NS")
	site := callOK[tools.GetCacheSettingsOutput](t, s, "get_cache_settings", arguments{"site_name": "shop.test"}).SiteID
	_, err := c.Call(t.Context(), "CreateRecord", esa.Params{"SiteId": string(site), "RecordName": "www.shop.test", "Type": "A/AAAA",
		"Ttl": 1, "Proxied": true, "BizName": "web", "Data": esa.Params{"Value": "8.8.8.8"}})
	require.NoError(t, err)
	out := callOK[tools.PreloadCacheOutput](t, s, "preload_cache", arguments{"urls": []string{"https://www.shop.test/a.js"}, "headers": arguments{"Accept-Encoding": "br"}})
	require.Equal(t, site, out.SiteID)
	listed := callOK[tools.ListCacheTasksOutput](t, s, "list_cache_tasks", arguments{"kind": "preload", "task_id": out.TaskID})
	require.Equal(t, map[string]int{"Refreshing": 1}, listed.Statuses)
	require.Contains(t, s.refuse(t, "preload_cache", arguments{"urls": []string{"www.shop.test/a.js"}}), "no complete URL")
	require.Contains(t, s.refuse(t, "preload_cache", arguments{"urls": []string{}}), "urls")
}
