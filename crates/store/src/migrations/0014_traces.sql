-- What the calls about an event are made within: a span of the request's, so that after any restart and on any node they are one trace.
-- Trace id (16), span id (8), 1 = recorded. Null = the event has a trace of its own.
ALTER TABLE events ADD COLUMN trace BLOB;
ALTER TABLE outcomes ADD COLUMN trace BLOB;
