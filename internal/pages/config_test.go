package pages

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
)

func TestLoadConfig(t *testing.T) {
	full := Config{
		Name: "shop", Description: "see https://example.com/a//b /* not a comment */", Entry: "src/index.ts",
		Assets: AssetsConfig{Directory: "dist", NotFoundStrategy: SinglePageApplication},
	}
	jsonc := `// https://example.com
{
  "name": "shop", /* the name */
  "description": "see https://example.com/a//b /* not a comment */",
  "entry": "./src/index.ts",
  "assets": {"directory": "./dist/", "notFoundStrategy": "singlePageApplication",},
  "dev": {"port": 18080}, "installCommand": "npm i", "codeVersions": [1, {}],
}`
	toml := `name = "shop" # the name
description = "see https://example.com/a//b /* not a comment */"
entry = "src/index.ts"
codeVersions = []
[assets]
directory = "dist"
notFoundStrategy = "SINGLEPAGEAPPLICATION"
[dev]
port = 18080
`
	tests := map[string]struct {
		files map[string]string
		want  Config
	}{
		"none":       {files: map[string]string{"package.json": "{}"}},
		"jsonc":      {files: map[string]string{"esa.jsonc": jsonc}, want: withFile(full, "esa.jsonc")},
		"toml":       {files: map[string]string{"esa.toml": toml}, want: withFile(full, "esa.toml")},
		"jsonc wins": {files: map[string]string{"esa.jsonc": `{"name":"a"}`, "esa.toml": `name = "b"`}, want: Config{File: "esa.jsonc", Name: "a"}},
		"nulls":      {files: map[string]string{"esa.jsonc": `{"name":null,"assets":null,"entry":null}`}, want: Config{File: "esa.jsonc"}},
		"mark":       {files: map[string]string{"esa.jsonc": "\ufeff{\"name\":\"名\"}"}, want: Config{File: "esa.jsonc", Name: "名"}},
		"mark toml":  {files: map[string]string{"esa.toml": "\ufeffname = '名'"}, want: Config{File: "esa.toml", Name: "名"}},
		"empty toml": {files: map[string]string{"esa.toml": ""}, want: Config{File: "esa.toml"}},
		"root as assets": {
			files: map[string]string{"esa.jsonc": `{"assets":{"directory":"./"}}`},
			want:  Config{File: "esa.jsonc", Assets: AssetsConfig{Directory: "."}},
		},
		"link inside": {
			files: map[string]string{"esa.jsonc": `{"assets":{"directory":"out"}}`, "build/x": "", "out": "-> build"},
			want:  Config{File: "esa.jsonc", Assets: AssetsConfig{Directory: "out"}},
		},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			got, err := LoadConfig(tree(t, tc.files))
			require.NoError(t, err)
			got.Dev = nil // TestDevPort
			require.Equal(t, tc.want, got)
		})
	}
}

func withFile(c Config, name string) Config {
	c.File = name
	return c
}

func TestLoadConfigRefuses(t *testing.T) {
	outside := t.TempDir()
	tests := map[string]struct {
		files map[string]string
		says  []string
	}{
		"broken":         {map[string]string{"esa.jsonc": "{\n  \"name\": oops\n}"}, []string{"esa.jsonc: not valid JSON with comments", "line 2, column 11"}},
		"empty":          {map[string]string{"esa.jsonc": ""}, []string{"esa.jsonc: not valid JSON"}},
		"wrong type":     {map[string]string{"esa.jsonc": "{\n  \"name\": 42\n}"}, []string{"esa.jsonc:2:13: name must be a string, not a number"}},
		"wrong nested":   {map[string]string{"esa.jsonc": `{"assets":{"directory":["a"]}}`}, []string{"assets.directory must be a string, not an array"}},
		"wrong assets":   {map[string]string{"esa.jsonc": `{"assets":"dist"}`}, []string{"assets must be an object, not a string"}},
		"no object":      {map[string]string{"esa.jsonc": `["name"]`}, []string{"esa.jsonc: must be an object in braces, not an array"}},
		"entry outside":  {map[string]string{"esa.jsonc": "{\n \"entry\": \"../x.js\"}"}, []string{`esa.jsonc:2:11: entry: "../x.js" is outside the project`}},
		"absolute":       {map[string]string{"esa.jsonc": `{"assets":{"directory":"/etc"}}`}, []string{`assets.directory: "/etc" is outside`}},
		"sneaky":         {map[string]string{"esa.toml": "[assets]\ndirectory = 'a/../../b'"}, []string{`esa.toml: assets.directory: "a/../../b" is outside`}},
		"link outside":   {map[string]string{"esa.jsonc": `{"assets":{"directory":"out"}}`, "out": "-> " + outside}, []string{`"out" is a link to ` + outside}},
		"strategy":       {map[string]string{"esa.jsonc": `{"assets":{"notFoundStrategy":"spa"}}`}, []string{`esa.jsonc:1:31: assets.notFoundStrategy: there is no not-found strategy "spa"`, "404Page"}},
		"toml broken":    {map[string]string{"esa.toml": "name = 'a'\nentry = oops"}, []string{"esa.toml:2:9"}},
		"toml type":      {map[string]string{"esa.toml": "\nname = 42"}, []string{"esa.toml:2:8: name"}},
		"toml duplicate": {map[string]string{"esa.toml": "name = 'a'\nname = 'b'"}, []string{"esa.toml:2:1: ", "name"}},
		"folder":         {map[string]string{"esa.jsonc/": ""}, []string{"read esa.jsonc: it is not a file"}},
		"large":          {map[string]string{"esa.jsonc": `{"name":"` + strings.Repeat("x", 70_000) + `"}`}, []string{"larger than 64 KB"}},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			_, err := LoadConfig(tree(t, tc.files))
			for _, s := range tc.says {
				require.ErrorContains(t, err, s)
			}
			require.NotContains(t, err.Error(), "\n")
		})
	}
	_, err := LoadConfig(filepath.Join(outside, "none"))
	require.ErrorIs(t, err, os.ErrNotExist)
}

func FuzzConfig(f *testing.F) {
	f.Add(true, `{"name":"a",/**/"entry":"src/../x.js","assets":{"directory":"./dist",}}`)
	f.Add(true, `{"entry":"\u0000"}`)
	f.Add(true, `{"assets":{"directory":"a/../..//b","notFoundStrategy":"404page"}}`)
	f.Add(false, "name = 'a'\n[assets]\ndirectory = 'x'\n[[x]]\na.b.c = 1979-05-27T07:32:00Z")
	f.Add(false, "assets.directory = \"\\u0000\"")
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, jsonc bool, text string) {
		name := ConfigTOML
		if jsonc {
			name = ConfigJSONC
		}
		c, err := parseConfig(dir, name, []byte(text))
		if err != nil {
			require.True(t, strings.HasPrefix(err.Error(), name+":"), err.Error())
			return
		}
		require.Equal(t, name, c.File)
		for _, p := range []string{c.Entry, c.Assets.Directory} {
			require.True(t, p == "" || filepath.IsLocal(filepath.FromSlash(p)), "%q", p)
			require.NotContains(t, p, "\x00")
		}
		_, err = ParseNotFoundStrategy(c.Assets.NotFoundStrategy)
		require.NoError(t, err)
		if utf8.ValidString(text) {
			require.True(t, utf8.ValidString(c.Name))
		}
	})
}

func TestDevPort(t *testing.T) {
	for name, c := range map[string]struct {
		file, text string
		want       int
		fails      bool
	}{
		"jsonc":     {"esa.jsonc", `{"dev":{"port":3000,"localUpstream":"x"}}`, 3000, false},
		"toml":      {"esa.toml", "[dev]\nport = 3000\n", 3000, false},
		"none":      {"esa.jsonc", `{"dev":{}}`, 0, false},
		"no object": {"esa.jsonc", `{"dev":true}`, 0, false},
		"text":      {"esa.jsonc", `{"dev":{"port":"3000"}}`, 0, true},
		"fraction":  {"esa.jsonc", `{"dev":{"port":1.5}}`, 0, true},
		"too large": {"esa.toml", "dev.port = 65536\n", 0, true},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			require.NoError(t, os.WriteFile(filepath.Join(dir, c.file), []byte(c.text), 0o644))
			config, err := LoadConfig(dir)
			require.NoError(t, err, "a deployment does not fail for it")
			port, err := config.DevPort()
			require.Equal(t, c.want, port)
			if require.Equal(t, c.fails, err != nil); c.fails {
				require.ErrorContains(t, err, c.file+": dev.port")
			}
		})
	}
}
