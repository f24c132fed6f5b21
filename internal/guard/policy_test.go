package guard_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/esa-mcp/esa-mcp/internal/guard"
	"github.com/esa-mcp/esa-mcp/internal/local"
)

func TestPolicyErrorsNameLineAndKey(t *testing.T) {
	tools := []string{"list_sites", "delete_site"}
	for text, want := range map[string]string{
		"[tools]\ndenny = [\"delete_*\"]":                           "line 2: there is no key tools.denny",
		"[tools]\n\ndeny = \"delete_*\"":                            "line 3, tools.deny",
		"[tools]\nallow = [\"list_*\",\n  \"delet_site\"]":          `line 3, tools.allow: "delet_site" fits nothing there is: did you mean delete_site?`,
		"[actions]\ndeny = ['DeleteSit']":                           `line 2, actions.deny: "DeleteSit" fits nothing there is: did you mean DeleteSite?`,
		"[sites]\nallow = [\"[\"]":                                  `line 2, sites.allow: "[" is no pattern`,
		"[sites]\nallow = [\"a.example\"]\n[sites]\ndeny = [\"b\"]": "line 3",
		"sites = 1":     "line 1, sites",
		"[tools\n":      "line 1",
		"[other]\na=1":  "line 1: there is no key other",
		"tools.deny=[3": "line 1",
	} {
		_, err := guard.ParsePolicy([]byte(text), tools)
		require.ErrorContains(t, err, want, text)
	}
	p, err := guard.ParsePolicy([]byte("[tools]\nallow = [\"*_site*\"]\ndeny = [\"delete_*\"]"), tools)
	require.NoError(t, err)
	require.True(t, p.Offers("list_sites"))
	require.False(t, p.Offers("delete_site"))
	require.False(t, p.Offers("put_kv"))
	require.True(t, (*guard.Policy)(nil).Offers("put_kv"))
}

func TestPolicyRefuses(t *testing.T) {
	p, err := guard.ParsePolicy([]byte("[actions]\ndeny = [\"Delete*\"]\n[sites]\nallow = [\"*.example\"]\ndeny = [\"secret.example\"]"), nil)
	require.NoError(t, err)
	w := newWorld(t, "policy", local.Options{}, true)
	w.guarded(guard.Config{Policy: p, Off: true})
	w.active("shop.test", "NS")
	record := w.record("www.shop.test", "TXT", "x", false)
	txt := params{"RecordName": "a.shop.test", "Type": "TXT", "Ttl": 1, "Data": map[string]any{"Value": "x"}}
	w.refused("the site shop.test is not allowed here", "CreateRecord", w.on(txt))
	w.refused("the site shop.test is not allowed here", "UpdateRecord", params{"record_id": record, "Ttl": 60})
	w.refused("the operation is not allowed here", "DeleteRecord", params{"RecordId": record})
	w.active("secret.example", "NS")
	w.refused("the site secret.example is not allowed here", "ListRecords", w.on(params{}))
	w.refused("the site b.test is not allowed here", "CreateSite", params{"SiteName": "b.test", "AccessType": "NS", "Coverage": "overseas", "InstanceId": w.plan()})
	w.active("shop.example", "NS")
	w.goesThrough("ListRecords", w.on(params{}))
	w.fails("SiteNotFound", "ListRecords", params{"SiteId": 1})
}

func FuzzPolicy(f *testing.F) {
	f.Add([]byte("[tools]\nallow = [\"list_*\"]"))
	f.Add([]byte("[sites]\ndeny = ['[a']"))
	f.Fuzz(func(_ *testing.T, raw []byte) {
		if p, err := guard.ParsePolicy(raw, []string{"list_sites"}); err == nil {
			p.Offers("list_sites")
		}
	})
}
