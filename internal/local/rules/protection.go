package rules

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/esa-mcp/esa-mcp/internal/local/api"
	"github.com/esa-mcp/esa-mcp/internal/local/values"
)

// protectionName is where a site's origin protection is among its settings.
const protectionName = "OriginProtection"

// Whitelist are the addresses from which ESA reaches an origin, as networks.
type Whitelist struct{ IPv4, IPv6 []string }

// ReservedWhitelist are addresses that are reserved for documentation: nothing
// of the local ESA comes from them, and allowing them opens nothing.
func ReservedWhitelist() Whitelist {
	return Whitelist{IPv4: []string{"192.0.2.0/24", "198.51.100.0/24"}, IPv6: []string{"2001:db8::/32"}}
}

// filled has empty lists in place of none, as answers have them.
func (w Whitelist) filled() Whitelist {
	return Whitelist{IPv4: append([]string{}, w.IPv4...), IPv6: append([]string{}, w.IPv6...)}
}

// protection is what is stored of a site with origin protection. Current is the
// list that the owner has confirmed, so that the origin's firewall has it.
type protection struct {
	AutoConfirm, Converge string
	Current               Whitelist
}

func loadProtection(ctx context.Context, tx *sql.Tx, at place) (p protection, found bool, err error) {
	var text string
	err = tx.QueryRowContext(ctx, `SELECT fields FROM site_settings WHERE site_id = ? AND name = ? AND site_version = 0`,
		at.site, protectionName).Scan(&text)
	if errors.Is(err, sql.ErrNoRows) {
		return protection{AutoConfirm: "off", Converge: "off"}, false, nil
	}
	if err == nil {
		err = json.Unmarshal([]byte(text), &p)
	}
	if err != nil {
		return p, false, fmt.Errorf("read the origin protection: %w", err)
	}
	return p, true, nil
}

func (p protection) store(ctx context.Context, tx *sql.Tx, at place) error {
	raw, err := json.Marshal(p)
	if err == nil {
		_, err = tx.ExecContext(ctx, `INSERT OR REPLACE INTO site_settings (site_id, site_version, name, fields) VALUES (?, 0, ?, ?)`,
			at.site, protectionName, string(raw))
	}
	if err != nil {
		return fmt.Errorf("store the origin protection: %w", err)
	}
	return nil
}

// protectionTable has the operations of origin protection.
func (s *Service) protectionTable() api.Table {
	return api.Table{
		"CreateOriginProtection": s.createProtection,
		"GetOriginProtection":    s.getProtection,
		"UpdateOriginProtection": s.changeProtection(func(p *protection, sent api.Params) error {
			if err := p.switchTo(&p.Converge, "OriginConverge", sent); err != nil {
				return err
			}
			return p.switchTo(&p.AutoConfirm, "AutoConfirmIPList", sent)
		}),
		"UpdateOriginProtectionIpWhiteList": s.changeProtection(func(p *protection, _ api.Params) error {
			p.Current = s.cfg.OriginAddresses()
			return nil
		}),
		"DeleteOriginProtection": s.deleteProtection,
	}
}

// switchTo sets one of the switches, if it was sent.
func (*protection) switchTo(to *string, name string, sent api.Params) error {
	switch v := sent.String(name); v {
	case "":
	case "on", "off":
		*to = v
	default:
		return values.Invalid(name, "it must be on or off, not %q", v)
	}
	return nil
}

func (s *Service) createProtection(ctx context.Context, r *api.Request) (any, error) {
	return nil, s.withProtection(ctx, r, func(tx *sql.Tx, at place, p protection, found bool) error {
		if found {
			return api.Errorf(400, "OriginProtection.AlreadyExist", "The site has origin protection already.")
		}
		if err := p.switchTo(&p.AutoConfirm, "AutoConfirmIPList", r.Params); err != nil {
			return err
		}
		p.Current = s.cfg.OriginAddresses()
		return p.store(ctx, tx, at)
	})
}

// changeProtection makes the handler of an operation that changes what is there.
func (s *Service) changeProtection(change func(*protection, api.Params) error) api.Handler {
	return func(ctx context.Context, r *api.Request) (any, error) {
		return nil, s.withProtection(ctx, r, func(tx *sql.Tx, at place, p protection, found bool) error {
			if !found {
				return noProtection()
			}
			if err := change(&p, r.Params); err != nil {
				return err
			}
			return p.store(ctx, tx, at)
		})
	}
}

func (s *Service) deleteProtection(ctx context.Context, r *api.Request) (any, error) {
	return nil, s.withProtection(ctx, r, func(tx *sql.Tx, at place, _ protection, found bool) error {
		if !found {
			return noProtection()
		}
		_, err := tx.ExecContext(ctx, `DELETE FROM site_settings WHERE site_id = ? AND name = ?`, at.site, protectionName)
		if err != nil {
			return fmt.Errorf("delete the origin protection: %w", err)
		}
		return nil
	})
}

func noProtection() error {
	return api.Errorf(404, "OriginProtection.NotFound", "The site has no origin protection.")
}

func (s *Service) withProtection(ctx context.Context, r *api.Request, fn func(*sql.Tx, place, protection, bool) error) error {
	return s.store.Tx(ctx, func(tx *sql.Tx) error {
		at, err := s.place(ctx, tx, r.Params)
		if err != nil {
			return err
		}
		p, found, err := loadProtection(ctx, tx, at)
		if err != nil {
			return err
		}
		return fn(tx, at, p, found)
	})
}

// difference tells what changes from one list to the next.
type difference struct{ AddedIPWhitelist, NoChangeIpWhitelist, RemovedIPWhitelist Whitelist }

// getProtection answers GetOriginProtection. A site without has it off, and can
// still see the addresses to allow.
func (s *Service) getProtection(ctx context.Context, r *api.Request) (any, error) {
	var out struct {
		SiteID            int64 `json:"SiteId"`
		OriginProtection  string
		OriginConverge    string
		AutoConfirmIPList string
		NeedUpdate        bool
		CurrentIPWhitelist,
		LatestIPWhitelist Whitelist
		DiffIPWhitelist difference
	}
	err := s.withProtection(ctx, r, func(_ *sql.Tx, at place, p protection, found bool) error {
		latest := s.cfg.OriginAddresses()
		if found && p.AutoConfirm == "on" {
			p.Current = latest
		}
		out.SiteID, out.OriginProtection = at.site, "off"
		if found {
			out.OriginProtection = "on"
		}
		out.OriginConverge, out.AutoConfirmIPList = p.Converge, p.AutoConfirm
		out.CurrentIPWhitelist, out.LatestIPWhitelist = p.Current.filled(), latest.filled()
		d := &out.DiffIPWhitelist
		d.AddedIPWhitelist.IPv4, d.NoChangeIpWhitelist.IPv4, d.RemovedIPWhitelist.IPv4 = compare(p.Current.IPv4, latest.IPv4)
		d.AddedIPWhitelist.IPv6, d.NoChangeIpWhitelist.IPv6, d.RemovedIPWhitelist.IPv6 = compare(p.Current.IPv6, latest.IPv6)
		changes := len(d.AddedIPWhitelist.IPv4) + len(d.AddedIPWhitelist.IPv6) + len(d.RemovedIPWhitelist.IPv4) + len(d.RemovedIPWhitelist.IPv6)
		out.NeedUpdate = found && changes > 0
		return nil
	})
	return out, err
}

func compare(current, latest []string) (added, same, removed []string) {
	added, same, removed = []string{}, []string{}, []string{}
	for _, a := range latest {
		if slices.Contains(current, a) {
			same = append(same, a)
		} else {
			added = append(added, a)
		}
	}
	for _, a := range current {
		if !slices.Contains(latest, a) {
			removed = append(removed, a)
		}
	}
	return added, same, removed
}
