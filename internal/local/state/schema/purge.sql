-- Purges and preloads: one row for each object of a call; the rows of one call
-- share its task id.
CREATE TABLE IF NOT EXISTS cache_tasks (
    id          INTEGER PRIMARY KEY,
    task_id     INTEGER NOT NULL,
    site_id     INTEGER NOT NULL REFERENCES sites (id) ON DELETE CASCADE,
    kind        TEXT NOT NULL, -- purge, preload
    type        TEXT NOT NULL, -- of a purge: file, directory ...
    content     TEXT NOT NULL,
    failure     TEXT NOT NULL, -- what the finished task says, or empty if it succeeds
    created     INTEGER NOT NULL, -- Unix milliseconds
    finishes    INTEGER NOT NULL  -- Unix milliseconds
);
CREATE INDEX IF NOT EXISTS cache_tasks_by_site ON cache_tasks (site_id, kind, created);
