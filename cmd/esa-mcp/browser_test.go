//go:build browser

package main

import (
	"bufio"
	"context"
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

// openBrowser starts headless Chromium, for a minute at most.
func openBrowser(t *testing.T, more ...chromedp.ExecAllocatorOption) context.Context {
	t.Helper()
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.NoSandbox, chromedp.DisableGPU,
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true), chromedp.WindowSize(1000, 800))
	ctx, stop := chromedp.NewExecAllocator(t.Context(), append(options, more...)...)
	t.Cleanup(stop)
	ctx, stop = chromedp.NewContext(ctx)
	t.Cleanup(stop)
	ctx, stop = context.WithTimeout(ctx, time.Minute)
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
	ctx := openBrowser(t)
	do(t, ctx, chromedp.Navigate(esa.Info().Console))
	do(t, ctx, chromedp.WaitVisible("#sites table"))
	require.Equal(t, "Local ESA", do(t, ctx, chromedp.Text("h1")))
	require.Contains(t, do(t, ctx, chromedp.Text("#sites")), "shop.example")
	require.Contains(t, do(t, ctx, chromedp.Text("#kv")), "theme")
	require.Equal(t, "10px", do(t, ctx, chromedp.Evaluate[string](`getComputedStyle(document.querySelector("#sites")).borderTopLeftRadius`)), "the style applies")
	out := filepath.Join("..", "..", "out")
	require.NoError(t, os.MkdirAll(out, 0o755))
	require.NoError(t, os.WriteFile(filepath.Join(out, "console.png"), do(t, ctx, chromedp.FullScreenshot(100)), 0o644))
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
		}, 20*time.Second, 50*time.Millisecond, "%s never became %q", selector, want)
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
