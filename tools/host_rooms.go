package tools

import (
	"cmp"
	"context"
	"net/http"
	"strconv"
	"strings"

	"github.com/esa-mcp/esa-mcp/internal/esa"
)

// waitingRoom is a waiting room of the host that is on.
type waitingRoom struct {
	wireRoom
	path   string
	bypass []wireRoomRule
	events []wireRoomEvent
}

// wireRoom is what answers say of rooms, as far as one request shows it.
type wireRoom struct {
	ID              ID `json:"WaitingRoomId"`
	Name            string
	Enable          string
	HostNameAndPath []struct{ Domain, Subdomain, Path string }
	queuing
}

type queuing struct {
	QueuingMethod, QueuingStatusCode, TotalActiveUsers, NewUsersPerMinute, QueueAllEnable string
}

type wireRoomRule struct {
	ID         ID `json:"WaitingRoomRuleId"`
	RuleName   string
	Rule       string
	RuleEnable string
}

type wireRoomEvent struct {
	ID                ID `json:"WaitingRoomEventId"`
	Name              string
	Enable            string
	StartTime         ID // in seconds since 1970, as text
	EndTime           ID
	PreQueueEnable    string
	PreQueueStartTime ID
	queuing
}

// readRooms reads the waiting rooms that are on and have an address of the host.
func (s *hostState) readRooms(ctx context.Context, d *Deps, notes *Noted) error {
	answer, err := invoke[struct{ WaitingRooms []wireRoom }](ctx, d, notes, "ListWaitingRooms", esa.Params{"SiteId": s.site.ID.number()})
	if notOnPlan(err) {
		return nil
	}
	for _, w := range answer.WaitingRooms {
		for _, p := range w.HostNameAndPath {
			if w.Enable != "on" || !isUnder(siteName(p.Subdomain+p.Domain), s.host) {
				continue
			}
			r := waitingRoom{wireRoom: w, path: p.Path}
			if err := r.readParts(ctx, d, notes, s.site.ID); err != nil {
				return err
			}
			s.rooms = append(s.rooms, r)
		}
	}
	return err
}

// isUnder reports whether a host is the one that is named, or under the wildcard.
func isUnder(named, host string) bool {
	under, wild := strings.CutPrefix(named, "*")
	return named == host || wild && strings.HasSuffix(host, under)
}

func (r *waitingRoom) readParts(ctx context.Context, d *Deps, notes *Noted, site ID) error {
	params := esa.Params{"SiteId": site.number(), "WaitingRoomId": string(r.ID)}
	rules, err := invoke[struct{ WaitingRoomRules []wireRoomRule }](ctx, d, notes, "ListWaitingRoomRules", params)
	if err != nil {
		return err
	}
	events, err := invoke[struct{ WaitingRoomEvents []wireRoomEvent }](ctx, d, notes, "ListWaitingRoomEvents", params)
	r.bypass, r.events = rules.WaitingRoomRules, events.WaitingRoomEvents
	return err
}

// The kinds of rows about waiting rooms.
const (
	kindRoom       = "waiting_room"
	kindRoomBypass = "waiting_room bypass"
	kindRoomEvent  = "waiting_room_event"
)

// room goes into the waiting room of the address, if there is one: on the way to a
// routine or the origin, as the service's overview says ("if a request misses the
// cache"). Whether a visitor has to wait depends on those who are in.
func (w *walk) room() {
	if w.answered != "" {
		return
	}
	for _, r := range w.s.rooms {
		if r.path != w.url.Path {
			continue
		}
		for _, one := range r.bypass {
			if w.matches(kindRoomBypass, one.ID, one.RuleName, one.Rule, one.RuleEnable == "on") {
				w.add(SimulatedRule{Kind: kindRoomBypass, ID: one.ID, Name: one.RuleName, Rule: one.Rule, Outcome: RuleApplies, Does: "past the waiting room " + string(r.ID)}, false)
				return
			}
		}
		w.enter(r)
		return
	}
}

// enter says what a room does with a visitor who has not been in it.
func (w *walk) enter(r waitingRoom) {
	q, hold := r.queuing, r.QueueAllEnable == "on"
	row := SimulatedRule{Kind: kindRoom, ID: r.ID, Name: r.Name, Outcome: RuleApplies}
	event := r.event(w.s.now)
	if event != nil {
		q, hold = event.queuing, w.s.now < secondsOf(event.StartTime)
	}
	status := numberOr(q.QueuingStatusCode, http.StatusOK)
	name := called(kindRoom, r.ID)
	answers := ""
	switch {
	case hold:
		row.Does, answers = "everybody waits", "the waiting room %s holds all visitors"
	case q.QueuingMethod == "reject-all":
		row.Does, answers = "rejects everybody", "the waiting room %s rejects all visitors"
	case q.QueuingMethod == "passthrough":
		row.Does = "lets everybody pass"
	default:
		row.Outcome = RuleDepends
		row.Does = cmp.Or(q.QueuingMethod, "fifo") + " queue beyond " + q.TotalActiveUsers + " users or " + q.NewUsersPerMinute + " new per minute"
	}
	cached := strings.HasPrefix(w.out.Cache, "MISS")
	if cached && answers != "" {
		row.Outcome, answers = RuleDepends, ""
		row.Does += ", unless the cache answers"
	}
	w.add(row, false)
	if event != nil {
		w.add(SimulatedRule{Kind: kindRoomEvent, ID: event.ID, Name: event.Name, Outcome: RuleApplies, Does: "has the say in its time"}, false)
	}
	if answers != "" {
		w.answer(kindRoom, name, status, answers, r.ID)
	}
	w.waits = row.Outcome == RuleDepends
}

// event is the event whose time it is; nil if there is none.
func (r waitingRoom) event(now int64) *wireRoomEvent {
	for i, e := range r.events {
		from := secondsOf(e.StartTime)
		if e.PreQueueEnable == "on" {
			from = secondsOf(e.PreQueueStartTime)
		}
		if e.Enable == "on" && from <= now && now < secondsOf(e.EndTime) {
			return &r.events[i]
		}
	}
	return nil
}

// secondsOf is a moment in seconds since 1970.
func secondsOf(text ID) int64 {
	seconds, err := strconv.ParseInt(string(text), 10, 64)
	if err != nil {
		return 0
	}
	return seconds
}

// held is what a verdict says of what may stop the visitor on the way.
func (w *walk) held() string {
	text := ""
	if w.judged {
		text = "; security rules that depend may refuse it first"
	}
	if w.waits {
		text += "; a waiting room may hold the visitor first"
	}
	return text
}
