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

	var heading, status, font string
	var imageWidth, links int
	var picture []byte
	require.NoError(t, chromedp.Run(ctx,
		chromedp.Navigate(address),
		chromedp.WaitVisible("h1"),
		chromedp.Text("h1", &heading),
		chromedp.Text("#status", &status),
		chromedp.Evaluate(`getComputedStyle(document.body).fontFamily`, &font),
		chromedp.Evaluate(`Math.max(0, ...[...document.images].map(i => i.naturalWidth))`, &imageWidth),
		chromedp.Evaluate(`document.querySelectorAll("a[href]").length`, &links),
		chromedp.FullScreenshot(&picture, 90),
	))
	require.NotEmpty(t, heading)
	require.Contains(t, status, "script ran")
	require.NotContains(t, strings.ToLower(font), "times", "the style sheet applies")
	require.Positive(t, imageWidth, "the image is shown")
	require.GreaterOrEqual(t, links, 2)
	out := filepath.Join("..", "..", "out")
	require.NoError(t, os.MkdirAll(out, 0o755))
	require.NoError(t, os.WriteFile(filepath.Join(out, "demo.png"), picture, 0o644))

	var chinese string
	require.NoError(t, chromedp.Run(ctx,
		chromedp.Evaluate(`[...document.querySelectorAll("a[href]")].map(a => a.href).find(h => /%E5|%E4|[^\x00-\x7f]/.test(h)) || ""`, &chinese)))
	require.NotEmpty(t, chinese, "a link to the page with the Chinese name")
	require.NoError(t, chromedp.Run(ctx, chromedp.Navigate(chinese), chromedp.WaitVisible("h1"), chromedp.Text("h1", &heading)))
	require.NotEmpty(t, heading)
}
