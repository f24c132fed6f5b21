-- What the generic engine keeps: one row for each thing of any kind. Times are
-- Unix seconds.
CREATE TABLE IF NOT EXISTS resources (
    id        INTEGER PRIMARY KEY,
    kind      TEXT NOT NULL, -- "OriginPool"
    key       TEXT NOT NULL, -- what calls name it by
    name      TEXT NOT NULL, -- what must be unique in its place; may be empty
    site_id   INTEGER REFERENCES sites (id) ON DELETE CASCADE,      -- NULL: the account's
    parent_id INTEGER REFERENCES resources (id) ON DELETE CASCADE,  -- NULL: nothing's part
    account   TEXT NOT NULL DEFAULT '', -- part of the account that it is of, such as an instance
    fields    TEXT NOT NULL, -- JSON object
    created   INTEGER NOT NULL,
    updated   INTEGER NOT NULL
);
CREATE INDEX IF NOT EXISTS resources_by_key ON resources (kind, key);
CREATE INDEX IF NOT EXISTS resources_by_place ON resources (kind, site_id, parent_id);
