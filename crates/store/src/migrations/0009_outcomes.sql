-- Which before handlers are to hear how an action ended that they were asked about (`notify_outcome`): a row an event and
-- handler, written before the call leaves, deleted when the handler has heard. Passwords are never in it.
CREATE TABLE outcomes (
  id BIGINT_ID PRIMARY KEY,
  event_id BLOB NOT NULL,
  events_id TEXT NOT NULL,
  handlers_id BIGINT NOT NULL,
  -- Whose handler it is; null = the whole system's.
  handlers_companies_id BIGINT,
  object_id BIGINT NOT NULL,
  clients_id BIGINT NOT NULL,
  companies_id BIGINT NOT NULL,
  -- The member `event` of what it was asked, as JSON.
  head TEXT NOT NULL,
  asked_at BIGINT NOT NULL,
  -- asked, committed, aborted
  outcome TEXT NOT NULL,
  -- The event's number, once committed.
  seq BIGINT,
  -- What aborted it, as JSON: {"type": ...}.
  ended_by TEXT,
  message TEXT,
  -- 0 = waiting or retrying, 1 = dead.
  dead BIGINT NOT NULL,
  -- Attempts made to tell it.
  attempt BIGINT NOT NULL,
  next_at BIGINT NOT NULL,
  first_at BIGINT,
  error TEXT,
  -- 1 = sent again on demand.
  resend BIGINT NOT NULL
);
CREATE UNIQUE INDEX outcomes_event ON outcomes (event_id, handlers_id);
CREATE INDEX outcomes_handler ON outcomes (handlers_id, id);
CREATE INDEX outcomes_dead ON outcomes (id) WHERE dead = 1;
CREATE INDEX outcomes_retrying ON outcomes (id) WHERE dead = 0 AND attempt > 0;
CREATE INDEX outcomes_due ON outcomes (handlers_id, next_at, id) WHERE outcome <> 'asked' AND dead = 0;

-- Calls to shadows decide nothing; most calls are none.
ALTER TABLE executions ADD COLUMN shadow BIGINT NOT NULL DEFAULT 0;
CREATE INDEX executions_shadow ON executions (shadow, id) WHERE shadow <> 0;
CREATE INDEX executions_shadow_handler ON executions (handlers_id, id) WHERE shadow <> 0;
