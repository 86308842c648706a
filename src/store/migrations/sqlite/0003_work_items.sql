-- What was read of each project. `change` is the number of the latest transaction that changed anything of its raw data.
CREATE TABLE scopes (
    integration_key INTEGER NOT NULL REFERENCES integrations (key),
    project_id      BLOB    NOT NULL CHECK (length(project_id) = 16),
    change          INTEGER NOT NULL,
    PRIMARY KEY (integration_key, project_id)
) STRICT, WITHOUT ROWID;

-- Raw work items as Azure DevOps gave them. `absent` is 1 for items that are not there any more, or cannot be read; `change` is the
-- number of the last transaction that changed the row. The long texts stand last, so that nobody who reads the rest reads over them.
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
    change          INTEGER NOT NULL,
    fields          TEXT    NOT NULL,
    texts           TEXT,
    PRIMARY KEY (integration_key, project_id, id)
) STRICT;

-- Counting by type and setting marks must not read the long rows: everything they need stands in this index.
CREATE INDEX work_items_by_presence ON work_items (integration_key, project_id, absent, work_item_type, id);

-- What changed since something was made of it.
CREATE INDEX work_items_by_change ON work_items (integration_key, project_id, change, id);

-- Items at Azure DevOps's limit of revisions: few if any, and looked for at each read.
CREATE INDEX work_items_at_limit ON work_items (integration_key, project_id, id) WHERE rev >= 10000;

-- Items that could not be read as they are, with the reason. What was stored of them before stays.
CREATE TABLE set_aside (
    integration_key INTEGER NOT NULL,
    project_id      BLOB    NOT NULL CHECK (length(project_id) = 16),
    id              INTEGER NOT NULL,
    reason          TEXT    NOT NULL,
    PRIMARY KEY (integration_key, project_id, id)
) STRICT, WITHOUT ROWID;
