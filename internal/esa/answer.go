package esa

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"net/http"
	"strings"
)

// parseAnswer decodes an answer: the body of a success, or the error. The
// secrets of cred never get into a message.
func parseAnswer(status int, header http.Header, raw []byte, cred Credential) (map[string]any, *Error) {
	ok := status >= 200 && status <= 299
	raw = bytes.TrimSpace(raw)
	if ok && len(raw) == 0 {
		return map[string]any{}, nil
	}
	value, err := decodeJSON(raw)
	object, isObject := value.(map[string]any)
	switch {
	case err == nil && isObject && ok:
		return object, nil
	case err == nil && isObject:
		return nil, serviceError(status, header, object, cred)
	}
	if e := xmlError(status, raw, cred); e != nil {
		return nil, e
	}
	return nil, &Error{
		Code: CodeBadAnswer, HTTPStatus: status, RequestID: header.Get("x-acs-request-id"),
		Message:   pageText(status, raw, cred),
		Retryable: retryableStatus(status),
	}
}

// serviceError decodes the service's own error.
func serviceError(status int, header http.Header, body map[string]any, cred Credential) *Error {
	e := &Error{
		HTTPStatus: status,
		Code:       textOf(body, "Code", "code"),
		RequestID:  textOf(body, "RequestId", "requestId"),
		Message:    cleanMessage(textOf(body, "Message", "message"), cred),
	}
	if e.RequestID == "" {
		e.RequestID = header.Get("x-acs-request-id")
	}
	if e.Code == "" {
		e.Code = CodeBadAnswer
		if e.Message == "" {
			e.Message = "an error without code and message"
		}
	}
	// One code is documented with a tab at its end.
	e.Code = strings.TrimSpace(e.Code)
	e.Retryable = retryableCode(e.Code) || status == http.StatusTooManyRequests ||
		e.Code == CodeBadAnswer && retryableStatus(status)
	if denied, ok := body["AccessDeniedDetail"].(map[string]any); ok {
		if right := textOf(denied, "AuthAction"); right != "" {
			e.Message += " (the missing permission is " + right + ")"
		}
	}
	return e
}

// textOf returns the first of the fields that is there, as text.
func textOf(body map[string]any, names ...string) string {
	for _, name := range names {
		switch v := body[name].(type) {
		case string:
			return v
		case json.Number:
			return v.String()
		}
	}
	return ""
}

// xmlError decodes an error in XML, as the object store and some gateways
// write it; nil if raw is none.
func xmlError(status int, raw []byte, cred Credential) *Error {
	if !bytes.HasPrefix(raw, []byte("<")) {
		return nil
	}
	var body struct {
		XMLName   xml.Name `xml:"Error"`
		Code      string   `xml:"Code"`
		Message   string   `xml:"Message"`
		RequestID string   `xml:"RequestId"`
	}
	if err := xml.Unmarshal(raw, &body); err != nil || body.Code == "" {
		return nil
	}
	return &Error{
		HTTPStatus: status, Code: strings.TrimSpace(body.Code), RequestID: strings.TrimSpace(body.RequestID),
		Message:   cleanMessage(body.Message, cred),
		Retryable: retryableCode(body.Code) || retryableStatus(status),
	}
}

var (
	messageStart = lazyRegexp(`^code: \d{3}, `)
	messageEnd   = lazyRegexp(`(?i)\s*\brequest ?id: ?[0-9A-Za-z-]*\s*$`)
	tags         = lazyRegexp(`(?s)<(script|style)\b.*?</(script|style)>|<[^>]*>`)
)

// cleanMessage strips what has a field of its own, and secrets.
func cleanMessage(message string, cred Credential) string {
	message = messageStart().ReplaceAllString(message, "")
	message = messageEnd().ReplaceAllString(message, "")
	return strings.TrimSpace(redact(message, cred.secrets()...))
}

// pageText is the readable start of an answer that is not the API's.
func pageText(status int, raw []byte, cred Credential) string {
	const most = 200
	text := tags().ReplaceAllString(string(raw[:min(len(raw), 64<<10)]), " ")
	text = strings.Join(strings.Fields(strings.ToValidUTF8(text, "")), " ")
	text = redact(text, cred.secrets()...)
	if runes := []rune(text); len(runes) > most {
		text = string(runes[:most]) + "..."
	}
	s := fmt.Sprintf("HTTP %d %s without the API's JSON", status, http.StatusText(status))
	if text != "" {
		s += ": " + text
	}
	return s
}
