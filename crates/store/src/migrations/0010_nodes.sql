-- The nodes that share this database. One row is renewed and fenced for all that a node does: `epoch` names one life of it,
-- and is taken from a counter, so that none is ever given twice. All times are those of the database's clock.
CREATE TABLE nodes (
  id BIGINT PRIMARY KEY,
  name TEXT NOT NULL,
  version TEXT NOT NULL,
  epoch BIGINT NOT NULL,
  -- Until when it may act without asking again; 0 = it has left, or was ended by another.
  valid_until BIGINT NOT NULL,
  -- 1 = it hands its shards over and takes no others.
  leaving BIGINT NOT NULL,
  joined_at BIGINT NOT NULL,
  renewed_at BIGINT NOT NULL,
  -- How long a notice takes to come to it, in microseconds; null = none has come yet.
  lag_us BIGINT,
  -- The latest time that its own clock has shown.
  clock_seen BIGINT
);

-- Who owns which shard of the clients (`clients_id & 255`). One without a row is nobody's.
CREATE TABLE shards (
  shard BIGINT PRIMARY KEY,
  nodes_id BIGINT NOT NULL
);
CREATE INDEX shards_node ON shards (nodes_id);

-- The epoch of the node that asked; 0 = the only one.
ALTER TABLE outcomes ADD COLUMN asked_by BIGINT NOT NULL DEFAULT 0;
CREATE INDEX outcomes_asked ON outcomes (asked_by) WHERE outcome = 'asked';
