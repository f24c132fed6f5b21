package webcrypto

import (
	"crypto/ecdh"
	"crypto/hkdf"
	"crypto/pbkdf2"
)

const (
	// maxIterations bounds what PBKDF2 may take, over all blocks that it derives:
	// about a second, for nothing can interrupt it.
	maxIterations = 2_000_000
	maxDerived    = 1 << 16 // bits
)

func derive(a *Args) (*Answer, error) {
	agreed := a.Alg == "ECDH" || a.Alg == "X25519"
	if a.Length < 0 || a.Length > maxDerived || a.Length%8 != 0 && !agreed {
		return nil, failed(operationError, "a length of %d bits is no whole number of bytes, or more than %d", a.Length, maxDerived)
	}
	var out []byte
	var err error
	switch a.Alg {
	case "HKDF", "PBKDF2":
		_, newHash, hashErr := hashOf(a.Hash)
		switch {
		case hashErr != nil:
			return nil, hashErr
		case a.Alg == "HKDF":
			out, err = hkdf.Key(newHash, a.Key, a.Salt, string(a.Info), a.Length/8)
		case a.Iterations < 1 || a.Iterations > maxIterations/(1+a.Length/8/newHash().Size()):
			return nil, failed(operationError, "iterations must be from 1 to %d, less for long results", maxIterations)
		default:
			out, err = pbkdf2.Key(newHash, string(a.Key), a.Salt, a.Iterations, a.Length/8)
		}
	case "ECDH", "X25519":
		out, err = agree(a)
	default:
		return nil, failed(notSupported, "%q derives nothing", a.Alg)
	}
	if err != nil {
		return nil, failed(operationError, "%v", err)
	}
	return &Answer{Data: out}, nil
}

func agree(a *Args) ([]byte, error) {
	mine, err := ecdhPrivate(a.Key)
	if err != nil {
		return nil, err
	}
	theirs, err := ecdhPublic(a.Public)
	if err != nil {
		return nil, err
	}
	secret, err := mine.ECDH(theirs)
	if err != nil || a.Length == 0 {
		return secret, err
	}
	if a.Length > len(secret)*8 {
		return nil, failed(operationError, "the shared secret has only %d bits", len(secret)*8)
	}
	secret = secret[:(a.Length+7)/8]
	if rest := a.Length % 8; rest != 0 { // the bits past the last are zero
		secret[len(secret)-1] &= 0xFF << (8 - rest)
	}
	return secret, nil
}

func ecdhPrivate(der []byte) (*ecdh.PrivateKey, error) {
	key, err := parsePrivate(der)
	if err != nil {
		return nil, err
	}
	if k, ok := key.(interface {
		ECDH() (*ecdh.PrivateKey, error)
	}); ok {
		return k.ECDH()
	}
	if k, ok := key.(*ecdh.PrivateKey); ok {
		return k, nil
	}
	return nil, failed(dataError, "the key is not for key agreement")
}

func ecdhPublic(der []byte) (*ecdh.PublicKey, error) {
	key, err := parsePublic(der)
	if err != nil {
		return nil, err
	}
	if k, ok := key.(interface {
		ECDH() (*ecdh.PublicKey, error)
	}); ok {
		return k.ECDH()
	}
	if k, ok := key.(*ecdh.PublicKey); ok {
		return k, nil
	}
	return nil, failed(dataError, "the key is not for key agreement")
}
