package tools

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/esa-mcp/esa-mcp/internal/esa"
)

// hostState is what the configuration of the account says of one host.
type hostState struct {
	host    string
	now     int64 // when it was read, in seconds since 1970
	site    Site
	paused  bool
	devMode bool
	// record is the A/AAAA or CNAME record that answers for the host; it may be a
	// wildcard's. nil: none does.
	record *Record
	// originRecords are the records that origin rules name, by that name; those
	// that the site does not have are nil.
	originRecords map[string]*Record
	// related says that a related record leads the host to a routine.
	related bool
	// routes are in the order in which they are tried, those that are off included.
	routes []Route
	// rules are those of each kind, the global one first, then by sequence.
	rules    map[string][]KindRule
	security []phaseRules
	rooms    []waitingRoom
	// lists are the account's lists that the security rules or others name.
	lists map[string][]string
	// balancers and pools are those of the site, if a record may lead to one.
	balancers []loadBalancer
	pools     []originPool
}

// hostCalls are the operations that readHost may send.
func hostCalls() []string {
	calls := kindCalls("List")
	for _, k := range moreKinds() {
		calls = append(calls, k.family().action("List"))
	}
	return append(calls, "GetSite", "GetSitePause", "GetDevelopmentMode", "ListRecords", "ListEdgeRoutineRecords", "ListSiteRoutes",
		"ListWafPhases", "ListWafRules", "GetSiteWafSettings", "ListLists", "GetList", "ListLoadBalancers", "ListOriginPools",
		"ListWaitingRooms", "ListWaitingRoomRules", "ListWaitingRoomEvents")
}

// moreKinds are the kinds of rules that have tools of their own.
func moreKinds() []ruleKind {
	return []ruleKind{{name: kindCache, noun: cacheRules().noun}, {name: kindOrigin, noun: originRules().noun}}
}

const (
	kindCache  = "cache"
	kindOrigin = "origin"
)

// readHost reads all that decides about the requests of a host. What the site's
// plan does not have is noted.
func readHost(ctx context.Context, d *Deps, notes *Noted, host string) (*hostState, error) {
	s := &hostState{host: siteName(host), now: d.Now().Unix(), rules: map[string][]KindRule{}}
	var err error
	if s.site, err = siteOfHost(ctx, d, s.host); err != nil {
		return nil, err
	}
	kinds := slices.Concat(ruleKinds(), moreKinds())
	kinds = slices.DeleteFunc(kinds, func(k ruleKind) bool { return slices.Contains(idleKinds(), k.name) })
	reads := []func(context.Context, *Deps, *Noted) error{s.readSite, s.readRecords, s.readRoutes, s.readSecurity, s.readRooms}
	for _, k := range kinds {
		reads = append(reads, func(ctx context.Context, d *Deps, notes *Noted) error {
			rules, err := k.list(ctx, d, notes, s.site.ID)
			if notOnPlan(err) {
				return nil // the plan has none
			}
			s.rules[k.name] = rules
			return err
		})
	}
	reads = append(reads, s.readOriginRecords, s.readBalancing, s.readLists) // those that the others name
	for i, read := range reads {
		Progress(ctx, float64(i), float64(len(reads)), "reading "+s.site.Name)
		if err := read(ctx, d, notes); err != nil {
			return nil, fmt.Errorf("read the configuration of %s: %w", s.host, err)
		}
	}
	return s, nil
}

// idleKinds are the kinds of rules that have no say in what a request becomes.
func idleKinds() []string { return []string{"tls", "network", "video"} }

func (s *hostState) readSite(ctx context.Context, d *Deps, notes *Noted) error {
	var pause struct{ Paused bool }
	var dev struct{ Enable string }
	var site struct{ SiteModel wireSite } // a list of sites does not say whether there are versions
	for _, part := range []detail{{"GetSitePause", &pause}, {"GetDevelopmentMode", &dev}, {"GetSite", &site}} {
		if err := part.read(ctx, d, notes, s.site.ID); err != nil {
			return err
		}
	}
	s.paused, s.devMode = pause.Paused, dev.Enable == "on"
	if site.SiteModel.VersionManagement {
		notes.Note(versionRead(s.site, d.SiteVersion))
	}
	return nil
}

// versionRead tells which version of a site's configuration was read: the API has no
// operation that tells which one an environment serves, only the console does.
func versionRead(site Site, asked *int) esa.Note {
	const which = "No operation tells which version production serves; ESA's console does."
	text := fmt.Sprintf("%s keeps its configuration in versions. This is version 0, as no site_version was given. %s If it serves another, call again with that site_version.", site.Name, which)
	if asked != nil {
		text = fmt.Sprintf("%s keeps its configuration in versions. This is version %d, as asked. %s", site.Name, *asked, which)
	}
	return esa.Note{ID: "site-version", Text: text}
}

// recordFor finds the record that leads a name somewhere: its own, or else, if it
// has none of any type, that of the nearest wildcard; nil if there is none.
func recordFor(ctx context.Context, d *Deps, notes *Noted, site Site, host string) (*Record, error) {
	for name := host; name != ""; name = wildcardAbove(name, site.Name) {
		found, err := recordsNamed(ctx, d, notes, site.ID, name)
		if err != nil {
			return nil, err
		}
		for i := range found {
			if found[i].Type == "A/AAAA" || found[i].Type == "CNAME" {
				return &found[i], nil
			}
		}
		if len(found) > 0 {
			return nil, nil
		}
	}
	return nil, nil
}

// readOriginRecords finds the records that origin rules name.
func (s *hostState) readOriginRecords(ctx context.Context, d *Deps, notes *Noted) error {
	s.originRecords = map[string]*Record{}
	for _, r := range s.rules[kindOrigin] {
		name := siteName(r.Settings["dns_record"])
		if _, known := s.originRecords[name]; known || name == "" || isIP(name) {
			continue
		}
		record, err := recordFor(ctx, d, notes, s.site, name)
		if err != nil {
			return err
		}
		s.originRecords[name] = record
	}
	return nil
}

// readRecords finds the record of the host, or that a related record leads it to
// a routine.
func (s *hostState) readRecords(ctx context.Context, d *Deps, notes *Noted) error {
	var err error
	if s.record, err = recordFor(ctx, d, notes, s.site, s.host); err != nil {
		return err
	}
	if s.record != nil && s.record.Name == s.host {
		return nil // excludes a related record
	}
	answer, err := invoke[struct{ Records []struct{ RecordName string } }](ctx, d, notes, "ListEdgeRoutineRecords",
		esa.Params{"SiteId": s.site.ID.number(), "RecordName": s.host, "RecordMatchType": "exact", "PageNumber": 1, "PageSize": relatedPage})
	for _, r := range answer.Records {
		s.related = s.related || siteName(r.RecordName) == s.host
	}
	return err
}

// wildcardAbove is the wildcard that covers a name next, within the site; empty
// if there is none.
func wildcardAbove(name, site string) string {
	_, parent, more := strings.Cut(strings.TrimPrefix(name, "*."), ".")
	if !more || name == "*."+site || len(parent) < len(site) {
		return ""
	}
	return "*." + parent
}

func (s *hostState) readRoutes(ctx context.Context, d *Deps, notes *Noted) error {
	for page := 1; page > 0; {
		answer, err := invoke[routesAnswer](ctx, d, notes, "ListSiteRoutes", esa.Params{"SiteId": s.site.ID.number(), "PageNumber": page, "PageSize": 500})
		if err != nil {
			return err
		}
		for _, w := range answer.Configs {
			s.routes = append(s.routes, w.route(s.site.ID))
		}
		page = nextPage(page, 500, answer.TotalCount)
	}
	slices.SortStableFunc(s.routes, func(a, b Route) int { return cmp.Compare(a.Sequence, b.Sequence) })
	return nil
}
