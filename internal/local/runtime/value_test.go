package runtime

import (
	"net/http"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
	"golang.org/x/text/encoding/unicode"
)

func TestHeadersCross(t *testing.T) {
	h := http.Header{"Set-Cookie": {"a=1", "b=2"}, "X-Name": {"caf\xe9"}, "Accept": {""}}
	require.Equal(t, "accept\n\nset-cookie\na=1\nset-cookie\nb=2\nx-name\ncafé\n", flatten(h))
	back, err := parseHeader(flatten(h))
	require.NoError(t, err)
	require.Equal(t, h, back)
	_, err = parseHeader("x-name\n中\n")
	require.ErrorContains(t, err, "header values are bytes")
}

// FuzzDecodeText: broken UTF-8 is replaced as the encoding standard has it.
func FuzzDecodeText(f *testing.F) {
	for _, seed := range []string{"a\xe4\xb8", "\xf0\x9f\x98", "\xed\xa0\x80", "\xc0\x80", "\xff中\xfe", "\xe4\xb8a\xe4"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		got := decodeText(b)
		require.True(t, utf8.ValidString(got))
		if utf8.Valid(b) {
			require.Equal(t, string(b), got)
			return
		}
		want, err := unicode.UTF8.NewDecoder().Bytes(b)
		require.NoError(t, err)
		require.Equal(t, strings.ReplaceAll(string(want), "\uFFFD", ""), strings.ReplaceAll(got, "\uFFFD", ""), "the same characters are left")
		require.LessOrEqual(t, strings.Count(got, "\uFFFD"), len(b))
	})
}
