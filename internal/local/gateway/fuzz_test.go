package gateway

import (
	"encoding/hex"
	"encoding/json"
	"net/url"
	"slices"
	"strings"
	"testing"
)

func FuzzAuthorization(f *testing.F) {
	good := algorithm + " Credential=LTAI,SignedHeaders=host;x-acs-action,Signature=" + strings.Repeat("ab", 32)
	for _, seed := range []string{good, "", algorithm, algorithm + " ", algorithm + " Credential=a=b,SignedHeaders=;,Signature=",
		strings.ReplaceAll(good, ",", ", "), good + ",Signature=00"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, header string) {
		a, err := parseAuthorization(header)
		if err != nil {
			return
		}
		if a.keyID == "" || len(a.signature) != 32 || len(a.headers) == 0 || !slices.IsSorted(a.headers) {
			t.Fatalf("accepted %q as %+v", header, a)
		}
		b, err := parseAuthorization(algorithm + " Credential=" + a.keyID + ",SignedHeaders=" + strings.Join(a.headers, ";") +
			",Signature=" + hex.EncodeToString(a.signature))
		if err != nil || b.keyID != a.keyID || !slices.Equal(a.headers, b.headers) {
			t.Fatalf("%q does not survive being written again: %v", header, err)
		}
	})
}

func FuzzMergeParams(f *testing.F) {
	f.Add("a=1&b=2", "application/x-www-form-urlencoded", []byte("c=3&a=4"))
	f.Add("", "application/json; charset=utf-8", []byte(`{"a":{"b":[1,null]},"n":12345678901234567890}`))
	f.Add("a=%zz", "", []byte(" \n"))
	f.Add("Tag.1.Key=a;b", "text/plain", []byte("x"))
	f.Add("", "application/json", []byte(`{"a":1}{`))
	f.Fuzz(func(t *testing.T, query, contentType string, body []byte) {
		params, err := mergeParams(query, contentType, body)
		if err != nil {
			return
		}
		for _, name := range params.Names() {
			if name == "" || params[name] == nil {
				t.Fatalf("parameter %q is %v", name, params[name])
			}
			_ = params.String(name)
		}
		if _, err := json.Marshal(params); err != nil {
			t.Fatalf("parameters are not JSON values: %v", err)
		}
		// A query alone must come back as it was written.
		if len(body) == 0 {
			again := url.Values{}
			for _, name := range params.Names() {
				again.Set(name, params.String(name))
			}
			second, err := mergeParams(again.Encode(), "", nil)
			if err != nil || len(second) != len(params) {
				t.Fatalf("%q became %v, then %v (%v)", query, params, second, err)
			}
		}
	})
}

func FuzzCanonicalQuery(f *testing.F) {
	f.Add("b=2&a=1&a=0&c")
	f.Add("x=%7E%2A+%20~*")
	f.Fuzz(func(t *testing.T, raw string) {
		once, err := canonicalQuery(raw)
		if err != nil {
			return
		}
		twice, err := canonicalQuery(once)
		if err != nil || once != twice {
			t.Fatalf("%q is not canonical: %q (%v)", once, twice, err)
		}
	})
}
