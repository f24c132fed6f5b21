package pages

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/evanw/esbuild/pkg/api"
	"github.com/stretchr/testify/require"
)

// carried reads the page back out of a script of WrapPage.
func carried(t *testing.T, script []byte) []byte {
	t.Helper()
	const plain, packed = "\nconst page = \"", "\nconst text = atob(\""
	if _, rest, ok := bytes.Cut(script, []byte(packed)); ok && !bytes.Contains(script, []byte(plain)) {
		text, _, ok := bytes.Cut(rest, []byte("\");\n"))
		require.True(t, ok)
		page, err := base64.StdEncoding.DecodeString(string(text))
		require.NoError(t, err)
		return page
	}
	_, rest, ok := bytes.Cut(script, []byte(plain))
	require.True(t, ok)
	line, after, ok := bytes.Cut(rest, []byte("\n"))
	require.True(t, ok)
	require.Equal(t, pageHandler, string(after), "the page is one line")
	var page string
	require.NoError(t, json.Unmarshal(append([]byte{'"'}, line...), &page))
	return []byte(page)
}

func TestWrapPage(t *testing.T) {
	for name, page := range map[string]string{
		"plain":              "<p>hello",
		"what templates eat": "`${1}` \\n \\\\ \\u0041 $& $' ${alert(`x`)}",
		"ends of lines":      "a\nb\r\nc\rd\u2028e\u2029f",
		"script":             "<script>const a = \"</script>\"; // '\n</script><!-- --> */ /*! kept */",
		"controls":           "\x00\x01\x08\x0b\x0c\x1b\x7f\u0080",
		"letters":            "\ufeff<p>\u00e9 \u4f60\u597d \U0001F600 \ufffd \ufffe e\u0301",
		"not UTF-8":          "<meta charset=gbk>\xc4\xe3\xba\xc3\xff\x00",
		"a surrogate":        "\xed\xa0\x80",
	} {
		t.Run(name, func(t *testing.T) {
			script, err := WrapPage([]byte(page))
			require.NoError(t, err)
			require.Equal(t, page, string(carried(t, script)))
			require.True(t, IsWrappedPage(string(script)))
		})
	}
	require.False(t, IsWrappedPage("export default {}"))

	_, err := WrapPage(bytes.Repeat([]byte("x"), MaxCodeSize))
	var refusal *Error
	require.True(t, errors.As(err, &refusal))
	require.Equal(t, GuardLimits, refusal.Guardrail)
	require.Contains(t, err.Error(), "new name")
}

// FuzzWrapPage wraps what the fuzzer gives: the script parses as a module, and
// the page is in it byte for byte.
func FuzzWrapPage(f *testing.F) {
	f.Add([]byte("<p>`${a}\\"))
	f.Add([]byte("\u2028</script>\r\n\x00"))
	f.Add([]byte("\xff\xfe\n\";"))
	f.Add([]byte(strings.Repeat("\\\"", 300)))
	f.Fuzz(func(t *testing.T, page []byte) {
		script, err := WrapPage(page)
		require.NoError(t, err)
		require.Equal(t, string(page), string(carried(t, script)))
		parsed := api.Transform(string(script), api.TransformOptions{Loader: api.LoaderJS, Format: api.FormatESModule})
		require.Empty(t, parsed.Errors)
		require.Empty(t, parsed.Warnings)
	})
}
