-- What lists of a hundred thousand clients and half a million accounts are filtered and sorted by. Every such index ends with the
-- key, so that the rows of one value stand in the order in which lists are paged. Texts are found and sorted without regard to case.

-- The client's reseller, which never changes: no join to know whose an account is.
ALTER TABLE accounts ADD COLUMN companies_id BIGINT NOT NULL DEFAULT 0;
UPDATE accounts SET companies_id = COALESCE((SELECT c.companies_id FROM clients c WHERE c.id = accounts.clients_id), 0);

CREATE INDEX clients_company ON clients (companies_id, id);
CREATE INDEX clients_words ON clients (LOWER(name), id);
CREATE INDEX clients_currency ON clients (currencies_id, id);
CREATE INDEX clients_status ON clients (status, id);
CREATE INDEX clients_credit ON clients (credit, id);
CREATE INDEX clients_balance ON clients (balance, id);
CREATE INDEX clients_available ON clients ((balance + credit), id);
CREATE INDEX clients_dt ON clients (c_dt, id);

CREATE INDEX accounts_company ON accounts (companies_id, id);
CREATE INDEX accounts_name ON accounts (LOWER(name), id);
CREATE INDEX accounts_auth_type ON accounts (auth_type, id);
CREATE INDEX accounts_accname_words ON accounts (LOWER(accname), id);
CREATE INDEX accounts_ani_words ON accounts (LOWER(ani), id);
CREATE INDEX accounts_prefix ON accounts (tech_prefix, id);

CREATE INDEX transactions_company ON transactions (companies_id, id);
CREATE INDEX transactions_type ON transactions (type, id);
CREATE INDEX transactions_amount ON transactions (amount, id);
CREATE INDEX transactions_dt ON transactions (c_dt, id);
CREATE INDEX transactions_external_words ON transactions (LOWER(external_id), id);

CREATE INDEX client_packages_condition ON client_packages (condition, id);
CREATE INDEX client_packages_start ON client_packages (start_at, id);
CREATE INDEX client_packages_stop ON client_packages (stop_at, id);
CREATE INDEX client_packages_period_start ON client_packages (period_start, id);
CREATE INDEX client_packages_period_stop ON client_packages (period_stop, id);

CREATE INDEX events_company ON events (companies_id, row_id);
CREATE INDEX events_name ON events (events_id, row_id);
CREATE INDEX events_object ON events (object_id, row_id);
CREATE INDEX events_seq ON events (seq, row_id);

CREATE INDEX executions_company ON executions (companies_id, id);
CREATE INDEX executions_object ON executions (object_id, id);
CREATE INDEX executions_name ON executions (events_id, id);
CREATE INDEX executions_stage ON executions (stage, id);
-- Most calls are a first attempt that is answered with 200: no index has to find those.
CREATE INDEX executions_attempt ON executions (attempt, id) WHERE attempt <> 1;
CREATE INDEX executions_response ON executions (response_status, id) WHERE response_status <> 200;

-- One index tells what waits for a handler, in order, and counts it without reading rows.
ALTER TABLE deliveries ADD COLUMN companies_id BIGINT NOT NULL DEFAULT 0;
UPDATE deliveries SET companies_id = COALESCE((SELECT e.companies_id FROM events e WHERE e.row_id = deliveries.events_row), 0);
DROP INDEX deliveries_handler;
DROP INDEX deliveries_dead;
CREATE INDEX deliveries_handler ON deliveries (handlers_id, id, dead, attempt);
CREATE INDEX deliveries_dead ON deliveries (id) WHERE dead = 1;
CREATE INDEX deliveries_retrying ON deliveries (id) WHERE dead = 0 AND attempt > 0;
