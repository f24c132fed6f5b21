package runtime

import (
	"bytes"
	"compress/gzip"
	"context"
	"testing"

	"github.com/stretchr/testify/require"
)

// throughCodec gives a codec pieces of a size, and returns all that it makes.
func throughCodec(c codec, data []byte, size int) ([]byte, error) {
	var all []byte
	for len(data) > 0 {
		n := min(size, len(data))
		out, err := c.write(data[:n])
		all = append(all, out...)
		if err != nil {
			return all, err
		}
		data = data[n:]
	}
	rest, err := c.end()
	return append(all, rest...), err
}

// FuzzCodec compresses and decompresses what the fuzzer gives, in pieces, and
// decompresses it as it is: that ends, well or with an error, and is bounded.
func FuzzCodec(f *testing.F) {
	f.Add([]byte("hello hello hello"), uint8(1), uint8(0))
	f.Add([]byte{0x1f, 0x8b, 8, 0}, uint8(3), uint8(1))
	f.Add(bytes.Repeat([]byte{0}, 5000), uint8(200), uint8(2))
	f.Fuzz(func(t *testing.T, data []byte, size, kind uint8) {
		format := []string{"gzip", "deflate", "deflate-raw"}[kind%3]
		step := int(size) + 1
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		compressor, err := newCodec(ctx, "compress "+format, 1<<20)
		require.NoError(t, err)
		packed, err := throughCodec(compressor, data, step)
		require.NoError(t, err)
		decompressor, err := newCodec(ctx, "decompress "+format, 1<<20)
		require.NoError(t, err)
		back, err := throughCodec(decompressor, packed, step)
		require.NoError(t, err)
		require.True(t, bytes.Equal(data, back))

		decompressor, err = newCodec(ctx, "decompress "+format, 1<<20)
		require.NoError(t, err)
		_, _ = throughCodec(decompressor, data, step) // mostly no compressed data at all

		decompressor, err = newCodec(ctx, "decompress "+format, 1<<20)
		require.NoError(t, err)
		_, err = throughCodec(decompressor, append(packed, 0), step)
		require.ErrorIs(t, err, errTrailing)
	})
}

func TestCodecIsBounded(t *testing.T) {
	var bomb bytes.Buffer
	w := gzip.NewWriter(&bomb)
	_, err := w.Write(make([]byte, 8<<20))
	require.NoError(t, err)
	require.NoError(t, w.Close())
	c, err := newCodec(t.Context(), "decompress gzip", 1<<20)
	require.NoError(t, err)
	_, err = throughCodec(c, bomb.Bytes(), bomb.Len())
	require.ErrorIs(t, err, errTooLarge)

	ctx, cancel := context.WithCancel(t.Context())
	c, err = newCodec(ctx, "decompress gzip", 1<<20)
	require.NoError(t, err)
	cancel()
	_, err = c.end()
	require.Error(t, err, "it ends with its request")
}
