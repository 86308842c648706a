-- Who this database belongs to. One row, written when the database is first opened.
CREATE TABLE installation (
    only_row INTEGER PRIMARY KEY CHECK (only_row = 1),
    id       BLOB NOT NULL CHECK (length(id) = 16)
) STRICT;

-- The highest epoch of a leader that ever wrote here. Writes of a leader with a lower one are refused.
CREATE TABLE leader_epoch (
    only_row INTEGER PRIMARY KEY CHECK (only_row = 1),
    epoch    INTEGER NOT NULL CHECK (epoch >= 0)
) STRICT;

INSERT INTO leader_epoch (only_row, epoch) VALUES (1, 0);
