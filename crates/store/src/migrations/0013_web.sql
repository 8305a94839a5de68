-- Who is signed in to the web section or the Management API. The token itself is kept by its browser only.
CREATE TABLE sessions (
  -- SHA-256 of the token.
  hash BLOB PRIMARY KEY,
  users_id BIGINT NOT NULL,
  -- web, program: each kind has a number of its own of sessions of one user.
  kind TEXT NOT NULL,
  -- A hash of what the password is stored as: a session of another password is none, whoever changed that.
  proof BLOB NOT NULL,
  c_dt BIGINT NOT NULL,
  -- When it was last used, give or take some minutes.
  seen_dt BIGINT NOT NULL
);
CREATE INDEX sessions_user ON sessions (users_id, kind, seen_dt);
CREATE INDEX sessions_seen ON sessions (seen_dt);

-- How many calls of each kind a handler had in each hour, and how long they took together: written with their rows in the log.
CREATE TABLE call_hours (
  handlers_id BIGINT NOT NULL,
  -- The hour's first moment.
  hour BIGINT NOT NULL,
  success BIGINT NOT NULL,
  forbidden BIGINT NOT NULL,
  failed BIGINT NOT NULL,
  skipped BIGINT NOT NULL,
  duration_us BIGINT NOT NULL,
  PRIMARY KEY (handlers_id, hour)
);
CREATE INDEX call_hours_hour ON call_hours (hour);

-- How many events each reseller's clients had in each hour. A node adds its own every few seconds.
CREATE TABLE event_hours (
  companies_id BIGINT NOT NULL,
  hour BIGINT NOT NULL,
  events BIGINT NOT NULL,
  PRIMARY KEY (companies_id, hour)
);
CREATE INDEX event_hours_hour ON event_hours (hour);
