package runtime

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
)

// serveTest is the server that routines of the cases fetch from.
func serveTest(w http.ResponseWriter, r *http.Request) {
	first, rest, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	switch first {
	case "echo":
		body, _ := io.ReadAll(r.Body)
		headers := map[string]string{}
		for name, values := range r.Header {
			headers[strings.ToLower(name)] = strings.Join(values, ", ")
		}
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(map[string]any{"method": r.Method, "url": r.URL.String(), "host": r.Host, "headers": headers, "body": string(body)})
	case "status":
		code, _ := strconv.Atoi(rest)
		w.WriteHeader(code)
	case "redirect": // /redirect/STATUS?to=LOCATION
		code, _ := strconv.Atoi(rest)
		if to := r.URL.Query().Get("to"); to != "" {
			w.Header().Set("Location", to)
		}
		w.WriteHeader(code)
	case "loop":
		n, _ := strconv.Atoi(rest)
		w.Header().Set("Location", "/loop/"+strconv.Itoa(n+1))
		w.WriteHeader(302)
	case "gzip":
		w.Header().Set("Content-Encoding", "gzip")
		w.Header().Set("Content-Type", "text/plain")
		var b bytes.Buffer
		z := gzip.NewWriter(&b)
		_, _ = io.WriteString(z, "compressed text")
		_ = z.Close()
		w.Header().Set("Content-Length", strconv.Itoa(b.Len()))
		_, _ = w.Write(b.Bytes())
	case "cookies":
		w.Header().Add("Set-Cookie", "a=1; Path=/")
		w.Header().Add("Set-Cookie", "b=2, Expires")
	case "bytes":
		w.Header().Set("Content-Type", "application/octet-stream")
		_, _ = w.Write([]byte{0, 1, 0xFE, 0xFF, 'x'})
	case "large":
		n, _ := strconv.Atoi(rest)
		_, _ = io.WriteString(w, strings.Repeat("x", n))
	case "latin1":
		w.Header().Set("X-Name", "caf\xe9")
	default:
		w.Header().Set("Content-Type", "text/html")
		_, _ = io.WriteString(w, "<h1>page "+r.URL.Path+"</h1>")
	}
}

// memoryKV is a key-value store with one namespace, "demo".
type memoryKV struct {
	mu  sync.Mutex
	all map[string][]byte
}

func newMemoryKV() *memoryKV { return &memoryKV{all: map[string][]byte{"seeded": []byte(`{"n":1}`)}} }

type noNamespace struct{}

func (noNamespace) Error() string { return "InvalidNameSpace.NotFound: the namespace does not exist" }

func (m *memoryKV) Get(_ context.Context, namespace, key string) ([]byte, bool, error) {
	if namespace != "demo" {
		return nil, false, noNamespace{}
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	v, ok := m.all[key]
	return v, ok, nil
}

func (m *memoryKV) Put(_ context.Context, namespace, key string, value []byte) error {
	if namespace != "demo" {
		return noNamespace{}
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.all[key] = value
	return nil
}

func (m *memoryKV) Delete(_ context.Context, _, key string) (bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	_, ok := m.all[key]
	delete(m.all, key)
	return ok, nil
}
