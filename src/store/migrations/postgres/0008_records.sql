-- Project configs whose mapping was ever at work, by their names: a config that is created again finds its history. `uid` is
-- the object that was last seen under that name, `purge` its deletion policy. A key is never used again.
--
-- `fingerprint` is of the mapping that all records were made by, null while that is not so; `change_number` is the change of the
-- raw data that they stand for, and `seen` what the items said besides. `mapped` tells whether there were ever records of this
-- object: the first ones are the beginning of its history, and no change.
CREATE TABLE configs (
    key             BIGINT  GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    integration_key BIGINT  NOT NULL REFERENCES integrations (key),
    project_id      UUID    NOT NULL,
    namespace       TEXT    NOT NULL,
    name            TEXT    NOT NULL,
    uid             TEXT    NOT NULL,
    purge           BOOLEAN NOT NULL,
    mapped          BOOLEAN NOT NULL DEFAULT FALSE,
    fingerprint     UUID,
    change_number   BIGINT  NOT NULL DEFAULT 0,
    seen            TEXT    NOT NULL DEFAULT '',
    UNIQUE (integration_key, project_id, namespace, name)
);

-- What the work items of a project are in test management, as a config maps them. `id` and `rev` are the work item's; releases and
-- sprints are identifiers of iterations. `unmapped` are the values that nobody mapped, as JSON; mostly null. No foreign key, as
-- with work items.
CREATE TABLE records (
    config_key     BIGINT NOT NULL,
    id             BIGINT NOT NULL,
    rev            BIGINT NOT NULL,
    kind           TEXT   NOT NULL,
    work_item_type TEXT   NOT NULL,
    release_id     UUID,
    sprint_id      UUID,
    status         TEXT,
    category       TEXT,
    priority       TEXT,
    severity       TEXT,
    release_date   TEXT,
    unmapped       TEXT,
    PRIMARY KEY (config_key, id)
);

-- Releases and sprints of a config, `side` says which. `position` is their order in the tree of iterations.
CREATE TABLE plan_nodes (
    config_key  BIGINT NOT NULL,
    side        TEXT   NOT NULL,
    position    BIGINT NOT NULL,
    identifier  UUID   NOT NULL,
    name        TEXT   NOT NULL,
    start_date  TEXT,
    finish_date TEXT,
    release_id  UUID,
    PRIMARY KEY (config_key, side, position)
);

-- The history of records, only ever added to: what a record is from `at` on (Unix milliseconds), and what it was until then. A
-- `kind` of null is no record. The first records of a config are not told of, so an item was before its first row what that row
-- says that it was; an item without a row has always been what its record says.
CREATE TABLE record_changes (
    id                 BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    config_key         BIGINT NOT NULL,
    item_id            BIGINT NOT NULL,
    at                 BIGINT NOT NULL,
    kind               TEXT,
    work_item_type     TEXT,
    release_id         UUID,
    sprint_id          UUID,
    status             TEXT,
    category           TEXT,
    was_kind           TEXT,
    was_work_item_type TEXT,
    was_release_id     UUID,
    was_sprint_id      UUID,
    was_status         TEXT,
    was_category       TEXT,
    CHECK (kind IS NOT NULL OR was_kind IS NOT NULL)
);

-- The history is read, and goes, by its config.
CREATE INDEX record_changes_by_config ON record_changes (config_key, id);
