-- The environments of sites with version management: which version of the configuration is for which requests.
CREATE TABLE IF NOT EXISTS site_environments (
    site_id  INTEGER NOT NULL REFERENCES sites (id) ON DELETE CASCADE,
    name     TEXT NOT NULL,    -- production is for all requests that no other is for
    position INTEGER NOT NULL, -- the order in which they are tried
    rule     TEXT NOT NULL,    -- the traffic filter; empty for production
    version  INTEGER NOT NULL,
    previous INTEGER NOT NULL DEFAULT -1, -- the version before; -1: there was none
    PRIMARY KEY (site_id, name)
);
