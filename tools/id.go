package tools

import (
	"bytes"
	"encoding/json"
	"fmt"
)

// ID is a 64-bit id of ESA, such as a site's. It is text everywhere a client
// sees it, because many clients keep numbers as floats and would round it. In
// arguments a number is taken too, and so it is in answers of the API. The empty
// ID is none.
type ID string

// UnmarshalJSON takes a string or an integer, exactly.
func (id *ID) UnmarshalJSON(b []byte) error {
	b = bytes.TrimSpace(b)
	if string(b) == "null" {
		return nil
	}
	if len(b) > 0 && b[0] == '"' {
		var s string
		if err := json.Unmarshal(b, &s); err != nil {
			return fmt.Errorf("read id: %w", err)
		}
		*id = ID(s)
		return nil
	}
	for i, c := range b {
		if (c < '0' || c > '9') && (i != 0 || c != '-') {
			return fmt.Errorf("read id: %q is not an integer or a text", b)
		}
	}
	*id = ID(b)
	return nil
}
