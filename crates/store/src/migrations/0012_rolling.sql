-- The oldest schema whose programs may go on working on this one: while nodes are upgraded one after another, the old ones must be able
-- to start again. 0 = none older.
ALTER TABLE migrations ADD COLUMN oldest BIGINT NOT NULL DEFAULT 0;
