package runtime

import (
	"encoding/base64"
	"errors"
	"strconv"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/htmlindex"
	"golang.org/x/text/transform"
)

// decode makes a text of base64 bytes: the bytes, the encoding's label (UTF-8 if
// it is empty), and what to do: "fatal" to refuse what the encoding has not;
// "begun" for bytes that end in the middle of a character, "length" to return how
// many of such bytes are whole characters; "name" to return the encoding's name,
// empty if there is none.
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
	found, err := htmlindex.Get(label)
	if err != nil {
		return nil, err
	}
	if mode == "length" || mode == "begun" {
		return decodeBegun(found.NewDecoder(), b, mode)
	}
	text, err := found.NewDecoder().Bytes(b)
	if err != nil {
		return nil, err
	}
	if strings.HasPrefix(label, "iso-8859-") || strings.HasPrefix(label, "windows-") {
		text = withControls(text, b)
	}
	if mode == "fatal" && strings.Contains(string(text), "\uFFFD") {
		return nil, errors.New("the bytes are not " + label)
	}
	return string(text), nil
}

// decodeBegun decodes bytes as far as they are whole characters.
func decodeBegun(decoder *encoding.Decoder, b []byte, mode string) (any, error) {
	text := make([]byte, 4*len(b)+utf8.UTFMax)
	n, whole, err := decoder.Transform(text, b, false)
	switch {
	case err != nil && !errors.Is(err, transform.ErrShortSrc):
		return nil, err
	case mode == "length":
		return strconv.Itoa(whole), nil
	}
	return string(text[:n]), nil
}

// withControls puts in the control characters U+0080 to U+009F, which the
// standard's tables of the single-byte encodings have and the library's lack.
func withControls(text, from []byte) []byte {
	runes := []rune(string(text))
	if len(runes) != len(from) {
		return text
	}
	for i, c := range from {
		if c >= 0x80 && c < 0xA0 && runes[i] == utf8.RuneError {
			runes[i] = rune(c)
		}
	}
	return []byte(string(runes))
}

func encodingName(label string) string {
	found, err := htmlindex.Get(label)
	if err != nil {
		return ""
	}
	name, err := htmlindex.Name(found)
	if err != nil || name == "replacement" {
		return ""
	}
	return name
}
