package generic

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/esa-mcp/esa-mcp/internal/local/api"
)

// settingPrefix begins the kind of what a site, or the account, has once.
const settingPrefix = "setting/"

// Stored is a thing or a setting as it is kept, without what is made anew for
// each account.
type Stored struct {
	Kind string // "OriginPool"; of a setting "setting/SiteWafSettings"
	// Of is what it belongs to besides its site and its whole: a plan instance, or
	// the subjects of a setting.
	Of           string
	Site, Parent int64 // 0: none
	Fields       map[string]any
}

// IsSetting tells whether a kind is a setting.
func IsSetting(kind string) bool { return strings.HasPrefix(kind, settingPrefix) }

// Portable leaves out of a thing's fields what Restore makes anew.
func Portable(kind string, fields map[string]any) {
	parts := map[string]string{"OriginPool": "Origins", "UserWafRuleset": "Rules", "TransportLayerApplication": "Rules"}
	for _, part := range list(fields[parts[kind]]) {
		delete(object(part), "Id")
		delete(object(part), "RuleId")
	}
	if kind == settingPrefix+"EdgeContainer" {
		delete(fields, "InstanceId")
	}
}

// Restore makes a thing or a setting. What its own operations refuse is refused,
// as far as its fields tell. It returns what calls name the thing by.
func (s *Service) Restore(ctx context.Context, t Stored) (id int64, key string, err error) {
	err = s.store.Tx(ctx, func(tx *sql.Tx) error {
		if name, is := strings.CutPrefix(t.Kind, settingPrefix); is {
			return s.restoreSetting(ctx, tx, name, t)
		}
		k, err := restorable(t.Kind)
		if err != nil {
			return err
		}
		it := &item{site: t.Site, parent: t.Parent, account: t.Of, fields: t.Fields, created: s.clock()}
		if it.fields == nil {
			it.fields = map[string]any{}
		}
		if t.Parent != 0 {
			if err := tx.QueryRowContext(ctx, `SELECT key FROM resources WHERE id = ?`, t.Parent).Scan(&it.parentKey); err != nil {
				return fmt.Errorf("look up what it is part of: %w", err)
			}
		}
		sent := api.Params{}
		if t.Site != 0 {
			if it.siteName, err = siteOf(ctx, tx, t.Site); err != nil {
				return err
			}
			sent["SiteId"] = strconv.FormatInt(t.Site, 10)
		}
		if err := k.takeStored(it); err != nil {
			return err
		}
		if it.id, it.key, err = k.newKey(ctx, tx); err != nil {
			return err
		}
		if err := s.settle(ctx, tx, k, it, sent); err != nil {
			return err
		}
		id, key = it.id, it.key
		return nil
	})
	return id, key, err
}

// takeStored types and checks the fields of a thing that are parameters of its
// creation, as the catalogue has them.
func (k kind) takeStored(it *item) error {
	action := k.create + k.put
	if action == "" {
		return nil
	}
	op := operation(action)
	sent := api.Params{}
	for name, value := range it.fields {
		sent[name] = api.Text(value)
	}
	taken, err := take(op, sent)
	if err != nil {
		return err
	}
	taken = k.own(taken)
	for name, value := range taken {
		it.fields[name] = value
	}
	for i := range op.Params {
		p := &op.Params[i]
		needed := k.own(map[string]any{p.Name: true})[p.Name] != nil
		if p.Required && needed && !p.Secret && it.fields[p.Name] == nil { // secrets are not kept
			return api.Errorf(400, "Missing"+p.Name, "%s is mandatory for a %s.", p.Name, k.what)
		}
	}
	return nil
}

func restorable(name string) (kind, error) {
	all := kinds()
	i := slices.IndexFunc(all, func(k kind) bool { return k.name == name })
	if i < 0 {
		return kind{}, fmt.Errorf("there is no kind %q", name)
	}
	return all[i], nil
}

// Amend gives a restored thing its fields once more: those that name its parts
// can be set only when these are there.
func (s *Service) Amend(ctx context.Context, kindName string, id int64, fields map[string]any) error {
	return s.store.Tx(ctx, func(tx *sql.Tx) error {
		k, err := restorable(kindName)
		if err != nil {
			return err
		}
		found, err := find(ctx, tx, k, `r.id = ?`, id)
		if err != nil || len(found) == 0 {
			return fmt.Errorf("look up the %s: %w", k.what, err)
		}
		found[0].fields = fields
		return s.settle(ctx, tx, k, found[0], api.Params{})
	})
}

func (s *Service) restoreSetting(ctx context.Context, tx *sql.Tx, name string, t Stored) error {
	all := settings()
	i := slices.IndexFunc(all, func(x setting) bool { return x.name == name })
	if i < 0 {
		return fmt.Errorf("there is no setting %q", name)
	}
	x := all[i]
	id, fields, err := x.load(ctx, tx, t.Site, t.Of)
	if err != nil {
		return err
	}
	for field, value := range t.Fields {
		fields[field] = value
	}
	if x.check != nil {
		if err := x.check(ctx, tx, s, fields); err != nil {
			return err
		}
	}
	return s.storeSetting(ctx, tx, x, id, t.Site, t.Of, fields)
}
