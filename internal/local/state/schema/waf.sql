-- The rule sets of sites' web application firewalls. Times are Unix seconds.
CREATE TABLE IF NOT EXISTS waf_rulesets (
    id           INTEGER PRIMARY KEY,
    site_id      INTEGER NOT NULL REFERENCES sites (id) ON DELETE CASCADE,
    site_version INTEGER NOT NULL,
    phase        TEXT NOT NULL,
    name         TEXT NOT NULL,
    status       TEXT NOT NULL,
    shared       TEXT NOT NULL DEFAULT '', -- JSON: what the rules have in common
    updated      INTEGER NOT NULL
);
CREATE INDEX IF NOT EXISTS waf_rulesets_by_site ON waf_rulesets (site_id, site_version, phase);
CREATE TABLE IF NOT EXISTS waf_rules (
    id         INTEGER PRIMARY KEY,
    ruleset_id INTEGER NOT NULL REFERENCES waf_rulesets (id) ON DELETE CASCADE,
    position   INTEGER NOT NULL, -- 1, 2, ... within the rule set
    name       TEXT NOT NULL,
    status     TEXT NOT NULL,
    config     TEXT NOT NULL, -- JSON
    updated    INTEGER NOT NULL
);
CREATE INDEX IF NOT EXISTS waf_rules_by_ruleset ON waf_rules (ruleset_id, position);
