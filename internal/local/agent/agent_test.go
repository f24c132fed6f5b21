package agent

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestRead(t *testing.T) {
	const windows, mac = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) ", "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) "
	for header, want := range map[string]Agent{
		"": {"Other", "Other", "Other"},
		windows + "Chrome/126.0.0.0 Safari/537.36":                                                                              {"Chrome", "Windows", "Desktop"},
		windows + "Chrome/126.0.0.0 Safari/537.36 Edg/126.0.0.0":                                                                {"Edge", "Windows", "Desktop"},
		windows + "Chrome/126.0.0.0 Safari/537.36 OPR/112.0.0.0":                                                                {"Opera", "Windows", "Desktop"},
		mac + "AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Safari/605.1.15":                                           {"Safari", "macOS", "Desktop"},
		mac + "Gecko/20100101 Firefox/127.0":                                                                                    {"Firefox", "macOS", "Desktop"},
		"Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 Version/17.5 Mobile/15E148 Safari/604.1":   {"Safari", "iOS", "Mobile"},
		"Mozilla/5.0 (iPad; CPU OS 17_5 like Mac OS X) AppleWebKit/605.1.15 Version/17.5 Mobile/15E148 Safari/604.1":            {"Safari", "iOS", "Tablet"},
		"Mozilla/5.0 (Linux; Android 14; Pixel 8) AppleWebKit/537.36 Chrome/126.0.0.0 Mobile Safari/537.36":                     {"Chrome", "Android", "Mobile"},
		"Mozilla/5.0 (Linux; Android 14; x) AppleWebKit/537.36 Chrome/126.0.0.0 Mobile Safari/537.36 MicroMessenger/8.0.49.260": {"WeChat", "Android", "Mobile"},
		"Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)":                                              {"Bot", "Other", "Other"},
		"Mozilla/5.0 (compatible; Baiduspider/2.0; +http://www.baidu.com/search/spider.html)":                                   {"Bot", "Other", "Other"},
		"curl/8.5.0":         {"curl", "Other", "Other"},
		"Go-http-client/1.1": {"Go-http-client", "Other", "Other"},
		"Mozilla/5.0":        {"Other", "Other", "Other"},
	} {
		require.Equal(t, want, Read(header), header)
	}
}

func FuzzRead(f *testing.F) {
	f.Add("Mozilla/5.0 (X11; Linux x86_64; rv:127.0) Gecko/20100101 Firefox/127.0")
	f.Add("(((;/")
	f.Fuzz(func(t *testing.T, header string) {
		a := Read(header)
		require.NotEmpty(t, a.Browser)
		require.NotEmpty(t, a.System)
		require.Contains(t, []string{"Desktop", "Mobile", "Tablet", "Other"}, a.Device)
	})
}
