package main

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestPlainJSON(t *testing.T) {
	for _, text := range []string{"", "a & b <c> \u2028 \" \\ \\u0026 \n é", `\`, `C:\u0026`, "\x00"} {
		escaped, err := json.Marshal(map[string]string{"k": text})
		require.NoError(t, err)
		plain := plainJSON(escaped)
		var back map[string]string
		require.NoError(t, json.Unmarshal(plain, &back), "%s", plain)
		require.Equal(t, text, back["k"])
	}
	require.Equal(t, `{"k":"a & <b>\\u0026"}`, string(plainJSON([]byte(`{"k":"a \u0026 \u003cb\u003e\\u0026"}`))))
	require.Equal(t, `\u00`, string(plainJSON([]byte(`\u00`))), "what is cut off stays")
}
