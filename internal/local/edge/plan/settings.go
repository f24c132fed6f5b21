package plan

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
)

// The families of configurations that the edge works by, named as in the API:
// CacheRule is what CreateCacheRule makes.
const (
	Cache                  = "CacheRule"
	Compression            = "CompressionRule"
	CustomResponse         = "CustomResponseCodeRule"
	HTTPSApplication       = "HttpsApplicationConfiguration"
	HTTPSBasic             = "HttpsBasicConfiguration"
	Image                  = "ImageTransform"
	IncomingRequestHeader  = "HttpIncomingRequestHeaderModificationRule"
	IncomingResponseHeader = "HttpIncomingResponseHeaderModificationRule"
	Network                = "NetworkOptimization"
	Origin                 = "OriginRule"
	Redirect               = "RedirectRule"
	RequestHeader          = "HttpRequestHeaderModificationRule"
	ResponseHeader         = "HttpResponseHeaderModificationRule"
	Rewrite                = "RewriteUrlRule"
)

// Setting is one configuration that is switched on.
type Setting struct {
	ID     int64
	Global bool // for all requests of the site
	When   Condition
	Fields map[string]string
	// Headers are the changes of a family that changes headers.
	Headers []HeaderChange
}

// HeaderChange is one change of a header.
type HeaderChange struct {
	Name      string
	Operation string // add, del, modify
	Type      string // static, dynamic
	Value     string // of dynamic ones an expression
}

// Settings are the configurations of a family that apply to a request: the
// global one first, then the rules in their sequence. What a later one says
// counts more.
type Settings []*Setting

// Text is what the settings say of a parameter; empty if nothing.
func (s Settings) Text(name string) string {
	for i := len(s) - 1; i >= 0; i-- {
		if v, ok := s[i].Fields[name]; ok {
			return v
		}
	}
	return ""
}

// On tells whether a switch is on.
func (s Settings) On(name string) bool { return s.Text(name) == "on" }

// Int is a number; otherwise if nothing is said.
func (s Settings) Int(name string, otherwise int) int {
	n, err := strconv.Atoi(s.Text(name))
	if err != nil {
		return otherwise
	}
	return n
}

// loadConfigs reads the configurations of a site by family, each in the order of
// evaluation, without those that are switched off.
func loadConfigs(ctx context.Context, q querier, siteID, number int64) (map[string]Settings, error) {
	rows, err := q.QueryContext(ctx, `SELECT id, family, site_version, config_type = 'global', rule, fields FROM rule_configs
		WHERE site_id = ? AND site_version IN (0, ?) AND (config_type = 'global' OR rule_enable = 'on')
		ORDER BY config_type <> 'global', sequence, id`, siteID, number)
	if err != nil {
		return nil, fmt.Errorf("list the configurations of site %d: %w", siteID, err)
	}
	defer rows.Close()
	families := map[string]Settings{}
	for rows.Next() {
		c := &Setting{}
		var family, rule, fields string
		var of int64
		if err := rows.Scan(&c.ID, &family, &of, &c.Global, &rule, &fields); err != nil {
			return nil, fmt.Errorf("read a configuration of site %d: %w", siteID, err)
		}
		if of != versionOf("Create"+family, number) {
			continue
		}
		if c.Fields, c.Headers, err = decodeFields(fields); err != nil {
			return nil, fmt.Errorf("read the configuration %d: %w", c.ID, err)
		}
		c.When = everything()
		if !c.Global {
			c.When = compile(rule)
		}
		families[family] = append(families[family], c)
	}
	return families, rows.Err()
}

// decodeFields reads stored parameters: texts, and lists of header changes.
func decodeFields(text string) (fields map[string]string, changes []HeaderChange, err error) {
	var all map[string]json.RawMessage
	if err := json.Unmarshal([]byte(text), &all); err != nil {
		return nil, nil, err
	}
	fields = make(map[string]string, len(all))
	for name, raw := range all {
		if name == "RequestHeaderModification" || name == "ResponseHeaderModification" {
			if err := json.Unmarshal(raw, &changes); err != nil {
				return nil, nil, err
			}
			continue
		}
		var value string
		if json.Unmarshal(raw, &value) == nil {
			fields[name] = value
		}
	}
	return fields, changes, nil
}
