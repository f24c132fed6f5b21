package generic

import (
	"context"
	"database/sql"
	"slices"
	"strings"
	"time"

	"github.com/esa-mcp/esa-mcp/internal/local/api"
	"github.com/esa-mcp/esa-mcp/internal/local/values"
)

// kinds returns all kinds.
func kinds() []kind {
	return slices.Concat(balancing(), waiting(), saas(), delivery(), containers(), protection(), preloads(), others())
}

// kindOf finds a kind by its name, which is part of the program.
func kindOf(name string) kind {
	all := kinds()
	return all[slices.IndexFunc(all, func(k kind) bool { return k.name == name })]
}

// others are the kinds without relations to others.
func others() []kind {
	return []kind{
		{
			name: "UrlObservation", what: "observed address", id: "ConfigId", unique: "Url", site: true,
			create: "CreateUrlObservation", update: "UpdateUrlObservation", remove: "DeleteUrlObservation",
			list: "ListUrlObservations", member: "Configs",
			check: func(_ context.Context, _ *sql.Tx, _ *Service, it *item, _ api.Params) error {
				host, _, _ := strings.Cut(strings.TrimPrefix(strings.TrimPrefix(it.text("Url"), "https://"), "http://"), "/")
				return ofSite("Url", host, it.siteName)
			},
		},
		{
			name: "KeylessServer", what: "keyless server", id: "Id", unique: "Name", site: true,
			put: "SetKeylessServer", get: "GetKeylessServer", remove: "DeleteKeylessServer",
			list: "ListKeylessServers", member: "Result", defaults: map[string]any{"Verify": false},
			check: func(_ context.Context, _ *sql.Tx, _ *Service, it *item, _ api.Params) error {
				return within("Port", it.fields["Port"], 1, 65535)
			},
		},
		{
			name: "CacheReserve", what: "cache reserve instance", id: "InstanceId", prefix: "esa-cr-",
			create: "PurchaseCacheReserve", update: "UpdateCacheReserveSpec",
			list: "ListCacheReserveInstances", member: "InstanceInfo",
			aliases:  map[string]string{"CacheReserveCapacity": "QuotaGb", "CacheReserveRegion": "CrRegion", "Duration": "Period"},
			defaults: map[string]any{"Status": "online", "ChargeType": "PREPAY", "Period": 1, "CrRegion": "cn-beijing", "QuotaGb": 512},
			check: func(_ context.Context, _ *sql.Tx, _ *Service, it *item, _ api.Params) error {
				if target := it.text("TargetQuotaGb"); target != "" {
					it.set("QuotaGb", it.fields["TargetQuotaGb"])
					it.set("TargetQuotaGb", nil)
				}
				return within("QuotaGb", it.fields["QuotaGb"], 1, 10_000_000)
			},
			view: func(_ context.Context, _ *sql.Tx, it *item, m map[string]any) error {
				m["OrderId"] = orderID(it.id)
				m["ExpireTime"] = time.Unix(it.created, 0).UTC().AddDate(0, int(number(it.fields["Period"])), 0).Format(timeFormat)
				return nil
			},
		},
	}
}

const timeFormat = "2006-01-02T15:04:05Z"

// orderID is the number of an order that nobody pays.
func orderID(id int64) string { return "2" + api.Text(id) }

// ofSite refuses a host name that is not the site's or under it.
func ofSite(param, host, site string) error {
	host = strings.TrimPrefix(strings.ToLower(strings.TrimSuffix(host, ".")), "*.")
	if host != site && !strings.HasSuffix(host, "."+site) {
		return values.Invalid(param, "%q is no name under the site %s", host, site)
	}
	return nil
}

// times reads when something begins and ends, and refuses an end before its
// begin.
func times(startName, start, endName, end string) error {
	read := func(name, text string) (time.Time, error) {
		at, err := time.Parse(timeFormat, text)
		if err != nil {
			return at, values.Invalid(name, "it is a time such as 2026-01-02T15:04:05Z, not %q", text)
		}
		return at, nil
	}
	from, err := read(startName, start)
	if err != nil {
		return err
	}
	to, err := read(endName, end)
	if err != nil {
		return err
	}
	if !to.After(from) {
		return api.Errorf(400, "InvalidEndTime.Mismatch", "The specified %s is not after the %s.", endName, startName)
	}
	return nil
}
