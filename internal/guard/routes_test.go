package guard_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/esa-mcp/esa-mcp/internal/esa"
	"github.com/esa-mcp/esa-mcp/internal/guard"
)

// nsFn has a routine fn on an account with a site with NS access.
func nsFn(w *world) { ns(w); fn(w) }

// routeOf are the parameters of a route of fn.
func (w *world) routeOf(rule string) params {
	return w.on(params{"RoutineName": "fn", "RouteName": "r", "RouteEnable": "on", "Rule": rule})
}

func (w *world) related(name string) params {
	return w.on(params{"Name": "fn", "RecordName": name})
}

func TestGuardrail_er_related_cname(t *testing.T) {
	prove(t, "er-related-cname", proof{
		setup: func(w *world) { cname(w); fn(w) },
		with: func(w *world) {
			w.refused(`Use bind_custom_domain with routine "fn" and domain "www.shop.example"`, "CreateRoutineRelatedRecord", w.related("www.shop.example"))
			_, err := w.tool("create_related_record", map[string]any{"routine": "fn", "record": "www.shop.example"})
			require.ErrorContains(w, err, "er-related-cname")
			w.active("other.example", "NS")
			w.goesThrough("CreateRoutineRelatedRecord", w.related("www.other.example"))
		},
		without: func(w *world) {
			w.goesThrough("CreateRoutineRelatedRecord", w.related("www.shop.example"))
			require.Empty(w, w.do("ListRecords", w.on(params{}))["Records"], "nothing to point the domain at is shown")
		},
	})
}

func TestGuardrail_er_route_needs_record(t *testing.T) {
	www := `(http.host eq "www.shop.example")`
	prove(t, "er-route-needs-record", proof{
		setup: nsFn,
		with: func(w *world) {
			made := w.warned("www.shop.example has no proxied record on the site", "CreateRoutineRoute", w.routeOf(www))
			w.warned("*.shop.example has no proxied record", "CreateRoutineRoute", w.routeOf(`(ends_with(http.host, ".shop.example"))`))
			w.record("www.shop.example", "A/AAAA", "203.0.113.1", false)
			w.caller.Forget() // it was made past the guardrails
			w.warned("bind_custom_domain makes one", "UpdateRoutineRoute", w.on(params{"ConfigId": made["ConfigId"], "RouteEnable": "on"}))
			w.goesThrough("UpdateRoutineRoute", w.on(params{"ConfigId": made["ConfigId"], "RouteEnable": "off", "Rule": www}))
			w.record("*.shop.example", "A/AAAA", "203.0.113.1", true)
			w.do("CreateRoutineRelatedRecord", w.related("app.shop.example"))
			w.caller.Forget()
			for _, rule := range []string{`(http.host eq "api.shop.example")`, `(http.host eq "app.shop.example")`, `(ends_with(http.host, ".shop.example"))`, "true"} {
				w.goesThrough("CreateRoutineRoute", w.routeOf(rule))
			}
		},
		without: func(w *world) { w.goesThrough("CreateRoutineRoute", w.routeOf(www)) },
	})
}

func TestGuardrail_er_route_pattern(t *testing.T) {
	prove(t, "er-route-pattern", proof{
		setup: nsFn,
		with: func(w *world) {
			stored := func(made map[string]any) string {
				return text(w.do("GetRoutineRoute", w.on(params{"ConfigId": made["ConfigId"]}))["Rule"])
			}
			for pattern, rule := range map[string]string{
				"shop.example/*":         `(http.host eq "shop.example")`,
				"shop.example":           `(http.host eq "shop.example")`,
				"*.shop.example/api/*":   `(ends_with(http.host, ".shop.example") and starts_with(http.request.uri.path, "/api/"))`,
				"*shop.example/*":        `(http.host eq "shop.example" or ends_with(http.host, ".shop.example"))`,
				"www.shop.example/a.png": `(http.host eq "www.shop.example" and http.request.uri.path eq "/a.png")`,
			} {
				made := w.fixed("became the rule "+rule, "CreateRoutineRoute", w.routeOf(pattern))
				require.Equal(w, rule, stored(made), pattern)
				w.goesThrough("UpdateRoutineRoute", w.on(params{"ConfigId": made["ConfigId"], "Rule": rule}))
			}
			p := w.routeOf("")
			delete(p, "Rule")
			p["Route"] = "www.shop.example/*"
			require.Equal(w, `(http.host eq "www.shop.example")`, stored(w.fixed("became the rule", "CreateRoutineRoute", p)))
			w.refused("has a port", "CreateRoutineRoute", w.routeOf("shop.example:8080/*"))
			w.refused("not under the site shop.example", "CreateRoutineRoute", w.routeOf("other.example/*"))
			_, err := w.try("CreateRoutineRoute", w.routeOf("http.host"))
			require.ErrorContains(w, err, "rule-syntax", "a field is no host")
		},
		without: func(w *world) { w.fails(compile, "CreateRoutineRoute", w.routeOf("shop.example/*")) },
	})
}

func TestGuardrail_er_record_conflict(t *testing.T) {
	create := func(w *world, name string) params { return w.newRecord(name, "A/AAAA", "203.0.113.1", nil) }
	prove(t, "er-record-conflict", proof{
		setup: func(w *world) {
			nsFn(w)
			w.record("www.shop.example", "A/AAAA", "203.0.113.1", true)
			w.do("CreateRoutineRelatedRecord", w.related("app.shop.example"))
		},
		with: func(w *world) {
			w.refused("has the A/AAAA record", "CreateRoutineRelatedRecord", w.related("WWW.shop.example"))
			_, err := w.try("CreateRecord", create(w, "app"))
			require.Equal(w, "DependedByOthers", esa.CodeOf(err))
			notes := w.notes(esa.Result{Notes: guard.NotesOf(err)})
			require.Len(w, notes, 1)
			require.Contains(w, notes[0], "app.shop.example is a related record of a routine")
			require.Contains(w, notes[0], "delete_related_record")
			_, err = w.tool("create_record", map[string]any{"site_id": w.site, "name": "app", "type": "A", "value": "203.0.113.1"})
			require.Error(w, err)
			w.goesThrough("CreateRecord", create(w, "api.shop.example"))
			w.goesThrough("CreateRoutineRelatedRecord", w.related("fn.shop.example"))
		},
		without: func(w *world) {
			w.fails("DependedByOthers", "CreateRoutineRelatedRecord", w.related("www.shop.example"))
			_, err := w.try("CreateRecord", create(w, "app.shop.example"))
			require.Equal(w, "DependedByOthers", esa.CodeOf(err))
			require.Empty(w, guard.NotesOf(err), "by what is not said")
		},
	})
}

func TestGuardrail_er_propagation(t *testing.T) {
	prove(t, "er-propagation", proof{
		setup: nsFn,
		with: func(w *world) {
			made := w.warned("takes 3 to 5 minutes", "CreateRoutineRoute", w.routeOf("true"))
			at := func() params { return w.on(params{"ConfigId": made["ConfigId"]}) }
			w.warned("takes 3 to 5 minutes", "UpdateRoutineRoute", with(at(), "Fallback", "on"))
			w.say = yes
			w.warned("takes 3 to 5 minutes", "DeleteRoutineRoute", at())
			w.guarded(guard.Config{LocalOrigins: true})
			w.goesThrough("CreateRoutineRoute", w.routeOf("true")) // the local edge has it at once
		},
		without: func(w *world) { w.goesThrough("CreateRoutineRoute", w.routeOf("true")) },
	})
}
