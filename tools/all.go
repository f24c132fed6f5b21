package tools

import "slices"

// All returns every tool, in the order in which clients list them.
func All() []Tool {
	return slices.Concat(
		pagesTools(),
		routineTools(),
		siteTools(),
		dnsTools(),
		kvTools(),
		slices.Concat(cacheTools(), purgeTools(), cacheTaskTools(), cacheSettingsTools(), originTools()),
		certificateTools(),
		rulesTools(),
		apiTools(),
		analyticsTools(),
	)
}
