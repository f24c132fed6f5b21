package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/stretchr/testify/require"
)

func kvDrills() []drill {
	space := func(f *field) map[string]any {
		return f.do("create_kv_namespace", arguments{"namespace": "ns"})
	}
	pairs := func(f *field) map[string]any {
		space(f)
		return f.do("batch_put_kv", arguments{"namespace": "ns", "values": arguments{"a": "1", "b": "2", "c": "3"}})
	}
	in := func(more arguments) arguments {
		more["namespace"] = "ns"
		return more
	}
	large := strings.Repeat("large ", 340_000) // more than a plain call takes
	many := arguments{}
	for i := range 2 {
		many[fmt.Sprint("big", i)] = strings.Repeat("x", 1_100_000)
	}
	var keys []string
	for i := range 10_001 {
		keys = append(keys, fmt.Sprintf("k%05d", i))
	}
	keys = append(keys, "a", "b")
	return []drill{
		{tool: "create_kv_namespace", prepare: always(in(arguments{}))},
		{tool: "delete_kv_namespace", prepare: then(pairs, in(arguments{}))},
		{tool: "put_kv", prepare: then(space, in(arguments{"key": "k", "value": "v"}))},
		{tool: "put_kv", about: "replaced", prepare: then(pairs, in(arguments{"key": "a", "value": "v", "ttl_seconds": 600}))},
		{tool: "put_kv", about: "large", prepare: then(space, in(arguments{"key": "k", "value": large}))},
		{tool: "put_kv", about: "large that expires", prepare: then(space, in(arguments{"key": "k", "value": large, "ttl_seconds": 600}))},
		{tool: "delete_kv", prepare: then(pairs, in(arguments{"key": "a"}))},
		{tool: "batch_put_kv", prepare: then(pairs, in(arguments{"values": arguments{"a": "9", "d": "4"}}))},
		{tool: "batch_put_kv", about: "two calls", prepare: then(space, in(arguments{"values": many}))},
		{tool: "batch_put_kv", about: "large", prepare: then(space, in(arguments{"values": arguments{"k": large}}))},
		{tool: "batch_delete_kv", prepare: then(pairs, in(arguments{"keys": []string{"a", "b"}}))},
		{tool: "batch_delete_kv", about: "many", prepare: then(pairs, in(arguments{"keys": keys}))},
		{tool: "import_kv", prepare: func(f *field) func(string) arguments {
			pairs(f)
			return func(dir string) arguments {
				return in(arguments{"path": writeFile(f, dir, "in.jsonl", `{"key":"a","value":"9"}`+"\n"+`{"key":"d","value":"4"}`+"\n"+`{"key":"e","value":"AP8=","base64":true}`+"\n")})
			}
		}},
		{tool: "import_kv", about: "large", prepare: func(f *field) func(string) arguments {
			space(f)
			return func(dir string) arguments {
				return in(arguments{"path": writeFile(f, dir, "in.json", fmt.Sprintf(`{"k":%q,"l":"1"}`, large))})
			}
		}},
	}
}

// writeFile makes a file and returns its path.
func writeFile(f *field, dir, name, text string) string {
	path := filepath.Join(dir, name)
	require.NoError(f.t, os.WriteFile(path, []byte(text), 0o600))
	return path
}
