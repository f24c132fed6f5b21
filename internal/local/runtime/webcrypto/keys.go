package webcrypto

import (
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"math/big"
	"strings"
)

func parsePrivate(der []byte) (any, error) {
	key, err := x509.ParsePKCS8PrivateKey(der)
	if err != nil {
		return nil, failed(dataError, "the key is no PKCS #8: %v", err)
	}
	return key, nil
}

func parsePublic(der []byte) (any, error) {
	key, err := x509.ParsePKIXPublicKey(der)
	if err != nil {
		return nil, failed(dataError, "the key is no SubjectPublicKeyInfo: %v", err)
	}
	return key, nil
}

func privateKey[T any](der []byte) (T, error) {
	key, err := parsePrivate(der)
	k, ok := key.(T)
	if err == nil && !ok {
		err = failed(dataError, "the key is of another algorithm")
	}
	return k, err
}

func publicKey[T any](der []byte) (T, error) {
	key, err := parsePublic(der)
	k, ok := key.(T)
	if err == nil && !ok {
		err = failed(dataError, "the key is of another algorithm")
	}
	return k, err
}

var curves = map[string]elliptic.Curve{"P-256": elliptic.P256(), "P-384": elliptic.P384(), "P-521": elliptic.P521()}

func curveOf(name string) (elliptic.Curve, error) {
	if c, ok := curves[name]; ok {
		return c, nil
	}
	return nil, failed(notSupported, "the curve %q is not supported", name)
}

func generate(a *Args) (*Answer, error) {
	switch a.Alg {
	case "HMAC", "AES-GCM", "AES-CBC", "AES-CTR", "AES-KW":
		return generateSecret(a)
	case "RSASSA-PKCS1-v1_5", "RSA-PSS", "RSA-OAEP":
		if a.Length < 1024 || a.Length > 4096 {
			return nil, failed(operationError, "modulusLength is 1024 to 4096, not %d", a.Length)
		}
		key, err := rsa.GenerateKey(rand.Reader, a.Length)
		if err != nil {
			return nil, failed(operationError, "%v", err)
		}
		return pair(key, key.Public())
	case "ECDSA", "ECDH":
		curve, err := curveOf(a.Curve)
		if err != nil {
			return nil, err
		}
		key, err := ecdsa.GenerateKey(curve, rand.Reader)
		if err != nil {
			return nil, failed(operationError, "%v", err)
		}
		return pair(key, key.Public())
	case "Ed25519":
		public, key, err := ed25519.GenerateKey(rand.Reader)
		if err != nil {
			return nil, failed(operationError, "%v", err)
		}
		return pair(key, public)
	case "X25519":
		key, err := ecdh.X25519().GenerateKey(rand.Reader)
		if err != nil {
			return nil, failed(operationError, "%v", err)
		}
		return pair(key, key.PublicKey())
	}
	return nil, failed(notSupported, "there are no keys for %q", a.Alg)
}

// generateSecret makes a random key. One for HMAC is as long as the hash's block
// unless a length is given.
func generateSecret(a *Args) (*Answer, error) {
	bits := a.Length
	if a.Alg == "HMAC" && bits == 0 {
		_, newHash, err := hashOf(a.Hash)
		if err != nil {
			return nil, err
		}
		bits = newHash().BlockSize() * 8
	}
	if strings.HasPrefix(a.Alg, "AES") && bits != 128 && bits != 192 && bits != 256 || bits <= 0 || bits%8 != 0 || bits > 1<<16 {
		return nil, failed(operationError, "a key of %d bits is not possible for %s", bits, a.Alg)
	}
	key := make([]byte, bits/8)
	if _, err := rand.Read(key); err != nil {
		return nil, failed(operationError, "%v", err)
	}
	return &Answer{Type: "secret", Key: key, Length: bits}, nil
}

func pair(private, public any) (*Answer, error) {
	key, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		return nil, failed(operationError, "%v", err)
	}
	other, err := x509.MarshalPKIXPublicKey(public)
	if err != nil {
		return nil, failed(operationError, "%v", err)
	}
	out := &Answer{Type: "private", Key: key, Public: other}
	out.describe(public)
	return out, nil
}

// describe notes what a key's algorithm object shows.
func (a *Answer) describe(public any) {
	if k, ok := public.(*rsa.PublicKey); ok {
		a.Length, a.PublicExponent = k.N.BitLen(), big.NewInt(int64(k.E)).Bytes()
	}
}

func importKey(a *Args) (*Answer, error) {
	switch a.Format {
	case "jwk":
		return importJWK(a)
	case "raw":
		return importRaw(a)
	case "pkcs8":
		key, err := parsePrivate(a.Data)
		if err != nil {
			return nil, err
		}
		return importPrivate(a, key)
	case "spki":
		key, err := parsePublic(a.Data)
		if err != nil {
			return nil, err
		}
		return importPublic(a, key)
	}
	return nil, failed(notSupported, "the key format %q is not supported", a.Format)
}

// fits reports whether a public key is one of the algorithm.
func fits(a *Args, public any) bool {
	switch k := public.(type) {
	case *rsa.PublicKey:
		return strings.HasPrefix(a.Alg, "RSA")
	case *ecdsa.PublicKey:
		return (a.Alg == "ECDSA" || a.Alg == "ECDH") && k.Curve.Params().Name == a.Curve
	case ed25519.PublicKey:
		return a.Alg == "Ed25519"
	case *ecdh.PublicKey:
		return a.Alg == "X25519"
	}
	return false
}

func publicOf(private any) any {
	switch k := private.(type) {
	case *rsa.PrivateKey:
		return k.Public()
	case *ecdsa.PrivateKey:
		return k.Public()
	case ed25519.PrivateKey:
		return k.Public()
	case *ecdh.PrivateKey:
		return k.PublicKey()
	}
	return nil
}

func importPrivate(a *Args, key any) (*Answer, error) {
	public := publicOf(key)
	if !fits(a, public) {
		return nil, failed(dataError, "the key is not one for %s %s", a.Alg, a.Curve)
	}
	out, err := pair(key, public)
	if err != nil {
		return nil, err
	}
	out.Public = nil
	return out, nil
}

func importPublic(a *Args, key any) (*Answer, error) {
	if !fits(a, key) {
		return nil, failed(dataError, "the key is not one for %s %s", a.Alg, a.Curve)
	}
	der, err := x509.MarshalPKIXPublicKey(key)
	if err != nil {
		return nil, failed(dataError, "%v", err)
	}
	out := &Answer{Type: "public", Key: der}
	out.describe(key)
	return out, nil
}

func importRaw(a *Args) (*Answer, error) {
	switch a.Alg {
	case "ECDSA", "ECDH":
		curve, err := curveOf(a.Curve)
		if err != nil {
			return nil, err
		}
		key, err := ecdsa.ParseUncompressedPublicKey(curve, a.Data)
		if err != nil {
			return nil, failed(dataError, "%v", err)
		}
		return importPublic(a, key)
	case "Ed25519":
		if len(a.Data) != ed25519.PublicKeySize {
			return nil, failed(dataError, "a public key of Ed25519 has 32 bytes")
		}
		return importPublic(a, ed25519.PublicKey(a.Data))
	case "X25519":
		key, err := ecdh.X25519().NewPublicKey(a.Data)
		if err != nil {
			return nil, failed(dataError, "%v", err)
		}
		return importPublic(a, key)
	case "AES-GCM", "AES-CBC", "AES-CTR", "AES-KW":
		if n := len(a.Data); n != 16 && n != 24 && n != 32 {
			return nil, failed(dataError, "an AES key has 16, 24 or 32 bytes, not %d", n)
		}
	case "HMAC":
		if len(a.Data) == 0 {
			return nil, failed(dataError, "the key is empty")
		}
	case "HKDF", "PBKDF2":
	default:
		return nil, failed(notSupported, "%s keys cannot be raw", a.Alg)
	}
	return &Answer{Type: "secret", Key: a.Data, Length: len(a.Data) * 8}, nil
}

func exportKey(a *Args) (*Answer, error) {
	if a.Format == "jwk" {
		return exportJWK(a)
	}
	switch {
	case a.Type == "secret" && a.Format == "raw", a.Type == "private" && a.Format == "pkcs8", a.Type == "public" && a.Format == "spki":
		return &Answer{Data: a.Key}, nil
	case a.Type == "public" && a.Format == "raw":
		key, err := parsePublic(a.Key)
		if err != nil {
			return nil, err
		}
		switch k := key.(type) {
		case *ecdsa.PublicKey:
			raw, err := k.Bytes()
			return &Answer{Data: raw}, err
		case ed25519.PublicKey:
			return &Answer{Data: k}, nil
		case *ecdh.PublicKey:
			return &Answer{Data: k.Bytes()}, nil
		}
	}
	return nil, failed("InvalidAccessError", "a %s key cannot be exported as %q", a.Type, a.Format)
}
