package local

import (
	"context"

	"github.com/esa-mcp/esa-mcp/internal/catalog"
	"github.com/esa-mcp/esa-mcp/internal/local/api"
	"github.com/esa-mcp/esa-mcp/internal/local/values"
)

// strictly are the operations whose parameters are held to the values and ranges
// that the catalogue lists, before their own handlers see them. Those of the
// others check by themselves, with codes of their own.
func strictly() []string {
	return []string{"GetWafQuota", "GetWafRuleset", "ListClientCaCertificates", "ListEdgeRoutineRecords", "ListPostpaidRatePlanInstances",
		"ListRecords", "ListSites", "ListTagResources", "ListUploadTasks", "ListUserRatePlanInstances",
		"ListWafManagedRules", "PurchaseRatePlan", "SetCertificate", "TagResources", "UntagResources", "UpdateRatePlanSpec"}
}

// makeStrict puts that check before the handlers.
func makeStrict(table api.Table) {
	for _, action := range strictly() {
		handle := table[action]
		table[action] = func(ctx context.Context, r *api.Request) (any, error) {
			op, _ := catalog.Lookup(r.Action)
			for i := range op.Params {
				p := &op.Params[i]
				text := r.Params.String(p.Name)
				if text == "" || p.As != catalog.AsPlain || len(p.Enum) == 0 && p.Min == nil {
					continue
				}
				if err := values.Check(p, text); err != nil {
					return nil, err
				}
			}
			return handle(ctx, r)
		}
	}
}
