package account

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sort"
	"strconv"
	"time"

	"github.com/esa-mcp/esa-mcp/internal/local/analytics"
	"github.com/esa-mcp/esa-mcp/internal/local/api"
	"github.com/esa-mcp/esa-mcp/internal/local/state"
)

// batch is how many records or pairs one call takes.
const batch = 500

// seeder makes an account.
type seeder struct {
	ctx       context.Context
	store     *state.Store
	table     api.Table
	now       time.Time
	instances map[string]string // plan instances by their id in the file
}

// Seed makes what the file describes. The account must have no sites yet.
func Seed(ctx context.Context, store *state.Store, table api.Table, a Account, now time.Time) error {
	s := seeder{ctx, store, table, now, map[string]string{}}
	listed, err := s.call("ListSites", api.Params{})
	if err != nil {
		return err
	}
	if text(listed["TotalCount"]) != "0" {
		return errors.New("seed the account: it has sites already; give :memory: or a folder without state")
	}
	plans, err := s.call("ListUserRatePlanInstances", api.Params{})
	if err != nil {
		return err
	}
	s.instances[""] = text(entry(plans["InstanceInfo"], 0)["InstanceId"])
	for _, step := range []func(Account) error{s.plans, s.lists, s.namespaces, s.sites, s.traffic} {
		if err := step(a); err != nil {
			return fmt.Errorf("seed the account: %w", err)
		}
	}
	return nil
}

// call carries out an operation and decodes its answer.
func (s seeder) call(action string, p api.Params) (map[string]any, error) {
	handle, ok := s.table[action]
	if !ok {
		return nil, fmt.Errorf("there is no operation %s", action)
	}
	answer, err := handle(s.ctx, &api.Request{Action: action, Method: "POST", Params: p})
	if err != nil {
		return nil, fmt.Errorf("%s: %w", action, err)
	}
	raw, err := json.Marshal(answer)
	if err != nil {
		return nil, err
	}
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	var out map[string]any
	return out, d.Decode(&out)
}

func text(v any) string { return api.Params{"v": v}.String("v") }

func entry(list any, i int) map[string]any {
	l, _ := list.([]any)
	if i >= len(l) {
		return nil
	}
	m, _ := l[i].(map[string]any)
	return m
}

func (s seeder) plans(a Account) error {
	for _, p := range a.Plans {
		made, err := s.call("PurchaseRatePlan", api.Params{"PlanName": p.Plan, "Amount": strconv.Itoa(max(p.Sites, 1)), "Period": "60"})
		if err != nil {
			return fmt.Errorf("plan %s: %w", p.ID, err)
		}
		s.instances[p.ID] = text(made["InstanceId"])
	}
	return nil
}

func (s seeder) lists(a Account) error {
	for _, l := range a.Lists {
		items := slices.Clone(l.Items)
		_, err := s.call("CreateList", api.Params{"Name": l.Name, "Kind": l.Kind, "Description": l.Description, "Items": jsonText(items)})
		if err != nil {
			return fmt.Errorf("list %s: %w", l.Name, err)
		}
	}
	return nil
}

func jsonText(v any) string {
	raw, _ := json.Marshal(v) // came from JSON
	return string(raw)
}

func (s seeder) namespaces(a Account) error {
	for _, n := range a.Namespaces {
		if _, err := s.call("CreateKvNamespace", api.Params{"Namespace": n.Name, "Description": n.Description}); err != nil {
			return fmt.Errorf("namespace %s: %w", n.Name, err)
		}
		for _, p := range n.Pairs {
			put := api.Params{"Namespace": n.Name, "Key": p.Key, "Value": p.Value}
			if p.Base64 != "" {
				put["Value"], put["Base64"] = p.Base64, "true"
			}
			if p.Expires != "" {
				at, err := when(p.Expires, s.now)
				if err != nil {
					return fmt.Errorf("key %s: %w", p.Key, err)
				}
				put["Expiration"] = strconv.FormatInt(at.Unix(), 10)
			}
			if _, err := s.call("PutKv", put); err != nil {
				return fmt.Errorf("key %s: %w", p.Key, err)
			}
		}
	}
	return nil
}

func (s seeder) sites(a Account) error {
	for _, site := range a.Sites {
		if err := s.site(site); err != nil {
			return fmt.Errorf("site %s: %w", site.Name, err)
		}
	}
	return nil
}

func (s seeder) site(site Site) error {
	instance, ok := s.instances[site.Plan]
	if !ok {
		return fmt.Errorf("the file has no plan %s", site.Plan)
	}
	made, err := s.call("CreateSite", api.Params{"SiteName": site.Name, "AccessType": site.Access, "Coverage": site.Coverage, "InstanceId": instance})
	if err != nil {
		return err
	}
	id := text(made["SiteId"])
	if err := s.setStatus(id, site.Status); err != nil {
		return err
	}
	if site.VersionManagement {
		if _, err := s.call("ActivateVersionManagement", api.Params{"SiteId": id}); err != nil {
			return err
		}
	}
	for _, step := range []func(string, Site) error{s.records, s.rules, s.settings, s.certificates, s.tags} {
		if err := step(id, site); err != nil {
			return err
		}
	}
	if site.Paused {
		_, err = s.call("UpdateSitePause", api.Params{"SiteId": id, "Paused": "true"})
	}
	return err
}

// setStatus gives a site its state, which no operation does.
func (s seeder) setStatus(id, status string) error {
	switch status {
	case "":
		status = "active"
	case "active", "pending", "offline", "moved":
	default:
		return fmt.Errorf("the status %q is none of active, pending, offline, moved", status)
	}
	if _, err := s.store.DB().ExecContext(s.ctx, `UPDATE sites SET status = ? WHERE id = ?`, status, id); err != nil {
		return fmt.Errorf("store the status: %w", err)
	}
	return nil
}

// params are what CreateRecord is told.
func (r Record) params() api.Params {
	p := api.Params{"RecordName": r.Name, "Type": r.Type, "Ttl": strconv.Itoa(max(r.TTL, 1)), "Data": jsonText(r.Data)}
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
// batches do not take.
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
	for _, r := range site.Records {
		if r.Comment == "" && r.HostPolicy == "" {
			row := map[string]any{"RecordName": r.Name, "Type": r.Type, "Ttl": max(r.TTL, 1), "Proxied": r.Proxied, "Data": r.Data,
				"BizName": r.Biz, "SourceType": r.Source, "HttpPorts": r.HTTPPorts, "HttpsPorts": r.HTTPSPorts, "AuthConf": r.Auth}
			for name, value := range row {
				if value == "" || name == "AuthConf" && r.Auth == nil {
					delete(row, name)
				}
			}
			if rows = append(rows, row); len(rows) == batch {
				if err := flush(); err != nil {
					return err
				}
			}
			continue
		}
		p := r.params()
		p["SiteId"] = id
		if _, err := s.call("CreateRecord", p); err != nil {
			return fmt.Errorf("record %s: %w", r.Name, err)
		}
	}
	return flush()
}

func (s seeder) rules(id string, site Site) error {
	for _, r := range site.Rules {
		p := api.Params{"SiteId": id}
		for name, value := range r.Config {
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
			return fmt.Errorf("rule %s: %w", r.Name, err)
		}
	}
	return nil
}

func (s seeder) settings(id string, site Site) error {
	names := make([]string, 0, len(site.Settings))
	for name := range site.Settings {
		names = append(names, name)
	}
	sort.Strings(names)
	for _, name := range names {
		p := api.Params{"SiteId": id}
		for field, value := range site.Settings[name] {
			p[field] = value
		}
		if _, err := s.call("Update"+name, p); err != nil {
			return err
		}
	}
	return nil
}

func (s seeder) certificates(id string, site Site) error {
	for _, c := range site.Certificates {
		var err error
		if c.Certificate != "" {
			_, err = s.call("SetCertificate", api.Params{"SiteId": id, "Type": "upload", "Name": c.Name, "Certificate": c.Certificate, "PrivateKey": c.PrivateKey})
		} else {
			_, err = s.call("ApplyCertificate", api.Params{"SiteId": id, "Type": "lets_encrypt", "Domains": c.Domain})
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (s seeder) tags(id string, site Site) error {
	if len(site.Tags) == 0 {
		return nil
	}
	p := api.Params{"RegionId": "cn-hangzhou", "ResourceType": "site", "ResourceId.1": id}
	i := 0
	for key, value := range site.Tags {
		i++
		p[fmt.Sprintf("Tag.%d.Key", i)], p[fmt.Sprintf("Tag.%d.Value", i)] = key, value
	}
	_, err := s.call("TagResources", p)
	return err
}

func (s seeder) traffic(a Account) error {
	for _, t := range a.Traffic {
		from, err := when(t.From, s.now)
		if err != nil {
			return err
		}
		to, err := when(t.To, s.now)
		if err != nil {
			return err
		}
		if t.Count < 1 || t.Count > 1_000_000 || to.Before(from) {
			return fmt.Errorf("traffic to %s: count is 1 to 1000000, and to is not before from", t.Host)
		}
		visits := make([]analytics.Visit, t.Count)
		for i := range visits {
			visits[i] = t.visit(from, to, i)
		}
		if err := analytics.Seed(s.ctx, s.store, visits); err != nil {
			return err
		}
	}
	return nil
}

// visit is the request of that number.
func (t Traffic) visit(from, to time.Time, i int) analytics.Visit {
	v := analytics.Visit{Time: from, Host: t.Host, Method: t.Method, Path: t.Path, Status: t.Status, CacheStatus: t.Cache,
		ContentType: t.ContentType, Country: t.Country, UserAgent: t.UserAgent, Protocol: "HTTP/1.1", Bytes: t.Bytes / int64(t.Count)}
	if i == 0 {
		v.Bytes += t.Bytes % int64(t.Count)
	}
	if t.Count > 1 {
		v.Time = from.Add(to.Sub(from) * time.Duration(i) / time.Duration(t.Count-1))
	}
	if v.Method == "" {
		v.Method = "GET"
	}
	if v.Path == "" {
		v.Path = "/"
	}
	if v.Status == 0 {
		v.Status = 200
	}
	return v
}
