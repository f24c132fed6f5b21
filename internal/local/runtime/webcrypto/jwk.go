package webcrypto

import (
	"bytes"
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"encoding/base64"
	"math/big"
)

// JWK is a key as JSON (RFC 7517). Numbers and bytes are base64url.
type JWK struct {
	Kty string `json:"kty"`
	K   string `json:"k,omitempty"`
	Crv string `json:"crv,omitempty"`
	X   string `json:"x,omitempty"`
	Y   string `json:"y,omitempty"`
	D   string `json:"d,omitempty"`
	N   string `json:"n,omitempty"`
	E   string `json:"e,omitempty"`
	P   string `json:"p,omitempty"`
	Q   string `json:"q,omitempty"`
	DP  string `json:"dp,omitempty"`
	DQ  string `json:"dq,omitempty"`
	QI  string `json:"qi,omitempty"`
}

func encode(b []byte) string         { return base64.RawURLEncoding.EncodeToString(b) }
func encodeNumber(n *big.Int) string { return encode(n.Bytes()) }

func decode(field, text string) ([]byte, error) {
	b, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil || text == "" {
		return nil, failed(dataError, "the JWK's %q is not base64url", field)
	}
	return b, nil
}

// decodeAll decodes fields: pairs of a name and its text.
func decodeAll(fields ...string) ([][]byte, error) {
	var all [][]byte
	for i := 0; i < len(fields); i += 2 {
		b, err := decode(fields[i], fields[i+1])
		if err != nil {
			return nil, err
		}
		all = append(all, b)
	}
	return all, nil
}

func importJWK(a *Args) (*Answer, error) {
	k := a.JWK
	if k == nil {
		return nil, failed(dataError, "there is no JWK")
	}
	switch k.Kty {
	case "oct":
		raw, err := decode("k", k.K)
		if err != nil {
			return nil, err
		}
		a.Data = raw
		return importRaw(a)
	case "RSA":
		return importRSA(a, k)
	case "EC":
		return importEC(a, k)
	case "OKP":
		return importOKP(a, k)
	}
	return nil, failed(dataError, "the JWK's kty is %q, not oct, RSA, EC or OKP", k.Kty)
}

func importRSA(a *Args, k *JWK) (*Answer, error) {
	parts, err := decodeAll("n", k.N, "e", k.E)
	if err != nil {
		return nil, err
	}
	public := rsa.PublicKey{N: new(big.Int).SetBytes(parts[0]), E: int(new(big.Int).SetBytes(parts[1]).Int64())}
	if k.D == "" {
		return importPublic(a, &public)
	}
	if parts, err = decodeAll("d", k.D, "p", k.P, "q", k.Q); err != nil {
		return nil, err
	}
	key := &rsa.PrivateKey{PublicKey: public, D: new(big.Int).SetBytes(parts[0]),
		Primes: []*big.Int{new(big.Int).SetBytes(parts[1]), new(big.Int).SetBytes(parts[2])}}
	if err := key.Validate(); err != nil {
		return nil, failed(dataError, "%v", err)
	}
	key.Precompute()
	return importPrivate(a, key)
}

func importEC(a *Args, k *JWK) (*Answer, error) {
	curve, err := curveOf(k.Crv)
	if err != nil {
		return nil, err
	}
	parts, err := decodeAll("x", k.X, "y", k.Y)
	if err != nil {
		return nil, err
	}
	public, err := ecdsa.ParseUncompressedPublicKey(curve, append(append([]byte{4}, parts[0]...), parts[1]...))
	if err != nil {
		return nil, failed(dataError, "%v", err)
	}
	if k.D == "" {
		return importPublic(a, public)
	}
	d, err := decode("d", k.D)
	if err != nil {
		return nil, err
	}
	key, err := ecdsa.ParseRawPrivateKey(curve, d)
	if err != nil || !key.PublicKey.Equal(public) {
		return nil, failed(dataError, "the JWK's d does not belong to its x and y")
	}
	return importPrivate(a, key)
}

func importOKP(a *Args, k *JWK) (*Answer, error) {
	public, err := decode("x", k.X)
	if err != nil {
		return nil, err
	}
	if len(public) != 32 || k.Crv != a.Alg {
		return nil, failed(dataError, "the JWK is not one for %s", a.Alg)
	}
	if k.D == "" {
		a.Data = public
		return importRaw(a)
	}
	raw, err := decode("d", k.D)
	if err != nil {
		return nil, err
	}
	if len(raw) != 32 {
		return nil, failed(dataError, "the JWK is not one for %s", a.Alg)
	}
	if a.Alg == "Ed25519" {
		key := ed25519.NewKeyFromSeed(raw)
		if !bytes.Equal(key.Public().(ed25519.PublicKey), public) {
			return nil, failed(dataError, "the JWK's d does not belong to its x")
		}
		return importPrivate(a, key)
	}
	key, err := ecdh.X25519().NewPrivateKey(raw)
	if err != nil || !bytes.Equal(key.PublicKey().Bytes(), public) {
		return nil, failed(dataError, "the JWK's d does not belong to its x")
	}
	return importPrivate(a, key)
}

func exportJWK(a *Args) (*Answer, error) {
	if a.Type == "secret" {
		return &Answer{JWK: &JWK{Kty: "oct", K: encode(a.Key)}}, nil
	}
	parse := parsePublic
	if a.Type == "private" {
		parse = parsePrivate
	}
	key, err := parse(a.Key)
	if err != nil {
		return nil, err
	}
	k, err := jwkOf(key)
	if err != nil {
		return nil, err
	}
	return &Answer{JWK: k}, nil
}

func jwkOf(key any) (*JWK, error) {
	switch k := key.(type) {
	case *rsa.PublicKey:
		return &JWK{Kty: "RSA", N: encodeNumber(k.N), E: encodeNumber(big.NewInt(int64(k.E)))}, nil
	case *rsa.PrivateKey:
		k.Precompute()
		return &JWK{Kty: "RSA", N: encodeNumber(k.N), E: encodeNumber(big.NewInt(int64(k.E))), D: encodeNumber(k.D),
			P: encodeNumber(k.Primes[0]), Q: encodeNumber(k.Primes[1]), DP: encodeNumber(k.Precomputed.Dp),
			DQ: encodeNumber(k.Precomputed.Dq), QI: encodeNumber(k.Precomputed.Qinv)}, nil
	case *ecdsa.PublicKey:
		raw, err := k.Bytes()
		if err != nil {
			return nil, failed(operationError, "%v", err)
		}
		size := (len(raw) - 1) / 2
		return &JWK{Kty: "EC", Crv: k.Curve.Params().Name, X: encode(raw[1 : 1+size]), Y: encode(raw[1+size:])}, nil
	case *ecdsa.PrivateKey:
		out, err := jwkOf(&k.PublicKey)
		if err != nil {
			return nil, err
		}
		d, err := k.Bytes()
		out.D = encode(d)
		return out, err
	case ed25519.PublicKey:
		return &JWK{Kty: "OKP", Crv: "Ed25519", X: encode(k)}, nil
	case ed25519.PrivateKey:
		return &JWK{Kty: "OKP", Crv: "Ed25519", X: encode(k.Public().(ed25519.PublicKey)), D: encode(k.Seed())}, nil
	case *ecdh.PublicKey:
		return &JWK{Kty: "OKP", Crv: "X25519", X: encode(k.Bytes())}, nil
	case *ecdh.PrivateKey:
		return &JWK{Kty: "OKP", Crv: "X25519", X: encode(k.PublicKey().Bytes()), D: encode(k.Bytes())}, nil
	}
	return nil, failed(notSupported, "the key has no JWK form")
}
