-- Configurations of sites: cache rules, redirects and the other families that look alike.
CREATE TABLE IF NOT EXISTS rule_configs (
    id           INTEGER PRIMARY KEY,
    site_id      INTEGER NOT NULL REFERENCES sites (id) ON DELETE CASCADE,
    site_version INTEGER NOT NULL,
    family       TEXT NOT NULL, -- "CacheRule": what CreateCacheRule makes
    config_type  TEXT NOT NULL CHECK (config_type IN ('global', 'rule')),
    rule_name    TEXT NOT NULL, -- this and the next two are empty for a global configuration
    rule         TEXT NOT NULL,
    rule_enable  TEXT NOT NULL,
    sequence     INTEGER NOT NULL,
    fields       TEXT NOT NULL -- JSON object: the family's own parameters
);
CREATE UNIQUE INDEX IF NOT EXISTS rule_configs_global ON rule_configs (site_id, site_version, family) WHERE config_type = 'global';
CREATE INDEX IF NOT EXISTS rule_configs_order ON rule_configs (site_id, family, site_version, sequence, id);
-- Settings that a site has once each.
CREATE TABLE IF NOT EXISTS site_settings (
    site_id      INTEGER NOT NULL REFERENCES sites (id) ON DELETE CASCADE,
    site_version INTEGER NOT NULL,
    name         TEXT NOT NULL, -- "TieredCache": what UpdateTieredCache sets
    fields       TEXT NOT NULL, -- JSON object
    PRIMARY KEY (site_id, name, site_version)
);
