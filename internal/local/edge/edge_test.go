package edge

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/esa-mcp/esa-mcp/internal/local/api"
	"github.com/esa-mcp/esa-mcp/internal/local/routine"
)

func open() Config { return Config{OpenDefaultDomain: true} }

func TestHosts(t *testing.T) {
	f := newFixture(t, open())
	f.deploy("site", "", "assets/index.html", "production")
	f.publish("site", "staging", f.site("site", "", "assets/index.html", "staging"))
	f.call("CreateRoutine", api.Params{"Name": "bare"})
	hash := f.store.Account().Hash
	tests := map[string]struct {
		status int
		body   string
	}{
		"site." + hash + ".er.localhost":              {200, "production"},
		"SITE." + hash + ".er.LOCALHOST:8080":         {200, "production"},
		"site." + hash + ".staging.er.localhost:8080": {200, "staging"},
		"other." + hash + ".er.localhost":             {404, `no routine named "other"`},
		"bare." + hash + ".er.localhost":              {404, `Nothing is deployed to the production environment of the routine "bare"`},
		"bare." + hash + ".staging.er.localhost":      {404, "staging environment"},
		"site.ffffffffff.er.localhost":                {404, `no host named "site.ffffffffff.er.localhost"`},
		"127.0.0.1:8080":                              {404, `no host named "127.0.0.1:8080"`},
		"<script>":                                    {404, "no host named"},
		"":                                            {404, "no host named"},
	}
	for host, want := range tests {
		t.Run(host, func(t *testing.T) {
			rec := f.do("GET", host, "/")
			require.Equal(t, want.status, rec.Code)
			require.Contains(t, rec.Body.String(), want.body)
			require.Equal(t, "ESA (local)", rec.Header().Get("Server"))
			if want.status == 404 {
				require.Equal(t, "text/plain; charset=utf-8", rec.Header().Get("Content-Type"))
				require.Equal(t, "nosniff", rec.Header().Get("X-Content-Type-Options"))
			}
		})
	}
}

func TestRedeployShowsAtOnce(t *testing.T) {
	f := newFixture(t, open())
	first := f.deploy("site", "", "assets/index.html", "one")
	rec := f.get("site", "/")
	require.Equal(t, "one", rec.Body.String())
	require.Equal(t, first, rec.Header().Get("X-Esa-Version"))
	require.Equal(t, "no-cache", rec.Header().Get("Cache-Control"))
	etag := rec.Header().Get("ETag")
	second := f.deploy("site", "", "assets/index.html", "two")
	rec = f.get("site", "/", "If-None-Match", etag)
	require.Equal(t, 200, rec.Code)
	require.Equal(t, "two", rec.Body.String())
	require.Equal(t, second, rec.Header().Get("X-Esa-Version"))
	f.call("DeleteRoutine", api.Params{"Name": "site"})
	require.Equal(t, 404, f.get("site", "/").Code)
}

func TestTwoProcesses(t *testing.T) {
	dir := t.TempDir()
	a, b := openFixture(t, dir, open()), openFixture(t, dir, open())
	for i := range 3 {
		body := fmt.Sprint("version ", i)
		a.deploy("site", "", "assets/index.html", body)
		require.Equal(t, body, b.get("site", "/").Body.String())
	}
	a.call("DeleteRoutine", api.Params{"Name": "site"})
	require.Equal(t, 404, b.get("site", "/").Code)
}

// TestVersionVanishes makes the pack go away behind the edge's cache.
func TestVersionVanishes(t *testing.T) {
	dir := t.TempDir()
	a, b := openFixture(t, dir, open()), openFixture(t, dir, open())
	a.deploy("site", "", "assets/index.html", "x")
	require.Equal(t, 200, b.get("site", "/").Code)
	_, err := a.store.DB().Exec(`UPDATE routine_versions SET status = 'failed'`)
	require.NoError(t, err)
	require.Equal(t, 503, a.get("site", "/").Code, "never asked before, so not cached")
}

func TestPercentages(t *testing.T) {
	var n atomic.Int64
	f := newFixture(t, Config{OpenDefaultDomain: true, Pick: func(int) int { return int(n.Add(1)-1) % 100 }})
	old := f.site("site", "", "assets/index.html", "old")
	fresh := f.site("site", "", "assets/index.html", "new")
	f.call("CreateRoutineCodeDeployment", api.Params{"Name": "site", "Env": "production", "Strategy": "percentage",
		"CodeVersions": fmt.Sprintf(`[{"CodeVersion":%q,"Percentage":80},{"CodeVersion":%q,"Percentage":20}]`, old, fresh)})
	got := map[string]int{}
	for range 200 {
		got[f.get("site", "/").Body.String()]++
	}
	require.Equal(t, map[string]int{"old": 160, "new": 40}, got)
}

func TestAccess(t *testing.T) {
	f := newFixture(t, Config{})
	f.deploy("site", "", "assets/index.html", "page", "assets/a.css", "css")
	f.deploy("other", "", "assets/index.html", "other page")
	token := f.call("GetRoutineAccessToken", api.Params{"Name": "site"})["Token"].(string)
	foreign := f.call("GetRoutineAccessToken", api.Params{"Name": "other"})["Token"].(string)
	tests := map[string]struct {
		target, cookie string
		status         int
	}{
		"nothing":            {"/", "", 401},
		"query":              {"/?a=1&esa_er_token=" + token, "", 200},
		"cookie":             {"/a.css", token, 200},
		"wrong query":        {"/?esa_er_token=x", "", 401},
		"wrong cookie":       {"/", "x", 401},
		"of another routine": {"/?esa_er_token=" + foreign, foreign, 401},
		"stale query":        {"/?esa_er_token=x", token, 200},
		"empty":              {"/?esa_er_token=", "", 401},
		"missing file":       {"/none", token, 404},
		"missing, no token":  {"/none", "", 401},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			var header []string
			if tt.cookie != "" {
				header = []string{"Cookie", "x=y; esa_er_token=" + tt.cookie}
			}
			rec := f.get("site", tt.target, header...)
			require.Equal(t, tt.status, rec.Code)
			set := rec.Header().Get("Set-Cookie")
			if strings.Contains(tt.target, token) {
				require.Equal(t, "esa_er_token="+token+"; Path=/; Max-Age=3600; HttpOnly; SameSite=Lax", set)
			} else {
				require.Empty(t, set)
			}
			if tt.status == 401 {
				require.Contains(t, rec.Body.String(), "GetRoutineAccessToken")
				require.NotContains(t, rec.Body.String(), foreign)
			}
		})
	}
	two := f.get("site", "/", "Cookie", "esa_er_token="+foreign+"; esa_er_token="+token)
	require.Equal(t, 200, two.Code)
	require.Equal(t, 401, f.do("HEAD", f.host("site"), "/").Code)

	f.wait(time.Hour)
	rec := f.get("site", "/?esa_er_token="+token, "Cookie", "esa_er_token="+token)
	require.Equal(t, 401, rec.Code)
	require.Contains(t, rec.Body.String(), "expired")
}

func TestTokenIsNotLogged(t *testing.T) {
	var log bytes.Buffer
	f := newFixture(t, Config{Logger: slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))})
	f.deploy("site", "", "assets/dir/index.html", "page")
	token := f.call("GetRoutineAccessToken", api.Params{"Name": "site"})["Token"].(string)
	for _, target := range []string{"/dir", "/dir/", "/none"} {
		f.get("site", target+"?esa_er_token="+token, "Cookie", "esa_er_token="+token)
	}
	text := log.String()
	require.Equal(t, 3, strings.Count(text, "edge request"))
	require.Contains(t, text, "path=/dir/ status=200 bytes=4")
	require.NotContains(t, text, token)
}

func TestConcurrentRequestsAndDeployments(t *testing.T) {
	f := openFixture(t, t.TempDir(), open())
	server := httptest.NewServer(f.edge)
	defer server.Close()
	a := f.deploy("site", "", "assets/index.html", strings.Repeat("a", 100_000))
	b := f.site("site", "", "assets/index.html", strings.Repeat("b", 100_000))
	var wg sync.WaitGroup
	errs := make([]error, 4)
	for i := range errs {
		wg.Go(func() {
			for range 25 {
				if errs[i] = readWhole(f.host("site"), server.URL); errs[i] != nil {
					return
				}
			}
		})
	}
	for i := range 10 {
		v := []string{a, b}[i%2]
		_, err := f.svc.Table()["PublishRoutineCodeVersion"](context.Background(),
			&api.Request{Params: api.Params{"Name": "site", "Env": "production", "CodeVersion": v}})
		require.NoError(t, err)
	}
	wg.Wait()
	for _, err := range errs {
		require.NoError(t, err)
	}
}

// readWhole checks that a page is of one version only.
func readWhole(host, url string) error {
	req, err := http.NewRequest("GET", url, nil)
	if err != nil {
		return err
	}
	req.Host = host
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return err
	}
	if resp.StatusCode != 200 || len(body) != 100_000 || strings.Trim(string(body), string(body[0])) != "" {
		return fmt.Errorf("status %d, %d bytes", resp.StatusCode, len(body))
	}
	return nil
}

func BenchmarkGet(b *testing.B) {
	f := openFixture(b, b.TempDir(), open())
	f.deploy("site", "", "assets/index.html", strings.Repeat("x", 10<<10))
	host := f.svc.DefaultDomain("site", routine.Production)
	b.ReportAllocs()
	for b.Loop() {
		if rec := f.do("GET", host, "/"); rec.Code != 200 {
			b.Fatal(rec.Code)
		}
	}
}
