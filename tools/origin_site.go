package tools

import (
	"context"
	"fmt"
	"net/netip"
	"regexp"
	"strings"

	"github.com/esa-mcp/esa-mcp/internal/esa"
)

// siteOfHost finds the site that a host name belongs to: the one with the
// longest name that the host is or ends with.
func siteOfHost(ctx context.Context, d *Deps, host string) (Site, error) {
	host = siteName(host)
	for name := host; strings.Contains(name, "."); {
		found, err := esa.Call[listSitesAnswer](ctx, d.ESA, "ListSites", esa.Params{
			"SiteName": name, "SiteSearchType": "exact", "PageNumber": 1, "PageSize": 10,
		})
		if err != nil {
			return Site{}, fmt.Errorf("find the site of %s: %w", host, err)
		}
		for _, s := range found.Sites {
			if siteName(s.SiteName) == name {
				return s.site(), nil
			}
		}
		_, name, _ = strings.Cut(name, ".")
	}
	return Site{}, Refuse("No site of the account has the host %q: list_sites shows the sites.", host)
}

// ruleHost is the one host that a condition is about, as far as its plain form
// tells, or nothing.
func ruleHost(rule string) string {
	found := regexp.MustCompile(`http\.host\s+eq\s+"([^"]+)"`).FindAllStringSubmatch(rule, 2)
	if len(found) != 1 || strings.Contains(rule, "not ") {
		return ""
	}
	return siteName(found[0][1])
}

// recordsNamed lists the records of exactly that name.
func recordsNamed(ctx context.Context, d *Deps, notes *Noted, site ID, name string) ([]Record, error) {
	return searchRecords(ctx, d, notes, esa.Params{
		"SiteId": site.number(), "RecordName": siteName(name), "RecordMatchType": "exact", "PageNumber": 1, "PageSize": 100,
	})
}

func searchRecords(ctx context.Context, d *Deps, notes *Noted, params esa.Params) ([]Record, error) {
	answer, err := invoke[listRecordsAnswer](ctx, d, notes, "ListRecords", params)
	if err != nil {
		return nil, err
	}
	records := make([]Record, 0, len(answer.Records))
	for _, r := range answer.Records {
		records = append(records, Record{
			ID: r.RecordID, Name: r.RecordName, Type: r.RecordType, Data: RecordData(r.Data), TTL: r.TTL,
			Proxied: r.Proxied, BizName: r.BizName, SourceType: r.RecordSourceType, Cname: r.RecordCname,
		})
	}
	return records, nil
}

// isIP reports whether a text is an address, with or without brackets.
func isIP(text string) bool {
	_, err := netip.ParseAddr(strings.Trim(strings.TrimSpace(text), "[]"))
	return err == nil
}
