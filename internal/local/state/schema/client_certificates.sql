-- Certificates of a site that are not the edge's own. Times are Unix seconds.
CREATE TABLE IF NOT EXISTS client_certificates (
    id          TEXT PRIMARY KEY,
    site_id     INTEGER NOT NULL REFERENCES sites (id) ON DELETE CASCADE,
    use         TEXT NOT NULL, -- client, client_ca, origin_ca
    name        TEXT NOT NULL,
    certificate TEXT NOT NULL, -- PEM
    fingerprint TEXT NOT NULL,
    revoked     INTEGER NOT NULL DEFAULT 0,
    hostnames   TEXT NOT NULL DEFAULT '[]', -- JSON list: where a client authority is asked for
    created     INTEGER NOT NULL,
    updated     INTEGER NOT NULL
);
CREATE INDEX IF NOT EXISTS client_certificates_by_site ON client_certificates (site_id, use);
-- The host names that ask clients for certificates of the site's own authority.
CREATE TABLE IF NOT EXISTS client_certificate_hostnames (
    site_id   INTEGER PRIMARY KEY REFERENCES sites (id) ON DELETE CASCADE,
    hostnames TEXT NOT NULL -- JSON list
);
