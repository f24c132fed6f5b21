package rules

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strconv"
	"unicode/utf8"

	"github.com/esa-mcp/esa-mcp/internal/local/api"
	"github.com/esa-mcp/esa-mcp/internal/local/expression"
	"github.com/esa-mcp/esa-mcp/internal/local/quota"
	"github.com/esa-mcp/esa-mcp/internal/local/state"
	"github.com/esa-mcp/esa-mcp/internal/local/values"
)

// The two kinds of a configuration.
const (
	global = "global" // of the whole site
	ruled  = "rule"   // of the requests that an expression matches
)

// Sizes in bytes of the expressions and settings of one rule and of a whole site.
const (
	maxRuleSize = 4 << 10
	maxSiteSize = 512 << 10
)

// maxSequence keeps the sequence within the 32 bits that the answers have.
const maxSequence = 1 << 30

// config is one configuration.
type config struct {
	id, sequence       int64
	place              place
	kind               string
	name, rule, enable string
	fields             fields
}

const columns = `id, site_id, site_version, config_type, rule_name, rule, rule_enable, sequence, fields`

func scan(row interface{ Scan(...any) error }) (config, error) {
	var c config
	var text string
	err := row.Scan(&c.id, &c.place.site, &c.place.version, &c.kind, &c.name, &c.rule, &c.enable, &c.sequence, &text)
	if err != nil {
		return c, err
	}
	c.fields, err = decodeFields(text)
	return c, err
}

// find loads the configuration that ConfigId names, of that family and site.
func find(ctx context.Context, tx *sql.Tx, f family, site int64, p api.Params) (config, error) {
	id, err := p.Int("ConfigId", 0)
	if err != nil {
		return config{}, err
	}
	c, err := scan(tx.QueryRowContext(ctx, `SELECT `+columns+` FROM rule_configs WHERE id = ? AND site_id = ? AND family = ?`,
		id, site, f.name))
	if errors.Is(err, sql.ErrNoRows) {
		return c, api.Errorf(404, "InvalidConfigId.NotFound", "The site has no such configuration: %d.", id)
	}
	if err != nil {
		return c, fmt.Errorf("look up the configuration: %w", err)
	}
	return c, nil
}

// answer is the configuration as an operation with those members tells it.
func (c config) answer(answers map[string]bool) map[string]any {
	out := map[string]any{"ConfigId": c.id, "ConfigType": c.kind, "Sequence": c.sequence, "SiteVersion": c.place.version}
	if c.kind == ruled {
		out["Rule"], out["RuleName"], out["RuleEnable"] = c.rule, c.name, c.enable
	}
	for name, value := range c.fields {
		out[name] = value
	}
	for name := range out {
		if !answers[name] {
			delete(out, name)
		}
	}
	return out
}

// take puts what a call sent into the configuration, and checks what becomes of
// it. A new one is global unless the call says anything about a rule.
func (s *Service) take(ctx context.Context, tx *sql.Tx, c *config, f family, p api.Params) error {
	aboutRule := p.Has("Rule") || p.Has("RuleName") || p.Has("RuleEnable")
	switch {
	case c.kind == "" && aboutRule:
		c.kind, c.enable = ruled, "on"
	case c.kind == "":
		c.kind = global
	case c.kind == global && aboutRule:
		return api.Errorf(400, "InvalidRule", "The global configuration has no rule. Create a configuration with a rule instead.")
	}
	if p.Has("Rule") {
		c.rule = p.String("Rule")
	}
	if p.Has("RuleName") {
		c.name = p.String("RuleName")
	}
	if enable := p.String("RuleEnable"); enable != "" {
		c.enable = enable
	}
	if err := c.fields.merge(f.params(), p); err != nil {
		return err
	}
	if f.check != nil {
		if err := f.check(c.fields); err != nil {
			return err
		}
	}
	if c.kind == global {
		return nil
	}
	return checkRule(ctx, tx, *c, f)
}

// checkPage refuses a custom response whose page does not exist.
func (s *Service) checkPage(ctx context.Context, tx *sql.Tx, c config, f family) error {
	id, err := strconv.ParseInt(c.fields.text("PageId"), 10, 64)
	if f.name != "CustomResponseCodeRule" || err != nil || id == 0 || s.cfg.PageExists == nil {
		return nil // 0 is the plain answer without a page
	}
	exists, err := s.cfg.PageExists(ctx, tx, id)
	if err != nil {
		return fmt.Errorf("look up the page: %w", err)
	}
	if !exists {
		return api.Errorf(404, "PageNotExist", "The account has no custom page %d. ListPages lists them.", id)
	}
	return nil
}

func checkRule(ctx context.Context, tx *sql.Tx, c config, f family) error {
	if n := utf8.RuneCountInString(c.name); n < 1 || n > 128 {
		return values.Invalid("RuleName", "a rule has a name of 1 to 128 characters")
	}
	if c.enable != "on" && c.enable != "off" {
		return values.Invalid("RuleEnable", "it must be on or off, not %q", c.enable)
	}
	_, err := expression.Compile(ctx, tx, c.place.site, f.name, c.rule)
	return err
}

// order sets the sequence: what the call says, else after all others.
func (s *Service) order(ctx context.Context, tx *sql.Tx, c *config, f family, p api.Params) error {
	sequence, err := p.Int("Sequence", c.sequence)
	if err != nil {
		return err
	}
	if sequence == 0 && c.kind == ruled && !p.Has("Sequence") {
		err := tx.QueryRowContext(ctx, `SELECT COALESCE(MAX(sequence), 0) + 1 FROM rule_configs
			WHERE site_id = ? AND site_version = ? AND family = ?`, c.place.site, c.place.version, f.name).Scan(&sequence)
		if err != nil {
			return fmt.Errorf("find the end of the rules: %w", err)
		}
	}
	if sequence < 0 || sequence > maxSequence || sequence == 0 && c.kind == ruled {
		return values.Invalid("Sequence", "it must be 1 or more, not %d", sequence)
	}
	c.sequence = sequence
	return nil
}

// room refuses a second global configuration and rules beyond the quota.
func (s *Service) room(ctx context.Context, tx *sql.Tx, c config, f family) error {
	var used int
	err := tx.QueryRowContext(ctx, `SELECT COUNT(*) FROM rule_configs
		WHERE site_id = ? AND site_version = ? AND family = ? AND config_type = ?`,
		c.place.site, c.place.version, f.name, c.kind).Scan(&used)
	switch {
	case err != nil:
		return fmt.Errorf("count the configurations: %w", err)
	case c.kind == global && used > 0:
		return api.Errorf(400, "Config.AlreadyExist", "The site has its one global configuration of this kind already. Update it instead.")
	case c.kind == global:
		return nil
	}
	most, err := s.cfg.Quotas.OfSite(ctx, tx, c.place.site, quotaOf(f))
	if err != nil {
		return err
	}
	if used >= most {
		return api.Errorf(400, "RuleQuotaCheckFailed", "The site has all its %d rules of this kind already.", most)
	}
	return nil
}

// quotaOf is the kind of quota that a family has; the families that share one
// have so many each.
func quotaOf(f family) string {
	switch f.name {
	case "CacheRule":
		return quota.CacheRules
	case "OriginRule":
		return quota.OriginRules
	case "RedirectRule":
		return quota.RedirectRules
	case "CompressionRule":
		return quota.CompressionRules
	case "HttpsBasicConfiguration", "HttpsApplicationConfiguration":
		return quota.HTTPSRules
	case "CustomResponseCodeRule", "ImageTransform", "NetworkOptimization", "VideoProcessing":
		return quota.ConfigurationRules
	}
	return quota.TransformRules
}

func store(ctx context.Context, tx *sql.Tx, c config, f family) error {
	text, err := c.fields.encode()
	if err != nil {
		return err
	}
	if err := checkSize(ctx, tx, c, len(text)); err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, `INSERT INTO rule_configs (`+columns+`, family) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (id) DO UPDATE SET rule_name = excluded.rule_name, rule = excluded.rule,
			rule_enable = excluded.rule_enable, sequence = excluded.sequence, fields = excluded.fields`,
		c.id, c.place.site, c.place.version, c.kind, c.name, c.rule, c.enable, c.sequence, text, f.name)
	if err != nil {
		return fmt.Errorf("store the configuration: %w", err)
	}
	return nil
}

// checkSize refuses a rule that is too large, and one that makes its site so.
func checkSize(ctx context.Context, tx *sql.Tx, c config, settings int) error {
	size := settings + len(c.rule)
	if size > maxRuleSize {
		return api.Errorf(400, "RuleSizeQuotaCheckFailed", "The rule has %d bytes, more than the %d of one rule.", size, maxRuleSize)
	}
	var others int
	err := tx.QueryRowContext(ctx, `SELECT COALESCE(SUM(LENGTH(CAST(rule AS BLOB)) + LENGTH(CAST(fields AS BLOB))), 0)
		FROM rule_configs WHERE site_id = ? AND site_version = ? AND id <> ?`, c.place.site, c.place.version, c.id).Scan(&others)
	if err != nil {
		return fmt.Errorf("measure the configuration: %w", err)
	}
	if others+size > maxSiteSize {
		return api.Errorf(400, "ConfigSizeQuotaCheckFailed", "The site's configuration would have %d bytes, more than %d.",
			others+size, maxSiteSize)
	}
	return nil
}

// create answers CreateX.
func (s *Service) create(ctx context.Context, f family, r *api.Request) (any, error) {
	c := config{fields: fields{}}
	err := s.store.Tx(ctx, func(tx *sql.Tx) (err error) {
		if c.place, err = s.place(ctx, tx, r.Params); err != nil {
			return err
		}
		if err := s.take(ctx, tx, &c, f, r.Params); err != nil {
			return err
		}
		if err := s.checkPage(ctx, tx, c, f); err != nil {
			return err
		}
		if err := s.room(ctx, tx, c, f); err != nil {
			return err
		}
		if err := s.order(ctx, tx, &c, f, r.Params); err != nil {
			return err
		}
		if c.id, err = state.NextID(ctx, tx); err != nil {
			return err
		}
		return store(ctx, tx, c, f)
	})
	if err != nil {
		return nil, err
	}
	return map[string]any{"ConfigId": c.id}, nil
}
