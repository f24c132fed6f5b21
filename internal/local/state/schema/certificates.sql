-- The certificate authority of this state, made when first needed.
CREATE TABLE IF NOT EXISTS local_ca (
    only        INTEGER PRIMARY KEY CHECK (only = 1),
    certificate TEXT NOT NULL, -- PEM, as all certificates and keys here
    private_key TEXT NOT NULL
);
-- The edge certificates of sites. Times are Unix seconds.
CREATE TABLE IF NOT EXISTS certificates (
    id          TEXT PRIMARY KEY, -- 32 hex digits
    site_id     INTEGER NOT NULL REFERENCES sites (id) ON DELETE CASCADE,
    type        TEXT NOT NULL CHECK (type IN ('free', 'upload', 'cas')),
    name        TEXT NOT NULL,
    cas_id      INTEGER NOT NULL DEFAULT 0,
    domain      TEXT NOT NULL DEFAULT '', -- what was applied for
    brand       TEXT NOT NULL DEFAULT '', -- lets_encrypt, digicert_single, digicert_wildcard
    challenge   TEXT NOT NULL DEFAULT '', -- value that proves control of the domain
    ready_at    INTEGER NOT NULL DEFAULT 0, -- when an application is looked at
    certificate TEXT NOT NULL DEFAULT '', -- empty while it is applied for
    private_key TEXT NOT NULL DEFAULT '',
    fingerprint TEXT NOT NULL DEFAULT '',
    not_after   INTEGER NOT NULL DEFAULT 0,
    created     INTEGER NOT NULL,
    updated     INTEGER NOT NULL
);
CREATE INDEX IF NOT EXISTS certificates_by_site ON certificates (site_id);
-- What the account has in its certificate service: every upload goes there too.
CREATE TABLE IF NOT EXISTS cas_certificates (
    cas_id      INTEGER PRIMARY KEY,
    name        TEXT NOT NULL,
    certificate TEXT NOT NULL,
    private_key TEXT NOT NULL,
    fingerprint TEXT NOT NULL UNIQUE
);
-- What ESA shows of itself to origins: for a whole site, or for host names of it.
CREATE TABLE IF NOT EXISTS origin_client_certificates (
    id          TEXT PRIMARY KEY,
    site_id     INTEGER NOT NULL REFERENCES sites (id) ON DELETE CASCADE,
    whole_site  INTEGER NOT NULL,
    name        TEXT NOT NULL,
    hostnames   TEXT NOT NULL DEFAULT '[]', -- JSON list
    certificate TEXT NOT NULL,
    private_key TEXT NOT NULL,
    fingerprint TEXT NOT NULL,
    created     INTEGER NOT NULL,
    updated     INTEGER NOT NULL
);
CREATE INDEX IF NOT EXISTS origin_client_certificates_by_site ON origin_client_certificates (site_id, whole_site);
