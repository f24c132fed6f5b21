package runtime

import (
	"errors"
	"strings"

	"modernc.org/quickjs"
)

// Why a request got no response of its code.
var (
	ErrCPU          = errors.New("the routine computed longer than its CPU time limit")
	ErrMemory       = errors.New("the routine exceeded its memory limit")
	ErrWall         = errors.New("the routine took longer than its time limit")
	ErrNotResponse  = errors.New("the routine's handler did not return a Response")
	ErrNeverSettles = errors.New("the routine's handler returned a promise that can never settle: nothing is left that could resolve it")
	ErrClosed       = errors.New("the routine runtime is closed")
	errGone         = errors.New("the visitor is gone")
	errCrashed      = errors.New("the JavaScript engine crashed; the routine's machine is replaced")
)

// ErrThrow is an exception that the code did not catch, when it was loaded or
// when it handled a request.
type ErrThrow struct {
	Message string // "TypeError: x is not a function"
	Stack   string // one line a frame, may be empty
}

func (e *ErrThrow) Error() string { return "the routine threw " + e.Message }

// Reason is an error's text, with the stack of what the code threw.
func Reason(err error) string {
	var thrown *ErrThrow
	if errors.As(err, &thrown) && thrown.Stack != "" {
		return err.Error() + "\n" + thrown.Stack
	}
	return err.Error()
}

// thrown tells what an exception stands for.
func thrown(name, message, stack string) error {
	switch {
	case name == "InternalError" && message == "interrupted":
		return ErrCPU
	case name == "InternalError" && message == "out of memory":
		return ErrMemory
	}
	text := strings.TrimPrefix(message, "module load failed: ")
	if name == "ReferenceError" {
		text += missing(text)
	}
	if name != "" {
		text = strings.TrimSuffix(name+": "+text, ": ")
	}
	return &ErrThrow{Message: text, Stack: strings.TrimRight(stack, "\n")}
}

// missing says what to do about a global that code looks for in vain.
func missing(message string) string {
	_, rest, _ := strings.Cut(message, "'")
	global, isMissing := strings.CutSuffix(rest, "' is not defined")
	if !isMissing {
		return ""
	}
	switch global {
	case "WebAssembly":
		return ": the engine of the local ESA runs no WebAssembly, so code that needs it can be tried on ESA only"
	case "WebSocketPair", "WebSocket":
		return ": edge functions have no WebSockets; a stream as the body of a Response can send events"
	case "caches":
		return ": the cache of edge functions is the global cache, with get, put and delete"
	case "HTMLRewriter":
		return ": edge functions have none; change the text, or bundle a parser"
	case "XMLHttpRequest":
		return ": use fetch"
	case "require", "module", "exports", "__dirname", "__filename":
		return ": edge functions are ES modules, so use import"
	case "Buffer":
		return `: import { Buffer } from "node:buffer"`
	case "window", "document", "localStorage":
		return ": that is of browsers"
	}
	return ""
}

// engineError tells what an error of the engine stands for.
func engineError(err error) error {
	var e *quickjs.Error
	if !errors.As(err, &e) {
		return err
	}
	if e.Name == "" && strings.HasSuffix(e.Error(), "out of memory") {
		return ErrMemory
	}
	if e.Name == "" {
		return &ErrThrow{Message: e.Error()}
	}
	return thrown(e.Name, e.Message, e.Stack)
}
