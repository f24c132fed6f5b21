// Package agent reads User-Agent headers: which browser, system and device a
// visitor has. The cache key and the analytics go by the same answer.
package agent

import (
	"strings"

	"github.com/mileusna/useragent"
)

// Agent is what a User-Agent header tells.
type Agent struct {
	Browser string // Chrome, Safari ...; Bot; Other
	System  string // Windows, iOS ...; Other
	Device  string // Desktop, Mobile, Tablet, Other
}

const other = "Other"

// Read reads a User-Agent header.
func Read(header string) Agent {
	if header == "" {
		return Agent{other, other, other}
	}
	ua := useragent.Parse(header)
	a := Agent{Browser: browser(header, ua), System: ua.OS, Device: other}
	switch {
	case ua.Tablet:
		a.Device = "Tablet"
	case ua.Mobile:
		a.Device = "Mobile"
	case ua.Desktop:
		a.Device = "Desktop"
	}
	if a.System == "" || ua.Bot {
		a.System = systemOf(header)
	}
	return a
}

// browser is the library's name, or that of a client that it does not know.
func browser(header string, ua useragent.UserAgent) string {
	switch {
	case strings.Contains(header, "MicroMessenger"):
		return "WeChat"
	case ua.Bot, strings.Contains(strings.ToLower(header), "spider"):
		return "Bot"
	case strings.HasPrefix(header, "curl/"):
		return "curl"
	case ua.Name == useragent.MobileSafari:
		return useragent.Safari
	}
	name, _, _ := strings.Cut(ua.Name, "/")
	if name == "" || len(name) > 40 || name == useragent.Mozilla {
		return other
	}
	return name
}

// systemOf finds a system that a header names in passing.
func systemOf(header string) string {
	for _, name := range []string{"Windows", "Android", "Linux"} {
		if strings.Contains(header, name) {
			return name
		}
	}
	return other
}
