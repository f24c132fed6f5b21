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
		cacheTools(),
		originTools(),
		certificateTools(),
		securityTools(),
		rulesTools(), ruleLanguageTools(),
		apiTools(),
		analyticsTools(), reportTools(),
		docsTools(),
		undoTools(),
	)
}
