package gateway

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestActionOfAnotherVersion(t *testing.T) {
	cfg := testConfig()
	cfg.Table["AuthorizeFileUpload"] = echo
	cfg.Versions = map[string]string{"AuthorizeFileUpload": "2019-12-19"}
	g := New(cfg)
	version := func(v string) map[string]string { return map[string]string{"x-acs-version": v} }
	require.Equal(t, 200, send(t, g, call{action: "AuthorizeFileUpload", headers: version("2019-12-19")}.request()).status)
	require.Equal(t, "InvalidVersion", send(t, g, call{action: "AuthorizeFileUpload"}.request()).body["Code"])
	require.Equal(t, "InvalidVersion", send(t, g, call{action: "ListSites", headers: version("2019-12-19")}.request()).body["Code"])
}
