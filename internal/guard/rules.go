package guard

import (
	"context"
	"slices"
	"strconv"
	"strings"

	"github.com/esa-mcp/esa-mcp/internal/catalog"
	"github.com/esa-mcp/esa-mcp/internal/rule"
)

// What is wrong with an expression is the rule language's to say; a guardrail
// here is one of its findings.
func ruleRows() []Row {
	find := func(id, text, source string, do ...Severity) Row {
		return Row{ID: id, Text: text, Source: source, Do: do, Covers: takesExpression, Check: findings(id), Reads: reads("GetSite")}
	}
	return area("Rule expressions",
		find("rule-syntax", "An expression that does not parse: where, what was expected, and the corrected one if that is evident.", fromGuide, Block),
		find("rule-contains-slash", "contains on a path whose text does not start with /: one source says that it is refused, others show it, so the form with / is offered and not taken.", fromGuide, Warn, Block),
		find("rule-function-style", "starts_with, ends_with, exists and len are functions, not infix operators.", fromGuide, Fix),
		find("rule-not-eq", "not x eq y for x ne y, and the reverse.", fromGuide, Fix),
		find("rule-not-in", "x not in, x not contains and x not matches: not stands before the comparison.", fromGuide, Fix),
		find("rule-set-commas", "The elements of a set are separated by blanks, not commas.", fromGuide, Fix),
		find("rule-quotes", "Integers and IP addresses have no quotes, texts have.", fromGuide, Fix),
		find("rule-parens", "An expression stands in parentheses: they are put around it.", fromGuide, Fix),
		find("rule-depth", "More than 2 levels of nesting; the flat form is offered where it means the same.", fromGuide, Block),
		find("rule-size", "An expression over 4 KB or with more than 20 fields.", fromAPI, Block),
		find("rule-field", "An unknown field, or an operator that the field does not take; the nearest field is named.", fromGuide, Block),
		find("rule-kind", "What a kind of rule does not take: HTTPS rules only compare http.host, version management has no lists.", fromGuide, Fix, Block),
		find("rule-plan", "matches on a plan without regular expressions.", fromGuide, Warn, Block),
		find("rule-wildcard", "Words of other dialects (wildcard, ~, &&, ==, !): the ESA form where it means the same.", fromGuide, Fix, Block),
		find("rule-uri-query", "The end of http.request.uri is that of the query string: http.request.uri.path is meant.", fromAPI, Warn),
		find("rule-in-list", "in_list is a word of the console: in $name.", fromAPI, Fix),
		find("rule-full-uri", "A whole URL is compared with http.request.full_uri, not http.request.uri.", fromGuide, Fix),
		Row{ID: "rule-global", Do: []Severity{Ask}, Source: fromGuide,
			Text:   "Without a rule the configuration is the one for the whole site: asked, unless the tool was told scope global.",
			Covers: makesDefault, Check: askGlobal},
	)
}

// ruleKinds says for what kind of rule the operations of a noun take expressions.
func ruleKinds() map[string]rule.Kind {
	return map[string]rule.Kind{
		"CacheRule": rule.KindCache, "CompressionRule": rule.KindCompression, "CustomResponseCodeRule": rule.KindCustomResponse,
		"HttpIncomingRequestHeaderModificationRule": rule.KindRequestHeader, "HttpRequestHeaderModificationRule": rule.KindRequestHeader,
		"HttpIncomingResponseHeaderModificationRule": rule.KindResponseHeader, "HttpResponseHeaderModificationRule": rule.KindResponseHeader,
		"HttpsApplicationConfiguration": rule.KindHTTPS, "HttpsBasicConfiguration": rule.KindHTTPS,
		"ImageTransform": rule.KindImage, "NetworkOptimization": rule.KindNetwork, "OriginRule": rule.KindOrigin,
		"RedirectRule": rule.KindRedirect, "RewriteUrlRule": rule.KindRewrite, "RoutineRoute": rule.KindRoute,
		"VideoProcessing": "", "WaitingRoomRule": rule.KindWaitingRoom, "LoadBalancer": rule.KindLoadBalancer,
		"WafRule": rule.KindWAF, "UserWafRuleset": rule.KindWAF,
	}
}

// expressionKind finds the kind of rule that an operation writes.
func expressionKind(op *catalog.Operation) (kind rule.Kind, ok bool) {
	if op.Effect != catalog.Write {
		return "", false
	}
	if strings.HasPrefix(op.Action, "Batch") {
		return rule.KindWAF, strings.HasSuffix(op.Action, "WafRules")
	}
	_, noun := nounOf(op.Action)
	kind, ok = ruleKinds()[noun]
	return kind, ok
}

func takesExpression(op *catalog.Operation) bool {
	_, ok := expressionKind(op)
	return ok
}

// makesDefault reports whether an operation without a Rule makes the site's
// default for its kind.
func makesDefault(op *catalog.Operation) bool {
	p, ok := op.Param("Rule")
	return ok && !p.Required && strings.HasPrefix(op.Action, "Create") && takesExpression(op)
}

// expression is one expression of a call and what is found in it.
type expression struct {
	label string // says where it stands, empty for the parameter Rule
	text  string
	put   func(text string)

	report  rule.Report
	changes []rule.Diagnostic // that mend it; none if it cannot be
	fixed   string
	// offered says that the mended form is for the caller to choose: it is written
	// another way, or may not match the same.
	offered bool
}

// expressions are those of a call, looked at once for all guardrails.
func (c *Call) expressions(ctx context.Context) ([]*expression, error) {
	if c.lookedAtRules {
		return c.rules, c.rulesErr
	}
	c.lookedAtRules = true
	kind, _ := expressionKind(c.Op)
	if kind == rule.KindWAF && c.Text("Phase") == "http_ratelimit" {
		kind = rule.KindRateLimit
	}
	for _, name := range []string{"Rule", "Expression"} {
		if _, known := c.Op.Param(name); known && c.Text(name) != "" {
			c.rules = append(c.rules, &expression{text: c.Text(name), put: func(text string) { c.Set(name, text) }})
		}
	}
	for _, name := range []string{"Config", "Configs", "Rules"} {
		if _, known := c.Op.Param(name); !known || !c.Has(name) {
			continue
		}
		value := decoded(c.Value(name))
		c.rules = append(c.rules, nestedExpressions(name, value, func() { c.Set(name, value) })...)
	}
	o := rule.Options{Kind: kind}
	for _, e := range c.rules {
		if !strings.Contains(e.text, "matches") && !strings.Contains(e.text, "~") {
			continue
		}
		o.Plan, c.rulesErr = c.plan(ctx)
		break
	}
	for _, e := range c.rules {
		e.look(o)
	}
	return c.rules, c.rulesErr
}

// nestedExpressions finds the expressions in an object or a list. done is called
// after one was changed.
func nestedExpressions(label string, value any, done func()) []*expression {
	var out []*expression
	switch v := value.(type) {
	case []any:
		for i, item := range v {
			out = append(out, nestedExpressions(label+"["+strconv.Itoa(i)+"]", item, done)...)
		}
	case map[string]any:
		for name, item := range v {
			text, isText := item.(string)
			if isText && text != "" && (sameName(name, "Expression") || sameName(name, "Rule")) {
				out = append(out, &expression{label: label + "." + name + ": ", text: text, put: func(text string) { v[name] = text; done() }})
			} else if !isText {
				out = append(out, nestedExpressions(label+"."+name, item, done)...)
			}
		}
	}
	return out
}

func (e *expression) look(o rule.Options) {
	e.report = rule.Check(e.text, o)
	if fixed, changes, ok := rule.Fix(e.text, o); ok && fixed != e.text {
		e.fixed, e.changes = fixed, changes
	}
	for _, d := range e.changes {
		e.offered = e.offered || slices.Contains([]string{"rule-contains-slash", "rule-depth", "rule-field"}, d.ID)
	}
}

// plan is that of the call's site in the language of rules; empty if it is not
// known.
func (c *Call) plan(ctx context.Context) (rule.Plan, error) {
	if c.Site() == "" {
		return "", nil
	}
	site, err := c.State.Site(ctx, c.Site())
	if err != nil {
		return "", err
	}
	plan, _ := rule.ParsePlan(site.PlanName)
	return plan, nil
}

// findings makes the check of one finding: what it mends is mended, what it
// cannot is refused, the rest is a warning.
func findings(id string) func(context.Context, *Call) error {
	return func(ctx context.Context, c *Call) error {
		list, err := c.expressions(ctx)
		for _, e := range list {
			if err := e.judge(c, id); err != nil {
				return err
			}
		}
		if id != "rule-plan" {
			return nil // only that one looks at the plan
		}
		return err
	}
}

func (e *expression) judge(c *Call, id string) error {
	if errs := e.report.Errors(); len(errs) > 0 && (e.fixed == "" || e.offered) {
		if errs[0].ID != id {
			return nil // the guardrail of the first error refuses it
		}
		texts := make([]string, len(errs))
		for i, d := range errs {
			texts[i] = d.String()
			if d.Fix != "" && e.fixed == "" {
				texts[i] += ", such as " + d.Fix
			}
		}
		refusal := c.Block("%s%s. check_rule looks at expressions without an account.", e.label, strings.Join(texts, "; "))
		if e.fixed != "" {
			e.put(e.fixed)
			return refusal.With(c, nil)
		}
		return refusal
	}
	for _, d := range e.report.Diagnostics {
		if d.ID != id {
			continue
		}
		switch mends := e.fixed != "" && !e.offered && slices.Contains(e.changes, d); {
		case mends:
			e.put(e.fixed)
			c.Fixed("%s%s. Sent: %s", e.label, d, e.fixed)
		case e.offered && d.ID == "rule-contains-slash":
			c.Warn("%s%s. With it: %s", e.label, d, e.fixed)
		default:
			c.Warn("%s%s.", e.label, d)
		}
	}
	return nil
}

// askGlobal has the default of a kind confirmed, unless the caller said that it
// is meant.
func askGlobal(_ context.Context, c *Call) error {
	if c.Text("Rule") != "" || c.Object("Rule") != nil { // an object is not a rule either, which the client says
		return nil
	}
	_, noun := nounOf(c.Op.Action)
	c.Ask("without Rule this becomes the %s for ALL requests of site %s, its one global configuration; for some requests give Rule, RuleName and RuleEnable", words(noun), c.Site())
	return nil
}
