package oss

import (
	"context"
	"database/sql"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"
)

// GrantRequest asks for the permission to upload one object.
type GrantRequest struct {
	Key      string // object key, chosen by the caller, unique for each upload
	MinBytes int64
	MaxBytes int64
	Now      time.Time
	Expires  time.Time
	// Temporary makes the grant one of a security token, which the form must
	// carry too.
	Temporary bool
}

// Grant holds the form fields of an upload. All but Key are secret.
type Grant struct {
	Key           string
	AccessKeyID   string
	Policy        string // base64 text
	Signature     string
	SecurityToken string // empty unless Temporary
}

// Issue records a grant in tx. It also forgets grants that expired a day ago:
// until then a late upload hears that its policy expired.
func Issue(ctx context.Context, tx *sql.Tx, random io.Reader, req GrantRequest) (Grant, error) {
	ids := make([]byte, 46)
	if _, err := io.ReadFull(random, ids); err != nil {
		return Grant{}, fmt.Errorf("make upload grant: %w", err)
	}
	g := Grant{Key: req.Key, AccessKeyID: "LTAI" + strings.ToUpper(hex.EncodeToString(ids[:8]))}
	if req.Temporary {
		g.AccessKeyID = "STS." + hex.EncodeToString(ids[:8])
		g.SecurityToken = base64.StdEncoding.EncodeToString(ids[22:])
	}
	secret := hex.EncodeToString(ids[8:22])
	text, err := json.Marshal(map[string]any{
		"expiration": req.Expires.UTC().Format("2006-01-02T15:04:05.000Z"),
		"conditions": []any{
			map[string]string{"bucket": Bucket},
			[]string{"eq", "$key", req.Key},
			[]any{"content-length-range", req.MinBytes, req.MaxBytes},
		},
	})
	if err != nil {
		return Grant{}, fmt.Errorf("write upload policy: %w", err)
	}
	g.Policy = base64.StdEncoding.EncodeToString(text)
	g.Signature = sign(secret, g.Policy)
	_, err = tx.ExecContext(ctx, `DELETE FROM oss_grants WHERE expires_at < ?`, req.Now.Add(-24*time.Hour).UnixNano())
	if err != nil {
		return Grant{}, fmt.Errorf("forget old upload grants: %w", err)
	}
	_, err = tx.ExecContext(ctx, `INSERT INTO oss_grants (access_key_id, secret, security_token, expires_at) VALUES (?, ?, ?, ?)`,
		g.AccessKeyID, secret, g.SecurityToken, req.Expires.UnixNano())
	if err != nil {
		return Grant{}, fmt.Errorf("store upload grant: %w", err)
	}
	return g, nil
}
