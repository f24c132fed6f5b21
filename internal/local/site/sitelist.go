package site

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/esa-mcp/esa-mcp/internal/local/api"
)

// siteModel is what GetSite and ListSites both answer of a site.
type siteModel struct {
	AccessType      string
	CnameZone       string
	Coverage        string
	CreateTime      string
	InstanceID      string `json:"InstanceId"`
	NameServerList  string
	OfflineReason   string
	PlanName        string
	PlanSpecName    string
	ResourceGroupID string `json:"ResourceGroupId"`
	SiteID          int64  `json:"SiteId"`
	SiteName        string
	Status          string
	Tags            json.RawMessage
	UpdateTime      string
	VerifyCode      string
}

func modelOf(t site) siteModel {
	return siteModel{
		AccessType: t.accessType, CnameZone: t.cnameZone, Coverage: t.coverage, CreateTime: stamp(t.created),
		InstanceID: t.instanceID, NameServerList: t.nameServers, OfflineReason: t.offlineReason,
		PlanName: t.planSubscribe, PlanSpecName: t.planName, ResourceGroupID: t.resourceGroupID,
		SiteID: t.id, SiteName: t.name, Status: t.status, Tags: json.RawMessage(t.tags), UpdateTime: stamp(t.updated),
		VerifyCode: t.verifyCode,
	}
}

// getSite answers GetSite.
func (s *Service) getSite(ctx context.Context, r *api.Request) (any, error) {
	t, o, err := s.asked(ctx, r)
	if err != nil {
		return nil, err
	}
	type model struct {
		siteModel
		VanityNSList      map[string]string
		VersionManagement bool
	}
	return struct{ SiteModel model }{model{modelOf(t), o.vanityModel(), o.versionManagement}}, nil
}

type listedSite struct {
	siteModel
	VisitTime string
}

type sitePage struct {
	PageNumber, PageSize, TotalCount int64
	Sites                            []listedSite
}

// listSites answers ListSites, the newest site first. The name is compared
// exactly unless SiteSearchType says otherwise.
func (s *Service) listSites(ctx context.Context, r *api.Request) (any, error) {
	page, err := r.Params.Page(500, 500)
	if err != nil {
		return nil, err
	}
	conditions, err := siteConditions(r.Params)
	if err != nil {
		return nil, err
	}
	// A site's visit is its last change here: there is no console to visit.
	order := map[string]string{"": "s.created", "gmtCreate": "s.created", "visitTime": "s.updated"}[r.Params.String("OrderBy")]
	if order == "" {
		return nil, api.Errorf(400, "InvalidOrderBy", "OrderBy must be gmtCreate or visitTime.")
	}
	clause, args := where(conditions)
	out := sitePage{PageNumber: page.Number, PageSize: page.Size, Sites: []listedSite{}}
	if err := s.store.DB().QueryRowContext(ctx, `SELECT COUNT(*)`+siteTables+clause, args...).Scan(&out.TotalCount); err != nil {
		return nil, fmt.Errorf("count sites: %w", err)
	}
	rows, err := s.store.DB().QueryContext(ctx, `SELECT `+siteColumns+siteTables+clause+`ORDER BY `+order+` DESC, s.id DESC LIMIT ? OFFSET ?`,
		append(args, page.Size, page.Offset())...)
	if err != nil {
		return nil, fmt.Errorf("list sites: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		t, err := scanSite(rows)
		if err != nil {
			return nil, fmt.Errorf("read a site: %w", err)
		}
		out.Sites = append(out.Sites, listedSite{modelOf(t), stamp(t.updated)})
	}
	return out, rows.Err()
}

func siteConditions(p api.Params) ([]condition, error) {
	var cs []condition
	for name, column := range map[string]string{"Status": "s.status", "AccessType": "s.access_type", "Coverage": "s.coverage",
		"PlanSubscribeType": "p.subscribe_type", "ResourceGroupId": "s.resource_group_id"} {
		if v := p.String(name); v != "" {
			cs = append(cs, condition{column + ` = ?`, []any{v}})
		}
	}
	if name := p.String("SiteName"); name != "" {
		c, ok := nameMatch("s.name", p.String("SiteSearchType"), name)
		if !ok {
			return nil, api.Errorf(400, "InvalidSiteSearchType", "SiteSearchType must be exact, prefix, suffix or fuzzy.")
		}
		cs = append(cs, c)
	}
	enterprise, err := p.Bool("OnlyEnterprise", false)
	if err != nil {
		return nil, err
	}
	if enterprise {
		cs = append(cs, condition{`p.plan_type = 'enterprise'`, nil})
	}
	var tags []tag
	if _, err := p.JSON("TagFilter", &tags); err != nil {
		return nil, err
	}
	for _, t := range tags {
		cs = append(cs, condition{`EXISTS (SELECT 1 FROM tags WHERE site_id = s.id AND key = ? AND (? = '' OR value = ?))`, []any{t.Key, t.Value, t.Value}})
	}
	return cs, nil
}
