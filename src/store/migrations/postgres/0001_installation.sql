-- Who this database belongs to. One row, written when the database is first opened.
CREATE TABLE installation (
    only_row BIGINT PRIMARY KEY CHECK (only_row = 1),
    id       UUID NOT NULL
);

-- The highest epoch of a leader that ever wrote here. Writes of a leader with a lower one are refused. Each write locks this row,
-- so there is one at a time.
CREATE TABLE leader_epoch (
    only_row BIGINT PRIMARY KEY CHECK (only_row = 1),
    epoch    BIGINT NOT NULL CHECK (epoch >= 0)
);

INSERT INTO leader_epoch (only_row, epoch) VALUES (1, 0);
