package main

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func FuzzDevKV(f *testing.F) {
	for _, seed := range []string{`{"a":{"b":"c","d":[1, 2],"e":null}}`, `{"a":null}`, `null`, "{\n\"a\":", `{"a":3}`, ""} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		a, err := parseKV(text)
		if err != nil {
			require.Contains(t, err.Error(), kvFile)
			return
		}
		for i, n := range a.Namespaces {
			require.True(t, i == 0 || a.Namespaces[i-1].Name < n.Name)
		}
	})
}
