package esa

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/aliyun/credentials-go/credentials/providers"
	"github.com/stretchr/testify/require"
)

// noEnvironment clears whatever could give credentials, and returns the home
// directory.
func noEnvironment(t *testing.T) string {
	for _, family := range []string{"ALIBABACLOUD", "ALIBABA_CLOUD", "ALICLOUD"} {
		for _, name := range []string{"ACCESS_KEY_ID", "ACCESS_KEY_SECRET", "SECURITY_TOKEN", "ACCESS_KEY", "SECRET_KEY"} {
			t.Setenv(family+"_"+name, "")
		}
	}
	for _, name := range []string{"OIDC_TOKEN_FILE", "CREDENTIALS_FILE", "CONFIG_FILE", "CREDENTIALS_URI", "PROFILE", "CLI_PROFILE_DISABLED"} {
		t.Setenv("ALIBABA_CLOUD_"+name, "")
	}
	t.Setenv("ALIBABA_CLOUD_ECS_METADATA_DISABLED", "true")
	home := t.TempDir()
	t.Setenv("HOME", home)
	t.Setenv("USERPROFILE", home)
	return home
}

func writeHome(t *testing.T, home, name, text string) {
	t.Helper()
	path := filepath.Join(home, name)
	require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o700))
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
}

func TestCredentialsFromEnvironment(t *testing.T) {
	for name, c := range map[string]struct {
		env  map[string]string
		want Credential
	}{
		"ALIBABACLOUD": {map[string]string{"ALIBABACLOUD_ACCESS_KEY_ID": "i", "ALIBABACLOUD_ACCESS_KEY_SECRET": "s"},
			Credential{"i", "s", "", "environment ALIBABACLOUD_*"}},
		"ALIBABA_CLOUD with token": {map[string]string{"ALIBABA_CLOUD_ACCESS_KEY_ID": "i", "ALIBABA_CLOUD_ACCESS_KEY_SECRET": " s\n",
			"ALIBABA_CLOUD_SECURITY_TOKEN": "t"}, Credential{"i", "s", "t", "environment ALIBABA_CLOUD_*"}},
		"ALICLOUD": {map[string]string{"ALICLOUD_ACCESS_KEY_ID": "i", "ALICLOUD_ACCESS_KEY_SECRET": "s"},
			Credential{"i", "s", "", "environment ALICLOUD_*"}},
		"ALICLOUD as Terraform has it": {map[string]string{"ALICLOUD_ACCESS_KEY": "i", "ALICLOUD_SECRET_KEY": "s"},
			Credential{"i", "s", "", "environment ALICLOUD_*"}},
		"the first family wins": {map[string]string{"ALIBABACLOUD_ACCESS_KEY_ID": "a", "ALIBABACLOUD_ACCESS_KEY_SECRET": "b",
			"ALICLOUD_ACCESS_KEY_ID": "c", "ALICLOUD_ACCESS_KEY_SECRET": "d"}, Credential{"a", "b", "", "environment ALIBABACLOUD_*"}},
	} {
		t.Run(name, func(t *testing.T) {
			noEnvironment(t)
			for k, v := range c.env {
				t.Setenv(k, v)
			}
			got, err := EnvironmentCredentials().Credential(t.Context())
			require.NoError(t, err)
			require.Equal(t, c.want, got)
		})
	}
}

func TestCredentialsFromProfiles(t *testing.T) {
	home := noEnvironment(t)
	writeHome(t, home, ".aliyun/config.json", `{"current":"p","profiles":[{"name":"p","mode":"AK","access_key_id":"ci","access_key_secret":"cs"}]}`)
	chain := EnvironmentCredentials()
	got, err := chain.Credential(t.Context())
	require.NoError(t, err)
	require.Equal(t, Credential{"ci", "cs", "", "~/.aliyun/config.json"}, got)

	writeHome(t, home, ".alibabacloud/credentials", "[default]\ntype = access_key\naccess_key_id = pi\naccess_key_secret = ps\n")
	got, err = EnvironmentCredentials().Credential(t.Context())
	require.NoError(t, err)
	require.Equal(t, Credential{"pi", "ps", "", "~/.alibabacloud/credentials"}, got)

	again, err := chain.Credential(t.Context())
	require.NoError(t, err)
	require.Equal(t, "ci", again.AccessKeyID, "a source that gave keys is kept")
}

func TestHalfAPair(t *testing.T) {
	noEnvironment(t)
	t.Setenv("ALIBABACLOUD_ACCESS_KEY_ID", "half-a-pair")
	t.Setenv("ALICLOUD_ACCESS_KEY_ID", "i")
	t.Setenv("ALICLOUD_ACCESS_KEY_SECRET", "s")
	_, err := EnvironmentCredentials().Credential(t.Context())
	e := failure(t, err)
	require.Equal(t, CodeNoCredentials, e.Code)
	require.Equal(t, "ALIBABACLOUD_ACCESS_KEY_ID is set but ALIBABACLOUD_ACCESS_KEY_SECRET is not: set both or neither", e.Message)
	t.Setenv("ALIBABACLOUD_ACCESS_KEY_ID", "")
	t.Setenv("ALIBABACLOUD_ACCESS_KEY_SECRET", testSecret)
	e = failure(t, second(EnvironmentCredentials().Credential(t.Context())))
	require.Contains(t, e.Message, "ALIBABACLOUD_ACCESS_KEY_ID is not")
}

func TestNoCredentials(t *testing.T) {
	home := noEnvironment(t)
	// The library quotes a file that it cannot parse.
	writeHome(t, home, ".aliyun/config.json", `{"profiles": "`+testSecret+`"`)
	writeHome(t, home, ".alibabacloud/credentials", "["+testSecret+"]\n")
	server := newCapture(t)
	client := testClient(t, server.URL, func(cfg *Config) { cfg.Credentials = nil })
	e := failure(t, second(client.Call(t.Context(), "GetErService", nil)))
	require.Equal(t, CodeNoCredentials, e.Code)
	require.Equal(t, "GetErService", e.Action)
	for _, source := range []string{"environment ALIBABACLOUD_*", "environment ALIBABA_CLOUD_*", "environment ALICLOUD_*", "OIDC",
		"~/.alibabacloud/credentials: has no section", "~/.aliyun/config.json: present but not usable", "ALIBABA_CLOUD_CREDENTIALS_URI", "RAM role"} {
		require.Contains(t, e.Message, source)
	}
	require.Contains(t, e.Hint, "ALIBABA_CLOUD_ACCESS_KEY_ID")
	require.Contains(t, e.Hint, "--local")
	require.Zero(t, server.count())

	// Keys that are set later are found: nothing was remembered.
	t.Setenv("ALIBABA_CLOUD_ACCESS_KEY_ID", testKeyID)
	t.Setenv("ALIBABA_CLOUD_ACCESS_KEY_SECRET", testSecret)
	require.NoError(t, second(client.Call(t.Context(), "GetErService", nil)))
}

type providerFunc func() (*providers.Credentials, error)

func (f providerFunc) GetCredentials() (*providers.Credentials, error) { return f() }

func fakeSource(name string, limit time.Duration, f providerFunc) source {
	return source{name, limit, func() (provider, string, error) { return f, "", nil }}
}

// A metadata service that does not answer must not hold a call up.
func TestSlowSourceIsLeft(t *testing.T) {
	hang := make(chan struct{})
	defer close(hang)
	c := newChain([]source{
		fakeSource("slow", 10*time.Millisecond, func() (*providers.Credentials, error) { <-hang; return nil, errors.New("late") }),
		fakeSource("next", 0, func() (*providers.Credentials, error) {
			return &providers.Credentials{AccessKeyId: "i", AccessKeySecret: "s"}, nil
		}),
	})
	got, err := c.Credential(t.Context())
	require.NoError(t, err)
	require.Equal(t, "next", got.Source)

	c = newChain([]source{fakeSource("slow", 10*time.Millisecond, func() (*providers.Credentials, error) { <-hang; return nil, nil })})
	require.Contains(t, failure(t, second(c.Credential(t.Context()))).Message, "slow: no answer in time")
}

func TestLookingForCredentialsCanBeCancelled(t *testing.T) {
	hang := make(chan struct{})
	started := make(chan struct{}, 2)
	c := newChain([]source{fakeSource("slow", 0, func() (*providers.Credentials, error) {
		started <- struct{}{}
		<-hang
		return &providers.Credentials{AccessKeyId: "i", AccessKeySecret: "s"}, nil
	})})
	client := testClient(t, nobody, func(cfg *Config) { cfg.Credentials = c })
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	go func() { done <- second(client.Call(ctx, "GetErService", nil)) }()
	<-started
	cancel()
	require.Equal(t, CodeCanceled, failure(t, <-done).Code)
	// Another call waits for the look that is still under way, until it gives up.
	ctx2, cancel2 := context.WithCancel(t.Context())
	cancel2()
	require.ErrorIs(t, second(c.Credential(ctx2)), context.Canceled)
	close(hang)
	require.NoError(t, second(c.Credential(t.Context())))
}

// Providers are not safe for concurrent use, so only one call is in them.
func TestProvidersAreUsedOneAtATime(t *testing.T) {
	count := 0 // the race detector watches it
	c := newChain([]source{fakeSource("s", time.Minute, func() (*providers.Credentials, error) {
		count++
		return &providers.Credentials{AccessKeyId: "i", AccessKeySecret: fmt.Sprint("s", count)}, nil
	})})
	var all sync.WaitGroup
	for range 10 {
		all.Go(func() {
			if _, err := c.Credential(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	require.Equal(t, 10, count)
}

func TestChosenSourceThatFails(t *testing.T) {
	fail := false
	c := newChain([]source{fakeSource("role", 0, func() (*providers.Credentials, error) {
		if fail {
			return nil, errors.New(`refresh failed: {"Code":"NoPermission","Secret":"` + testSecret + `"}`)
		}
		return &providers.Credentials{AccessKeyId: "i", AccessKeySecret: "s"}, nil
	})})
	require.NoError(t, second(c.Credential(t.Context())))
	fail = true
	e := failure(t, second(c.Credential(t.Context())))
	require.Equal(t, "role gave no credentials this time: refused with NoPermission", e.Message)
	fail = false
	require.NoError(t, second(c.Credential(t.Context())))
}

func TestCredentialDoesNotPrint(t *testing.T) {
	c := Credential{testKeyID, testSecret, "token-secret", "static"}
	raw, err := json.Marshal(c)
	require.NoError(t, err)
	for _, text := range []string{fmt.Sprint(c), fmt.Sprintf("%v %+v %#v %s", c, c, c, c), string(raw), c.LogValue().String()} {
		require.NotContains(t, text, testKeyID)
		require.NotContains(t, text, testSecret)
		require.NotContains(t, text, "token-secret")
	}
}
