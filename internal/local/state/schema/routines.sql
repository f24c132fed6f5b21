-- Edge routines. Times are Unix nanoseconds.
CREATE TABLE IF NOT EXISTS routines (
    id          INTEGER PRIMARY KEY AUTOINCREMENT, -- never used twice: access tokens name it
    name        TEXT NOT NULL UNIQUE,
    description TEXT NOT NULL,
    has_assets  INTEGER NOT NULL,
    created_at  INTEGER NOT NULL,
    staged_code BLOB -- the last uploaded script, which a commit makes a version of
);
-- The code versions. A version starts as init; it becomes available or failed once.
CREATE TABLE IF NOT EXISTS routine_versions (
    routine_id         INTEGER NOT NULL REFERENCES routines (id) ON DELETE CASCADE,
    code_version       TEXT NOT NULL,
    status             TEXT NOT NULL CHECK (status IN ('init', 'available', 'failed')),
    reason             TEXT NOT NULL DEFAULT '', -- why it failed
    description        TEXT NOT NULL,
    not_found_strategy TEXT NOT NULL,
    build_id           INTEGER,
    extra_info         TEXT NOT NULL,
    deploy_env         TEXT NOT NULL,
    has_assets         INTEGER NOT NULL,
    has_code           INTEGER NOT NULL,
    created_at         INTEGER NOT NULL,
    upload             TEXT NOT NULL DEFAULT '', -- name of the uploaded zip while it is being built
    pack               TEXT NOT NULL DEFAULT '', -- name of the file that holds all assets
    manifest           BLOB, -- JSON list of the assets in the pack
    code               BLOB, -- the script
    PRIMARY KEY (routine_id, code_version)
);
-- What is live in each environment. code_versions is a JSON list of versions and percentages.
CREATE TABLE IF NOT EXISTS routine_deployments (
    routine_id    INTEGER NOT NULL REFERENCES routines (id) ON DELETE CASCADE,
    env           TEXT NOT NULL CHECK (env IN ('staging', 'production')),
    deployment_id TEXT NOT NULL,
    strategy      TEXT NOT NULL,
    code_versions TEXT NOT NULL,
    created_at    INTEGER NOT NULL,
    PRIMARY KEY (routine_id, env)
);
-- What an uploaded object is for. An empty code_version is the routine's staged script.
CREATE TABLE IF NOT EXISTS routine_uploads (
    object_key   TEXT PRIMARY KEY,
    routine_id   INTEGER NOT NULL REFERENCES routines (id) ON DELETE CASCADE,
    code_version TEXT NOT NULL,
    created_at   INTEGER NOT NULL
);
