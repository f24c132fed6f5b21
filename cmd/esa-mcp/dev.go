package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"github.com/esa-mcp/esa-mcp/internal/mcpserver"
	"github.com/esa-mcp/esa-mcp/tools"
)

// devListen is where a project is served: the port that projects for ESA expect.
const devListen = "127.0.0.1:18080"

// devSettings are the arguments and flags of dev.
type devSettings struct {
	dir, listen, entry, notFoundStrategy, upstream string
}

func newDev(s *settings, std streams) *cobra.Command {
	var o devSettings
	cmd := &cobra.Command{
		Use:   "dev DIR",
		Short: "Serve a Pages or routine project with live reload, offline",
		Long: `dev serves the project in DIR as deploy_pages would deploy it: its files, its
not-found strategy and its edge function, on a local ESA in memory, without an
account. DIR is a project with esa.jsonc or esa.toml, or the folder of a built site.

When a file changes, it builds and deploys again and pages that are open in a
browser reload. What does not build is printed with its file and line, and the
last version that did stays up. What the function writes to the console is
printed too.

kv.json in DIR gives EdgeKV its first content: {"NAMESPACE": {"KEY": VALUE}}. Texts
are stored as they are, other values as JSON. When the file changes, what is new or
other in it is stored, and what is no longer in it is deleted; all else stays as the
function left it, and is gone at the end.

The origin behind the project is that of --local-upstream, or else dev.localUpstream
of the configuration, such as localhost:3000 or https://www.example.com: the function
sees requests as of that host, and fetch(request) goes there. Without one, fetch() of
the request's own host fails. The port is that of --listen, or else dev.port.`,
		Example: `  esa-mcp dev ./my-project
  esa-mcp dev ./dist --not-found-strategy SinglePageApplication --listen 127.0.0.1:3000`,
		Args: takes(1, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			outliveReaders()
			o.dir = args[0]
			return dev(cmd.Context(), s, std, o, cmd.Flags().Changed("listen"))
		},
	}
	f := cmd.Flags()
	f.StringVar(&o.listen, "listen", devListen, "address to serve on; port 0 takes a free one. Other than loopback addresses can be reached by your network")
	f.StringVar(&o.entry, "entry", "", "file of the edge function, relative to DIR (default: entry of the configuration)")
	f.StringVar(&o.notFoundStrategy, "not-found-strategy", "", "SinglePageApplication or 404Page (default: assets.notFoundStrategy of the configuration)")
	f.StringVar(&o.upstream, "local-upstream", "", "origin that fetch(request) goes to, by name (default: dev.localUpstream of the configuration)")
	return cmd
}

// developer builds, deploys and tells.
type developer struct {
	devSettings
	session *mcpserver.Session
	front   *devFront
	print   *printer

	name, version, previous string // of the routine: what is live, and what was before
	broken                  bool
	told                    map[string]bool // notes that were printed
	kv                      kvContent       // from kv.json
}

func dev(ctx context.Context, s *settings, std streams, o devSettings, listenGiven bool) error {
	if s.endpoint != "" {
		return fmt.Errorf("dev always works on a local ESA of its own; leave --endpoint out")
	}
	if info, err := os.Stat(o.dir); err == nil && !info.IsDir() {
		return failed("%s is a file: give the project's folder", o.dir)
	}
	config, err := tools.LoadProject(o.dir)
	if err != nil {
		return failed("%w", err)
	}
	seed, err := readKV(o.dir)
	if err != nil {
		return failed("%w", err)
	}
	if o.notFoundStrategy, err = tools.ParseNotFoundStrategy(o.notFoundStrategy); err != nil {
		return fmt.Errorf("--not-found-strategy: %w", err)
	}
	upstream, err := o.origin(config)
	if err != nil {
		return err
	}
	port, err := config.DevPort()
	if err != nil {
		return failed("%w", err)
	}
	if port != 0 && !listenGiven {
		o.listen = net.JoinHostPort("127.0.0.1", strconv.Itoa(port))
	}
	l, err := net.Listen("tcp", o.listen)
	if err != nil {
		return failed("%w. If another program has the port, choose one with --listen, such as --listen 127.0.0.1:0 for a free one", err)
	}
	defer l.Close()

	// Only a few tools are called, and all that it changes is in memory.
	s.local, s.localDir, s.toolsets, s.readOnly = true, ":memory:", "pages,routines,kv", false
	out := &printer{streams: std}
	a, err := newApp(ctx, s, appOptions{openDefaultDomain: true, confirmed: true, wait: true, seed: seed, console: out.console, origin: upstream})
	if err != nil {
		return err
	}
	defer a.close()
	session, err := a.connect(ctx)
	if err != nil {
		return failed("connect an MCP client: %w", err)
	}
	defer session.Close()
	front, err := newDevFront(a.local.Info().Edge, l.Addr(), upstream)
	if err != nil {
		return failed("%w", err)
	}
	d := &developer{devSettings: o, session: session, front: front, print: out, told: map[string]bool{}, kv: kvContentOf(seed)}

	seen := lookThrough(o.dir)
	d.build(ctx, "")
	server := &http.Server{Handler: front, ReadHeaderTimeout: 10 * time.Second, BaseContext: func(net.Listener) context.Context { return ctx }}
	defer server.Close()
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	go func() { stop(failed("serve: %w", server.Serve(l))) }()
	out.say("open http://%s/", l.Addr())
	for {
		changed, err := waitForChange(ctx, o.dir, seen)
		switch cause := context.Cause(ctx); {
		case cause != nil && !errors.Is(cause, context.Canceled):
			return cause
		case cause != nil:
			return nil
		case err != nil:
			return failed("%w", err)
		}
		seen = changed.now
		d.build(ctx, changed.names())
		if slices.Contains(changed.paths, kvFile) {
			d.readKV(ctx)
		}
	}
}

// origin is where fetch(request) goes; nil if nothing says.
func (o devSettings) origin(config tools.ProjectConfig) (*url.URL, error) {
	if o.upstream == "" {
		u, err := config.DevUpstream()
		if err != nil {
			return nil, failed("%w", err)
		}
		return u, nil
	}
	u, err := tools.ParseUpstream(o.upstream)
	if err != nil {
		return nil, fmt.Errorf("--local-upstream %s: %w", o.upstream, err)
	}
	return u, nil
}

// build deploys the project once and says how that went. What cannot be built
// changes nothing of what is served.
func (d *developer) build(ctx context.Context, why string) {
	began := time.Now()
	out, err := d.deploy(ctx)
	if ctx.Err() != nil {
		return
	}
	if err == nil && out.Status == tools.StatusLive {
		err = d.front.show(out.URL)
	}
	if err != nil {
		d.broken = true
		d.front.fail(err.Error())
		what := "; the version before stays up"
		if d.version == "" {
			what = ""
		}
		d.print.problem("not built%s:\n%s", what, err)
		return
	}
	for _, note := range out.Notes {
		if text := "note: " + note.Text; note.ID != tools.NoteSkipped && !d.told[text] {
			d.told[text] = true
			d.print.say("%s", text)
		}
	}
	took := time.Since(began).Milliseconds()
	switch {
	case out.Status == tools.StatusLive && why == "":
		d.print.say("built in %d ms: %d files, %d bytes", took, out.Files, out.Bytes)
	case out.Status == tools.StatusLive:
		d.print.say("rebuilt in %d ms: %s", took, why)
	case d.broken:
		d.print.say("builds again, in %d ms: it is what is up already", took)
	}
	d.broken = false
	if out.Status == tools.StatusLive {
		d.forget(ctx, out)
	}
}

// deploy makes what is in the folder now live.
func (d *developer) deploy(ctx context.Context) (out tools.DeployOutput, err error) {
	config, err := tools.LoadProject(d.dir)
	if err != nil {
		return out, err
	}
	arguments := map[string]string{"name": cmp.Or(config.Name, nameOf(d.dir)), "path": d.dir, "environment": "production"}
	if d.entry != "" {
		arguments["entry"] = d.entry
	}
	if d.notFoundStrategy != "" {
		arguments["not_found_strategy"] = d.notFoundStrategy
	}
	err = d.call(ctx, "deploy_pages", arguments, &out)
	if err == nil && out.Status != tools.StatusLive && out.Status != tools.StatusUnchanged {
		err = fmt.Errorf("version %s is not live, it is %s", out.Version, out.Status)
	}
	return out, err
}

// forget deletes old versions, of which ESA keeps ten. The one before stays for
// requests that are under way.
func (d *developer) forget(ctx context.Context, live tools.DeployOutput) {
	if live.Name != d.name {
		d.name, d.version, d.previous = live.Name, live.Version, ""
		return
	}
	if live.Version == d.version {
		return
	}
	if d.previous != "" && d.previous != live.Version {
		if err := d.call(ctx, "delete_routine_version", map[string]string{"name": d.name, "version": d.previous}, nil); err != nil {
			d.print.problem("the old version %s could not be deleted: %v", d.previous, err)
		}
	}
	d.version, d.previous = live.Version, d.version
}

// call calls a tool as an MCP client would and decodes its result into out, if
// that is not nil.
func (d *developer) call(ctx context.Context, tool string, arguments map[string]string, out any) error {
	text, err := json.Marshal(arguments)
	if err != nil {
		return err
	}
	result, err := d.session.CallTool(ctx, tool, text, nil)
	if err != nil {
		return fmt.Errorf("call %s: %w", tool, err)
	}
	if result.IsError {
		return errors.New(result.Text)
	}
	if out == nil {
		return nil
	}
	return json.Unmarshal(result.Structured, out)
}

// nameOf makes a routine's name of a folder's.
func nameOf(dir string) string {
	abs, err := filepath.Abs(dir)
	if err != nil {
		abs = dir
	}
	name := regexp.MustCompile(`[^a-z0-9]+`).ReplaceAllString(strings.ToLower(filepath.Base(abs)), "-")
	name = strings.TrimLeft(name, "-0123456789")
	name = strings.TrimRight(name[:min(len(name), 40)], "-")
	if len(name) < 2 {
		return "dev"
	}
	return name
}

// printer writes lines, whole ones, from several goroutines.
type printer struct {
	streams
	mu sync.Mutex
}

func (p *printer) say(format string, args ...any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	fmt.Fprintf(p.out, format+"\n", args...)
}

func (p *printer) problem(format string, args ...any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	fmt.Fprintf(p.err, format+"\n", args...)
}

// console prints what a routine wrote to its console.
func (p *printer) console(_, level, message string) {
	if level == "error" || level == "warn" {
		p.problem("console.%s: %s", level, message)
		return
	}
	p.say("console.%s: %s", level, message)
}
