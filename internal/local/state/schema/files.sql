-- Files that clients upload for an operation to read: the answers of AuthorizeFileUpload.
CREATE TABLE IF NOT EXISTS files (
    object_key TEXT PRIMARY KEY,
    name       TEXT NOT NULL DEFAULT '', -- below the blob folder; empty: not uploaded yet
    created_at INTEGER NOT NULL          -- Unix nanoseconds
);
CREATE INDEX IF NOT EXISTS files_age ON files (created_at);
