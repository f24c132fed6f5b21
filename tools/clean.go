package tools

import (
	"regexp"
	"strings"
	"sync"
	"unicode"
)

// Clean makes a text from elsewhere safe to show: terminal escapes and invisible
// characters are dropped, and what looks like a secret is masked. It is the last
// line of defence for messages; nothing should rely on it, and results do not go
// through it, because a stored value has to come back as it is.
func Clean(text string) string {
	return redact(visible(text))
}

var (
	escapes = sync.OnceValue(func() *regexp.Regexp {
		// CSI and OSC sequences, then any other two-character escape.
		return regexp.MustCompile(`\x1b\[[0-?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)?|\x1b[@-_]?|\x{9b}[0-?]*[ -/]*[@-~]`)
	})
	secrets = sync.OnceValue(func() []mask {
		return []mask{
			{regexp.MustCompile(`(?s)-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|$)`), "[private key removed]"},
			{regexp.MustCompile(`\bLTAI[0-9A-Za-z]{8,}`), "LTAI[removed]"},
			{regexp.MustCompile(`\bSTS\.[0-9A-Za-z]{8,}`), "STS.[removed]"},
			{regexp.MustCompile(`(?i)\b(bearer|basic) +[0-9a-z+/=_.~-]{8,}`), "$1 [removed]"},
			{regexp.MustCompile(`(?i)((?:access_?key_?secret|secret_?(?:access_?)?key|security_?token|x-oss-security-token|x-acs-security-token|esa_er_token|token|signature|policy|password|passwd|api_?key)["']?\s*[=:]\s*["']?)[0-9a-z+/=_.%~-]{8,}`), "${1}[removed]"},
		}
	})
)

type mask struct {
	pattern *regexp.Regexp
	with    string
}

func redact(text string) string {
	for _, m := range secrets() {
		text = m.pattern.ReplaceAllString(text, m.with)
	}
	return text
}

// visible drops escapes, control characters other than line feed and tab, and
// format characters: zero-width ones and those that turn the writing direction
// hide text from the person who approves a call.
func visible(text string) string {
	if strings.ContainsAny(text, "\x1b\u009b") {
		text = escapes().ReplaceAllString(text, "")
	}
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\t':
			return r
		case unicode.IsControl(r), unicode.Is(unicode.Cf, r), r == unicode.ReplacementChar:
			return -1
		}
		return r
	}, text)
}

// lazyRegexp compiles an expression at its first use: the program starts often
// and needs few of them.
func lazyRegexp(expr string) func() *regexp.Regexp {
	return sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(expr) })
}
