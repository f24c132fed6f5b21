package generic

import (
	"context"
	"database/sql"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/esa-mcp/esa-mcp/internal/local/api"
	"github.com/esa-mcp/esa-mcp/internal/local/expression"
	"github.com/esa-mcp/esa-mcp/internal/local/quota"
	"github.com/esa-mcp/esa-mcp/internal/local/state"
	"github.com/esa-mcp/esa-mcp/internal/local/values"
)

// protection are the policies against attacks, and the rule sets that an
// instance has for all its sites.
func protection() []kind {
	return []kind{
		{
			name: "CustomScenePolicy", what: "scene policy", quota: quota.ScenePolicies, id: "PolicyId", unique: "Name",
			create: "CreateCustomScenePolicy", update: "UpdateCustomScenePolicy", remove: "DeleteCustomScenePolicy",
			list: "DescribeCustomScenePolicies", member: "DataModule",
			check: checkScene, view: viewScene,
			verbs: map[string]change{"EnableCustomScenePolicy": disable(false), "DisableCustomScenePolicy": disable(true)},
		},
		{
			name: "UserWafRuleset", what: "rule set", quota: quota.UserWAFRulesets, id: "Id", unique: "Name", account: "InstanceId",
			create: "CreateUserWafRuleset", update: "UpdateUserWafRuleset", get: "GetUserWafRuleset", remove: "DeleteUserWafRuleset",
			list: "ListUserWafRulesets", member: "Rulesets", wrap: "Ruleset", defaults: map[string]any{"Rules": []any{}, "Position": 1},
			check: checkUserRuleset,
			view: func(_ context.Context, _ *sql.Tx, it *item, m map[string]any) error {
				ids, rules := []any{}, []any{}
				for i, entry := range list(it.fields["Rules"]) {
					rule := object(entry)
					ids = append(ids, rule["Id"])
					rules = append(rules, map[string]any{"Id": rule["Id"], "Name": rule["Name"], "Phase": it.text("Phase"), "Action": rule["Action"],
						"Status": rule["Status"], "Config": rule, "Position": i + 1, "RulesetId": it.key, "Type": rule["Type"], "UpdateTime": stamp(it.updated)})
				}
				m["RuleIds"], m["Rules"] = ids, rules
				return nil
			},
		},
	}
}

func checkScene(ctx context.Context, tx *sql.Tx, _ *Service, it *item, _ api.Params) error {
	if it.text("SiteIds") == "" {
		it.set("SiteIds", it.fields["Objects"]) // its older name
	}
	it.set("Objects", nil)
	for id := range strings.SplitSeq(it.text("SiteIds"), ",") {
		site, err := strconv.ParseInt(strings.TrimSpace(id), 10, 64)
		if err != nil {
			return values.Invalid("SiteIds", "%q is no id of a site", id)
		}
		if _, err := siteOf(ctx, tx, site); err != nil {
			return err
		}
	}
	return times("StartTime", it.text("StartTime"), "EndTime", it.text("EndTime"))
}

func viewScene(_ context.Context, _ *sql.Tx, it *item, m map[string]any) error {
	objects := []any{}
	for id := range strings.SplitSeq(it.text("SiteIds"), ",") {
		objects = append(objects, strings.TrimSpace(id))
	}
	m["Objects"], m["Status"] = objects, "Pending"
	if it.fields["Disabled"] == true {
		m["Status"] = "Disabled"
	}
	return nil
}

func disable(off bool) change {
	return func(_ context.Context, _ *sql.Tx, _ *Service, it *item, _ api.Params) (map[string]any, error) {
		it.set("Disabled", off)
		return nil, nil
	}
}

func checkUserRuleset(ctx context.Context, tx *sql.Tx, _ *Service, it *item, _ api.Params) error {
	var known bool
	if err := tx.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM plan_instances WHERE instance_id = ?)`, it.account).Scan(&known); err != nil {
		return fmt.Errorf("look up the plan instance: %w", err)
	}
	if !known {
		return api.Errorf(404, "InvalidInstanceId.NotFound", "The plan instance does not exist. ListUserRatePlanInstances lists those of the account.")
	}
	if err := oneOf("Status", it.text("Status"), "on", "off"); err != nil {
		return err
	}
	if _, err := expression.Compile(ctx, tx, 0, it.text("Phase"), it.text("Expression")); err != nil {
		return err
	}
	for _, entry := range list(it.fields["Rules"]) {
		rule := object(entry)
		if e := api.Text(rule["Expression"]); e != "" {
			if _, err := expression.Compile(ctx, tx, 0, it.text("Phase"), e); err != nil {
				return err
			}
		}
		if number(rule["Id"]) != 0 {
			continue
		}
		id, err := state.NextID(ctx, tx)
		if err != nil {
			return err
		}
		rule["Id"] = id
	}
	return nil
}

// protectionSettings are what a site has against attacks, once each.
func protectionSettings() []setting {
	return []setting{
		{
			name: "HttpDDoSAttackProtection", get: "DescribeHttpDDoSAttackProtection", set: []string{"SetHttpDDoSAttackProtection"},
			defaults: map[string]any{"GlobalMode": "default"},
		},
		{
			name: "HttpDDoSAttackIntelligentProtection", get: "DescribeHttpDDoSAttackIntelligentProtection",
			set: []string{"SetHttpDDoSAttackIntelligentProtection"}, defaults: map[string]any{"AiMode": "observe", "AiTemplate": "level60"},
		},
		{
			name: "DdosMaxBurstGbps", get: "DescribeDdosMaxBurstGbps", set: []string{"SetDdosMaxBurstGbps"}, of: []string{"InstanceId"},
			defaults: map[string]any{"MaxBurstGbps": "0"},
			check: func(_ context.Context, _ *sql.Tx, _ *Service, fields map[string]any) error {
				return within("MaxBurstGbps", fields["MaxBurstGbps"], 0, 10_000)
			},
		},
		{
			name: "AutomaticFrequencyControl", get: "GetAutomaticFrequencyControlConfig", set: []string{"SetAutomaticFrequencyControlConfig"},
			defaults: map[string]any{"Enable": "off", "Level": "normal", "ActionType": "observe", "Interval": 10, "Threshold": 100, "PunishTime": 300},
		},
		{
			name: "SiteWafSettings", get: "GetSiteWafSettings", set: []string{"EditSiteWafSettings"}, wrap: "Settings",
			defaults: map[string]any{
				"AddBotProtectionHeaders": map[string]any{"Enable": false}, "AddSecurityHeaders": map[string]any{"Enable": false},
				"ClientIpIdentifier": map[string]any{"Mode": "connection", "Headers": []any{}},
				"SecurityLevel":      map[string]any{"Value": "low"},
			},
			check: func(_ context.Context, _ *sql.Tx, _ *Service, fields map[string]any) error {
				return oneOf("Settings", api.Text(object(fields["SecurityLevel"])["Value"]), values.SecurityLevels()...)
			},
		},
	}
}

// noSuchRule answers the operations on rules that the service makes by itself
// under attack: there are none here.
func noSuchRule(_ context.Context, _ *sql.Tx, _ *Service, r *api.Request) (map[string]any, error) {
	ids := r.Params.String("RuleIds") + r.Params.String("RuleId")
	return nil, api.Errorf(404, "InvalidRuleId.NotFound", "The site has no such rule: %s.", ids)
}

// span answers reports about a span of time in which nothing happened.
func span(_ context.Context, _ *sql.Tx, s *Service, r *api.Request) (map[string]any, error) {
	start, end := r.Params.String("StartTime"), r.Params.String("EndTime")
	if end == "" {
		end = stamp(s.clock())
	}
	if start == "" {
		start = s.cfg.Now().UTC().Add(-24 * time.Hour).Format(timeFormat)
	}
	if err := times("StartTime", start, "EndTime", end); err != nil {
		return nil, err
	}
	return map[string]any{"StartTime": start, "EndTime": end, "DataInterval": 300}, nil
}
