-- `finished_at` and `outcome` are null while a run is under way.
CREATE TABLE sync_runs (
    id              INTEGER PRIMARY KEY AUTOINCREMENT,
    integration_key INTEGER NOT NULL REFERENCES integrations (key),
    project_id      BLOB    NOT NULL CHECK (length(project_id) = 16),
    config_uid      TEXT    NOT NULL,
    kind            TEXT    NOT NULL,
    started_at      INTEGER NOT NULL,
    finished_at     INTEGER,
    outcome         TEXT,
    items           INTEGER NOT NULL DEFAULT 0,
    requests        INTEGER NOT NULL DEFAULT 0,
    reason          TEXT,
    CHECK ((finished_at IS NULL) = (outcome IS NULL))
) STRICT;

CREATE INDEX sync_runs_by_config ON sync_runs (config_uid, id);
