package ciphers

import (
	"crypto/tls"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestGroup(t *testing.T) {
	require.Nil(t, Group("", ""), "nothing is limited")
	require.Contains(t, Group("all", ""), uint16(tls.TLS_RSA_WITH_AES_256_CBC_SHA))
	require.NotContains(t, Group("strict", ""), uint16(tls.TLS_RSA_WITH_AES_256_CBC_SHA))
	require.Equal(t, []uint16{tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256, tls.TLS_RSA_WITH_AES_256_CBC_SHA, tls.TLS_ECDHE_RSA_WITH_RC4_128_SHA},
		Group("custom", "ecdhe-rsa-aes128-gcm-sha256, AES256-SHA:TLS_ECDHE_RSA_WITH_RC4_128_SHA ECDHE-RSA-AES256-SHA384"))
	require.Equal(t, []uint16{}, Group("custom", "none"), "none that is known is none")
}
