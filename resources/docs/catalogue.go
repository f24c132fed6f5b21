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
		{"kv", 0.8, agent},
		{"origin-rules", 0.9, agent},
		{"dns-records", 0.9, agent},
		{"cache", 0.8, agent},
		{"certificates", 0.8, agent},
		{"rule-examples", 0.9, agent},
		{"errors", 0.8, agent},
	}
}
