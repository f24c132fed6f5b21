package rules

import (
	"encoding/json"
	"fmt"
	"slices"

	"github.com/esa-mcp/esa-mcp/internal/catalog"
	"github.com/esa-mcp/esa-mcp/internal/local/api"
)

// family is one kind of configuration.
type family struct {
	name string // the X of CreateX
	// check fills in what follows from other parameters and refuses what the
	// catalogue does not know to be wrong; nil if there is nothing to check.
	check func(fields) *api.Error
}

// params are the family's own parameters.
func (f family) params() []catalog.Param { return ownParams("Create" + f.name) }

// answers are the names that an answer may have.
func (f family) answers() map[string]bool { return answerNames("Get" + f.name) }

// families returns all families that the service knows. What the catalogue says
// of them is looked up when a call needs it, not at the start.
func families() []family {
	return []family{
		{name: "CacheRule", check: checkCache},
		{name: "CompressionRule"},
		{name: "CustomResponseCodeRule", check: checkCustomResponse},
		{name: "HttpIncomingRequestHeaderModificationRule", check: checkHeaders("RequestHeaderModification")},
		{name: "HttpIncomingResponseHeaderModificationRule", check: checkHeaders("ResponseHeaderModification")},
		{name: "HttpRequestHeaderModificationRule", check: checkHeaders("RequestHeaderModification")},
		{name: "HttpResponseHeaderModificationRule", check: checkHeaders("ResponseHeaderModification")},
		{name: "HttpsApplicationConfiguration", check: checkHTTPSApplication},
		{name: "HttpsBasicConfiguration", check: checkHTTPSBasic},
		{name: "ImageTransform"},
		{name: "NetworkOptimization", check: checkNetwork},
		{name: "OriginRule", check: checkOrigin},
		{name: "RedirectRule", check: checkRedirect},
		{name: "RewriteUrlRule", check: checkRewrite},
		{name: "VideoProcessing"},
	}
}

func (f family) listAction() string { return "List" + f.name + "s" }

// ownParams are the parameters of an operation without those that all have.
func ownParams(action string) []catalog.Param {
	common := []string{"SiteId", "SiteVersion", "ConfigId", "Rule", "RuleName", "RuleEnable", "Sequence"}
	return slices.DeleteFunc(slices.Clone(operation(action).Params), func(p catalog.Param) bool {
		return slices.Contains(common, p.Name)
	})
}

// answerNames are the members of an operation's answer.
func answerNames(action string) map[string]bool {
	var members map[string]json.RawMessage
	if err := json.Unmarshal(operation(action).Response, &members); err != nil {
		panic(fmt.Sprintf("rules: answer of %s: %v", action, err))
	}
	names := make(map[string]bool, len(members))
	for name := range members {
		names[name] = true
	}
	return names
}

// operation finds what the catalogue, which is part of the program, must have.
func operation(action string) *catalog.Operation {
	op, ok := catalog.Lookup(action)
	if !ok {
		panic("rules: no operation " + action)
	}
	return op
}
