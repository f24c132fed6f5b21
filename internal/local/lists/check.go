package lists

import (
	"net/netip"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/esa-mcp/esa-mcp/internal/local/api"
)

// check refuses what no list may be, and makes the items, of which there may be so
// many, tidy: each once.
func (e *entry) check(most int) error {
	if !validName(e.name) {
		return api.Errorf(400, "InvalidParameter.Name", "Name must have 1 to 32 letters, digits and underscores, and not begin with an underscore.")
	}
	if utf8.RuneCountInString(e.description) > maxText {
		return api.Errorf(400, "InvalidParameter.Description", "Description must have at most %d characters.", maxText)
	}
	if len(e.items) > most {
		return api.Errorf(400, "QuotaExceed.ListItems", "A list has at most %d items, not %d.", most, len(e.items))
	}
	fits := map[string]func(string) bool{"ip": isNetwork, "host": isHost, "asn": isASN}[e.kind]
	if fits == nil {
		return api.Errorf(400, "InvalidParameter.Kind", "Kind must be ip, host or asn.")
	}
	seen := make(map[string]bool, len(e.items))
	items := make([]string, 0, len(e.items))
	for _, item := range e.items {
		item = strings.ToLower(strings.TrimSpace(item))
		if !fits(item) {
			return api.Errorf(400, "InvalidParameter.Items", "%q is no item of a list of kind %s.", item, e.kind)
		}
		if !seen[item] {
			seen[item] = true
			items = append(items, item)
		}
	}
	e.items = items
	return nil
}

func validName(name string) bool {
	if name == "" || len(name) > 32 || name[0] == '_' {
		return false
	}
	return strings.Trim(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_") == ""
}

func isNetwork(s string) bool {
	if _, err := netip.ParsePrefix(s); err == nil {
		return true
	}
	a, err := netip.ParseAddr(s)
	return err == nil && a.Zone() == ""
}

func isHost(s string) bool {
	s = strings.TrimPrefix(s, "*.")
	if len(s) > 253 || !strings.Contains(s, ".") {
		return false
	}
	for label := range strings.SplitSeq(s, ".") {
		if label == "" || len(label) > 63 || strings.Trim(label, "abcdefghijklmnopqrstuvwxyz0123456789-_") != "" {
			return false
		}
	}
	return true
}

func isASN(s string) bool {
	n, err := strconv.ParseUint(s, 10, 32)
	return err == nil && n > 0
}
