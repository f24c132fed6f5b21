package tools

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/esa-mcp/esa-mcp/internal/esa"
	"github.com/esa-mcp/esa-mcp/internal/guard"
)

// refusal is an error whose text is meant for the model.
type refusal struct{ err error }

func (r *refusal) Error() string { return r.err.Error() }
func (r *refusal) Unwrap() error { return r.err }

// Refuse is an error for the model about what it asked: a bad argument or a
// precondition. The text reaches it as it is, so it names the fix. %w keeps a
// cause; of an *esa.Error the request id is added.
func Refuse(format string, a ...any) error {
	return &refusal{err: fmt.Errorf(format, a...)}
}

// mayBeDone says of a call that nobody knows what became of it.
const mayBeDone = " may have been carried out"

// Explain renders an error of a tool for the model: what happened, what it
// means, what to do next, and the ids that a support case needs. It is the one
// place that does.
func Explain(tool string, err error) string {
	var (
		refused *refusal
		guarded *guard.Refusal
		service *esa.Error
	)
	isService := errors.As(err, &service)
	switch {
	case errors.As(err, &refused):
		text := err.Error()
		if isService && service.OutcomeUnknown && !strings.Contains(text, mayBeDone) {
			text += "\nNext: the call" + mayBeDone + ": look with a list or get tool before sending it again."
		}
		for _, n := range guard.NotesOf(err) {
			text += "\nNote: " + n.ID + ": " + n.Text
		}
		if isService && service.RequestID != "" && !strings.Contains(text, service.RequestID) {
			text += "\nRequest id: " + service.RequestID
		}
		return Clean(withSee(text, seeGuardrail(text)))
	case errors.As(err, &guarded):
		return Clean(withSee(guarded.Error(), sectionFor(guarded.ID, guardrailSections())))
	case isService:
		return Clean(explainService(tool, err, service))
	case errors.Is(err, context.Canceled):
		return tool + " was cancelled. What it had begun may be done: look before calling it again."
	case errors.Is(err, context.DeadlineExceeded):
		return tool + " did not finish within its time limit. What it had begun may be done: look before calling it again. The limit is set with --timeout or ESA_MCP_TIMEOUT."
	}
	return Clean(tool + " failed: " + plain(err))
}

func explainService(tool string, err error, e *esa.Error) string {
	var b strings.Builder
	b.WriteString(tool + " failed")
	// What the tool says about the call that failed, without the error itself.
	if context := strings.TrimSuffix(err.Error(), e.Error()); context != err.Error() {
		if context = strings.TrimRight(context, ": "); context != "" {
			b.WriteString(" to " + context)
		}
	}
	b.WriteString(": " + e.Code)
	var at []string
	if e.Action != "" {
		at = append(at, "from "+e.Action)
	}
	if e.HTTPStatus != 0 {
		at = append(at, fmt.Sprintf("HTTP %d", e.HTTPStatus))
	}
	if len(at) > 0 {
		b.WriteString(" (" + strings.Join(at, ", ") + ")")
	}
	line(&b, "Message", e.Message)
	line(&b, "Meaning", e.Hint)
	line(&b, "Next", nextStep(tool, e))
	if c, ok := esa.LookupCode(e.Code); ok && !e.Retryable && !e.OutcomeUnknown && c.Next != tool {
		line(&b, "Tool", c.Next)
	}
	for _, n := range guard.NotesOf(err) {
		line(&b, "Note", n.ID+": "+n.Text)
	}
	if uri := sectionFor(e.Code, codeSections()); !e.Retryable {
		line(&b, "See", uri)
	}
	line(&b, "Request id", e.RequestID)
	return b.String()
}

func line(b *strings.Builder, label, text string) {
	if text != "" {
		b.WriteString("\n" + label + ": " + text)
	}
}

// nextStep says what to do about a failed call, as far as it follows from the
// kind of failure. What is special to a code is in the error's hint.
func nextStep(tool string, e *esa.Error) string {
	switch {
	case e.OutcomeUnknown:
		return "the call" + mayBeDone + ": look with a list or get tool before sending it again."
	case e.Code == esa.CodeTimeout:
		return "ESA did not answer in time: try again, or give the call more time with --timeout (ESA_MCP_TIMEOUT)."
	case e.Retryable:
		return "wait a little, then send the same call again."
	case e.Hint != "":
		return "" // the hint names the fix
	case e.HTTPStatus == http.StatusNotFound || strings.Contains(e.Code, "NotFound") || strings.Contains(e.Code, "NotExist"):
		return "check the name or id with " + listTool(tool) + "."
	case e.HTTPStatus == http.StatusUnauthorized || e.HTTPStatus == http.StatusForbidden:
		return "check that the credentials are those of the right account and may do this."
	case e.HTTPStatus >= 500:
		return "the service failed: try again later, and quote the request id if it persists."
	case e.HTTPStatus >= 400:
		return "correct the arguments; the same call will fail again."
	}
	return ""
}

// listTool names the tool that lists what a tool works on: list_records for
// delete_record.
func listTool(tool string) string {
	_, noun, _ := strings.Cut(tool, "_")
	name := "list_" + strings.TrimSuffix(noun, "s") + "s"
	if _, err := schemaFiles.Open("schemas/" + name + ".in.json"); err == nil { // each tool has one
		return name
	}
	return "the matching list tool"
}

// plain is the text of an error nobody has explained, without Go's type names.
func plain(err error) string {
	var (
		wrongType *json.UnmarshalTypeError
		syntax    *json.SyntaxError
		encoding  *json.UnsupportedValueError
	)
	switch {
	case errors.As(err, &wrongType):
		return fmt.Sprintf("an answer had an unexpected form at %q (%s). This is a bug in esa-mcp or a change of the service", wrongType.Field, wrongType.Value)
	case errors.As(err, &syntax):
		return "an answer was not valid JSON"
	case errors.As(err, &encoding):
		return "the result could not be encoded. This is a bug in esa-mcp"
	}
	return err.Error()
}

// oneLine joins the lines of an error, each with its full stop.
func oneLine(text string) string {
	lines := strings.Split(text, "\n")
	for i := range lines[:len(lines)-1] {
		lines[i] = strings.TrimRight(lines[i], ". ") + "."
	}
	return strings.Join(lines, " ")
}
