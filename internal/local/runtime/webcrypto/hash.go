package webcrypto

import (
	"crypto"
	"crypto/hmac"
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"hash"
)

// hashes by their Web Crypto names, and MD5, which only node:crypto offers.
var hashes = map[string]struct {
	id  crypto.Hash
	new func() hash.Hash
}{
	"MD5":     {crypto.MD5, md5.New},
	"SHA-1":   {crypto.SHA1, sha1.New},
	"SHA-224": {crypto.SHA224, sha256.New224},
	"SHA-256": {crypto.SHA256, sha256.New},
	"SHA-384": {crypto.SHA384, sha512.New384},
	"SHA-512": {crypto.SHA512, sha512.New},
}

// hashOf finds a hash.
func hashOf(name string) (crypto.Hash, func() hash.Hash, error) {
	h, ok := hashes[name]
	if !ok {
		return 0, nil, failed(notSupported, "the hash %q is not supported", name)
	}
	return h.id, h.new, nil
}

func digest(a *Args) (*Answer, error) {
	_, newHash, err := hashOf(a.Hash)
	if err != nil {
		return nil, err
	}
	h := newHash()
	h.Write(a.Data)
	return &Answer{Data: h.Sum(nil)}, nil
}

// hashed is the hash of the data, for signatures.
func hashed(a *Args) (crypto.Hash, []byte, error) {
	id, newHash, err := hashOf(a.Hash)
	if err != nil {
		return 0, nil, err
	}
	h := newHash()
	h.Write(a.Data)
	return id, h.Sum(nil), nil
}

func mac(a *Args) ([]byte, error) {
	_, newHash, err := hashOf(a.Hash)
	if err != nil {
		return nil, err
	}
	m := hmac.New(newHash, a.Key)
	m.Write(a.Data)
	return m.Sum(nil), nil
}
