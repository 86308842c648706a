-- Raw work items as Azure DevOps gave them. `absent` is 1 for items that the last completed full read did not see.
CREATE TABLE work_items (
    integration_key INTEGER NOT NULL REFERENCES integrations (key),
    project_id      BLOB    NOT NULL CHECK (length(project_id) = 16),
    id              INTEGER NOT NULL,
    rev             INTEGER NOT NULL,
    work_item_type  TEXT    NOT NULL,
    state           TEXT    NOT NULL,
    title           TEXT    NOT NULL,
    changed_at      INTEGER NOT NULL,
    absent          INTEGER NOT NULL DEFAULT 0 CHECK (absent IN (0, 1)),
    fields          TEXT    NOT NULL,
    PRIMARY KEY (integration_key, project_id, id)
) STRICT;

-- Counting by type and setting marks must not read the long rows: everything they need stands in this index.
CREATE INDEX work_items_by_presence ON work_items (integration_key, project_id, absent, work_item_type, id);

-- Full reads under way, at most one per project of an integration.
CREATE TABLE full_reads (
    id              INTEGER PRIMARY KEY AUTOINCREMENT,
    integration_key INTEGER NOT NULL REFERENCES integrations (key),
    project_id      BLOB    NOT NULL CHECK (length(project_id) = 16),
    UNIQUE (integration_key, project_id)
) STRICT;

-- What a full read has seen so far. Kept beside the items, so that a read rewrites no unchanged item, and a read that
-- never finishes leaves no mark.
CREATE TABLE full_read_items (
    run_id INTEGER NOT NULL REFERENCES full_reads (id) ON DELETE CASCADE,
    id     INTEGER NOT NULL,
    PRIMARY KEY (run_id, id)
) STRICT, WITHOUT ROWID;
