-- What the spoolers have done since the database was made, all of them together: counters for monitoring. No tenant's
-- rows. Each worker adds what it did, between two pieces of work and about once a second at most (metric_add). A name is
-- what is counted and the values of its labels, with slashes between; fcgi/responder/store_figures.c says which there are.
CREATE TABLE consign.metric_count (
    name   text PRIMARY KEY,
    count  bigint NOT NULL
) WITH (fillfactor = 50);
