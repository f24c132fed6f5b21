package oss

import (
	"errors"
	"io"
	"mime/multipart"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func FuzzForm(f *testing.F) {
	f.Add(field("key", "k")+field("file", "content")+end, int64(100))
	f.Add(field("file", "content\r\n--XXbX")+field("key", "after")+end, int64(3))
	f.Add("--XXbXX\r\nContent-Disposition: form-data; name=\"file\"\r\n\r\nhalf", int64(10))
	f.Add("--XXbXX--", int64(0))
	f.Fuzz(func(t *testing.T, body string, most int64) {
		most = max(0, most%1000)
		got, err := readForm(multipart.NewReader(strings.NewReader(body), boundary))
		var refused *refusal
		if err != nil {
			require.ErrorAs(t, err, &refused)
			return
		}
		require.Less(t, len(got.fields), maxFields)
		for name, value := range got.fields {
			require.NotEqual(t, "file", name)
			require.LessOrEqual(t, len(value), maxFieldBytes)
		}
		size, err := io.Copy(io.Discard, io.LimitReader(got.file, most+1))
		if err == nil && checkSize(size, 0, most) == nil {
			require.LessOrEqual(t, size, most)
		}
		require.False(t, errors.Is(err, io.EOF))
	})
}
