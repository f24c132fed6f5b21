-- What visitors asked the edge for, one row for each request to a host of a site.
CREATE TABLE IF NOT EXISTS request_log (
    at              INTEGER NOT NULL, -- Unix seconds
    site_id         INTEGER NOT NULL REFERENCES sites (id) ON DELETE CASCADE,
    host            TEXT NOT NULL,
    method          TEXT NOT NULL,
    path            TEXT NOT NULL,
    query           TEXT NOT NULL,
    protocol        TEXT NOT NULL,
    referer         TEXT NOT NULL,
    user_agent      TEXT NOT NULL,
    requested_with  TEXT NOT NULL,
    ssl_protocol    TEXT NOT NULL,
    ip              TEXT NOT NULL,
    ip_version      TEXT NOT NULL,
    asn             TEXT NOT NULL,
    country         TEXT NOT NULL,
    province        TEXT NOT NULL,
    isp             TEXT NOT NULL,
    browser         TEXT NOT NULL, -- this one and the next two are read from user_agent
    os              TEXT NOT NULL,
    device          TEXT NOT NULL,
    status          TEXT NOT NULL,
    origin_status   TEXT NOT NULL,
    content_type    TEXT NOT NULL,
    cache_status    TEXT NOT NULL,
    version         TEXT NOT NULL,
    traffic         INTEGER NOT NULL, -- bytes sent
    request_traffic INTEGER NOT NULL, -- bytes received
    page_view       INTEGER NOT NULL  -- 1 if a page was shown
);
CREATE INDEX IF NOT EXISTS request_log_by_site ON request_log (site_id, at);
CREATE INDEX IF NOT EXISTS request_log_by_time ON request_log (at);
