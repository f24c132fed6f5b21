package account

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"

	"github.com/esa-mcp/esa-mcp/internal/local/api"
	"github.com/esa-mcp/esa-mcp/internal/local/version"
)

// allSites makes the sites without what they have, so that everything can refer
// to them.
func (s seeder) allSites(a Account) error {
	for i, site := range a.Sites {
		if err := s.site(site); err != nil {
			return fmt.Errorf("site %s: %w", called(site.Name, i), err)
		}
	}
	return nil
}

func (s seeder) site(site Site) error {
	plan := site.Plan
	if plan == "" {
		plan = ownPlan
	}
	instance := s.refs.known[plan]
	if instance == "" {
		return fmt.Errorf("the file has no plan %s", site.Plan)
	}
	p := api.Params{"SiteName": site.Name, "AccessType": site.Access, "Coverage": site.Coverage, "InstanceId": instance}
	if site.ResourceGroup != "" {
		p["ResourceGroupId"] = site.ResourceGroup
	}
	made, err := s.call("CreateSite", p)
	if err != nil {
		return err
	}
	id := text(made["SiteId"])
	s.sites[site.Name] = id
	s.refs.made(site.Name, id)
	if err := s.setStatus(id, site); err != nil {
		return err
	}
	if site.VersionManagement {
		_, err = s.call("ActivateVersionManagement", api.Params{"SiteId": id})
	}
	if err == nil && len(site.Environments) > 0 {
		err = version.New(s.Store).Restore(s.ctx, site.Name, site.Environments)
	}
	return err
}

// contents fills the sites.
func (s seeder) contents(a Account) error {
	for i, site := range a.Sites {
		if err := s.fill(s.sites[site.Name], site); err != nil {
			return fmt.Errorf("site %s: %w", called(site.Name, i), err)
		}
	}
	for _, p := range a.Plans {
		if err := s.setPlanStatus(s.refs.known[p.ID], p.Status); err != nil {
			return fmt.Errorf("plan %s: %w", p.ID, err)
		}
	}
	if a.OwnPlan == nil {
		return nil
	}
	if err := s.setPlanStatus(s.refs.known[ownPlan], a.OwnPlan.Status); err != nil {
		return fmt.Errorf("own_plan: %w", err)
	}
	return nil
}

func (s seeder) fill(id string, site Site) error {
	for _, step := range []func(string, Site) error{s.pools, s.records, s.siteThings, s.rules, s.settings, s.protection, s.rulesets,
		s.routes, s.certificates, s.otherCertificates} {
		if err := step(id, site); err != nil {
			return err
		}
	}
	if err := s.tag("site", id, site.Tags); err != nil {
		return err
	}
	if !site.Paused {
		return nil
	}
	_, err := s.call("UpdateSitePause", api.Params{"SiteId": id, "Paused": "true"})
	return err
}

// setStatus gives a site its state, which no operation does.
func (s seeder) setStatus(id string, site Site) error {
	status := site.Status
	switch status {
	case "":
		status = "active"
	case "active", "pending", "offline", "moved":
	default:
		return fmt.Errorf("the status %q is none of active, pending, offline, moved", status)
	}
	if _, err := s.Store.Exec(s.ctx, `UPDATE sites SET status = ?, offline_reason = ? WHERE id = ?`, status, site.OfflineReason, id); err != nil {
		return fmt.Errorf("store the status: %w", err)
	}
	return nil
}

// params are what CreateRecord is told.
func (r Record) params() api.Params {
	p := api.Params{"RecordName": r.Name, "Type": r.Type, "Ttl": strconv.Itoa(cmp.Or(r.TTL, 1)), "Data": jsonText(r.Data)}
	for name, value := range map[string]string{"BizName": r.Biz, "SourceType": r.Source, "HostPolicy": r.HostPolicy, "Comment": r.Comment,
		"HttpPorts": r.HTTPPorts, "HttpsPorts": r.HTTPSPorts} {
		if value != "" {
			p[name] = value
		}
	}
	if r.Proxied {
		p["Proxied"] = "true"
	}
	if r.Auth != nil {
		p["AuthConf"] = jsonText(r.Auth)
	}
	return p
}

// records makes most records in batches, and by themselves those that say what
// batches do not take, or that something refers to.
func (s seeder) records(id string, site Site) error {
	var rows []map[string]any
	flush := func() error {
		if len(rows) == 0 {
			return nil
		}
		out, err := s.call("BatchCreateRecords", api.Params{"SiteId": id, "RecordList": jsonText(rows)})
		if err != nil {
			return err
		}
		result, _ := out["RecordResultList"].(map[string]any)
		if failed := entry(result["Failed"], 0); failed != nil {
			return fmt.Errorf("record %s: %s", text(failed["RecordName"]), text(failed["Description"]))
		}
		rows = nil
		return nil
	}
	for i, r := range site.Records {
		if r.Comment == "" && r.HostPolicy == "" && r.ID == "" && r.Tags == nil {
			if rows = append(rows, r.row()); len(rows) == batch {
				if err := flush(); err != nil {
					return err
				}
			}
			continue
		}
		if err := flush(); err != nil { // in the file's order
			return err
		}
		p := r.params()
		p["SiteId"] = id
		out, err := s.call("CreateRecord", p)
		if err != nil {
			return fmt.Errorf("record %s: %w", called(r.Name, i), err)
		}
		made := text(out["RecordId"])
		s.refs.made(r.ID, made)
		if err := s.tag("record", made, r.Tags); err != nil {
			return fmt.Errorf("record %s: %w", called(r.Name, i), err)
		}
	}
	return flush()
}

// row is what a batch is told.
func (r Record) row() map[string]any {
	row := map[string]any{"RecordName": r.Name, "Type": r.Type, "Ttl": cmp.Or(r.TTL, 1), "Proxied": r.Proxied, "Data": r.Data,
		"BizName": r.Biz, "SourceType": r.Source, "HttpPorts": r.HTTPPorts, "HttpsPorts": r.HTTPSPorts, "AuthConf": r.Auth}
	for name, value := range row {
		if value == "" || name == "AuthConf" && r.Auth == nil {
			delete(row, name)
		}
	}
	return row
}

func (s seeder) rules(id string, site Site) error {
	for i, r := range site.Rules {
		p := api.Params{"SiteId": id}
		where := fmt.Sprintf("rule %d (%s %s)", i+1, r.Family, r.Name)
		config, err := s.resolved(r.Config)
		if err != nil {
			return fmt.Errorf("%s: %w", where, err)
		}
		for name, value := range config {
			p[name] = value
		}
		if r.Version != 0 {
			p["SiteVersion"] = strconv.FormatInt(r.Version, 10)
		}
		if r.Rule != "" {
			p["Rule"], p["RuleName"], p["RuleEnable"] = r.Rule, r.Name, "on"
			if r.Enable != "" {
				p["RuleEnable"] = r.Enable
			}
		}
		if r.Sequence != 0 {
			p["Sequence"] = strconv.FormatInt(r.Sequence, 10)
		}
		if _, err := s.call("Create"+r.Family, p); err != nil {
			return fmt.Errorf("%s: %w", where, err)
		}
	}
	return nil
}

// settings sets those of the site, and then those of its versions.
func (s seeder) settings(id string, site Site) error {
	set := func(version string, settings map[string]map[string]any) error {
		for _, name := range slices.Sorted(maps.Keys(settings)) {
			p := api.Params{"SiteId": id}
			if version != "" {
				p["SiteVersion"] = version
			}
			values, err := s.resolved(settings[name])
			if err != nil {
				return fmt.Errorf("setting %s: %w", name, err)
			}
			for field, value := range values {
				p[field] = value
			}
			if _, err := s.call("Update"+name, p); err != nil {
				return fmt.Errorf("setting %s: %w", name, err)
			}
		}
		return nil
	}
	if err := set("", site.Settings); err != nil {
		return err
	}
	for _, version := range slices.Sorted(maps.Keys(site.VersionSettings)) {
		if err := set(version, site.VersionSettings[version]); err != nil {
			return fmt.Errorf("version %s: %w", version, err)
		}
	}
	return nil
}

func (s seeder) protection(id string, site Site) error {
	want := site.OriginProtection
	if want == nil {
		return nil
	}
	p := api.Params{"SiteId": id}
	if want.AutoConfirm != "" {
		p["AutoConfirmIPList"] = want.AutoConfirm
	}
	if _, err := s.call("CreateOriginProtection", p); err != nil {
		return err
	}
	if want.Converge == "" {
		return nil
	}
	_, err := s.call("UpdateOriginProtection", api.Params{"SiteId": id, "OriginConverge": want.Converge})
	return err
}

// rulesets makes the sets of security rules.
func (s seeder) rulesets(id string, site Site) error {
	for i, r := range site.Rulesets {
		if err := s.ruleset(id, r); err != nil {
			return fmt.Errorf("waf ruleset %d (%s %s): %w", i+1, r.Phase, r.Name, err)
		}
	}
	return nil
}

func (s seeder) ruleset(id string, r Ruleset) error {
	at := api.Params{"SiteId": id}
	if r.Version != 0 {
		at["SiteVersion"] = strconv.FormatInt(r.Version, 10)
	}
	with := func(more api.Params) api.Params {
		p := maps.Clone(at)
		maps.Copy(p, more)
		return p
	}
	made, err := s.call("CreateWafRuleset", with(api.Params{"Phase": r.Phase, "Name": r.Name}))
	if err != nil {
		return err
	}
	ruleset := text(made["Id"])
	resolved, err := s.resolved(map[string]any{"rules": r.Rules, "shared": r.Shared})
	if err != nil {
		return err
	}
	if r.Shared != nil || len(r.Rules) > 0 {
		p := with(api.Params{"Phase": r.Phase, "RulesetId": ruleset, "Configs": jsonText(resolved["rules"])})
		if r.Shared != nil {
			p["Shared"] = jsonText(resolved["shared"])
		}
		if _, err := s.call("BatchCreateWafRules", p); err != nil {
			return err
		}
	}
	if r.Status == "" {
		return nil
	}
	_, err = s.call("UpdateWafRuleset", with(api.Params{"Id": ruleset, "Status": r.Status}))
	return err
}

func (s seeder) routes(id string, site Site) error {
	for i, r := range site.Routes {
		p := api.Params{"SiteId": id, "RoutineName": r.Routine, "RouteName": r.Name, "Rule": r.Rule, "RouteEnable": "on"}
		for name, value := range map[string]string{"RouteEnable": r.Enable, "Bypass": r.Bypass, "Fallback": r.Fallback, "Timeout": r.Timeout} {
			if value != "" {
				p[name] = value
			}
		}
		if r.Sequence != 0 {
			p["Sequence"] = strconv.FormatInt(r.Sequence, 10)
		}
		if _, err := s.call("CreateRoutineRoute", p); err != nil {
			return fmt.Errorf("route %d (%s): %w", i+1, r.Name, err)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(site.RoutineRecords)) {
		_, err := s.call("CreateRoutineRelatedRecord", api.Params{"SiteId": id, "Name": site.RoutineRecords[name], "RecordName": name})
		if err != nil {
			return fmt.Errorf("routine record %s: %w", name, err)
		}
	}
	return nil
}

// tag gives a site or a record its tags.
func (s seeder) tag(kind, id string, tags map[string]string) error {
	if len(tags) == 0 {
		return nil
	}
	p := api.Params{"RegionId": "cn-hangzhou", "ResourceType": kind, "ResourceId.1": id}
	i := 0
	for key, value := range tags {
		i++
		p[fmt.Sprintf("Tag.%d.Key", i)], p[fmt.Sprintf("Tag.%d.Value", i)] = key, value
	}
	_, err := s.call("TagResources", p)
	return err
}
