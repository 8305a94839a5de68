-- Deliveries and log rows get their ids from us: an engine's own counter for rows that are never numbered twice costs a write
-- for each of them. A delivery's id is its event's row_id * 65536 + its place among the event's deliveries, so that ids
-- still rise in the order of commits, and those of one event stand together (so `deliveries_event` is gone). A log row's comes from a counter that is moved on once a batch.
INSERT INTO counters (name, value) SELECT 'log_last_id', COALESCE(MAX(id), 0) FROM executions;
ALTER TABLE deliveries RENAME TO deliveries_0001;
ALTER TABLE executions RENAME TO executions_0001;
DROP INDEX deliveries_handler;
DROP INDEX deliveries_lane;
DROP INDEX deliveries_event;
DROP INDEX deliveries_dead;
DROP INDEX executions_handler;
DROP INDEX executions_client;
DROP INDEX executions_event;
DROP INDEX executions_dt;
DROP INDEX executions_trouble;

-- What is not yet delivered: a row per event and after handler, deleted when it is done.
CREATE TABLE deliveries (
  id BIGINT PRIMARY KEY,
  handlers_id BIGINT NOT NULL,
  clients_id BIGINT NOT NULL,
  seq BIGINT NOT NULL,
  events_row BIGINT NOT NULL,
  event_id BLOB NOT NULL,
  -- 0 = waiting or retrying, 1 = dead.
  dead BIGINT NOT NULL,
  -- Attempts made.
  attempt BIGINT NOT NULL,
  next_at BIGINT NOT NULL,
  -- When the first attempt was made (moved on by the time in which the handler stood still).
  first_at BIGINT,
  error TEXT,
  -- 1 = sent again on demand.
  resend BIGINT NOT NULL
);
CREATE INDEX deliveries_handler ON deliveries (handlers_id, id);
CREATE INDEX deliveries_lane ON deliveries (clients_id, handlers_id, id);
CREATE INDEX deliveries_dead ON deliveries (handlers_id, id) WHERE dead = 1;

-- The execution log: one row per call.
CREATE TABLE executions (
  id BIGINT PRIMARY KEY,
  dt BIGINT NOT NULL,
  event_id BLOB NOT NULL,
  events_id TEXT NOT NULL,
  stage TEXT NOT NULL,
  handlers_id BIGINT NOT NULL,
  handlers_name TEXT NOT NULL,
  object_id BIGINT NOT NULL,
  clients_id BIGINT NOT NULL,
  companies_id BIGINT NOT NULL,
  -- The handler's reseller at that time; null = the whole system. Outlives the handler.
  handlers_companies_id BIGINT,
  attempt BIGINT NOT NULL,
  -- success, forbidden, failed, skipped
  status TEXT NOT NULL,
  duration_us BIGINT NOT NULL,
  response_status BIGINT,
  error TEXT,
  -- What was sent, masked; null = exactly the body of the event in the journal.
  request TEXT,
  response TEXT,
  -- {"key": {"old": ..., "new": ...}} of a before handler.
  changes TEXT
);
CREATE INDEX executions_handler ON executions (handlers_id, id);
CREATE INDEX executions_client ON executions (clients_id, id);
CREATE INDEX executions_event ON executions (event_id);
CREATE INDEX executions_dt ON executions (dt);
CREATE INDEX executions_trouble ON executions (status, id) WHERE status <> 'success';

INSERT INTO deliveries SELECT events_row * 65536 + (id - first_id), handlers_id, clients_id, seq, events_row, event_id, dead, attempt,
    next_at, first_at, error, resend
  FROM (SELECT *, MIN(id) OVER (PARTITION BY events_row) AS first_id FROM deliveries_0001) numbered;
INSERT INTO executions SELECT x.id, x.dt, x.event_id, x.events_id, x.stage, x.handlers_id, x.handlers_name, x.object_id, x.clients_id,
    x.companies_id, h.companies_id, x.attempt, x.status, x.duration_us, x.response_status, x.error, x.request, x.response, x.changes
  FROM executions_0001 x LEFT JOIN handlers h ON h.id = x.handlers_id;
DROP TABLE deliveries_0001;
DROP TABLE executions_0001;
