package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/esa-mcp/esa-mcp/internal/mcpserver"
	"github.com/esa-mcp/esa-mcp/testdata/sites"
	"github.com/esa-mcp/esa-mcp/tools"
)

const demoName = "hello"

func newDemo(s *settings, std streams) *cobra.Command {
	var once bool
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "Deploy a sample site on the local ESA, check it and keep it up",
		Long: `demo tells the whole story without an account: it starts a local ESA, speaks MCP
to this server as a client would, deploys a sample site with deploy_pages,
fetches every file from the edge and compares it byte for byte, prints the
address and keeps the edge up until it is interrupted.`,
		Args: takes(0, 0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			s.local = true
			if !cmd.Flags().Changed("local-dir") {
				s.localDir = ":memory:"
			}
			return demo(cmd.Context(), s, std.out, once)
		},
	}
	cmd.Flags().BoolVar(&once, "once", false, "exit when the site has been checked")
	return cmd
}

func demo(ctx context.Context, s *settings, out io.Writer, once bool) error {
	if s.endpoint != "" {
		return fmt.Errorf("demo always works on the local ESA; leave --endpoint out")
	}
	step := func(name, format string, args ...any) {
		fmt.Fprintf(out, "%-14s %s\n", name, fmt.Sprintf(format, args...))
	}
	a, err := newApp(ctx, s, appOptions{openDefaultDomain: true, wait: true})
	if err != nil {
		return err
	}
	defer a.close()
	step("local ESA", "API %s, edge %s", a.local.Info().Endpoint, a.local.Info().Edge)

	session, err := a.connect(ctx)
	if err != nil {
		return failed("connect an MCP client: %w", err)
	}
	defer session.Close()
	list, err := session.ListTools(ctx)
	if err != nil {
		return failed("list the tools: %w", err)
	}
	step("MCP", "connected to esa %s, %d tools", a.build.Version, len(list))

	folder, err := unpackSample()
	if err != nil {
		return failed("unpack the sample site: %w", err)
	}
	defer os.RemoveAll(filepath.Dir(folder))
	began := time.Now()
	result, err := demoDeploy(ctx, session, folder, func(message string) { step("deploy_pages", "%s", message) })
	if err != nil {
		return err
	}
	step("deploy_pages", "%s: %d files, %d bytes, version %s, in %d ms", result.Status, result.Files, result.Bytes,
		result.Version, time.Since(began).Milliseconds())
	files, size, err := compareSite(ctx, folder, result.URL, a.local.Info().Edge)
	if err != nil {
		return failed("compare the site with its files: %w", err)
	}
	step("fetch", "%d files, %d bytes over HTTP: every byte as on disk", files, size)
	step("open", "%s", result.URL)
	if once {
		return nil
	}
	fmt.Fprintln(out, "\nThe edge stays up. Press Ctrl-C to stop.")
	<-ctx.Done()
	return nil
}

// unpackSample writes the embedded site to a folder in a temporary one.
func unpackSample() (string, error) {
	dir, err := os.MkdirTemp("", "esa-mcp-demo-")
	if err != nil {
		return "", err
	}
	site, err := fs.Sub(sites.Hello, "hello")
	if err != nil {
		return "", err
	}
	folder := filepath.Join(dir, "hello")
	if err := os.CopyFS(folder, site); err != nil {
		os.RemoveAll(dir)
		return "", err
	}
	return folder, nil
}

func demoDeploy(ctx context.Context, session *mcpserver.Session, folder string, say func(string)) (tools.DeployOutput, error) {
	var out tools.DeployOutput
	arguments, err := json.Marshal(map[string]string{"name": demoName, "path": folder, "not_found_strategy": "404Page"})
	if err != nil {
		return out, err
	}
	last := ""
	result, err := session.CallTool(ctx, "deploy_pages", arguments, func(_, _ float64, message string) {
		if phase, _, _ := strings.Cut(message, ":"); phase != last {
			last = phase
			say(message)
		}
	})
	if err != nil {
		return out, failed("call deploy_pages: %w", err)
	}
	if result.IsError {
		return out, failed("deploy_pages: %s", result.Text)
	}
	if err := json.Unmarshal(result.Structured, &out); err != nil {
		return out, failed("read the result of deploy_pages: %w", err)
	}
	return out, nil
}

// compareSite fetches every file of the folder from the site and compares bytes.
func compareSite(ctx context.Context, folder, site, edge string) (files int, size int64, err error) {
	base, err := url.Parse(site)
	if err != nil {
		return 0, 0, err
	}
	edgeURL, err := url.Parse(edge)
	if err != nil {
		return 0, 0, err
	}
	// Browsers take *.localhost for loopback; resolvers need not.
	transport := &http.Transport{DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, network, edgeURL.Host)
	}}
	defer transport.CloseIdleConnections()
	client := &http.Client{Transport: transport, Timeout: 30 * time.Second}
	err = filepath.WalkDir(folder, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		rel, err := filepath.Rel(folder, path)
		if err != nil {
			return err
		}
		want, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		got, err := get(ctx, client, base.JoinPath(strings.Split(filepath.ToSlash(rel), "/")...))
		if err != nil {
			return fmt.Errorf("%s: %w", rel, err)
		}
		if !bytes.Equal(got, want) {
			return fmt.Errorf("%s: the edge serves other bytes than the file has", rel)
		}
		files++
		size += int64(len(got))
		return nil
	})
	return files, size, err
}

func get(ctx context.Context, client *http.Client, u *url.URL) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return nil, err
	}
	res, err := client.Do(req)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("the edge answers %s", res.Status)
	}
	return io.ReadAll(res.Body)
}
