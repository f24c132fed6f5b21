package tools

import (
	"bytes"
	"encoding/json"
	"regexp"
	"strings"
	"sync"

	"github.com/esa-mcp/esa-mcp/internal/catalog"
)

// removed stands where a secret was.
const removed = "[removed]"

// Redact returns a copy of an operation's answer that may be shown: wire names
// and values as they came, without what opens or signs something, and without
// invisible characters. Every tool that shows a raw answer sends it through
// here.
func Redact(action string, body map[string]any) map[string]any {
	r := redactor{secret: map[string]bool{}}
	if op, ok := catalog.Lookup(action); ok {
		r.learn(op.Params)
	}
	// A stored value has to come back as it is.
	r.verbatim = action == "GetKv"
	clean, _ := r.value("", body).(map[string]any)
	return clean
}

type redactor struct {
	secret   map[string]bool // names that the catalogue marks, folded
	verbatim bool
}

// learn takes the names of the parameters that are secret: an answer may repeat
// them.
func (r redactor) learn(params []catalog.Param) {
	for _, p := range params {
		if p.Secret {
			r.secret[foldName(p.Name)] = true
		}
		r.learn(p.Fields)
		if p.Items != nil {
			r.learn([]catalog.Param{*p.Items})
		}
		if p.Values != nil {
			r.learn([]catalog.Param{*p.Values})
		}
	}
}

// isSecret reports whether the value of a field is never shown.
func (r redactor) isSecret(name string) bool {
	folded := foldName(name)
	return r.secret[folded] || secretNames()[folded]
}

// secretNames are fields whose value is a key, a password, a token or a
// signature, in whatever spelling. Policy is that of an upload: signed, it
// admits anyone to the slot.
var secretNames = sync.OnceValue(func() map[string]bool {
	names := map[string]bool{}
	for _, n := range strings.Fields(`accesskey accesskeyid accesskeysecret accesssecret secretkey secretaccesskey secret
		secretid clientsecret privatekey clientprivatekey keypem password passwd token accesstoken securitytoken
		xosssecuritytoken xacssecuritytoken stoken apikey appkey appsecret signature policy ossaccesskeyid
		xosssignature xosscredential authorization credential sessiontoken refreshtoken signedurl`) {
		names[n] = true
	}
	return names
})

// foldName makes x-oss-security-token, XOssSecurityToken and
// x_oss_security_token one.
func foldName(name string) string {
	return strings.ToLower(strings.NewReplacer("-", "", "_", "", ".", "").Replace(name))
}

func (r redactor) value(name string, v any) any {
	switch v := v.(type) {
	case map[string]any:
		out := make(map[string]any, len(v))
		for k, e := range v {
			if r.isSecret(k) || foldName(name) == "osspostconfig" && !slotPart(k) {
				out[k] = hide(e)
				continue
			}
			out[k] = r.value(k, e)
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i, e := range v {
			out[i] = r.value(name, e)
		}
		return out
	case string:
		return r.text(name, v)
	}
	return v
}

// slotPart reports whether a part of an upload slot opens nothing by itself.
func slotPart(name string) bool {
	folded := foldName(name)
	return folded == "url" || folded == "key"
}

// hide replaces all that can hold a secret. Empty texts, null and switches say
// only that there is none.
func hide(v any) any {
	switch v := v.(type) {
	case nil, bool:
		return v
	case string:
		if v == "" {
			return v
		}
	}
	return removed
}

// text redacts a text that may itself hold fields or a key.
func (r redactor) text(name, text string) string {
	if r.verbatim && name == "Value" {
		return text
	}
	if inner, ok := jsonText(text); ok {
		if raw, err := encodePlain(r.value(name, inner)); err == nil {
			return string(raw)
		}
	}
	text = pemKeys().ReplaceAllString(text, "[private key removed]")
	text = signedParts().ReplaceAllString(text, "${1}"+removed)
	return visible(text)
}

var pemKeys = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`(?s)-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|$)`)
})

// signedParts are the parameters of a signed link.
var signedParts = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`(?i)([?&](?:signature|security-token|x-oss-signature|x-oss-security-token|x-oss-credential|ossaccesskeyid|esa_er_token)=)[^&\s"']+`)
})

// jsonText decodes a text that is a JSON object or array with a name in it that
// may have to be hidden.
func jsonText(text string) (any, bool) {
	trimmed := strings.TrimSpace(text)
	if !strings.HasPrefix(trimmed, "{") && !strings.HasPrefix(trimmed, "[{") {
		return nil, false
	}
	d := json.NewDecoder(strings.NewReader(trimmed))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil || d.More() {
		return nil, false
	}
	return v, true
}

// encodePlain is JSON as a model reads it: < and not \u003c.
func encodePlain(v any) ([]byte, error) {
	var buf bytes.Buffer
	e := json.NewEncoder(&buf)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimRight(buf.Bytes(), "\n"), nil
}
