package generic

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/esa-mcp/esa-mcp/internal/local/api"
	"github.com/esa-mcp/esa-mcp/internal/local/expression"
	"github.com/esa-mcp/esa-mcp/internal/local/quota"
	"github.com/esa-mcp/esa-mcp/internal/local/state"
	"github.com/esa-mcp/esa-mcp/internal/local/values"
)

// balancing are origin pools and the load balancers that use them.
func balancing() []kind {
	return []kind{
		{
			name: "OriginPool", what: "origin pool", quota: quota.OriginPools, id: "Id", unique: "Name", site: true, full: true,
			create: "CreateOriginPool", update: "UpdateOriginPool", get: "GetOriginPool", remove: "DeleteOriginPool",
			list: "ListOriginPools", member: "OriginPools", defaults: map[string]any{"Enabled": true, "Origins": []any{}},
			check: checkPool, view: viewPool, free: freePool,
		},
		{
			name: "LoadBalancer", what: "load balancer", quota: quota.LoadBalancers, id: "Id", unique: "Name", site: true, full: true,
			create: "CreateLoadBalancer", update: "UpdateLoadBalancer", get: "GetLoadBalancer", remove: "DeleteLoadBalancer",
			list: "ListLoadBalancers", member: "LoadBalancers",
			defaults: map[string]any{"Enabled": true, "SessionAffinity": "off", "Ttl": 30},
			check:    checkBalancer, free: freeBalancer, now: balancerStatus,
		},
	}
}

// checkPool completes the origins of a pool. Their ids stay as long as their
// names do.
func checkPool(ctx context.Context, tx *sql.Tx, _ *Service, it *item, _ api.Params) error {
	if err := length("Name", it.text("Name"), 64); err != nil {
		return err
	}
	if !values.IsHost(it.text("Name")) {
		return values.Invalid("Name", "records have the pool as %s, which is no host name", poolHost(it))
	}
	var before []any
	if stored, err := find(ctx, tx, kindOf("OriginPool"), `r.id = ?`, it.id); err != nil {
		return err
	} else if len(stored) > 0 {
		before = list(stored[0].fields["Origins"])
	}
	names := map[string]bool{}
	for i, entry := range list(it.fields["Origins"]) {
		origin := object(entry)
		name := api.Text(origin["Name"])
		switch {
		case api.Text(origin["Address"]) == "":
			return values.Invalid("Origins", "Origins[%d] lacks Address", i)
		case !values.IsHost(api.Text(origin["Address"])):
			return values.Invalid("Origins", "Origins[%d].Address must be an IP address or a host name, not %q", i, api.Text(origin["Address"]))
		case name == "":
			return values.Invalid("Origins", "Origins[%d] lacks Name", i)
		case names[name]:
			return values.Invalid("Origins", "two origins are called %s", name)
		}
		names[name] = true
		for member, value := range map[string]any{"Enabled": true, "Weight": 100, "Type": "ip_domain"} {
			if origin[member] == nil {
				origin[member] = value
			}
		}
		delete(origin, "Id")
		for _, old := range before {
			if o := object(old); api.Text(o["Name"]) == name {
				origin["Id"] = o["Id"]
			}
		}
		if origin["Id"] == nil {
			id, err := state.NextID(ctx, tx)
			if err != nil {
				return err
			}
			origin["Id"] = id
		}
	}
	return nil
}

// poolHost is the name under which records have a pool as their source.
func poolHost(it *item) string { return strings.ToLower(it.name + "." + it.siteName) }

// PoolExists tells whether a site has the origin pool (sourceType OP) or the load
// balancer (LB) that a record has as its content.
func PoolExists(ctx context.Context, tx *sql.Tx, siteID int64, sourceType, name string) (bool, error) {
	k := kindOf("OriginPool")
	if sourceType == "LB" {
		k = kindOf("LoadBalancer")
	}
	found, err := find(ctx, tx, k, `r.site_id = ?`, siteID)
	return slices.ContainsFunc(found, func(it *item) bool {
		return strings.EqualFold(it.name, name) || sourceType == "OP" && strings.EqualFold(poolHost(it), name)
	}), err
}

// usersOfPool finds the load balancers and the records that use a pool.
func usersOfPool(ctx context.Context, tx *sql.Tx, it *item) (balancers, records []any, err error) {
	all, err := find(ctx, tx, kindOf("LoadBalancer"), `r.site_id = ?`, it.site)
	if err != nil {
		return nil, nil, err
	}
	for _, lb := range all {
		if slices.Contains(poolsOf(lb.fields), it.id) {
			balancers = append(balancers, map[string]any{"Id": lb.id, "Name": lb.name})
		}
	}
	rows, err := tx.QueryContext(ctx, `SELECT id, name FROM records WHERE site_id = ? AND source_type = 'OP' AND instr(lower(data), ?) > 0`,
		it.site, `"`+poolHost(it)+`"`)
	if err != nil {
		return nil, nil, fmt.Errorf("look for records with the pool: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var id int64
		var name string
		if err := rows.Scan(&id, &name); err != nil {
			return nil, nil, fmt.Errorf("read a record: %w", err)
		}
		records = append(records, map[string]any{"Id": id, "Name": name})
	}
	return balancers, records, rows.Err()
}

func viewPool(ctx context.Context, tx *sql.Tx, it *item, m map[string]any) error {
	balancers, records, err := usersOfPool(ctx, tx, it)
	if err != nil {
		return err
	}
	m["RecordName"] = poolHost(it)
	m["ReferenceLBCount"] = len(balancers)
	m["References"] = map[string]any{"LoadBalancers": filled(balancers), "DnsRecords": filled(records), "IPARecords": []any{}}
	return nil
}

func filled(list []any) []any { return append([]any{}, list...) }

func freePool(ctx context.Context, tx *sql.Tx, it *item) error {
	balancers, records, err := usersOfPool(ctx, tx, it)
	if err != nil {
		return err
	}
	if users := slices.Concat(balancers, records); len(users) > 0 {
		return isDependent("origin pool", "load balancer or record "+api.Text(object(users[0])["Name"]))
	}
	return nil
}

// freeBalancer refuses to delete a load balancer that a record has as its source.
func freeBalancer(ctx context.Context, tx *sql.Tx, it *item) error {
	var name string
	err := tx.QueryRowContext(ctx, `SELECT name FROM records WHERE site_id = ? AND source_type = 'LB' AND instr(lower(data), ?) > 0`,
		it.site, `"`+strings.ToLower(it.name)+`"`).Scan(&name)
	if errors.Is(err, sql.ErrNoRows) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("look for records with the load balancer: %w", err)
	}
	return isDependent("load balancer", "the record "+name)
}

// poolsOf are the ids of all pools that a load balancer names.
func poolsOf(fields map[string]any) []int64 {
	var ids []int64
	add := func(v any) {
		if id := number(v); id != 0 {
			ids = append(ids, id)
		}
	}
	add(fields["FallbackPool"])
	for _, v := range list(fields["DefaultPools"]) {
		add(v)
	}
	for _, name := range []string{"RegionPools", "SubRegionPools"} {
		for _, pools := range object(fields[name]) {
			for _, v := range list(pools) {
				add(v)
			}
		}
	}
	for id := range object(object(fields["RandomSteering"])["PoolWeights"]) {
		add(id)
	}
	return ids
}

func checkBalancer(ctx context.Context, tx *sql.Tx, _ *Service, it *item, _ api.Params) error {
	if err := ofSite("Name", it.text("Name"), it.siteName); err != nil {
		return err
	}
	if err := oneOf("SteeringPolicy", it.text("SteeringPolicy"), "geo", "random", "order"); err != nil {
		return err
	}
	if err := within("Ttl", it.fields["Ttl"], 10, 600); err != nil {
		return err
	}
	if len(list(it.fields["DefaultPools"])) == 0 {
		return values.Invalid("DefaultPools", "a load balancer has at least one pool")
	}
	for _, id := range poolsOf(it.fields) {
		pools, err := find(ctx, tx, kindOf("OriginPool"), `r.id = ? AND r.site_id = ?`, id, it.site)
		if err != nil {
			return err
		}
		if len(pools) == 0 {
			return api.Errorf(404, "OriginPoolNotExist", "The site has no origin pool %d.", id)
		}
	}
	var taken bool
	err := tx.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM records WHERE site_id = ? AND name = ?)`, it.site, strings.ToLower(it.text("Name"))).Scan(&taken)
	if err != nil {
		return fmt.Errorf("look for a record of the name: %w", err)
	}
	if taken {
		return api.Errorf(400, "Record.RecordNameConflictWithLBName", "The site has a record %s already.", it.text("Name"))
	}
	for i, entry := range list(it.fields["Rules"]) {
		rule := object(entry)
		if _, err := expression.Compile(ctx, tx, it.site, "LoadBalancer", api.Text(rule["Rule"])); err != nil {
			return err
		}
		if rule["Sequence"] == nil {
			rule["Sequence"] = json.Number(fmt.Sprint(i + 1))
		}
	}
	return nil
}
