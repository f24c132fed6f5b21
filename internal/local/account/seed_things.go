package account

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/esa-mcp/esa-mcp/internal/local/api"
	"github.com/esa-mcp/esa-mcp/internal/local/generic"
	"github.com/esa-mcp/esa-mcp/internal/local/routine"
)

// resolved puts ids in the place of references, all of which must be made.
func (s seeder) resolved(fields map[string]any) (map[string]any, error) {
	plain := plainValue(fields)
	missing, err := s.refs.missing(plain)
	if err != nil {
		return nil, err
	}
	if len(missing) > 0 {
		return nil, fmt.Errorf("it refers to ${%s}, which is made later", missing[0])
	}
	out, _ := s.refs.value(plain).(map[string]any)
	return out, nil
}

// plainValue makes lists of objects lists of anything.
func plainValue(fields map[string]any) map[string]any {
	out := make(map[string]any, len(fields))
	for name, value := range fields {
		if objects, is := value.([]map[string]any); is {
			list := make([]any, len(objects))
			for i := range objects {
				list[i] = objects[i]
			}
			value = list
		}
		out[name] = value
	}
	return out
}

// waiting are things of one kind that refer to what is not made yet.
type waiting struct {
	where string
	site  string
	list  []Thing
	first int // the number of the first in the file
}

// things makes things kind by kind. A kind waits until all that it refers to is
// made, and if that never comes the first such reference is the error.
func (s seeder) things(where, site string, list []Thing) error {
	var todo []waiting
	for i, t := range list {
		if last := len(todo) - 1; last >= 0 && todo[last].list[0].Kind == t.Kind {
			todo[last].list = append(todo[last].list, t)
			continue
		}
		todo = append(todo, waiting{where, site, []Thing{t}, i})
	}
	for len(todo) > 0 {
		var later []waiting
		for _, w := range todo {
			missing, err := s.missing(w)
			if err != nil {
				return err
			}
			if missing != "" {
				later = append(later, w)
				continue
			}
			if err := s.make(w); err != nil {
				return err
			}
		}
		if len(later) == len(todo) {
			missing, _ := s.missing(todo[0])
			return errors.New(missing)
		}
		todo = later
	}
	return nil
}

// missing says what a kind waits for; empty if it is nothing.
func (s seeder) missing(w waiting) (string, error) {
	for i, t := range w.list {
		missing, err := s.needs(t)
		if err != nil {
			return "", fmt.Errorf("%s%w", t.place(w.where, w.first+i), err)
		}
		if len(missing) > 0 {
			return fmt.Sprintf("%sit refers to ${%s}, which cannot be made before it", t.place(w.where, w.first+i), missing[0]), nil
		}
	}
	return "", nil
}

// needs are the references of a thing and its parts to what is not made, besides
// its own parts.
func (s seeder) needs(t Thing) (missing []string, err error) {
	inside := partIDs(t)
	var walk func(t Thing) error
	walk = func(t Thing) error {
		found, err := s.refs.missing([]any{t.Of, plainValue(t.Fields)})
		if err != nil {
			return err
		}
		for _, word := range found {
			if !slices.Contains(inside, word) {
				missing = append(missing, word)
			}
		}
		for _, part := range t.Parts {
			if err := walk(part); err != nil {
				return err
			}
		}
		return nil
	}
	err = walk(t)
	return missing, err
}

func partIDs(t Thing) (ids []string) {
	for _, part := range t.Parts {
		ids = append(append(ids, part.ID), partIDs(part)...)
	}
	return ids
}

func (s seeder) make(w waiting) error {
	for i, t := range w.list {
		if err := s.thing(t.place(w.where, w.first+i), w.site, 0, t); err != nil {
			return err
		}
	}
	return nil
}

// thing makes a thing and its parts. What refers to the parts is set after them.
func (s seeder) thing(where, site string, whole int64, t Thing) error {
	if t.Site != "" {
		if site = s.sites[t.Site]; site == "" {
			return fmt.Errorf("%sthe file has no site %s", where, t.Site)
		}
	}
	number, _ := strconv.ParseInt(site, 10, 64) // empty for the account's
	early, full := map[string]any{}, true
	for name, value := range t.Fields {
		missing, err := s.refs.missing(value)
		if err != nil {
			return fmt.Errorf("%s%w", where, err)
		}
		if len(missing) > 0 {
			full = false
			continue
		}
		early[name] = s.refs.value(value)
	}
	id, key, err := s.Generic.Restore(s.ctx, generic.Stored{Kind: t.Kind, Of: s.refs.text(t.Of), Site: number, Parent: whole, Fields: early})
	if err != nil {
		return fmt.Errorf("%s%w", where, err)
	}
	if ids := strconv.FormatInt(id, 10); strings.HasSuffix(key, ids) {
		s.refs.made(t.ID, key)
	} else {
		s.refs.made(t.ID, ids)
	}
	for i, part := range t.Parts {
		if err := s.thing(part.place(where, i), site, id, part); err != nil {
			return err
		}
	}
	if full {
		return nil
	}
	fields, _ := s.refs.value(plainValue(t.Fields)).(map[string]any)
	if err := s.Generic.Amend(s.ctx, t.Kind, id, fields); err != nil {
		return fmt.Errorf("%s%w", where, err)
	}
	return nil
}

func (s seeder) accountThings(a Account) error { return s.things("", "", a.Things) }

// balancing tells which things of a site come before its records, which can have
// them as their source.
func balancing(t Thing) bool { return t.Kind == "OriginPool" || t.Kind == "LoadBalancer" }

func (s seeder) pools(id string, site Site) error {
	return s.things("", id, slices.DeleteFunc(slices.Clone(site.Things), func(t Thing) bool { return !balancing(t) }))
}

func (s seeder) siteThings(id string, site Site) error {
	return s.things("", id, slices.DeleteFunc(slices.Clone(site.Things), balancing))
}

func (s seeder) uploads(a Account) error {
	for i, u := range a.Uploads {
		id, err := s.Certificates.RestoreUpload(s.ctx, u.Name, u.Certificate, u.PrivateKey)
		if err != nil {
			return fmt.Errorf("certificate_service %d (%s): %w", i+1, u.Name, err)
		}
		s.refs.made(u.ID, strconv.FormatInt(id, 10))
	}
	return nil
}

func (s seeder) certificates(id string, site Site) error {
	for i, c := range site.Certificates {
		action, p := "SetCertificate", api.Params{"SiteId": id}
		switch {
		case c.Service != "":
			if s.refs.known[c.Service] == "" {
				return fmt.Errorf("certificate %d: the file's certificate_service has no %s", i+1, c.Service)
			}
			p["Type"], p["CasId"] = "cas", s.refs.known[c.Service]
		case c.Certificate != "":
			p["Type"], p["Name"], p["Certificate"], p["PrivateKey"] = "upload", c.Name, c.Certificate, c.PrivateKey
		default:
			action, p["Type"], p["Domains"] = "ApplyCertificate", "lets_encrypt", c.Domain
			if c.Brand != "" {
				p["Type"] = c.Brand
			}
		}
		if _, err := s.call(action, p); err != nil {
			return fmt.Errorf("certificate %d (%s%s): %w", i+1, c.Domain, c.Name, err)
		}
	}
	return nil
}

// otherCertificates are those that are not the edge's own.
func (s seeder) otherCertificates(id string, site Site) error {
	hostnames := func(action, certificate string, names []string) error {
		if len(names) == 0 {
			return nil
		}
		p := api.Params{"SiteId": id, "Hostnames": jsonText(names)}
		if certificate != "" {
			p["Id"] = certificate
		}
		_, err := s.call(action, p)
		return err
	}
	for i, c := range site.OriginCertificates {
		action := "UploadOriginClientCertificate"
		if c.WholeSite {
			action = "UploadSiteOriginClientCertificate"
		}
		made, err := s.call(action, api.Params{"SiteId": id, "Name": c.Name, "Certificate": c.Certificate, "PrivateKey": c.PrivateKey})
		if err == nil {
			err = hostnames("SetOriginClientCertificateHostnames", text(made["Id"]), c.Hostnames)
		}
		if err != nil {
			return fmt.Errorf("origin certificate %d (%s): %w", i+1, c.Name, err)
		}
	}
	for i, c := range site.Authorities {
		action, ok := map[string]string{"clients": "UploadClientCaCertificate", "origins": "UploadOriginCaCertificate"}[c.Of]
		if !ok {
			return fmt.Errorf("authority %d (%s): of is clients or origins, not %q", i+1, c.Name, c.Of)
		}
		made, err := s.call(action, api.Params{"SiteId": id, "Name": c.Name, "Certificate": c.Certificate})
		if err == nil {
			err = hostnames("SetClientCaCertificateHostnames", text(made["Id"]), c.Hostnames)
		}
		if err != nil {
			return fmt.Errorf("authority %d (%s): %w", i+1, c.Name, err)
		}
	}
	for i, c := range site.ClientCertificates {
		if err := s.Certificates.RestoreClient(s.ctx, id, c.Name, c.Certificate, c.Revoked); err != nil {
			return fmt.Errorf("client certificate %d (%s): %w", i+1, c.Name, err)
		}
	}
	return hostnames("SetClientCertificateHostnames", "", site.ClientHostnames)
}

func (s seeder) routines(a Account) error {
	for i, r := range a.Routines {
		if err := s.routine(r); err != nil {
			return fmt.Errorf("routine %s: %w", called(r.Name, i), err)
		}
	}
	return nil
}

func (s seeder) routine(r Routine) error {
	_, err := s.call("CreateRoutine", api.Params{"Name": r.Name, "Description": r.Description, "HasAssets": strconv.FormatBool(r.HasAssets)})
	if err != nil {
		return err
	}
	versions := map[string]string{}
	for i, v := range r.Versions {
		made, err := s.version(r.Name, v)
		if err != nil {
			return fmt.Errorf("version %d (%s): %w", i+1, v.ID, err)
		}
		if versions[v.ID] != "" {
			return fmt.Errorf("version %d: another version is called %q, too", i+1, v.ID)
		}
		versions[v.ID] = made
	}
	if r.Staged != nil {
		code, err := r.Staged.bytes()
		if err != nil {
			return fmt.Errorf("staged: %w", err)
		}
		if err := s.Routines.RestoreStaged(s.ctx, r.Name, code); err != nil {
			return err
		}
	}
	for env, shares := range r.Live {
		rows := []map[string]any{}
		for _, share := range shares {
			if versions[share.Version] == "" {
				return fmt.Errorf("live %s: the routine has no version %q", env, share.Version)
			}
			rows = append(rows, map[string]any{"CodeVersion": versions[share.Version], "Percentage": share.Percentage})
		}
		_, err := s.call("CreateRoutineCodeDeployment", api.Params{"Name": r.Name, "Env": env, "Strategy": "percentage", "CodeVersions": jsonText(rows)})
		if err != nil {
			return fmt.Errorf("live %s: %w", env, err)
		}
	}
	return nil
}

func (s seeder) version(name string, v Version) (string, error) {
	out := routine.StoredVersion{Description: v.Description, NotFound: v.NotFound, BuildID: v.BuildID, ExtraInfo: v.ExtraInfo,
		DeployEnv: v.DeployEnv, Status: v.Status, Reason: v.Reason}
	if out.Status == "" {
		out.Status = "available"
	}
	var err error
	if v.Code != nil {
		out.HasCode = true
		if out.Code, err = v.Code.bytes(); err != nil {
			return "", fmt.Errorf("code: %w", err)
		}
	}
	for _, f := range v.Assets {
		content, err := f.bytes()
		if err != nil {
			return "", fmt.Errorf("asset %s: %w", f.Path, err)
		}
		out.Assets = append(out.Assets, routine.StoredAsset{Path: f.Path, Content: content})
	}
	return s.Routines.Restore(s.ctx, name, out)
}
