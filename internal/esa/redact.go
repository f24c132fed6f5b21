package esa

import (
	"errors"
	"net/url"
	"regexp"
	"strings"
	"sync"
)

var (
	// stringToSign starts the tail of the service's signature errors, which
	// repeats the whole request.
	stringToSign = lazyRegexp(`(?is)[,.;:]?\s*(the )?(server )?(canonical ?request|string ?to ?sign)\b.*`)
	keyID        = lazyRegexp(`\b(LTAI|STS\.|TMP\.)[0-9A-Za-z]{6,}`)
	namedSecret  = lazyRegexp(`(?i)\b((?:oss)?access_?key_?(?:id|secret)?|secret_?key|security_?token|x-oss-security-token|signature(?:provided)?|authorization|credential|password)("?\s*[=:]\s*"?)[^\s&,;"'<>]+`)
	urlUser      = lazyRegexp(`://[^/\s@]+@`)
)

// redact removes what may be a secret from a text that someone else wrote:
// the given secrets, access keys, signatures, and strings to sign.
func redact(text string, secrets ...string) string {
	text = stringToSign().ReplaceAllString(text, ".")
	for _, s := range secrets {
		if len(s) >= 4 {
			text = strings.ReplaceAll(text, s, "***")
		}
	}
	text = keyID().ReplaceAllString(text, "***")
	text = namedSecret().ReplaceAllString(text, "$1$2***")
	return urlUser().ReplaceAllString(text, "://***@")
}

// bareCause strips the URL that net/http puts around an error: its query holds
// the call's parameters.
func bareCause(err error) error {
	var u *url.Error
	if errors.As(err, &u) {
		return u.Err
	}
	return err
}

// lazyRegexp compiles an expression at its first use: the program starts often
// and needs few of them.
func lazyRegexp(expr string) func() *regexp.Regexp {
	return sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(expr) })
}
