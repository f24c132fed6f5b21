package oss

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha1"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"net/http"
	"strings"
	"time"
)

// policy is the signed document that says what a form may upload, and until when.
type policy struct {
	expires    time.Time
	conditions []condition
	min, max   int64 // bytes of the file
}

// condition is one demand on a form field.
type condition struct {
	op    string // "eq" or "starts-with"
	field string // lower case
	value string
	text  string // as the policy has it, for the error
}

func (c condition) holds(fields map[string]string) bool {
	got, sent := fields[c.field]
	if c.op == "starts-with" {
		return sent && strings.HasPrefix(got, c.value)
	}
	return sent && got == c.value
}

// parsePolicy reads the base64 text of a policy. Every condition must be one
// that check understands: an unknown one must never be taken as met.
func parsePolicy(text string) (*policy, error) {
	raw, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return nil, errors.New("not base64")
	}
	var doc struct {
		Expiration string            `json:"expiration"`
		Conditions []json.RawMessage `json:"conditions"`
	}
	if err := json.Unmarshal(raw, &doc); err != nil {
		return nil, errors.New("not a JSON object with expiration and conditions")
	}
	p := &policy{max: math.MaxInt64 - 1}
	if p.expires, err = time.Parse(time.RFC3339, doc.Expiration); err != nil {
		return nil, errors.New("expiration must be a UTC time such as 2030-01-01T12:00:00.000Z")
	}
	if doc.Conditions == nil {
		return nil, errors.New("conditions are missing")
	}
	for _, c := range doc.Conditions {
		if err := p.add(c); err != nil {
			return nil, err
		}
	}
	return p, nil
}

// add reads one condition: {"bucket": "b"}, ["eq", "$key", "k"],
// ["starts-with", "$key", "k"] or ["content-length-range", min, max].
func (p *policy) add(raw json.RawMessage) error {
	if bytes.HasPrefix(bytes.TrimSpace(raw), []byte("{")) {
		var object map[string]string
		if json.Unmarshal(raw, &object) != nil || len(object) != 1 {
			return fmt.Errorf("condition %.200s must name one field and its text", raw)
		}
		for field, value := range object {
			p.conditions = append(p.conditions, condition{"eq", strings.ToLower(field), value, string(raw)})
		}
		return nil
	}
	var list []json.RawMessage
	if json.Unmarshal(raw, &list) != nil || len(list) != 3 {
		return fmt.Errorf("condition %.200s must be a list of three", raw)
	}
	var op string
	if err := json.Unmarshal(list[0], &op); err != nil {
		return fmt.Errorf("condition %.200s must start with its operator", raw)
	}
	switch op {
	case "content-length-range":
		return p.addRange(raw, list[1], list[2])
	case "eq", "starts-with":
		return p.addMatch(raw, op, list[1], list[2])
	}
	return fmt.Errorf("condition %.200s has an unknown operator", raw)
}

// addRange bounds the file's size. Several ranges all hold. The top stays below
// MaxInt64: one byte more is read to see that a file is too large.
func (p *policy) addRange(raw, low, high json.RawMessage) error {
	var from, to int64
	if json.Unmarshal(low, &from) != nil || json.Unmarshal(high, &to) != nil || from < 0 || to < from {
		return fmt.Errorf("condition %.200s is no range of bytes", raw)
	}
	p.min, p.max = max(p.min, from), min(p.max, to)
	return nil
}

func (p *policy) addMatch(raw json.RawMessage, op string, field, value json.RawMessage) error {
	var name, text string
	if json.Unmarshal(field, &name) != nil || json.Unmarshal(value, &text) != nil {
		return fmt.Errorf("condition %.200s must name a field and its text", raw)
	}
	name, dollar := strings.CutPrefix(name, "$")
	if !dollar || name == "" {
		return fmt.Errorf("condition %.200s must name a field as $name", raw)
	}
	p.conditions = append(p.conditions, condition{op, strings.ToLower(name), text, string(raw)})
	return nil
}

// check holds the form's fields, with its bucket, against the policy.
func (p *policy) check(fields map[string]string, now time.Time) error {
	if !now.Before(p.expires) {
		return refuse(http.StatusForbidden, "AccessDenied", "Invalid according to Policy: Policy expired.")
	}
	for _, c := range p.conditions {
		if !c.holds(fields) {
			return refuse(http.StatusForbidden, "AccessDenied", "Invalid according to Policy: Policy Condition failed: %.200s", c.text)
		}
	}
	return nil
}

// sign is OSS's form signature: HMAC-SHA1 over the base64 text of the policy.
func sign(secret, policyText string) string {
	mac := hmac.New(sha1.New, []byte(secret))
	mac.Write([]byte(policyText))
	return base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

func validSignature(secret, policyText, signature string) bool {
	return hmac.Equal([]byte(sign(secret, policyText)), []byte(signature))
}
