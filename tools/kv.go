package tools

import (
	"cmp"
	"context"
	"time"

	"github.com/esa-mcp/esa-mcp/internal/esa"
)

// Limits of edge KV.
const (
	maxKVKey    = 512         // characters of a key
	maxKVValue  = 2_000_000   // bytes of a value in one plain call
	maxKVBig    = 25_000_000  // bytes of a value by upload
	maxKVBatch  = 2_000_000   // bytes of a batch in one plain call
	maxKVUpload = 100_000_000 // bytes of a batch by upload
	maxKVKeys   = 10_000      // keys of a batch
	maxKVWindow = 50_000      // page number times page size
	maxKVPage   = 100         // keys of a page
)

// KVRef is embedded in the input of tools that work on one key.
type KVRef struct {
	Namespace string `json:"namespace" jsonschema:"minLength=1" jsonschema_description:"KV namespace"`
	Key       string `json:"key" jsonschema:"minLength=1,maxLength=512,pattern=^[^\\s/\\\\]+$" jsonschema_description:"No spaces, slashes or backslashes"`
}

// KVExpiry is embedded in the input of tools that store pairs.
type KVExpiry struct {
	TTLSeconds int64      `json:"ttl_seconds,omitempty" jsonschema:"minimum=1,maximum=3153600000" jsonschema_description:"Lifetime; this or expires_at"`
	ExpiresAt  *time.Time `json:"expires_at,omitempty" jsonschema_description:"Time of expiry, such as 2030-01-02T15:04:05Z"`
}

// ListKVInput are the arguments of list_kv.
type ListKVInput struct {
	Namespace string `json:"namespace" jsonschema:"minLength=1" jsonschema_description:"KV namespace"`
	Prefix    string `json:"prefix,omitempty" jsonschema_description:"Only keys that begin with this"`
	Page      int    `json:"page,omitempty" jsonschema:"minimum=1,default=1" jsonschema_description:"Page number"`
	PageSize  int    `json:"page_size,omitempty" jsonschema:"minimum=1,maximum=100,default=50" jsonschema_description:"Keys per page"`
}

// KVKey is one key of a namespace.
type KVKey struct {
	Name    string `json:"name"`
	Updated string `json:"updated,omitempty"`
}

// ListKVOutput is the result of list_kv.
type ListKVOutput struct {
	Noted
	Keys     []KVKey `json:"keys"`
	Total    int     `json:"total" jsonschema_description:"Keys on all pages"`
	Page     int     `json:"page"`
	NextPage int     `json:"next_page,omitempty" jsonschema_description:"Left out on the last page"`
}

func kvTools() []Tool {
	return []Tool{
		putKVTool(),
		getKVTool(),
		Define(Meta{
			Name:        "list_kv",
			Title:       "List KV keys",
			Toolset:     "kv",
			Description: "Lists the keys of an edge KV namespace. Beyond 50,000 narrow with prefix.",
			Calls:       []string{"ListKvs"},
			ReadOnly:    Yes, Destructive: No, Idempotent: Yes, OpenWorld: Yes,
		}, listKV),
		deleteKVTool(),
		batchPutKVTool(),
		batchDeleteKVTool(),
		importKVTool(),
		exportKVTool(),
		getKVAccountTool(),
		createKVNamespaceTool(),
		deleteKVNamespaceTool(),
	}
}

type listKVAnswer struct {
	Keys       []struct{ Name, UpdateTime string }
	TotalCount int
}

func listKV(ctx context.Context, d *Deps, in ListKVInput) (ListKVOutput, error) {
	var out ListKVOutput
	page, size := cmp.Or(in.Page, 1), cmp.Or(in.PageSize, 50)
	if page > maxKVWindow/size {
		return out, Refuse("page %d times page_size %d is more than %d, which is as far as the service lists: narrow the list with prefix.", page, size, maxKVWindow)
	}
	answer, err := invoke[listKVAnswer](ctx, d, &out.Noted, "ListKvs", listKVParams(in.Namespace, in.Prefix, page, size))
	if err != nil {
		return out, kvError(err, in.Namespace, "")
	}
	for _, k := range answer.Keys {
		out.Keys = append(out.Keys, KVKey{Name: k.Name, Updated: k.UpdateTime})
	}
	out.Total, out.Page, out.NextPage = answer.TotalCount, page, nextPage(page, size, answer.TotalCount)
	return out, nil
}

func listKVParams(namespace, prefix string, page, size int) esa.Params {
	params := esa.Params{"Namespace": namespace, "PageNumber": page, "PageSize": size}
	if prefix != "" {
		params["Prefix"] = prefix
	}
	return params
}

// params adds the expiry to the parameters of a pair and returns when that is;
// empty for never.
func (e KVExpiry) params(params map[string]any, now time.Time) (string, error) {
	switch {
	case e.TTLSeconds > 0 && e.ExpiresAt != nil:
		return "", Refuse("ttl_seconds and expires_at exclude each other: give one of them.")
	case e.TTLSeconds > 0:
		params["ExpirationTtl"] = e.TTLSeconds
		return stamp(now.Add(time.Duration(e.TTLSeconds) * time.Second)), nil
	case e.ExpiresAt != nil && !e.ExpiresAt.After(now):
		return "", Refuse("expires_at is %s, which has passed (it is %s): give a time to come, or ttl_seconds.", stamp(*e.ExpiresAt), stamp(now))
	case e.ExpiresAt != nil:
		params["Expiration"] = e.ExpiresAt.Unix()
		return stamp(*e.ExpiresAt), nil
	}
	return "", nil
}

func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339) }

// kvError names the tool that repairs a call which missed its namespace or key.
func kvError(err error, namespace, key string) error {
	switch esa.CodeOf(err) {
	case "InvalidNameSpace.NotFound":
		return Refuse("There is no KV namespace %q: create it with create_kv_namespace. (%w)", namespace, err)
	case "InvalidKey.NotFound":
		return Refuse("There is no key %q in the KV namespace %q: list_kv shows the keys. (%w)", key, namespace, err)
	case "InvalidAccount.NotFound":
		return Refuse("Edge KV is not enabled for this account: enable it in the ESA console (Edge Computing, KV), no API does. (%w)", err)
	}
	return err
}
