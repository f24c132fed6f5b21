package guard

func originRows() []Row {
	return area("Origin rules",
		Row{ID: "origin-ip", Do: []Severity{Block}, Source: fromGuide,
			Text: "An origin rule's DnsRecord is the name of a record, never an IP address: the edge would answer 502 destination_not_found."},
		Row{ID: "origin-record-missing", Do: []Severity{Block}, Source: fromGuide,
			Text: "DnsRecord names no record of the site."},
		Row{ID: "origin-scheme", Do: []Severity{Fix, Warn}, Source: fromGuide,
			Text: "OriginScheme left out means https: it is set, with a warning when the port is one that usually speaks http."},
		Row{ID: "origin-port", Do: []Severity{Fix}, Source: fromAPI,
			Text: "There is no OriginPort: OriginHttpPort or OriginHttpsPort, by the scheme."},
		Row{ID: "origin-not-proxied", Do: []Severity{Warn}, Source: fromGuide,
			Text: "The rule's host has no proxied record, so the rule never runs."},
		Row{ID: "origin-route-wins", Do: []Severity{Warn}, Source: fromGuide,
			Text: "A routine's route matches the same host and comes before the origin."},
		Row{ID: "origin-stale", Do: []Severity{Warn}, Source: fromGuide,
			Text: "After a change, content from before may still be cached."},
	)
}
