package mcpserver

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// Whatever is on a line, the loop does not fail, writes only JSON-RPC, and serves
// the next line.
func FuzzLine(f *testing.F) {
	for _, line := range []string{
		`hello`, `[]`, `[1]`, `{}`, `null`, `{"jsonrpc":"2.0","id":1,"method":"ping"}`,
		`{"jsonrpc":"2.0","id":null,"method":"ping"}`, initLine, initDone,
		callLine(`1`, "echo_text", `{"n":1e3,"text":null}`), callLine(`"x"`, "panic_now", `{}`),
		`[` + callLine(`1e21`, "return_nan", `{}`) + `,{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1e21}}]`,
		`{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{"cursor":"x"}}`,
		`{"jsonrpc":"2.0","id":1,"method":"logging/setLevel","params":{"level":"debug"}}`,
		`{"jsonrpc":"2.0","id":1,"method":"server/discover","params":{"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28"}}}`,
		`{"jsonrpc":"2.0","id":1,"method":"subscriptions/listen","params":{"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28"}}}`,
	} {
		f.Add([]byte(line))
	}
	f.Fuzz(func(t *testing.T, line []byte) {
		line = bytes.ReplaceAll(line, []byte("\n"), nil)
		// What waits for the client would hold up the end of the input.
		if strings.Contains(string(line), "hang_long") || strings.Contains(string(line), "subscriptions") {
			t.Skip()
		}
		b := newBench(Options{})
		// A call that does not end by itself comes to nothing at the grace period.
		lines := b.pipe(t, StdioOptions{MaxLine: 1 << 16, EOFGrace: 10 * time.Second, Logger: slog.New(slog.NewTextHandler(b.log, nil))}, string(line), `{"jsonrpc":"2.0","id":"after","method":"ping"}`)
		require.NotContains(t, b.log.String(), "the client has left", "a call did not end")
		after := 0
		for _, l := range lines {
			var answers []json.RawMessage
			if json.Unmarshal([]byte(l), &answers) != nil {
				answers = []json.RawMessage{json.RawMessage(l)}
			}
			for _, a := range answers {
				var m map[string]json.RawMessage
				require.NoError(t, json.Unmarshal(a, &m))
				require.Equal(t, `"2.0"`, string(m["jsonrpc"]))
				if string(m["id"]) == `"after"` {
					after++
				}
			}
		}
		require.NotZero(t, after, "the next line was not served")
	})
}
