package tools

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/esa-mcp/esa-mcp/internal/catalog"
	"github.com/esa-mcp/esa-mcp/internal/esa"
)

const canary = "CANARY7f3a"

// canaryNames are names of fields that hold a secret, told by their words:
// written apart from the list that the redaction uses, so that one catches the
// other's gaps.
var canaryNames = regexp.MustCompile(`(?i)(secret|private_?key|passw|access_?key|app_?key|security_?token|^token$|^signature$|^policy$)`)

// marked fills a response shape: a canary wherever a secret belongs, plain
// values elsewhere.
func marked(name string, shape any, secret map[string]bool) any {
	switch s := shape.(type) {
	case map[string]any:
		out := map[string]any{}
		for key, e := range s {
			if key == "*" { // a map: the parts of an upload slot, in the store's spelling
				for _, k := range []string{"OSSAccessKeyId", "policy", "Signature", "x-oss-security-token"} {
					out[k] = canary + k
				}
				out["Url"] = "https://slot.example/"
				continue
			}
			out[key] = marked(key, e, secret)
		}
		return out
	case []any:
		out := []any{}
		for _, e := range s {
			out = append(out, marked(name, e, secret))
		}
		return out
	case string:
		switch {
		case secret[name] || canaryNames.MatchString(name):
			return canary + name
		case s == "string":
			return "plain"
		case s == "boolean":
			return true
		case strings.HasPrefix(s, "ref:"):
			return markedModel(strings.TrimPrefix(s, "ref:"), secret)
		}
		return json.Number("1234567890123456789")
	}
	return shape
}

func markedModel(model string, secret map[string]bool) any {
	out := map[string]any{}
	fields, _ := catalog.Model(model)
	for _, f := range fields {
		out[f.Name] = "plain"
		if secret[f.Name] || canaryNames.MatchString(f.Name) {
			out[f.Name] = canary + f.Name
		}
	}
	return out
}

// secretParams are the parameters of any operation that the catalogue marks.
func secretParams(params []catalog.Param, into map[string]bool) {
	for _, p := range params {
		into[p.Name] = into[p.Name] || p.Secret
		secretParams(p.Fields, into)
		if p.Items != nil {
			secretParams([]catalog.Param{*p.Items}, into)
		}
		if p.Values != nil {
			secretParams([]catalog.Param{*p.Values}, into)
		}
	}
}

// Whatever an operation answers, nothing that is secret comes out of read_api and
// write_api: not with a filter and not inside a JSON text.
func TestNoSecretComesOut(t *testing.T) {
	secret := map[string]bool{}
	for _, action := range catalog.Actions() {
		op, _ := catalog.Lookup(action)
		secretParams(op.Params, secret)
	}
	planted := 0
	for _, action := range catalog.Actions() {
		op, _ := catalog.Lookup(action)
		var shape any
		require.NoError(t, json.Unmarshal(op.Response, &shape))
		answer := marked("", shape, secret).(map[string]any)
		for name, on := range secret {
			if on { // the service may repeat what it was sent
				answer["Echo"+name] = map[string]any{name: canary + name}
			}
		}
		inner, err := json.Marshal(answer)
		require.NoError(t, err)
		planted += strings.Count(string(inner), canary)
		answer["ConfigText"] = string(inner)
		f := &fakeESA{answers: map[string]func(esa.Params) (any, error){action: func(esa.Params) (any, error) { return answer, nil }}}

		tool, calls := "write_api", []string{`{"action":%q}`}
		if isRead(op) {
			tool = "read_api"
		}
		if isRead(op) && op.SecretInResponse {
			calls = append(calls, `{"action":%q,"jq":"[.. | scalars]"}`, `{"action":%q,"jq":"tostring | @base64 | @base64d"}`)
		}
		for _, args := range calls {
			out, err := callTool(t, f, tool, fmt.Sprintf(args, action))
			if err != nil {
				out = err.Error()
			}
			require.NotContains(t, out, canary, "%s %s", action, args)
			require.NotEmpty(t, out)
		}
		// What raw adds to a named tool's result.
		kept := &recorder{next: f}
		_, err = kept.Call(t.Context(), action, nil)
		require.NoError(t, err)
		raw, err := kept.addTo(json.RawMessage(`{}`))
		require.NoError(t, err)
		require.NotContains(t, string(raw), canary, "raw of %s", action)
		require.Contains(t, string(raw), removed)
	}
	require.Greater(t, planted, 400*3, "the canaries have to be there to be found")
}

func TestRedactKeepsTheRest(t *testing.T) {
	body := map[string]any{
		"SiteId": json.Number("1234567890123456789"), "NextToken": "AAA", "KeyTag": json.Number("5"),
		"SignatureAlgorithm": "RSA", "SteeringPolicy": "random", "Token": "", "AuthConf": map[string]any{"AuthType": "private", "SecretKey": "s3"},
		"Comment": "a\u202eb\x1b[31mc", "Link": "https://x.example/log?Expires=1&Signature=abc%3D&OSSAccessKeyId=LTAIx",
		"Certificate":   "-----BEGIN CERTIFICATE-----\nMII\n-----END CERTIFICATE-----",
		"Bundle":        "x\n-----BEGIN RSA PRIVATE KEY-----\nMII\n-----END RSA PRIVATE KEY-----\ny",
		"Rules":         `{"a":1.50,"Password":"p"}`,
		"OssPostConfig": map[string]any{"Url": "https://u.example/", "Key": "k", "callback": "c", "Policy": "p"},
	}
	raw, err := encodePlain(Redact("GetRecord", body))
	require.NoError(t, err)
	require.JSONEq(t, `{
		"SiteId":1234567890123456789,"NextToken":"AAA","KeyTag":5,"SignatureAlgorithm":"RSA","SteeringPolicy":"random","Token":"",
		"AuthConf":{"AuthType":"private","SecretKey":"[removed]"},
		"Comment":"abc","Link":"https://x.example/log?Expires=1&Signature=[removed]&OSSAccessKeyId=[removed]",
		"Certificate":"-----BEGIN CERTIFICATE-----\nMII\n-----END CERTIFICATE-----",
		"Bundle":"x\n[private key removed]\ny",
		"Rules":"{\"Password\":\"[removed]\",\"a\":1.50}",
		"OssPostConfig":{"Url":"https://u.example/","Key":"k","callback":"[removed]","Policy":"[removed]"}}`, string(raw))
	require.Contains(t, string(raw), "1234567890123456789")
	require.Equal(t, "s3", body["AuthConf"].(map[string]any)["SecretKey"], "the answer itself is not touched")

	// A stored value comes back as it is.
	value := `{"token":"mine"}` + "\u200d"
	require.Equal(t, value, Redact("GetKv", map[string]any{"Value": value})["Value"])
}
