// Package values checks single parameters against what the catalogue says of
// them: types, enumerations and ranges.
//
// It knows no operation.
package values

import (
	"encoding/json"
	"fmt"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/esa-mcp/esa-mcp/internal/catalog"
	"github.com/esa-mcp/esa-mcp/internal/local/api"
)

// Check refuses a text outside of what the catalogue lists for the parameter.
func Check(p *catalog.Param, text string) *api.Error {
	if len(p.Enum) > 0 {
		each := []string{text}
		if p.Separator != "" {
			each = strings.Split(text, p.Separator)
		}
		for _, v := range each {
			if !slices.Contains(p.Enum, catalog.EnumValue(strings.TrimSpace(v))) && !isExample(p, v) {
				return Invalid(p.Name, "it must be one of %s, not %q", names(p.Enum), v)
			}
		}
	}
	trimmed := strings.TrimSpace(text)
	switch p.Type {
	case "integer", "long":
		bits := 64
		if p.Type == "integer" {
			bits = 32
		}
		if _, err := strconv.ParseInt(trimmed, 10, bits); err != nil {
			return Invalid(p.Name, "it must be an integer of %d bits, not %q", bits, text)
		}
	case "number":
		if n, err := strconv.ParseFloat(trimmed, 64); err != nil || math.IsNaN(n) || math.IsInf(n, 0) {
			return Invalid(p.Name, "it must be a number, not %q", text)
		}
	case "boolean":
		if lower := strings.ToLower(trimmed); lower != "true" && lower != "false" {
			return Invalid(p.Name, "it must be true or false, not %q", text)
		}
	}
	if p.Min != nil && p.Max != nil {
		n, err := strconv.ParseInt(trimmed, 10, 64)
		if err != nil || n < *p.Min || n > *p.Max {
			return Invalid(p.Name, "it must be a number between %d and %d, not %q", *p.Min, *p.Max, text)
		}
	}
	return checkLength(p, text)
}

// isExample tells whether a text is what the documentation shows as the example:
// Asc where it lists ASC and DESC.
func isExample(p *catalog.Param, text string) bool {
	var example string
	return json.Unmarshal(p.Example, &example) == nil && example != "" && text == example
}

func checkLength(p *catalog.Param, text string) *api.Error {
	runes := utf8.RuneCountInString(text)
	switch {
	case p.MaxLength > 0 && runes > p.MaxLength:
		return Invalid(p.Name, "it has %d characters, more than %d", runes, p.MaxLength)
	case p.MinLength > 0 && runes < p.MinLength:
		return Invalid(p.Name, "it has %d characters, fewer than %d", runes, p.MinLength)
	case p.MaxBytes > 0 && len(text) > p.MaxBytes:
		return Invalid(p.Name, "it has %d bytes, more than %d", len(text), p.MaxBytes)
	}
	return nil
}

// hosts is what host names and addresses are written in, with a port or without.
var hosts = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[0-9A-Za-z._:\[\]-]{1,255}$`) })

// IsHost tells whether a text can be a host name or an address, with a port or
// without. What is at it is not asked.
func IsHost(text string) bool { return hosts().MatchString(text) }

// SecurityLevels are what SecurityLevel.Value may be, of a site's WAF settings
// (EditSiteWafSettings) and of a rule (CreateWafRule).
func SecurityLevels() []string {
	return []string{"off", "essentially_off", "low", "medium", "high", "under_attack"}
}

func names(values []catalog.EnumValue) string {
	words := make([]string, len(values))
	for i, v := range values {
		words[i] = string(v)
	}
	return strings.Join(words, ", ")
}

// Invalid is the service's refusal of a parameter's value.
func Invalid(name, format string, args ...any) *api.Error {
	return api.Errorf(400, "Invalid"+name, "Specified parameter %s is not valid: %s.", name, fmt.Sprintf(format, args...))
}
