package runtime

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// TestGarbageGoes asks routines that leave garbage of all kinds far more often than
// a machine's memory would last if it kept any of it: what is in a cycle, what the
// web layer knows of a stream, and what is in the code's own WeakMap.
func TestGarbageGoes(t *testing.T) {
	if raceDetector {
		t.Skip("takes minutes with the race detector")
	}
	for name, code := range map[string]string{
		"cycles":    `const a = { text: "x".repeat(100) }; a.self = () => a;`,
		"streams":   `await new EdgeKV({ namespace: "demo" }).get("seeded");`,
		"a WeakMap": `globalThis.seen ??= new WeakMap(); for (let i = 0; i < 10; i++) { const key = {}; key.self = { key }; seen.set(key, {}); }`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := New(patient(Config{Limits: Limits{Memory: 4 << 20}}))
			defer s.Close()
			script := handler(code)
			for i := range 5_000 {
				body, err := get(t, s, script, "/")
				require.NoError(t, err, "request %d", i+1)
				require.Equal(t, "done", body)
			}
		})
	}
}
