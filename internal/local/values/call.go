package values

import (
	"strconv"
	"strings"

	"github.com/esa-mcp/esa-mcp/internal/catalog"
	"github.com/esa-mcp/esa-mcp/internal/local/api"
)

// CheckCall refuses a call that lacks a required parameter or whose numbers
// and booleans are none. Enumerations and ranges are not checked here: the
// catalogue's are incomplete, and each operation has its own code for them.
func CheckCall(op *catalog.Operation, params api.Params) error {
	for i := range op.Params {
		p := &op.Params[i]
		text := strings.TrimSpace(params.String(p.Name))
		if text == "" {
			if p.Required && !sentFlat(params, p.Name) {
				return api.Errorf(400, "Missing"+p.Name, "%s is mandatory for this action.", p.Name)
			}
			continue
		}
		if p.As != catalog.AsPlain {
			continue
		}
		if value := documentedBool(p, text); value != "" {
			params[p.Name] = value
			continue
		}
		if want := expectation(p.Type, text); want != "" {
			return api.Errorf(400, "Invalid"+p.Name, "Specified parameter %s is not valid: it must be %s, not %q.",
				p.Name, want, Clip(text))
		}
	}
	return nil
}

// expectation says what a value of that type must be, or nothing if text is one.
func expectation(kind, text string) string {
	var err error
	want := ""
	switch kind {
	case "long":
		_, err = strconv.ParseInt(text, 10, 64)
		want = "a 64-bit integer"
	case "integer":
		_, err = strconv.ParseInt(text, 10, 32)
		want = "a 32-bit integer"
	case "number":
		_, err = strconv.ParseFloat(text, 64)
		want = "a number"
	case "boolean":
		if lower := strings.ToLower(text); lower != "true" && lower != "false" {
			return "true or false"
		}
	}
	if err == nil {
		return ""
	}
	return want
}

// documentedBool is what the text of a boolean means that is documented with the
// example 1, such as ValidOnly of ListCertificates; nothing if it is no such one.
func documentedBool(p *catalog.Param, text string) string {
	if p.Type == "boolean" && string(p.Example) == `"1"` {
		return map[string]string{"0": "false", "1": "true"}[text]
	}
	return ""
}

// sentFlat reports whether a list or object came as Name.1, Name.Key ...
func sentFlat(params api.Params, name string) bool {
	for sent := range params {
		if strings.HasPrefix(sent, name+".") {
			return true
		}
	}
	return false
}

// Clip shortens a client's text for a message.
func Clip(s string) string {
	const most = 64
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most], "") + "..."
}
