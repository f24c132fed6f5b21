package account

import (
	"encoding/json"
	"strconv"

	"github.com/esa-mcp/esa-mcp/internal/local/version"
)

func (e exporter) readSites() error {
	return e.each(`SELECT s.id, s.name, s.access_type, s.coverage, s.status, COALESCE(o.paused, 0), COALESCE(o.version_management, 0),
		(SELECT COUNT(*) FROM plan_instances q WHERE q.rowid < p.rowid), s.resource_group_id, s.offline_reason
		FROM sites s JOIN plan_instances p ON p.instance_id = s.instance_id LEFT JOIN site_options o ON o.site_id = s.id ORDER BY s.id`,
		func(scan func(...any) error) error {
			var s Site
			var id int64
			var plan int
			if err := scan(&id, &s.Name, &s.Access, &s.Coverage, &s.Status, &s.Paused, &s.VersionManagement, &plan, &s.ResourceGroup, &s.OfflineReason); err != nil {
				return err
			}
			if plan > 0 {
				s.Plan = "plan-" + strconv.Itoa(plan)
			}
			if s.Status == "active" {
				s.Status = ""
			}
			e.sites[id] = len(e.a.Sites)
			e.labels.words[strconv.FormatInt(id, 10)] = s.Name
			e.a.Sites = append(e.a.Sites, s)
			return nil
		})
}

func (e exporter) site(id int64) *Site { return &e.a.Sites[e.sites[id]] }

func (e exporter) environments() error {
	return e.each(`SELECT site_id, name, rule, version, previous FROM site_environments ORDER BY site_id, position`, func(scan func(...any) error) error {
		var one version.Environment
		var id, previous int64
		if err := scan(&id, &one.Name, &one.Rule, &one.Version, &previous); err != nil {
			return err
		}
		if previous >= 0 {
			one.Previous = &previous
		}
		s := e.site(id)
		s.Environments = append(s.Environments, one)
		return nil
	})
}

func (e exporter) records() error {
	return e.each(`SELECT id, site_id, name, type, ttl, proxied, biz_name, source_type, host_policy, auth_conf, comment, data, http_ports, https_ports
		FROM records ORDER BY site_id, id`, func(scan func(...any) error) error {
		var r Record
		var id int64
		var auth, data string
		err := scan(&r.own, &id, &r.Name, &r.Type, &r.TTL, &r.Proxied, &r.Biz, &r.Source, &r.HostPolicy, &auth, &r.Comment, &data, &r.HTTPPorts, &r.HTTPSPorts)
		if err != nil {
			return err
		}
		if r.Source == "Domain" {
			r.Source = "" // what a CNAME has anyway
		}
		if err := decode(data, &r.Data); err != nil {
			return err
		}
		if auth != "" {
			if err := decode(auth, &r.Auth); err != nil {
				return err
			}
		}
		s := e.site(id)
		s.Records = append(s.Records, r)
		return nil
	})
}

func (e exporter) rules() error {
	return e.each(`SELECT site_id, site_version, family, rule_name, rule, rule_enable, sequence, fields FROM rule_configs
		ORDER BY site_id, site_version, family, config_type <> 'global', sequence, id`, func(scan func(...any) error) error {
		var r Rule
		var id int64
		var fields string
		if err := scan(&id, &r.Version, &r.Family, &r.Name, &r.Rule, &r.Enable, &r.Sequence, &fields); err != nil {
			return err
		}
		if r.Enable == "on" {
			r.Enable = ""
		}
		if err := e.decode(fields, &r.Config); err != nil {
			return err
		}
		s := e.site(id)
		s.Rules = append(s.Rules, r)
		return nil
	})
}

// settings are those that an Update operation sets, and those of the site itself
// that are not as usual.
func (e exporter) settings() error {
	err := e.each(`SELECT site_id, site_version, name, fields FROM site_settings WHERE name <> 'OriginProtection' ORDER BY site_id, site_version, name`,
		func(scan func(...any) error) error {
			var id, version int64
			var name, fields string
			if err := scan(&id, &version, &name, &fields); err != nil {
				return err
			}
			var values map[string]any
			err := e.decode(fields, &values)
			s := e.site(id)
			if version == 0 {
				s.set(name, values)
				return err
			}
			if s.VersionSettings == nil {
				s.VersionSettings = map[string]map[string]map[string]any{}
			}
			number := strconv.FormatInt(version, 10)
			if s.VersionSettings[number] == nil {
				s.VersionSettings[number] = map[string]map[string]any{}
			}
			s.VersionSettings[number][name] = values
			return err
		})
	if err != nil {
		return err
	}
	return e.each(`SELECT site_id, vanity_ns, name_exclusive, ipv6, ipv6_region FROM site_options`, func(scan func(...any) error) error {
		var id int64
		var servers, exclusive, ipv6, region string
		if err := scan(&id, &servers, &exclusive, &ipv6, &region); err != nil {
			return err
		}
		s := e.site(id)
		if servers != "" {
			s.set("SiteVanityNS", map[string]any{"VanityNSList": servers})
		}
		if exclusive == "on" {
			s.set("SiteNameExclusive", map[string]any{"Enable": exclusive})
		}
		if ipv6 == "on" || region != "x.x" {
			s.set("IPv6", map[string]any{"Enable": ipv6, "Region": region})
		}
		return nil
	})
}

func (s *Site) set(name string, values map[string]any) {
	if s.Settings == nil {
		s.Settings = map[string]map[string]any{}
	}
	s.Settings[name] = values
}

func (e exporter) protection() error {
	return e.each(`SELECT site_id, fields FROM site_settings WHERE name = 'OriginProtection'`, func(scan func(...any) error) error {
		var id int64
		var fields string
		if err := scan(&id, &fields); err != nil {
			return err
		}
		var stored struct{ AutoConfirm, Converge string }
		if err := json.Unmarshal([]byte(fields), &stored); err != nil {
			return err
		}
		e.site(id).OriginProtection = &OriginProtection{stored.AutoConfirm, stored.Converge}
		return nil
	})
}

func (e exporter) rulesets() error {
	type at struct {
		site int64
		i    int
	}
	places := map[int64]at{}
	err := e.each(`SELECT id, site_id, site_version, phase, name, status, shared FROM waf_rulesets ORDER BY site_id, site_version, id`,
		func(scan func(...any) error) error {
			var r Ruleset
			var id, site int64
			var shared string
			if err := scan(&id, &site, &r.Version, &r.Phase, &r.Name, &r.Status, &shared); err != nil {
				return err
			}
			if r.Status == "on" {
				r.Status = ""
			}
			s := e.site(site)
			places[id] = at{site, len(s.Rulesets)}
			s.Rulesets = append(s.Rulesets, r)
			if shared == "" {
				return nil
			}
			return e.decode(shared, &s.Rulesets[len(s.Rulesets)-1].Shared)
		})
	if err != nil {
		return err
	}
	return e.each(`SELECT ruleset_id, name, status, config FROM waf_rules ORDER BY ruleset_id, position`, func(scan func(...any) error) error {
		var id int64
		var name, status, text string
		if err := scan(&id, &name, &status, &text); err != nil {
			return err
		}
		var config map[string]any
		if err := e.decode(text, &config); err != nil {
			return err
		}
		config["Name"], config["Status"] = name, status
		place := places[id]
		r := &e.site(place.site).Rulesets[place.i]
		r.Rules = append(r.Rules, config)
		return nil
	})
}

// routes are those to routines, and the names that lead to one as a whole.
func (e exporter) routes() error {
	err := e.each(`SELECT t.site_id, t.name, r.name, t.rule, t.enable, t.bypass, t.fallback, t.sequence, t.timeout FROM routine_routes t
		JOIN routines r ON r.id = t.routine_id ORDER BY t.site_id, t.sequence, t.id`, func(scan func(...any) error) error {
		var r Route
		var id int64
		if err := scan(&id, &r.Name, &r.Routine, &r.Rule, &r.Enable, &r.Bypass, &r.Fallback, &r.Sequence, &r.Timeout); err != nil {
			return err
		}
		for field, usual := range map[*string]string{&r.Enable: "on", &r.Bypass: "off", &r.Fallback: "off"} {
			if *field == usual {
				*field = ""
			}
		}
		s := e.site(id)
		s.Routes = append(s.Routes, r)
		return nil
	})
	if err != nil {
		return err
	}
	return e.each(`SELECT t.site_id, t.name, r.name FROM routine_records t JOIN routines r ON r.id = t.routine_id`, func(scan func(...any) error) error {
		var id int64
		var name, routine string
		if err := scan(&id, &name, &routine); err != nil {
			return err
		}
		s := e.site(id)
		if s.RoutineRecords == nil {
			s.RoutineRecords = map[string]string{}
		}
		s.RoutineRecords[name] = routine
		return nil
	})
}

func (e exporter) tags() error {
	return e.each(`SELECT site_id, COALESCE(record_id, 0), key, value FROM
		(SELECT site_id, record_id, key, value FROM tags WHERE record_id IS NULL
		UNION ALL SELECT r.site_id, t.record_id, t.key, t.value FROM tags t JOIN records r ON r.id = t.record_id)`, func(scan func(...any) error) error {
		var id int64
		var record, key, value string
		if err := scan(&id, &record, &key, &value); err != nil {
			return err
		}
		s := e.site(id)
		tags := &s.Tags
		for i := range s.Records {
			if s.Records[i].own == record {
				tags = &s.Records[i].Tags
			}
		}
		if *tags == nil {
			*tags = map[string]string{}
		}
		(*tags)[key] = value
		return nil
	})
}
