package guard

func certificateRows() []Row {
	return area("Certificates",
		Row{ID: "cert-not-automatic", Do: []Severity{Warn}, Source: fromGuide,
			Text: "A new record has no certificate: HTTPS fails until one is issued."},
		Row{ID: "cert-wait", Do: []Severity{Warn}, Source: fromGuide,
			Text: "Issuing takes 1 to 5 minutes."},
		Row{ID: "cert-key-path", Do: []Severity{Block}, Source: fromDesign, Where: "tools/certificates_files.go",
			Text: "Private keys are read from a file that the user names; they are never taken from the model or given to it."},
		Row{ID: "cert-mismatch", Do: []Severity{Block}, Source: fromGuide,
			Text: "Key and certificate that do not belong together, an expired certificate, or one that does not cover the site."},
		Row{ID: "cert-quota", Do: []Severity{Block}, Source: fromReports,
			Text: "Expired certificates still count: they are listed when the quota is used up."},
		Row{ID: "cert-cname-wildcard", Do: []Severity{Warn}, Source: fromReports,
			Text: "A free wildcard on a site with CNAME access is issued only after DCV delegation."},
		Row{ID: "cert-cas-region", Do: []Severity{Fix}, Source: fromReports,
			Text: "A certificate of the certificate service is found only in its region, which follows from the endpoint."},
	)
}
