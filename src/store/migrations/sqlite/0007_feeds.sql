-- Where each feed of a project goes on. Written in the transaction of the page before, so that a crash reads a page again and
-- loses none.
CREATE TABLE feeds (
    integration_key INTEGER NOT NULL REFERENCES integrations (key),
    project_id      BLOB    NOT NULL CHECK (length(project_id) = 16),
    feed            TEXT    NOT NULL,
    token           TEXT    NOT NULL,
    PRIMARY KEY (integration_key, project_id, feed)
) STRICT, WITHOUT ROWID;

-- Links between work items, by the newest change of each. `rel` has no direction; of a hierarchy the source is the parent.
CREATE TABLE links (
    integration_key INTEGER NOT NULL REFERENCES integrations (key),
    project_id      BLOB    NOT NULL CHECK (length(project_id) = 16),
    rel             TEXT    NOT NULL,
    source_id       INTEGER NOT NULL,
    target_id       INTEGER NOT NULL,
    changed_at      INTEGER NOT NULL,
    active          INTEGER NOT NULL CHECK (active IN (0, 1)),
    PRIMARY KEY (integration_key, project_id, rel, source_id, target_id)
) STRICT, WITHOUT ROWID;
