//go:build browser

package main

import (
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"

	"github.com/esa-mcp/esa-mcp/internal/local"
	"github.com/esa-mcp/esa-mcp/tools"
)

const spaPage = `<!doctype html><title>spa</title><h1 id="path"></h1><p id="api">waiting</p><p id="safe"></p><a id="next" href="/items/7?a=b">next</a>
<script src="/app.js"></script>`

const spaScript = `
const show = () => { document.querySelector("#path").textContent = location.pathname + location.search; };
document.querySelector("#next").addEventListener("click", (e) => { e.preventDefault(); history.pushState({}, "", e.target.href); show(); });
document.querySelector("#safe").textContent = String(isSecureContext);
show();
fetch("/api/hello?x=1").then((r) => r.json()).then((a) => { document.querySelector("#api").textContent = a.method + " " + a.path + " " + a.scheme; });
`

const apiCode = `export default { async fetch(request) {
	const url = new URL(request.url);
	return Response.json({ method: request.method, path: url.pathname + url.search, scheme: url.protocol });
} }`

// TestBrowserShowsASinglePageApplication has an agent put a single page
// application and a function behind /api/ on a host of a site, with a
// certificate, and opens deep links of it over HTTPS in headless Chromium, into
// which the local authority was imported.
func TestBrowserShowsASinglePageApplication(t *testing.T) {
	esa, err := local.Start(t.Context(), local.Options{})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, esa.Close()) })
	info := esa.Info()
	s := start(t, environment("ALIBABA_CLOUD_ACCESS_KEY_ID="+info.AccessKeyID, "ALIBABA_CLOUD_ACCESS_KEY_SECRET="+info.AccessKeySecret),
		"--endpoint", info.Endpoint, "--toolsets", "all")
	site := callOK[tools.SiteOutput](t, s, "create_site", arguments{"name": "shop.example", "access_type": "NS", "coverage": "overseas"})
	callOK[map[string]any](t, s, "verify_site", arguments{"site_id": site.ID})
	folder := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(folder, "index.html"), []byte(spaPage), 0o644))
	require.NoError(t, os.WriteFile(filepath.Join(folder, "app.js"), []byte(spaScript), 0o644))
	callOK[tools.DeployOutput](t, s, "deploy_pages", arguments{"name": "spa", "path": folder, "not_found_strategy": "SinglePageApplication"})
	callOK[tools.DeployOutput](t, s, "deploy_routine", arguments{"name": "api", "code": apiCode})
	// The function's route is made first, so that it is tried before that of the
	// whole host.
	callOK[map[string]any](t, s, "set_route", arguments{"routine": "api", "pattern": "www.shop.example/api/*", "name": "api"})
	callOK[map[string]any](t, s, "bind_custom_domain", arguments{"routine": "spa", "domain": "www.shop.example"})
	callOK[map[string]any](t, s, "apply_certificate", arguments{"site_id": site.ID, "domains": []string{"www.shop.example"}, "wait": true})

	edge, err := url.Parse(info.EdgeTLS)
	require.NoError(t, err)
	address := "https://www.shop.example:" + edge.Port()
	resolve := chromedp.Flag("host-resolver-rules", "MAP www.shop.example 127.0.0.1")
	stranger := openBrowser(t, resolve, chromedp.Env("HOME="+t.TempDir()))
	_, err = chromedp.Run(stranger, chromedp.Navigate(address))
	require.ErrorContains(t, err, "ERR_CERT_AUTHORITY_INVALID", "nobody trusts the local authority unasked")
	ctx := openBrowser(t, resolve, chromedp.Env("HOME="+homeWithAuthority(t, info.CAFile)))

	text := func(selector string) string { return do(t, ctx, chromedp.Text(selector)) }
	for _, path := range []string{"/", "/items/42?tab=b"} {
		do(t, ctx, chromedp.Navigate(address+path))
		do(t, ctx, chromedp.WaitVisible("#path"))
		require.Equal(t, path, text("#path"), "a deep link opens the application")
		require.Equal(t, "true", text("#safe"), "the connection is secure")
		require.Eventually(t, func() bool { return text("#api") == "GET /api/hello?x=1 https:" }, time.Minute, 20*time.Millisecond, "the function answers")
	}
	require.True(t, do(t, ctx, chromedp.Evaluate[bool](`(document.querySelector("#next").click(), true)`)))
	require.Equal(t, "/items/7?a=b", text("#path"))
	out := filepath.Join("..", "..", "out")
	require.NoError(t, os.MkdirAll(out, 0o755))
	require.NoError(t, os.WriteFile(filepath.Join(out, "spa.png"), do(t, ctx, chromedp.FullScreenshot(100)), 0o644))
}

// homeWithAuthority makes a home folder whose browsers trust a root certificate:
// it is imported as a person would import it.
func homeWithAuthority(t *testing.T, file string) string {
	t.Helper()
	home := t.TempDir()
	store := filepath.Join(home, ".pki", "nssdb")
	require.NoError(t, os.MkdirAll(store, 0o700))
	for _, args := range [][]string{
		{"-N", "--empty-password"},
		{"-A", "-t", "C,,", "-n", "local-esa", "-i", file},
	} {
		out, err := exec.CommandContext(t.Context(), "certutil", append([]string{"-d", "sql:" + store}, args...)...).CombinedOutput()
		require.NoError(t, err, "certutil %v (Debian's libnss3-tools): %s", args, out)
	}
	return home
}
