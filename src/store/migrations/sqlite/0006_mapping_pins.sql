-- What the names of a project config's accepted spec stand for.
CREATE TABLE mapping_pins (
    uid        TEXT PRIMARY KEY,
    generation INTEGER NOT NULL,
    pins       TEXT NOT NULL
) STRICT, WITHOUT ROWID;
