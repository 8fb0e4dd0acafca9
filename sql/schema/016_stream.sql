-- Messages, second part (011_intake.sql): what their clients call them, and how their table is kept small.

-- The xactionId that the client was answered; what is refused later is told by it.
ALTER TABLE consign.stream_message ADD COLUMN xaction text NOT NULL DEFAULT '';

-- Every row is deleted soon after it came, so dead ones are what there is most of, and a pass begins by stepping over
-- those in front: cleaning must not wait for a share of the table.
ALTER TABLE consign.stream_message SET (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 10000,
    autovacuum_vacuum_insert_scale_factor = 0, autovacuum_vacuum_insert_threshold = 100000);
