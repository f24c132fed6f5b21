package esa

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"os"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// posted is what a store got.
type posted struct {
	fields   map[string]string
	order    []string
	filename string
	sum      string
	length   int64
}

// store reads forms as an object store does: fields, then the file.
func store(t testing.TB, status int) (http.HandlerFunc, *posted) {
	got := &posted{}
	return func(w http.ResponseWriter, r *http.Request) {
		*got = posted{fields: map[string]string{}, length: r.ContentLength}
		_, params, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
		if err != nil || r.Header.Get("Authorization") != "" {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		form := multipart.NewReader(r.Body, params["boundary"])
		for {
			part, err := form.NextRawPart()
			if err == io.EOF {
				break
			}
			if err != nil {
				t.Logf("broken form: %v", err)
				w.WriteHeader(http.StatusBadRequest)
				return
			}
			got.order = append(got.order, part.FormName())
			if part.FormName() != "file" {
				value, _ := io.ReadAll(part)
				got.fields[part.FormName()] = string(value)
				continue
			}
			got.filename = part.FileName()
			h := sha256.New()
			_, _ = io.Copy(h, part)
			got.sum = hex.EncodeToString(h.Sum(nil))
		}
		w.WriteHeader(status)
	}, got
}

func sum(b []byte) string { s := sha256.Sum256(b); return hex.EncodeToString(s[:]) }

func object(content []byte) Object {
	return Object{Name: "site.zip", Size: int64(len(content)), Open: func(context.Context) (io.ReadCloser, error) {
		return io.NopCloser(bytes.NewReader(content)), nil
	}}
}

func slot(url string) func(context.Context) (PostForm, error) {
	return func(context.Context) (PostForm, error) {
		return PostForm{URL: url, Fields: []Field{{"key", "k"}, {"policy", "p"}}, OK: []int{200, 204}}, nil
	}
}

func TestUpload(t *testing.T) {
	for _, size := range []int{0, 1, 100, 1 << 20} {
		content := bytes.Repeat([]byte("x\r\n-"), size/4+1)[:size]
		handle, got := store(t, 204)
		server := newScript(t, handle)
		obj := object(content)
		var sent int64
		obj.Sent = func(n int64) { sent = n }
		require.NoError(t, testClient(t, server.URL).Upload(t.Context(), slot(server.URL), obj))
		require.Equal(t, []string{"key", "policy", "file"}, got.order)
		require.Equal(t, map[string]string{"key": "k", "policy": "p"}, got.fields)
		require.Equal(t, "site.zip", got.filename)
		require.Equal(t, sum(content), got.sum)
		require.Greater(t, got.length, int64(size), "the length is announced")
		require.EqualValues(t, size, sent)
	}
}

func TestUploadToLocalhostName(t *testing.T) {
	handle, got := store(t, 204)
	server := newScript(t, handle)
	url := strings.Replace(server.URL, "127.0.0.1", "bucket.oss.localhost", 1)
	require.NoError(t, testClient(t, server.URL).Upload(t.Context(), slot(url), object([]byte("abc"))))
	require.Equal(t, sum([]byte("abc")), got.sum)
}

func storeError(status int, code, message string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		answer(status, `<?xml version="1.0" encoding="UTF-8"?><Error><Code>`+code+`</Code><Message>`+message+
			`</Message><RequestId>O-1</RequestId><HostId>h</HostId><OSSAccessKeyId>`+testSecret+`</OSSAccessKeyId></Error>`)(w, r)
	}
}

func TestUploadFailures(t *testing.T) {
	drained := func(status int) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body)
			w.WriteHeader(status)
		}
	}
	for name, c := range map[string]struct {
		steps        []http.HandlerFunc
		tries, slots int
		code, hint   string // no code: success in the end
	}{
		"expired policy":     {[]http.HandlerFunc{storeError(403, "AccessDenied", "Invalid according to Policy: Policy expired."), drained(204)}, 2, 2, "", ""},
		"invalid policy":     {[]http.HandlerFunc{storeError(400, "InvalidPolicyDocument", "m"), drained(204)}, 2, 2, "", ""},
		"always expired":     {[]http.HandlerFunc{storeError(403, "AccessDenied", "Policy expired.")}, 5, 5, "AccessDenied", "expired"},
		"denied":             {[]http.HandlerFunc{storeError(403, "AccessDenied", "Invalid according to Policy: not this key")}, 1, 1, "AccessDenied", "new one"},
		"store's failure":    {[]http.HandlerFunc{storeError(500, "InternalError", "m"), drained(200)}, 2, 1, "", ""},
		"store is down":      {[]http.HandlerFunc{drained(503)}, 5, 1, CodeBadAnswer, ""},
		"lost connection":    {[]http.HandlerFunc{hangUp, drained(204)}, 2, 1, "", ""},
		"signature":          {[]http.HandlerFunc{storeError(403, "SignatureDoesNotMatch", "m")}, 1, 1, "SignatureDoesNotMatch", "new one"},
		"callback failed":    {[]http.HandlerFunc{storeError(203, "CallbackFailed", "m")}, 1, 1, "CallbackFailed", "callback failed"},
		"another success":    {[]http.HandlerFunc{drained(201)}, 1, 1, CodeBadAnswer, ""},
		"a page for a store": {[]http.HandlerFunc{answer(404, "<html>nothing</html>")}, 1, 1, CodeBadAnswer, ""},
	} {
		t.Run(name, func(t *testing.T) {
			server := newScript(t, c.steps...)
			slots, opened := 0, 0
			obj := object([]byte("content"))
			open := obj.Open
			obj.Open = func(ctx context.Context) (io.ReadCloser, error) { opened++; return open(ctx) }
			err := testClient(t, server.URL).Upload(t.Context(), func(ctx context.Context) (PostForm, error) {
				slots++
				return slot(server.URL)(ctx)
			}, obj)
			require.Equal(t, c.tries, server.count())
			require.Equal(t, c.tries, opened, "opened anew for each try")
			require.Equal(t, c.slots, slots)
			if c.code == "" {
				require.NoError(t, err)
				return
			}
			e := failure(t, err)
			require.Equal(t, c.code, e.Code)
			require.Contains(t, e.Hint, c.hint)
			require.Equal(t, "upload", e.Action)
			if c.code != CodeBadAnswer {
				require.Equal(t, "O-1", e.RequestID)
			}
		})
	}
}

// A store that refuses early stops reading; its answer counts, not the broken
// pipe.
func TestEarlyRefusalIsReported(t *testing.T) {
	server := newScript(t, func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.ReadFull(r.Body, make([]byte, 1000))
		conn, buf, err := http.NewResponseController(w).Hijack()
		if err != nil {
			return
		}
		defer conn.Close()
		body := `<Error><Code>EntityTooLarge</Code><Message>too large</Message><RequestId>O-2</RequestId></Error>`
		_, _ = buf.WriteString("HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: " + itoa(len(body)) + "\r\n\r\n" + body)
		_ = buf.Flush()
	})
	client := testClient(t, server.URL)
	for range 20 {
		e := failure(t, client.Upload(t.Context(), slot(server.URL), object(make([]byte, 8<<20))))
		require.Equal(t, "EntityTooLarge", e.Code, "%v", e)
		require.Equal(t, "O-2", e.RequestID)
	}
}

type failingReader struct{ err error }

func (r failingReader) Read([]byte) (int, error) { return 0, r.err }
func (r failingReader) Close() error             { return nil }

func TestContentThatDoesNotFit(t *testing.T) {
	handle, _ := store(t, 204)
	var accepted atomic.Int64
	server := newScript(t, func(w http.ResponseWriter, r *http.Request) {
		if _, err := io.Copy(io.Discard, r.Body); err == nil {
			accepted.Add(1)
		}
		handle(w, r)
	})
	client := testClient(t, server.URL)
	broken := errors.New("disk on fire")
	for name, c := range map[string]struct {
		change func(*Object)
		code   string
		want   string
	}{
		"short":         {func(o *Object) { o.Size += 10 }, CodeContent, "ended early, after 1000 of 1010 bytes"},
		"long":          {func(o *Object) { o.Size -= 10 }, CodeContent, "goes on after the announced size of 990 bytes"},
		"empty is long": {func(o *Object) { o.Size = 0 }, CodeContent, "goes on"},
		"fails": {func(o *Object) {
			o.Open = func(context.Context) (io.ReadCloser, error) { return failingReader{broken}, nil }
		}, CodeContent, "disk on fire"},
		"cannot be opened": {func(o *Object) {
			o.Open = func(context.Context) (io.ReadCloser, error) { return nil, broken }
		}, CodeContent, "disk on fire"},
		"negative": {func(o *Object) { o.Size = -1 }, CodeInvalidArgument, "negative"},
		"no Open":  {func(o *Object) { o.Open = nil }, CodeInvalidArgument, "Open"},
		"huge":     {func(o *Object) { o.Size = 6 << 30 }, CodeInvalidArgument, "at most"},
	} {
		t.Run(name, func(t *testing.T) {
			obj := object(make([]byte, 1000))
			c.change(&obj)
			e := failure(t, client.Upload(t.Context(), slot(server.URL), obj))
			require.Equal(t, c.code, e.Code)
			require.Contains(t, e.Message, c.want)
		})
	}
	require.Zero(t, accepted.Load(), "no whole form ever arrived")
}

// endless gives bytes until its context ends.
type endless struct{ ctx context.Context }

func (e endless) Read(p []byte) (int, error) {
	if e.ctx.Err() != nil {
		return 0, e.ctx.Err()
	}
	return len(p), nil
}
func (e endless) Close() error { return nil }

func TestUploadCanBeCancelled(t *testing.T) {
	started := make(chan struct{}, 1)
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.ReadFull(r.Body, make([]byte, 100))
		started <- struct{}{}
		_, _ = io.Copy(io.Discard, r.Body) // ends when the client hangs up
	}))
	t.Cleanup(server.Close)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	go func() {
		done <- testClient(t, server.URL).Upload(ctx, slot(server.URL), Object{Size: 1 << 30,
			Open: func(ctx context.Context) (io.ReadCloser, error) { return endless{ctx}, nil }})
	}()
	<-started
	cancel()
	e := failure(t, <-done)
	require.Equal(t, CodeCanceled, e.Code)
	require.ErrorIs(t, e, context.Canceled)
}

func TestUploadThatStandsStill(t *testing.T) {
	server, _ := stuck(t)
	client := testClient(t, server.URL, func(cfg *Config) { cfg.Timeout, cfg.MaxTries = 30*time.Millisecond, 2 })
	e := failure(t, client.Upload(t.Context(), slot(server.URL), object([]byte("abc"))))
	require.Equal(t, CodeTimeout, e.Code)
	require.Contains(t, e.Message, "stood still")
}

func TestUploadStreams(t *testing.T) {
	server := newScript(t, func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		w.WriteHeader(204)
	})
	client := testClient(t, server.URL)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	const size = 256 << 20
	require.NoError(t, client.Upload(t.Context(), slot(server.URL), Object{Size: size, Open: func(ctx context.Context) (io.ReadCloser, error) {
		return struct {
			io.Reader
			io.Closer
		}{io.LimitReader(endless{ctx}, size), io.NopCloser(nil)}, nil
	}}))
	runtime.ReadMemStats(&after)
	require.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(8<<20), "bytes allocated for a 256 MB upload")
}

func TestForms(t *testing.T) {
	type config struct{ Url, OSSAccessKeyId, Key, Policy, Signature, XOssSecurityToken string }
	form, err := AssetsForm(&config{"https://b.oss.example.com", "id", "k", "p", "s", "t"})
	require.NoError(t, err)
	require.Equal(t, PostForm{URL: "https://b.oss.example.com", OK: []int{200, 204}, Fields: []Field{
		{"key", "k"}, {"OSSAccessKeyId", "id"}, {"policy", "p"}, {"Signature", "s"}, {"x-oss-security-token", "t"}}}, form)
	form, err = AssetsForm(map[string]any{"Url": "http://x", "OSSAccessKeyId": "id", "key": "k", "policy": "p", "Signature": "s", "XOssSecurityToken": ""})
	require.NoError(t, err)
	require.Len(t, form.Fields, 4)

	form, err = ScriptForm(map[string]any{"Url": "http://x", "OSSAccessKeyId": "id", "key": "k", "policy": "p", "Signature": "s",
		"callback": "cb", "x:codeDescription": "d", "XOssSecurityToken": "t"})
	require.NoError(t, err)
	require.Equal(t, PostForm{URL: "http://x", OK: []int{200}, FileName: "index.js", Fields: []Field{{"OSSAccessKeyId", "id"}, {"Signature", "s"},
		{"x-oss-security-token", "t"}, {"callback", "cb"}, {"key", "k"}, {"policy", "p"}, {"x:codeDescription", "d"}}}, form)

	for _, read := range []func(any) (PostForm, error){AssetsForm, ScriptForm} {
		for want, oss := range map[string]any{
			"missing":    nil,
			"no Url":     map[string]any{"key": "k"},
			"no policy":  map[string]any{"Url": "http://x", "OSSAccessKeyId": "id", "key": "k", "Signature": "s"},
			"Url is no":  map[string]any{"Url": "file:///x", "OSSAccessKeyId": "id", "key": "k", "policy": "p", "Signature": "s"},
			"not a text": map[string]any{"Url": []any{}},
		} {
			_, err := read(oss)
			e := failure(t, err)
			require.Equal(t, CodeBadAnswer, e.Code)
			require.Contains(t, e.Message, want)
		}
	}
}

func TestUploadFile(t *testing.T) {
	handle, got := store(t, 201)
	var server *script
	server = newScript(t,
		func(w http.ResponseWriter, r *http.Request) {
			if r.Method != http.MethodGet || r.Header.Get("x-acs-action") != "AuthorizeFileUpload" || r.Header.Get("x-acs-version") != "2019-12-19" ||
				r.URL.RawQuery != "Product=ESA&RegionId=cn-hangzhou" || r.Header.Get("Authorization") == "" {
				w.WriteHeader(http.StatusBadRequest)
				return
			}
			endpoint := strings.Replace(strings.TrimPrefix(server.URL, "http://"), "127.0.0.1", "oss.localhost", 1)
			answer(200, `{"Bucket":"tmp","Endpoint":"`+endpoint+`","ObjectKey":"1/a b.json","AccessKeyId":"id","EncodedPolicy":"p","Signature":"s","UseAccelerate":false}`)(w, r)
		}, handle)
	url, err := testClient(t, server.URL).UploadFile(t.Context(), object([]byte("abc")))
	require.NoError(t, err)
	require.Regexp(t, `^http://tmp\.oss\.localhost:\d+/1/a%20b\.json$`, url)
	require.Equal(t, map[string]string{"OSSAccessKeyId": "id", "policy": "p", "Signature": "s", "key": "1/a b.json", "success_action_status": "201"}, got.fields)
	require.Equal(t, "file", got.order[len(got.order)-1])
	require.Equal(t, sum([]byte("abc")), got.sum)

	server = newScript(t, answer(200, `{"Bucket":"tmp","Endpoint":"x/../y"}`))
	e := failure(t, second(testClient(t, server.URL).UploadFile(t.Context(), object(nil))))
	require.Equal(t, "AuthorizeFileUpload", e.Action)
	require.Equal(t, CodeBadAnswer, e.Code)
}

// The form of a real slot goes to a real file through a real client.
func TestUploadOfAFile(t *testing.T) {
	handle, got := store(t, 200)
	server := newScript(t, handle)
	path := t.TempDir() + "/a"
	require.NoError(t, os.WriteFile(path, []byte("from disk"), 0o600))
	require.NoError(t, testClient(t, server.URL).Upload(t.Context(), slot(server.URL), Object{Name: "名字.js", Size: 9,
		Open: func(context.Context) (io.ReadCloser, error) { return os.Open(path) }}))
	require.Equal(t, sum([]byte("from disk")), got.sum)
	require.Equal(t, "名字.js", got.filename)
}

func FuzzStoreAnswer(f *testing.F) {
	f.Add(403, []byte(`<?xml version="1.0"?><Error><Code>AccessDenied</Code><Message>Policy expired</Message></Error>`))
	f.Add(203, []byte("<Error>"))
	f.Add(503, []byte("<Error><Code>AccessDenied</Code><Message>no</Message></Error>"))
	f.Fuzz(func(t *testing.T, status int, raw []byte) {
		e, again := storeAnswer(PostForm{OK: []int{200}}, status, http.Header{}, raw)
		if status == 200 {
			if e != nil {
				t.Fatal("a success became an error")
			}
			return
		}
		if e == nil || e.Code == "" || again && !e.Retryable {
			t.Fatalf("bad error: %+v, %v", e, again)
		}
	})
}
