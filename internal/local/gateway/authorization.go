package gateway

import (
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// algorithm is the one that the local ESA verifies. The service knows others
// (SM3, RSA), which no ESA client uses by default.
const algorithm = "ACS3-HMAC-SHA256"

// authorization is a parsed Authorization header.
type authorization struct {
	keyID     string
	headers   []string // the signed ones: lower case, sorted, each once
	signature []byte
}

// parseAuthorization reads
//
//	ACS3-HMAC-SHA256 Credential=KEY,SignedHeaders=a;b,Signature=HEX
//
// Its errors never repeat the header's content.
func parseAuthorization(header string) (authorization, error) {
	var a authorization
	scheme, rest, ok := strings.Cut(strings.TrimSpace(header), " ")
	if !ok || scheme != algorithm {
		return a, errors.New("it must begin with " + algorithm)
	}
	fields := map[string]string{}
	for _, part := range strings.Split(rest, ",") {
		name, value, ok := strings.Cut(strings.TrimSpace(part), "=")
		if !ok || value == "" {
			return a, errors.New("each part must be NAME=VALUE")
		}
		if _, twice := fields[name]; twice {
			return a, errors.New("a part is there twice")
		}
		fields[name] = value
	}
	for _, name := range []string{"Credential", "SignedHeaders", "Signature"} {
		if fields[name] == "" {
			return a, fmt.Errorf("%s is missing", name)
		}
	}
	if len(fields) > 3 {
		return a, errors.New("only Credential, SignedHeaders and Signature may be in it")
	}
	a.keyID = fields["Credential"]
	a.headers = strings.Split(fields["SignedHeaders"], ";")
	for i, name := range a.headers {
		if name == "" || name != strings.ToLower(name) {
			return a, errors.New("the SignedHeaders must be lower-case names joined with semicolons")
		}
		if i > 0 && a.headers[i-1] >= name {
			return a, errors.New("the SignedHeaders must be sorted, each name once")
		}
	}
	var err error
	if a.signature, err = hex.DecodeString(fields["Signature"]); err != nil || len(a.signature) != 32 {
		return a, errors.New("the Signature must be 64 hexadecimal digits")
	}
	return a, nil
}

// covers reports whether the header of that lower-case name was signed.
func (a authorization) covers(name string) bool {
	_, found := slices.BinarySearch(a.headers, name)
	return found
}
