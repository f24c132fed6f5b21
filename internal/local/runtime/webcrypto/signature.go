package webcrypto

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"math/big"
)

func sign(a *Args) (*Answer, error) {
	switch a.Alg {
	case "HMAC":
		out, err := mac(a)
		return &Answer{Data: out}, err
	case "RSASSA-PKCS1-v1_5", "RSA-PSS":
		return signRSA(a)
	case "ECDSA":
		return signEC(a)
	case "Ed25519":
		key, err := privateKey[ed25519.PrivateKey](a.Key)
		if err != nil {
			return nil, err
		}
		return &Answer{Data: ed25519.Sign(key, a.Data)}, nil
	}
	return nil, failed(notSupported, "%q does not sign", a.Alg)
}

func verify(a *Args) (*Answer, error) {
	switch a.Alg {
	case "HMAC":
		out, err := mac(a)
		return &Answer{OK: hmac.Equal(out, a.Signature)}, err
	case "RSASSA-PKCS1-v1_5", "RSA-PSS":
		return verifyRSA(a)
	case "ECDSA":
		return verifyEC(a)
	case "Ed25519":
		key, err := publicKey[ed25519.PublicKey](a.Key)
		if err != nil {
			return nil, err
		}
		return &Answer{OK: ed25519.Verify(key, a.Data, a.Signature)}, nil
	}
	return nil, failed(notSupported, "%q does not verify", a.Alg)
}

func signRSA(a *Args) (*Answer, error) {
	key, err := privateKey[*rsa.PrivateKey](a.Key)
	if err != nil {
		return nil, err
	}
	id, sum, err := hashed(a)
	if err != nil {
		return nil, err
	}
	var out []byte
	if a.Alg == "RSA-PSS" {
		out, err = rsa.SignPSS(rand.Reader, key, id, sum, &rsa.PSSOptions{SaltLength: saltLength(a)})
	} else {
		out, err = rsa.SignPKCS1v15(nil, key, id, sum)
	}
	if err != nil {
		return nil, failed(operationError, "%v", err)
	}
	return &Answer{Data: out}, nil
}

// saltLength: the library takes 0 for the longest possible, and cannot sign
// without a salt.
func saltLength(a *Args) int {
	if a.SaltLength == 0 {
		return rsa.PSSSaltLengthEqualsHash
	}
	return a.SaltLength
}

func verifyRSA(a *Args) (*Answer, error) {
	key, err := publicKey[*rsa.PublicKey](a.Key)
	if err != nil {
		return nil, err
	}
	id, sum, err := hashed(a)
	if err != nil {
		return nil, err
	}
	if a.Alg == "RSA-PSS" {
		// 0 is any length to the library: a signature without a salt passes, and
		// where one is asked for, one with a salt does too.
		err = rsa.VerifyPSS(key, id, sum, a.Signature, &rsa.PSSOptions{SaltLength: a.SaltLength})
	} else {
		err = rsa.VerifyPKCS1v15(key, id, sum, a.Signature)
	}
	return &Answer{OK: err == nil}, nil
}

// signEC gives the two numbers of a signature one after the other, as Web Crypto
// has them, and not as ASN.1.
func signEC(a *Args) (*Answer, error) {
	key, err := privateKey[*ecdsa.PrivateKey](a.Key)
	if err != nil {
		return nil, err
	}
	_, sum, err := hashed(a)
	if err != nil {
		return nil, err
	}
	r, s, err := ecdsa.Sign(rand.Reader, key, sum)
	if err != nil {
		return nil, failed(operationError, "%v", err)
	}
	size := (key.Curve.Params().BitSize + 7) / 8
	out := make([]byte, 2*size)
	r.FillBytes(out[:size])
	s.FillBytes(out[size:])
	return &Answer{Data: out}, nil
}

func verifyEC(a *Args) (*Answer, error) {
	key, err := publicKey[*ecdsa.PublicKey](a.Key)
	if err != nil {
		return nil, err
	}
	_, sum, err := hashed(a)
	if err != nil {
		return nil, err
	}
	size := (key.Curve.Params().BitSize + 7) / 8
	if len(a.Signature) != 2*size {
		return &Answer{}, nil
	}
	r, s := new(big.Int).SetBytes(a.Signature[:size]), new(big.Int).SetBytes(a.Signature[size:])
	return &Answer{OK: ecdsa.Verify(key, sum, r, s)}, nil
}
