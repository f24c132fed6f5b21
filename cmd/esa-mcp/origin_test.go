package main

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/esa-mcp/esa-mcp/internal/esa"
	"github.com/esa-mcp/esa-mcp/internal/local"
	"github.com/esa-mcp/esa-mcp/tools"
)

// addRecord makes an address record of a site past the tools.
func addRecord(t *testing.T, c *esa.Client, site tools.ID, name, value string, proxied bool) {
	t.Helper()
	params := esa.Params{"SiteId": string(site), "RecordName": name, "Type": "A/AAAA", "Ttl": 1, "Proxied": proxied, "Data": esa.Params{"Value": value}}
	if proxied {
		params["BizName"] = "web"
	}
	_, err := c.Call(t.Context(), "CreateRecord", params)
	require.NoError(t, err)
}

func TestOriginRules(t *testing.T) {
	t.Parallel()
	s, c := withSite(t, "origin", "shop.test", "NS")
	site := callOK[tools.ListSettingsOutput](t, s, "list_origin_rules", arguments{"site_name": "shop.test"}).SiteID
	addRecord(t, c, site, "agent.shop.test", "8.8.8.8", true)
	addRecord(t, c, site, "plain.shop.test", "8.8.4.4", false)

	made := callOK[tools.SetRuleOutput](t, s, "set_origin_rule", arguments{"site_id": site, "rule": `(http.host eq "agent.shop.test")`,
		"origin_port": 8080, "dns_record": "agent.shop.test", "settings": arguments{"follow302_enable": "on", "follow302_max_tries": 2}})
	require.Equal(t, []string{"origin-scheme"}, noteIDs(made.Notes))
	require.Contains(t, made.Notes[0].Text, "http", "8080 is a usual port of http")
	require.Equal(t, "agent.shop.test", made.Rule.Name, "named by its host")
	require.Equal(t, map[string]string{"origin_scheme": "https", "origin_https_port": "8080", "dns_record": "agent.shop.test",
		"follow302_enable": "on", "follow302_max_tries": "2"}, made.Rule.Settings)

	changed := callOK[tools.SetRuleOutput](t, s, "set_origin_rule", arguments{"site_id": site, "rule_id": made.Rule.ID,
		"origin_scheme": "http", "origin_port": 8081, "sequence": 1})
	require.Equal(t, []string{"origin-stale"}, noteIDs(changed.Notes))
	shown := callOK[tools.ListSettingsOutput](t, s, "list_origin_rules", arguments{"site_id": site, "rule_id": made.Rule.ID}).Rules[0]
	require.Equal(t, "http", shown.Settings["origin_scheme"])
	require.Equal(t, "8081", shown.Settings["origin_http_port"])
	require.Equal(t, "on", shown.Settings["follow302_enable"], "what is not given stays")
	require.Equal(t, `(http.host eq "agent.shop.test")`, shown.Rule)

	plain := callOK[tools.SetRuleOutput](t, s, "set_origin_rule", arguments{"site_id": site, "rule": `(http.host eq "plain.shop.test")`, "origin_scheme": "https"})
	require.Equal(t, []string{"origin-not-proxied"}, noteIDs(plain.Notes))

	require.True(t, callOK[tools.DeleteRuleOutput](t, s, "delete_origin_rule", arguments{"site_id": site, "rule_id": plain.Rule.ID}).Deleted)
	require.Len(t, callOK[tools.ListSettingsOutput](t, s, "list_origin_rules", arguments{"site_id": site}).Rules, 1)

	for name, c := range map[string]struct {
		args arguments
		want string
	}{
		"an IP with a record":    {arguments{"rule": "true", "dns_record": "8.8.4.4"}, "Use the record that has it, plain.shop.test"},
		"an IP without a record": {arguments{"rule": "true", "dns_record": "1.1.1.1"}, "Create an A/AAAA record"},
		"missing record":         {arguments{"rule": "true", "dns_record": "agnet.shop.test"}, "did you mean agent.shop.test"},
		"port of follow":         {arguments{"rule": "true", "origin_scheme": "follow", "origin_port": 81}, "origin-port"},
		"port as a setting":      {arguments{"rule": "true", "settings": arguments{"origin_port": 81}}, "beside settings"},
		"no port":                {arguments{"rule": "true", "origin_scheme": "http", "origin_port": 70000}, "65535"},
		"unknown setting":        {arguments{"rule": "true", "settings": arguments{"origin_http_prot": 81}}, `did you mean "origin_http_port"`},
		"unknown scheme":         {arguments{"rule": "true", "origin_scheme": "ftp"}, "origin_scheme"},
		"no condition":           {arguments{"origin_scheme": "http"}, "scope global"},
	} {
		t.Run(name, func(t *testing.T) {
			c.args["site_id"] = site
			require.Contains(t, s.refuse(t, "set_origin_rule", c.args), c.want)
		})
	}
}

// states are the states of a set-up's steps, in order.
func states(out tools.ProxySubdomainOutput) []string {
	var list []string
	for _, step := range out.Steps {
		list = append(list, step.Status)
	}
	return list
}

func TestProxySubdomain(t *testing.T) {
	t.Parallel()
	clock := &drillClock{now: time.Now()} // held, so that no certificate is issued before it is looked for
	s, c := withSiteOver(t, local.Options{Now: clock.Now}, "origin,dns", "shop.test", "NS")
	first := callOK[tools.ProxySubdomainOutput](t, s, "proxy_subdomain", arguments{"host": "api.shop.test", "origin": "8.8.8.8, 8.8.4.4",
		"origin_scheme": "http", "origin_port": 8080})
	require.Equal(t, []string{"done", "waiting", "done", "waiting"}, states(first), "%+v", first.Steps)
	require.False(t, first.Complete)
	for _, step := range first.Steps[:3] {
		require.NotEmpty(t, step.ID, step.Step)
	}
	for _, complete := range []bool{false, true} {
		again := callOK[tools.ProxySubdomainOutput](t, s, "proxy_subdomain", arguments{"host": "api.shop.test"})
		require.Equal(t, "existing", again.Steps[0].Status)
		require.Equal(t, first.Steps[1].ID, again.Steps[1].ID, "no second application")
		require.Equal(t, "existing", again.Steps[2].Status)
		require.Equal(t, complete, again.Complete, "%+v", again.Steps)
		clock.pass(time.Minute)
	}
	changed := callOK[tools.ProxySubdomainOutput](t, s, "proxy_subdomain", arguments{"host": "api.shop.test", "origin": "8.8.4.4,8.8.8.8", "origin_scheme": "https"})
	require.Equal(t, []string{"existing", "existing", "done", "done"}, states(changed))
	require.Equal(t, first.Steps[2].ID, changed.Steps[2].ID, "the rule is changed, not doubled")

	other := callOK[tools.ProxySubdomainOutput](t, s, "proxy_subdomain", arguments{"host": "api.shop.test", "origin": "9.9.9.9"})
	require.Equal(t, "failed", other.Steps[0].Status, "a record that points elsewhere is left alone")
	require.Contains(t, other.Steps[0].Detail, "update_record")
	require.False(t, other.Complete)

	addRecord(t, c, first.SiteID, "plain.shop.test", "8.8.8.8", false)
	proxied := callOK[tools.ProxySubdomainOutput](t, s, "proxy_subdomain", arguments{"host": "plain.shop.test"})
	require.Equal(t, "done", proxied.Steps[0].Status)
	require.Contains(t, proxied.Steps[0].Detail, "from now on")
	require.Subset(t, noteIDs(proxied.Notes), []string{"dns-biz", "origin-scheme"})

	bare := callOK[tools.ProxySubdomainOutput](t, s, "proxy_subdomain", arguments{"host": "new.shop.test", "origin_scheme": "http"})
	require.Equal(t, []string{"failed", "waiting", "done", "failed"}, states(bare))
	require.Contains(t, bare.Next[0], "record")
	private := callOK[tools.ProxySubdomainOutput](t, s, "proxy_subdomain", arguments{"host": "in.shop.test", "origin": "10.0.0.1"})
	require.Contains(t, private.Steps[0].Detail, "dns-private-ip")

	for name, c := range map[string]struct {
		args arguments
		want string
	}{
		"another's host":  {arguments{"host": "api.other.test"}, "No site of the account"},
		"URL as the host": {arguments{"host": "https://api.shop.test/"}, "without scheme"},
		"URL as origin":   {arguments{"host": "a.shop.test", "origin": "http://8.8.8.8"}, "origin_scheme"},
		"port in origin":  {arguments{"host": "a.shop.test", "origin": "8.8.8.8:81"}, "origin_port 81"},
		"itself":          {arguments{"host": "a.shop.test", "origin": "a.shop.test"}, "itself"},
	} {
		t.Run(name, func(t *testing.T) { require.Contains(t, s.refuse(t, "proxy_subdomain", c.args), c.want) })
	}
}

// On a site with CNAME access the owner has to point the host at ESA.
func TestProxySubdomainOfCnameSite(t *testing.T) {
	t.Parallel()
	s, c := withSite(t, "origin", "shop.test", "CNAME")
	out := callOK[tools.ProxySubdomainOutput](t, s, "proxy_subdomain", arguments{"host": "api.shop.test", "origin": "origin.other.test", "origin_host": "origin.other.test"})
	require.Equal(t, "done", out.Steps[0].Status)
	require.Contains(t, out.Next[0], "CNAME api.shop.test to")
	require.Contains(t, out.Steps[2].Detail, "Host origin.other.test")
	records, err := esa.Call[struct{ TotalCount int }](context.Background(), c, "ListRecords", esa.Params{"SiteId": string(out.SiteID)})
	require.NoError(t, err)
	require.Equal(t, 1, records.TotalCount)
}
