package site

import (
	"strings"

	"github.com/esa-mcp/esa-mcp/internal/local/api"
)

// checkRecordName refuses names that the service refuses. name is lower case.
// It must be a full name: a bare prefix, "@" and a trailing dot are no names
// under the site.
func checkRecordName(name, siteName, kind string, proxied bool) error {
	if !within(name, siteName) {
		return api.Errorf(400, "InvalidParameter.InvalidRecordNameSuffix",
			"The record name %q must be the site name or end with .%s.", clip(name), siteName)
	}
	if strings.ContainsAny(name, "/:?#\\") {
		return api.Errorf(400, "InvalidParameter.InvalidRecordName", "The record name %q is no host name.", clip(name))
	}
	if len(name) > 200 {
		return api.Errorf(400, "InvalidParameter.RecordNameExceedLimit", "The record name is longer than 200 characters.")
	}
	if err := checkNameShape(name); err != nil {
		return err
	}
	if proxied && strings.Contains(name, "_") {
		return api.Errorf(400, "Record.UnmatchedRecordNameInvalidUnderLine", "A proxied record's name must not have an underscore.")
	}
	switch kind {
	case typeSRV:
		return checkServiceName(name)
	case typeNS:
		if name == siteName {
			return api.Errorf(400, "Record.NSRecordCannotEqualSiteName", "An NS record cannot be for the site's own name.")
		}
	}
	return nil
}

func checkNameShape(name string) error {
	unmatched := func(code, why string) error {
		return api.Errorf(400, "Record.UnmatchedRecordName"+code, "The record name %q is not valid: %s.", clip(name), why)
	}
	if strings.Contains(name, "@") {
		return unmatched("InvalidATChar", "@ stands for the root on its own only; use the site name")
	}
	if strings.Contains(name, "..") {
		return unmatched("ContainDoubleConsecutiveDot", "it has two dots in a row")
	}
	labels := strings.Split(name, ".")
	for i, label := range labels {
		switch {
		case label == "*" && i == 0:
			continue
		case len(label) > 63:
			return unmatched("SeperateStringTooLarge", "a part between dots is longer than 63 characters")
		case strings.Contains(label, "*"):
			return unmatched("InvalidStartSymbol", "* must be the whole first part")
		case label == "" || label[0] == '-' || label[len(label)-1] == '-':
			return unmatched("InvalidNamePrefixSuffix", "a part begins or ends with a dot or hyphen")
		case !validLabel(label, true):
			return unmatched("OnlyRangeChars", "only letters, digits, hyphens and underscores are allowed; write international names in punycode")
		}
	}
	return nil
}

// checkServiceName wants _service._protocol before the rest of an SRV name.
func checkServiceName(name string) error {
	if strings.HasPrefix(name, "*") {
		return api.Errorf(400, "Record.UnmatchedRecordNameForbidStarSev", "An SRV record's name cannot be a wildcard.")
	}
	parts := strings.SplitN(name, ".", 3)
	for _, part := range parts[:min(2, len(parts))] {
		if len(part) < 2 || part[0] != '_' {
			return api.Errorf(400, "Record.SRVRecordInvalidRecordName", "An SRV record's name must be like _service._protocol.example.com.")
		}
	}
	return nil
}

// clip shortens a client's text for a message.
func clip(s string) string {
	const most = 80
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most], "") + "..."
}
