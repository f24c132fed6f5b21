package plan

import (
	"cmp"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/esa-mcp/esa-mcp/internal/local/edge/room"
)

// Room is a waiting room that is switched on.
type Room struct {
	ID     int64
	Cookie string // the name of the cookie with a visitor's token
	// Domain is what the cookie is for; empty: the host alone.
	Domain string
	// Past are the rules that let requests past the room.
	Past []RoomRule

	places []roomPlace
	usual  RoomSettings
	events []roomEvent // by their start
}

// RoomRule lets the requests that it is for past a waiting room.
type RoomRule struct {
	ID   int64
	When Condition
}

// RoomSettings are what a room goes by at some moment: its own, or those of an
// event.
type RoomSettings struct {
	room.Settings
	Event    int64  // the event that they are of; 0: none
	Method   string // fifo, random, passthrough, reject-all
	Status   int    // of the page
	Page     []byte // the custom page; nil: the edge's own
	JSON     bool   // answers JSON to those who accept it
	Language string // of the edge's own page: enus, zhcn, zhhk
}

// The queuing methods that have no queue.
const (
	RoomPasses  = "passthrough"
	RoomRejects = "reject-all"
)

type roomPlace struct{ host, path string }

// roomEvent is a time in which a room has other settings. From pre on, new
// visitors are queued for it.
type roomEvent struct {
	pre, start, end time.Time
	settings        RoomSettings
}

// Room is the waiting room of an address; nil if there is none. The service says
// that a room is for exactly the address that it names.
func (t *Site) Room(host, path string) *Room {
	for _, r := range t.Rooms {
		if slices.ContainsFunc(r.places, func(p roomPlace) bool { return p.path == path && isHost(p.host, host) }) {
			return r
		}
	}
	return nil
}

// isHost reports whether a host is the one that is named, or under the wildcard.
func isHost(named, host string) bool {
	if under, wild := strings.CutPrefix(named, "*"); wild {
		return strings.HasSuffix(host, under)
	}
	return named == host
}

// At are the settings at some moment.
func (r *Room) At(now time.Time) RoomSettings {
	for _, e := range r.events {
		if now.Before(e.pre) || !now.Before(e.end) {
			continue
		}
		s := e.settings
		s.Hold = now.Before(e.start)
		return s
	}
	return r.usual
}

// storedRoom is a room, a rule of one or an event as it is stored. All numbers
// are texts.
type storedRoom struct {
	Enable, CookieName, QueueAllEnable, CustomPageHTML                          string
	DisableSessionRenewalEnable, JSONResponseEnable, Language                   string
	NewUsersPerMinute, TotalActiveUsers, SessionDuration                        string
	QueuingMethod, QueuingStatusCode, WaitingRoomType                           string
	StartTime, EndTime, PreQueueEnable, PreQueueStartTime, RandomPreQueueEnable string
	HostNameAndPath                                                             []struct{ Domain, Subdomain, Path string }
	Rule, RuleEnable                                                            string
}

func (s storedRoom) settings() (RoomSettings, error) {
	out := RoomSettings{Method: s.QueuingMethod, Status: atoi(s.QueuingStatusCode), JSON: s.JSONResponseEnable == "on", Language: s.Language,
		Settings: room.Settings{Total: atoi(s.TotalActiveUsers), PerMinute: atoi(s.NewUsersPerMinute),
			Session: time.Duration(atoi(s.SessionDuration)) * time.Minute, Renew: s.DisableSessionRenewalEnable != "on",
			Random: s.QueuingMethod == "random", Hold: s.QueueAllEnable == "on"}}
	var err error
	if s.WaitingRoomType == "custom" {
		out.Page, err = base64.StdEncoding.DecodeString(s.CustomPageHTML)
	}
	return out, err
}

// event are the settings in the time of an event, with the moments that bound it.
func (s storedRoom) event(id int64) (roomEvent, error) {
	settings, err := s.settings()
	e := roomEvent{settings: settings, start: unix(s.StartTime), end: unix(s.EndTime)}
	e.pre, e.settings.Event = e.start, id
	if s.PreQueueEnable == "on" {
		e.pre = unix(s.PreQueueStartTime)
		if s.RandomPreQueueEnable == "on" {
			e.settings.Shuffle = e.start
		}
	}
	return e, err
}

// atoi reads a number that was checked when it was stored.
func atoi(text string) int {
	n, _ := strconv.Atoi(text) // 0 for what is none
	return n
}

func unix(text string) time.Time { return time.Unix(int64(atoi(text)), 0) }

// loadRooms reads the rooms of a site that are switched on, oldest first.
func loadRooms(ctx context.Context, q querier, site *Site) ([]*Room, error) {
	rows, err := q.QueryContext(ctx, `SELECT id, kind, coalesce(parent_id, 0), fields FROM resources
		WHERE kind IN ('WaitingRoom', 'WaitingRoomRule', 'WaitingRoomEvent') AND site_id = ? ORDER BY kind, id`, site.ID)
	if err != nil {
		return nil, fmt.Errorf("list the waiting rooms of site %d: %w", site.ID, err)
	}
	defer rows.Close()
	var rooms []*Room
	for rows.Next() { // rooms before their parts, by their names
		var id, parent int64
		var kind, text string
		if err := rows.Scan(&id, &kind, &parent, &text); err != nil {
			return nil, fmt.Errorf("read a waiting room of site %d: %w", site.ID, err)
		}
		var s storedRoom
		if err := json.Unmarshal([]byte(text), &s); err != nil {
			return nil, fmt.Errorf("read the %s %d: %w", kind, id, err)
		}
		if kind == "WaitingRoom" && s.Enable == "on" {
			r := &Room{ID: id, Cookie: s.CookieName}
			if err := r.found(s, site.Name); err != nil {
				return nil, fmt.Errorf("read the waiting room %d: %w", id, err)
			}
			rooms = append(rooms, r)
		}
		i := slices.IndexFunc(rooms, func(r *Room) bool { return r.ID == parent })
		switch {
		case i < 0:
		case kind == "WaitingRoomRule" && s.RuleEnable == "on":
			rooms[i].Past = append(rooms[i].Past, RoomRule{ID: id, When: compile(s.Rule)})
		case kind == "WaitingRoomEvent" && s.Enable == "on":
			e, err := s.event(id)
			if err != nil {
				return nil, fmt.Errorf("read the waiting room event %d: %w", id, err)
			}
			rooms[i].events = append(rooms[i].events, e)
		}
	}
	for _, r := range rooms {
		slices.SortFunc(r.events, func(a, b roomEvent) int { return cmp.Compare(a.start.Unix(), b.start.Unix()) })
	}
	return rooms, rows.Err()
}

// found takes over what a room is stored with.
func (r *Room) found(s storedRoom, siteName string) (err error) {
	for _, p := range s.HostNameAndPath {
		place := roomPlace{strings.ToLower(p.Subdomain + p.Domain), p.Path}
		if len(r.places) > 0 && place.host != r.places[0].host || strings.HasPrefix(place.host, "*") {
			r.Domain = siteName // one visit to the queue is enough for all hosts
		}
		r.places = append(r.places, place)
	}
	r.usual, err = s.settings()
	return err
}
