package esa

import (
	"context"
	"log/slog"

	"github.com/aliyun/credentials-go/credentials"
)

// Credential is one set of keys. It prints as its source alone.
type Credential struct {
	AccessKeyID     string
	AccessKeySecret string
	SecurityToken   string // set for temporary (STS) keys
	// Source says where it came from; it is no secret.
	Source string
}

// String names the source and nothing else.
func (c Credential) String() string { return "credential from " + c.Source }

// GoString is String, for %#v.
func (c Credential) GoString() string { return c.String() }

// LogValue is String, for slog.
func (c Credential) LogValue() slog.Value { return slog.StringValue(c.String()) }

// MarshalJSON keeps the keys out of JSON.
func (c Credential) MarshalJSON() ([]byte, error) { return []byte(`"(hidden)"`), nil }

// secrets are the texts that no message may hold.
func (c Credential) secrets() []string {
	return []string{c.AccessKeySecret, c.SecurityToken, c.AccessKeyID}
}

// Credentials give the keys that sign a call. Implementations are safe for
// concurrent use and refresh temporary keys by themselves.
type Credentials interface {
	// Credential returns keys that are valid now. Its error is an *Error if
	// it says what to do; it never holds a key.
	Credential(ctx context.Context) (Credential, error)
}

// StaticCredentials are fixed keys, such as those of a local ESA. The token is
// empty unless the keys are temporary.
func StaticCredentials(accessKeyID, accessKeySecret, securityToken string) Credentials {
	return static{Credential{
		AccessKeyID: accessKeyID, AccessKeySecret: accessKeySecret,
		SecurityToken: securityToken, Source: "static",
	}}
}

type static struct{ c Credential }

func (s static) Credential(context.Context) (Credential, error) { return s.c, nil }

// signer hands one credential to the API library.
type signer struct{ c Credential }

var _ credentials.Credential = signer{}

func (s signer) GetCredential() (*credentials.CredentialModel, error) {
	name := "static_ak"
	if s.c.SecurityToken != "" {
		name = "static_sts"
	}
	return &credentials.CredentialModel{
		AccessKeyId: &s.c.AccessKeyID, AccessKeySecret: &s.c.AccessKeySecret,
		SecurityToken: &s.c.SecurityToken, Type: s.GetType(), ProviderName: &name,
	}, nil
}

func (s signer) GetAccessKeyId() (*string, error)     { return &s.c.AccessKeyID, nil }
func (s signer) GetAccessKeySecret() (*string, error) { return &s.c.AccessKeySecret, nil }
func (s signer) GetSecurityToken() (*string, error)   { return &s.c.SecurityToken, nil }
func (s signer) GetBearerToken() *string              { return new(string) }

func (s signer) GetType() *string {
	kind := "access_key"
	if s.c.SecurityToken != "" {
		kind = "sts"
	}
	return &kind
}
