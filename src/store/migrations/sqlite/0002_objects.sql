-- The store's own id of an integration. AUTOINCREMENT: a key is never used again, even after its row went.
CREATE TABLE integrations (
    key             INTEGER PRIMARY KEY AUTOINCREMENT,
    installation    BLOB NOT NULL,
    namespace       TEXT NOT NULL,
    name            TEXT NOT NULL,
    organization_id TEXT NOT NULL,
    UNIQUE (installation, namespace, name, organization_id)
) STRICT;

-- What a first validation resolved, for the life of a Kubernetes object.
CREATE TABLE pins (
    uid   TEXT NOT NULL,
    kind  TEXT NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (uid, kind)
) STRICT, WITHOUT ROWID;

-- The last credential of an object that Azure DevOps refused; the version names it and holds nothing of it.
CREATE TABLE credential_refusals (
    uid                TEXT PRIMARY KEY,
    credential_version TEXT NOT NULL,
    refused_at         INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
