package plan

import (
	"context"
	"database/sql"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
)

// Page is a custom page of the account.
type Page struct {
	Type    string // a content type
	Content []byte
}

// Page returns the custom page of an id; nil if there is none.
func (s *Source) Page(ctx context.Context, id string) (*Page, error) {
	var text string
	err := s.store.DB().QueryRowContext(ctx, `SELECT fields FROM resources WHERE kind = 'Page' AND key = ?`, id).Scan(&text)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("look up the page %s: %w", id, err)
	}
	var fields struct{ ContentType, Content string }
	if err := json.Unmarshal([]byte(text), &fields); err != nil {
		return nil, fmt.Errorf("read the page %s: %w", id, err)
	}
	content, err := base64.StdEncoding.DecodeString(fields.Content)
	if err != nil {
		return nil, fmt.Errorf("read the content of the page %s: %w", id, err)
	}
	return &Page{Type: fields.ContentType + "; charset=utf-8", Content: content}, nil
}
