package console

import (
	"bytes"
	_ "embed"
	"fmt"
	"html/template"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/esa-mcp/esa-mcp/internal/local/analytics"
	"github.com/esa-mcp/esa-mcp/internal/local/fault"
)

// Path is where the page is. No path of the API begins with it.
const Path = "/console"

//go:embed page.html
var pageText string

// Config is what New needs.
type Config struct {
	// Snapshot reads what there is.
	Snapshot func(r *http.Request) (Snapshot, error)
	Requests *Requests
	Faults   *fault.Set
	// Link is the address of a routine's default domain on the edge, with what
	// opens it; empty if it has none.
	Link func(r *http.Request, routine string) string
	Now  func() time.Time
}

// view is what the page is made from.
type view struct {
	Snapshot
	Links    map[string]string
	Requests []analytics.Visit
	Faults   []fault.Entry
	At       time.Time
}

// New makes the handler of the page. It is for browsers on this machine: a page
// of elsewhere that gets its name resolved to here is turned away.
func New(cfg Config) http.Handler {
	page := template.Must(template.New("console").Funcs(template.FuncMap{
		"bytes": sizeText, "clock": func(t time.Time) string { return t.Local().Format("15:04:05") },
		"rules": func(text string) []string {
			return strings.FieldsFunc(text, func(r rune) bool { return r == ',' || r == ';' })
		},
		"short": short,
		"class": func(status int) string { return fmt.Sprintf("s%d", status/100) },
	}).Parse(pageText))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !local(r.Host) {
			http.Error(w, "open the console at its loopback address", http.StatusMisdirectedRequest)
			return
		}
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			http.Error(w, "the console only shows", http.StatusMethodNotAllowed)
			return
		}
		v := view{Requests: cfg.Requests.Last(), Faults: cfg.Faults.List(), Links: map[string]string{}, At: cfg.Now()}
		var err error
		if v.Snapshot, err = cfg.Snapshot(r); err != nil {
			http.Error(w, "the state could not be read", http.StatusInternalServerError)
			return
		}
		for _, routine := range v.Routines {
			if routine.Live {
				v.Links[routine.Name] = cfg.Link(r, routine.Name)
			}
		}
		var body bytes.Buffer
		if err := page.Execute(&body, v); err != nil {
			http.Error(w, "the page could not be made", http.StatusInternalServerError)
			return
		}
		h := w.Header()
		h.Set("Content-Type", "text/html; charset=utf-8")
		h.Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; frame-ancestors 'none'")
		h.Set("Cache-Control", "no-store")
		_, _ = w.Write(body.Bytes()) // a browser that is gone needs no page
	})
}

// maxText is how many characters of a visitor's text are shown.
const maxText = 300

func short(text string) string {
	if runes := []rune(text); len(runes) > maxText {
		return string(runes[:maxText]) + "…"
	}
	return text
}

// local reports whether a Host header names this machine.
func local(host string) bool {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	ip := net.ParseIP(strings.Trim(host, "[]"))
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

func sizeText(n int64) string {
	switch {
	case n >= 1<<20:
		return fmt.Sprintf("%.1f MB", float64(n)/(1<<20))
	case n >= 1<<10:
		return fmt.Sprintf("%.1f KB", float64(n)/(1<<10))
	}
	return fmt.Sprintf("%d B", n)
}
