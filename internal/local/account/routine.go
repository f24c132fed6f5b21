package account

import (
	"encoding/base64"
	"fmt"
	"unicode/utf8"
)

// Routine is an edge routine with its code versions and what is live.
type Routine struct {
	Name        string `json:"name"`
	Description string `json:"description,omitempty"`
	HasAssets   bool   `json:"has_assets,omitempty"`
	// Staged is the last uploaded script, which a commit makes a version of.
	Staged   *Content  `json:"staged,omitempty"`
	Versions []Version `json:"versions,omitempty"` // oldest first
	// Live has, by environment, the percentage of each version by its ID.
	Live map[string][]Share `json:"live,omitempty"`
}

// Share is a version's part of the requests of an environment.
type Share struct {
	Version    string `json:"version"`
	Percentage int64  `json:"percentage"`
}

// Version is a code version: a script, files or both.
type Version struct {
	ID          string   `json:"id"`
	Description string   `json:"description,omitempty"`
	NotFound    string   `json:"not_found,omitempty"` // SinglePageApplication, 404Page
	BuildID     *int64   `json:"build_id,omitempty"`
	ExtraInfo   string   `json:"extra_info,omitempty"`
	DeployEnv   string   `json:"deploy_env,omitempty"`
	Status      string   `json:"status,omitempty"` // available if empty; init, failed
	Reason      string   `json:"reason,omitempty"` // why it failed
	Code        *Content `json:"code,omitempty"`
	Assets      []File   `json:"assets,omitempty"`
}

// File is an asset.
type File struct {
	Path string `json:"path"` // /index.html
	Content
}

// Content is a file's content: Text, or Base64 for what is no text.
type Content struct {
	Text   string `json:"text,omitempty"`
	Base64 string `json:"base64,omitempty"`
}

func contentOf(raw []byte) Content {
	if utf8.Valid(raw) {
		return Content{Text: string(raw)}
	}
	return Content{Base64: base64.StdEncoding.EncodeToString(raw)}
}

// bytes is the content itself.
func (c Content) bytes() ([]byte, error) {
	if c.Base64 == "" {
		return []byte(c.Text), nil
	}
	if c.Text != "" {
		return nil, fmt.Errorf("it has both text and base64")
	}
	raw, err := base64.StdEncoding.DecodeString(c.Base64)
	if err != nil {
		return nil, fmt.Errorf("its base64 is none: %w", err)
	}
	return raw, nil
}
