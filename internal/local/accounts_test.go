package local

import (
	"bytes"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/esa-mcp/esa-mcp/internal/local/account"
)

func written(t *testing.T, a account.Account) string {
	t.Helper()
	var b bytes.Buffer
	require.NoError(t, a.Write(&b))
	return b.String()
}

// seeded starts a local ESA with an account and exports it.
func seeded(t *testing.T, a account.Account) (Info, account.Account) {
	t.Helper()
	s := start(t, Options{Seed: &a})
	out, err := s.Export(t.Context())
	require.NoError(t, err)
	return s.Info(), out
}

// TestAccountsOfTheRepository seeds each file, and what was exported once more:
// that must be the same account.
func TestAccountsOfTheRepository(t *testing.T) {
	files, err := filepath.Glob("../../testdata/accounts/*.json")
	require.NoError(t, err)
	require.Len(t, files, 4)
	for _, path := range files {
		t.Run(filepath.Base(path), func(t *testing.T) {
			if raceDetector && filepath.Base(path) == "large.json" {
				t.Skip("one call after another, as in the others; three minutes of them")
			}
			text, err := os.ReadFile(path)
			require.NoError(t, err)
			a, err := account.Read(bytes.NewReader(text))
			require.NoError(t, err)
			_, first := seeded(t, a)
			again, err := account.Read(strings.NewReader(written(t, first)))
			require.NoError(t, err)
			_, second := seeded(t, again)
			require.Equal(t, written(t, first), written(t, second))
			require.Len(t, first.Sites, len(a.Sites))
			for i, s := range a.Sites {
				require.Len(t, first.Sites[i].Records, len(s.Records), s.Name)
				require.Len(t, first.Sites[i].Rules, len(s.Rules), s.Name)
			}
		})
	}
}

func TestLargeAccount(t *testing.T) {
	text, err := os.ReadFile("../../testdata/accounts/large.json")
	require.NoError(t, err)
	a, err := account.Read(bytes.NewReader(text))
	require.NoError(t, err)
	records := 0
	for _, s := range a.Sites {
		records += len(s.Records)
	}
	require.Len(t, a.Sites, 301)
	require.Equal(t, 5000, records)
}

// TestSeededAccountAnswers asks the API for what the small account has.
func TestSeededAccountAnswers(t *testing.T) {
	text, err := os.ReadFile("../../testdata/accounts/small.json")
	require.NoError(t, err)
	a, err := account.Read(bytes.NewReader(text))
	require.NoError(t, err)
	info, _ := seeded(t, a)
	site := must(t, info, "ListSites", map[string]any{"SiteName": "shop.example"})["Sites"].([]any)[0].(map[string]any)
	require.Equal(t, "active", site["Status"])
	require.Equal(t, map[string]any{"env": "prod"}, site["Tags"])
	require.Equal(t, "dark", must(t, info, "GetKv", map[string]any{"Namespace": "settings", "Key": "theme"})["Value"])
	require.Len(t, must(t, info, "ListCacheRules", map[string]any{"SiteId": site["SiteId"]})["Configs"], 2)
	requests := must(t, info, "DescribeSiteTopData", map[string]any{"SiteId": fmt.Sprint(site["SiteId"]),
		"Fields": []any{map[string]any{"FieldName": "Requests", "Dimension": []any{"ClientCountryCode"}}}})
	require.Contains(t, string(mustJSON(t, requests)), `"DE"`)
}

// TestSeedIsWhole: an account that fails at its end leaves nothing, so that it can be
// mended and seeded into the same folder.
func TestSeedIsWhole(t *testing.T) {
	text, err := os.ReadFile("../../testdata/accounts/small.json")
	require.NoError(t, err)
	a, err := account.Read(bytes.NewReader(text))
	require.NoError(t, err)
	require.NotEmpty(t, a.Routines)
	dir := t.TempDir()
	export := func(seed *account.Account) string {
		s, err := Start(t.Context(), Options{Dir: dir, Seed: seed})
		require.NoError(t, err)
		out, err := s.Export(t.Context())
		require.NoError(t, err)
		require.NoError(t, s.Close())
		return written(t, out)
	}
	before := export(nil)
	spoiled := a
	spoiled.Traffic = append(slices.Clone(a.Traffic), account.Traffic{From: "-1h", To: "-1m", Host: "shop.example"})
	_, err = Start(t.Context(), Options{Dir: dir, Seed: &spoiled})
	require.ErrorContains(t, err, "traffic 3: count is")
	packs := func() (all []string) {
		require.NoError(t, filepath.WalkDir(filepath.Join(dir, "blobs"), func(path string, entry fs.DirEntry, err error) error {
			if err == nil && !entry.IsDir() {
				all = append(all, path)
			}
			return err
		}))
		return all
	}
	require.Empty(t, packs())
	require.Equal(t, before, export(nil))
	defer func() { require.NotEmpty(t, packs(), "the account has files") }()
	require.Contains(t, export(&a), `"shop.example"`)
}

// TestRandomAccounts seeds accounts that chance made.
func TestRandomAccounts(t *testing.T) {
	for seed := range uint64(20) {
		a := randomAccount(rand.New(rand.NewPCG(seed, 1)))
		_, first := seeded(t, a)
		again, err := account.Read(strings.NewReader(written(t, first)))
		require.NoError(t, err)
		_, second := seeded(t, again)
		require.Equal(t, written(t, first), written(t, second), "seed %d", seed)
	}
}

func randomAccount(r *rand.Rand) account.Account {
	a := account.Account{Format: account.Format}
	for n := range r.IntN(3) {
		ns := account.Namespace{Name: fmt.Sprint("ns", n), Description: strings.Repeat("ä", r.IntN(3))}
		for k := range r.IntN(5) {
			value := make([]byte, r.IntN(9))
			for i := range value {
				value[i] = byte(r.IntN(256))
			}
			pair := account.Pair{Key: fmt.Sprint("k", k), Value: strings.ToValidUTF8(string(value), "")}
			if r.IntN(2) == 0 {
				pair.Expires = "2099-01-01T00:00:00Z"
			}
			ns.Pairs = append(ns.Pairs, pair)
		}
		a.Namespaces = append(a.Namespaces, ns)
	}
	status := []string{"", "pending", "offline"}
	for n := range r.IntN(4) {
		s := account.Site{Name: fmt.Sprintf("s%d.example", n), Access: "NS", Coverage: "overseas", Status: status[r.IntN(3)], VersionManagement: r.IntN(2) == 0}
		for k := range r.IntN(6) {
			record := account.Record{Name: fmt.Sprintf("r%d.%s", k, s.Name), Type: "TXT", TTL: 60 + r.IntN(600), Data: map[string]any{"Value": fmt.Sprint(r.Uint64())}}
			if r.IntN(2) == 0 {
				record = account.Record{Name: record.Name, Type: "CNAME", Proxied: true, Biz: "api", Data: map[string]any{"Value": "o.example.net"}, Comment: strings.Repeat("c", r.IntN(9))}
			}
			s.Records = append(s.Records, record)
		}
		for k := range r.IntN(4) {
			s.Rules = append(s.Rules, account.Rule{Family: "CompressionRule", Name: fmt.Sprint("rule ", k), Rule: fmt.Sprintf(`(http.host eq "h%d.example")`, k),
				Enable: []string{"", "off"}[r.IntN(2)], Config: map[string]any{"Gzip": []any{"on", "off"}[r.IntN(2)]}})
		}
		for k := range r.IntN(3) {
			s.Certificates = append(s.Certificates, account.Certificate{Domain: fmt.Sprintf("c%d.%s", k, s.Name)})
		}
		if s.Status == "" {
			a.Traffic = append(a.Traffic, account.Traffic{From: "-5h", To: "-1h", Count: 1 + r.IntN(50), Host: s.Name, Bytes: int64(r.IntN(100_000))})
		}
		a.Sites = append(a.Sites, s)
	}
	return a
}

func TestAccountFilesThatAreRefused(t *testing.T) {
	for text, want := range map[string]string{
		`{`: "line 1: unexpected EOF",
		"{\"format\": 1,\n\"sites\": [{\"name\": 1}]}": "line 2: sites.name cannot be a JSON number",
		`{"format": 2}`:             "format is 2",
		`{"format": 1, "site": []}`: `unknown field "site"`,
		`{"format": 1, "sites": [{"name": "a{i}.example", "repeat": 20000}]}`:                      "more than 10000 sites",
		`{"format": 1, "sites": [{"name": "a", "records": [{"name": "r{j}", "repeat": 200000}]}]}`: "more than 100000 records",
	} {
		_, err := account.Read(strings.NewReader(text))
		require.ErrorContains(t, err, want, text)
	}
	for text, want := range map[string]string{
		`{"format": 1, "sites": [{"name": "a.example", "access": "NS", "coverage": "overseas", "plan": "p"}]}`:                                                                  "no plan p",
		`{"format": 1, "sites": [{"name": "a.example", "access": "NS", "coverage": "overseas", "status": "lost"}]}`:                                                             `status "lost"`,
		`{"format": 1, "sites": [{"name": "a.example", "access": "NS", "coverage": "overseas", "records": [{"name": "b", "type": "TXT", "data": {"Value": "x"}}]}]}`:            "InvalidRecordNameSuffix",
		`{"format": 1, "sites": [{"name": "a.example", "access": "NS", "coverage": "overseas", "rules": [{"family": "CacheRule", "name": "x", "rule": "(((", "config": {}}]}]}`: "site a.example: rule 1 (CacheRule x): CreateCacheRule:",
		`{"format": 1, "things": [{"kind": "Page", "fields": {"Name": "p", "ContentType": "text/html", "Content": "PGgx", "SiteIds": ["${b.example}"]}}]}`:                      "thing 1 (Page p): it refers to ${b.example}, but nothing in the file is called so",
		`{"format": 1, "things": [{"kind": "Pages"}]}`:                                                                   `thing 1 (Pages): there is no kind "Pages"`,
		`{"format": 1, "things": [{"kind": "Page", "fields": {"Name": "p", "ContentType": "text/css", "Content": ""}}]}`: "thing 1 (Page p): InvalidContentType",
		`{"format": 1, "sites": [{"name": "a.example", "access": "NS", "coverage": "overseas", "things": [
			{"kind": "LoadBalancer", "id": "one", "fields": {"Name": "lb.a.example", "FallbackPool": "${two}"}}, {"kind": "OriginPool", "id": "two", "fields": {"Name": "p", "Origins": "${one}"}}]}]}`: "site a.example: thing 1 (LoadBalancer lb.a.example): it refers to ${two}, which cannot be made before it",
		`{"format": 1, "plans": [{"id": "p", "plan": "basicplan", "sites": 1}], "sites": [{"name": "p", "access": "NS", "coverage": "overseas"}]}`:   `site p: something else in the file is called "p", too`,
		`{"format": 1, "routines": [{"name": "hello", "versions": [{"id": "v1", "code": {"base64": "%"}}]}]}`:                                        "routine hello: version 1 (v1): code: its base64 is none",
		`{"format": 1, "routines": [{"name": "hello", "versions": [{"id": "v1", "assets": [{"path": "../x", "text": "x"}]}]}]}`:                      "routine hello: version 1 (v1): ",
		`{"format": 1, "routines": [{"name": "hello", "live": {"production": [{"version": "v1", "percentage": 100}]}}]}`:                             `routine hello: live production: the routine has no version "v1"`,
		`{"format": 1, "own_plan": {"plan": "goldplan", "sites": 1}}`:                                                                                `own_plan: the plan "goldplan"`,
		`{"format": 1, "sites": [{"name": "a.example", "access": "NS", "coverage": "overseas", "authorities": [{"of": "all", "certificate": ""}]}]}`: "authority 1 (): of is clients or origins",
		`{"format": 1, "traffic": [{"from": "yesterday", "to": "-1h", "count": 1, "host": "a"}]}`:                                                    `the time "yesterday"`,
	} {
		a, err := account.Read(strings.NewReader(text))
		require.NoError(t, err)
		_, err = Start(t.Context(), Options{Seed: &a})
		require.ErrorContains(t, err, want, text)
	}
}

// TestSeedingBesideWhatIsThere adds an account to another one, and refuses what
// has a name that is taken, before anything is made.
func TestSeedingBesideWhatIsThere(t *testing.T) {
	dir := t.TempDir()
	a := account.Account{Format: 1, Sites: []account.Site{{Name: "a.example", Access: "NS", Coverage: "overseas"}},
		Lists: []account.List{{Name: "office", Kind: "ip", Items: []string{"192.0.2.1"}}}}
	s, err := Start(t.Context(), Options{Seed: &a, Dir: dir})
	require.NoError(t, err)
	require.NoError(t, s.Close())

	b := account.Account{Format: 1, Sites: []account.Site{{Name: "b.example", Access: "NS", Coverage: "overseas"}, a.Sites[0]}, Lists: a.Lists}
	_, err = Start(t.Context(), Options{Seed: &b, Dir: dir})
	require.ErrorContains(t, err, "the account has site a.example, list office already")
	b.Sites, b.Lists = b.Sites[:1], nil
	both := start(t, Options{Seed: &b, Dir: dir})
	out, err := both.Export(t.Context())
	require.NoError(t, err)
	require.Equal(t, []string{"a.example", "b.example"}, []string{out.Sites[0].Name, out.Sites[1].Name})
}

// TestSeededRoutineServes asks the edge for what a file's routine has.
func TestSeededRoutineServes(t *testing.T) {
	a, err := account.Read(strings.NewReader(`{"format": 1, "routines": [{"name": "hello", "has_assets": true,
		"versions": [{"id": "v1", "code": {"text": "export default { fetch: () => new Response('from code') }"},
			"assets": [{"path": "/index.html", "text": "<h1>from a file</h1>"}, {"path": "/a.bin", "base64": "/wD/"}]}],
		"live": {"production": [{"version": "v1", "percentage": 100}]}}]}`))
	require.NoError(t, err)
	info := start(t, Options{Seed: &a, OpenDefaultDomain: true}).Info()
	host := must(t, info, "GetRoutine", map[string]any{"Name": "hello"})["DefaultRelatedRecord"].(string)
	for path, want := range map[string]string{"/": "<h1>from a file</h1>", "/a.bin": "\xff\x00\xff", "/other": "from code"} {
		status, body := fetch(t, info, host, path)
		require.Equal(t, 200, status, path)
		require.Equal(t, want, string(body), path)
	}
}

// TestSeedsNameThePlace: what is refused in a file is called by its name, or by its
// number if it has none.
func TestSeedsNameThePlace(t *testing.T) {
	for text, want := range map[string]string{
		`"plans":[{"plan":"basicplan","sites":1},{"plan":"gold"}]`: "plan 2: PurchaseRatePlan",
		`"lists":[{}]`: "list 1: CreateList",
		`"namespaces":[{"name":"a"},{"name":""}]`:  "namespace 2: CreateKvNamespace",
		`"namespaces":[{"name":"a","pairs":[{}]}]`: "namespace a: key 1: PutKv",
		`"routines":[{}]`:                          "routine 1: CreateRoutine",
		`"sites":[{"access":"NS"}]`:                "site 1: CreateSite",
		`"things":[{"kind":"Nothing"}]`:            "thing 1 (Nothing): there is no kind",
		`"traffic":[{"from":"-1h","to":"-1m"}]`:    "traffic 1: count is",
		`"sites":[{"name":"a.example","access":"NS","coverage":"overseas","records":[{"name":"t.a.example","type":"TXT","ttl":-7,"data":{"Value":"x"}}]}]`: "site a.example: record t.a.example: Record.TTLExceedLimit",
		`"sites":[{"name":"a.example","access":"NS","coverage":"overseas","records":[{"id":"r"}]}]`:                                                        "site a.example: record 1: CreateRecord",
	} {
		a, err := account.Read(strings.NewReader(`{"format":1,` + text + `}`))
		require.NoError(t, err, text)
		_, err = Start(t.Context(), Options{Seed: &a})
		require.ErrorContains(t, err, "seed the account: "+want, text)
	}
}
