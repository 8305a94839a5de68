-- The first schema. Shared by both engines: BIGINT, TEXT and BLOB only (PostgreSQL reads BLOB as BYTEA).
-- Money is in millionths, times are in microseconds UTC, ids of events are the 16 bytes of their UUID.

-- Counts changes of what every node keeps in memory ('handlers', 'access'): a commit compares it.
CREATE TABLE versions (name TEXT PRIMARY KEY, version BIGINT NOT NULL);
INSERT INTO versions (name, version) VALUES ('handlers', 1), ('access', 1);

-- Where the next block of ids begins, by name of the sequence. Ids are never used twice.
CREATE TABLE id_blocks (name TEXT PRIMARY KEY, next BIGINT NOT NULL);

CREATE TABLE companies (
  id BIGINT PRIMARY KEY,
  parent_id BIGINT,
  name TEXT NOT NULL,
  currencies_id BIGINT NOT NULL,
  timezone TEXT NOT NULL,
  status TEXT NOT NULL,
  c_dt BIGINT NOT NULL
);
CREATE UNIQUE INDEX companies_name ON companies (name);

CREATE TABLE users (
  id BIGINT PRIMARY KEY,
  login TEXT NOT NULL,
  companies_id BIGINT,
  role TEXT NOT NULL,
  password_hash TEXT,
  allowed_ips TEXT NOT NULL,
  status TEXT NOT NULL,
  c_dt BIGINT NOT NULL
);
CREATE UNIQUE INDEX users_login ON users (login);

-- SHA-256 of each key; expires_at is set on the old one when a key is rotated with an overlap.
CREATE TABLE user_keys (hash BLOB PRIMARY KEY, users_id BIGINT NOT NULL, expires_at BIGINT);
CREATE INDEX user_keys_user ON user_keys (users_id);

CREATE TABLE clients (
  id BIGINT PRIMARY KEY,
  companies_id BIGINT NOT NULL,
  currencies_id BIGINT NOT NULL,
  name TEXT NOT NULL,
  status TEXT NOT NULL,
  credit BIGINT,
  balance BIGINT NOT NULL,
  -- 1 = in funds, 0 = out of funds: the state after the last edge, for each basis.
  live_in_funds BIGINT NOT NULL,
  available_in_funds BIGINT NOT NULL,
  c_dt BIGINT NOT NULL,
  -- The other keys of the object that were ever set, as JSON.
  details TEXT NOT NULL
);
CREATE UNIQUE INDEX clients_name ON clients (companies_id, name);

CREATE TABLE accounts (
  id BIGINT PRIMARY KEY,
  clients_id BIGINT NOT NULL,
  name TEXT,
  auth_type TEXT NOT NULL,
  accname TEXT,
  -- Sealed.
  password BLOB,
  ani TEXT,
  tech_prefix TEXT NOT NULL,
  details TEXT NOT NULL
);
CREATE INDEX accounts_client ON accounts (clients_id, id);
CREATE UNIQUE INDEX accounts_accname ON accounts (accname);
CREATE UNIQUE INDEX accounts_ani ON accounts (ani, tech_prefix);

-- One row per address or subnet of an account, as 16 bytes (IPv4 mapped into IPv6). Subnets under one tech_prefix
-- never overlap, so the row with the greatest first_ip not above a given address is the only candidate.
CREATE TABLE account_ips (
  tech_prefix TEXT NOT NULL,
  first_ip BLOB NOT NULL,
  last_ip BLOB NOT NULL,
  accounts_id BIGINT NOT NULL,
  PRIMARY KEY (tech_prefix, first_ip)
);
CREATE INDEX account_ips_account ON account_ips (accounts_id);

-- The ledger: rows are never changed or deleted.
CREATE TABLE transactions (
  id BIGINT PRIMARY KEY,
  clients_id BIGINT NOT NULL,
  companies_id BIGINT NOT NULL,
  type TEXT NOT NULL,
  amount BIGINT NOT NULL,
  balance_after BIGINT NOT NULL,
  notes TEXT,
  c_dt BIGINT NOT NULL,
  external_id TEXT,
  clients_packages_id BIGINT
);
CREATE INDEX transactions_client ON transactions (clients_id, id);
CREATE UNIQUE INDEX transactions_external ON transactions (clients_id, external_id);

-- The first success of a request with an idempotency key, kept for 24 h.
CREATE TABLE idempotency (
  users_id BIGINT NOT NULL,
  method TEXT NOT NULL,
  idempotency_key TEXT NOT NULL,
  params_hash BLOB NOT NULL,
  result TEXT NOT NULL,
  dt BIGINT NOT NULL,
  PRIMARY KEY (users_id, method, idempotency_key)
);
CREATE INDEX idempotency_dt ON idempotency (dt);

CREATE TABLE handlers (
  id BIGINT PRIMARY KEY,
  companies_id BIGINT,
  name TEXT NOT NULL,
  status TEXT NOT NULL,
  type TEXT NOT NULL,
  call_order BIGINT NOT NULL,
  task TEXT NOT NULL,
  version BIGINT NOT NULL,
  -- Everything but the secrets, as JSON.
  doc TEXT NOT NULL,
  -- Secrets and header values, as sealed JSON.
  sealed BLOB NOT NULL
);

-- The number of each client's last committed event. Outlives the client.
CREATE TABLE client_seqs (clients_id BIGINT PRIMARY KEY, seq BIGINT NOT NULL);

-- The journal: one row per committed event.
CREATE TABLE events (
  row_id BIGINT_ID PRIMARY KEY,
  id BLOB NOT NULL,
  dt BIGINT NOT NULL,
  events_id TEXT NOT NULL,
  object_id BIGINT NOT NULL,
  clients_id BIGINT NOT NULL,
  companies_id BIGINT NOT NULL,
  seq BIGINT NOT NULL,
  -- The whole payload as after handlers get it, passwords masked.
  body TEXT NOT NULL,
  -- {"handlers_id": [...], "depth": n, "handlers": [...]} of the cause, if any.
  cause TEXT,
  -- The masked passwords as sealed JSON, until the last delivery is done.
  secrets BLOB
);
CREATE UNIQUE INDEX events_id ON events (id);
CREATE UNIQUE INDEX events_client ON events (clients_id, seq);
CREATE INDEX events_dt ON events (dt);

-- What is not yet delivered: a row per event and after handler, deleted when it is done.
CREATE TABLE deliveries (
  id BIGINT_ID PRIMARY KEY,
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
CREATE INDEX deliveries_event ON deliveries (events_row);
CREATE INDEX deliveries_dead ON deliveries (handlers_id, id) WHERE dead = 1;

-- The execution log: one row per call.
CREATE TABLE executions (
  id BIGINT_ID PRIMARY KEY,
  dt BIGINT NOT NULL,
  event_id BLOB NOT NULL,
  events_id TEXT NOT NULL,
  stage TEXT NOT NULL,
  handlers_id BIGINT NOT NULL,
  handlers_name TEXT NOT NULL,
  object_id BIGINT NOT NULL,
  clients_id BIGINT NOT NULL,
  companies_id BIGINT NOT NULL,
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

-- Bytes in the execution log, so that it can be kept below its bound without counting it.
CREATE TABLE counters (name TEXT PRIMARY KEY, value BIGINT NOT NULL);
INSERT INTO counters (name, value) VALUES ('log_bytes', 0);

-- What the program must know of this very database, such as a value sealed with its key file.
CREATE TABLE settings (name TEXT PRIMARY KEY, value BLOB NOT NULL);
