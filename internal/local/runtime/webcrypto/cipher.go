package webcrypto

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"crypto/rsa"
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
	var mode cipher.AEAD
	switch {
	case a.TagLength == 128:
		mode, err = cipher.NewGCMWithNonceSize(block, len(a.IV))
	case len(a.IV) == 12:
		mode, err = cipher.NewGCMWithTagSize(block, a.TagLength/8)
	default:
		err = failed(notSupported, "a tagLength of %d needs an iv of 12 bytes", a.TagLength)
	}
	if err != nil {
		return nil, failed(operationError, "%v", err)
	}
	if forward {
		return &Answer{Data: mode.Seal(nil, a.IV, a.Data, a.AAD)}, nil
	}
	plain, err := mode.Open(nil, a.IV, a.Data, a.AAD)
	if err != nil {
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
