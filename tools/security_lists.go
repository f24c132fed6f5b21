package tools

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"github.com/esa-mcp/esa-mcp/internal/esa"
)

// List is a list of the account, which rules use as $name.
type List struct {
	ID          ID       `json:"id"`
	Name        string   `json:"name"`
	Kind        string   `json:"kind,omitempty"`
	Description string   `json:"description,omitempty"`
	Length      int      `json:"length" jsonschema_description:"Number of items"`
	Items       []string `json:"items,omitempty"`
	Updated     string   `json:"updated,omitempty"`
}

type wireList struct {
	ID                      ID `json:"Id"`
	Name, Kind, Description string
	Length                  int
	Items                   []string
	UpdateTime              string
}

func (w wireList) list() List {
	return List{ID: w.ID, Name: w.Name, Kind: w.Kind, Description: w.Description, Length: max(w.Length, len(w.Items)), Items: w.Items, Updated: w.UpdateTime}
}

// ListListsInput are the arguments of list_lists.
type ListListsInput struct {
	ID       ID     `json:"id,omitempty" jsonschema_description:"Only this one, with its items"`
	Kind     string `json:"kind,omitempty" jsonschema_description:"ip, host or asn"`
	Search   string `json:"search,omitempty" jsonschema_description:"In name or items"`
	Page     int    `json:"page,omitempty" jsonschema:"minimum=1,default=1" jsonschema_description:"Page"`
	PageSize int    `json:"page_size,omitempty" jsonschema:"minimum=1,maximum=100,default=20" jsonschema_description:"Per page"`
}

// ListListsOutput is the result of list_lists.
type ListListsOutput struct {
	Noted
	Lists    []List `json:"lists"`
	Total    int    `json:"total"`
	NextPage int    `json:"next_page,omitempty"`
}

func listLists() Tool {
	return Define(Meta{
		Name: "list_lists", Title: "List account lists", Toolset: "security",
		Description: "Shows the account's lists of addresses, hosts or AS numbers, for rules; with id the items.",
		Calls:       []string{"GetList", "ListLists"},
		ReadOnly:    Yes, Destructive: No, Idempotent: Yes, OpenWorld: Yes,
	}, func(ctx context.Context, d *Deps, in ListListsInput) (ListListsOutput, error) {
		var out ListListsOutput
		if in.ID != "" {
			w, err := getList(ctx, d, &out.Noted, in.ID)
			out.Lists, out.Total = []List{w.list()}, 1
			return out, err
		}
		page, size := cmp.Or(in.Page, 1), cmp.Or(in.PageSize, 20)
		query := map[string]any{"OrderBy": "id"}
		if in.Kind != "" {
			query["Kind"] = in.Kind
		}
		if in.Search != "" {
			query["NameItemLike"] = in.Search
		}
		answer, err := invoke[struct {
			Lists      []wireList
			TotalCount int
		}](ctx, d, &out.Noted, "ListLists", esa.Params{"PageNumber": page, "PageSize": size, "QueryArgs": query})
		for _, w := range answer.Lists {
			out.Lists = append(out.Lists, w.list())
		}
		out.Total, out.NextPage = answer.TotalCount, nextPage(page, size, answer.TotalCount)
		return out, err
	})
}

func getList(ctx context.Context, d *Deps, notes *Noted, id ID) (wireList, error) {
	w, err := invoke[wireList](ctx, d, notes, "GetList", esa.Params{"Id": id.number()})
	return w, listError(err, id)
}

func listError(err error, id ID) error {
	switch code := esa.CodeOf(err); {
	case strings.HasPrefix(code, "List") && strings.HasSuffix(code, "NotFound"), code == "InvalidList.NotFound":
		return Refuse("The account has no list %s: list_lists shows them. (%w)", id, err)
	case code == "DependedByOthers":
		return Refuse("Rules use list %s: take $name out of them first (list_waf_rules shows expressions). A list in use cannot be deleted or renamed; its items can change. (%w)", id, err)
	}
	return err
}

// CreateListInput are the arguments of create_list.
type CreateListInput struct {
	Name        string   `json:"name" jsonschema:"minLength=1,maxLength=32,pattern=^[A-Za-z0-9][A-Za-z0-9_]*$" jsonschema_description:"Letters, digits, underscores"`
	Kind        string   `json:"kind" jsonschema_description:"ip (and networks), host or asn"`
	Items       []string `json:"items,omitempty" jsonschema:"maxItems=500" jsonschema_description:"Items"`
	Description string   `json:"description,omitempty" jsonschema_description:"What it is for"`
}

// ListOutput is one list.
type ListOutput struct {
	Noted
	List
	Added   int `json:"added,omitempty"`
	Removed int `json:"removed,omitempty"`
}

func createList() Tool {
	return Define(Meta{
		Name: "create_list", Title: "Create an account list", Toolset: "security",
		Description: "Makes a list that expressions can use: (ip.src in $name).",
		Calls:       []string{"CreateList"},
		ReadOnly:    No, Destructive: No, Idempotent: No, OpenWorld: Yes,
	}, func(ctx context.Context, d *Deps, in CreateListInput) (ListOutput, error) {
		out := ListOutput{List: List{Name: in.Name, Kind: in.Kind, Description: in.Description, Length: len(in.Items)}}
		params := esa.Params{"Name": in.Name, "Kind": in.Kind, "Items": append([]string{}, in.Items...)}
		if in.Description != "" {
			params["Description"] = in.Description
		}
		made, err := invoke[struct {
			ID ID `json:"Id"`
		}](ctx, d, &out.Noted, "CreateList", params)
		out.ID = made.ID
		return out, err
	})
}

// UpdateListInput are the arguments of update_list.
type UpdateListInput struct {
	ID          ID        `json:"id" jsonschema_description:"List id"`
	Add         []string  `json:"add,omitempty" jsonschema_description:"Items to add"`
	Remove      []string  `json:"remove,omitempty" jsonschema_description:"Items to take out"`
	Items       *[]string `json:"items,omitempty" jsonschema_description:"Instead: the whole new list"`
	Name        string    `json:"name,omitempty" jsonschema:"maxLength=32" jsonschema_description:"New name"`
	Description *string   `json:"description,omitempty" jsonschema_description:"New description"`
}

func updateList() Tool {
	return Define(Meta{
		Name: "update_list", Title: "Change an account list", Toolset: "security",
		Description: "Changes what is given of a list.",
		Calls:       []string{"GetList", "UpdateList"},
		ReadOnly:    No, Destructive: Yes, Idempotent: Yes, OpenWorld: Yes,
	}, func(ctx context.Context, d *Deps, in UpdateListInput) (ListOutput, error) {
		var out ListOutput
		if err := in.check(); err != nil {
			return out, err
		}
		if d.Locks != nil { // what is read here is written back
			release, err := d.Locks.Lock(ctx, "list "+string(in.ID))
			if err != nil {
				return out, err
			}
			defer release()
		}
		w, err := getList(ctx, d, &out.Noted, in.ID)
		if err != nil {
			return out, err
		}
		out.Added, out.Removed = in.apply(&w)
		w.Description = cmp.Or(w.Description, w.Name) // the operation refuses an empty one
		_, err = invoke[struct{}](ctx, d, &out.Noted, "UpdateList", esa.Params{
			"Id": in.ID.number(), "Name": w.Name, "Description": w.Description, "Items": w.Items,
		})
		if err != nil {
			return out, listError(err, in.ID)
		}
		w.Length, w.UpdateTime = len(w.Items), ""
		out.List = w.list()
		out.Items = nil
		return out, nil
	})
}

func (in UpdateListInput) check() error {
	switch {
	case in.Items != nil && (len(in.Add) > 0 || len(in.Remove) > 0):
		return Refuse("items replaces the whole list: give it without add and remove.")
	case in.Items == nil && len(in.Add) == 0 && len(in.Remove) == 0 && in.Name == "" && in.Description == nil:
		return Refuse("Nothing to change: give add, remove, items, name or description.")
	}
	return nil
}

// apply changes the list and counts the items that came and went.
func (in UpdateListInput) apply(w *wireList) (added, removed int) {
	w.Name = cmp.Or(in.Name, w.Name)
	if in.Description != nil {
		w.Description = *in.Description
	}
	items := w.Items
	if in.Items != nil {
		items = *in.Items
	}
	same := func(a, b string) bool { return strings.EqualFold(strings.TrimSpace(a), strings.TrimSpace(b)) }
	next := []string{}
	for _, item := range append(slices.Clone(items), in.Add...) {
		is := func(other string) bool { return same(item, other) }
		if !slices.ContainsFunc(in.Remove, is) && !slices.ContainsFunc(next, is) {
			next = append(next, item)
		}
	}
	for _, item := range next {
		if !slices.ContainsFunc(w.Items, func(old string) bool { return same(item, old) }) {
			added++
		}
	}
	removed = len(w.Items) + added - len(next)
	w.Items = next
	return added, removed
}

// DeleteListInput are the arguments of delete_list.
type DeleteListInput struct {
	ID ID `json:"id" jsonschema_description:"List id"`
}

// DeleteListOutput is the result of delete_list.
type DeleteListOutput struct {
	Noted
	ID      ID   `json:"id"`
	Deleted bool `json:"deleted"`
}

func deleteList() Tool {
	return Define(Meta{
		Name: "delete_list", Title: "Delete an account list", Toolset: "security",
		Description: "Deletes a list that no rule uses.",
		Calls:       []string{"DeleteList"},
		ReadOnly:    No, Destructive: Yes, Idempotent: Yes, OpenWorld: Yes,
	}, func(ctx context.Context, d *Deps, in DeleteListInput) (DeleteListOutput, error) {
		out := DeleteListOutput{ID: in.ID}
		_, err := invoke[struct{}](ctx, d, &out.Noted, "DeleteList", esa.Params{"Id": in.ID.number()})
		out.Deleted = err == nil
		return out, listError(err, in.ID)
	})
}
