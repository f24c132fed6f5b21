-- The account's lists of addresses, hosts and AS numbers. Times are Unix seconds.
CREATE TABLE IF NOT EXISTS lists (
    id          INTEGER PRIMARY KEY,
    name        TEXT NOT NULL UNIQUE,
    kind        TEXT NOT NULL,
    description TEXT NOT NULL,
    items       TEXT NOT NULL, -- JSON list
    length      INTEGER NOT NULL,
    updated     INTEGER NOT NULL
);
