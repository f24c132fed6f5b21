package oss

import (
	"bytes"
	"context"
	"crypto/rand"
	"database/sql"
	"encoding/base64"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/esa-mcp/esa-mcp/internal/local/state"
)

var now = time.Date(2026, 3, 1, 10, 0, 0, 0, time.UTC)

// fixture is an endpoint that keeps what was uploaded.
type fixture struct {
	t      *testing.T
	store  *state.Store
	server *httptest.Server
	now    time.Time
	got    []string // contents of the uploaded objects
	last   Object
	refuse error // what Uploaded returns
}

func newFixture(t *testing.T) *fixture {
	store, err := state.Open(t.Context(), state.Memory)
	require.NoError(t, err)
	f := &fixture{t: t, store: store, now: now}
	f.server = httptest.NewServer(New(store, Config{
		Now: func() time.Time { return f.now },
		Uploaded: func(_ context.Context, o Object) error {
			if f.refuse != nil {
				return f.refuse
			}
			text, err := os.ReadFile(o.Path)
			f.got, f.last = append(f.got, string(text)), o
			return errors.Join(err, os.Remove(o.Path))
		},
	}))
	t.Cleanup(func() {
		f.server.Close()
		require.NoError(t, store.Close())
	})
	return f
}

// grant gives out an upload of 2 to 100 bytes, as form fields in order.
func (f *fixture) grant(temporary bool) [][2]string {
	f.t.Helper()
	var g Grant
	require.NoError(f.t, f.store.Tx(f.t.Context(), func(tx *sql.Tx) (err error) {
		g, err = Issue(f.t.Context(), tx, rand.Reader, GrantRequest{
			Key: "dir/a b.zip", MinBytes: 2, MaxBytes: 100, Now: now, Expires: now.Add(time.Hour), Temporary: temporary})
		return err
	}))
	fields := [][2]string{{"OSSAccessKeyId", g.AccessKeyID}, {"policy", g.Policy}, {"Signature", g.Signature}, {"key", g.Key}}
	if temporary {
		fields = append(fields, [2]string{"x-oss-security-token", g.SecurityToken})
	}
	return fields
}

const boundary = "XXbXX"

// field is one raw part of a form.
func field(name, value string) string {
	return "--" + boundary + "\r\nContent-Disposition: form-data; name=\"" + name + "\"\r\n\r\n" + value + "\r\n"
}

func raw(fields [][2]string, tail ...string) string {
	var b strings.Builder
	for _, kv := range fields {
		b.WriteString(field(kv[0], kv[1]))
	}
	for _, t := range tail {
		b.WriteString(t)
	}
	return b.String()
}

const end = "--" + boundary + "--\r\n"

// answerOf is an OSS error or a post's answer.
type answerOf struct {
	Code, Message, RequestId, HostId string
	Bucket, Key, Location, ETag      string
}

func (f *fixture) post(body string) (int, answerOf, http.Header) {
	f.t.Helper()
	resp, err := http.Post(URL(f.server.URL), "multipart/form-data; boundary="+boundary, strings.NewReader(body))
	require.NoError(f.t, err)
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	require.NoError(f.t, err)
	var a answerOf
	if strings.Contains(resp.Header.Get("Content-Type"), "xml") {
		require.NoError(f.t, xml.Unmarshal(text, &a), string(text))
	}
	return resp.StatusCode, a, resp.Header
}

func (f *fixture) requireNoFiles() {
	f.t.Helper()
	left, err := filepath.Glob(filepath.Join(f.store.BlobDir(), uploadDir, "*"))
	require.NoError(f.t, err)
	require.Empty(f.t, left)
}

// with returns the fields with some set to other values; "-" leaves one out.
func with(fields [][2]string, changes map[string]string) [][2]string {
	left := maps.Clone(changes)
	var out [][2]string
	for _, kv := range fields {
		value, changed := changes[kv[0]]
		delete(left, kv[0])
		switch {
		case !changed:
			out = append(out, kv)
		case value != "-":
			out = append(out, [2]string{kv[0], value})
		}
	}
	for name, value := range left {
		out = append(out, [2]string{name, value})
	}
	return out
}

func TestPostObject(t *testing.T) {
	file := field("file", "content")
	callback := base64.StdEncoding.EncodeToString([]byte(`{"callbackUrl":"http://127.0.0.1/x"}`))
	tests := map[string]struct {
		change map[string]string
		tail   []string
		status int
		want   string
	}{
		"default is 204":       {nil, []string{file, end}, 204, "content"},
		"200":                  {map[string]string{"success_action_status": "200"}, []string{file, end}, 200, "content"},
		"201":                  {map[string]string{"success_action_status": "201"}, []string{file, end}, 201, "content"},
		"404 means 204":        {map[string]string{"success_action_status": "404"}, []string{file, end}, 204, "content"},
		"callback is 200":      {map[string]string{"callback": callback, "success_action_status": "201"}, []string{file, end}, 200, "content"},
		"stray fields":         {map[string]string{"host": "example.com", "x:codedescription": "页", "empty": ""}, []string{file, end}, 204, "content"},
		"empty token":          {map[string]string{"x-oss-security-token": ""}, []string{file, end}, 204, "content"},
		"fields after file":    {nil, []string{file, field("key", "evil"), end}, 204, "content"},
		"line end in the file": {nil, []string{field("file", "content\r\n"), end}, 204, "content\r\n"},
		"with a file name": {nil, []string{"--" + boundary + "\r\ncontent-disposition: form-data; name=\"file\"; filename=\"../../x\"\r\n" +
			"Content-Type: application/zip\r\n\r\nzip\r\n", end}, 204, "zip"},
		"almost a boundary": {nil, []string{field("file", "a\r\n--XXbX\r\n--XXbXXY\r\n-"), end}, 204, "a\r\n--XXbX\r\n--XXbXXY\r\n-"},
		"smallest":          {nil, []string{field("file", "xx"), end}, 204, "xx"},
		"largest":           {nil, []string{field("file", strings.Repeat("x", 100)), end}, 204, strings.Repeat("x", 100)},
		"two files":         {nil, []string{file, field("file", "second"), end}, 204, "content"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t)
			status, answer, header := f.post(raw(with(f.grant(false), tt.change), tt.tail...))
			require.Equal(t, tt.status, status, answer.Message)
			require.Equal(t, []string{tt.want}, f.got)
			require.Equal(t, "dir/a b.zip", f.last.Key)
			require.Equal(t, int64(len(tt.want)), f.last.Size)
			require.Equal(t, tt.change["callback"] != "", f.last.Callback)
			require.NotEmpty(t, header.Get("X-Oss-Request-Id"))
			require.NotEmpty(t, header.Get("ETag"))
			if tt.status == 201 {
				require.Equal(t, Bucket, answer.Bucket)
				require.Equal(t, "dir/a b.zip", answer.Key)
				require.Equal(t, header.Get("ETag"), answer.ETag)
			}
			f.requireNoFiles()
		})
	}
}

func TestPostObjectRefusals(t *testing.T) {
	file := field("file", "content")
	good := []string{file, end}
	tests := map[string]struct {
		change map[string]string
		tail   []string
		status int
		code   string
		text   string
	}{
		"no key":                 {map[string]string{"key": "-"}, good, 400, "InvalidArgument", "'key'"},
		"no policy":              {map[string]string{"policy": "-"}, good, 400, "InvalidArgument", "'policy'"},
		"no signature":           {map[string]string{"Signature": "-"}, good, 400, "InvalidArgument", "'Signature'"},
		"no access key":          {map[string]string{"OSSAccessKeyId": "-"}, good, 400, "InvalidArgument", "'OSSAccessKeyId'"},
		"no file":                {nil, []string{end}, 400, "InvalidArgument", "'file'"},
		"key after the file":     {map[string]string{"key": "-"}, []string{file, field("key", "dir/a b.zip"), end}, 400, "InvalidArgument", "order"},
		"unknown access key":     {map[string]string{"OSSAccessKeyId": "LTAIx"}, good, 403, "InvalidAccessKeyId", ""},
		"other signature":        {map[string]string{"Signature": "aGVsbG8="}, good, 403, "SignatureDoesNotMatch", ""},
		"changed policy":         {map[string]string{"policy": base64.StdEncoding.EncodeToString([]byte(`{}`))}, good, 403, "SignatureDoesNotMatch", ""},
		"other key":              {map[string]string{"key": "dir/b.zip"}, good, 403, "AccessDenied", "Policy Condition failed"},
		"malformed callback":     {map[string]string{"callback": "no base64"}, good, 203, "CallbackFailed", ""},
		"callback of nothing":    {map[string]string{"callback": ""}, good, 203, "CallbackFailed", ""},
		"too small":              {nil, []string{field("file", "x"), end}, 400, "EntityTooSmall", ""},
		"empty file":             {nil, []string{field("file", ""), end}, 400, "EntityTooSmall", ""},
		"too large":              {nil, []string{field("file", strings.Repeat("x", 101)), end}, 400, "EntityTooLarge", ""},
		"much too large":         {nil, []string{field("file", strings.Repeat("x", 3<<20)), end}, 400, "EntityTooLarge", ""},
		"cut off in the file":    {nil, []string{"--" + boundary + "\r\nContent-Disposition: form-data; name=\"file\"\r\n\r\nhalf"}, 400, "MalformedPOSTRequest", ""},
		"cut off in a field":     {nil, []string{"--" + boundary + "\r\nContent-Disposition: form-data; name=\"x\"\r\n\r\nhalf"}, 400, "MalformedPOSTRequest", ""},
		"cut off in a header":    {nil, []string{"--" + boundary + "\r\nContent-Dispo"}, 400, "MalformedPOSTRequest", ""},
		"broken header":          {nil, []string{"--" + boundary + "\r\nno colon here\r\n\r\nx\r\n", end}, 400, "MalformedPOSTRequest", ""},
		"long field":             {map[string]string{"x": strings.Repeat("y", maxFieldBytes+1)}, good, 400, "FieldItemTooLong", ""},
		"too many fields":        {nil, []string{strings.Repeat(field("x", "y"), maxFields), file, end}, 400, "FieldItemTooLong", ""},
		"nothing but an end":     {map[string]string{"key": "-", "policy": "-", "Signature": "-", "OSSAccessKeyId": "-"}, []string{end}, 400, "InvalidArgument", "'file'"},
		"file part with no name": {nil, []string{"--" + boundary + "\r\nContent-Type: text/plain\r\n\r\nx\r\n", end}, 400, "InvalidArgument", "'file'"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t)
			status, answer, _ := f.post(raw(with(f.grant(false), tt.change), tt.tail...))
			require.Equal(t, tt.status, status, answer.Code)
			require.Equal(t, tt.code, answer.Code)
			require.Contains(t, answer.Message, tt.text)
			require.NotEmpty(t, answer.RequestId)
			require.Equal(t, strings.TrimPrefix(f.server.URL, "http://"), answer.HostId)
			require.Empty(t, f.got)
			f.requireNoFiles()
		})
	}
}

func TestPostObjectWithSecurityToken(t *testing.T) {
	f := newFixture(t)
	body := func(change map[string]string) string {
		return raw(with(f.grant(true), change), field("file", "content"), end)
	}
	status, _, _ := f.post(body(nil))
	require.Equal(t, 204, status)
	for _, token := range []string{"-", "", "other"} {
		status, answer, _ := f.post(body(map[string]string{"x-oss-security-token": token}))
		require.Equal(t, 403, status)
		require.Equal(t, "InvalidSecurityToken", answer.Code)
	}
}

func TestPostObjectExpires(t *testing.T) {
	f := newFixture(t)
	body := raw(f.grant(false), field("file", "content"), end)
	f.now = now.Add(time.Hour - time.Nanosecond)
	status, _, _ := f.post(body)
	require.Equal(t, 204, status)
	f.now = now.Add(time.Hour)
	status, answer, _ := f.post(body)
	require.Equal(t, 403, status)
	require.Equal(t, "AccessDenied", answer.Code)
	require.Equal(t, "Invalid according to Policy: Policy expired.", answer.Message)
}

func TestUploadedFails(t *testing.T) {
	f := newFixture(t)
	f.refuse = errors.New("database is gone")
	status, answer, _ := f.post(raw(f.grant(false), field("file", "content"), end))
	require.Equal(t, 500, status)
	require.Equal(t, "InternalError", answer.Code)
	require.NotContains(t, answer.Message, "database")
	callback := base64.StdEncoding.EncodeToString([]byte(`{"callbackUrl":"x"}`))
	status, answer, _ = f.post(raw(f.grant(false), field("callback", callback), field("file", "content"), end))
	require.Equal(t, 203, status)
	require.Equal(t, "CallbackFailed", answer.Code)
	f.requireNoFiles()
}

func TestOtherRequests(t *testing.T) {
	f := newFixture(t)
	for _, tt := range []struct {
		method, path, contentType string
		status                    int
		code                      string
	}{
		{"GET", "/oss/" + Bucket + "/", "", 405, "MethodNotAllowed"},
		{"PUT", "/oss/" + Bucket + "/key", "", 405, "MethodNotAllowed"},
		{"POST", "/oss/other/", "multipart/form-data; boundary=x", 404, "NoSuchBucket"},
		{"POST", "/oss/" + Bucket, "application/json", 400, "MalformedPOSTRequest"},
		{"POST", "/oss/" + Bucket, "multipart/form-data", 400, "MalformedPOSTRequest"},
		{"POST", "/oss/" + Bucket, "", 400, "MalformedPOSTRequest"},
	} {
		req, err := http.NewRequestWithContext(t.Context(), tt.method, f.server.URL+tt.path, strings.NewReader("x"))
		require.NoError(t, err)
		req.Header.Set("Content-Type", tt.contentType)
		resp, err := http.DefaultClient.Do(req)
		require.NoError(t, err)
		text, err := io.ReadAll(resp.Body)
		require.NoError(t, err)
		require.NoError(t, resp.Body.Close())
		require.Equal(t, tt.status, resp.StatusCode, "%v", tt)
		require.Contains(t, string(text), "<Code>"+tt.code+"</Code>")
	}
}

// TestClientHangsUp checks that a connection lost in the file leaves nothing.
func TestClientHangsUp(t *testing.T) {
	f := newFixture(t)
	reader, writer := io.Pipe()
	req := httptest.NewRequestWithContext(t.Context(), "POST", "/oss/"+Bucket+"/", reader)
	req.Header.Set("Content-Type", "multipart/form-data; boundary="+boundary)
	body := raw(f.grant(false), "--"+boundary+"\r\nContent-Disposition: form-data; name=\"file\"\r\n\r\nhalf of it")
	go func() {
		_, err := io.WriteString(writer, body)
		writer.CloseWithError(errors.Join(err, io.ErrUnexpectedEOF))
	}()
	rec := httptest.NewRecorder()
	f.server.Config.Handler.ServeHTTP(rec, req)
	require.Equal(t, 400, rec.Code)
	require.Empty(t, f.got)
	f.requireNoFiles()
}

func TestSweep(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, Sweep(dir, now, nil), "no uploads yet")
	require.NoError(t, os.Mkdir(filepath.Join(dir, uploadDir), 0o700))
	for i, age := range []time.Duration{-time.Hour, -time.Hour, time.Hour} {
		path := filepath.Join(dir, uploadDir, fmt.Sprint(i))
		require.NoError(t, os.WriteFile(path, nil, 0o600))
		require.NoError(t, os.Chtimes(path, now.Add(age), now.Add(age)))
	}
	require.NoError(t, Sweep(dir, now, func(name string) bool { return strings.HasSuffix(name, "1") }))
	left, err := filepath.Glob(filepath.Join(dir, uploadDir, "*"))
	require.NoError(t, err)
	require.Equal(t, []string{filepath.Join(dir, uploadDir, "1"), filepath.Join(dir, uploadDir, "2")}, left)
}

// TestSecretsStayOut looks for a form's secrets in the answers.
func TestSecretsStayOut(t *testing.T) {
	f := newFixture(t)
	fields := f.grant(true)
	for _, change := range []map[string]string{{"key": "other"}, {"Signature": "x"}, {"x-oss-security-token": "x"}} {
		status, answer, _ := f.post(raw(with(fields, change), field("file", "content"), end))
		require.Equal(t, 403, status)
		for _, kv := range fields {
			if kv[0] != "key" {
				require.NotContains(t, answer.Message, kv[1])
			}
		}
	}
}

func BenchmarkPost100MB(b *testing.B) {
	store, err := state.Open(b.Context(), state.Memory)
	require.NoError(b, err)
	h := New(store, Config{Uploaded: func(_ context.Context, o Object) error { return os.Remove(o.Path) }})
	var g Grant
	require.NoError(b, store.Tx(b.Context(), func(tx *sql.Tx) (err error) {
		g, err = Issue(b.Context(), tx, rand.Reader, GrantRequest{Key: "k", MaxBytes: 1 << 30, Now: time.Now(), Expires: time.Now().Add(time.Hour)})
		return err
	}))
	file := make([]byte, 100<<20)
	_, err = rand.Read(file)
	require.NoError(b, err)
	body := []byte(raw([][2]string{{"OSSAccessKeyId", g.AccessKeyID}, {"policy", g.Policy}, {"Signature", g.Signature}, {"key", g.Key}}))
	body = append(body, "--"+boundary+"\r\nContent-Disposition: form-data; name=\"file\"\r\n\r\n"...)
	body = append(append(body, file...), "\r\n"+end...)
	b.SetBytes(100 << 20)
	b.ReportAllocs()
	for b.Loop() {
		req := httptest.NewRequestWithContext(b.Context(), "POST", "/oss/"+Bucket+"/", bytes.NewReader(body))
		req.Header.Set("Content-Type", "multipart/form-data; boundary="+boundary)
		rec := httptest.NewRecorder()
		h.ServeHTTP(rec, req)
		require.Equal(b, 204, rec.Code)
	}
	require.NoError(b, store.Close())
}
