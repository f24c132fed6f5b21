package pages

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/netip"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/pelletier/go-toml/v2"
	"github.com/tailscale/hujson"
)

// Names of a project's configuration file; the first one present is read.
const (
	ConfigJSONC = "esa.jsonc"
	ConfigTOML  = "esa.toml"
)

// Answers of ESA to a path that is no asset, as the API spells them.
const (
	SinglePageApplication = "SinglePageApplication" // /index.html with status 200
	NotFoundPage          = "404Page"               // /404.html with status 404
)

// maxConfigSize is far above any real configuration and keeps a wrong file
// from being parsed.
const maxConfigSize = 64 << 10

// Config is what a project's esa.jsonc or esa.toml says. Keys that only other
// tools read are left out.
type Config struct {
	// File is the name of the file that was read; empty if there is none.
	File string `json:"-" toml:"-"`
	// Name is the routine's name. It has not been checked.
	Name        string `json:"name" toml:"name"`
	Description string `json:"description" toml:"description"`
	// Entry is the routine's entry file, relative to the project, with slashes.
	Entry  string       `json:"entry" toml:"entry"`
	Assets AssetsConfig `json:"assets" toml:"assets"`
	// Dev is what the project says about its development server, unchecked: a
	// deployment does not fail for it. DevPort reads it.
	Dev any `json:"dev" toml:"dev"`
}

// DevPort is the port that the project wants to be developed on: dev.port, 0 if
// there is none.
func (c Config) DevPort() (int, error) {
	dev, _ := c.Dev.(map[string]any)
	port := 0
	switch v := dev["port"].(type) {
	case nil:
		return 0, nil
	case float64:
		if v == float64(int(v)) {
			port = int(v)
		}
	case int64:
		port = int(v)
	}
	if port < 1 || port > 65535 {
		return 0, fmt.Errorf("%s: dev.port must be a number from 1 to 65535, not %v", c.File, dev["port"])
	}
	return port, nil
}

// DevUpstream is the origin that the project is developed against:
// dev.localUpstream, nil if there is none. A name without a scheme is https, or
// http if it means this machine. Addresses by number are refused, as edge
// functions cannot fetch them.
func (c Config) DevUpstream() (*url.URL, error) {
	dev, _ := c.Dev.(map[string]any)
	text, isText := dev["localUpstream"].(string)
	if dev["localUpstream"] == nil || text == "" && isText {
		return nil, nil
	}
	u, err := ParseUpstream(text)
	if err != nil || !isText {
		return nil, fmt.Errorf("%s: dev.localUpstream must be an origin such as https://www.example.com or localhost:3000, not %v", c.File, dev["localUpstream"])
	}
	return u, nil
}

// ParseUpstream reads an origin as DevUpstream does.
func ParseUpstream(text string) (*url.URL, error) {
	whole := text
	if !strings.Contains(text, "://") {
		whole = "https://" + text
	}
	u, err := url.Parse(whole)
	if err != nil {
		return nil, err
	}
	name := strings.ToLower(u.Hostname())
	_, notNumber := netip.ParseAddr(name)
	if name == "" || notNumber == nil || u.User != nil || u.RawQuery != "" || u.Fragment != "" || u.Path != "" && u.Path != "/" ||
		u.Scheme != "http" && u.Scheme != "https" {
		return nil, errors.New("it must be an origin by name, such as https://www.example.com or localhost:3000")
	}
	if whole != text && (name == "localhost" || strings.HasSuffix(name, ".localhost")) {
		u.Scheme = "http"
	}
	return &url.URL{Scheme: u.Scheme, Host: strings.ToLower(u.Host)}, nil
}

// AssetsConfig is the part of a Config about static files.
type AssetsConfig struct {
	// Directory is relative to the project, with slashes.
	Directory string `json:"directory" toml:"directory"`
	// NotFoundStrategy is SinglePageApplication, NotFoundPage or empty.
	NotFoundStrategy string `json:"notFoundStrategy" toml:"notFoundStrategy"`
}

// LoadConfig reads the configuration of the project in dir: esa.jsonc, or else
// esa.toml, or else nothing, which gives a zero Config. Errors name the file,
// the place in it and the key.
func LoadConfig(dir string) (Config, error) {
	for _, name := range []string{ConfigJSONC, ConfigTOML} {
		text, err := readConfig(filepath.Join(dir, name))
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return Config{}, fmt.Errorf("read %s: %w", name, err)
		}
		return parseConfig(dir, name, text)
	}
	if info, err := os.Stat(dir); err != nil {
		return Config{}, fmt.Errorf("look for a project: %w", err)
	} else if !info.IsDir() {
		return Config{}, fmt.Errorf("look for a project: %s is not a folder", dir)
	}
	return Config{}, nil
}

func readConfig(file string) ([]byte, error) {
	info, err := os.Stat(file)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, errors.New("it is not a file")
	}
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxConfigSize+1))
	if err != nil {
		return nil, err
	}
	if len(text) > maxConfigSize {
		return nil, fmt.Errorf("it is larger than %d KB, so it is no configuration", maxConfigSize>>10)
	}
	return text, nil
}

// parseConfig decodes text and checks the paths in it against dir.
func parseConfig(dir, name string, text []byte) (Config, error) {
	text = bytes.TrimPrefix(text, []byte("\ufeff"))
	var c Config
	var err error
	var at func(key string) string
	if name == ConfigTOML {
		err = parseTOML(text, &c)
		at = func(key string) string { return name + ": " + key }
	} else {
		err = parseJSONC(text, &c)
		at = func(key string) string { return name + keyPosition(text, key) + ": " + key }
	}
	if err != nil {
		return Config{}, fmt.Errorf("%s%w", name, err)
	}
	c.File = name
	if c.Entry, err = insidePath(dir, c.Entry); err != nil {
		return Config{}, fmt.Errorf("%s: %w", at("entry"), err)
	}
	if c.Assets.Directory, err = insidePath(dir, c.Assets.Directory); err != nil {
		return Config{}, fmt.Errorf("%s: %w", at("assets.directory"), err)
	}
	if c.Assets.NotFoundStrategy, err = ParseNotFoundStrategy(c.Assets.NotFoundStrategy); err != nil {
		return Config{}, fmt.Errorf("%s: %w", at("assets.notFoundStrategy"), err)
	}
	return c, nil
}

// parseJSONC's errors begin with a colon and the place, to follow the name of
// the file.
func parseJSONC(text []byte, c *Config) error {
	value, err := hujson.Parse(text)
	if err != nil {
		return fmt.Errorf(": not valid JSON with comments: %w", err)
	}
	value.Standardize() // keeps every byte offset
	err = json.Unmarshal(value.Pack(), c)
	if wrong, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		if wrong.Field == "" {
			return fmt.Errorf(": must be an object in braces, not %s", article(wrong.Value))
		}
		return fmt.Errorf("%s: %s must be %s, not %s", position(text, int(wrong.Offset)),
			wrong.Field, wanted(wrong.Field), article(wrong.Value))
	}
	if err != nil {
		return fmt.Errorf(": not valid JSON with comments: %w", err)
	}
	return nil
}

func parseTOML(text []byte, c *Config) error {
	err := toml.Unmarshal(text, c)
	if wrong, ok := errors.AsType[*toml.DecodeError](err); ok {
		row, column := wrong.Position()
		if key := strings.Join(wrong.Key(), "."); key != "" {
			return fmt.Errorf(":%d:%d: %s: %w", row, column, key, err)
		}
		return fmt.Errorf(":%d:%d: %w", row, column, err)
	}
	if err != nil {
		return fmt.Errorf(": not valid TOML: %w", err)
	}
	return nil
}

func wanted(field string) string {
	if field == "assets" {
		return "an object"
	}
	return "a string"
}

func article(kind string) string {
	switch {
	case kind == "array" || kind == "object":
		return "an " + kind
	case kind == "bool":
		return "true or false"
	}
	return "a " + kind
}

// position writes an offset as ":line:column", both from 1.
func position(text []byte, offset int) string {
	before := text[:min(max(offset, 0), len(text))]
	line := bytes.Count(before, []byte("\n")) + 1
	return fmt.Sprintf(":%d:%d", line, len(before)-bytes.LastIndexByte(before, '\n'))
}

// keyPosition is the position of a key's value, or nothing if it cannot be
// told, as for a key in other letters.
func keyPosition(text []byte, key string) string {
	value, err := hujson.Parse(text)
	if err != nil {
		return ""
	}
	found := value.Find("/" + strings.ReplaceAll(key, ".", "/"))
	if found == nil {
		return ""
	}
	return position(text, found.StartOffset)
}

// insidePath cleans a path from a configuration file and refuses one that
// leaves the project, by its text or by a link.
func insidePath(dir, p string) (string, error) {
	if p == "" {
		return "", nil
	}
	if strings.ContainsRune(p, 0) {
		return "", fmt.Errorf("%q is not a path", p)
	}
	clean := path.Clean(filepath.ToSlash(p))
	local := filepath.FromSlash(clean)
	if !filepath.IsLocal(local) {
		return "", fmt.Errorf("%q is outside the project: give a path below the folder of the configuration file", p)
	}
	root, err := filepath.EvalSymlinks(dir)
	if err != nil {
		return "", fmt.Errorf("find the project's folder: %w", err)
	}
	target, err := filepath.EvalSymlinks(filepath.Join(root, local))
	if err != nil {
		// What is not there yet, such as the output of a build, is for the
		// caller to report.
		return clean, nil
	}
	if rel, err := filepath.Rel(root, target); err != nil || !filepath.IsLocal(rel) {
		return "", fmt.Errorf("%q is a link to %s, outside the project: copy the files into the project", p, target)
	}
	return clean, nil
}

// ParseNotFoundStrategy gives the API's spelling of a strategy written in any
// letters; the empty string, which means none, stays empty.
func ParseNotFoundStrategy(s string) (string, error) {
	for _, known := range []string{"", SinglePageApplication, NotFoundPage} {
		if strings.EqualFold(s, known) {
			return known, nil
		}
	}
	return "", fmt.Errorf("there is no not-found strategy %q: use singlePageApplication (every unknown path shows /index.html) or 404Page (it shows /404.html)", s)
}
