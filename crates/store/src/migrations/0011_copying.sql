-- Why this database is not to be served: it is a backup, or only a part of a copy or of a restored backup. No row = it is in use.
CREATE TABLE withheld (
  -- copy, restore, backup
  kind TEXT PRIMARY KEY,
  -- What it is made from: a hash of how that stood. Whoever goes on must go on from the same.
  source TEXT NOT NULL,
  -- When that was begun, or when the backup was made.
  dt BIGINT NOT NULL
);

-- How far each table of a copy has come: written with each portion.
CREATE TABLE copying (
  name TEXT PRIMARY KEY,
  -- The key of the last row that is here, as JSON; null = none is.
  mark TEXT,
  rows_copied BIGINT NOT NULL,
  -- 1 = all of it is here.
  whole BIGINT NOT NULL
);
