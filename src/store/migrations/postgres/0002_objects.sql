-- The store's own id of an integration. A key is never used again, even after its row went.
CREATE TABLE integrations (
    key             BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    installation    UUID NOT NULL,
    namespace       TEXT NOT NULL,
    name            TEXT NOT NULL,
    organization_id TEXT NOT NULL,
    UNIQUE (installation, namespace, name, organization_id)
);

-- What a first validation resolved, for the life of a Kubernetes object.
CREATE TABLE pins (
    uid   TEXT NOT NULL,
    kind  TEXT NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (uid, kind)
);

-- The last credential of an object that Azure DevOps refused; the version names it and holds nothing of it.
CREATE TABLE credential_refusals (
    uid                TEXT PRIMARY KEY,
    credential_version TEXT NOT NULL,
    refused_at         BIGINT NOT NULL
);
