package guard

import (
	"context"
	"encoding/json"
	"strings"

	"github.com/esa-mcp/esa-mcp/internal/esa"
)

// Access types of a site.
const (
	accessNS    = "NS"    // ESA is the site's DNS
	accessCNAME = "CNAME" // its DNS is elsewhere
)

// Site is what guardrails need to know of a site.
type Site struct {
	ID                ID     `json:"SiteId"`
	Name              string `json:"SiteName"`
	Status            string // pending, active, offline, moved
	AccessType        string // NS or CNAME
	Coverage          string
	PlanName          string
	InstanceID        string `json:"InstanceId"`
	NameServerList    string
	VerifyCode        string
	VersionManagement bool
	VanityNSList      map[string]string
}

// Site reads a site by its id.
func (s *State) Site(ctx context.Context, id string) (Site, error) {
	answer, err := Read[struct{ SiteModel Site }](ctx, s, "GetSite", esa.Params{"SiteId": json.Number(id)})
	return answer.SiteModel, err
}

// Record is a DNS record of a site.
type Record struct {
	ID         ID     `json:"RecordId"`
	Name       string `json:"RecordName"`
	Type       string `json:"RecordType"`
	SourceType string `json:"RecordSourceType"`
	Proxied    bool
	BizName    string
	TTL        int64 `json:"Ttl"`
	Data       map[string]any
	SiteID     ID `json:"SiteId"`
	SiteName   string
}

// Value is the record's main value: addresses, a host name or a text.
func (r Record) Value() string { return scalar(r.Data["Value"]) }

// Web reports whether the record is of a type that the edge can serve.
func (r Record) Web() bool { return r.Type == "A/AAAA" || r.Type == "CNAME" }

type recordsAnswer struct {
	Records    []Record
	TotalCount int
}

// Records reads the records of exactly that name.
func (s *State) Records(ctx context.Context, site, name string) ([]Record, error) {
	answer, err := Read[recordsAnswer](ctx, s, "ListRecords", esa.Params{
		"SiteId": json.Number(site), "RecordName": hostName(name), "RecordMatchType": "exact", "PageNumber": 1, "PageSize": 500,
	})
	return answer.Records, err
}

// AllRecords reads the records of a site, up to 5,000 of them.
func (s *State) AllRecords(ctx context.Context, site string) ([]Record, error) {
	const size, pages = 500, 10
	var all []Record
	for page := 1; page <= pages; page++ {
		answer, err := Read[recordsAnswer](ctx, s, "ListRecords", esa.Params{"SiteId": json.Number(site), "PageNumber": page, "PageSize": size})
		if err != nil {
			return nil, err
		}
		all = append(all, answer.Records...)
		if len(answer.Records) < size || len(all) >= answer.TotalCount {
			break
		}
	}
	return all, nil
}

// Proxied reads the proxied record that serves a host: one of its name, or a
// wildcard above it. false if there is none.
func (s *State) Proxied(ctx context.Context, site, host string) (Record, bool, error) {
	host = hostName(host)
	for name := range namesThatServe(host) {
		records, err := s.Records(ctx, site, name)
		if err != nil {
			return Record{}, false, err
		}
		for _, r := range records {
			if r.Proxied {
				return r, true, nil
			}
		}
		if len(records) > 0 {
			break // the nearer name hides the wildcard
		}
	}
	return Record{}, false, nil
}

// namesThatServe yields a host's own name, then the wildcards that cover it,
// the nearest first.
func namesThatServe(host string) func(yield func(string) bool) {
	return func(yield func(string) bool) {
		if !yield(host) {
			return
		}
		for rest := host; ; {
			_, parent, ok := strings.Cut(rest, ".")
			if !ok || !strings.Contains(parent, ".") {
				return
			}
			if name := "*." + parent; name != host && !yield(name) {
				return
			}
			rest = parent
		}
	}
}

// hostName is a name as ESA stores it: lower case, without the last dot.
func hostName(name string) string {
	return strings.ToLower(strings.TrimSuffix(strings.TrimSpace(name), "."))
}

// Plan is a plan instance: what sites are put on.
type Plan struct {
	InstanceID    string `json:"InstanceId"`
	PlanName      string
	SubscribeType string
	Status        string
	SiteQuota     string
	Coverages     string
	Sites         []struct {
		SiteName string
	}
}

// Plans reads the online plan instances; withRoom leaves out those that take no
// other site.
func (s *State) Plans(ctx context.Context, withRoom bool) ([]Plan, error) {
	params := esa.Params{"Status": "online", "PageNumber": 1, "PageSize": 100}
	if withRoom {
		params["CheckRemainingSiteQuota"] = "true"
	}
	answer, err := Read[struct{ InstanceInfo []Plan }](ctx, s, "ListUserRatePlanInstances", params)
	return answer.InstanceInfo, err
}
