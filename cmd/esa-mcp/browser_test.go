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

	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.NoSandbox, chromedp.DisableGPU,
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true), chromedp.WindowSize(1000, 800))
	ctx, stop := chromedp.NewExecAllocator(t.Context(), options...)
	defer stop()
	ctx, stop = chromedp.NewContext(ctx)
	defer stop()
	ctx, stop = context.WithTimeout(ctx, time.Minute)
	defer stop()

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

// do runs one step in the browser and returns what it gives.
func do[T any](t *testing.T, ctx context.Context, step chromedp.Action[T]) T {
	t.Helper()
	v, err := chromedp.Run(ctx, step)
	require.NoError(t, err)
	return v
}
