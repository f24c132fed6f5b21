package runtime

import (
	"encoding/base64"
	"errors"
	"strings"

	"golang.org/x/text/encoding/htmlindex"
)

// decode makes a text of base64 bytes: the bytes, the encoding's label (UTF-8 if
// it is empty), and what to do: "fatal" to refuse what the encoding has not, or
// "name" to return the encoding's name instead, empty if there is none.
func decode(a []any) (any, error) {
	args := arguments(a)
	label, mode := args.text(1), args.text(2)
	if mode == "name" {
		return encodingName(label), nil
	}
	b, err := base64.StdEncoding.DecodeString(args.text(0))
	if err != nil {
		return nil, err
	}
	if label == "" || label == "utf-8" {
		text := decodeText(b)
		if mode == "fatal" && text != string(b) {
			return nil, errors.New("the bytes are not UTF-8")
		}
		return text, nil
	}
	encoding, err := htmlindex.Get(label)
	if err != nil {
		return nil, err
	}
	text, err := encoding.NewDecoder().Bytes(b)
	if err != nil {
		return nil, err
	}
	if mode == "fatal" && strings.Contains(string(text), "\uFFFD") {
		return nil, errors.New("the bytes are not " + label)
	}
	return string(text), nil
}

func encodingName(label string) string {
	encoding, err := htmlindex.Get(label)
	if err != nil {
		return ""
	}
	name, err := htmlindex.Name(encoding)
	if err != nil || name == "replacement" {
		return ""
	}
	return name
}
