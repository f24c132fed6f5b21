//go:build browser

package main

import (
	"bufio"
	"context"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"

	"github.com/esa-mcp/esa-mcp/internal/local"
	described "github.com/esa-mcp/esa-mcp/internal/local/account"
	"github.com/esa-mcp/esa-mcp/tools"
)

// TestBrowserShowsTheDemo opens the demo's address in headless Chromium and looks
// at what a person would see: text, style, image, the script's work, a link to a
// page with a Chinese name. The screenshot goes to out/demo.png.
func TestBrowserShowsTheDemo(t *testing.T) {
	demo := exec.CommandContext(t.Context(), binary, "demo")
	demo.Env = environment()
	stdout, err := demo.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, demo.Start())
	t.Cleanup(func() { demo.Process.Signal(os.Interrupt); demo.Wait() })
	address := ""
	for lines := bufio.NewScanner(stdout); address == "" && lines.Scan(); {
		if rest, ok := strings.CutPrefix(lines.Text(), "open "); ok {
			address = strings.TrimSpace(rest)
		}
	}
	require.NotEmpty(t, address)

	ctx := openBrowser(t)
	do(t, ctx, chromedp.Navigate(address))
	do(t, ctx, chromedp.WaitVisible("h1"))
	require.Equal(t, "Hello from the edge", do(t, ctx, chromedp.Text("h1")))
	require.Equal(t, "script ran", do(t, ctx, chromedp.Text("#status")))
	require.Equal(t, "rgb(11, 110, 110)", do(t, ctx, chromedp.Evaluate[string](`getComputedStyle(document.querySelector("h1")).color`)), "the style sheet applies")
	require.Equal(t, 640, do(t, ctx, chromedp.Evaluate[int](`document.querySelector("#picture").naturalWidth`)), "the image is shown")
	out := filepath.Join("..", "..", "out")
	require.NoError(t, os.MkdirAll(out, 0o755))
	require.NoError(t, os.WriteFile(filepath.Join(out, "demo.png"), do(t, ctx, chromedp.FullScreenshot(100)), 0o644))

	about := do(t, ctx, chromedp.Evaluate[string](`document.querySelector("#about").href`))
	require.Contains(t, about, "%E5%85%B3", "a link to the page with the Chinese name")
	do(t, ctx, chromedp.Navigate(about))
	do(t, ctx, chromedp.WaitVisible("h1"))
	require.NotEqual(t, "Hello from the edge", do(t, ctx, chromedp.Text("h1")))
}

// openBrowser starts headless Chromium, for some minutes at most.
func openBrowser(t *testing.T, more ...chromedp.ExecAllocatorOption) context.Context {
	t.Helper()
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.NoSandbox, chromedp.DisableGPU,
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true), chromedp.WindowSize(1000, 800),
		chromedp.WSURLReadTimeout(2*time.Minute))
	ctx, stop := chromedp.NewExecAllocator(t.Context(), append(options, more...)...)
	t.Cleanup(stop)
	ctx, stop = chromedp.NewContext(ctx)
	t.Cleanup(stop)
	ctx, stop = context.WithTimeout(ctx, 5*time.Minute)
	t.Cleanup(stop)
	return ctx
}

// TestBrowserShowsTheConsole opens the console of a seeded local ESA. The
// screenshot goes to out/console.png.
func TestBrowserShowsTheConsole(t *testing.T) {
	file, err := os.Open("../../testdata/accounts/small.json")
	require.NoError(t, err)
	defer file.Close()
	seed, err := described.Read(file)
	require.NoError(t, err)
	esa, err := local.Start(t.Context(), local.Options{Seed: &seed})
	require.NoError(t, err)
	t.Cleanup(func() { esa.Close() })
	info := esa.Info()
	s := start(t, environment("ALIBABA_CLOUD_ACCESS_KEY_ID="+info.AccessKeyID, "ALIBABA_CLOUD_ACCESS_KEY_SECRET="+info.AccessKeySecret),
		"--endpoint", info.Endpoint, "--toolsets", "all")
	callOK[tools.DeployOutput](t, s, "deploy_html", arguments{"name": "landing-page-of-the-shop", "html": "<p>hello"})
	callOK[tools.DeployOutput](t, s, "deploy_routine", arguments{"name": "api", "code": apiCode})
	callOK[map[string]any](t, s, "set_route", arguments{"routine": "api", "pattern": "www.shop.example/api/*", "name": "api"})
	for _, path := range []string{"/api/orders?with=details", "/a/rather/long/path/to/something/that/does/not/exist.html", "/"} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, info.Edge+path, nil)
		require.NoError(t, err)
		r.Host = "www.shop.example"
		ask(t, r, false).Body.Close()
	}
	ctx := openBrowser(t)
	do(t, ctx, chromedp.Navigate(info.Console))
	do(t, ctx, chromedp.WaitVisible("#sites table"))
	require.Equal(t, "Local ESA", do(t, ctx, chromedp.Text("h1")))
	require.Contains(t, do(t, ctx, chromedp.Text("#sites")), "shop.example")
	require.Contains(t, do(t, ctx, chromedp.Text("#kv")), "theme")
	require.Equal(t, "10px", do(t, ctx, chromedp.Evaluate[string](`getComputedStyle(document.querySelector("#sites")).borderTopLeftRadius`)), "the style applies")
	require.Contains(t, do(t, ctx, chromedp.Text("#routines")), "landing-page-of-the-shop")
	require.Contains(t, do(t, ctx, chromedp.Text("#requests")), "/api/orders")
	out := filepath.Join("..", "..", "out")
	require.NoError(t, os.MkdirAll(out, 0o755))
	for name, width := range map[string]int64{"console.png": 1000, "console-narrow.png": 390} {
		do(t, ctx, chromedp.EmulateViewport(width, 800))
		require.True(t, do(t, ctx, chromedp.Evaluate[bool](`document.documentElement.scrollWidth <= innerWidth`)), "nothing sticks out at %d pixels", width)
		require.NoError(t, os.WriteFile(filepath.Join(out, name), do(t, ctx, chromedp.FullScreenshot(100)), 0o644))
	}
}

// TestBrowserReloads opens a project that esa-mcp dev serves: the page changes by
// itself after an edit, and after one of its function.
func TestBrowserReloads(t *testing.T) {
	p := startDev(t, map[string]string{
		"esa.jsonc":         `{"name":"live","entry":"fn.js","assets":{"directory":"public"}}`,
		"public/index.html": `<!doctype html><h1>one</h1><p id="api"></p><script>fetch("/api").then((r) => r.text()).then((t) => { document.querySelector("#api").textContent = t; });</script>`,
		"fn.js":             `export default { fetch: () => new Response("first") }`,
	})
	ctx := openBrowser(t)
	shows := func(selector, want string) {
		t.Helper()
		require.Eventually(t, func() bool {
			got, err := chromedp.Run(ctx, chromedp.Evaluate[string](`document.querySelector("`+selector+`")?.textContent ?? ""`))
			return err == nil && got == want // in the middle of a reload there is no page
		}, time.Minute, 50*time.Millisecond, "%s never became %q", selector, want)
	}
	do(t, ctx, chromedp.Navigate(p.url))
	shows("h1", "one")
	shows("#api", "first")
	page, err := os.ReadFile(filepath.Join(p.dir, "public", "index.html"))
	require.NoError(t, err)
	p.write(t, "public/index.html", strings.Replace(string(page), "one", "two, by itself", 1))
	shows("h1", "two, by itself")
	p.write(t, "fn.js", `export default { fetch: () => new Response("second") }`)
	shows("#api", "second")
}

// do runs one step in the browser and returns what it gives.
func do[T any](t *testing.T, ctx context.Context, step chromedp.Action[T]) T {
	t.Helper()
	v, err := chromedp.Run(ctx, step)
	require.NoError(t, err)
	return v
}
