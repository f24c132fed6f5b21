// Package webcrypto does the arithmetic of the Web Cryptography API with Go's own
// cryptography: hashes, signatures, encryption, derivation, and keys in their
// formats.
//
// It keeps nothing: each call brings its key along. It must not know JavaScript
// beyond the JSON texts that calls and answers are.
package webcrypto

import (
	"encoding/json"
	"fmt"
)

// Args are the arguments of a call. Each operation uses some of them.
type Args struct {
	Alg    string `json:"alg"`    // "AES-GCM", "ECDSA" ...
	Hash   string `json:"hash"`   // "SHA-256" ...
	Curve  string `json:"curve"`  // "P-256" ...
	Format string `json:"format"` // raw, pkcs8, spki or jwk
	Type   string `json:"type"`   // of a key to export: secret, private or public
	// Key is a key's material: the bytes of a secret key, PKCS #8 of a private and
	// SubjectPublicKeyInfo of a public one. Public is that of another party.
	Key    []byte `json:"key"`
	Public []byte `json:"public"`
	JWK    *JWK   `json:"jwk"`

	Data       []byte `json:"data"`
	Signature  []byte `json:"signature"`
	IV         []byte `json:"iv"`
	AAD        []byte `json:"aad"`
	Salt       []byte `json:"salt"`
	Info       []byte `json:"info"`
	Label      []byte `json:"label"`
	Length     int    `json:"length"` // bits of a key, of a counter or of what is derived
	TagLength  int    `json:"tagLength"`
	SaltLength int    `json:"saltLength"`
	Iterations int    `json:"iterations"`
}

// Answer is what a call returns.
type Answer struct {
	Data []byte `json:"data,omitempty"`
	OK   bool   `json:"ok,omitempty"`
	// Of a key that was made or imported.
	Type           string `json:"type,omitempty"`
	Key            []byte `json:"key,omitempty"`
	Public         []byte `json:"public,omitempty"`
	Length         int    `json:"length,omitempty"`
	PublicExponent []byte `json:"publicExponent,omitempty"`
	JWK            *JWK   `json:"jwk,omitempty"`
}

// Error has the name of the DOMException that JavaScript gets.
type Error struct{ Name, Message string }

func (e *Error) Error() string { return e.Name + ": " + e.Message }

func failed(name, format string, args ...any) error {
	return &Error{name, fmt.Sprintf(format, args...)}
}

// The names of errors.
const (
	operationError = "OperationError"
	dataError      = "DataError"
	notSupported   = "NotSupportedError"
)

var operations = map[string]func(a *Args) (*Answer, error){
	"digest":   digest,
	"sign":     sign,
	"verify":   verify,
	"encrypt":  encrypt,
	"decrypt":  decrypt,
	"derive":   derive,
	"generate": generate,
	"import":   importKey,
	"export":   exportKey,
}

// Do runs an operation. Arguments and answer are JSON of Args and Answer.
func Do(operation, args string) (string, error) {
	run, ok := operations[operation]
	if !ok {
		return "", failed(notSupported, "there is no operation %q", operation)
	}
	var a Args
	if err := json.Unmarshal([]byte(args), &a); err != nil {
		return "", failed(dataError, "%v", err)
	}
	answer, err := run(&a)
	if err != nil {
		return "", err
	}
	text, err := json.Marshal(answer)
	return string(text), err
}
