package webcrypto

import (
	"encoding/json"
	"errors"
	"testing"

	"github.com/stretchr/testify/require"
)

func do(t *testing.T, operation string, a Args) (Answer, error) {
	t.Helper()
	text, err := json.Marshal(a)
	require.NoError(t, err)
	out, err := Do(operation, string(text))
	var answer Answer
	if err == nil {
		require.NoError(t, json.Unmarshal([]byte(out), &answer))
	}
	return answer, err
}

// TestKeysSurviveTheirFormats: what was exported signs and verifies as before.
func TestKeysSurviveTheirFormats(t *testing.T) {
	for _, alg := range []Args{
		{Alg: "ECDSA", Curve: "P-256", Hash: "SHA-256"}, {Alg: "ECDSA", Curve: "P-521", Hash: "SHA-512"}, {Alg: "Ed25519"},
		{Alg: "RSASSA-PKCS1-v1_5", Hash: "SHA-256", Length: 2048}, {Alg: "RSA-PSS", Hash: "SHA-384", Length: 2048},
	} {
		made, err := do(t, "generate", alg)
		require.NoError(t, err, alg.Alg)
		for _, format := range []string{"jwk", "pkcs8"} {
			exported, err := do(t, "export", Args{Format: format, Type: "private", Key: made.Key})
			require.NoError(t, err)
			private, err := do(t, "import", Args{Alg: alg.Alg, Curve: alg.Curve, Format: format, Data: exported.Data, JWK: exported.JWK})
			require.NoError(t, err)
			signed := alg
			signed.Key, signed.Data = private.Key, []byte("data")
			signature, err := do(t, "sign", signed)
			require.NoError(t, err)
			signed.Key, signed.Signature = made.Public, signature.Data
			verified, err := do(t, "verify", signed)
			require.NoError(t, err)
			require.True(t, verified.OK, "%s %s", alg.Alg, format)
			signed.Data = []byte("other")
			verified, err = do(t, "verify", signed)
			require.NoError(t, err)
			require.False(t, verified.OK)
		}
	}
}

// TestRefusals: errors have the names that JavaScript shows.
func TestRefusals(t *testing.T) {
	tests := map[string]struct {
		operation string
		args      Args
		want      string
	}{
		"no such operation":    {"wrap", Args{}, notSupported},
		"no such hash":         {"digest", Args{Hash: "SHA-3"}, notSupported},
		"short AES key":        {"import", Args{Alg: "AES-GCM", Format: "raw", Data: []byte("short")}, dataError},
		"broken spki":          {"import", Args{Alg: "ECDSA", Curve: "P-256", Format: "spki", Data: []byte("x")}, dataError},
		"JWK of another kind":  {"import", Args{Alg: "Ed25519", Format: "jwk", JWK: &JWK{Kty: "none"}}, dataError},
		"GCM without an iv":    {"encrypt", Args{Alg: "AES-GCM", Key: make([]byte, 16)}, operationError},
		"CBC of half a block":  {"decrypt", Args{Alg: "AES-CBC", Key: make([]byte, 16), IV: make([]byte, 16), Data: []byte("x")}, operationError},
		"too many iterations":  {"derive", Args{Alg: "PBKDF2", Hash: "SHA-1", Length: 1 << 16, Iterations: 1_000_000}, operationError},
		"too long a result":    {"derive", Args{Alg: "HKDF", Hash: "SHA-1", Length: 1 << 30}, operationError},
		"RSA of a million bit": {"generate", Args{Alg: "RSA-PSS", Length: 1 << 20}, operationError},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			_, err := do(t, tt.operation, tt.args)
			var got *Error
			require.True(t, errors.As(err, &got), err)
			require.Equal(t, tt.want, got.Name, got.Message)
		})
	}
}

// FuzzImport: keys come from anywhere, and none may crash the edge.
func FuzzImport(f *testing.F) {
	f.Add("ECDSA", "P-256", "raw", []byte{4, 1, 2}, "AQAB")
	f.Add("RSA-PSS", "", "jwk", []byte(nil), "AQAB")
	f.Add("X25519", "", "pkcs8", []byte{0x30, 0}, "")
	f.Fuzz(func(t *testing.T, alg, curve, format string, data []byte, part string) {
		for _, kty := range []string{"oct", "RSA", "EC", "OKP"} {
			k := &JWK{Kty: kty, K: part, Crv: curve, X: part, Y: part, D: part, N: part, E: part, P: part, Q: part}
			_, _ = importKey(&Args{Alg: alg, Curve: curve, Format: format, Data: data, JWK: k}) // only must not panic
		}
	})
}
