package tools

import (
	"context"
	"encoding/json"
	"strings"

	"github.com/esa-mcp/esa-mcp/internal/esa"
)

// GetKVAccountInput are the arguments of get_kv_account.
type GetKVAccountInput struct {
	Namespace string `json:"namespace,omitempty" jsonschema_description:"Only this namespace; default all"`
}

// KVNamespace is one namespace of edge KV.
type KVNamespace struct {
	Namespace     string `json:"namespace"`
	ID            ID     `json:"id,omitempty"`
	Description   string `json:"description,omitempty"`
	Status        string `json:"status,omitempty"`
	UsedBytes     int64  `json:"used_bytes"`
	CapacityBytes int64  `json:"capacity_bytes,omitempty"`
}

// GetKVAccountOutput is the result of get_kv_account.
type GetKVAccountOutput struct {
	Noted
	Status        string        `json:"status" jsonschema_description:"online, or offline when edge KV is not enabled"`
	UsedBytes     int64         `json:"used_bytes,omitempty"`
	CapacityBytes int64         `json:"capacity_bytes,omitempty"`
	Quota         int           `json:"namespace_quota,omitempty" jsonschema_description:"Namespaces that the account may have"`
	Namespaces    []KVNamespace `json:"namespaces"`
	Next          string        `json:"next,omitempty" jsonschema_description:"What to do about it"`
}

func getKVAccountTool() Tool {
	return Define(Meta{
		Name:        "get_kv_account",
		Title:       "Show KV account and namespaces",
		Toolset:     "kv",
		Description: "Shows whether edge KV is enabled, its namespaces and how full they are.",
		Calls:       []string{"DescribeKvAccountStatus", "GetKvAccount", "GetKvNamespace"},
		ReadOnly:    Yes, Destructive: No, Idempotent: Yes, OpenWorld: Yes,
	}, getKVAccount)
}

type kvNamespaceAnswer struct {
	Namespace, Description, Status string
	NamespaceID                    ID `json:"NamespaceId"`
	Capacity, CapacityUsed         int64
}

func (a kvNamespaceAnswer) project() KVNamespace {
	return KVNamespace{Namespace: a.Namespace, ID: a.NamespaceID, Description: a.Description, Status: a.Status,
		UsedBytes: a.CapacityUsed, CapacityBytes: a.Capacity}
}

func getKVAccount(ctx context.Context, d *Deps, in GetKVAccountInput) (GetKVAccountOutput, error) {
	var out GetKVAccountOutput
	account, err := invoke[struct{ Status string }](ctx, d, &out.Noted, "DescribeKvAccountStatus", esa.Params{})
	if err != nil {
		return out, err
	}
	if out.Status = account.Status; out.Status == "offline" {
		out.Next = "Edge KV is not enabled: enable it in the ESA console (Edge Computing, KV); no API does."
		return out, nil
	}
	if in.Namespace != "" {
		one, err := invoke[kvNamespaceAnswer](ctx, d, &out.Noted, "GetKvNamespace", esa.Params{"Namespace": in.Namespace})
		if err != nil {
			return out, kvError(err, in.Namespace, "")
		}
		out.Namespaces = append(out.Namespaces, one.project())
		return out, nil
	}
	all, err := invoke[struct {
		Capacity, CapacityUsed int64
		NamespaceQuota         int
		NamespaceList          []kvNamespaceAnswer
	}](ctx, d, &out.Noted, "GetKvAccount", esa.Params{})
	if err != nil {
		return out, kvError(err, "", "")
	}
	out.UsedBytes, out.CapacityBytes, out.Quota = all.CapacityUsed, all.Capacity, all.NamespaceQuota
	for _, n := range all.NamespaceList {
		out.Namespaces = append(out.Namespaces, n.project())
	}
	return out, nil
}

// CreateKVNamespaceInput are the arguments of create_kv_namespace.
type CreateKVNamespaceInput struct {
	Namespace   string `json:"namespace" jsonschema:"minLength=1" jsonschema_description:"New name"`
	Description string `json:"description,omitempty" jsonschema:"maxLength=255" jsonschema_description:"What it is for"`
}

// CreateKVNamespaceOutput is the result of create_kv_namespace.
type CreateKVNamespaceOutput struct {
	Noted
	Namespace string `json:"namespace"`
	ID        string `json:"id,omitempty" jsonschema_description:"Namespace id"`
	Status    string `json:"status,omitempty"`
	Created   bool   `json:"created" jsonschema_description:"false: it existed already and was left as it is"`
}

func createKVNamespaceTool() Tool {
	return Define(Meta{
		Name:    "create_kv_namespace",
		Title:   "Create a KV namespace",
		Toolset: "kv",
		Description: "Creates a namespace of edge KV, or leaves an existing one as it is. " +
			"An account has few (10): share one by key prefixes.",
		Calls:    []string{"CreateKvNamespace"},
		ReadOnly: No, Destructive: No, Idempotent: Yes, OpenWorld: Yes,
	}, createKVNamespace)
}

func createKVNamespace(ctx context.Context, d *Deps, in CreateKVNamespaceInput) (CreateKVNamespaceOutput, error) {
	out := CreateKVNamespaceOutput{Namespace: in.Namespace}
	params := esa.Params{"Namespace": in.Namespace}
	if in.Description != "" {
		params["Description"] = in.Description
	}
	answer, err := invoke[struct {
		NamespaceID json.RawMessage `json:"NamespaceId"`
		Status      string
	}](ctx, d, &out.Noted, "CreateKvNamespace", params)
	if esa.CodeOf(err) == "InvalidNameSpace.Duplicate" {
		return out, nil
	}
	if err != nil {
		return out, kvError(err, in.Namespace, "")
	}
	out.ID, out.Status, out.Created = strings.Trim(string(answer.NamespaceID), `"`), answer.Status, true
	return out, nil
}

// DeleteKVNamespaceInput are the arguments of delete_kv_namespace.
type DeleteKVNamespaceInput struct {
	Namespace string `json:"namespace" jsonschema:"minLength=1" jsonschema_description:"KV namespace"`
}

// DeleteKVNamespaceOutput is the result of delete_kv_namespace.
type DeleteKVNamespaceOutput struct {
	Noted
	Namespace string `json:"namespace"`
	Deleted   bool   `json:"deleted"`
}

func deleteKVNamespaceTool() Tool {
	return Define(Meta{
		Name:        "delete_kv_namespace",
		Title:       "Delete a KV namespace",
		Toolset:     "kv",
		Description: "Deletes a namespace of edge KV with all its keys, for good.",
		Calls:       []string{"GetKvNamespace", "ListKvs", "DeleteKvNamespace"},
		ReadOnly:    No, Destructive: Yes, Idempotent: Yes, OpenWorld: Yes,
	}, deleteKVNamespace)
}

func deleteKVNamespace(ctx context.Context, d *Deps, in DeleteKVNamespaceInput) (DeleteKVNamespaceOutput, error) {
	out := DeleteKVNamespaceOutput{Namespace: in.Namespace}
	if _, err := invoke[struct{}](ctx, d, &out.Noted, "DeleteKvNamespace", esa.Params{"Namespace": in.Namespace}); err != nil {
		return out, kvError(err, in.Namespace, "")
	}
	out.Deleted = true
	return out, nil
}
