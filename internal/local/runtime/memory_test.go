package runtime

import (
	"fmt"
	"io"
	"os"
	goruntime "runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestMemoryOfManyRoutines measures a thousand routines, each asked once, and a
// soak of one, with ESA_MCP_MEMORY set.
func TestMemoryOfManyRoutines(t *testing.T) {
	if os.Getenv("ESA_MCP_MEMORY") == "" {
		t.Skip("needs ESA_MCP_MEMORY")
	}
	s := New(Config{})
	defer s.Close()
	before := resident(t)
	for i := range 1000 {
		body, err := get(t, s, text(fmt.Sprintf(`export default { fetch: () => new Response("routine %d") }`, i)), "/")
		require.NoError(t, err)
		require.Equal(t, fmt.Sprintf("routine %d", i), body)
	}
	t.Logf("1,000 routines, %d machines at most: %d MB resident, %d MB before", s.cfg.MaxMachines, resident(t)>>20, before>>20)

	source, err := os.ReadFile("testdata/bench/json.js")
	require.NoError(t, err)
	script, host := text(string(source)), newTestHost().host()
	for part := range 6 {
		for end := time.Now().Add(10 * time.Second); time.Now().Before(end); {
			r, err := s.Run(t.Context(), script, host, benchRequest(t, "json"))
			require.NoError(t, err)
			_, err = io.Copy(io.Discard, r.Body)
			require.NoError(t, err)
		}
		t.Logf("soak, after %d s: %d MB resident", (part+1)*10, resident(t)>>20)
	}
}

func resident(t *testing.T) int64 {
	goruntime.GC()
	text, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		t.Skip("needs /proc")
	}
	pages, err := strconv.ParseInt(strings.Fields(string(text))[1], 10, 64)
	require.NoError(t, err)
	return pages * int64(os.Getpagesize())
}
