-- What the account has bought: a site needs an instance with room.
CREATE TABLE IF NOT EXISTS plan_instances (
    instance_id    TEXT PRIMARY KEY,
    plan_name      TEXT NOT NULL, -- basic, medium, high, enterprise
    subscribe_type TEXT NOT NULL, -- entranceplan, basicplan, ..., enterpriseplan
    plan_type      TEXT NOT NULL, -- normal, enterprise
    status         TEXT NOT NULL, -- online, offline, disable, overdue
    site_quota     INTEGER NOT NULL,
    created        INTEGER NOT NULL, -- Unix seconds, as all times here
    expires        INTEGER NOT NULL
);
-- The instances that are paid afterwards.
CREATE TABLE IF NOT EXISTS postpaid_instances (
    instance_id TEXT PRIMARY KEY REFERENCES plan_instances (instance_id) ON DELETE CASCADE
);
CREATE TABLE IF NOT EXISTS sites (
    id                INTEGER PRIMARY KEY,
    name              TEXT NOT NULL UNIQUE, -- lower case, no trailing dot
    access_type       TEXT NOT NULL,
    coverage          TEXT NOT NULL,
    status            TEXT NOT NULL,
    offline_reason    TEXT NOT NULL DEFAULT '',
    instance_id       TEXT NOT NULL REFERENCES plan_instances (instance_id),
    resource_group_id TEXT NOT NULL DEFAULT '',
    name_servers      TEXT NOT NULL, -- comma separated; NS access only
    verify_code       TEXT NOT NULL, -- CNAME access only
    cname_zone        TEXT NOT NULL,
    created           INTEGER NOT NULL,
    updated           INTEGER NOT NULL
);
CREATE TABLE IF NOT EXISTS records (
    id          INTEGER PRIMARY KEY,
    site_id     INTEGER NOT NULL REFERENCES sites (id) ON DELETE CASCADE,
    name        TEXT NOT NULL, -- full name, lower case
    type        TEXT NOT NULL,
    ttl         INTEGER NOT NULL,
    proxied     INTEGER NOT NULL,
    biz_name    TEXT NOT NULL,
    source_type TEXT NOT NULL,
    host_policy TEXT NOT NULL,
    auth_conf   TEXT NOT NULL, -- JSON, or empty
    comment     TEXT NOT NULL,
    data        TEXT NOT NULL, -- JSON
    http_ports  TEXT NOT NULL,
    https_ports TEXT NOT NULL,
    created     INTEGER NOT NULL,
    updated     INTEGER NOT NULL
);
CREATE INDEX IF NOT EXISTS records_by_name ON records (site_id, name);
