package gateway

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"

	"github.com/esa-mcp/esa-mcp/internal/local/api"
)

// encodeAnswer writes a handler's answer as JSON with RequestId as its first
// member. A nil answer has nothing but that.
func encodeAnswer(answer any, requestID string) ([]byte, error) {
	var buf bytes.Buffer
	e := json.NewEncoder(&buf)
	e.SetEscapeHTML(false)
	if err := e.Encode(answer); err != nil {
		return nil, fmt.Errorf("encode answer: %w", err)
	}
	raw := bytes.TrimSpace(buf.Bytes())
	if bytes.Equal(raw, []byte("null")) {
		raw = []byte("{}")
	}
	if raw[0] != '{' {
		return nil, errors.New("encode answer: a handler answered something that is not a JSON object")
	}
	id, _ := json.Marshal(requestID) // a string always encodes
	out := append([]byte(`{"RequestId":`), id...)
	if rest := raw[1:]; rest[0] != '}' {
		out = append(out, ',')
	}
	return append(out, raw[1:]...), nil
}

// encodeError writes the envelope that the service's errors come in.
func encodeError(e *api.Error, requestID, host string) []byte {
	raw, _ := json.Marshal(struct { // strings always encode
		RequestID string `json:"RequestId"`
		HostID    string `json:"HostId"`
		Code      string
		Message   string
		Recommend string
	}{
		RequestID: requestID,
		HostID:    host,
		Code:      e.Code,
		Message:   e.Message,
		Recommend: "https://api.aliyun.com/troubleshoot?product=ESA&q=" + url.QueryEscape(e.Code),
	})
	return raw
}
