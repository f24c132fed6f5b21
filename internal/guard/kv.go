package guard

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/esa-mcp/esa-mcp/internal/esa"
)

// Limits of edge KV.
const (
	maxKVKey    = 512             // characters of a key
	maxKVValue  = 2_000_000       // bytes of a value in a plain call
	maxKVBig    = 25_000_000      // bytes of a value by upload
	maxKVBatch  = 2_000_000       // bytes of the JSON of a batch in a plain call
	maxKVKeys   = 10_000          // keys of a batch
	maxKVWindow = 50_000          // page number times page size
	maxKVPage   = 100             // keys of a page
	milliAge    = 100_000_000_000 // a Unix time beyond this is in milliseconds
)

func kvRows() []Row {
	one := []string{"PutKv", "PutKvWithHighCapacity", "GetKv", "GetKvDetail", "DeleteKv"}
	batches := []string{"BatchPutKv", "BatchDeleteKv"}
	writes := []string{"CreateKvNamespace", "PutKv", "PutKvWithHighCapacity", "BatchPutKv", "BatchPutKvWithHighCapacity",
		"DeleteKv", "BatchDeleteKv", "BatchDeleteKvWithHighCapacity"}
	return area("Edge KV",
		// First, so that the others find the pairs where they belong.
		Row{ID: "kv-batch-name", Do: []Severity{Fix}, Source: fromAPI,
			Text:    "The pairs of a batch are KvList, the keys Keys: the service ignores a body, without a word.",
			Actions: batches, Check: fixBatchName},
		Row{ID: "kv-disabled", Do: []Severity{Block}, Source: fromGuide,
			Text:    "The account has no edge KV: how to enable it.",
			Actions: append([]string{"GetKv", "GetKvDetail", "ListKvs"}, writes...), Check: checkKVEnabled,
			Reads: reads("DescribeKvAccountStatus")},
		Row{ID: "kv-key", Do: []Severity{Block}, Source: fromGuide,
			Text:    "A key has at most 512 characters, and no blank, slash or backslash.",
			Actions: append(one, batches...), Check: checkKVKeys},
		Row{ID: "kv-value-size", Do: []Severity{Fix, Block}, Source: fromGuide, Where: "tools/kv_pairs.go",
			Text:    "A value over 2 MB goes through the high-capacity call, which the tools take by themselves; over 25 MB it is refused.",
			Actions: []string{"PutKv"}, Check: checkKVValue},
		Row{ID: "kv-batch", Do: []Severity{Fix, Block}, Source: fromGuide, Where: "tools/kv_send.go",
			Text:    "Batches are cut to 10,000 keys and 2 MB (100 MB by upload), and each part is reported.",
			Actions: batches, Check: checkKVBatch},
		Row{ID: "kv-ttl", Do: []Severity{Block, Warn}, Source: fromGuide,
			Text:    "An expiration in the past or in milliseconds, or both Expiration and ExpirationTtl.",
			Actions: []string{"PutKv", "BatchPutKv"}, Check: checkKVExpiry},
		Row{ID: "kv-list-window", Do: []Severity{Fix, Block}, Source: fromGuide, Where: "tools/kv_export_run.go",
			Text:    "Page number times page size over 50,000 is refused: page by prefix instead, as export_kv does.",
			Actions: []string{"ListKvs"}, Check: checkKVWindow},
		Row{ID: "kv-eventual", Do: []Severity{Warn}, Source: fromReports,
			Text:    "Reads elsewhere can lag by minutes after a write: said once, and of each read that shows less than was written.",
			Actions: []string{"GetKv", "GetKvDetail", "ListKvs", "PutKv", "PutKvWithHighCapacity", "BatchPutKv", "BatchPutKvWithHighCapacity", "DeleteKv", "BatchDeleteKv"},
			After:   sayKVEventual, Failed: sayKVMissing},
		Row{ID: "kv-namespace-delete", Do: []Severity{Ask}, Source: fromReports,
			Text:    "Deleting a namespace deletes its keys.",
			Actions: []string{"DeleteKvNamespace"}, Check: askKVNamespaceDelete,
			Reads: reads("ListKvs")},
	)
}

// CheckKVKey says what is wrong with a key of edge KV; nothing if it is right.
func CheckKVKey(key string) error {
	switch {
	case key == "":
		return errors.New("the key is empty")
	case !utf8.ValidString(key):
		return errors.New("the key is not UTF-8")
	case utf8.RuneCountInString(key) > maxKVKey:
		return fmt.Errorf("the key has %d characters, more than %d", utf8.RuneCountInString(key), maxKVKey)
	case strings.ContainsAny(key, " /\\\t\r\n\x00"):
		return errors.New("the key has a space, slash or backslash, which keys cannot have")
	}
	return nil
}

// items are the members of a list, without copying one that is decoded already:
// batches are large. They must not be changed.
func items(c *Call, name string) []any {
	if list, ok := c.Value(name).([]any); ok {
		return list
	}
	return c.List(name)
}

// eachPair looks at the pairs of a batch.
func eachPair(c *Call, look func(get func(name string) string)) {
	for _, item := range items(c, "KvList") {
		pair, ok := item.(map[string]any)
		if !ok {
			continue
		}
		look(func(name string) string {
			if v, ok := pair[name]; ok {
				return scalar(v)
			}
			for k, v := range pair {
				if sameName(k, name) {
					return scalar(v)
				}
			}
			return ""
		})
	}
}

// fixBatchName finds the pairs or keys of a batch under a name that means them.
func fixBatchName(_ context.Context, c *Call) error {
	right := "KvList"
	if c.Op.Action == "BatchDeleteKv" {
		right = "Keys"
	}
	if c.Has(right) {
		return nil
	}
	for _, name := range c.Names() {
		if _, known := c.Op.Param(name); known || !isListName(name) {
			continue
		}
		value := decoded(c.Value(name))
		if inner, ok := value.(map[string]any); ok {
			if list, ok := inner[right]; ok {
				value = list
			} else if right == "KvList" {
				value = pairsOf(inner)
			}
		}
		list, ok := value.([]any)
		if !ok {
			continue
		}
		if right == "Keys" {
			list = keysOf(list)
		}
		c.Drop(name)
		c.Set(right, list)
		c.Fixed("The service reads %s and ignores %s: moved what it holds.", right, name)
		return nil
	}
	return nil
}

func isListName(name string) bool {
	return slices.ContainsFunc([]string{"body", "pairs", "items", "kvs", "kvpairs", "list", "data", "values", "entries", "keylist", "keynames", "names", "keys", "kvlist"},
		func(n string) bool { return sameName(n, name) })
}

// pairsOf makes pairs of an object that has a member for each key.
func pairsOf(object map[string]any) []any {
	list := make([]any, 0, len(object))
	for _, key := range slices.Sorted(maps.Keys(object)) {
		value := scalar(object[key])
		if value == "" {
			value, _ = compactJSON(object[key])
			value = strings.Trim(value, `"`)
		}
		list = append(list, map[string]any{"Key": key, "Value": value})
	}
	return list
}

// keysOf are the keys of a list that may hold pairs.
func keysOf(list []any) []any {
	keys := make([]any, len(list))
	for i, item := range list {
		keys[i] = item
		for name, v := range asObject(item) {
			if sameName(name, "Key") {
				keys[i] = v
			}
		}
	}
	return keys
}

// checkKVEnabled asks until edge KV was seen to be enabled: no operation
// switches it off.
func checkKVEnabled(ctx context.Context, c *Call) error {
	enabled, err := c.State.Lasting("kv-enabled", func() (bool, error) {
		answer, err := Read[struct{ Status string }](ctx, c.State, "DescribeKvAccountStatus", nil)
		return answer.Status == "online", err
	})
	if err != nil || enabled {
		return err
	}
	return c.Block("Edge KV is not enabled for this account: enable it in the ESA console (Edge Computing, KV), no operation of the API does. get_kv_account shows when it is.")
}

func checkKVKeys(_ context.Context, c *Call) error {
	refuse := func(key string, err error) error {
		refusal := c.Block("Key %q: %s. Use another separator, such as a colon or a hyphen.", shortText(key), err)
		if safe := safeKey(key); safe != "" && c.Op.Action == "PutKv" {
			return refusal.With(c, esa.Params{"Key": safe})
		}
		return refusal
	}
	switch c.Op.Action {
	case "BatchPutKv":
		var wrong error
		eachPair(c, func(get func(string) string) {
			if key := get("Key"); wrong == nil {
				if err := CheckKVKey(key); err != nil {
					wrong = refuse(key, err)
				}
			}
		})
		return wrong
	case "BatchDeleteKv":
		for _, item := range items(c, "Keys") {
			if err := CheckKVKey(scalar(item)); err != nil {
				return refuse(scalar(item), err)
			}
		}
		return nil
	}
	if key := c.Text("Key"); key != "" {
		if err := CheckKVKey(key); err != nil {
			return refuse(key, err)
		}
	}
	return nil
}

// safeKey is a key with its separators replaced; empty if that is not all that
// is wrong with it.
func safeKey(key string) string {
	safe := strings.NewReplacer("/", ":", `\`, ":", " ", "-", "\t", "-", "\r", "", "\n", "").Replace(strings.Trim(key, "/\\ \t\r\n"))
	if CheckKVKey(safe) != nil {
		return ""
	}
	return safe
}

func shortText(s string) string {
	if utf8.RuneCountInString(s) <= 60 {
		return s
	}
	return string([]rune(s)[:60]) + "..."
}

func checkKVValue(_ context.Context, c *Call) error {
	value := c.Text("Value")
	size := len(value)
	if on, _ := c.Bool("Base64"); on {
		size = base64.StdEncoding.DecodedLen(len(value)) - strings.Count(value[max(0, len(value)-2):], "=")
	}
	switch {
	case size > maxKVBig:
		return c.Block("The value has %d bytes, more than the %d that edge KV stores under one key: split it over several keys.", size, maxKVBig)
	case size > maxKVValue:
		return c.Block("The value has %d bytes, and PutKv takes %d: the tool put_kv uploads what is larger (PutKvWithHighCapacity).", size, maxKVValue)
	}
	return nil
}

func checkKVBatch(_ context.Context, c *Call) error {
	name, tool := "KvList", "import_kv, or batch_put_kv"
	if c.Op.Action == "BatchDeleteKv" {
		name, tool = "Keys", "batch_delete_kv"
	}
	list := items(c, name)
	size := 2
	for _, item := range list {
		pair, ok := item.(map[string]any)
		if !ok {
			size += len(scalar(item)) + 3
			continue
		}
		for _, v := range pair {
			size += len(scalar(v)) + 8
		}
	}
	switch {
	case len(list) > maxKVKeys:
		return c.Block("The batch has %d keys, more than %d: %s cuts and reports it.", len(list), maxKVKeys, tool)
	case name == "KvList" && size > maxKVBatch:
		return c.Block("The batch has more than %d bytes: %s cuts it, or uploads it.", maxKVBatch, tool)
	}
	return nil
}

func checkKVExpiry(_ context.Context, c *Call) error {
	now := c.now().Unix()
	if c.Op.Action == "PutKv" {
		at, ok := c.Int("Expiration")
		_, hasTTL := c.Int("ExpirationTtl")
		switch {
		case ok && hasTTL:
			c.Warn("Expiration and ExpirationTtl are both given: ExpirationTtl counts.")
		case ok && at > milliAge:
			return c.Block("Expiration is a Unix time in seconds, and %d is in milliseconds.", at).With(c, esa.Params{"Expiration": at / 1000})
		case ok && at <= now:
			return c.Block("Expiration %d is %s, which has passed: give a Unix time to come, in seconds, or ExpirationTtl, the seconds to live.",
				at, time.Unix(at, 0).UTC().Format(time.RFC3339))
		}
		return nil
	}
	// The service refuses single pairs of a batch and takes the others.
	var past, both []string
	eachPair(c, func(get func(string) string) {
		at, err := strconv.ParseInt(get("Expiration"), 10, 64)
		switch hasTTL := get("ExpirationTtl") != ""; {
		case err != nil:
		case hasTTL:
			both = append(both, get("Key"))
		case at <= now || at > milliAge:
			past = append(past, get("Key"))
		}
	})
	if len(past) > 0 {
		c.Warn("Expiration is a Unix time to come, in seconds: it is not for %s.", listed(past))
	}
	if len(both) > 0 {
		c.Warn("Expiration and ExpirationTtl are both given, and ExpirationTtl counts: %s.", listed(both))
	}
	return nil
}

func checkKVWindow(_ context.Context, c *Call) error {
	page, ok := c.Int("PageNumber")
	if !ok {
		page = 1
	}
	size, ok := c.Int("PageSize")
	if !ok {
		size = 50
	}
	if size > maxKVPage {
		size = maxKVPage
		c.Set("PageSize", size)
		c.Fixed("A page has at most %d keys: asked for that.", maxKVPage)
	}
	if page > 0 && size > 0 && page > maxKVWindow/size {
		return c.Block("PageNumber %d times PageSize %d is more than %d, which is as far as the service lists: narrow the list with Prefix, or let export_kv go through all keys.", page, size, maxKVWindow)
	}
	return nil
}

func askKVNamespaceDelete(ctx context.Context, c *Call) error {
	name := c.Text("Namespace")
	answer, err := Read[struct{ TotalCount json.Number }](ctx, c.State, "ListKvs", esa.Params{"Namespace": name, "PageNumber": 1, "PageSize": 1})
	if esa.IsNotFound(err) {
		return nil // which the service says
	}
	n, known := number(answer.TotalCount)
	if err != nil || !known {
		c.Ask("KV namespace %s with all its keys", name)
		return err
	}
	c.Ask("KV namespace %s with its keys: %d", name, n)
	c.asked[len(c.asked)-1].state = answer.TotalCount.String()
	return nil
}
