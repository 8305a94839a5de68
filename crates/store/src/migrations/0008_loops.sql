-- Handlers that answer each other through our API: one row for each set of them, of each reseller's clients, and each way in
-- which they were found.
CREATE TABLE loops (
  id BIGINT_ID PRIMARY KEY,
  first_dt BIGINT NOT NULL,
  last_dt BIGINT NOT NULL,
  -- depth, states, rate.
  found_by TEXT NOT NULL,
  companies_id BIGINT NOT NULL,
  -- The client, the event and the object of the last time.
  clients_id BIGINT NOT NULL,
  events_id TEXT NOT NULL,
  object_id BIGINT NOT NULL,
  -- Their ids in order, as JSON.
  handlers TEXT NOT NULL,
  -- How often an action was refused because of it; of one that is only suspected, how often it was seen.
  count BIGINT NOT NULL,
  -- The last steps of the last time, as JSON.
  way TEXT NOT NULL
);
CREATE UNIQUE INDEX loops_which ON loops (companies_id, found_by, handlers);
CREATE INDEX loops_last ON loops (last_dt);
