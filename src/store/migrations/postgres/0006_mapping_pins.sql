-- What the names of a project config's accepted spec stand for.
CREATE TABLE mapping_pins (
    uid        TEXT PRIMARY KEY,
    generation BIGINT NOT NULL,
    pins       TEXT NOT NULL
);
