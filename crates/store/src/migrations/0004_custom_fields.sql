-- Custom fields: keys of the carrier's own. A definition counts for the objects of its reseller and those below it; null = for all.
CREATE TABLE custom_fields (
  id BIGINT PRIMARY KEY,
  companies_id BIGINT,
  object_type TEXT NOT NULL,
  field_key TEXT NOT NULL,
  title TEXT NOT NULL,
  sort_order BIGINT NOT NULL
);
CREATE INDEX custom_fields_key ON custom_fields (object_type, field_key);
CREATE INDEX custom_fields_company ON custom_fields (companies_id, object_type);

-- The values that are set, as JSON: {"<id of the definition>": value}; null = none.
ALTER TABLE clients ADD COLUMN custom TEXT;
ALTER TABLE packages ADD COLUMN custom TEXT;
