package edge

import (
	"io"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestKeeperKeepsBeforeTheVisitorHasAll: with the last bytes of a known length, though
// the reader tells of the end only after them, and else at the end.
func TestKeeperKeepsBeforeTheVisitorHasAll(t *testing.T) {
	for length, whole := range map[int64]bool{10: true, -1: false} {
		kept := ""
		k := &keeper{ReadCloser: io.NopCloser(strings.NewReader("0123456789")), length: length, keep: func(body []byte) { kept = string(body) }}
		_, err := io.ReadFull(k, make([]byte, 9))
		require.NoError(t, err)
		require.Empty(t, kept)
		_, err = io.ReadFull(k, make([]byte, 1))
		require.NoError(t, err)
		require.Equal(t, whole, kept == "0123456789", length)
		_, err = k.Read(make([]byte, 1))
		require.ErrorIs(t, err, io.EOF)
		require.Equal(t, "0123456789", kept, length)
	}
}
