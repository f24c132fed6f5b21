package docs

// entry is what the catalogue knows of a document beside its text.
type entry struct {
	name     string
	priority float64
	audience []string
}

// catalogue lists the documents in the order of the index.
func catalogue() []entry {
	agent, both := []string{"assistant"}, []string{"user", "assistant"}
	return []entry{
		{"pages", 0.9, both},
		{"er", 0.9, agent},
		{"edge-runtime", 0.6, agent},
		{"kv", 0.8, agent},
		{"sites", 0.8, both},
		{"dns-records", 0.9, agent},
		{"origin-rules", 0.9, agent},
		{"certificates", 0.8, agent},
		{"cache", 0.8, agent},
		{"rule-generation-guide", 0.9, agent},
		{"rule-match-fields", 0.7, agent},
		{"rule-operators", 0.7, agent},
		{"rule-examples", 0.9, agent},
		{"time-series", 0.7, agent},
		{"top-data", 0.7, agent},
		{"fields", 0.5, agent},
		{"errors", 0.8, agent},
		{"guardrails", 0.6, both},
		{"limits", 0.7, agent},
		{"api_overview", 0.6, agent},
		{"endpoints", 0.6, both},
		{"local-esa", 0.5, both},
		{"migrating-from-cloudflare", 0.5, both},
		{"sources", 0.3, both},
	}
}
