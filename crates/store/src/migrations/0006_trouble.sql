-- What a handler must still be told of one reseller's clients, in order: each reseller has its turns.
CREATE INDEX deliveries_reseller ON deliveries (handlers_id, companies_id, id) WHERE dead = 0;

-- Up to which of a client's events a handler has heard of it, and when it was told that one.
CREATE TABLE told (
  handlers_id BIGINT NOT NULL,
  clients_id BIGINT NOT NULL,
  seq BIGINT NOT NULL,
  dt BIGINT NOT NULL,
  -- 1 = it heard how the client began, or was told by a resync how it stands.
  whole BIGINT NOT NULL,
  -- 1 = something was discarded since.
  missed BIGINT NOT NULL,
  PRIMARY KEY (handlers_id, clients_id)
);

-- For handlers that only want the latest: the object and the kind of event, and how many earlier ones this one stands for.
ALTER TABLE deliveries ADD COLUMN fold TEXT;
ALTER TABLE deliveries ADD COLUMN folded BIGINT NOT NULL DEFAULT 0;
CREATE INDEX deliveries_fold ON deliveries (handlers_id, fold, folded) WHERE fold IS NOT NULL;

-- How many events were ever cut from the journal: with the number of its last row that tells how many there are, without
-- counting. The journal may be empty, or its last rows gone, and its numbers go on all the same: a row that comes and goes
-- again tells the last one.
INSERT INTO events (id, dt, events_id, object_id, clients_id, companies_id, seq, body)
  VALUES (CAST('last' AS BLOB), 0, '', 0, 0, 0, -1, '');
INSERT INTO counters (name, value) SELECT 'events_cut', MAX(row_id) - COUNT(*) + 1 FROM events;
DELETE FROM events WHERE id = CAST('last' AS BLOB);
