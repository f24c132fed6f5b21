package guard

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"
)

// TokenFor is how long a confirmation token is good.
const TokenFor = 10 * time.Minute

// Tokens makes and checks confirmation tokens. A token is good for one call of
// one tool with the same arguments, while what it is about stays as it is; it
// means nothing to another process. It is safe for concurrent use.
type Tokens struct {
	key [32]byte
	now func() time.Time

	mu   sync.Mutex
	used map[string]time.Time // until when
}

// NewTokens makes tokens with a key of their own.
func NewTokens(now func() time.Time) *Tokens {
	t := &Tokens{now: now, used: make(map[string]time.Time)}
	rand.Read(t.key[:]) // never fails
	return t
}

// Issue makes a token for a call, as its parts describe it.
func (t *Tokens) Issue(parts ...string) string {
	var nonce [4]byte
	rand.Read(nonce[:]) // so that asking twice makes two
	head := strconv.FormatInt(t.now().Add(TokenFor).Unix(), 36) + "." + hex.EncodeToString(nonce[:])
	return head + "-" + t.sign(head, parts)
}

func (t *Tokens) sign(head string, parts []string) string {
	mac := hmac.New(sha256.New, t.key[:])
	for _, p := range append([]string{head}, parts...) {
		fmt.Fprintf(mac, "%d:%s", len(p), p)
	}
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil)[:18])
}

// Reasons why a token is not taken.
var (
	ErrTokenUnknown = errors.New("it is none of this server's")
	ErrTokenExpired = errors.New("it has expired")
	ErrTokenUsed    = errors.New("it was used already")
	ErrTokenOther   = errors.New("the arguments, or what the call is about, are no longer those that it was given for")
)

// Redeem takes a token for the call that the parts describe, once.
func (t *Tokens) Redeem(token string, parts ...string) error {
	head, mac, ok := strings.Cut(token, "-")
	until, _, _ := strings.Cut(head, ".")
	seconds, err := strconv.ParseInt(until, 36, 64)
	if !ok || err != nil || len(mac) != 24 {
		return ErrTokenUnknown
	}
	end := time.Unix(seconds, 0)
	switch {
	case !t.now().Before(end):
		return ErrTokenExpired
	case !hmac.Equal([]byte(mac), []byte(t.sign(head, parts))):
		return ErrTokenOther
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	for old, until := range t.used {
		if !t.now().Before(until) {
			delete(t.used, old)
		}
	}
	if _, twice := t.used[token]; twice {
		return ErrTokenUsed
	}
	t.used[token] = end
	return nil
}
