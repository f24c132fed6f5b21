package live

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/esa-mcp/esa-mcp/internal/esa"
	"github.com/esa-mcp/esa-mcp/tools"
)

// callerFunc is a service made of a function.
type callerFunc func(ctx context.Context, action string, params esa.Params) (string, error)

func (f callerFunc) Call(ctx context.Context, action string, params esa.Params) (esa.Result, error) {
	text, err := f(ctx, action, params)
	if err != nil {
		return esa.Result{}, err
	}
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	var res esa.Result
	return res, d.Decode(&res.Body)
}

func depsOf(c esa.Caller) func() (*tools.Deps, error) {
	return func() (*tools.Deps, error) {
		return &tools.Deps{ESA: c, Locks: tools.NewLocks(), Now: time.Now}, nil
	}
}

func TestMatch(t *testing.T) {
	l := New(nil)
	for uri, want := range map[string]string{
		"esa://sites":                              "sites map[]",
		"esa://sites?page=3":                       "sites map[page:3]",
		"esa://sites/Example.COM.":                 "site map[site:example.com]",
		"esa://sites/974351557069296/records":      "site-records map[site:974351557069296]",
		"esa://sites/a.example.com/rules/redirect": "site-rules map[kind:redirect site:a.example.com]",
		"esa://routines/hello/versions/17":         "routine-version map[name:hello version:17]",
		"esa://kv/ns/a%2Fb%20c?offset=10":          "kv-value map[key:a/b c namespace:ns offset:10]",
		"esa://sites/%E4%BE%8B.example.com":        "site map[site:例.example.com]",
		"esa://sites/":                             "site is empty",
		"esa://sites/a b":                          "site is no name",
		"esa://sites/a%0Ab":                        "characters that no name has",
		"esa://sites/%FF":                          "characters that no name has",
		"esa://sites/..%2F..":                      "site is no name",
		"esa://sites/%":                            "percent-encoded",
		"esa://sites/" + strings.Repeat("a", 600):  "longer than 512",
		"esa://sites/{site}":                       "placeholder",
		"esa://sites?page=-1":                      "page has to be a number",
		"esa://sites?page=1&page=2":                "page has to be a number",
		"esa://sites?size=1":                       "takes ?page=N",
		"esa://api/CreateSite?page=1":              "takes no query",
		"esa://sites/a/b":                          "esa://sites/{site}/records",
		"esa://kv/n/a/b":                           "%2F",
		"http://sites":                             "begin with esa://",
		"esa://":                                   "resources/list",
	} {
		tpl, v, err := l.match(uri)
		if err != nil {
			require.ErrorContains(t, err, want, uri)
			continue
		}
		require.Equal(t, want, fmt.Sprint(tpl.Name, " ", map[string]string(v)), uri)
	}
}

func FuzzMatch(f *testing.F) {
	for _, t := range templates() {
		f.Add(t.URI)
	}
	f.Add("esa://kv/a/%2F%00?offset=1")
	l := New(nil)
	f.Fuzz(func(t *testing.T, uri string) {
		_, v, err := l.match(uri)
		if err != nil {
			require.Less(t, len(err.Error()), 2000)
			return
		}
		for name, value := range v {
			require.NotEmpty(t, value)
			require.LessOrEqual(t, len(value), maxValue)
			if name != "key" {
				require.NotContains(t, value, "/")
			}
		}
	})
}

// A resource is never more than one template's.
func TestTemplatesAreApart(t *testing.T) {
	names := map[string]bool{}
	for _, a := range templates() {
		require.False(t, names[a.Name])
		names[a.Name] = true
		fits := 0
		for _, b := range templates() {
			if b.fits(a.pattern) {
				fits++
			}
		}
		require.Equal(t, 1, fits, a.URI)
	}
}

func TestWatch(t *testing.T) {
	var w Watch
	var told []Change
	w.Tell(func(_ context.Context, c Change) { told = append(told, c) })
	fails := map[string]error{}
	c := w.Caller(callerFunc(func(_ context.Context, action string, _ esa.Params) (string, error) {
		switch action {
		case "ListSites":
			return `{"Sites":[{"SiteId":17,"SiteName":"Example.com"}]}`, nil
		}
		return `{}`, fails[action]
	}))
	call := func(action string, params esa.Params) []Change {
		told = nil
		_, _ = c.Call(t.Context(), action, params)
		return told
	}
	require.Empty(t, call("ListSites", nil))
	require.Equal(t, []Change{{Site: "17", SiteName: "example.com"}}, call("CreateRecord", esa.Params{"SiteId": json.Number("17")}))
	require.Equal(t, []Change{{Site: "18"}}, call("CreateRecord", esa.Params{"site_id": int64(18)}))
	require.Equal(t, []Change{{Everywhere: true}}, call("DeleteRecord", esa.Params{"RecordId": 5}))
	require.Equal(t, []Change{{Namespace: "n", Key: "k"}}, call("PutKv", esa.Params{"Namespace": "n", "Key": "k", "Value": "x"}))
	require.Equal(t, []Change{{Namespace: "n"}}, call("BatchDeleteKv", esa.Params{"Namespace": "n"}))
	require.Equal(t, []Change{{Routine: "r", Came: true}}, call("CreateRoutine", esa.Params{"Name": "r"}))
	require.Equal(t, []Change{{SiteName: "new.example.com", Came: true}}, call("CreateSite", esa.Params{"SiteName": "new.example.com"}))
	require.Equal(t, []Change{{Site: "17", SiteName: "example.com", Gone: true}}, call("DeleteSite", esa.Params{"SiteId": 17}))
	for _, quiet := range []string{"GetSite", "GetRoutineStagingCodeUploadInfo", "PurgeCaches", "NoSuchAction"} {
		require.Empty(t, call(quiet, esa.Params{"SiteId": 17, "Name": "r"}), quiet)
	}
	fails["UpdateSitePause"] = &esa.Error{Code: "X"}
	require.Empty(t, call("UpdateSitePause", esa.Params{"SiteId": 17}), "it was refused")
	fails["UpdateSitePause"] = fmt.Errorf("x: %w", &esa.Error{Code: "X", OutcomeUnknown: true})
	require.Len(t, call("UpdateSitePause", esa.Params{"SiteId": 17}), 1, "it may have been done")
}

func TestAffects(t *testing.T) {
	l := New(nil)
	for _, c := range []struct {
		change    Change
		uri       string
		different bool
	}{
		{Change{Site: "17", SiteName: "example.com"}, "esa://sites/example.com/records", true},
		{Change{Site: "17", SiteName: "example.com"}, "esa://sites/17/rules/tls", true},
		{Change{Site: "17", SiteName: "example.com"}, "esa://sites/18/rules/tls", false},
		{Change{Site: "17", SiteName: "example.com"}, "esa://sites/other.com", false},
		{Change{Site: "17"}, "esa://sites/other.com", true}, // its name is not known
		{Change{Site: "17"}, "esa://sites", true},
		{Change{Everywhere: true}, "esa://sites/17/records", true},
		{Change{SiteName: "a.com", Came: true}, "esa://sites", true},
		{Change{Routine: "r", Came: true}, "esa://sites", false},
		{Change{Routine: "r"}, "esa://routines", true},
		{Change{Routine: "r"}, "esa://routines/r/versions/1", true},
		{Change{Routine: "r"}, "esa://routines/q", false},
		{Change{Namespace: "n", Key: "k"}, "esa://kv", true},
		{Change{Namespace: "n", Key: "k"}, "esa://kv/n", true},
		{Change{Namespace: "n", Key: "k"}, "esa://kv/n/k", true},
		{Change{Namespace: "n", Key: "k"}, "esa://kv/n/j", false},
		{Change{Namespace: "n"}, "esa://kv/n/j", true},
		{Change{Namespace: "n"}, "esa://kv/m", false},
		{Change{Everywhere: true}, "esa://api/CreateSite", false},
		{Change{Everywhere: true}, "esa://docs/limits", false},
	} {
		require.Equal(t, c.different, l.Affects(c.change, c.uri), "%+v %s", c.change, c.uri)
	}
}

func TestNames(t *testing.T) {
	var calls atomic.Int64
	now := time.Now()
	n := NewNames(depsOf(callerFunc(func(_ context.Context, action string, params esa.Params) (string, error) {
		calls.Add(1)
		switch action {
		case "ListSites":
			if params["SiteName"] == "none.example.com" {
				return `{"Sites":[]}`, nil
			}
			return `{"Sites":[{"SiteId":974351557069296,"SiteName":"shop.example.com"},{"SiteId":22,"SiteName":"example.org"}],"TotalCount":2}`, nil
		case "ListRecords":
			return `{"Records":[{"RecordName":"www.shop.example.com"},{"RecordName":"shop.example.com"},{"RecordName":"shop.example.com"}],"TotalCount":3}`, nil
		case "ListKvs":
			var keys []string
			for i := range 100 {
				keys = append(keys, fmt.Sprintf(`{"Name":"key-%03d"}`, i))
			}
			return `{"Keys":[` + strings.Join(keys, ",") + `],"TotalCount":250}`, nil
		}
		return "", &esa.Error{Action: action, Code: "Forbidden"}
	})), func() time.Time { return now })
	ask := func(subject, text string, given map[string]string) Completion {
		return n.Complete(t.Context(), subject, text, given)
	}
	require.Equal(t, []string{"shop.example.com", "example.org", "974351557069296", "22"}, ask(Sites, "", nil).Values)
	require.Equal(t, []string{"example.org", "shop.example.com"}, ask(Sites, "EX", nil).Values, "those that begin so are first")
	require.Equal(t, []string{"974351557069296"}, ask(Sites, "97", nil).Values)
	require.Equal(t, int64(1), calls.Load(), "asked once")
	now = now.Add(fresh + time.Second)
	ask(Sites, "", nil)
	require.Equal(t, int64(2), calls.Load(), "old names are asked for again")
	n.Forget()
	ask(Sites, "", nil)
	require.Equal(t, int64(3), calls.Load())

	require.Equal(t, []string{"shop.example.com", "www.shop.example.com"}, ask(Records, "", map[string]string{"site": "shop.example.com"}).Values)
	require.Empty(t, ask(Records, "", map[string]string{"site": "none.example.com"}).Values)
	require.Equal(t, []string{"www.shop.example.com"}, ask(Records, "www.sh", nil).Values, "of the sites that may be meant")
	keys := ask(Keys, "", map[string]string{"namespace": "n"})
	require.Len(t, keys.Values, 100)
	require.Equal(t, 250, keys.Total)
	require.True(t, keys.More)

	require.NotNil(t, ask(Routines, "", nil).Values, "an account that refuses has no names")
	require.Empty(t, ask(Routines, "", nil).Values)
	require.Empty(t, ask("nonsense", "", nil).Values)
	require.Contains(t, ask(RuleKinds, "re", nil).Values, "redirect")
	actions := ask(Actions, "", nil)
	require.Len(t, actions.Values, 100)
	require.Equal(t, 419, actions.Total)
	require.True(t, actions.More)
	require.Equal(t, []string{"CreateSite"}, ask(Actions, "createsite", nil).Values[:1])
	require.Equal(t, []string{"zh"}, ask(Languages, "z", nil).Values)
}

// A service that hangs holds no completion up, and panics do not end the process.
func TestNamesAreBounded(t *testing.T) {
	stuck := NewNames(depsOf(callerFunc(func(ctx context.Context, _ string, _ esa.Params) (string, error) {
		<-ctx.Done()
		return "", ctx.Err()
	})), time.Now)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	require.Empty(t, stuck.Complete(ctx, Sites, "", nil).Values)
	broken := NewNames(func() (*tools.Deps, error) { panic("x") }, time.Now)
	require.Empty(t, broken.Complete(t.Context(), Sites, "", nil).Values)
	poor := NewNames(func() (*tools.Deps, error) { return nil, errors.New("no credentials") }, time.Now)
	require.Empty(t, poor.Complete(t.Context(), Namespaces, "", nil).Values)
}
