package mcpserver

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"sync"
)

// takeBatch handles a JSON-RPC batch, which protocol version 2025-03-26 has: its
// answers go out together, in one array on one line, in the order of the
// messages. A batch of notifications has no answer.
func (l *loop) takeBatch(ctx context.Context, line []byte) {
	messages, problem := splitBatch(line, l.o.MaxBatch)
	if problem != nil {
		l.out.line(replyError(problem, nil))
		return
	}
	b := &batch{answers: make([][]byte, len(messages)), open: len(messages), write: l.write}
	for i, raw := range messages {
		m, problem := parse(raw)
		switch {
		case problem != nil:
			b.set(i, replyError(problem, nil))
		case m.method == "initialize":
			// MCP forbids it: what is beside it would depend on the answer.
			b.set(i, replyError(invalid(m.id, "initialize cannot be part of a batch"), nil))
		default:
			l.dispatch(ctx, m, func(answer []byte) { b.set(i, answer) })
		}
	}
}

// splitBatch takes a batch apart without reading far beyond limit.
func splitBatch(line []byte, limit int) ([]json.RawMessage, *problem) {
	if !json.Valid(line) {
		_, problem := parse(line)
		return nil, problem
	}
	d := json.NewDecoder(bytes.NewReader(line))
	if _, err := d.Token(); err != nil { // the opening bracket
		return nil, invalid(nil, "the batch could not be read")
	}
	var messages []json.RawMessage
	for d.More() {
		if len(messages) == limit {
			return nil, invalid(nil, fmt.Sprintf("the batch has more than %d messages", limit))
		}
		var raw json.RawMessage
		if err := d.Decode(&raw); err != nil {
			return nil, invalid(nil, "the batch could not be read")
		}
		messages = append(messages, raw)
	}
	if len(messages) == 0 {
		return nil, invalid(nil, "the batch is empty")
	}
	return messages, nil
}

// batch collects answers until the last one is there.
type batch struct {
	mu      sync.Mutex
	answers [][]byte
	open    int
	write   func([]byte)
}

func (b *batch) set(i int, answer []byte) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.answers[i] = answer
	if b.open--; b.open > 0 {
		return
	}
	var said [][]byte
	for _, a := range b.answers {
		if a != nil {
			said = append(said, a)
		}
	}
	if len(said) > 0 {
		b.write(append(append([]byte{'['}, bytes.Join(said, []byte{','})...), ']'))
	}
}
