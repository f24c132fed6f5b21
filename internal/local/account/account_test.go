package account

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/esa-mcp/esa-mcp/internal/local/state"
)

// TestTooMuchForAFile refuses an account whose content a file does not take, and
// names what was too much.
func TestTooMuchForAFile(t *testing.T) {
	store, err := state.Open(t.Context(), state.Memory)
	require.NoError(t, err)
	defer store.Close()
	_, err = store.DB().Exec(`INSERT INTO kv_namespaces (id, name, description, created) VALUES (1, 'large', '', 0);
		INSERT INTO kv_pairs (namespace_id, key, value, updated) VALUES (1, 'a', zeroblob(60), 0), (1, 'b', zeroblob(50), 0)`)
	require.NoError(t, err)
	_, err = export(t.Context(), store, 110)
	require.NoError(t, err)
	_, err = export(t.Context(), store, 109)
	require.EqualError(t, err, "export the account: namespace large: with it the files and key-value pairs of the account have 110 bytes, more than the 109 that an account file takes; delete what is not needed")
}

// FuzzRead holds that what is read can be written, and is read the same again.
func FuzzRead(f *testing.F) {
	f.Add([]byte(`{"format":1,"sites":[{"name":"s{i}.example","repeat":2,"access":"NS","coverage":"overseas","records":[{"name":"r{j}","repeat":2,"type":"TXT","data":{"Value":"{j}"}}]}]}`))
	f.Add([]byte(`{"format":1,"traffic":[{"from":"-1h","to":"-1m","count":3,"host":"a"}]}`))
	f.Add([]byte(`{"format":1,"sites":[{"repeat":-1}]}`))
	f.Add([]byte(`{"format":1,"things":[{"kind":"Page","id":"p","fields":{"Name":"n","N":12345678901234567890}}],"routines":[{"name":"r","versions":[{"id":"v1","code":{"text":"x"}}]}]}`))
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
