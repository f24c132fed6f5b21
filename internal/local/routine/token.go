package routine

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/esa-mcp/esa-mcp/internal/local/api"
)

// claims are what an access token says.
type claims struct {
	RoutineID string `json:"routine_id"`
	Expires   int64  `json:"exp"` // Unix seconds
}

const tokenHeader = `{"alg":"HS256","typ":"JWT"}`

// maxToken bounds what CheckToken looks at; real tokens have about 150 bytes.
const maxToken = 2048

func (s *Service) getAccessToken(ctx context.Context, r *api.Request) (any, error) {
	id, _, err := routineID(ctx, s.store.DB(), r.Params)
	if err != nil {
		return nil, err
	}
	token, err := s.signToken(claims{strconv.FormatInt(id, 10), s.cfg.Now().Add(s.cfg.TokenTTL).Unix()})
	if err != nil {
		return nil, err
	}
	return struct{ Token string }{token}, nil
}

func (s *Service) signToken(c claims) (string, error) {
	body, err := json.Marshal(c)
	if err != nil {
		return "", fmt.Errorf("write access token: %w", err)
	}
	b64 := base64.RawURLEncoding
	text := b64.EncodeToString([]byte(tokenHeader)) + "." + b64.EncodeToString(body)
	return text + "." + b64.EncodeToString(s.tokenMAC(text)), nil
}

func (s *Service) tokenMAC(text string) []byte {
	mac := hmac.New(sha256.New, s.store.Account().TokenKey)
	mac.Write([]byte(text))
	return mac.Sum(nil)
}

// CheckToken verifies an access token of GetRoutineAccessToken for a routine and
// returns when it ends. The error says what is wrong, never the token.
func (s *Service) CheckToken(token string, routineID int64) (expires time.Time, err error) {
	if len(token) > maxToken {
		return time.Time{}, errors.New("the token is too long")
	}
	text, signature, found := cutLast(token, ".")
	header, body, three := strings.Cut(text, ".")
	if !found || !three {
		return time.Time{}, errors.New("the token is not a JWT")
	}
	b64 := base64.RawURLEncoding.Strict()
	mac, err := b64.DecodeString(signature)
	if err != nil || !hmac.Equal(mac, s.tokenMAC(text)) {
		return time.Time{}, errors.New("the token's signature is wrong")
	}
	// The signature covers the header, and this service writes only one.
	if header != b64.EncodeToString([]byte(tokenHeader)) {
		return time.Time{}, errors.New("the token's algorithm is not HS256")
	}
	raw, err := b64.DecodeString(body)
	if err != nil {
		return time.Time{}, errors.New("the token's claims are not base64")
	}
	var c claims
	if err := json.Unmarshal(raw, &c); err != nil {
		return time.Time{}, errors.New("the token's claims are not JSON")
	}
	if c.RoutineID != strconv.FormatInt(routineID, 10) {
		return time.Time{}, errors.New("the token is of another routine")
	}
	expires = time.Unix(c.Expires, 0)
	if !s.cfg.Now().Before(expires) {
		return time.Time{}, errors.New("the token has expired")
	}
	return expires, nil
}

func cutLast(s, sep string) (before, after string, found bool) {
	i := strings.LastIndex(s, sep)
	if i < 0 {
		return s, "", false
	}
	return s[:i], s[i+len(sep):], true
}
