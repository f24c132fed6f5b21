package quota

// The names of the kinds.
const (
	Sites              = "sites"
	Records            = "records"
	WildcardRecords    = "wildcard_records"
	SameNameRecords    = "same_name_records"
	CacheRules         = "cache_rules"
	OriginRules        = "origin_rules"
	RedirectRules      = "redirect_rules"
	CompressionRules   = "compression_rules"
	HTTPSRules         = "https_rules"
	TransformRules     = "transform_rules"
	ConfigurationRules = "configuration_rules"
	RoutineRoutes      = "routine_routes"
	WAFRules           = "waf_rules"
	WAFRulesets        = "waf_rulesets"
	WaitingRooms       = "waiting_rooms"
	WaitingRoomRules   = "waiting_room_rules"
	WaitingRoomEvents  = "waiting_room_events"
	OriginPools        = "origin_pools"
	LoadBalancers      = "load_balancers"
	CustomHostnames    = "custom_hostnames"
	Layer4Applications = "layer4_applications"
	DeliveryTasks      = "delivery_tasks"
	PreloadJobs        = "preload_jobs"
	FreeCertificates   = "free_certificates"
	OwnCertificates    = "own_certificates"
	PurgeFiles         = "purge_files"
	PurgeDirectories   = "purge_directories"
	PurgeTags          = "purge_tags"
	PurgeIgnoreParams  = "purge_ignore_params"
	PurgeHostnames     = "purge_hostnames"
	PurgeAll           = "purge_all"
	Preloads           = "preloads"
	HistoryMinutes     = "history_minutes"
	Lists              = "lists"
	ListItems          = "list_items"
	Pages              = "pages"
	ScenePolicies      = "scene_policies"
	UserWAFRulesets    = "user_waf_rulesets"
	Namespaces         = "kv_namespaces"
	Routines           = "routines"
	RoutineVersions    = "routine_versions"
	RoutineRouteSites  = "routine_route_sites"
	ContainerApps      = "container_apps"
	ContainerVersions  = "container_versions"
	UserDeliveryTasks  = "user_delivery_tasks"
	Others             = "others"
)

// Kinds is the table. What is known is from the documents of the operations:
// namespaces and versions have a number there, routines and their routes one in
// the example of ListEdgeRoutinePlans.
func Kinds() []Kind {
	const site, account = "site", "account"
	of := func(name, per, code string, numbers [4]int, names ...string) Kind {
		return Kind{Name: name, Per: per, Code: code, Numbers: numbers, Names: names}
	}
	whole := func(name, per, code string, n int, known bool) Kind {
		return Kind{Name: name, Per: per, Account: true, Code: code, Numbers: [4]int{n, n, n, n}, Known: known}
	}
	rules := [4]int{10, 25, 50, 125}
	return []Kind{
		of(Sites, "plan instance that an account is given", "QuotaExceed.SiteCount", [4]int{20, 20, 20, 20}, "siteCount"),
		of(Records, site, "QuotaExceed.RecordCount", [4]int{200, 500, 1000, 2000}, "recordCount"),
		of(WildcardRecords, site, "QuotaExceed.WildCardRecord", [4]int{10, 20, 30, 50}, "wildcard"),
		of(SameNameRecords, "name and type", "SameNameRecordExceedLimit", [4]int{100, 100, 100, 100}),
		of(CacheRules, site, "RuleQuotaCheckFailed", rules, "cache_rules|rule_quota"),
		of(OriginRules, site, "RuleQuotaCheckFailed", rules, "origin_rules|rule_quota"),
		of(RedirectRules, site, "RuleQuotaCheckFailed", rules, "redirect_rules|rule_quota"),
		of(CompressionRules, site, "RuleQuotaCheckFailed", rules, "compression_rules|rule_quota"),
		of(HTTPSRules, "site and family", "RuleQuotaCheckFailed", rules, "https|rule_quota"),
		of(TransformRules, "site and family", "RuleQuotaCheckFailed", rules, "transition_rule"),
		of(ConfigurationRules, "site and family", "RuleQuotaCheckFailed", rules, "configuration_rules|rule_quota"),
		of(RoutineRoutes, site, "QuotaExceed.RoutineRoute", rules, "er_routers"),
		of(WAFRules, "site and phase", "RuleQuotaCheckFailed", [4]int{5, 20, 50, 100}, "waf:phase:http_custom:rules_per_instance:less_than_or_equal",
			"waf:phase:http_ratelimit:rules_per_instance:less_than_or_equal", "waf:phase:http_whitelist:rules_per_instance:less_than_or_equal"),
		of(WAFRulesets, "site and phase", "RulesetQuotaCheckFailed", [4]int{5, 5, 10, 10},
			"waf:phase:http_bot:rulesets_per_instance:less_than_or_equal", "waf:phase:http_anti_scan:rulesets_per_instance:less_than_or_equal"),
		of(WaitingRooms, site, "QuotaExceed.WaitingRoom", [4]int{1, 3, 5, 10}, "waiting_room"),
		of(WaitingRoomRules, "waiting room", "QuotaExceed.WaitingRoomRule", [4]int{10, 25, 50, 100}, "waitingroomRuleCount"),
		of(WaitingRoomEvents, "waiting room", "QuotaExceed.WaitingRoomEvent", [4]int{10, 25, 50, 100}, "waitingroomEventCount"),
		of(OriginPools, site, "QuotaExceed.OriginPool", [4]int{5, 10, 15, 20}),
		of(LoadBalancers, site, "QuotaExceed.LoadBalancer", [4]int{5, 10, 15, 20}),
		of(CustomHostnames, site, "QuotaExceed.CustomHostname", [4]int{10, 25, 50, 100}),
		of(Layer4Applications, site, "QuotaExceed.TransportLayerApplication", [4]int{10, 25, 50, 100}, "fourLayerRecordCount"),
		of(DeliveryTasks, site, "QuotaExceed.SiteDeliveryTask", [4]int{3, 5, 10, 10}, "rtlog_quota"),
		of(PreloadJobs, site, "QuotaExceed.ScheduledPreloadJob", [4]int{10, 25, 50, 100}),
		of(FreeCertificates, "account, by the site's plan", "CertQuotaCheckFailed", [4]int{10, 20, 30, 50}, "free_cert"),
		of(OwnCertificates, "account, by the site's plan", "CertQuotaCheckFailed", [4]int{10, 20, 30, 50}, "customHttpCert"),
		of(PurgeFiles, "site and day", "QuotaExceeded.Refresh", [4]int{1_000, 2_000, 5_000, 10_000}, "refresh_file"),
		of(PurgeDirectories, "site and day", "QuotaExceeded.Refresh", [4]int{50, 100, 200, 500}, "refresh_directory"),
		of(PurgeTags, "site and day", "QuotaExceeded.Refresh", [4]int{100, 200, 500, 1_000}, "refresh_cache_tag"),
		of(PurgeIgnoreParams, "site and day", "QuotaExceeded.Refresh", [4]int{100, 200, 500, 1_000}, "refresh_ignore_param"),
		of(PurgeHostnames, "site and day", "QuotaExceeded.Refresh", [4]int{10, 20, 50, 100}, "refresh_hostname"),
		of(PurgeAll, "site and day", "QuotaExceeded.Refresh", [4]int{5, 10, 20, 50}, "refresh_all"),
		of(Preloads, "site and day", "QuotaExceeded.Preload", [4]int{200, 500, 1_000, 2_000}, "preload"),
		of(HistoryMinutes, "site: how far back figures go", "QuotaCheckFailed.Function", [4]int{10_080, 20_160, 44_640, 129_600}, "data_timerange"),
		whole(Lists, account, "QuotaExceed.List", 10, false),
		whole(ListItems, "list", "QuotaExceed.ListItems", 500, false),
		whole(Pages, account, "QuotaExceed.Page", 50, false),
		whole(ScenePolicies, account, "QuotaExceed.CustomScenePolicy", 10, false),
		whole(UserWAFRulesets, "plan instance", "QuotaExceed.UserWafRuleset", 20, false),
		whole(Namespaces, account, "InvalidNameSpace.QuotaFull", 10, true),
		whole(Routines, account, "QuotaExceed.Routine", 100, true),
		whole(RoutineVersions, "routine", "QuotaExceed.RoutineCodeVersion", 10, true),
		whole(RoutineRouteSites, "routine", "QuotaExceed.RoutineRouteSite", 100, true),
		whole(ContainerApps, account, "QuotaExceed.EdgeContainerApp", 50, false),
		whole(ContainerVersions, "application", "QuotaExceed.EdgeContainerAppVersion", 50, false),
		whole(UserDeliveryTasks, account, "QuotaExceed.UserDeliveryTask", 10, false),
		whole(Others, "place, of any other kind that is created", "QuotaExceed.KIND", 100, false),
	}
}
