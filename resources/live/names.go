package live

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/esa-mcp/esa-mcp/internal/catalog"
	"github.com/esa-mcp/esa-mcp/internal/esa"
	"github.com/esa-mcp/esa-mcp/tools"
)

// What a name can be of: the subjects of completions.
const (
	Sites      = "site"      // names and ids
	Records    = "host"      // host names with a record, of all sites or of the given one
	Routines   = "name"      // routines, Pages sites among them
	Versions   = "version"   // of the given routine
	Namespaces = "namespace" // of edge KV
	Keys       = "key"       // of the given namespace
	RuleKinds  = "kind"
	Actions    = "action" // operations of the API
	Regions    = "region" // what a site can cover
	Languages  = "lang"
)

// Completion is what may come behind a text.
type Completion struct {
	Values []string
	// Total is the number of names that fit, where it is known to be more than
	// Values has.
	Total int
	More  bool
}

const (
	// maxValues is the most that MCP allows.
	maxValues = 100
	// fresh is how long a list of names is used, unless a write changes it; that
	// of a failure is shorter, so that a new key is found soon.
	fresh       = 30 * time.Second
	freshFailed = 5 * time.Second
	// patience is how long a completion waits for the service: a person types.
	patience = 2 * time.Second
	// maxLists bounds the cache.
	maxLists = 200
)

// Names knows the names in an account.
type Names struct {
	deps func() (*tools.Deps, error)
	now  func() time.Time

	mu    sync.Mutex
	lists map[string]*names // by subject and what it is of
}

// names is one list. ready is closed when it has been filled.
type names struct {
	ready chan struct{}
	until time.Time
	all   []string
	total int // more than all has, when the account has more than was asked for
}

// NewNames returns the names of the account that deps leads to.
func NewNames(deps func() (*tools.Deps, error), now func() time.Time) *Names {
	return &Names{deps: deps, now: now, lists: make(map[string]*names)}
}

// Forget drops what is known: it has changed.
func (n *Names) Forget() {
	n.mu.Lock()
	defer n.mu.Unlock()
	clear(n.lists)
}

// Complete returns the names of a subject that go on with text. given are the
// other arguments that are known. An unknown subject, and an account that does
// not answer, have none: a completion is a courtesy.
func (n *Names) Complete(ctx context.Context, subject, text string, given map[string]string) Completion {
	switch subject {
	case RuleKinds:
		return Pick(Kinds(), text)
	case Actions:
		return Pick(catalog.Actions(), text)
	case Regions:
		return Pick([]string{"overseas", "domestic", "global"}, text)
	case Languages:
		return Pick([]string{"en", "zh"}, text)
	case Sites, Records, Routines, Versions, Namespaces, Keys:
	default:
		return Completion{Values: []string{}}
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	of := ownerOf(subject, given)
	if of == "" && (subject == Versions || subject == Keys) {
		return Completion{Values: []string{}}
	}
	if of == "" && subject == Records {
		return n.hosts(ctx, text)
	}
	list := n.wait(ctx, subject, of)
	return pick(list.all, list.total, text)
}

// wait returns a list when it is ready, or none when the time is over.
func (n *Names) wait(ctx context.Context, subject, of string) *names {
	list := n.list(ctx, subject, of)
	select {
	case <-list.ready:
		return list
	case <-ctx.Done():
		return &names{}
	}
}

// hosts are the names of sites, with the records of those that the text may mean.
func (n *Names) hosts(ctx context.Context, text string) Completion {
	const most = 3 // sites that are looked into
	var all []string
	looked := 0
	text = strings.ToLower(text)
	for _, site := range n.wait(ctx, Sites, "").all {
		if IsID(site) {
			continue
		}
		all = append(all, site)
		if looked < most && mayMean(text, site) {
			looked++
			all = append(all, n.wait(ctx, Records, site).all...)
		}
	}
	slices.Sort(all)
	return Pick(slices.Compact(all), text)
}

// ownerOf is the thing whose names are meant.
func ownerOf(subject string, given map[string]string) string {
	switch subject {
	case Records:
		return given["site"]
	case Versions:
		return given["name"]
	case Keys:
		return given["namespace"]
	}
	return ""
}

// mayMean reports whether a text may become a host of a site: what stands behind
// one of its dots begins the site's name, or goes on behind it.
func mayMean(text, site string) bool {
	if !strings.Contains(text, ".") || strings.Contains(site, text) {
		return true
	}
	for rest := text; ; {
		_, after, dot := strings.Cut(rest, ".")
		if !dot {
			return false
		}
		if strings.HasPrefix(site, after) {
			return true
		}
		rest = after
	}
}

// Pick completes from a fixed list.
func Pick(all []string, text string) Completion { return pick(all, 0, text) }

// pick takes the names that begin with text, then those that contain it.
func pick(all []string, total int, text string) Completion {
	text = strings.ToLower(text)
	var begin, contain []string
	for _, name := range all {
		switch low := strings.ToLower(name); {
		case strings.HasPrefix(low, text):
			begin = append(begin, name)
		case strings.Contains(low, text):
			contain = append(contain, name)
		}
	}
	fit := append(begin, contain...)
	out := Completion{Values: fit, Total: len(fit)}
	if out.Values == nil {
		out.Values = []string{}
	}
	if len(fit) > maxValues {
		out.Values = fit[:maxValues]
	}
	if text == "" && total > out.Total {
		out.Total = total
	}
	out.More = out.Total > len(out.Values) || total > len(all)
	return out
}

// list returns a list that is or will be ready. One call at a time fills it,
// however many wait; it goes on when they give up, for the next.
func (n *Names) list(ctx context.Context, subject, of string) *names {
	n.mu.Lock()
	defer n.mu.Unlock()
	key := subject + " " + of
	if known := n.lists[key]; known != nil && (known.until.IsZero() || n.now().Before(known.until)) {
		return known
	}
	if len(n.lists) >= maxLists {
		clear(n.lists)
	}
	l := &names{ready: make(chan struct{})}
	n.lists[key] = l
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*patience)
	go func() {
		defer cancel()
		defer close(l.ready)
		all, total, err := n.safely(ctx, subject, of)
		n.mu.Lock()
		defer n.mu.Unlock()
		l.all, l.total, l.until = all, total, n.now().Add(fresh)
		if err != nil {
			l.until = n.now().Add(freshFailed)
		}
	}()
	return l
}

// safely is fetch on a goroutine of its own, where a panic would end the process.
func (n *Names) safely(ctx context.Context, subject, of string) (all []string, total int, err error) {
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("list the names: %v", v)
		}
	}()
	return n.fetch(ctx, subject, of)
}

// fetch asks the service for one page, as large as it gives.
func (n *Names) fetch(ctx context.Context, subject, of string) (all []string, total int, err error) {
	d, err := n.deps()
	if err != nil {
		return nil, 0, err
	}
	switch subject {
	case Sites:
		return fetchSites(ctx, d.ESA)
	case Records:
		return fetchRecords(ctx, d.ESA, of)
	case Routines:
		return fetchRoutines(ctx, d.ESA)
	case Versions:
		return fetchNames(ctx, d.ESA, "ListRoutineCodeVersions", esa.Params{"Name": of, "PageNumber": 1, "PageSize": 20}, "CodeVersions", "CodeVersion")
	case Namespaces:
		return fetchNames(ctx, d.ESA, "GetKvAccount", esa.Params{}, "NamespaceList", "Namespace")
	case Keys:
		return fetchNames(ctx, d.ESA, "ListKvs", esa.Params{"Namespace": of, "PageNumber": 1, "PageSize": 100}, "Keys", "Name")
	}
	return nil, 0, nil
}

// fetchNames takes fields of the rows of an answer: the first of all, then the
// next. total is the number of rows that there are.
func fetchNames(ctx context.Context, c esa.Caller, action string, params esa.Params, rows string, fields ...string) (all []string, total int, err error) {
	res, err := c.Call(ctx, action, params)
	if err != nil {
		return nil, 0, err
	}
	list, _ := res.Body[rows].([]any)
	for _, field := range fields {
		for _, row := range list {
			r, _ := row.(map[string]any)
			if name := text(r[field]); name != "" {
				all = append(all, tools.Clean(name))
			}
		}
	}
	count, _ := res.Body["TotalCount"].(json.Number)
	n, _ := count.Int64()
	return all, int(n), nil
}

// fetchSites lists names, then ids.
func fetchSites(ctx context.Context, c esa.Caller) ([]string, int, error) {
	all, total, err := fetchNames(ctx, c, "ListSites", esa.Params{"PageNumber": 1, "PageSize": 500}, "Sites", "SiteName", "SiteId")
	return all, 2 * total, err
}

func fetchRecords(ctx context.Context, c esa.Caller, site string) ([]string, int, error) {
	if !IsID(site) {
		ids, _, err := fetchNames(ctx, c, "ListSites", esa.Params{"SiteName": site, "SiteSearchType": "exact", "PageNumber": 1, "PageSize": 1}, "Sites", "SiteId")
		if err != nil || len(ids) == 0 {
			return nil, 0, err
		}
		site = ids[0]
	}
	hosts, total, err := fetchNames(ctx, c, "ListRecords", esa.Params{"SiteId": json.Number(site), "PageNumber": 1, "PageSize": 500}, "Records", "RecordName")
	slices.Sort(hosts)
	return slices.Compact(hosts), total, err
}

func fetchRoutines(ctx context.Context, c esa.Caller) ([]string, int, error) {
	var all []string
	total := 0
	for page := 1; page <= 10; page++ {
		names, count, err := fetchNames(ctx, c, "ListUserRoutines", esa.Params{"PageNumber": page, "PageSize": 20}, "Routines", "RoutineName")
		if err != nil {
			return all, total, err
		}
		all, total = append(all, names...), count
		if len(names) == 0 || len(all) >= total {
			break
		}
	}
	return all, total, nil
}
