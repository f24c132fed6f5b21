CREATE TABLE IF NOT EXISTS kv_namespaces (
    id          INTEGER PRIMARY KEY,
    name        TEXT NOT NULL UNIQUE,
    description TEXT NOT NULL,
    created     INTEGER NOT NULL,          -- Unix seconds
    used        INTEGER NOT NULL DEFAULT 0 -- bytes of keys and values
);
CREATE TABLE IF NOT EXISTS kv_pairs (
    namespace_id INTEGER NOT NULL REFERENCES kv_namespaces (id) ON DELETE CASCADE,
    key          TEXT NOT NULL,
    value        BLOB NOT NULL,
    expires      INTEGER,          -- Unix seconds; NULL: never
    updated      INTEGER NOT NULL, -- Unix seconds
    PRIMARY KEY (namespace_id, key)
);
CREATE INDEX IF NOT EXISTS kv_expiry ON kv_pairs (namespace_id, expires) WHERE expires IS NOT NULL;
