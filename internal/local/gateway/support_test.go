package gateway

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"sort"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/esa-mcp/esa-mcp/internal/local/api"
)

const (
	testKey    = "LTAITESTKEY"
	testSecret = "secret-of-the-test"
)

var testNow = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// echo answers what it was called with.
func echo(_ context.Context, r *api.Request) (any, error) {
	return map[string]any{"Action": r.Action, "Method": r.Method, "Params": r.Params, "BaseURL": r.BaseURL}, nil
}

func testTable() api.Table {
	t := api.Table{}
	for _, action := range []string{"ListSites", "GetSite", "CreateRecord", "GetErService", "CreateRoutine", "PutKv", "DeleteKv", "GetMatchSite",
		"CreateRoutineWithAssetsCodeVersion", "VerifySite"} {
		t[action] = echo
	}
	return t
}

func testConfig() Config {
	return Config{AccessKeyID: testKey, AccessKeySecret: testSecret, Table: testTable(), Now: func() time.Time { return testNow },
		NewRequestID: func() string { return "TEST-ID" }}
}

// call is a request to be signed; sign fills in what is empty.
type call struct {
	method, path, action, contentType, body string
	query                                   url.Values
	headers                                 map[string]string // added or, if empty, left out
	unsigned                                map[string]string // added after signing
	key, secret                             string
	change                                  func(r *http.Request) // after signing
}

// request signs by hand, from the published description of the algorithm, and
// on purpose without the gateway's own functions.
func (c call) request() *http.Request {
	or := func(s, def string) string {
		if s == "" {
			return def
		}
		return s
	}
	c.method, c.path = or(c.method, "GET"), or(c.path, "/")
	sum := sha256.Sum256([]byte(c.body))
	h := map[string]string{
		"host":                  "127.0.0.1:4001",
		"x-acs-action":          c.action,
		"x-acs-version":         "2024-09-10",
		"x-acs-date":            testNow.Format("2006-01-02T15:04:05Z"),
		"x-acs-signature-nonce": randomUUID(),
		"x-acs-content-sha256":  hex.EncodeToString(sum[:]),
	}
	if c.contentType != "" {
		h["content-type"] = c.contentType
	}
	for name, v := range c.headers {
		if v == "" {
			delete(h, name)
		} else {
			h[name] = v
		}
	}
	if h["x-acs-action"] == "" {
		delete(h, "x-acs-action")
	}
	names := make([]string, 0, len(h))
	for name := range h {
		names = append(names, name)
	}
	sort.Strings(names)
	lines := ""
	for _, name := range names {
		lines += name + ":" + strings.TrimSpace(h[name]) + "\n"
	}
	query := strings.ReplaceAll(c.query.Encode(), "+", "%20")
	canonical := strings.Join([]string{c.method, c.path, query, lines, strings.Join(names, ";"), h["x-acs-content-sha256"]}, "\n")
	hashed := sha256.Sum256([]byte(canonical))
	mac := hmac.New(sha256.New, []byte(or(c.secret, testSecret)))
	mac.Write([]byte("ACS3-HMAC-SHA256\n" + hex.EncodeToString(hashed[:])))

	r := httptest.NewRequest(c.method, "http://"+h["host"]+c.path+"?"+query, strings.NewReader(c.body))
	for name, v := range h {
		if name != "host" {
			r.Header.Set(name, v)
		}
	}
	r.Header.Set("Authorization", fmt.Sprintf("ACS3-HMAC-SHA256 Credential=%s,SignedHeaders=%s,Signature=%s",
		or(c.key, testKey), strings.Join(names, ";"), hex.EncodeToString(mac.Sum(nil))))
	for name, v := range c.unsigned {
		r.Header.Set(name, v)
	}
	if c.change != nil {
		c.change(r)
	}
	return r
}

type reply struct {
	status int
	header http.Header
	body   map[string]any
}

func send(t *testing.T, g *Gateway, r *http.Request) reply {
	t.Helper()
	w := httptest.NewRecorder()
	g.ServeHTTP(w, r)
	out := reply{status: w.Code, header: w.Header()}
	require.NoError(t, json.Unmarshal(w.Body.Bytes(), &out.body), w.Body.String())
	require.NotContains(t, w.Body.String(), testSecret)
	return out
}
