package edge

import (
	"bytes"
	"io"
	"slices"
	"strings"

	"github.com/esa-mcp/esa-mcp/internal/catalog"
	"github.com/esa-mcp/esa-mcp/internal/local/agent"
	"github.com/esa-mcp/esa-mcp/internal/local/attack"
	"github.com/esa-mcp/esa-mcp/internal/local/edge/plan"
)

// judge is a rule as it applies to a request that its condition holds for; nil if
// it does not apply after all, by what the request has in it or what came before.
func (x *exchange) judge(t *plan.SecurityRule, skip []*plan.SecurityRule) *plan.SecurityRule {
	applies := true
	switch {
	case t.Phase == plan.PhaseManaged:
		return x.detect(t, skip)
	case t.Bots != "":
		applies = (t.Static || !catalog.CachedByDefault(x.asked.URL.Path)) && x.botClass() == t.Bots
	case t.Scanners:
		applies = attack.IsScanner(x.asked.UserAgent())
	case t.Limit != nil && t.Limit.Scans():
		applies = x.scans.caught(x.counter(t), x.now)
	case t.Limit != nil:
		applies = x.over(t)
	}
	if !applies {
		return nil
	}
	return t
}

// detect looks for attacks, and takes the action of the first managed rule that
// does more than watch. All that find something are noted.
func (x *exchange) detect(t *plan.SecurityRule, skip []*plan.SecurityRule) *plan.SecurityRule {
	found := attack.Found(x.suspect(), func(id int64) bool { return t.Managed[id] != "" && !pastManaged(skip, id) })
	if len(found) == 0 {
		return nil
	}
	as := *t
	as.Action = ""
	for _, r := range found {
		x.apply("waf managed", r.ID)
		if as.Action == "" || watches(as.Action) {
			as.Action, as.Name = t.Managed[r.ID], r.Name
		}
	}
	if !watches(as.Action) {
		for _, r := range found {
			x.blocked = append(x.blocked, r.ID)
		}
	}
	return &as
}

// watches reports whether an action lets the request go on.
func watches(action string) bool {
	return slices.Contains([]string{"monitor", "observe", "log"}, action)
}

// pastManaged reports whether a whitelist rule lets the request past a managed
// rule, by its id or its kind.
func pastManaged(skip []*plan.SecurityRule, id int64) bool {
	return slices.ContainsFunc(skip, func(w *plan.SecurityRule) bool {
		return slices.Contains(w.SkipManaged, id) || slices.ContainsFunc(w.SkipTypes, attack.One(id).Is)
	})
}

// suspect is the request as the search for attacks looks at it, taken apart once.
func (x *exchange) suspect() *attack.Request {
	if x.suspected == nil {
		r := x.asked
		x.suspected = &attack.Request{Method: r.Method, Host: x.host.Name, Path: r.URL.EscapedPath(), Query: r.URL.RawQuery, Header: r.Header, Form: x.facts().Form}
		if x.suspected.Form == nil && r.ContentLength != 0 {
			x.suspected.Body = x.peek(attack.MaxBody)
		}
	}
	return x.suspected
}

// peek reads the beginning of the body without taking it from the origin.
func (x *exchange) peek(limit int64) []byte {
	body := x.r.Body
	text, err := io.ReadAll(io.LimitReader(body, limit))
	again := io.MultiReader(bytes.NewReader(text), body)
	if err != nil {
		again = io.MultiReader(bytes.NewReader(text), failing{err})
	}
	x.r.Body = struct {
		io.Reader
		io.Closer
	}{again, body}
	return text
}

// failing is a body that broke off.
type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

// botClass tells what a visitor is by what he says of himself: the service knows
// crawlers by their addresses, too, and judges behaviour.
func (x *exchange) botClass() string {
	name := strings.ToLower(x.asked.UserAgent())
	says := func(words ...string) bool {
		return slices.ContainsFunc(words, func(word string) bool { return strings.Contains(name, word) })
	}
	switch {
	case says("googlebot", "bingbot", "baiduspider", "yandexbot", "duckduckbot", "applebot", "yahoo! slurp", "sogou", "360spider", "petalbot"):
		return plan.BotsVerified
	case name == "", attack.IsScanner(name), agent.Read(x.asked.UserAgent()).Browser == "Bot",
		says("curl/", "wget/", "python", "go-http-client", "java/", "okhttp", "httpclient", "axios", "node-fetch", "undici", "libwww", "scrapy",
			"aiohttp", "httpx", "headless", "phantomjs", "puppeteer", "selenium", "playwright"):
		return plan.BotsDefinite
	case !strings.HasPrefix(name, "mozilla/"), x.asked.Header.Get("Accept") == "", x.asked.Header.Get("Accept-Language") == "":
		return plan.BotsLikely
	}
	return ""
}
