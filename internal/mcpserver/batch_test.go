package mcpserver

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestBatch(t *testing.T) {
	b := newBench(Options{})
	lines := b.pipe(t, StdioOptions{},
		`[`+callLine(`1`, "echo_text", `{"n":1}`)+`,`+initDone+`,{"jsonrpc":"2.0","id":"p","method":"ping"},5,`+initLine+`]`)
	require.Len(t, lines, 1)
	var answers []answer
	require.NoError(t, json.Unmarshal([]byte(lines[0]), &answers))
	require.Len(t, answers, 4)
	require.Equal(t, `1`, string(answers[0].ID))
	require.JSONEq(t, `{"text":"","n":1}`, string(answers[0].Result.StructuredContent))
	require.Equal(t, `"p"`, string(answers[1].ID))
	require.Equal(t, -32600, answers[2].Error.Code)
	require.Equal(t, `null`, string(answers[2].ID))
	require.Contains(t, answers[3].Error.Message, "initialize")

	require.Empty(t, b.pipe(t, StdioOptions{}, `[`+initDone+`,`+initDone+`]`), "notifications alone have no answer")

	lines = b.pipe(t, StdioOptions{MaxBatch: 3}, `[1,2,3,4]`)
	require.Len(t, lines, 1)
	require.Contains(t, parseAnswer(t, lines[0]).Error.Message, "more than 3")
}

// A cancelled call of a batch is left out of the answers.
func TestCancelInBatch(t *testing.T) {
	b := newBench(Options{})
	p := b.connect(t, StdioOptions{})
	p.send(`[` + callLine(`1`, "hang_long", `{}`) + `,{"jsonrpc":"2.0","id":2,"method":"ping"}]`)
	<-b.started
	p.send(`{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1}}`)
	require.Equal(t, `[{"jsonrpc":"2.0","id":2,"result":{}}]`, p.next())
}
