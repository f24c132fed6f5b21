package oss

import (
	"encoding/base64"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func encode(text string) string { return base64.StdEncoding.EncodeToString([]byte(text)) }

func TestParsePolicyRefuses(t *testing.T) {
	tests := map[string]string{
		"not JSON":           `x`,
		"no expiration":      `{"conditions":[]}`,
		"local expiration":   `{"expiration":"2026-03-01 10:00","conditions":[]}`,
		"no conditions":      `{"expiration":"2026-03-01T10:00:00Z"}`,
		"number condition":   `{"expiration":"2026-03-01T10:00:00Z","conditions":[1]}`,
		"unknown operator":   `{"expiration":"2026-03-01T10:00:00Z","conditions":[["in","$key","a"]]}`,
		"list of two":        `{"expiration":"2026-03-01T10:00:00Z","conditions":[["eq","$key"]]}`,
		"operator no text":   `{"expiration":"2026-03-01T10:00:00Z","conditions":[[1,"$key","a"]]}`,
		"no dollar":          `{"expiration":"2026-03-01T10:00:00Z","conditions":[["eq","key","a"]]}`,
		"value no text":      `{"expiration":"2026-03-01T10:00:00Z","conditions":[["eq","$key",["a"]]]}`,
		"object of two":      `{"expiration":"2026-03-01T10:00:00Z","conditions":[{"a":"1","b":"2"}]}`,
		"empty object":       `{"expiration":"2026-03-01T10:00:00Z","conditions":[{}]}`,
		"range of text":      `{"expiration":"2026-03-01T10:00:00Z","conditions":[["content-length-range","1","2"]]}`,
		"range backwards":    `{"expiration":"2026-03-01T10:00:00Z","conditions":[["content-length-range",2,1]]}`,
		"negative range":     `{"expiration":"2026-03-01T10:00:00Z","conditions":[["content-length-range",-2,1]]}`,
		"range out of range": `{"expiration":"2026-03-01T10:00:00Z","conditions":[["content-length-range",0,1e99]]}`,
	}
	for name, text := range tests {
		t.Run(name, func(t *testing.T) {
			_, err := parsePolicy(encode(text))
			require.Error(t, err)
		})
	}
	_, err := parsePolicy("%")
	require.EqualError(t, err, "not base64")
}

func TestPolicyCheck(t *testing.T) {
	p, err := parsePolicy(encode(`{"expiration":"2026-03-01T10:00:00.500Z","conditions":[
		{"Bucket":"b"},["eq","$Key","a/b"],["starts-with","$x","pre"],["starts-with","$any",""],
		["content-length-range",1,100],["content-length-range",0,50]]}`))
	require.NoError(t, err)
	require.Equal(t, int64(1), p.min)
	require.Equal(t, int64(50), p.max)
	good := map[string]string{"bucket": "b", "key": "a/b", "x": "prefix", "any": ""}
	at := time.Date(2026, 3, 1, 10, 0, 0, 0, time.UTC)
	require.NoError(t, p.check(good, at))
	for name, value := range map[string]string{"bucket": "c", "key": "a/b/", "x": "Prefix"} {
		require.ErrorContains(t, p.check(with2(good, name, value), at), "Policy Condition failed", name)
	}
	require.Error(t, p.check(map[string]string{"bucket": "b", "key": "a/b", "x": "pre"}, at), "any must be there")
	require.ErrorContains(t, p.check(good, at.Add(time.Second)), "Policy expired")
}

func with2(fields map[string]string, name, value string) map[string]string {
	out := map[string]string{name: value}
	for k, v := range fields {
		if k != name {
			out[k] = v
		}
	}
	return out
}

// TestSign uses a vector made with openssl dgst -sha1 -hmac.
func TestSign(t *testing.T) {
	require.Equal(t, "tzElCQeUVQune2q/DySbIqJZuuw=", sign("secret", "eyJleHBpcmF0aW9uIjoiMjAzMC0wMS0wMVQxMjowMDowMC4wMDBaIn0="))
}

func FuzzPolicy(f *testing.F) {
	f.Add(`{"expiration":"2026-03-01T10:00:00Z","conditions":[{"bucket":"b"},["eq","$key","k"],["content-length-range",0,9]]}`, "k")
	f.Add(`{"expiration":"2026-03-01T10:00:00Z","conditions":[["starts-with","$key",""]]}`, "")
	f.Add(`{"conditions":null}`, "")
	f.Fuzz(func(t *testing.T, text, key string) {
		p, err := parsePolicy(encode(text))
		if err != nil {
			return
		}
		if p.min < 0 || p.max+1 <= 0 {
			t.Fatalf("bounds %d to %d", p.min, p.max)
		}
		fields := map[string]string{"bucket": "b", "key": key}
		if p.check(fields, p.expires.Add(-time.Second)) == nil {
			for _, c := range p.conditions {
				if c.op == "eq" && fields[c.field] != c.value {
					t.Fatalf("condition %s was not met", c.text)
				}
			}
		}
		if p.check(fields, p.expires) == nil {
			t.Fatal("an expired policy was taken")
		}
	})
}
