// Package picture changes images as the parameter image_process of an address
// says: resize,w_200/crop,w_100,h_100/quality,Q_80/format,webp.
//
// It must not know HTTP. The grammar is that of ESA's image transformation, whose
// parameters are documented with those of Alibaba Cloud's CDN.
package picture

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"image/gif"
	"image/jpeg"
	"image/png"
	"strings"

	"github.com/HugoSmits86/nativewebp"
	"golang.org/x/image/bmp"
	"golang.org/x/image/tiff"
	"golang.org/x/image/webp"
)

const (
	// MaxSource is the largest image that is changed, in bytes.
	MaxSource = 10 << 20
	// maxPixels bounds an image before and after.
	maxPixels = 16_777_216
	// maxWebP is the longest side that WebP can have.
	maxWebP = 16_384
	// usual is the quality of a JPEG that nobody says one for.
	usual = 75
)

// Change makes an image into what the actions say, and returns it with its
// content type. An empty format keeps that of the source, unless the actions name
// one.
func Change(source []byte, actions, format string) (result []byte, contentType string, err error) {
	config, kind, err := decodeConfig(source)
	if err != nil {
		return nil, "", err
	}
	if len(source) > MaxSource || config.Width*config.Height > maxPixels {
		return nil, "", fmt.Errorf("the image is larger than %d bytes or %d pixels", MaxSource, maxPixels)
	}
	whole, err := decode(kind, source)
	if err != nil {
		return nil, "", fmt.Errorf("read the image: %w", err)
	}
	quality := usual
	if format == "" {
		format = kind
	}
	for action := range strings.SplitSeq(actions, "/") {
		name, text, _ := strings.Cut(action, ",")
		p := parse(text)
		switch name {
		case "resize":
			whole, err = resize(whole, p)
		case "crop":
			whole, err = crop(whole, p)
		case "rotate":
			whole = rotate(whole, p.flag)
		case "quality":
			quality = p.quality(quality)
		case "format":
			format = strings.ToLower(p.flag)
		}
		if err != nil {
			return nil, "", err
		}
	}
	return encode(whole, format, quality)
}

// decodeConfig tells the size and format of an image.
func decodeConfig(source []byte) (image.Config, string, error) {
	r := bytes.NewReader(source)
	switch kind := kindOf(source); kind {
	case "jpeg":
		c, err := jpeg.DecodeConfig(r)
		return c, kind, err
	case "png":
		c, err := png.DecodeConfig(r)
		return c, kind, err
	case "gif":
		c, err := gif.DecodeConfig(r)
		return c, kind, err
	case "webp":
		c, err := webp.DecodeConfig(r)
		return c, kind, err
	case "bmp":
		c, err := bmp.DecodeConfig(r)
		return c, kind, err
	case "tiff":
		c, err := tiff.DecodeConfig(r)
		return c, kind, err
	}
	return image.Config{}, "", fmt.Errorf("it is no image of a format that is known")
}

// kindOf tells an image's format by how it begins.
func kindOf(source []byte) string {
	has := func(prefix string) bool { return bytes.HasPrefix(source, []byte(prefix)) }
	switch {
	case has("\xff\xd8\xff"):
		return "jpeg"
	case has("\x89PNG\r\n\x1a\n"):
		return "png"
	case has("GIF8"):
		return "gif"
	case has("RIFF") && len(source) > 12 && string(source[8:12]) == "WEBP":
		return "webp"
	case has("BM"):
		return "bmp"
	case has("II*\x00"), has("MM\x00*"):
		return "tiff"
	}
	return ""
}

func decode(kind string, source []byte) (image.Image, error) {
	r := bytes.NewReader(source)
	switch kind {
	case "jpeg":
		return jpeg.Decode(r)
	case "png":
		return png.Decode(r)
	case "gif":
		return gif.Decode(r) // its first picture
	case "webp":
		return webp.Decode(r)
	case "bmp":
		return bmp.Decode(r)
	}
	return tiff.Decode(r)
}

// encode writes an image. WebP is lossless here, whatever the quality.
func encode(m image.Image, format string, quality int) ([]byte, string, error) {
	size := m.Bounds().Size()
	if size.X*size.Y > maxPixels || format == "webp" && max(size.X, size.Y) > maxWebP {
		return nil, "", fmt.Errorf("the result of %dx%d pixels is too large", size.X, size.Y)
	}
	var out bytes.Buffer
	var err error
	switch format {
	case "jpeg", "jpg":
		format = "jpeg"
		err = jpeg.Encode(&out, onWhite(m), &jpeg.Options{Quality: quality})
	case "png":
		err = png.Encode(&out, m)
	case "gif":
		err = gif.Encode(&out, m, nil)
	case "webp":
		err = nativewebp.Encode(&out, m, nil)
	case "bmp":
		err = bmp.Encode(&out, m)
	case "tiff":
		err = tiff.Encode(&out, m, nil)
	default:
		return nil, "", fmt.Errorf("the format %q is none that can be written here", format)
	}
	return out.Bytes(), "image/" + format, err
}

// onWhite puts an image that can be seen through on white, for formats that know
// no such thing.
func onWhite(m image.Image) image.Image {
	if o, ok := m.(interface{ Opaque() bool }); ok && o.Opaque() {
		return m
	}
	flat := image.NewRGBA(m.Bounds())
	draw.Draw(flat, flat.Bounds(), image.NewUniform(color.White), image.Point{}, draw.Src)
	draw.Draw(flat, flat.Bounds(), m, m.Bounds().Min, draw.Over)
	return flat
}
