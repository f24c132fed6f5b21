package guard

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// What the log keeps of a large call is small, and the call itself stays whole.
func TestLogAbridgesLargeCalls(t *testing.T) {
	seen := 0
	j, err := OpenJournal("", time.Now, func(_ string, body map[string]any) map[string]any {
		list, _ := body["KvList"].([]any)
		seen = len(list)
		return body
	})
	require.NoError(t, err)
	pairs, values := make([]any, 10_000), map[string]any{}
	for i := range pairs {
		pairs[i] = map[string]any{"Key": fmt.Sprint("k", i), "Value": "v"}
		values[fmt.Sprintf("k%05d", i)] = "v"
	}
	kept := j.clean("BatchPutKv", map[string]any{"Namespace": "n", "KvList": pairs, "values": values})
	require.Equal(t, maxShownItems+1, seen, "it is cut before it is copied")
	require.Equal(t, "... and 9950 more", kept["KvList"].([]any)[maxShownItems])
	require.Equal(t, "and 9950 more", kept["values"].(map[string]any)["..."])
	require.Equal(t, "v", kept["values"].(map[string]any)["k00000"])
	require.Len(t, pairs, 10_000)
}
