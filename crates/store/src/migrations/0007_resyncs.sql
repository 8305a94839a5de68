-- Resyncs: a handler is told how things stand. Ended ones are kept.
CREATE TABLE resyncs (
  id BIGINT PRIMARY KEY,
  handlers_id BIGINT NOT NULL,
  -- The handler's reseller; null = the whole system.
  scope_id BIGINT,
  state TEXT NOT NULL,
  reason TEXT,
  -- {"clients_id": [...], "companies_id": n, "condition": "..."}
  selection TEXT NOT NULL,
  rate BIGINT NOT NULL,
  -- Null = not counted yet.
  total BIGINT,
  sent BIGINT NOT NULL,
  -- Events that were discarded before they were delivered.
  lost BIGINT NOT NULL,
  -- Everything up to here is told: [client, part, object].
  place TEXT NOT NULL,
  -- The journal's rows of its first and last event.
  first_row BIGINT,
  last_row BIGINT,
  login TEXT NOT NULL,
  actor TEXT NOT NULL,
  started_at BIGINT NOT NULL,
  ended_at BIGINT
);
CREATE INDEX resyncs_handler ON resyncs (handlers_id, id);
CREATE INDEX resyncs_open ON resyncs (id) WHERE ended_at IS NULL;

-- The resync that tells it, to its handler alone; null = it happened.
ALTER TABLE events ADD COLUMN resyncs_id BIGINT;
