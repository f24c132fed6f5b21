package esa

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/aliyun/credentials-go/credentials/providers"
)

// provider gives keys; those of credentials-go are ones. It is not safe for
// concurrent use.
type provider interface {
	GetCredentials() (*providers.Credentials, error)
}

// source is one place to look for credentials.
type source struct {
	name  string
	limit time.Duration // for one look
	// open returns nil and the reason if there is nothing to look at, and an
	// error if what is there is plainly a mistake.
	open func() (provider, string, error)
}

// Time limits: files take none, STS is a call over the internet, and the
// metadata service of a virtual machine answers at once or is not there.
const (
	stsLimit      = 15 * time.Second
	metadataLimit = 1500 * time.Millisecond
)

// EnvironmentCredentials look where Alibaba Cloud's tools do: the environment
// variables ALIBABACLOUD_*, ALIBABA_CLOUD_* and ALICLOUD_*, OIDC, the profiles
// of ~/.alibabacloud/credentials and ~/.aliyun/config.json, a credentials URI
// and the RAM role of the machine. Nothing is looked at before the first call.
// The first source that gives keys is kept.
func EnvironmentCredentials() Credentials { return newChain(environmentSources()) }

// chain asks sources in turn.
type chain struct {
	sources []source
	// busy holds a token while somebody looks: providers are not safe for
	// concurrent use. A channel, so that waiting can be cancelled.
	busy   chan struct{}
	chosen provider // guarded by busy
	from   source
}

func newChain(sources []source) *chain {
	return &chain{sources: sources, busy: make(chan struct{}, 1)}
}

// Credential implements Credentials.
func (c *chain) Credential(ctx context.Context) (Credential, error) {
	select {
	case c.busy <- struct{}{}:
	case <-ctx.Done():
		return Credential{}, ctx.Err()
	}
	type found struct {
		c   Credential
		err error
	}
	done := make(chan found, 1)
	// The providers know no context. The token stays with the look, so that
	// one that was given up on cannot meet the next.
	go func() {
		defer func() { <-c.busy }()
		cred, err := c.look()
		done <- found{cred, err}
	}()
	select {
	case f := <-done:
		return f.c, f.err
	case <-ctx.Done():
		return Credential{}, ctx.Err()
	}
}

func (c *chain) look() (Credential, error) {
	if c.chosen != nil {
		cred, err := ask(c.chosen, c.from)
		if err != nil {
			if errors.Is(err, errNoAnswer) {
				c.chosen = nil // it is still at work: leave it alone
			}
			return Credential{}, &Error{Code: CodeNoCredentials, Retryable: true,
				Message: fmt.Sprintf("%s gave no credentials this time: %s", c.from.name, reason(err))}
		}
		return cred, nil
	}
	var tried []string
	for _, s := range c.sources {
		p, why, err := s.open()
		if err != nil {
			return Credential{}, &Error{Code: CodeNoCredentials, Message: err.Error()}
		}
		if p == nil {
			tried = append(tried, s.name+": "+why)
			continue
		}
		cred, err := ask(p, s)
		if err == nil {
			c.chosen, c.from = p, s
			return cred, nil
		}
		tried = append(tried, s.name+": "+reason(err))
	}
	return Credential{}, &Error{
		Code:    CodeNoCredentials,
		Message: "no Alibaba Cloud credentials found. Tried: " + strings.Join(tried, "; "),
		Hint: "Set ALIBABA_CLOUD_ACCESS_KEY_ID and ALIBABA_CLOUD_ACCESS_KEY_SECRET in the environment of this server " +
			"(and ALIBABA_CLOUD_SECURITY_TOKEN for temporary keys), or write a profile with `aliyun configure`. " +
			"To work without an account, start with --local.",
	}
}

var errNoAnswer = errors.New("no answer in time")

// ask bounds one look at a provider.
func ask(p provider, s source) (Credential, error) {
	if s.limit == 0 {
		return convert(p, s)
	}
	type answer struct {
		c   Credential
		err error
	}
	done := make(chan answer, 1)
	go func() {
		c, err := convert(p, s)
		done <- answer{c, err}
	}()
	timer := time.NewTimer(s.limit)
	defer timer.Stop()
	select {
	case a := <-done:
		return a.c, a.err
	case <-timer.C:
		return Credential{}, errNoAnswer
	}
}

func convert(p provider, s source) (Credential, error) {
	cc, err := p.GetCredentials()
	if err != nil {
		return Credential{}, err
	}
	if cc == nil || cc.AccessKeyId == "" || cc.AccessKeySecret == "" {
		return Credential{}, errors.New("gave none")
	}
	return Credential{AccessKeyID: cc.AccessKeyId, AccessKeySecret: cc.AccessKeySecret,
		SecurityToken: cc.SecurityToken, Source: s.name}, nil
}

// stsCode is the error code in an answer of STS.
var stsCode = lazyRegexp(`"Code"\s*:\s*"([A-Za-z.]{3,60})"`)

// reason says why a source gave nothing. The library's own text is never shown:
// it may quote a whole configuration file.
func reason(err error) string {
	text := err.Error()
	code := stsCode().FindStringSubmatch(text)
	switch {
	case errors.Is(err, errNoAnswer):
		return "no answer in time"
	case code != nil:
		return "refused with " + code[1]
	case strings.Contains(text, "unable to get profile"):
		return "has no profile of the name that ALIBABA_CLOUD_PROFILE or its \"current\" says"
	case strings.Contains(text, "unsupported profile mode"):
		return "the profile's mode is not supported: use AK, RamRoleArn, EcsRamRole, OIDC or ChainableRamRoleArn"
	case strings.Contains(text, "Can not load section"):
		return "has no section [default], or none of the name in ALIBABA_CLOUD_PROFILE"
	case strings.Contains(text, "100.100.100.200"), strings.Contains(text, "get role name failed"):
		return "not on a machine with a RAM role"
	default:
		return "present but not usable"
	}
}

func environmentSources() []source {
	return []source{
		familySource("ALIBABACLOUD"), familySource("ALIBABA_CLOUD"), familySource("ALICLOUD"),
		{"OIDC", stsLimit, openOIDC},
		{"~/.alibabacloud/credentials", stsLimit, openProfile},
		{"~/.aliyun/config.json", stsLimit, openCLIProfile},
		{"ALIBABA_CLOUD_CREDENTIALS_URI", stsLimit, openURI},
		{"RAM role of this machine", metadataLimit, openMetadata},
	}
}

// keys is a provider of fixed keys.
type keys struct{ c providers.Credentials }

func (k keys) GetCredentials() (*providers.Credentials, error) { return &k.c, nil }

// familySource reads one family of variables. Half a pair is a mistake, and to
// go on to the next source would hide it.
func familySource(family string) source {
	return source{"environment " + family + "_*", 0, func() (provider, string, error) {
		id, idName := firstSet(family+"_ACCESS_KEY_ID", family+"_ACCESS_KEY")
		secret, secretName := firstSet(family+"_ACCESS_KEY_SECRET", family+"_SECRET_KEY")
		token, _ := firstSet(family + "_SECURITY_TOKEN")
		switch {
		case id == "" && secret == "":
			return nil, family + "_ACCESS_KEY_ID is not set", nil
		case secret == "":
			return nil, "", fmt.Errorf("%s is set but %s_ACCESS_KEY_SECRET is not: set both or neither", idName, family)
		case id == "":
			return nil, "", fmt.Errorf("%s is set but %s_ACCESS_KEY_ID is not: set both or neither", secretName, family)
		}
		return keys{providers.Credentials{AccessKeyId: id, AccessKeySecret: secret, SecurityToken: token}}, "", nil
	}}
}

func firstSet(names ...string) (value, name string) {
	for _, n := range names {
		if v := strings.TrimSpace(os.Getenv(n)); v != "" {
			return v, n
		}
	}
	return "", ""
}

func openOIDC() (provider, string, error) {
	if os.Getenv("ALIBABA_CLOUD_OIDC_TOKEN_FILE") == "" {
		return nil, "ALIBABA_CLOUD_OIDC_TOKEN_FILE is not set", nil
	}
	p, err := providers.NewOIDCCredentialsProviderBuilder().Build()
	if err != nil {
		return nil, "needs ALIBABA_CLOUD_OIDC_PROVIDER_ARN and ALIBABA_CLOUD_ROLE_ARN too", nil
	}
	return p, "", nil
}

func openProfile() (provider, string, error) {
	if why := noFile("ALIBABA_CLOUD_CREDENTIALS_FILE", ".alibabacloud", "credentials"); why != "" {
		return nil, why, nil
	}
	p, err := providers.NewProfileCredentialsProviderBuilder().Build()
	if err != nil {
		return nil, "not usable", nil
	}
	return p, "", nil
}

func openCLIProfile() (provider, string, error) {
	if why := noFile("ALIBABA_CLOUD_CONFIG_FILE", ".aliyun", "config.json"); why != "" {
		return nil, why, nil
	}
	p, err := providers.NewCLIProfileCredentialsProviderBuilder().Build()
	if err != nil {
		return nil, "turned off by ALIBABA_CLOUD_CLI_PROFILE_DISABLED", nil
	}
	return p, "", nil
}

func openURI() (provider, string, error) {
	if os.Getenv("ALIBABA_CLOUD_CREDENTIALS_URI") == "" {
		return nil, "not set", nil
	}
	p, err := providers.NewURLCredentialsProviderBuilder().Build()
	if err != nil {
		return nil, "not usable", nil
	}
	return p, "", nil
}

func openMetadata() (provider, string, error) {
	p, err := providers.NewECSRAMRoleCredentialsProviderBuilder().
		WithHttpOptions(&providers.HttpOptions{ConnectTimeout: 300, ReadTimeout: 700}). // milliseconds
		Build()
	if err != nil {
		return nil, "turned off by ALIBABA_CLOUD_ECS_METADATA_DISABLED", nil
	}
	return p, "", nil
}

// noFile says why a profile file cannot be read, or nothing if it is there.
func noFile(variable string, home ...string) string {
	path := os.Getenv(variable)
	if path == "" {
		dir, err := os.UserHomeDir()
		if err != nil {
			return "no home directory"
		}
		path = filepath.Join(append([]string{dir}, home...)...)
	}
	switch _, err := os.Stat(path); {
	case err == nil:
		return ""
	case os.IsNotExist(err):
		return "no such file"
	default:
		return "cannot be read"
	}
}
