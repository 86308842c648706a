-- Where each feed of a project goes on. Written in the transaction of the page before, so that a crash reads a page again and
-- loses none.
CREATE TABLE feeds (
    integration_key BIGINT NOT NULL REFERENCES integrations (key),
    project_id      UUID   NOT NULL,
    feed            TEXT   NOT NULL,
    token           TEXT   NOT NULL,
    PRIMARY KEY (integration_key, project_id, feed)
);

-- Links between work items, by the newest change of each. `rel` has no direction; of a hierarchy the source is the parent. No
-- foreign key, as with work items.
CREATE TABLE links (
    integration_key BIGINT  NOT NULL,
    project_id      UUID    NOT NULL,
    rel             TEXT    NOT NULL,
    source_id       BIGINT  NOT NULL,
    target_id       BIGINT  NOT NULL,
    changed_at      BIGINT  NOT NULL,
    active          BOOLEAN NOT NULL,
    PRIMARY KEY (integration_key, project_id, rel, source_id, target_id)
);
