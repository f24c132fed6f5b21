package rules

import (
	"errors"
	"fmt"
	"strings"
)

// maxExpression is the size of an expression, in bytes.
const maxExpression = 4096

// LightCheck finds what is wrong with any expression, whatever its fields and
// operators: an empty or too long one, open quotes, parentheses that do not
// match, words that are no comparison. It takes more than the service does.
func LightCheck(_, expression string) error {
	text := strings.TrimSpace(expression)
	switch {
	case text == "":
		return errors.New("the expression is empty")
	case len(expression) > maxExpression:
		return fmt.Errorf("the expression has %d bytes, more than %d", len(expression), maxExpression)
	case text == "true":
		return nil
	}
	bare, err := withoutStrings(text)
	if err != nil {
		return err
	}
	if err := balanced(bare); err != nil {
		return err
	}
	if !strings.ContainsAny(bare, " (") && bare != "ssl" && !strings.Contains(bare, ".") {
		return fmt.Errorf("%q is not a condition", text)
	}
	return nil
}

// withoutStrings replaces the text in double quotes by nothing.
func withoutStrings(s string) (string, error) {
	var out strings.Builder
	inside := false
	for i := 0; i < len(s); i++ {
		switch {
		case s[i] == '"':
			inside = !inside
			out.WriteByte('"')
		case inside && s[i] == '\\':
			i++
		case !inside:
			out.WriteByte(s[i])
		}
	}
	if inside {
		return "", errors.New("a quote is not closed")
	}
	return out.String(), nil
}

// balanced matches parentheses, braces and brackets.
func balanced(s string) error {
	var open []byte
	for i := 0; i < len(s); i++ {
		c := s[i]
		if at := strings.IndexByte("({[", c); at >= 0 {
			open = append(open, ")}]"[at])
			continue
		}
		if c != ')' && c != '}' && c != ']' {
			continue
		}
		if len(open) == 0 || open[len(open)-1] != c {
			return fmt.Errorf("%q closes nothing", c)
		}
		open = open[:len(open)-1]
	}
	if len(open) > 0 {
		return fmt.Errorf("%q is missing", open[len(open)-1])
	}
	return nil
}
