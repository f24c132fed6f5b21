package waf

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"

	"github.com/esa-mcp/esa-mcp/internal/local/api"
)

type ruleModel struct {
	Action     string
	Config     config
	ID         int64 `json:"Id"`
	Name       string
	Phase      string
	Position   int64
	RulesetID  int64  `json:"RulesetId"`
	Skip       string `json:",omitempty"`
	Status     string
	Tags       any    `json:",omitempty"`
	Timer      any    `json:",omitempty"`
	Type       string `json:",omitempty"`
	UpdateTime string
}

func modelOf(t rule) ruleModel {
	bypass := t.config.object("Actions").object("Bypass")
	return ruleModel{
		Action: either(t.config, t.shared, "Action"), Config: t.shown(), ID: t.id, Name: t.name, Phase: t.phase, Position: t.position,
		RulesetID: t.setID, Skip: bypass.text("Skip"), Status: t.status, Tags: bypass["Tags"], Timer: t.config["Timer"],
		Type: t.config.text("Type"), UpdateTime: stamp(t.updated),
	}
}

// listRules answers ListWafRules.
func (s *Service) listRules(ctx context.Context, r *api.Request) (any, error) {
	page, err := r.Params.Page(20, 500)
	if err != nil {
		return nil, err
	}
	phase := r.Params.String("Phase")
	if err := checkPhase(phase); err != nil {
		return nil, err
	}
	setID, err := r.Params.Int("RulesetId", 0)
	if err != nil {
		return nil, err
	}
	var args listArgs
	if _, err := r.Params.JSON("QueryArgs", &args); err != nil {
		return nil, err
	}
	if !slices.Contains([]string{"", "id", "name", "position", "update_time"}, args.OrderBy) {
		return nil, api.Errorf(400, "InvalidOrderBy", "OrderBy must be id, name, position or update_time.")
	}
	out := struct {
		InstanceUsage        int64
		PageNumber, PageSize int64
		Rules                []ruleModel
		SiteUsage            int64
		TotalCount           int64
	}{PageNumber: page.Number, PageSize: page.Size, Rules: []ruleModel{}}
	err = s.store.Tx(ctx, func(tx *sql.Tx) error {
		at, err := s.at(ctx, tx, r.Params)
		if err != nil {
			return err
		}
		list, err := loadRules(ctx, tx, `WHERE s.site_id = ? AND s.site_version = ? AND s.phase = ? ORDER BY r.ruleset_id, r.position`,
			at.site, at.version, phase)
		if err != nil {
			return err
		}
		out.SiteUsage, out.InstanceUsage = int64(len(list)), int64(len(list))
		args.sort(list)
		for _, t := range list {
			if setID != 0 && t.setID != setID || !args.fits(t) {
				continue
			}
			if out.TotalCount >= page.Offset() && int64(len(out.Rules)) < page.Size {
				out.Rules = append(out.Rules, modelOf(t))
			}
			out.TotalCount++
		}
		return nil
	})
	return out, err
}

func (f listArgs) fits(t rule) bool {
	id := fmt.Sprint(t.id)
	text, err := t.config.encode()
	return err == nil && strings.Contains(t.name, f.NameLike) && (f.Status == "" || f.Status == t.status) && (f.ID == 0 || f.ID == t.id) &&
		(f.IDNameLike == "" || strings.Contains(t.name, f.IDNameLike) || strings.Contains(id, f.IDNameLike)) &&
		(f.ConfigValueLike == "" || strings.Contains(text, f.ConfigValueLike))
}

func (f listArgs) sort(list []rule) {
	slices.SortStableFunc(list, func(a, b rule) int {
		order := 0 // as loaded: by position
		switch f.OrderBy {
		case "id":
			order = cmp.Compare(a.id, b.id)
		case "name":
			order = strings.Compare(a.name, b.name)
		case "update_time":
			order = cmp.Compare(a.updated, b.updated)
		default:
			order = cmp.Or(cmp.Compare(a.setID, b.setID), cmp.Compare(a.position, b.position))
		}
		if f.Desc {
			return -order
		}
		return order
	})
}
