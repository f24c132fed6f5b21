package local

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

const ticket = "__aliwaitingroom_sale"

// lobby is a shop with a waiting room on /sale that lets two visitors in.
type lobby struct {
	*shop
	now  *clock
	room int64
}

func newLobby(t *testing.T, params map[string]any) *lobby {
	now := newClock()
	b := &lobby{shop: newShop(t, Options{Now: now.time}), now: now}
	b.record("www.shop.example", b.origin(echo))
	b.room = b.createRoom(params)
	return b
}

// queue are the parameters that rooms and events have in common.
func queue(more map[string]any) map[string]any {
	all := map[string]any{"Enable": "on", "TotalActiveUsers": "2", "NewUsersPerMinute": "2", "SessionDuration": "5",
		"QueuingMethod": "fifo", "QueuingStatusCode": "202", "WaitingRoomType": "default"}
	for name, v := range more {
		all[name] = v
	}
	return all
}

func (b *shop) createRoom(more map[string]any) int64 {
	params := queue(map[string]any{"Name": "sale", "CookieName": ticket,
		"HostNameAndPath": []any{map[string]any{"Subdomain": "www.", "Domain": "shop.example", "Path": "/sale"}}})
	for name, v := range more {
		params[name] = v
	}
	return idText(b.t, b.call("CreateWaitingRoom", params)["WaitingRoomId"])
}

func idText(t testing.TB, v any) int64 {
	t.Helper()
	id, err := strconv.ParseInt(fmt.Sprint(v), 10, 64)
	require.NoError(t, err)
	return id
}

// come is a visit to the sale with the cookie of an earlier one; empty: a new
// visitor. It returns the answer and the cookie.
func (b *lobby) come(cookie string, header ...string) (answer, string) {
	b.t.Helper()
	if cookie != "" {
		header = append(header, "Cookie", cookie)
	}
	a := b.get("http://www.shop.example/sale?id=1", header...)
	for _, c := range (&http.Response{Header: a.header}).Cookies() {
		if c.Name == ticket {
			cookie = c.Name + "=" + c.Value
		}
	}
	return a, cookie
}

func (b *lobby) in(cookie string) string {
	b.t.Helper()
	a, cookie := b.come(cookie)
	require.Equal(b.t, "/sale?id=1", a.seen(b.t).URI)
	require.Equal(b.t, fmt.Sprint("waiting_room ", b.room), a.rules())
	return cookie
}

func (b *lobby) waits(cookie, text string) string {
	b.t.Helper()
	a, cookie := b.come(cookie)
	require.Equal(b.t, 202, a.status)
	require.Contains(b.t, a.body, text)
	require.Equal(b.t, "20", a.header.Get("Refresh"))
	require.Equal(b.t, "no-store", a.header.Get("Cache-Control"))
	return cookie
}

func TestEdgeWaitingRoom(t *testing.T) {
	b := newLobby(t, nil)
	first := b.in("")
	b.in("")
	third := b.waits("", "Your place: 1 of 1")
	fourth := b.waits("", "Your place: 2 of 2")
	require.NotEqual(t, third, fourth)
	require.Equal(t, 200, b.get("http://www.shop.example/").status, "the room is for its address alone")
	require.Equal(t, 200, b.get("http://www.shop.example/sale/more").status)

	for range 4 { // the first stays by asking, the second leaves
		b.now.advance(74 * time.Second)
		b.in(first)
		b.waits(third, "Your place: 1 of 2")
		b.waits(fourth, "Your place: 2 of 2")
	}
	b.now.advance(4 * time.Second)
	b.in(third)
	b.waits(fourth, "Your place: 1 of 1")
	a, _ := b.come(third)
	cookies := a.header.Values("Set-Cookie")
	require.Len(t, cookies, 1)
	require.Contains(t, cookies[0], "Path=/; Max-Age=300; HttpOnly; SameSite=Lax")

	b.call("UpdateWaitingRoom", map[string]any{"WaitingRoomId": fmt.Sprint(b.room), "Enable": "off"})
	require.Equal(t, 200, b.get("http://www.shop.example/sale").status)
}

func TestEdgeWaitingRoomBeforeTheOriginOnly(t *testing.T) {
	b := newLobby(t, map[string]any{"TotalActiveUsers": "1", "NewUsersPerMinute": "1"})
	b.rule("CacheRule", path("/sale"), map[string]any{"EdgeCacheMode": "override_origin", "EdgeCacheTtl": "60"})
	a, _ := b.come("")
	require.Equal(t, "MISS", a.cache())
	a, cookie := b.come("")
	require.Equal(t, "HIT", a.cache(), "what the cache has needs no waiting")
	require.Empty(t, cookie)
	b.now.advance(time.Minute)
	a, cookie = b.come("")
	require.Equal(t, 202, a.status)
	require.NotEmpty(t, cookie)
	require.Equal(t, 202, b.do("POST", "http://www.shop.example/sale", "x").status)
}

func TestEdgeWaitingRoomBeforeRoutines(t *testing.T) {
	b := newLobby(t, map[string]any{"QueuingMethod": "reject-all", "QueuingStatusCode": "429"})
	b.code("fn", `export default { fetch: () => new Response("code") }`)
	route := b.route("fn", "true", nil)
	require.Equal(t, "code", b.get("http://www.shop.example/").body)
	a, cookie := b.come("")
	require.Equal(t, 429, a.status)
	require.Empty(t, cookie)
	require.Empty(t, a.header.Get("Refresh"))
	require.Contains(t, a.body, "come back later")
	require.Equal(t, fmt.Sprint("route ", route, ", waiting_room ", b.room), a.rules())
	b.call("UpdateWaitingRoom", map[string]any{"WaitingRoomId": fmt.Sprint(b.room), "QueuingMethod": "passthrough"})
	a, cookie = b.come("")
	require.Equal(t, "code", a.body)
	require.Empty(t, cookie)
}

func TestEdgeWaitingRoomPages(t *testing.T) {
	b := newLobby(t, map[string]any{"QueueAllEnable": "on", "JsonResponseEnable": "on", "Language": "zhcn"})
	b.waits("", "您的位置:第 1 位")
	a, cookie := b.come("", "Accept", "application/json")
	require.Equal(t, "application/json; charset=utf-8", a.header.Get("Content-Type"))
	var said map[string]any
	require.NoError(t, json.Unmarshal([]byte(a.body), &said))
	require.Equal(t, map[string]any{"inWaitingRoom": true, "rejected": false, "position": 2.0, "waiting": 2.0, "refreshIntervalSeconds": 20.0}, said)
	room := fmt.Sprint(b.room)
	b.call("UpdateWaitingRoom", map[string]any{"WaitingRoomId": room, "WaitingRoomType": "custom",
		"CustomPageHtml": base64.StdEncoding.EncodeToString([]byte("<h1>soon</h1>"))})
	b.waits(cookie, "<h1>soon</h1>")
	require.Empty(t, b.do("HEAD", "http://www.shop.example/sale", "").body)
	b.call("UpdateWaitingRoom", map[string]any{"WaitingRoomId": room, "QueueAllEnable": "off"})
	b.in(cookie) // there are two places: one for who is before it in the queue
}

func TestEdgeWaitingRoomRules(t *testing.T) {
	b := newLobby(t, map[string]any{"QueueAllEnable": "on"})
	rule := id64(t, b.call("CreateWaitingRoomRule", map[string]any{"WaitingRoomId": fmt.Sprint(b.room), "RuleName": "friends", "RuleEnable": "on",
		"Rule": `(http.user_agent eq "friend")`}), "WaitingRoomRuleId")
	b.waits("", "Your place")
	a, cookie := b.come("", "User-Agent", "friend")
	require.Equal(t, 200, a.status)
	require.Empty(t, cookie)
	require.Equal(t, fmt.Sprint("waiting_room bypass ", rule), a.rules())
}

func TestEdgeWaitingRoomEvents(t *testing.T) {
	b := newLobby(t, map[string]any{"QueuingMethod": "passthrough"})
	at := func(d time.Duration) string { return strconv.FormatInt(b.now.time().Add(d).Unix(), 10) }
	event := id64(t, b.call("CreateWaitingRoomEvent", queue(map[string]any{"WaitingRoomId": fmt.Sprint(b.room), "Name": "opening",
		"StartTime": at(10 * time.Minute), "EndTime": at(20 * time.Minute), "PreQueueEnable": "on", "PreQueueStartTime": at(5 * time.Minute),
		"TotalActiveUsers": "1", "NewUsersPerMinute": "1", "QueuingStatusCode": "202", "Language": "zhhk"})), "WaitingRoomEventId")
	b.in("")
	b.now.advance(9 * time.Minute)
	a, early := b.come("")
	require.Equal(t, 202, a.status, "queued before the event begins")
	require.True(t, strings.Contains(a.body, "您的位置:第 1 位") && strings.Contains(a.body, "zh-HK"), a.body)
	require.Equal(t, fmt.Sprintf("waiting_room %d, waiting_room_event %d", b.room, event), a.rules())
	b.now.advance(time.Minute)
	late := b.waits("", "第 2 位")
	a, _ = b.come(early)
	require.Equal(t, 200, a.status)
	b.waits(late, "第 1 位")
	b.now.advance(10 * time.Minute)
	b.in(late) // the event is over, and the room lets all pass
}
