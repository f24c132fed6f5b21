-- What can be switched on a site itself. A site without a row has the defaults.
CREATE TABLE IF NOT EXISTS site_options (
    site_id            INTEGER PRIMARY KEY REFERENCES sites (id) ON DELETE CASCADE,
    vanity_ns          TEXT NOT NULL DEFAULT '',    -- comma separated
    version_management INTEGER NOT NULL DEFAULT 0,
    paused             INTEGER NOT NULL DEFAULT 0,
    name_exclusive     TEXT NOT NULL DEFAULT 'off', -- on, off
    ipv6               TEXT NOT NULL DEFAULT 'off', -- on, off
    ipv6_region        TEXT NOT NULL DEFAULT 'x.x'  -- x.x everywhere, cn.cn mainland China
);
