-- The one account of this state.
CREATE TABLE IF NOT EXISTS account (
    access_key_id     TEXT NOT NULL,
    access_key_secret TEXT NOT NULL,
    hash              TEXT NOT NULL,
    token_key         BLOB NOT NULL
);
-- Ids of sites, records, configurations: 15 digits and more, one sequence.
CREATE TABLE IF NOT EXISTS sequence (
    name TEXT PRIMARY KEY,
    last INTEGER NOT NULL
);
