package runtime

import (
	"context"
	"errors"
	"fmt"
	"io"
)

// call is an operation that code waits for: two texts and a value, which each
// kind of operation uses in its own way.
type call struct {
	op            int
	first, second string
	value         value
}

// task is the part of an operation that waits. It runs on a goroutine of its
// own, and may return a body besides a value.
type task func() (value, *body, error)

// simple is a task without a body.
func simple(run func() (value, error)) task {
	return func() (value, *body, error) {
		v, err := run()
		return v, nil, err
	}
}

// operations prepare a task, inside JavaScript.
var operations = map[string]func(j *job, c call) (task, error){
	"text":        (*job).readText,
	"bytes":       (*job).readBytes,
	"read":        (*job).readChunk,
	"write":       (*job).writeChunk,
	"fetch":       (*job).fetch,
	"kvGet":       (*job).kvGet,
	"kvPut":       (*job).kvPut,
	"kvDelete":    (*job).kvDelete,
	"cacheGet":    (*job).cacheGet,
	"cachePut":    (*job).cachePut,
	"cacheDelete": (*job).cacheDelete,
	"codec":       (*job).code,
}

// startOperation begins an operation: its number, its kind, two texts and a
// value.
func (j *job) startOperation(a arguments) error {
	if a.text(1) == "timer" {
		j.pending++
		return j.timers.start(a.number(0), a.text(2))
	}
	prepare, ok := operations[a.text(1)]
	if !ok {
		return fmt.Errorf("unknown operation %q", a.text(1))
	}
	c := call{op: a.number(0), first: a.text(2), second: a.text(3), value: a.value(4)}
	run, err := prepare(j, c)
	if err != nil {
		return err
	}
	j.pending++
	go func() {
		v, b, err := run()
		j.post(event{c.op, err, v, b})
	}()
	return nil
}

// cancellable returns a context for an operation that code may end early.
func (j *job) cancellable(c call, parent context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(parent)
	if j.cancels == nil {
		j.cancels = map[int]context.CancelFunc{}
	}
	j.cancels[c.op] = cancel
	return ctx, cancel
}

// cancelOperation ends an operation early, if it can be.
func (j *job) cancelOperation(op int) {
	if j.timers.stop(op) {
		j.pending--
	} else if cancel := j.cancels[op]; cancel != nil {
		cancel()
	}
}

func (j *job) readText(c call) (task, error) {
	return j.readBody(c, func(b []byte) value { return textValue(validText(b)) })
}

func (j *job) readBytes(c call) (task, error) { return j.readBody(c, bytesValue) }

func (j *job) readBody(c call, as func([]byte) value) (task, error) {
	b, err := j.bodies.take(c.first)
	if err != nil {
		return nil, err
	}
	return simple(func() (value, error) {
		got, err := readWhole(b, j.cfg.Limits.Body)
		return as(got), err
	}), nil
}

// readChunk reads what is there; nothing means the end.
func (j *job) readChunk(c call) (task, error) {
	b, err := j.bodies.get(c.first)
	if err != nil {
		return nil, err
	}
	return simple(func() (value, error) {
		buf := make([]byte, 32<<10)
		for {
			n, err := b.Read(buf)
			switch {
			case n > 0:
				return bytesValue(buf[:n]), nil
			case errors.Is(err, io.EOF):
				return value{}, nil
			case err != nil:
				return value{}, err
			}
		}
	}), nil
}

// writeChunk writes to the response's body; without a chunk it ends it.
func (j *job) writeChunk(c call) (task, error) {
	out := j.output
	if out == nil {
		return nil, errors.New("the response is not a stream")
	}
	chunk, err := c.value.bytes()
	if err != nil {
		return nil, err
	}
	return simple(func() (value, error) {
		if c.value.kind == kindNone {
			out.fail(nil)
			return value{}, nil
		}
		return value{}, out.write(chunk)
	}), nil
}
