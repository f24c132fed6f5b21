package generic

import (
	"context"
	"database/sql"

	"github.com/esa-mcp/esa-mcp/internal/local/api"
)

// kind is one sort of thing that is created, changed, listed and deleted.
type kind struct {
	name string // "OriginPool"; how it is stored, and begins its own error codes
	what string // "origin pool", for messages

	// id is the parameter and the member of answers that names one. A kind that
	// is named by what its creator calls it has that parameter here and in
	// unique.
	id     string
	prefix string // begins ids that are no numbers: "app-"
	// unique is the parameter that no two of a place have alike; empty if none.
	unique string
	// site says that they belong to a site, which SiteId names. With byID, calls
	// about one of them do not name it.
	site, byID bool
	// account is the parameter that splits the account's into places of their
	// own, such as InstanceId; empty if none.
	account string
	// parent is the kind that they are part of, and parentID the parameter of
	// create and list that names the one.
	parent, parentID string

	create, update, get, remove, list string

	wrap   string // member of the answer to get that holds it; empty if it is the answer
	member string // member of the answer to list that holds them
	quota  string // how many of a place, as package quota calls it; the others' if empty
	// missing is the code for one that does not exist; NAMENotExist if empty.
	missing string
	// aliases are members of answers that have the value of another parameter.
	aliases map[string]string
	// defaults are the values of parameters that were not sent at creation.
	defaults map[string]any
	// full says that it behaves, and is not only kept.
	full bool

	// check completes one that was created or changed, and refuses what the
	// catalogue does not know to be wrong.
	check func(ctx context.Context, tx *sql.Tx, s *Service, it *item, sent api.Params) error
	// free refuses to delete one that something needs.
	free func(ctx context.Context, tx *sql.Tx, it *item) error
	// view adds what follows from elsewhere to the members of an answer.
	view func(ctx context.Context, tx *sql.Tx, it *item, members map[string]any) error
	// now adds what is not stored, but happens.
	now func(ctx context.Context, tx *sql.Tx, s *Service, it *item, members map[string]any) error
	// verbs are further operations on one of them, by action. They change it;
	// looks do not.
	verbs, looks map[string]change
	// put is an operation that changes the one it names, or else creates one.
	put string
}

// change is what an operation does to one thing; it may return members of its
// answer.
type change func(ctx context.Context, tx *sql.Tx, s *Service, it *item, sent api.Params) (map[string]any, error)

// item is one thing.
type item struct {
	id               int64
	key, name        string
	site, parent     int64 // 0: none
	siteName         string
	parentKey        string
	account          string
	fields           map[string]any
	created, updated int64
}

func (it *item) text(name string) string { return api.Text(it.fields[name]) }

// set stores a value; nil takes it away.
func (it *item) set(name string, value any) {
	if value == nil {
		delete(it.fields, name)
		return
	}
	it.fields[name] = value
}

// members are what answers can say of the thing.
func (s *Service) members(ctx context.Context, tx *sql.Tx, k kind, it *item) (map[string]any, error) {
	m := make(map[string]any, len(it.fields)+8)
	for name, value := range it.fields {
		m[name] = value
	}
	for member, param := range k.aliases {
		if value, ok := it.fields[param]; ok {
			m[member] = value
		}
	}
	m[k.id] = it.key
	if it.site != 0 {
		m["SiteId"], m["SiteName"] = it.site, it.siteName
	}
	if it.parent != 0 && k.parentID != k.id {
		m[k.parentID] = it.parentKey
	}
	if k.account != "" {
		m[k.account] = it.account
	}
	for _, name := range []string{"CreateTime", "CreatedAt", "CreationTimestamp"} {
		m[name] = stamp(it.created)
	}
	m["UpdateTime"] = stamp(it.updated)
	if k.view != nil {
		if err := k.view(ctx, tx, it, m); err != nil {
			return nil, err
		}
	}
	if k.now != nil {
		if err := k.now(ctx, tx, s, it, m); err != nil {
			return nil, err
		}
	}
	return m, nil
}
