package generic

import (
	"context"
	"database/sql"
	"net/netip"
	"slices"
	"strings"

	"github.com/esa-mcp/esa-mcp/internal/local/api"
	"github.com/esa-mcp/esa-mcp/internal/local/ciphers"
	"github.com/esa-mcp/esa-mcp/internal/local/regions"
)

// Refused are the operations that the local ESA cannot carry out in a way that
// would mean anything, with the reason.
func Refused() map[string]string {
	const prices = "it knows no prices"
	const diagnosis = "diagnoses are made by a visitor's browser and the service's own probes"
	return map[string]string{
		"DescribeBotPrice":             prices,
		"DescribeCacheReservePrice":    prices,
		"DescribeCacheReservePriceGap": prices,
		"DescribeRatePlanPrice":        prices,
		"DescribeRatePlanPriceGap":     prices,
		"DescribeTraceDiagnoseReport":  diagnosis,
		"GenerateTraceDiagnose":        diagnosis,
		"GetEdgeContainerTerminal":     "no container runs in which a terminal could be opened",
	}
}

// fact answers an operation that is neither a kind's nor a setting's.
type fact func(ctx context.Context, tx *sql.Tx, s *Service, r *api.Request) (map[string]any, error)

// facts are the operations that tell what is fixed, what follows from elsewhere,
// or that nothing has happened.
func facts() map[string]fact {
	all := map[string]fact{
		"GetCacheReserveSpecification": always(map[string]any{
			"CacheReserveCapacity": []any{"512", "1024", "10240"}, "CacheReserveRegion": []any{"cn-beijing", "ap-southeast-1"},
		}),
		"ListCiphers":                   ciphersOf,
		"ListLoadBalancerOriginStatus":  originStatus,
		"ListLoadBalancerRegions":       balancerRegions,
		"ListESAIPInfo":                 addressInfo,
		"ListEdgeContainerRecords":      containerRecords,
		"SetHttpDDoSAttackRuleAction":   noSuchRule,
		"SetHttpDDoSAttackRuleStatus":   noSuchRule,
		"DeleteHttpDDoSIntelligentRule": noSuchRule,
		"CheckAssumeSlrRole":            always(map[string]any{"IsExist": "true"}),
		"CheckSiteProjectName":          always(map[string]any{"Check": true, "Description": ""}),
		"CheckUserProjectName":          always(map[string]any{"Check": true, "Description": ""}),
		"GetSiteLogDeliveryQuota":       leftOf("SiteDeliveryTask"),
		"GetUserLogDeliveryQuota":       leftOf("UserDeliveryTask"),
		"GetRealtimeDeliveryField":      deliveryFields,
		"GetWafBotAppKey": func(_ context.Context, _ *sql.Tx, s *Service, _ *api.Request) (map[string]any, error) {
			return map[string]any{"AppKey": "local-" + s.store.Account().Hash}, nil
		},
		"DescribeSiteLogs": siteLogs,
	}
	for _, action := range []string{"DescribeDDoSAllEventList", "DescribeDDoSBpsList", "DescribeDDoSBpsMax", "DescribeDDoSEventMax",
		"DescribeDDoSL7QpsList", "DescribeUrlObservationData", "DescribeEdgeContainerAppStats"} {
		all[action] = span
	}
	for _, action := range []string{"CreateSlrRoleForRealtimeLog", "DescribeDDoSOverseasAttackCount", "DescribeHttpDDoSAttackRules",
		"DescribeHttpDDoSIntelligentAclRules", "DescribeHttpDDoSIntelligentRateLimitRules", "GetApiSchemaUsage", "ListDDoSInstances",
		"ListManagedRulesGroups", "ListTraceTasks", "ListWafTemplateRules"} {
		all[action] = always(nil)
	}
	return all
}

func always(members map[string]any) fact {
	return func(context.Context, *sql.Tx, *Service, *api.Request) (map[string]any, error) { return members, nil }
}

// leftOf tells how many more of a kind there may be.
func leftOf(kind string) fact {
	return func(ctx context.Context, tx *sql.Tx, s *Service, r *api.Request) (map[string]any, error) {
		k := kindOf(kind)
		at, err := s.placeOf(ctx, tx, k, r.Params)
		if err != nil {
			return nil, err
		}
		most, err := s.quotaOf(ctx, tx, k, at.site)
		if err != nil {
			return nil, err
		}
		condition, args := at.condition(k)
		used, err := find(ctx, tx, k, condition, args...)
		return map[string]any{"FreeQuota": max(most-len(used), 0)}, err
	}
}

// fact answers with what the function says, what the call said itself, and for
// the rest that there is nothing.
func (s *Service) fact(ctx context.Context, say fact, r *api.Request) (any, error) {
	op := operation(r.Action)
	known, err := take(op, r.Params)
	if err != nil {
		return nil, err
	}
	page, err := pageOf(op, r.Params)
	if err != nil {
		return nil, err
	}
	if page != nil {
		known["PageNumber"], known["PageSize"] = page.Number, page.Size
	}
	var out map[string]any
	err = s.store.Tx(ctx, func(tx *sql.Tx) error {
		if _, has := op.Param("SiteId"); has && r.Params.String("SiteId") != "" {
			site, err := r.Params.Int("SiteId", 0)
			if err != nil {
				return err
			}
			if known["SiteName"], err = siteOf(ctx, tx, site); err != nil {
				return err
			}
		}
		out, err = say(ctx, tx, s, r)
		return err
	})
	if err != nil {
		return nil, err
	}
	for name, value := range out {
		known[name] = value
	}
	return nothing(shapeOf(r.Action), known), nil
}

func ciphersOf(_ context.Context, _ *sql.Tx, _ *Service, r *api.Request) (map[string]any, error) {
	group := r.Params.String("CiphersGroup")
	if err := oneOf("CiphersGroup", group, "all", "strict", "custom"); err != nil {
		return nil, err
	}
	suites := ciphers.Strict()
	if group != "strict" {
		suites = append(suites, ciphers.Weak()...)
	}
	names := []any{}
	for _, s := range suites {
		names = append(names, s.Name)
	}
	return map[string]any{"CiphersGroup": group, "Result": names, "TotalCount": len(names)}, nil
}

// balancerRegions answers ListLoadBalancerRegions: the regions that load balancers can
// steer by are parts of continents, with some of their countries. A page may be large:
// 1024 is documented.
func balancerRegions(_ context.Context, _ *sql.Tx, _ *Service, r *api.Request) (map[string]any, error) {
	page, err := r.Params.Page(20, 1024)
	if err != nil {
		return nil, err
	}
	entries := []any{}
	for _, region := range regions.All() {
		countries := []any{}
		for _, c := range region.Named {
			countries = append(countries, map[string]any{"SubRegionCode": c.Code, "SubRegionEnName": c.English, "SubRegionCnName": c.Chinese})
		}
		entries = append(entries, map[string]any{"RegionCode": region.Code, "RegionEnName": region.English, "RegionCnName": region.Chinese, "SubRegions": countries})
	}
	total := int64(len(entries))
	first := min(page.Offset(), total)
	return map[string]any{"Regions": entries[first:min(first+page.Size, total)], "TotalCount": total, "TotalPage": (total + page.Size - 1) / page.Size}, nil
}

// addressInfo answers ListESAIPInfo: of the addresses that a call names, which
// are ESA's. The local ESA is at loopback.
func addressInfo(_ context.Context, _ *sql.Tx, _ *Service, r *api.Request) (map[string]any, error) {
	content := []any{}
	for text := range strings.SplitSeq(r.Params.String("VipInfo"), ",") {
		ip, err := netip.ParseAddr(strings.TrimSpace(text))
		if err != nil {
			return nil, api.Errorf(400, "InvalidVipInfo", "Specified parameter VipInfo is not valid: %q is no IP address.", text)
		}
		ours := "False"
		if ip.IsLoopback() {
			ours = "True"
		}
		content = append(content, map[string]any{"Ip": ip.String(), "CdnIp": ours})
	}
	return map[string]any{"Content": content}, nil
}

func deliveryFields(_ context.Context, _ *sql.Tx, _ *Service, r *api.Request) (map[string]any, error) {
	fields := []any{}
	for i, name := range []string{"ClientIp", "ClientRequestHost", "ClientRequestMethod", "ClientRequestPath", "EdgeResponseStatusCode",
		"EdgeResponseBytes", "EdgeStartTimestamp"} {
		fields = append(fields, map[string]any{"FieldName": name, "Category": "General", "DataType": "String", "IsDefault": true, "SortOrder": i + 1})
	}
	return map[string]any{"FieldContent": map[string]any{r.Params.String("BusinessType"): map[string]any{"SortOrder": 1, "FieldList": fields}}}, nil
}

// siteLogs answers DescribeSiteLogs: no log files are packed here.
func siteLogs(ctx context.Context, tx *sql.Tx, s *Service, r *api.Request) (map[string]any, error) {
	if start := r.Params.String("StartTime"); start != "" {
		if _, err := span(ctx, tx, s, r); err != nil {
			return nil, err
		}
	}
	page, err := r.Params.Page(300, 1000)
	if err != nil {
		return nil, err
	}
	site, err := r.Params.Int("SiteId", 0)
	if err != nil {
		return nil, err
	}
	name, err := siteOf(ctx, tx, site)
	if err != nil {
		return nil, err
	}
	return map[string]any{"SiteLogDetails": []any{map[string]any{"SiteId": site, "SiteName": name, "LogCount": 0, "LogInfos": []any{},
		"PageInfos": map[string]any{"PageIndex": page.Number, "PageSize": page.Size, "TotalCount": 0}}}}, nil
}

// settings returns all settings.
func settings() []setting {
	return slices.Concat(logSettings(), protectionSettings(), containerSettings())
}

// Coverage says how the local ESA answers an operation of this engine: as one
// that behaves, or as one that is only kept. ok is false for others.
func Coverage(action string) (full, ok bool) {
	for _, k := range kinds() {
		if slices.Contains([]string{k.create, k.update, k.get, k.remove, k.list, k.put}, action) {
			return k.full, true
		}
		if k.verbs[action] != nil || k.looks[action] != nil {
			return k.full, true
		}
	}
	for _, x := range settings() {
		if x.get == action || slices.Contains(x.set, action) {
			return x.full, true
		}
	}
	if action == "ListLoadBalancerOriginStatus" {
		return true, true
	}
	_, ok = facts()[action]
	return false, ok
}
