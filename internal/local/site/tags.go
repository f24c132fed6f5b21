package site

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/esa-mcp/esa-mcp/internal/local/api"
)

// Limits of tags, as all of Alibaba Cloud has them.
const (
	maxTagged     = 50 // resources of one call
	maxTags       = 20 // of one resource
	maxTagText    = 128
	tagsPage      = 50
	tagsPageLimit = 1000
)

type tag struct{ Key, Value string }

// tagged is a resource that a call about tags names.
type tagged struct {
	column string // of the table tags
	id     int64
}

// flatList reads the entries of a list that is sent as NAME.1, NAME.2 ...
func flatList(p api.Params, name string) []string {
	var list []string
	for i := 1; p.Has(name + "." + strconv.Itoa(i)); i++ {
		list = append(list, p.String(name+"."+strconv.Itoa(i)))
	}
	return list
}

// flatTags reads Tag.1.Key, Tag.1.Value ...
func flatTags(p api.Params) ([]tag, error) {
	var tags []tag
	for i := 1; p.Has("Tag." + strconv.Itoa(i) + ".Key"); i++ {
		prefix := "Tag." + strconv.Itoa(i)
		t := tag{p.String(prefix + ".Key"), p.String(prefix + ".Value")}
		if t.Key == "" || len(t.Key) > maxTagText || len(t.Value) > maxTagText || strings.HasPrefix(t.Key, "acs:") || strings.HasPrefix(t.Key, "aliyun") {
			return nil, api.Errorf(400, "InvalidTagKey.Malformed",
				"The tag %q is not valid: keys and values have at most %d characters, and keys do not begin with aliyun or acs:.", clip(t.Key), maxTagText)
		}
		tags = append(tags, t)
	}
	return tags, nil
}

// taggedOnes reads which resources a call about tags names.
func taggedOnes(ctx context.Context, tx *sql.Tx, p api.Params) ([]tagged, error) {
	table, column := "sites", "site_id"
	switch kind := p.String("ResourceType"); strings.ToLower(kind) {
	case "site":
	case "record":
		table, column = "records", "record_id"
	default:
		return nil, api.Errorf(400, "InvalidResourceType", "ResourceType must be site or record, not %q.", clip(kind))
	}
	texts := flatList(p, "ResourceId")
	if len(texts) > maxTagged {
		return nil, api.Errorf(400, "InvalidResourceId", "A call is about at most %d resources, not %d.", maxTagged, len(texts))
	}
	var list []tagged
	for _, text := range texts {
		id, err := strconv.ParseInt(text, 10, 64)
		if err == nil {
			err = tx.QueryRowContext(ctx, `SELECT id FROM `+table+` WHERE id = ?`, id).Scan(&id)
		}
		if errors.Is(err, sql.ErrNoRows) || errors.Is(err, strconv.ErrSyntax) || errors.Is(err, strconv.ErrRange) {
			return nil, api.Errorf(404, "InvalidResourceId.NotFound", "The account has no %s %s.", p.String("ResourceType"), clip(text))
		}
		if err != nil {
			return nil, fmt.Errorf("look up what is to be tagged: %w", err)
		}
		list = append(list, tagged{column, id})
	}
	return list, nil
}

// tagResources answers TagResources: a key that a resource has gets the new value.
func (s *Service) tagResources(ctx context.Context, r *api.Request) (any, error) {
	tags, err := flatTags(r.Params)
	if err != nil {
		return nil, err
	}
	return nil, s.store.Tx(ctx, func(tx *sql.Tx) error {
		ones, err := taggedOnes(ctx, tx, r.Params)
		if err != nil {
			return err
		}
		for _, one := range ones {
			for _, t := range tags {
				if _, err := tx.ExecContext(ctx, `DELETE FROM tags WHERE `+one.column+` = ? AND key = ?`, one.id, t.Key); err != nil {
					return fmt.Errorf("replace a tag: %w", err)
				}
				if _, err := tx.ExecContext(ctx, `INSERT INTO tags (`+one.column+`, key, value) VALUES (?, ?, ?)`, one.id, t.Key, t.Value); err != nil {
					return fmt.Errorf("store a tag: %w", err)
				}
			}
			var n int
			if err := tx.QueryRowContext(ctx, `SELECT COUNT(*) FROM tags WHERE `+one.column+` = ?`, one.id).Scan(&n); err != nil {
				return fmt.Errorf("count the tags: %w", err)
			}
			if n > maxTags {
				return api.Errorf(400, "NumberExceed.Tags", "A resource has at most %d tags.", maxTags)
			}
		}
		return nil
	})
}

// untagResources answers UntagResources: the keys that it names, or All.
func (s *Service) untagResources(ctx context.Context, r *api.Request) (any, error) {
	all, err := r.Params.Bool("All", false)
	if err != nil {
		return nil, err
	}
	keys := flatList(r.Params, "TagKey")
	return nil, s.store.Tx(ctx, func(tx *sql.Tx) error {
		ones, err := taggedOnes(ctx, tx, r.Params)
		if err != nil {
			return err
		}
		for _, one := range ones {
			query, args := `DELETE FROM tags WHERE `+one.column+` = ?`, []any{one.id}
			if !all || len(keys) > 0 {
				query += ` AND key IN (` + strings.TrimPrefix(strings.Repeat(`, ?`, len(keys)), `, `) + `)`
				for _, k := range keys {
					args = append(args, k)
				}
			}
			if _, err := tx.ExecContext(ctx, query, args...); err != nil {
				return fmt.Errorf("take tags away: %w", err)
			}
		}
		return nil
	})
}

type tagResource struct {
	ResourceID   string `json:"ResourceId"`
	ResourceType string
	TagKey       string
	TagValue     string
}

// listTags answers ListTagResources. NextToken is where the next page begins.
func (s *Service) listTags(ctx context.Context, r *api.Request) (any, error) {
	size, err := r.Params.Int("MaxItem", tagsPage)
	if err != nil || size < 1 || size > tagsPageLimit {
		return nil, api.Errorf(400, "InvalidMaxItem", "MaxItem must be between 1 and %d.", tagsPageLimit)
	}
	from, err := r.Params.Int("NextToken", 0)
	if err != nil || from < 0 {
		return nil, api.Errorf(400, "InvalidNextToken", "NextToken is what an earlier answer said.")
	}
	wanted, err := flatTags(r.Params)
	if err != nil {
		return nil, err
	}
	out := struct {
		NextToken    string
		TagResources []tagResource
		TotalCount   int64
	}{TagResources: []tagResource{}}
	err = s.store.Tx(ctx, func(tx *sql.Tx) error {
		ones, err := taggedOnes(ctx, tx, r.Params)
		if err != nil {
			return err
		}
		kind := strings.ToLower(r.Params.String("ResourceType"))
		column := map[string]string{"site": "site_id", "record": "record_id"}[kind]
		cs := []condition{{column + ` IS NOT NULL`, nil}}
		if len(ones) > 0 {
			var ids []any
			for _, one := range ones {
				ids = append(ids, one.id)
			}
			cs = append(cs, condition{column + ` IN (` + strings.Repeat(`, ?`, len(ids))[2:] + `)`, ids})
		}
		for _, t := range wanted {
			cs = append(cs, condition{column + ` IN (SELECT ` + column + ` FROM tags WHERE key = ? AND (? = '' OR value = ?))`, []any{t.Key, t.Value, t.Value}})
		}
		clause, args := where(cs)
		if err := tx.QueryRowContext(ctx, `SELECT COUNT(*) FROM tags `+clause, args...).Scan(&out.TotalCount); err != nil {
			return fmt.Errorf("count the tags: %w", err)
		}
		rows, err := tx.QueryContext(ctx, `SELECT `+column+`, key, value FROM tags `+clause+` ORDER BY `+column+`, key LIMIT ? OFFSET ?`,
			append(args, size, from)...)
		if err != nil {
			return fmt.Errorf("list the tags: %w", err)
		}
		defer rows.Close()
		for rows.Next() {
			t := tagResource{ResourceType: kind}
			if err := rows.Scan(&t.ResourceID, &t.TagKey, &t.TagValue); err != nil {
				return fmt.Errorf("read a tag: %w", err)
			}
			out.TagResources = append(out.TagResources, t)
		}
		return rows.Err()
	})
	if next := from + size; err == nil && next < out.TotalCount {
		out.NextToken = strconv.FormatInt(next, 10)
	}
	return out, err
}
