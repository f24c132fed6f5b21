package guard

func analyticsRows() []Row {
	return area("Analytics",
		Row{ID: "stats-interval", Do: []Severity{Fix, Block}, Source: fromGuide,
			Text: "The interval follows from the time span when it is not given; one finer than allowed is refused with the right one."},
		Row{ID: "stats-span", Do: []Severity{Block}, Source: fromGuide,
			Text: "A time span of more than 31 days."},
		Row{ID: "stats-time", Do: []Severity{Fix}, Source: fromGuide,
			Text: "Times are UTC, yyyy-MM-ddTHH:mm:ssZ: other zones and relative times such as -24h are converted."},
		Row{ID: "stats-order", Do: []Severity{Block}, Source: fromGuide,
			Text: "An end before the start."},
		Row{ID: "stats-metric", Do: []Severity{Fix, Block}, Source: fromGuide,
			Text: "The metrics are Traffic, Requests, RequestTraffic and PageView: others are mended where it is evident what is meant."},
		Row{ID: "stats-dimension", Do: []Severity{Fix, Block}, Source: fromGuide,
			Text: "Dimensions have long names, such as ClientRequestHost and EdgeResponseStatusCode: Host, Status and the like are mended."},
		Row{ID: "stats-limit", Do: []Severity{Fix}, Source: fromGuide,
			Text: "A top list has 5, 10 or 150 rows: the next larger is asked for."},
		Row{ID: "stats-sampling", Do: []Severity{Warn}, Source: fromGuide,
			Text: "With a sampling rate below 100 the figures are estimates."},
	)
}
