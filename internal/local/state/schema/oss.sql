-- Permissions to upload one object, given out by operations that name an upload address.
CREATE TABLE IF NOT EXISTS oss_grants (
    access_key_id  TEXT PRIMARY KEY,
    secret         TEXT NOT NULL,
    security_token TEXT NOT NULL, -- empty: the form needs none
    expires_at     INTEGER NOT NULL -- Unix nanoseconds; the signed policy says the same
);
