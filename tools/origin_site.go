package tools

import (
	"context"
	"net/netip"
	"regexp"
	"strings"

	"github.com/esa-mcp/esa-mcp/internal/esa"
)

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
		records = append(records, r.record())
	}
	return records, nil
}

// recordWith is the name of the address record that has an address; empty if
// none has.
func recordWith(ctx context.Context, d *Deps, notes *Noted, site ID, ip string) (string, error) {
	records, err := searchRecords(ctx, d, notes, esa.Params{"SiteId": site.number(), "Type": "A/AAAA", "PageNumber": 1, "PageSize": 500})
	if err != nil {
		return "", err
	}
	for _, r := range records {
		for value := range strings.SplitSeq(r.Data.Value, ",") {
			if strings.TrimSpace(value) == ip {
				return r.Name, nil
			}
		}
	}
	return "", nil
}

// isIP reports whether a text is an address, with or without brackets.
func isIP(text string) bool {
	_, err := netip.ParseAddr(strings.Trim(strings.TrimSpace(text), "[]"))
	return err == nil
}
