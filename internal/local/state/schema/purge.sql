-- Purges and preloads: one row for each object of a call; the rows of one call
-- share its task id.
CREATE TABLE IF NOT EXISTS cache_tasks (
    id          INTEGER PRIMARY KEY,
    task_id     INTEGER NOT NULL,
    site_id     INTEGER NOT NULL REFERENCES sites (id) ON DELETE CASCADE,
    kind        TEXT NOT NULL, -- purge, preload, block, unblock
    type        TEXT NOT NULL, -- of a purge: file, directory ...; of a block: its seconds
    content     TEXT NOT NULL,
    failure     TEXT NOT NULL, -- what the finished task says, or empty if it succeeds
    created     INTEGER NOT NULL, -- Unix milliseconds
    finishes    INTEGER NOT NULL  -- Unix milliseconds
);
CREATE INDEX IF NOT EXISTS cache_tasks_by_site ON cache_tasks (site_id, kind, created);
-- The purges in their order, for edges to apply to what they keep in memory. Old rows go.
CREATE TABLE IF NOT EXISTS cache_purges (
    id           INTEGER PRIMARY KEY AUTOINCREMENT, -- never used twice: an edge remembers how far it has come
    site_id      INTEGER NOT NULL REFERENCES sites (id) ON DELETE CASCADE,
    type         TEXT NOT NULL,
    content      TEXT NOT NULL,
    variant      TEXT NOT NULL, -- JSON object: which variants of the address; empty: all
    edge_compute INTEGER NOT NULL, -- 1 if it is about what routines put into the cache, too
    created      INTEGER NOT NULL  -- Unix milliseconds
);
-- Files with what is to be purged or preloaded: uploaded first, then submitted.
CREATE TABLE IF NOT EXISTS cache_uploads (
    id        INTEGER PRIMARY KEY,
    site_id   INTEGER NOT NULL REFERENCES sites (id) ON DELETE CASCADE,
    type      TEXT NOT NULL, -- file, preload, directory, ignoreParams
    name      TEXT NOT NULL,
    good      TEXT NOT NULL, -- lines that can be done
    bad       TEXT NOT NULL, -- lines that cannot, each with the reason
    created   INTEGER NOT NULL,          -- Unix milliseconds
    submitted INTEGER NOT NULL DEFAULT 0 -- Unix milliseconds; 0: not yet
);
-- Addresses that the edge is not to serve for a time.
CREATE TABLE IF NOT EXISTS blocked_objects (
    site_id INTEGER NOT NULL REFERENCES sites (id) ON DELETE CASCADE,
    address TEXT NOT NULL, -- host/path?query, whatever the scheme
    ends    INTEGER NOT NULL, -- Unix milliseconds
    PRIMARY KEY (site_id, address)
) WITHOUT ROWID;
