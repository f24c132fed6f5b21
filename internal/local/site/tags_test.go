package site

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/esa-mcp/esa-mcp/internal/local/api"
)

func TestTags(t *testing.T) {
	b := newBench(t, Config{})
	one, two := b.site("a.example", "NS"), b.site("b.example", "NS")
	tag := func(kind, id string, more ...string) api.Params {
		p := api.Params{"RegionId": "cn-hangzhou", "ResourceType": kind, "ResourceId.1": id}
		for i := 0; i < len(more); i += 2 {
			p[more[i]] = more[i+1]
		}
		return p
	}
	b.Must("TagResources", tag("site", one, "Tag.1.Key", "env", "Tag.1.Value", "prod", "Tag.2.Key", "team", "Tag.2.Value", "a"))
	b.Must("TagResources", tag("site", two, "Tag.1.Key", "env", "Tag.1.Value", "test"))
	b.Must("TagResources", tag("site", two, "Tag.1.Key", "env", "Tag.1.Value", "dev")) // replaces
	require.Equal(t, map[string]any{"env": "dev"}, b.Must("GetSite", api.Params{"SiteId": two})["SiteModel"].(map[string]any)["Tags"])

	sites := b.Must("ListSites", api.Params{"TagFilter": `[{"Key":"env","Value":"prod"},{"Key":"team"}]`})["Sites"].([]any)
	require.Len(t, sites, 1)
	require.Equal(t, "a.example", sites[0].(map[string]any)["SiteName"])

	all := api.Params{"RegionId": "cn-hangzhou", "ResourceType": "site", "MaxItem": "2"}
	page := b.Must("ListTagResources", all)
	require.Len(t, page["TagResources"], 2)
	require.Equal(t, "2", page["NextToken"])
	all["NextToken"] = page["NextToken"]
	page = b.Must("ListTagResources", all)
	require.Len(t, page["TagResources"], 1)
	require.Empty(t, page["NextToken"])
	page = b.Must("ListTagResources", tag("site", one, "Tag.1.Key", "env"))
	require.Len(t, page["TagResources"], 2)

	b.Must("UntagResources", tag("site", one, "TagKey.1", "team"))
	require.Len(t, b.Must("ListTagResources", tag("site", one))["TagResources"], 1)
	b.Must("UntagResources", tag("site", one, "All", "true"))
	require.Empty(t, b.Must("ListTagResources", tag("site", one))["TagResources"])

	for code, p := range map[string]api.Params{
		"InvalidResourceType":        tag("zone", one, "Tag.1.Key", "k"),
		"InvalidResourceId.NotFound": tag("record", one, "Tag.1.Key", "k"),
		"InvalidTagKey.Malformed":    tag("site", one, "Tag.1.Key", "acs:x"),
	} {
		_, got := b.Call("TagResources", p)
		require.Equal(t, code, got)
	}
	for i := range 20 {
		b.Must("TagResources", tag("site", one, "Tag.1.Key", fmt.Sprint("k", i)))
	}
	_, got := b.Call("TagResources", tag("site", one, "Tag.1.Key", "one-too-many"))
	require.Equal(t, "NumberExceed.Tags", got)
}

func TestPurchases(t *testing.T) {
	b := newBench(t, Config{})
	order := b.Must("PurchaseRatePlan", api.Params{"PlanName": "basicplan", "Period": "12", "Amount": "2"})
	id := order["InstanceId"].(string)
	plan := func() map[string]any {
		return b.Must("ListUserRatePlanInstances", api.Params{"InstanceId": id})["InstanceInfo"].([]any)[0].(map[string]any)
	}
	require.Equal(t, "basicplan", plan()["SubscribeType"])
	require.Equal(t, "2", plan()["SiteQuota"])
	require.Equal(t, "online", b.Must("DescribeRatePlanInstanceStatus", api.Params{"InstanceId": id})["InstanceStatus"])
	require.Empty(t, b.Must("ListPostpaidRatePlanInstances", api.Params{})["InstanceInfo"])

	b.Must("UpdateRatePlanSpec", api.Params{"InstanceId": id, "TargetPlanName": "advancedplan"})
	require.Equal(t, "high", plan()["PlanName"])
	_, code := b.Call("UpdateRatePlanSpec", api.Params{"InstanceId": id, "TargetPlanName": "basicplan"})
	require.Equal(t, "NotApplicable", code)

	b.Must("CreateSite", api.Params{"SiteName": "c.example", "AccessType": "NS", "Coverage": "overseas", "InstanceId": id})
	_, code = b.Call("ReleaseInstance", api.Params{"InstanceId": id})
	require.Equal(t, "DependedByOthers", code)

	later := b.Must("PurchaseRatePlan", api.Params{"PlanCode": "enterpriseplan", "ChargeType": "POSTPAY"})["InstanceId"].(string)
	listed := b.Must("ListPostpaidRatePlanInstances", api.Params{})["InstanceInfo"].([]any)
	require.Len(t, listed, 1)
	require.Equal(t, "POSTPAY", listed[0].(map[string]any)["BillingMode"])
	b.Must("ReleaseInstance", api.Params{"InstanceId": later})
	_, code = b.Call("ReleaseInstance", api.Params{"InstanceId": later})
	require.Equal(t, "InvalidInstanceId.NotFound", code)
	for code, p := range map[string]api.Params{
		"MissingPlanName":   {},
		"InvalidPlanName":   {"PlanName": "gold"},
		"InvalidPeriod":     {"PlanName": "basicplan", "Period": "0"},
		"InvalidChargeType": {"PlanName": "basicplan", "ChargeType": "FREE"},
	} {
		_, got := b.Call("PurchaseRatePlan", p)
		require.Equal(t, code, got)
	}
}
