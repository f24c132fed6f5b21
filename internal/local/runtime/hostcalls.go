package runtime

import (
	"crypto/rand"
	"encoding/base64"
	"io"
	"net/http"
	"strings"

	"modernc.org/quickjs"
	"modernc.org/quickjs/intl"

	"github.com/esa-mcp/esa-mcp/internal/local/runtime/web"
	"github.com/esa-mcp/esa-mcp/internal/local/runtime/webcrypto"
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
		"cancel":  func(a []any) (any, error) { m.job.cancelOperation(arguments(a).number(0)); return nil, nil },
		"random":  random,
		"intl":    func([]any) (any, error) { return nil, intl.Register(m.vm) },
		"crypto":  doCrypto,
		"encode": func(a []any) (any, error) {
			return base64.StdEncoding.EncodeToString([]byte(arguments(a).text(0))), nil
		},
		"decode": decode,
		"url":    parseURL,
		"load":   m.loadPart,
	}
}

// loadPart evaluates a part of the web layer that the code turned out to need,
// and leaves it on the global object, where the web layer takes it.
func (m *machine) loadPart(a []any) (any, error) {
	code, err := web.Part(arguments(a).text(0))
	if err != nil {
		return nil, err
	}
	part, err := m.vm.EvalBytecodeValue(code)
	if err != nil {
		return nil, err
	}
	defer part.Free()
	global := m.vm.GlobalObject()
	defer global.Free()
	name, err := m.vm.NewAtom(hostPrefix + "part")
	if err != nil {
		return nil, err
	}
	return nil, global.SetPropertyValue(name, part)
}

// doCrypto runs a cryptographic operation on JSON.
func doCrypto(a []any) (any, error) {
	return webcrypto.Do(arguments(a).text(0), arguments(a).text(1))
}

func random(a []any) (any, error) {
	b := make([]byte, arguments(a).number(0))
	if _, err := io.ReadFull(rand.Reader, b); err != nil {
		return nil, err
	}
	return base64.StdEncoding.EncodeToString(b), nil
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
			j.output = newOutput(j.visitorLeft)
			r.Body, r.Length, r.Streams = j.output, -1, true
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
		r.Body, r.Length, r.Streams = b, b.length, true
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
