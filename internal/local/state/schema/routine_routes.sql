-- Which requests of a site run a routine. Times are Unix nanoseconds.
CREATE TABLE IF NOT EXISTS routine_routes (
    id         INTEGER PRIMARY KEY,
    site_id    INTEGER NOT NULL REFERENCES sites (id) ON DELETE CASCADE,
    routine_id INTEGER NOT NULL REFERENCES routines (id) ON DELETE CASCADE,
    name       TEXT NOT NULL,
    rule       TEXT NOT NULL,
    mode       TEXT NOT NULL, -- simple, custom
    enable     TEXT NOT NULL, -- on, off; likewise the next two
    bypass     TEXT NOT NULL,
    fallback   TEXT NOT NULL,
    sequence   INTEGER NOT NULL, -- smaller first
    timeout    TEXT NOT NULL,    -- seconds; empty: the service's own
    created_at INTEGER NOT NULL
);
CREATE INDEX IF NOT EXISTS routine_routes_by_site ON routine_routes (site_id, sequence);
CREATE INDEX IF NOT EXISTS routine_routes_by_routine ON routine_routes (routine_id);
-- Names that lead to a routine as a whole. They are no DNS records: a site's list of records does not have them.
CREATE TABLE IF NOT EXISTS routine_records (
    id         INTEGER PRIMARY KEY,
    site_id    INTEGER NOT NULL REFERENCES sites (id) ON DELETE CASCADE,
    routine_id INTEGER NOT NULL REFERENCES routines (id) ON DELETE CASCADE,
    name       TEXT NOT NULL UNIQUE, -- full name, lower case
    created_at INTEGER NOT NULL
);
CREATE INDEX IF NOT EXISTS routine_records_by_site ON routine_records (site_id);
CREATE INDEX IF NOT EXISTS routine_records_by_routine ON routine_records (routine_id);
