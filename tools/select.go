package tools

import (
	"fmt"
	"slices"
	"strings"
)

// defaultTools are those that "default" stands for: what most people need day to
// day, at a price that every request can carry. search_api reaches the rest.
func defaultTools() []string {
	return []string{
		"deploy_pages", "deploy_html", "get_deployment",
		"list_routines", "get_routine",
		"list_sites", "get_site", "diagnose_domain",
		"list_records", "create_record", "update_record", "delete_record",
		"purge_cache", "check_rule",
		"query_time_series", "query_top_data",
		"put_kv", "get_kv", "list_kv", "create_kv_namespace",
		"search_docs", "search_api", "describe_api", "read_api", "write_api",
	}
}

// Toolsets returns the names of all toolsets, in the order of the tools.
func Toolsets(all []Tool) []string {
	var names []string
	for _, t := range all {
		if !slices.Contains(names, t.Meta().Toolset) {
			names = append(names, t.Meta().Toolset)
		}
	}
	return names
}

// Select returns the tools that spec enables: toolset names, "default" or "all",
// separated by commas; +name adds a toolset or a tool, -name takes one away. A
// spec of additions and removals alone starts from the default. With readOnly,
// only tools that change nothing are left.
func Select(all []Tool, spec string, readOnly bool) ([]Tool, error) {
	enabled := make(map[string]bool, len(all)) // by tool name
	words := strings.FieldsFunc(spec, func(r rune) bool { return r == ',' || r == ' ' })
	if len(words) == 0 || strings.HasPrefix(words[0], "+") || strings.HasPrefix(words[0], "-") {
		words = append([]string{"default"}, words...)
	}
	for _, word := range words {
		name, on := strings.TrimPrefix(word, "+"), true
		if rest, ok := strings.CutPrefix(word, "-"); ok {
			name, on = rest, false
		}
		names, err := expand(all, name, on)
		if err != nil {
			return nil, err
		}
		for _, n := range names {
			enabled[n] = on
		}
	}
	var out []Tool
	for _, t := range all {
		m := t.Meta()
		if enabled[m.Name] && (!readOnly || m.ReadOnly == Yes) {
			out = append(out, t)
		}
	}
	if len(out) == 0 {
		return nil, fmt.Errorf("--toolsets %q leaves no tool; the toolsets are %s", spec, strings.Join(Toolsets(all), ", "))
	}
	return out, nil
}

// expand returns the names of the tools that one word of a spec stands for. on
// says that they are added: taking a toolset away leaves tools of others.
func expand(all []Tool, word string, on bool) ([]string, error) {
	var names []string
	everyday := defaultTools()
	for _, t := range all {
		m := t.Meta()
		switch {
		case word == "all", word == m.Toolset, on && m.Also != "" && word == m.Also, word == m.Name,
			word == "default" && slices.Contains(everyday, m.Name):
			names = append(names, m.Name)
		}
	}
	if len(names) == 0 && word != "default" {
		return nil, fmt.Errorf("--toolsets names %q, which is no toolset and no tool; the toolsets are %s, default and all",
			word, strings.Join(Toolsets(all), ", "))
	}
	return names, nil
}
