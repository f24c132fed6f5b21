package picture

import (
	"bytes"
	"image"
	"image/color"
	"image/png"
	"testing"

	"github.com/stretchr/testify/require"
)

// colors is a PNG of 60 by 30 pixels: its left half is red, the right one blue.
func colors(t testing.TB) []byte {
	m := image.NewNRGBA(image.Rect(0, 0, 60, 30))
	for x := range 60 {
		for y := range 30 {
			c := color.NRGBA{R: 255, A: 255}
			if x >= 30 {
				c = color.NRGBA{B: 255, A: 255}
			}
			m.Set(x, y, c)
		}
	}
	var out bytes.Buffer
	require.NoError(t, png.Encode(&out, m))
	return out.Bytes()
}

func TestActions(t *testing.T) {
	source := colors(t)
	for actions, want := range map[string]image.Point{
		"": {60, 30}, "resize,w_20": {20, 10}, "resize,h_60": {120, 60}, "resize,w_20,h_20": {20, 10}, "resize,w_100,h_10": {20, 10},
		"resize,l_30": {30, 15}, "resize,s_15": {30, 15}, "resize,fw_10,fh_50": {10, 50}, "resize,fw_30": {30, 15}, "resize,fh_15": {30, 15}, "resize,p_50": {30, 15},
		"resize,w_120,limit_1": {60, 30}, "resize,w_-5": {60, 30}, "resize,w_1": {1, 1}, "resize": {60, 30},
		"crop,w_20,h_10": {20, 10}, "crop,mid,w_20,h_10": {20, 10}, "crop,x_50,w_20,h_10": {10, 10}, "crop,g_se,w_100,h_5": {20, 5}, "crop,x_99,w_1": {60, 30},
		"crop,w_-1": {60, 30}, "rotate,90": {30, 60}, "rotate,180": {60, 30}, "rotate,45": {60, 30},
		"resize,w_30/crop,mid,w_10,h_10/rotate,270": {10, 10}, "unknown,x_1": {60, 30},
	} {
		out, kind, err := Change(source, actions, "")
		require.NoError(t, err, actions)
		require.Equal(t, "image/png", kind)
		config, _, err := decodeConfig(out)
		require.NoError(t, err)
		require.Equal(t, want, image.Pt(config.Width, config.Height), actions)
	}
}

func TestWhatIsCut(t *testing.T) {
	for actions, want := range map[string]color.NRGBA{
		"crop,w_10,h_10": {R: 255, A: 255}, "crop,x_40,w_10,h_10": {B: 255, A: 255}, "crop,g_east,w_10,h_10": {B: 255, A: 255}, "rotate,180": {B: 255, A: 255},
	} {
		out, _, err := Change(colors(t), actions, "")
		require.NoError(t, err)
		m, err := decode("png", out)
		require.NoError(t, err)
		require.Equal(t, want, color.NRGBAModel.Convert(m.At(0, 0)), actions)
	}
}

func TestFormats(t *testing.T) {
	source := colors(t)
	for _, format := range []string{"jpeg", "jpg", "png", "gif", "webp", "bmp", "tiff"} {
		out, kind, err := Change(source, "format,"+format, "png")
		require.NoError(t, err, format)
		if format == "jpg" {
			format = "jpeg"
		}
		require.Equal(t, "image/"+format, kind)
		require.Equal(t, format, kindOf(out))
		again, kind, err := Change(out, "resize,w_20", "")
		require.NoError(t, err, format)
		require.Equal(t, "image/"+format, kind)
		require.NotEmpty(t, again)
	}
	_, _, err := Change(source, "format,avif", "")
	require.ErrorContains(t, err, "avif")
	_, _, err = Change([]byte("<svg/>"), "", "")
	require.Error(t, err)
	_, kind, err := Change(source, "", "webp")
	require.NoError(t, err)
	require.Equal(t, "image/webp", kind)
}

func TestQuality(t *testing.T) {
	size := func(actions string) int {
		out, _, err := Change(colors(t), "resize,w_600/"+actions+"/format,jpg", "")
		require.NoError(t, err)
		return len(out)
	}
	require.Less(t, size("quality,Q_5"), size("quality,Q_95"))
	require.Less(t, size("quality,q_10"), size("quality,q_100"))
	require.Equal(t, size("quality,q_100"), size("none"))
}

func TestBounds(t *testing.T) {
	for _, actions := range []string{"resize,w_100000", "resize,fw_999999999,fh_999999999", "resize,w_9223372036854775807", "resize,l_20000/format,webp"} {
		_, _, err := Change(colors(t), actions, "")
		require.ErrorContains(t, err, "too large", actions)
	}
}

func FuzzChange(f *testing.F) {
	f.Add("resize,w_20/crop,mid,w_5,h_5/quality,q_5/format,jpg", "")
	f.Add("resize,w_-1,h_0//rotate,,_/crop,g_se,x_-5", "webp")
	source := colors(f)
	f.Fuzz(func(t *testing.T, actions, format string) {
		if len(actions) > 60 {
			return // many actions take long, and show nothing new
		}
		out, kind, err := Change(source, actions, format)
		if err == nil {
			_, is, failed := decodeConfig(out)
			require.NoError(t, failed)
			require.Equal(t, kind, "image/"+is)
		}
	})
}
