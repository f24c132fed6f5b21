package local

import (
	"bytes"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/image/webp"
)

// photo is a PNG of 40 by 20 pixels.
func photo(t testing.TB) []byte {
	t.Helper()
	m := image.NewNRGBA(image.Rect(0, 0, 40, 20))
	for i := range m.Pix {
		m.Pix[i] = 255
	}
	m.Set(1, 1, color.Black)
	var out bytes.Buffer
	require.NoError(t, png.Encode(&out, m))
	return out.Bytes()
}

// picture reads the size of an answer's image.
func (a answer) picture(t testing.TB, kind string) image.Point {
	t.Helper()
	require.Equal(t, 200, a.status)
	require.Equal(t, "image/"+kind, a.header.Get("Content-Type"))
	read := map[string]func() (image.Config, error){
		"png":  func() (image.Config, error) { return png.DecodeConfig(strings.NewReader(a.body)) },
		"jpeg": func() (image.Config, error) { return jpeg.DecodeConfig(strings.NewReader(a.body)) },
		"webp": func() (image.Config, error) { return webp.DecodeConfig(strings.NewReader(a.body)) },
	}
	config, err := read[kind]()
	require.NoError(t, err)
	return image.Pt(config.Width, config.Height)
}

func TestEdgeImages(t *testing.T) {
	b := newShop(t, Options{})
	asked := 0
	b.record("www.shop.example", b.origin(func(w http.ResponseWriter, r *http.Request) {
		asked++
		w.Header().Set("Cache-Control", "max-age=60")
		w.Header().Set("ETag", `"of the origin"`)
		if r.URL.Path == "/text.png" {
			w.Header().Set("Content-Type", "text/plain")
			w.Write([]byte("text"))
			return
		}
		w.Header().Set("Content-Type", "image/png")
		if r.URL.Path == "/broken.png" {
			w.Write([]byte("no image"))
			return
		}
		w.Write(photo(t))
	}))
	at := func(path string, header ...string) answer { return b.get("http://www.shop.example"+path, header...) }
	require.Equal(t, image.Pt(40, 20), at("/a.png?image_process=resize,w_10").picture(t, "png"), "image transformation is off")

	id := b.rule("ImageTransform", path("/a.png"), map[string]any{"Enable": "on"})
	asked = 0
	small := at("/a.png?image_process=resize,w_10&v=2")
	require.Equal(t, image.Pt(10, 5), small.picture(t, "png"))
	require.Contains(t, small.rules(), "image ")
	require.NotEqual(t, `"of the origin"`, small.header.Get("Etag"))
	require.Equal(t, "HIT", at("/a.png?image_process=resize,w_10&v=2").cache())
	require.Equal(t, image.Pt(20, 10), at("/a.png?image_process=resize,w_20&v=2").picture(t, "png"))
	require.Equal(t, image.Pt(10, 10), at("/a.png?image_process=crop,mid,w_10,h_10/quality,Q_50/format,jpg").picture(t, "jpeg"))
	require.Equal(t, image.Pt(40, 20), at("/a.png?image_process=format%2Cwebp").picture(t, "webp"))
	require.Equal(t, 4, asked)
	require.Equal(t, 206, at("/a.png?image_process=resize,w_10&v=2", "Range", "bytes=0-3").status, "of what is kept")
	require.Equal(t, 304, at("/a.png?image_process=resize,w_10&v=2", "If-None-Match", small.header.Get("Etag")).status)
	require.Equal(t, image.Pt(40, 20), at("/b.png?image_process=resize,w_10").picture(t, "png"), "the rule is for another path")

	b.call("UpdateImageTransform", map[string]any{"ConfigId": id, "Rule": "true", "AutoWebp": "on"})
	b.rule("CacheRule", "true", map[string]any{"EdgeCacheMode": "follow_origin", "QueryStringMode": "ignore_all"})
	require.Equal(t, image.Pt(10, 5), at("/c.png?image_process=resize,w_10").picture(t, "png"))
	require.Equal(t, image.Pt(20, 10), at("/c.png?image_process=resize,w_20").picture(t, "png"), "each picture has a key, whatever the query counts")
	got := at("/c.png", "Accept", "image/avif,image/webp,*/*")
	require.Equal(t, image.Pt(40, 20), got.picture(t, "webp"))
	require.Equal(t, "Accept", got.header.Get("Vary"))
	require.Equal(t, image.Pt(40, 20), at("/c.png").picture(t, "png"))
	require.Equal(t, image.Pt(40, 20), at("/c.png?image_process=format,jpg", "Accept", "image/webp").picture(t, "jpeg"), "what is asked for counts more")
	require.Equal(t, "no image", at("/broken.png?image_process=resize,w_10").body)
	require.Equal(t, "text", at("/text.png?image_process=resize,w_10").body)
	require.Equal(t, image.Pt(40, 20), at("/d.png?image_process=format,avif").picture(t, "png"), "what cannot be made is left as it is")
}

func TestEdgeImagesOfRoutines(t *testing.T) {
	b := newShop(t, Options{})
	b.record("www.shop.example", nil)
	b.routine("page", "", map[string]string{"assets/a.png": string(photo(t)), "assets/a.txt": "text",
		"routine/index.js": `export default { fetch: () => new Response("code", { status: 418 }) }`})
	b.route("page", "true", nil)
	b.rule("ImageTransform", "true", map[string]any{"Enable": "on"})
	at := func(path string, header ...string) answer { return b.get("http://www.shop.example"+path, header...) }
	plain, small := at("/a.png"), at("/a.png?image_process=resize,w_10", "Range", "bytes=0-1000")
	require.Equal(t, image.Pt(40, 20), plain.picture(t, "png"))
	require.NotEmpty(t, small.header.Get("X-Esa-Version"))
	require.Equal(t, 206, small.status)
	small.status = 200
	require.Equal(t, image.Pt(10, 5), small.picture(t, "png"))
	require.Equal(t, 304, at("/a.png?image_process=resize,w_10", "If-None-Match", small.header.Get("Etag")).status)
	require.Equal(t, "text", at("/a.txt?image_process=resize,w_10").body)
	require.Equal(t, 418, at("/none?image_process=resize,w_10").status)
}
