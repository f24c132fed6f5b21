package esa

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/esa-mcp/esa-mcp/internal/catalog"
)

// vector is one input and what an official SDK put on the wire for it.
type vector struct {
	Action  string         `json:"action"`
	Variant string         `json:"variant"`
	Input   map[string]any `json:"input"`
	Expect  struct {
		Method      string            `json:"method"`
		Path        string            `json:"path"`
		Query       map[string]string `json:"query"`
		ContentType string            `json:"contentType"`
		Body        map[string]string `json:"body"`
	} `json:"expect"`
	JSON []string `json:"json"` // pairs to compare as JSON
}

// capture is a server that keeps the last request.
type capture struct {
	*httptest.Server
	mu     sync.Mutex
	req    *http.Request
	body   []byte
	hits   int
	answer string
}

func newCapture(t testing.TB) *capture {
	c := &capture{answer: `{"RequestId":"R-1"}`}
	c.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		c.mu.Lock()
		defer c.mu.Unlock()
		c.req, c.body, c.hits = r, body, c.hits+1
		_, _ = io.WriteString(w, c.answer)
	}))
	t.Cleanup(c.Close)
	return c
}

func (c *capture) last() (*http.Request, []byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.req, c.body
}

func (c *capture) count() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.hits
}

// ESA_WIRE_VECTORS names another file of the same form.
func TestWireParity(t *testing.T) {
	file := os.Getenv("ESA_WIRE_VECTORS")
	if file == "" {
		file = "testdata/wire-vectors.json"
	}
	raw, err := os.ReadFile(file)
	require.NoError(t, err)
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	var vectors []vector
	require.NoError(t, d.Decode(&vectors))
	require.NotEmpty(t, vectors)

	server := newCapture(t)
	client := testClient(t, server.URL)
	seen := map[string]bool{}
	for _, v := range vectors {
		seen[v.Action] = true
		t.Run(v.Action+"/"+v.Variant, func(t *testing.T) {
			op, ok := catalog.Lookup(v.Action)
			require.True(t, ok, "not in the catalogue")
			w, err := encode(op, v.Input)
			require.NoError(t, err)
			// A vector may leave out what is required to show how little is sent.
			_, err = client.callEncoded(t.Context(), op, w)
			require.NoError(t, err)
			compareWire(t, server, v)
		})
	}
	if os.Getenv("ESA_WIRE_VECTORS") == "" {
		require.Len(t, seen, len(catalog.Actions()), "every operation has a vector")
	}
}

func compareWire(t *testing.T, server *capture, v vector) {
	t.Helper()
	req, body := server.last()
	require.Equal(t, v.Expect.Method, req.Method)
	require.Equal(t, v.Expect.Path, req.URL.Path)
	require.Equal(t, v.Expect.ContentType, req.Header.Get("Content-Type"))
	require.Equal(t, v.Action, req.Header.Get("x-acs-action"))
	require.Equal(t, catalog.Version, req.Header.Get("x-acs-version"))
	comparePairs(t, "query", v.Expect.Query, req.URL.RawQuery, v.JSON)
	if v.Expect.Body == nil {
		require.Empty(t, body)
		return
	}
	comparePairs(t, "body", v.Expect.Body, string(body), v.JSON)
}

func comparePairs(t *testing.T, where string, want map[string]string, encoded string, asJSON []string) {
	t.Helper()
	values, err := url.ParseQuery(encoded)
	require.NoError(t, err)
	got := map[string]string{}
	for name, all := range values {
		require.Len(t, all, 1, "%s %s is sent once", where, name)
		got[name] = all[0]
	}
	for _, name := range asJSON {
		if text, ok := want[name]; ok {
			require.Contains(t, got, name, where)
			sent, err := decodeJSON([]byte(got[name]))
			require.NoError(t, err, "%s %s is JSON", where, name)
			expected, err := decodeJSON([]byte(text))
			require.NoError(t, err)
			require.Equal(t, expected, sent, "%s %s", where, name)
			want[name], got[name] = "", ""
		}
	}
	require.Equal(t, want, got, where)
}

// Every vector goes through Call too, its names spelled as tools spell them.
func TestCallTakesSnakeCase(t *testing.T) {
	server := newCapture(t)
	client := testClient(t, server.URL)
	_, err := client.Call(t.Context(), "create_record", Params{
		"site_id": "9007199254740993", "record_name": "www.example.com", "type": "A/AAAA", "ttl": 1.0, "proxied": "true",
		"biz_name": "web", "data": map[string]any{"value": "192.0.2.1", "priority": nil}, "comment": nil,
	})
	require.NoError(t, err)
	req, _ := server.last()
	require.Equal(t, url.Values{
		"SiteId": {"9007199254740993"}, "RecordName": {"www.example.com"}, "Type": {"A/AAAA"}, "Ttl": {"1"},
		"Proxied": {"true"}, "BizName": {"web"}, "Data": {`{"Value":"192.0.2.1"}`},
	}, req.URL.Query())
	require.Equal(t, "esa-mcp/test", req.Header.Get("User-Agent"))
}

func TestTextArrivesAsItIs(t *testing.T) {
	server := newCapture(t)
	client := testClient(t, server.URL)
	for _, text := range []string{"", " ", "a b+c&d=e%41~*'()", "line\r\nbreak\x00", "\u2028</script>`$\\", "名字 😀", "<nil>", "null", `{"a":[1]}`} {
		_, err := client.Call(t.Context(), "PutKv", Params{"Namespace": "n" + text, "Key": text, "Value": text})
		require.NoError(t, err)
		req, body := server.last()
		form, err := url.ParseQuery(string(body))
		require.NoError(t, err)
		require.Equal(t, url.Values{"Value": {text}}, form)
		require.Equal(t, url.Values{"Namespace": {"n" + text}, "Key": {text}}, req.URL.Query())
	}
}
