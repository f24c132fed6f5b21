-- The tags of sites and of records: one of the two ids is set.
CREATE TABLE IF NOT EXISTS tags (
    site_id   INTEGER REFERENCES sites (id) ON DELETE CASCADE,
    record_id INTEGER REFERENCES records (id) ON DELETE CASCADE,
    key       TEXT NOT NULL,
    value     TEXT NOT NULL
);
CREATE UNIQUE INDEX IF NOT EXISTS tags_of_sites ON tags (site_id, key) WHERE site_id IS NOT NULL;
CREATE UNIQUE INDEX IF NOT EXISTS tags_of_records ON tags (record_id, key) WHERE record_id IS NOT NULL;
