-- `finished_at` and `outcome` are null while a run is under way.
CREATE TABLE sync_runs (
    id              BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    integration_key BIGINT NOT NULL REFERENCES integrations (key),
    project_id      UUID   NOT NULL,
    config_uid      TEXT   NOT NULL,
    kind            TEXT   NOT NULL,
    started_at      BIGINT NOT NULL,
    finished_at     BIGINT,
    outcome         TEXT,
    items           BIGINT NOT NULL DEFAULT 0,
    requests        BIGINT NOT NULL DEFAULT 0,
    reason          TEXT,
    CHECK ((finished_at IS NULL) = (outcome IS NULL))
);

CREATE INDEX sync_runs_by_config ON sync_runs (config_uid, id);
