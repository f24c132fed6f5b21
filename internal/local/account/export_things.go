package account

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"

	"github.com/esa-mcp/esa-mcp/internal/local/generic"
	"github.com/esa-mcp/esa-mcp/internal/local/routine"
)

// ids gathers what references may be about: records and things.
func (e exporter) ids() error {
	err := e.each(`SELECT id FROM records`, func(scan func(...any) error) error {
		var id string
		err := scan(&id)
		e.labels.kinds[id] = "record"
		return err
	})
	if err != nil {
		return err
	}
	return e.each(`SELECT id, key, kind FROM resources`, func(scan func(...any) error) error {
		var id, key, kind string
		err := scan(&id, &key, &kind)
		if e.labels.kinds[id] = kind; len(key) >= len(id) && key[len(key)-len(id):] == id {
			e.labels.kinds[key] = kind
		}
		return err
	})
}

// decode decodes stored fields, with references in the place of ids.
func (e exporter) decode(text string, to *map[string]any) error {
	var fields map[string]any
	if err := decode(text, &fields); err != nil {
		return err
	}
	*to, _ = e.labels.value(fields).(map[string]any)
	return nil
}

// stored is a thing as it is read, and where it belongs.
type stored struct {
	Thing
	id, site, parent int64
}

// things reads what generic operations keep, kind by kind.
func (e exporter) things() error {
	var all []*stored
	at := map[int64]*stored{}
	err := e.each(`SELECT id, key, kind, account, COALESCE(site_id, 0), COALESCE(parent_id, 0), fields FROM resources ORDER BY kind, id`,
		func(scan func(...any) error) error {
			var t stored
			var key, of, fields string
			if err := scan(&t.id, &key, &t.Kind, &of, &t.site, &t.parent, &fields); err != nil {
				return err
			}
			if t.Of = e.labels.text(of); generic.IsSetting(t.Kind) {
				t.Of = e.labels.text(key)
			}
			var kept map[string]any
			if err := decode(fields, &kept); err != nil {
				return err
			}
			generic.Portable(t.Kind, kept)
			t.Fields, _ = e.labels.value(kept).(map[string]any)
			t.own = []string{strconv.FormatInt(t.id, 10), key}
			all, at[t.id] = append(all, &t), &t
			return nil
		})
	if err != nil {
		return err
	}
	for _, t := range all {
		if whole := at[t.parent]; whole != nil && whole.site == 0 && t.site != 0 {
			t.Site = e.site(t.site).Name
		}
	}
	var parts func(id int64) []Thing
	parts = func(id int64) (list []Thing) {
		for _, t := range all {
			if t.parent == id {
				t.Parts = parts(t.id)
				list = append(list, t.Thing)
			}
		}
		return list
	}
	for _, t := range all {
		if t.parent != 0 {
			continue
		}
		t.Parts = parts(t.id)
		if t.site == 0 {
			e.a.Things = append(e.a.Things, t.Thing)
			continue
		}
		s := e.site(t.site)
		s.Things = append(s.Things, t.Thing)
	}
	return nil
}

// name gives an ID to what something refers to.
func (e exporter) name() {
	for i := range e.a.Uploads {
		e.a.Uploads[i].ID = e.labels.words[e.a.Uploads[i].own]
	}
	e.nameThings(e.a.Things)
	for i := range e.a.Sites {
		s := &e.a.Sites[i]
		e.nameThings(s.Things)
		for j := range s.Records {
			s.Records[j].ID = e.labels.words[s.Records[j].own]
		}
	}
}

func (e exporter) nameThings(list []Thing) {
	for i := range list {
		for _, id := range list[i].own {
			if word := e.labels.words[id]; word != "" {
				list[i].ID = word
			}
		}
		e.nameThings(list[i].Parts)
	}
}

func (e exporter) routines() error {
	at := map[int64]int{}
	var ids []int64
	err := e.each(`SELECT id, name, description, has_assets, staged_code FROM routines ORDER BY name`, func(scan func(...any) error) error {
		var r Routine
		var id int64
		var staged []byte
		if err := scan(&id, &r.Name, &r.Description, &r.HasAssets, &staged); err != nil {
			return err
		}
		if staged != nil {
			c := contentOf(staged)
			r.Staged = &c
		}
		ids, at[id] = append(ids, id), len(e.a.Routines)
		e.a.Routines = append(e.a.Routines, r)
		return e.grow("routine "+r.Name, int64(len(staged)))
	})
	if err != nil {
		return err
	}
	for _, id := range ids {
		if err := e.versions(e.ctx, id, &e.a.Routines[at[id]]); err != nil {
			return err
		}
	}
	return nil
}

// versions reads the code versions of a routine, and what is live.
func (e exporter) versions(ctx context.Context, id int64, r *Routine) error {
	words := map[string]string{}
	size := func(bytes int64) error { return e.grow("routine "+r.Name, bytes) }
	err := routine.ReadVersions(ctx, e.tx, e.store, id, size, func(codeVersion string, v routine.StoredVersion) error {
		out := Version{ID: "v" + strconv.Itoa(len(r.Versions)+1), Description: v.Description, NotFound: v.NotFound, BuildID: v.BuildID,
			ExtraInfo: v.ExtraInfo, DeployEnv: v.DeployEnv, Status: v.Status, Reason: v.Reason}
		if v.Status == "available" {
			out.Status = ""
		}
		if v.HasCode {
			c := contentOf(v.Code)
			out.Code = &c
		}
		for _, a := range v.Assets {
			out.Assets = append(out.Assets, File{a.Path, contentOf(a.Content)})
		}
		words[codeVersion] = out.ID
		r.Versions = append(r.Versions, out)
		return nil
	})
	if err != nil {
		return err
	}
	return e.each(`SELECT env, code_versions FROM routine_deployments WHERE routine_id = `+strconv.FormatInt(id, 10), func(scan func(...any) error) error {
		var env, text string
		if err := scan(&env, &text); err != nil {
			return err
		}
		var shares []routine.Share
		if err := json.Unmarshal([]byte(text), &shares); err != nil {
			return fmt.Errorf("read what is live of %s: %w", r.Name, err)
		}
		if r.Live == nil {
			r.Live = map[string][]Share{}
		}
		for _, s := range shares {
			r.Live[env] = append(r.Live[env], Share{words[s.CodeVersion], s.Percentage})
		}
		return nil
	})
}
