package runtime

import (
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"modernc.org/quickjs"

	"github.com/esa-mcp/esa-mcp/internal/local/runtime/web"
)

// hostFunctions are what the web layer calls. They run inside JavaScript, on the
// goroutine that runs the machine, so none may wait: what waits is an operation.
func (m *machine) hostFunctions() map[string]quickjs.HostFunc {
	return map[string]quickjs.HostFunc{
		"respond": func(a []any) (any, error) { return nil, m.job.onRespond(a) },
		"finish":  func([]any) (any, error) { m.job.finished = true; return nil, nil },
		"fail":    func(a []any) (any, error) { m.job.onFail(a); return nil, nil },
		"log":     func(a []any) (any, error) { m.job.log(arguments(a).text(0), arguments(a).text(1)); return nil, nil },
		"start":   func(a []any) (any, error) { return nil, m.job.startOperation(a) },
		"random":  random,
		"encode": func(a []any) (any, error) {
			return base64.StdEncoding.EncodeToString([]byte(arguments(a).text(0))), nil
		},
		"decode": decodeUTF8,
		"url":    parseURL,
		"load":   m.loadPart,
	}
}

// loadPart evaluates a part of the web layer that the code turned out to need.
func (m *machine) loadPart(a []any) (any, error) {
	code, err := web.Part(arguments(a).text(0))
	if err != nil {
		return nil, err
	}
	return m.vm.EvalBytecodeValue(code)
}

func random(a []any) (any, error) {
	b := make([]byte, arguments(a).number(0))
	if _, err := io.ReadFull(rand.Reader, b); err != nil {
		return nil, err
	}
	return base64.StdEncoding.EncodeToString(b), nil
}

// decodeUTF8 decodes base64 bytes. The engine replaces what is no UTF-8.
func decodeUTF8(a []any) (any, error) {
	b, err := base64.StdEncoding.DecodeString(arguments(a).text(0))
	return string(b), err
}

// onRespond takes the response: status, headers, then the body, which is nothing,
// text, bytes, one that Go holds, or a stream.
func (j *job) onRespond(a arguments) error {
	h, err := parseHeader(a.text(1))
	if err != nil {
		return err
	}
	r := &Result{Status: a.number(0), Header: h, Body: http.NoBody}
	v := a.value(2)
	switch v.kind {
	case kindNone:
		if a.flag(4) {
			j.output = newOutput(func() { j.cancel(errors.New("the visitor is gone")) })
			r.Body, r.Length = j.output, -1
		}
	case kindText:
		r.Body, r.Length = textBody{strings.NewReader(v.text)}, int64(len(v.text))
	case kindBytes:
		b, err := v.bytes()
		if err != nil {
			return err
		}
		r.Body, r.Length = textBody{strings.NewReader(string(b))}, int64(len(b))
	case kindHandle:
		b, err := j.bodies.take(v.text)
		if err != nil {
			return err
		}
		r.Body, r.Length = b, b.length
	}
	j.finished = a.flag(5)
	j.respond(r)
	return nil
}

// onFail takes an error that the code did not handle.
func (j *job) onFail(a arguments) {
	j.finished = true
	if a.text(0) == "" && a.text(1) == "" {
		j.failure = ErrNotResponse
		return
	}
	j.failure = thrown(a.text(0), a.text(1), a.text(2))
}

// startOperation begins what the code waits for: its number, its kind, two texts
// and a value.
func (j *job) startOperation(a arguments) error {
	op, first, second, v := a.number(0), a.text(2), a.text(3), a.value(4)
	do, ok := operations[a.text(1)]
	if !ok {
		return fmt.Errorf("unknown operation %q", a.text(1))
	}
	run, err := do(j, first, second, v)
	if err != nil {
		return err
	}
	j.pending++
	go func() {
		got, err := run()
		j.post(event{op, err, got})
	}()
	return nil
}

// operation prepares what the code waits for, inside JavaScript, and returns the
// part that waits, which runs on another goroutine.
type operation func(j *job, first, second string, v value) (func() (value, error), error)

var operations = map[string]operation{
	"timer": (*job).timer,
	"text":  (*job).readText,
	"bytes": (*job).readBytes,
	"read":  (*job).readChunk,
	"write": (*job).writeChunk,
}

func (j *job) timer(ms, _ string, _ value) (func() (value, error), error) {
	wait, err := time.ParseDuration(ms + "ms")
	if err != nil {
		return nil, err
	}
	return func() (value, error) {
		select {
		case <-time.After(wait):
		case <-j.ctx.Done():
		}
		return value{}, nil
	}, nil
}

func (j *job) readText(handle, _ string, _ value) (func() (value, error), error) {
	return j.read(handle, func(b []byte) value { return textValue(strings.TrimPrefix(string(b), "\uFEFF")) })
}

func (j *job) readBytes(handle, _ string, _ value) (func() (value, error), error) {
	return j.read(handle, bytesValue)
}

func (j *job) read(handle string, as func([]byte) value) (func() (value, error), error) {
	b, err := j.bodies.take(handle)
	if err != nil {
		return nil, err
	}
	return func() (value, error) {
		got, err := readWhole(b, j.cfg.Limits.Body)
		return as(got), err
	}, nil
}

// readChunk reads what is there; nothing means the end.
func (j *job) readChunk(handle, _ string, _ value) (func() (value, error), error) {
	b, err := j.bodies.get(handle)
	if err != nil {
		return nil, err
	}
	return func() (value, error) {
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
	}, nil
}

// writeChunk writes to the response's body; without a chunk it ends it.
func (j *job) writeChunk(_, _ string, v value) (func() (value, error), error) {
	out := j.output
	if out == nil {
		return nil, errors.New("the response is not a stream")
	}
	chunk, err := v.bytes()
	if err != nil {
		return nil, err
	}
	return func() (value, error) {
		if v.kind == kindNone {
			out.fail(nil)
			return value{}, nil
		}
		return value{}, out.write(chunk)
	}, nil
}
