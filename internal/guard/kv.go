package guard

func kvRows() []Row {
	return area("Edge KV",
		Row{ID: "kv-key", Do: []Severity{Block}, Source: fromGuide,
			Text: "A key has at most 512 characters, and no blank, slash or backslash."},
		Row{ID: "kv-value-size", Do: []Severity{Fix, Block}, Source: fromGuide,
			Text: "A value over 2 MB goes through the high-capacity call; over 25 MB it is refused."},
		Row{ID: "kv-batch", Do: []Severity{Fix}, Source: fromGuide, Where: "tools/kv_send.go",
			Text: "Batches are cut to 10,000 keys and 2 MB (100 MB by upload), and each part is reported."},
		Row{ID: "kv-batch-name", Do: []Severity{Fix}, Source: fromAPI,
			Text: "The pairs of a batch are KvList, the keys Keys: the service ignores a body, without a word."},
		Row{ID: "kv-ttl", Do: []Severity{Block, Warn}, Source: fromGuide,
			Text: "An expiration in the past, or both Expiration and ExpirationTtl."},
		Row{ID: "kv-list-window", Do: []Severity{Fix, Block}, Source: fromGuide,
			Text: "Page number times page size over 50,000 is refused: page by prefix instead."},
		Row{ID: "kv-disabled", Do: []Severity{Block}, Source: fromGuide,
			Text: "The account has no edge KV: how to enable it."},
		Row{ID: "kv-eventual", Do: []Severity{Warn}, Source: fromReports,
			Text: "Reads elsewhere can lag by minutes after a write."},
		Row{ID: "kv-namespace-delete", Do: []Severity{Ask}, Source: fromReports,
			Text: "Deleting a namespace deletes its keys."},
	)
}
