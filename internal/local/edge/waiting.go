package edge

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/esa-mcp/esa-mcp/internal/local/edge/plan"
	"github.com/esa-mcp/esa-mcp/internal/local/edge/room"
)

// waits sends a request that is on its way to a routine or to the origin into
// the waiting room of its address, and reports whether it has to stay there, and
// is answered. What the cache has needs no waiting.
func (x *exchange) waits() bool {
	if x.entered || len(x.host.Site.Rooms) == 0 {
		return false
	}
	x.entered = true
	r := x.host.Site.Room(x.host.Name, x.asked.URL.Path)
	if r == nil {
		return false
	}
	for _, rule := range r.Past {
		if rule.When.Match(x.facts) {
			x.apply("waiting_room bypass", rule.ID)
			return false
		}
	}
	x.apply("waiting_room", r.ID)
	s := r.At(x.now)
	if s.Event != 0 {
		x.apply("waiting_room_event", s.Event)
	}
	switch {
	case s.Method == plan.RoomPasses && !s.Hold:
		return false
	case s.Method == plan.RoomRejects && !s.Hold:
		x.waitingPage(s, room.Outcome{})
		return true
	}
	out := x.rooms.Enter(r.ID, s.Settings, cookieOf(x.asked, r.Cookie), x.now)
	if out.Token != "" {
		cookie := http.Cookie{Name: r.Cookie, Value: out.Token, Path: "/", Domain: r.Domain, MaxAge: int(out.Keep / time.Second),
			HttpOnly: true, Secure: x.scheme == "https", SameSite: http.SameSiteLaxMode}
		x.changes = append(x.changes, headerChange{"Set-Cookie", "add", cookie.String()})
	}
	if !out.In {
		x.waitingPage(s, out)
	}
	return !out.In
}

// waitingPage answers a visitor who has to wait, or who is rejected.
func (x *exchange) waitingPage(s plan.RoomSettings, out room.Outcome) {
	h := x.w.Header()
	h.Set(cacheStatusHeader, statusBypass)
	h.Set("Cache-Control", "no-store")
	refresh := int(room.Refresh / time.Second)
	if s.Method != plan.RoomRejects || s.Hold {
		h.Set("Refresh", strconv.Itoa(refresh))
	}
	var body []byte
	switch {
	case s.JSON && strings.Contains(x.asked.Header.Get("Accept"), "application/json"):
		h.Set("Content-Type", "application/json; charset=utf-8")
		body = waitingJSON(s, out, refresh)
	case s.Page != nil:
		h.Set("Content-Type", "text/html; charset=utf-8")
		body = s.Page
	default:
		h.Set("Content-Type", "text/html; charset=utf-8")
		body = waitingHTML(s, out)
	}
	h.Set("Content-Length", strconv.Itoa(len(body)))
	x.w.WriteHeader(s.Status)
	if x.r.Method != http.MethodHead {
		_, _ = x.w.Write(body) // fails if the visitor leaves, and nobody is left to tell
	}
}

// waitingJSON is the answer to programs. The service does not document its own.
func waitingJSON(s plan.RoomSettings, out room.Outcome, refresh int) []byte {
	text, _ := json.Marshal(struct { // of numbers and switches alone: never fails
		InWaitingRoom bool `json:"inWaitingRoom"`
		Rejected      bool `json:"rejected"`
		Position      int  `json:"position,omitempty"`
		Waiting       int  `json:"waiting"`
		WaitMinutes   int  `json:"waitTimeMinutes,omitempty"`
		Refresh       int  `json:"refreshIntervalSeconds"`
	}{true, rejects(s), placeOf(s, out), out.Queue, int(out.Wait / time.Minute), refresh})
	return text
}

func rejects(s plan.RoomSettings) bool { return s.Method == plan.RoomRejects && !s.Hold }

// placeOf is the place that a visitor is told: one in a random queue means
// nothing.
func placeOf(s plan.RoomSettings, out room.Outcome) int {
	if s.Random {
		return 0
	}
	return out.Place
}

// waitingWords are what the edge's own page says in a language: its title, that
// visitors are rejected, the place among all, the estimate, and that the page
// asks again.
type waitingWords struct{ lang, title, rejected, place, queue, wait, refresh string }

func wordsOf(language string) waitingWords {
	switch language {
	case "zhcn":
		return waitingWords{"zh-CN", "您正在排队", "目前无法访问,请稍后再试。", "您的位置:第 %d 位,共 %d 人等候。", "共 %d 人等候,按随机顺序放行。", "预计等候约 %d 分钟。", "本页每 %d 秒自动刷新,请不要关闭。"}
	case "zhhk":
		return waitingWords{"zh-HK", "您正在排隊", "目前無法訪問,請稍後再試。", "您的位置:第 %d 位,共 %d 人等候。", "共 %d 人等候,按隨機順序放行。", "預計等候約 %d 分鐘。", "本頁每 %d 秒自動刷新,請不要關閉。"}
	}
	return waitingWords{"en", "You are in line", "Nobody is let in at the moment. Please come back later.", "Your place: %d of %d.", "%d are waiting and are let in at random.",
		"Estimated wait: %d min.", "This page asks again every %d seconds. Keep it open."}
}

// waitingHTML is the edge's own page.
func waitingHTML(s plan.RoomSettings, out room.Outcome) []byte {
	t := wordsOf(s.Language)
	lines := []string{t.rejected}
	if !rejects(s) {
		lines = []string{fmt.Sprintf(t.queue, out.Queue)}
		if place := placeOf(s, out); place > 0 {
			lines = []string{fmt.Sprintf(t.place, place, out.Queue)}
		}
		if out.Wait > 0 {
			lines = append(lines, fmt.Sprintf(t.wait, int(out.Wait/time.Minute)))
		}
		lines = append(lines, fmt.Sprintf(t.refresh, int(room.Refresh/time.Second)))
	}
	return fmt.Appendf(nil, "<!doctype html><html lang=%q><meta charset=utf-8><meta name=viewport content=\"width=device-width\"><title>%s</title><h1>%s</h1><p>%s</p></html>\n",
		t.lang, t.title, t.title, strings.Join(lines, "</p><p>"))
}
