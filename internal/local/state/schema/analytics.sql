-- What visitors asked the edge for at the hosts of sites. Requests of one second that
-- are alike in everything share a row.
-- Texts are kept once: a column without a comment is the id of a text, so that a
-- row is small and quick to write, to group and to count.
DROP TABLE IF EXISTS request_log; -- as it was before
CREATE TABLE IF NOT EXISTS visit_texts (
    id   INTEGER PRIMARY KEY,
    text TEXT NOT NULL UNIQUE
);
CREATE TABLE IF NOT EXISTS visits (
    at              INTEGER NOT NULL, -- Unix seconds
    site_id         INTEGER NOT NULL REFERENCES sites (id) ON DELETE CASCADE,
    host            INTEGER NOT NULL,
    method          INTEGER NOT NULL,
    path            INTEGER NOT NULL,
    query           INTEGER NOT NULL,
    protocol        INTEGER NOT NULL,
    referer         INTEGER NOT NULL,
    user_agent      INTEGER NOT NULL,
    requested_with  INTEGER NOT NULL,
    ssl_protocol    INTEGER NOT NULL,
    ip              INTEGER NOT NULL,
    ip_version      INTEGER NOT NULL,
    asn             INTEGER NOT NULL,
    country         INTEGER NOT NULL,
    province        INTEGER NOT NULL,
    isp             INTEGER NOT NULL,
    browser         INTEGER NOT NULL, -- a text: this one and the next two are read from user_agent
    os              INTEGER NOT NULL,
    device          INTEGER NOT NULL,
    status          INTEGER NOT NULL,
    origin_status   INTEGER NOT NULL,
    content_type    INTEGER NOT NULL,
    cache_status    INTEGER NOT NULL,
    version         INTEGER NOT NULL,
    n               INTEGER NOT NULL, -- how many requests; the next three are sums
    traffic         INTEGER NOT NULL, -- bytes sent
    request_traffic INTEGER NOT NULL, -- bytes received
    page_view       INTEGER NOT NULL  -- pages shown
);
CREATE INDEX IF NOT EXISTS visits_by_site ON visits (site_id, at);
