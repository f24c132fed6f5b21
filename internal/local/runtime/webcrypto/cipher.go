package webcrypto

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"crypto/rsa"
	"crypto/subtle"
	"encoding/binary"
)

func encrypt(a *Args) (*Answer, error) { return crypt(a, true) }
func decrypt(a *Args) (*Answer, error) { return crypt(a, false) }

func crypt(a *Args, forward bool) (*Answer, error) {
	switch a.Alg {
	case "AES-GCM":
		return gcm(a, forward)
	case "AES-CBC":
		return cbc(a, forward)
	case "AES-CTR":
		return ctr(a)
	case "AES-KW":
		return keyWrap(a, forward)
	case "RSA-OAEP":
		return oaep(a, forward)
	}
	return nil, failed(notSupported, "%q does not encrypt", a.Alg)
}

func gcm(a *Args, forward bool) (*Answer, error) {
	block, err := aes.NewCipher(a.Key)
	if err != nil {
		return nil, failed(operationError, "%v", err)
	}
	if a.TagLength == 0 {
		a.TagLength = 128
	}
	if len(a.IV) == 0 {
		return nil, failed(operationError, "the iv of AES-GCM is empty")
	}
	switch a.TagLength {
	case 32, 64, 96, 104, 112, 120, 128:
	default:
		return nil, failed(operationError, "tagLength is 32, 64, 96, 104, 112, 120 or 128, not %d", a.TagLength)
	}
	mode, err := cipher.NewGCMWithNonceSize(block, len(a.IV))
	if err != nil {
		return nil, failed(operationError, "%v", err)
	}
	tag := a.TagLength / 8
	if forward {
		// A shorter tag is the beginning of the whole one.
		sealed := mode.Seal(nil, a.IV, a.Data, a.AAD)
		return &Answer{Data: sealed[:len(a.Data)+tag]}, nil
	}
	if len(a.Data) < tag {
		return nil, failed(operationError, "the data is shorter than its tag")
	}
	// The library opens whole tags alone. To encrypt what is encrypted decrypts
	// it, and to encrypt that again tells what the tag has to be.
	n := len(a.Data) - tag
	plain := mode.Seal(nil, a.IV, a.Data[:n], a.AAD)[:n]
	sealed := mode.Seal(nil, a.IV, plain, a.AAD)
	if subtle.ConstantTimeCompare(sealed[n:n+tag], a.Data[n:]) != 1 {
		return nil, failed(operationError, "the data was not encrypted with this key, iv and additionalData")
	}
	return &Answer{Data: plain}, nil
}

func cbc(a *Args, forward bool) (*Answer, error) {
	block, err := aes.NewCipher(a.Key)
	if err != nil {
		return nil, failed(operationError, "%v", err)
	}
	if len(a.IV) != aes.BlockSize {
		return nil, failed(operationError, "the iv of AES-CBC has 16 bytes, not %d", len(a.IV))
	}
	if forward {
		n := aes.BlockSize - len(a.Data)%aes.BlockSize
		for range n {
			a.Data = append(a.Data, byte(n))
		}
		cipher.NewCBCEncrypter(block, a.IV).CryptBlocks(a.Data, a.Data)
		return &Answer{Data: a.Data}, nil
	}
	if len(a.Data) == 0 || len(a.Data)%aes.BlockSize != 0 {
		return nil, failed(operationError, "the data is no whole number of blocks")
	}
	cipher.NewCBCDecrypter(block, a.IV).CryptBlocks(a.Data, a.Data)
	n := int(a.Data[len(a.Data)-1])
	if n == 0 || n > aes.BlockSize {
		return nil, failed(operationError, "the data was not encrypted with this key and iv")
	}
	end := len(a.Data) - n
	for _, b := range a.Data[end:] {
		if int(b) != n {
			return nil, failed(operationError, "the data was not encrypted with this key and iv")
		}
	}
	return &Answer{Data: a.Data[:end]}, nil
}

func ctr(a *Args) (*Answer, error) {
	block, err := aes.NewCipher(a.Key)
	if err != nil {
		return nil, failed(operationError, "%v", err)
	}
	if len(a.IV) != aes.BlockSize || a.Length < 1 || a.Length > 128 {
		return nil, failed(operationError, "AES-CTR takes a counter of 16 bytes, of which length is 1 to 128 bits")
	}
	cipher.NewCTR(block, a.IV).XORKeyStream(a.Data, a.Data)
	return &Answer{Data: a.Data}, nil
}

// keyWrap wraps and unwraps a key (RFC 3394): each half block goes through the
// cipher six times, together with a running check value.
func keyWrap(a *Args, forward bool) (*Answer, error) {
	block, err := aes.NewCipher(a.Key)
	if err != nil {
		return nil, failed(operationError, "%v", err)
	}
	if len(a.Data)%8 != 0 || forward && len(a.Data) < 16 || !forward && len(a.Data) < 24 {
		return nil, failed(operationError, "AES-KW takes whole groups of 8 bytes, two or more, not %d bytes", len(a.Data))
	}
	data := a.Data
	if forward {
		data = append(bytes.Repeat([]byte{0xA6}, 8), data...)
	}
	var b [aes.BlockSize]byte
	copy(b[:8], data)
	n := len(data)/8 - 1
	for step := range 6 * n {
		t := step + 1
		if !forward {
			t = 6*n - step
		}
		half := data[8*(1+(t-1)%n):][:8]
		copy(b[8:], half)
		if forward {
			block.Encrypt(b[:], b[:])
		}
		binary.BigEndian.PutUint64(b[:8], binary.BigEndian.Uint64(b[:8])^uint64(t))
		if !forward {
			block.Decrypt(b[:], b[:])
		}
		copy(half, b[8:])
	}
	copy(data, b[:8])
	if forward {
		return &Answer{Data: data}, nil
	}
	if subtle.ConstantTimeCompare(data[:8], bytes.Repeat([]byte{0xA6}, 8)) != 1 {
		return nil, failed(operationError, "the data was not wrapped with this key")
	}
	return &Answer{Data: data[8:]}, nil
}

func oaep(a *Args, forward bool) (*Answer, error) {
	_, newHash, err := hashOf(a.Hash)
	if err != nil {
		return nil, err
	}
	if forward {
		key, err := publicKey[*rsa.PublicKey](a.Key)
		if err != nil {
			return nil, err
		}
		out, err := rsa.EncryptOAEP(newHash(), rand.Reader, key, a.Data, a.Label)
		if err != nil {
			return nil, failed(operationError, "%v", err)
		}
		return &Answer{Data: out}, nil
	}
	key, err := privateKey[*rsa.PrivateKey](a.Key)
	if err != nil {
		return nil, err
	}
	out, err := rsa.DecryptOAEP(newHash(), nil, key, a.Data, a.Label)
	if err != nil {
		return nil, failed(operationError, "the data was not encrypted for this key")
	}
	return &Answer{Data: out}, nil
}
