package tools

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/esa-mcp/esa-mcp/internal/esa"
)

// SiteRef is embedded in the input of tools that work on one site.
type SiteRef struct {
	SiteID   ID     `json:"site_id,omitempty" jsonschema_description:"Site id; or give site_name"`
	SiteName string `json:"site_name,omitempty" jsonschema:"maxLength=253" jsonschema_description:"Such as example.com"`
}

// invoke sends one operation, keeps its notes and decodes its answer.
func invoke[T any](ctx context.Context, d *Deps, notes *Noted, action string, params esa.Params) (T, error) {
	var out T
	res, err := d.ESA.Call(ctx, action, params)
	if err != nil {
		return out, err
	}
	notes.addMissing(res.Notes)
	if err := res.Decode(&out); err != nil {
		return out, fmt.Errorf("read the answer of %s: %w", action, err)
	}
	return out, nil
}

// unread notes that a change was made but could not be looked at afterwards.
func unread(shown string) esa.Note {
	return esa.Note{ID: "unread", Text: "It was done, but could not be read back: " + shown + "."}
}

// number is the id as a parameter of a call.
func (id ID) number() json.Number { return json.Number(id) }

// resolve returns the id of the site that ref means. Given both, they have to be
// of the same site, so that a slip cannot reach the wrong one.
func (ref SiteRef) resolve(ctx context.Context, d *Deps) (ID, error) {
	name := siteName(ref.SiteName)
	if name == "" {
		if ref.SiteID == "" {
			return "", Refuse("Which site? Give site_id or site_name; list_sites shows both.")
		}
		return ref.SiteID, nil
	}
	site, found, err := siteNamed(ctx, d, name)
	switch {
	case err != nil:
		return "", err
	case !found:
		return "", noSuchSite(ctx, d, name)
	case ref.SiteID != "" && ref.SiteID != site.SiteID:
		return "", Refuse("site_id %s and site_name %s are not the same site: %s has the id %s. Give one of them.", ref.SiteID, name, name, site.SiteID)
	}
	return site.SiteID, nil
}

// siteNamed finds the site of exactly that name.
func siteNamed(ctx context.Context, d *Deps, name string) (site wireSite, found bool, err error) {
	// The search is exact when nothing else is said; saying so guards against a
	// change of the default.
	answer, err := esa.Call[listSitesAnswer](ctx, d.ESA, "ListSites", esa.Params{
		"SiteName": name, "SiteSearchType": "exact", "PageNumber": 1, "PageSize": 10,
	})
	if err != nil {
		return site, false, fmt.Errorf("find site %s: %w", name, err)
	}
	for _, s := range answer.Sites {
		if siteName(s.SiteName) == name {
			return s, true, nil
		}
	}
	return site, false, nil
}

// siteAbove finds the site that a host name belongs to: the one with the longest
// name that the host is or ends with.
func siteAbove(ctx context.Context, d *Deps, host string) (site wireSite, found bool, err error) {
	for name := siteName(host); strings.Contains(name, "."); _, name, _ = strings.Cut(name, ".") {
		if site, found, err = siteNamed(ctx, d, name); found || err != nil {
			return site, found, err
		}
	}
	return site, false, nil
}

// siteOfHost is siteAbove for those who cannot do without.
func siteOfHost(ctx context.Context, d *Deps, host string) (Site, error) {
	w, found, err := siteAbove(ctx, d, host)
	if err == nil && !found {
		err = Refuse("No site of the account has the host %q: list_sites shows the sites.", siteName(host))
	}
	return w.site(), err
}

// noSuchSite names the site that may have been meant.
func noSuchSite(ctx context.Context, d *Deps, name string) error {
	of, found, err := siteAbove(ctx, d, name)
	if err != nil {
		return err
	}
	if found {
		return Refuse("There is no site %q: it is a host name of the site %s, so use that as site_name.", name, of.SiteName)
	}
	all, err := esa.Call[listSitesAnswer](ctx, d.ESA, "ListSites", esa.Params{"PageNumber": 1, "PageSize": 500})
	if err != nil {
		return fmt.Errorf("find site %s: %w", name, err)
	}
	if len(all.Sites) == 0 {
		return Refuse("There is no site %q: this account has no sites.", name)
	}
	names := make([]string, len(all.Sites))
	for i, s := range all.Sites {
		names[i] = s.SiteName
	}
	return Refuse("There is no site %q%s list_sites shows all.", name, DidYouMean(name, names))
}

// siteName is a name as ESA stores it. A trailing dot would match nothing.
func siteName(name string) string {
	return strings.ToLower(strings.TrimSuffix(strings.TrimSpace(name), "."))
}

// nextPage is the page after this one, or 0 when this is the last.
func nextPage(page, size, total int) int {
	if page*size < total {
		return page + 1
	}
	return 0
}
