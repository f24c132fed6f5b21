package esa

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestEndpoint(t *testing.T) {
	for _, c := range []struct{ endpoint, region, want, fails string }{
		{"", "", "https://esa.cn-hangzhou.aliyuncs.com", ""},
		{"", "cn-hangzhou", "https://esa.cn-hangzhou.aliyuncs.com", ""},
		{"", "ap-southeast-1", "https://esa.ap-southeast-1.aliyuncs.com", ""},
		{"", "cn-shanghai", "https://esa.cn-hangzhou.aliyuncs.com", ""},
		{"", "x/../y", "https://esa.cn-hangzhou.aliyuncs.com", ""},
		{"esa.ap-southeast-1.aliyuncs.com", "cn-hangzhou", "https://esa.ap-southeast-1.aliyuncs.com", ""},
		{" https://ESA.example.com/ ", "", "https://esa.example.com", ""},
		{"https://esa.example.com:8443", "", "https://esa.example.com:8443", ""},
		{"http://127.0.0.1:4001", "", "http://127.0.0.1:4001", ""},
		{"http://[::1]:4001", "", "http://[::1]:4001", ""},
		{"http://localhost:4001", "", "http://localhost:4001", ""},
		{"http://esa.localhost:4001", "", "http://esa.localhost:4001", ""},
		{"https://127.0.0.1:4001", "", "https://127.0.0.1:4001", ""},
		{"http://esa.example.com", "", "", "use https://"},
		{"http://127.0.0.1.example.com", "", "", "use https://"},
		{"http://10.0.0.1:80", "", "", "use https://"},
		{"127.0.0.1:4001", "", "", "http://127.0.0.1:4001"},
		{"esa..aliyuncs.com", "", "", "empty label"},
		{"https://.aliyuncs.com", "", "", "empty label"},
		{"cn-hangzhou", "", "", "not a host name"},
		{"https://", "", "", "names no host"},
		{"https://:443", "", "", "names no host"},
		{"ftp://esa.example.com", "", "", "scheme"},
		{"https://esa.example.com/path", "", "", "host alone"},
		{"https://esa.example.com?x=1", "", "", "host alone"},
		{"https://esa.example.com:0", "", "", "port"},
		{"https://esa.example.com:99999", "", "", "port"},
		{"https://esa.example.com:x", "", "", "port"},
		{"https://esa example.com", "", "", "character"},
	} {
		got, err := endpointFor(c.endpoint, c.region)
		if c.fails != "" {
			require.ErrorContains(t, err, c.fails, "%q", c.endpoint)
			continue
		}
		require.NoError(t, err, "%q", c.endpoint)
		require.Equal(t, c.want, got.String())
	}
}

func TestEndpointErrorHidesPassword(t *testing.T) {
	_, err := New(Config{Endpoint: "https://user:pass-word@esa.example.com"})
	require.Error(t, err)
	require.NotContains(t, err.Error(), "pass-word")
}

func TestRegionFromEnvironment(t *testing.T) {
	for _, name := range []string{"ALIBABACLOUD_REGION_ID", "ALIBABA_CLOUD_REGION_ID", "ALIBABA_CLOUD_REGION",
		"ALICLOUD_REGION_ID", "ALICLOUD_REGION"} {
		t.Setenv(name, "")
	}
	c, err := New(Config{})
	require.NoError(t, err)
	require.Equal(t, "cn-hangzhou", c.Region())
	t.Setenv("ALICLOUD_REGION", "ap-southeast-1")
	c, err = New(Config{})
	require.NoError(t, err)
	require.Equal(t, "https://esa.ap-southeast-1.aliyuncs.com", c.Endpoint())
	t.Setenv("ALIBABACLOUD_REGION_ID", "cn-shanghai")
	c, err = New(Config{})
	require.NoError(t, err)
	require.Equal(t, "cn-shanghai", c.Region())
	require.Equal(t, "https://esa.cn-hangzhou.aliyuncs.com", c.Endpoint())
}

func TestOpenPlatformEndpoint(t *testing.T) {
	c := testClient(t, "")
	require.Equal(t, "https://openplatform.aliyuncs.com", c.openPlatform.String())
	c = testClient(t, "http://127.0.0.1:4001")
	require.Equal(t, "http://127.0.0.1:4001", c.openPlatform.String())
	c = testClient(t, "", func(cfg *Config) { cfg.OpenPlatform = "http://localhost:1" })
	require.Equal(t, "http://localhost:1", c.openPlatform.String())
}

func FuzzParseEndpoint(f *testing.F) {
	for _, s := range []string{"", "esa.cn-hangzhou.aliyuncs.com", "http://127.0.0.1:1", "https://[::1]", "http://a@b", "://"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		got, err := parseEndpoint(text)
		if err != nil {
			return
		}
		if got.scheme == "http" && !isLoopback(hostname(got.host)) {
			t.Fatalf("%q gives plain http to %q", text, got.host)
		}
		again, err := parseEndpoint(got.String())
		if err != nil || again != got {
			t.Fatalf("%q gives %v, which gives %v, %v", text, got, again, err)
		}
	})
}
