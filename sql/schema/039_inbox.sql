-- What lies in the inbox has a bound and an end; and what running exports have written counts for the room in the lake.

ALTER TABLE consign.quota
    ADD COLUMN inbox_bytes_most bigint CHECK (inbox_bytes_most >= 0); -- of uploads that have not ended; default: see inbox_room
-- What its files and pieces in the inbox count for, see inbox_take. Of no meaning after its end.
ALTER TABLE consign.batch ADD COLUMN inbox_bytes bigint NOT NULL DEFAULT 0;
-- The uploads that have not ended: inbox_room and, the longest untouched first, batch_abandon.
CREATE INDEX batch_open ON consign.batch (org, sandbox, updated_ms) WHERE status IN ('loading', 'processing');
DO $$
DECLARE
    place record;
BEGIN
    FOR place IN SELECT o.org FROM consign.org o LOOP
        PERFORM set_config('consign.org', place.org::text, true);
        UPDATE consign.batch b
            SET updated_ms = CASE b.status WHEN 'loading' THEN consign.now_ms() ELSE b.updated_ms END, -- files did not move it
                inbox_bytes = (SELECT coalesce(sum(greatest(coalesce(p.bytes, u.bytes), 65536)), 0)
                               FROM consign.batch_upload u LEFT JOIN consign.batch_upload_part p USING (org, sandbox, batch, name)
                               WHERE u.org = b.org AND u.sandbox = b.sandbox AND u.batch = b.batch)
            WHERE b.org = place.org AND b.status IN ('loading', 'processing');
    END LOOP;
END
$$;

ALTER TABLE consign.export_progress ADD COLUMN bytes bigint NOT NULL DEFAULT 0; -- that it and its helpers have written so far
DROP FUNCTION IF EXISTS consign.quota_room(integer, integer);
