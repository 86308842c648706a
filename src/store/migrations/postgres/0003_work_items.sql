-- What was read of each project. `change` is the number of the latest transaction that changed anything of its raw data.
CREATE TABLE scopes (
    integration_key BIGINT  NOT NULL REFERENCES integrations (key),
    project_id      UUID    NOT NULL,
    change          BIGINT  NOT NULL,
    PRIMARY KEY (integration_key, project_id)
);

-- Raw work items as Azure DevOps gave them. `absent` is true for items that are not there any more, or cannot be read; `change` is
-- the number of the last transaction that changed the row. Types are listed in the order of their bytes, whatever the database's
-- language. The key is one of `integrations`; a foreign key would look it up again for each of thousands of rows, which costs more
-- than writing them.
CREATE TABLE work_items (
    integration_key BIGINT  NOT NULL,
    project_id      UUID    NOT NULL,
    id              BIGINT  NOT NULL,
    rev             BIGINT  NOT NULL,
    work_item_type  TEXT    NOT NULL COLLATE "C",
    state           TEXT    NOT NULL,
    title           TEXT    NOT NULL,
    changed_at      BIGINT  NOT NULL,
    absent          BOOLEAN NOT NULL DEFAULT FALSE,
    change          BIGINT  NOT NULL,
    fields          TEXT    NOT NULL,
    texts           TEXT,
    PRIMARY KEY (integration_key, project_id, id)
);

-- Counting by type and setting marks must not read the long rows: everything they need stands in this index.
CREATE INDEX work_items_by_presence ON work_items (integration_key, project_id, absent, work_item_type, id);

-- What changed since something was made of it.
CREATE INDEX work_items_by_change ON work_items (integration_key, project_id, change, id);

-- Items at Azure DevOps's limit of revisions: few if any, and looked for at each read.
CREATE INDEX work_items_at_limit ON work_items (integration_key, project_id, id) WHERE rev >= 10000;

-- Items that could not be read as they are, with the reason. What was stored of them before stays.
CREATE TABLE set_aside (
    integration_key BIGINT  NOT NULL,
    project_id      UUID    NOT NULL,
    id              BIGINT  NOT NULL,
    reason          TEXT    NOT NULL,
    PRIMARY KEY (integration_key, project_id, id)
);
