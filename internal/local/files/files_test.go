package files

import (
	"bytes"
	"context"
	"errors"
	"io"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/esa-mcp/esa-mcp/internal/local/api"
	"github.com/esa-mcp/esa-mcp/internal/local/oss"
	"github.com/esa-mcp/esa-mcp/internal/local/state"
)

type bench struct {
	*Store
	t    *testing.T
	now  time.Time
	oss  http.Handler
	blob string
}

func newBench(t *testing.T) *bench {
	t.Helper()
	store, err := state.Open(t.Context(), t.TempDir())
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, store.Close()) })
	b := &bench{t: t, now: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC), blob: store.BlobDir()}
	b.Store = New(store, Config{Now: func() time.Time { return b.now }})
	b.oss = oss.New(store, oss.Config{Now: b.cfg.Now, Uploaded: func(ctx context.Context, o oss.Object) error {
		taken, err := b.Uploaded(ctx, o)
		require.True(t, taken)
		return err
	}})
	return b
}

func (b *bench) authorize() authorizeAnswer {
	b.t.Helper()
	answer, err := b.Table()[Action](b.t.Context(), &api.Request{BaseURL: "http://127.0.0.1:4001", Params: api.Params{"Product": "ESA"}})
	require.NoError(b.t, err)
	return answer.(authorizeAnswer)
}

// upload posts to the bucket's host, as clients of the service do.
func (b *bench) upload(slot authorizeAnswer, content string) *httptest.ResponseRecorder {
	b.t.Helper()
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	for name, value := range map[string]string{"OSSAccessKeyId": slot.AccessKeyID, "policy": slot.EncodedPolicy,
		"Signature": slot.Signature, "key": slot.ObjectKey, "success_action_status": "201"} {
		require.NoError(b.t, form.WriteField(name, value))
	}
	file, err := form.CreateFormFile("file", slot.ObjectKey)
	require.NoError(b.t, err)
	_, err = io.WriteString(file, content)
	require.NoError(b.t, err)
	require.NoError(b.t, form.Close())
	r := httptest.NewRequest(http.MethodPost, "http://"+slot.Bucket+"."+slot.Endpoint+"/", &body)
	r.Header.Set("Content-Type", form.FormDataContentType())
	require.True(b.t, oss.AtBucket(r))
	w := httptest.NewRecorder()
	b.oss.ServeHTTP(w, r)
	return w
}

func code(err error) string {
	var e *api.Error
	if errors.As(err, &e) {
		return e.Code
	}
	return ""
}

func TestUploadAndRead(t *testing.T) {
	b := newBench(t)
	slot := b.authorize()
	require.Equal(t, "oss.localhost:4001", slot.Endpoint)
	address := "http://" + slot.Bucket + "." + slot.Endpoint + "/" + slot.ObjectKey
	_, _, err := b.Open(t.Context(), address)
	require.Equal(t, "InvalidUrl.NotFound", code(err), "nothing was uploaded yet")

	w := b.upload(slot, "content")
	require.Equal(t, 201, w.Code, w.Body)
	require.Contains(t, w.Body.String(), "<Location>"+address+"</Location>")
	file, size, err := b.Open(t.Context(), address)
	require.NoError(t, err)
	defer file.Close()
	content, err := io.ReadAll(file)
	require.NoError(t, err)
	require.Equal(t, "content", string(content))
	require.EqualValues(t, 7, size)

	forged := slot
	forged.Signature = "AAAA"
	require.Equal(t, 403, b.upload(forged, "x").Code)
	other := slot
	other.ObjectKey += "x"
	require.Equal(t, 403, b.upload(other, "x").Code)

	b.now = b.now.Add(fileLife + time.Second)
	_, _, err = b.Open(t.Context(), address)
	require.Equal(t, "InvalidUrl.NotFound", code(err), "files are temporary")
	require.Equal(t, 403, b.upload(slot, "late").Code)
	b.authorize()
	left, err := os.ReadDir(b.blob + "/" + folder)
	require.NoError(t, err)
	require.Empty(t, left)
}

func TestRefusals(t *testing.T) {
	b := newBench(t)
	for product, want := range map[string]string{"": "MissingProduct", "CDN": "InvalidProduct"} {
		_, err := b.Table()[Action](t.Context(), &api.Request{BaseURL: "http://127.0.0.1:1", Params: api.Params{"Product": product}})
		require.Equal(t, want, code(err))
	}
	for address, want := range map[string]string{
		"":                               "InvalidUrl",
		"file:///etc/passwd":             "InvalidUrl",
		"http://169.254.169.254/x":       "InvalidUrl",
		"http://esa-local.example.com/x": "InvalidUrl",
		"http://esa-local.oss.localhost/esa/upload/none": "InvalidUrl.NotFound",
		"http://esa-local.oss.localhost/../../esa.db":    "InvalidUrl.NotFound",
	} {
		_, _, err := b.Open(t.Context(), address)
		require.Equal(t, want, code(err), address)
	}
	taken, err := b.Uploaded(t.Context(), oss.Object{Key: "site_er_js/x"})
	require.NoError(t, err)
	require.False(t, taken)
}
