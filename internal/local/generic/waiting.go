package generic

import (
	"context"
	"database/sql"
	"encoding/base64"
	"net/http"
	"strings"

	"github.com/esa-mcp/esa-mcp/internal/local/api"
	"github.com/esa-mcp/esa-mcp/internal/local/expression"
	"github.com/esa-mcp/esa-mcp/internal/local/quota"
	"github.com/esa-mcp/esa-mcp/internal/local/values"
)

// waiting are waiting rooms, their rules and their events.
func waiting() []kind {
	return []kind{
		{
			name: "WaitingRoom", what: "waiting room", quota: quota.WaitingRooms, id: "WaitingRoomId", unique: "Name", site: true, full: true,
			create: "CreateWaitingRoom", update: "UpdateWaitingRoom", remove: "DeleteWaitingRoom",
			list: "ListWaitingRooms", member: "WaitingRooms",
			defaults: map[string]any{"DisableSessionRenewalEnable": "off", "JsonResponseEnable": "off", "QueueAllEnable": "off", "Language": "enus"},
			check: func(_ context.Context, _ *sql.Tx, _ *Service, it *item, _ api.Params) error {
				if name := it.text("CookieName"); (&http.Cookie{Name: name}).Valid() != nil {
					return values.Invalid("CookieName", "%q cannot be the name of a cookie", name)
				}
				if len(list(it.fields["HostNameAndPath"])) == 0 {
					return values.Invalid("HostNameAndPath", "a waiting room is for at least one host name and path")
				}
				for _, entry := range list(it.fields["HostNameAndPath"]) {
					place := object(entry)
					host := api.Text(place["Subdomain"]) + api.Text(place["Domain"])
					if err := ofSite("HostNameAndPath", host, it.siteName); err != nil {
						return err
					}
					if !strings.HasPrefix(api.Text(place["Path"]), "/") {
						return values.Invalid("HostNameAndPath", "a Path begins with /, not %q", api.Text(place["Path"]))
					}
				}
				return checkRoom(it)
			},
		},
		{
			name: "WaitingRoomRule", what: "rule of the waiting room", quota: quota.WaitingRoomRules, id: "WaitingRoomRuleId", unique: "RuleName", site: true, full: true,
			parent: "WaitingRoom", parentID: "WaitingRoomId",
			create: "CreateWaitingRoomRule", update: "UpdateWaitingRoomRule", remove: "DeleteWaitingRoomRule",
			list: "ListWaitingRoomRules", member: "WaitingRoomRules",
			check: func(ctx context.Context, tx *sql.Tx, _ *Service, it *item, _ api.Params) error {
				if err := length("RuleName", it.text("RuleName"), 128); err != nil {
					return err
				}
				_, err := expression.Compile(ctx, tx, it.site, "WaitingRoomRule", it.text("Rule"))
				return err
			},
		},
		{
			name: "WaitingRoomEvent", what: "event of the waiting room", quota: quota.WaitingRoomEvents, id: "WaitingRoomEventId", unique: "Name", site: true, full: true,
			parent: "WaitingRoom", parentID: "WaitingRoomId",
			create: "CreateWaitingRoomEvent", update: "UpdateWaitingRoomEvent", remove: "DeleteWaitingRoomEvent",
			list: "ListWaitingRoomEvents", member: "WaitingRoomEvents",
			defaults: map[string]any{"DisableSessionRenewalEnable": "off", "JsonResponseEnable": "off", "PreQueueEnable": "off",
				"RandomPreQueueEnable": "off", "Language": "enus"},
			check: func(ctx context.Context, tx *sql.Tx, _ *Service, it *item, _ api.Params) error {
				if err := within("StartTime", it.fields["StartTime"], 1, 1<<40); err != nil {
					return err
				}
				if number(it.fields["EndTime"]) <= number(it.fields["StartTime"]) {
					return api.Errorf(400, "InvalidEndTime.Mismatch", "The specified EndTime is not after the StartTime.")
				}
				if it.text("PreQueueEnable") == "on" && it.text("PreQueueStartTime") == "" {
					return api.Errorf(400, "MissingPreQueueStartTime", "PreQueueStartTime is mandatory here: PreQueueEnable on needs it.")
				}
				if it.text("PreQueueEnable") == "on" && number(it.fields["PreQueueStartTime"]) > number(it.fields["StartTime"])-leastPreQueue {
					return values.Invalid("PreQueueStartTime", "it has to be %d s or more before StartTime", leastPreQueue)
				}
				if err := checkOverlap(ctx, tx, it); err != nil {
					return err
				}
				return checkRoom(it)
			},
		},
	}
}

// leastPreQueue is for how many seconds visitors are queued before an event at
// least.
const leastPreQueue = 300

// checkOverlap refuses an event in the time of another of the same room. One of
// the same name is refused for that.
func checkOverlap(ctx context.Context, tx *sql.Tx, it *item) error {
	others, err := find(ctx, tx, kindOf("WaitingRoomEvent"), `r.parent_id = ?`, it.parent)
	if err != nil {
		return err
	}
	for _, o := range others {
		if o.id != it.id && !strings.EqualFold(o.name, it.name) && number(it.fields["StartTime"]) < number(o.fields["EndTime"]) && number(o.fields["StartTime"]) < number(it.fields["EndTime"]) {
			return values.Invalid("StartTime", "the event overlaps with the event %s of the room", o.name)
		}
	}
	return nil
}

// checkRoom checks what rooms and events have in common. The numbers are texts.
func checkRoom(it *item) error {
	for _, name := range []string{"NewUsersPerMinute", "TotalActiveUsers", "SessionDuration"} {
		if err := within(name, it.fields[name], 1, 1<<31); err != nil {
			return err
		}
	}
	if number(it.fields["NewUsersPerMinute"]) > number(it.fields["TotalActiveUsers"]) {
		return values.Invalid("NewUsersPerMinute", "it must not exceed TotalActiveUsers, %s", it.text("TotalActiveUsers"))
	}
	if it.text("WaitingRoomType") != "custom" {
		return nil
	}
	page := it.text("CustomPageHtml")
	if page == "" {
		return api.Errorf(400, "MissingCustomPageHtml", "CustomPageHtml is mandatory here: WaitingRoomType custom needs it.")
	}
	if _, err := base64.StdEncoding.DecodeString(page); err != nil {
		return values.Invalid("CustomPageHtml", "it is the page in Base64")
	}
	return nil
}
