-- What a handler must still be told of one reseller's clients, in order: each reseller has its turns.
CREATE INDEX deliveries_reseller ON deliveries (handlers_id, companies_id, id) WHERE dead = 0;
