package local

import (
	"fmt"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"
)

// desk sends a call about the site's versions that has to be carried out.
func (b *shop) desk(method, path, body string) map[string]any {
	b.t.Helper()
	status, answer := askDesk(b.t.(*testing.T), b.info, method, "/sites/shop.example"+path, body)
	require.Equal(b.t, http.StatusOK, status, answer)
	return answer
}

func TestEdgeServesVersions(t *testing.T) {
	b, _ := cached(t, &counter{headers: cacheFor(60)})
	b.call("ActivateVersionManagement", nil)
	b.rule("HttpsApplicationConfiguration", "", map[string]any{"HttpsForce": "off"})
	b.rule("RedirectRule", path("/moved"), map[string]any{"Type": "static", "TargetUrl": "https://old.example/", "StatusCode": "302", "ReserveQueryString": "off"})
	b.call("UpdateCacheTag", map[string]any{"TagName": "X-Tags"})
	b.call("CreateWafRule", map[string]any{"Phase": "http_custom", "Config": map[string]any{"Name": "no", "Expression": path("/no"), "Action": "deny"}})
	require.Equal(t, map[string]any{"version": 1.0}, b.desk("POST", "/versions", `{"from":0}`))

	where := func(header ...string) string {
		return b.get("http://www.shop.example/moved", header...).header.Get("Location")
	}
	require.Equal(t, "https://old.example/", where())
	listed := b.call("ListRedirectRules", map[string]any{"SiteVersion": 1})["Configs"].([]any)
	require.Len(t, listed, 1, "the clone has what the original has")
	copied := listed[0].(map[string]any)["ConfigId"]
	b.call("UpdateRedirectRule", map[string]any{"ConfigId": copied, "TargetUrl": "https://new.example/"})
	b.call("DeleteWafRule", map[string]any{"SiteVersion": 1, "Id": b.wafRules(1)[0]})
	require.Len(t, b.wafRules(0), 1)

	require.Equal(t, "https://old.example/", where(), "production has version 0")
	got := b.get("http://www.shop.example/moved", "X-Esa-Site-Version", "1")
	require.Equal(t, "https://new.example/", got.header.Get("Location"))
	require.Equal(t, fmt.Sprintf("version 1, https %s, redirect %v", id(b, "HttpsApplicationConfiguration", 1), copied), got.rules())
	require.Empty(t, where("X-Esa-Site-Version", "7"), "nobody cloned it")
	require.Equal(t, 400, b.get("http://www.shop.example/", "X-Esa-Site-Version", "51").status)
	require.Equal(t, []int{403, 200}, []int{b.get("http://www.shop.example/no").status, b.get("http://www.shop.example/no", "X-Esa-Site-Version", "1").status})

	// What another version is asked for is not kept for production.
	require.Equal(t, "MISS", b.get("http://www.shop.example/a.css", "X-Esa-Site-Version", "1").cache())
	require.Equal(t, "MISS", b.get("http://www.shop.example/a.css").cache())
	require.Equal(t, "HIT", b.get("http://www.shop.example/a.css", "X-Esa-Site-Version", "1").cache())

	// An environment with a filter, then production, then back.
	b.desk("PUT", "/environments/staging", `{"version":1,"rule":"http.request.headers[\"x-env\"] eq \"staging\""}`)
	require.Equal(t, "https://new.example/", where("X-Env", "staging"))
	require.Equal(t, "https://old.example/", where("X-Env", "other"))
	b.desk("PUT", "/environments/production", `{"version":1}`)
	require.Equal(t, "https://new.example/", where())
	require.Equal(t, "https://old.example/", where("X-Esa-Site-Version", "0"))
	answer := b.desk("PUT", "/environments/staging", `{"version":0}`)
	require.Equal(t, "https://old.example/", where("X-Env", "staging"))
	require.Equal(t, []any{
		map[string]any{"name": "staging", "rule": `http.request.headers["x-env"] eq "staging"`, "version": 0.0, "previous": 1.0},
		map[string]any{"name": "production", "version": 1.0, "previous": 0.0},
	}, answer["environments"])
	b.desk("POST", "/environments/production/rollback", "")
	require.Equal(t, "https://old.example/", where())
	b.desk("PUT", "/environments/staging", `{"version":1}`)
	b.desk("DELETE", "/environments/staging", "")
	require.Equal(t, "https://old.example/", where("X-Env", "staging"))

	for call, want := range map[string]string{
		"POST /environments/production/rollback":                     "no version was deployed to it before",
		"DELETE /environments/production":                            "production cannot be deleted",
		`PUT /environments/x {"version":1}`:                          "needs a rule",
		`PUT /environments/production {}`:                            "say which version",
		`PUT /environments/production null`:                          "say which version",
		`PUT /environments/production []`:                            "it cannot be a JSON array",
		`PUT /environments/production {"version":1}{}`:               "there is more after the object",
		`PUT /environments/production {"version":1,"rule":"true"}`:   "has no rule",
		`PUT /environments/x {"version":51,"rule":"true"}`:           "between 0 and 50",
		`PUT /environments/x {"version":1,"rule":"ip.src in $list"}`: "take no lists",
		`PUT /environments/x {"versions":1}`:                         "unknown field",
		`POST /versions {"from":9}`:                                  "from is a version that there is",
	} {
		var method, path, body string
		_, err := fmt.Sscan(call, &method, &path)
		require.NoError(t, err)
		if i := len(method) + len(path) + 2; i < len(call) {
			body = call[i:]
		}
		status, answer := askDesk(t, b.info, method, "/sites/shop.example"+path, body)
		require.Equal(t, 400, status, call)
		require.Contains(t, answer["error"], want, call)
	}

	b.desk("PUT", "/environments/production", `{"version":1}`)
	b.call("DeactivateVersionManagement", nil)
	require.Equal(t, "https://old.example/", where("X-Esa-Site-Version", "1"), "without management there is version 0 alone")
	status, answer := askDesk(t, b.info, "GET", "/sites/shop.example/environments", "")
	require.Equal(t, 400, status)
	require.Contains(t, answer["error"], "ActivateVersionManagement")
}

// wafRules are the ids of the custom rules of a version.
func (b *shop) wafRules(version int) []any {
	b.t.Helper()
	var ids []any
	for _, one := range b.call("ListWafRules", map[string]any{"Phase": "http_custom", "SiteVersion": version})["Rules"].([]any) {
		ids = append(ids, one.(map[string]any)["Id"])
	}
	return ids
}

// id is that of the only configuration of a family in a version.
func id(b *shop, family string, version int) string {
	b.t.Helper()
	list := b.call("List"+family+"s", map[string]any{"SiteVersion": version})["Configs"].([]any)
	require.Len(b.t, list, 1)
	return fmt.Sprint(list[0].(map[string]any)["ConfigId"])
}
