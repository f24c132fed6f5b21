package account

import (
	"bytes"
	"strings"
	"testing"
	"time"

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

// TestTrafficIsSpread has the requests of the most that a file can say come evenly, the
// first at its beginning and the last at its end.
func TestTrafficIsSpread(t *testing.T) {
	from := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	to := from.AddDate(0, 1, 0)
	many := Traffic{Count: 1_000_001}
	for i, want := range map[int]time.Time{0: from, 500_000: from.Add(to.Sub(from) / 2), 1_000_000: to} {
		require.Equal(t, want, many.visit(from, to, i).Time, i)
	}
}

// TestReadRefusals names the line of what is wrong with a file's form.
func TestReadRefusals(t *testing.T) {
	for text, want := range map[string]string{
		"":                               "it is empty",
		" \n":                            "it is empty",
		"hello":                          "line 1: invalid character 'h' looking for beginning of value",
		"[]":                             "line 1: it cannot be a JSON array",
		"null":                           "format is 0, not 1",
		"{\n\"format\":2}":               "format is 2, not 1",
		"{\"format\":1,\n\"sitez\":[]}":  "line 2: json: unknown field \"sitez\"",
		"{\"format\":1,\n\"sites\":[\n{": "line 3: unexpected EOF",
		"{\"format\":1}\n{\"format\":1}": "line 2: there is more after the account",
		"{\"format\":1}\n\nx":            "line 3: there is more after the account",
		"{\"format\":1,\n\"lists\":[{\"name\":5}]}": "line 2: lists.name cannot be a JSON number",
	} {
		_, err := Read(strings.NewReader(text))
		require.ErrorContains(t, err, "read the account file: "+want, "%q", text)
	}
	_, err := Read(strings.NewReader("\ufeff{\"format\":1}\n"))
	require.NoError(t, err, "some editors begin files so")
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
