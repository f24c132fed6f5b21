package guard

import (
	"fmt"
	"maps"
	"slices"

	"github.com/esa-mcp/esa-mcp/internal/esa"
)

// maxUndoKeys bounds the keys of a batch that are read to take it back.
const maxUndoKeys = 20

// batchKeys are the keys of a batch of edge KV.
func batchKeys(c *Call) []string {
	var keys []string
	switch c.Op.Action {
	case "BatchPutKv":
		eachPair(c, func(get func(string) string) { keys = append(keys, get("Key")) })
	case "BatchDeleteKv":
		for _, key := range items(c, "Keys") {
			keys = append(keys, scalar(key))
		}
	}
	return keys
}

func kvRef(c *Call, key string) esa.Params {
	return esa.Params{"Namespace": c.Text("Namespace"), "Key": key}
}

func putKV(namespace, key string, was subject) Correction {
	params := esa.Params{"Namespace": namespace, "Key": key, "Value": scalar(was.state["Value"])}
	if isBase64(was.state) {
		params[base64Field] = true
	}
	return Correction{"PutKv", params}
}

// stands expects that a key has the value that was put.
func stands(ref esa.Params, put map[string]any) Expect {
	e := Expect{Action: "GetKv", Params: ref, Fields: map[string]any{"Value": put["Value"]}}
	if isBase64(put) {
		e.Params[base64Field] = true
	}
	return e
}

func undoPutKV(c *Call, before subject) Undo {
	ref := kvRef(c, c.Text("Key"))
	u := Undo{}
	if c.uploaded != "" {
		u.Expect = []Expect{stands(kvRef(c, c.Text("Key")), map[string]any{"Value": c.uploaded})}
	}
	if c.Has("Value") {
		encoded, _ := c.Bool(base64Field)
		u.Expect = []Expect{stands(kvRef(c, c.Text("Key")), kvFields(c.Text("Value"), encoded))}
	}
	if before.reads == "" {
		return Undo{Not: "what it was before could not be read"}
	}
	if before.unsure {
		return Undo{Not: ErrKVLag.Error()}
	}
	if before.state == nil {
		u.Calls = []Correction{{"DeleteKv", ref}}
		return u
	}
	u.Calls, u.Lossy = []Correction{putKV(c.Text("Namespace"), c.Text("Key"), before)}, "the expiry that it had"
	return u
}

func undoKVBatch(c *Call, values map[string]subject) Undo {
	if len(values) == 0 {
		return Undo{Not: fmt.Sprintf("the values before are kept for up to %d keys", maxUndoKeys)}
	}
	u := Undo{Lossy: "expiries"}
	var pairs, missing []any
	for _, key := range slices.Sorted(maps.Keys(values)) {
		if was := values[key]; was.unsure {
			return Undo{Not: "key " + key + ": " + ErrKVLag.Error()}
		} else if isBase64(was.state) { // which a batch cannot say
			u.Calls = append(u.Calls, putKV(c.Text("Namespace"), key, was))
		} else if was.state != nil {
			pairs = append(pairs, map[string]any{"Key": key, "Value": scalar(was.state["Value"])})
		} else if c.Op.Action == "BatchPutKv" {
			missing = append(missing, key)
		}
	}
	if len(pairs) > 0 {
		u.Calls = append(u.Calls, Correction{"BatchPutKv", esa.Params{"Namespace": c.Text("Namespace"), "KvList": pairs}})
	}
	if len(missing) > 0 {
		u.Calls = append(u.Calls, Correction{"BatchDeleteKv", esa.Params{"Namespace": c.Text("Namespace"), "Keys": missing}})
	}
	for _, pair := range c.List("KvList") {
		if pair, ok := pair.(map[string]any); ok {
			u.Expect = append(u.Expect, Expect{Action: "GetKv", Params: kvRef(c, scalar(pair["Key"])), Fields: map[string]any{"Value": scalar(pair["Value"])}})
		}
	}
	for _, key := range c.List("Keys") {
		u.Expect = append(u.Expect, Expect{Action: "GetKv", Params: kvRef(c, scalar(key)), Absent: true})
	}
	return u
}
