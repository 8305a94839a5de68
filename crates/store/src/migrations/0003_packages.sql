-- Packages, and what clients have of them.
CREATE TABLE packages (
  id BIGINT PRIMARY KEY,
  companies_id BIGINT NOT NULL,
  currencies_id BIGINT NOT NULL,
  name TEXT NOT NULL,
  status TEXT NOT NULL,
  -- Durations as ISO 8601.
  period TEXT NOT NULL,
  activation_fee BIGINT NOT NULL,
  period_fee BIGINT NOT NULL,
  advance_renew TEXT NOT NULL,
  renew_due TEXT,
  effective_from BIGINT,
  effective_till BIGINT,
  notes TEXT,
  c_dt BIGINT NOT NULL,
  -- Its terms have changed: the client packages above this id are still to be looked at. Null = all have been.
  sweep_after BIGINT
);
CREATE INDEX packages_company ON packages (companies_id, id);
CREATE INDEX packages_sweep ON packages (id) WHERE sweep_after IS NOT NULL;

CREATE TABLE client_packages (
  id BIGINT PRIMARY KEY,
  clients_id BIGINT NOT NULL,
  -- The client's reseller, which never changes.
  companies_id BIGINT NOT NULL,
  accounts_id BIGINT,
  packages_id BIGINT NOT NULL,
  -- The package's name when it was closed: it outlives the package.
  packages_name TEXT,
  quantity BIGINT NOT NULL,
  -- new, activated, deactivated, closed
  condition TEXT NOT NULL,
  -- What the next step waits for: funds, forbidden, undecided.
  hold TEXT,
  reason TEXT,
  start_at BIGINT NOT NULL,
  stop_at BIGINT,
  -- The last period that was paid; its end is so many whole periods after the anchor.
  period_start BIGINT,
  period_stop BIGINT,
  anchor BIGINT,
  anchor_count BIGINT,
  anchor_period TEXT,
  activation_fee BIGINT NOT NULL,
  period_fee BIGINT NOT NULL,
  -- When the clock looks at it next, how often its step was refused, and since when one is put off.
  due_at BIGINT,
  tries BIGINT NOT NULL,
  put_off_since BIGINT,
  c_dt BIGINT NOT NULL
);
CREATE INDEX client_packages_client ON client_packages (clients_id, id);
CREATE INDEX client_packages_package ON client_packages (packages_id, id);
CREATE INDEX client_packages_account ON client_packages (accounts_id, id) WHERE accounts_id IS NOT NULL;
CREATE INDEX client_packages_company ON client_packages (companies_id, id);
CREATE INDEX client_packages_of_client_due ON client_packages (clients_id, due_at, id) WHERE due_at IS NOT NULL;
CREATE INDEX client_packages_open ON client_packages (packages_id, id) WHERE condition <> 'closed';
CREATE INDEX client_packages_due ON client_packages (due_at, id) WHERE due_at IS NOT NULL;
CREATE INDEX client_packages_waiting ON client_packages (clients_id) WHERE (hold IS NOT NULL OR tries > 0);

-- What a fee is for, such as `period:<start>`: no period of a client package is ever charged twice, whatever runs twice.
ALTER TABLE transactions ADD COLUMN package_step TEXT;
CREATE UNIQUE INDEX transactions_step ON transactions (clients_packages_id, package_step) WHERE clients_packages_id IS NOT NULL;
