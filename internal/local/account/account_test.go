package account

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/require"
)

// FuzzRead holds that what is read can be written, and is read the same again.
func FuzzRead(f *testing.F) {
	f.Add([]byte(`{"format":1,"sites":[{"name":"s{i}.example","repeat":2,"access":"NS","coverage":"overseas","records":[{"name":"r{j}","repeat":2,"type":"TXT","data":{"Value":"{j}"}}]}]}`))
	f.Add([]byte(`{"format":1,"traffic":[{"from":"-1h","to":"-1m","count":3,"host":"a"}]}`))
	f.Add([]byte(`{"format":1,"sites":[{"repeat":-1}]}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		a, err := Read(bytes.NewReader(text))
		if err != nil {
			return
		}
		var out bytes.Buffer
		require.NoError(t, a.Write(&out))
		again, err := Read(bytes.NewReader(out.Bytes()))
		require.NoError(t, err)
		var second bytes.Buffer
		require.NoError(t, again.Write(&second))
		require.Equal(t, out.String(), second.String())
	})
}
