-- Enters a piece of a file that lies in the inbox as p_object: bytes p_first to p_first + p_bytes - 1 of p_total.
-- Piece 0 begins the file, or begins it anew. Answers why it is refused (NULL: entered), what is there of the file
-- now, and which objects nothing refers to any more, one a row, or a row without one.
--   refusal: place     another byte is next: `bytes`
--            total     the file was announced with another length, or came at once
--            encoding  its pieces so far have another one
--            pieces    there are 10,000 already
--   CN404  no such batch of that dataset   CN409  not in the state "loading"   CN507  as inbox_take
CREATE OR REPLACE FUNCTION consign.batch_patch(
    p_org integer, p_sandbox integer, p_batch text, p_dataset text, p_name text, p_object text, p_bytes bigint,
    p_first bigint, p_total bigint, p_encoding text)
    RETURNS TABLE (refusal text, bytes bigint, total bigint, whole boolean, removed text)
    LANGUAGE plpgsql SET search_path = pg_catalog AS
$$
#variable_conflict use_column
DECLARE
    file consign.batch_upload;
    gone text[];
    why  text;
BEGIN
    PERFORM consign.batch_hold_files(p_org, p_sandbox, p_batch, p_dataset);
    IF p_first = 0 THEN
        gone := ARRAY(SELECT consign.batch_upload(p_org, p_sandbox, p_batch, p_dataset, p_name, p_object, p_bytes,
                                                  p_encoding, p_total));
        RETURN QUERY SELECT NULL::text, p_bytes, p_total, p_bytes = p_total, g.object
            FROM (SELECT) one LEFT JOIN unnest(gone) AS g(object) ON true;
        RETURN;
    END IF;

    SELECT u.* INTO file FROM consign.batch_upload u
        WHERE u.org = p_org AND u.sandbox = p_sandbox AND u.batch = p_batch AND u.name = p_name;
    why := CASE WHEN file.bytes IS DISTINCT FROM p_first THEN 'place'
                WHEN file.total_bytes IS DISTINCT FROM p_total THEN 'total'
                WHEN file.encoding <> p_encoding THEN 'encoding'
                WHEN (SELECT count(*) FROM consign.batch_upload_part p WHERE p.org = p_org AND p.sandbox = p_sandbox
                      AND p.batch = p_batch AND p.name = p_name) >= 10000 THEN 'pieces' END;
    IF why IS NULL THEN
        INSERT INTO consign.batch_upload_part (org, sandbox, batch, name, first_byte, object, bytes)
            VALUES (p_org, p_sandbox, p_batch, p_name, p_first, p_object, p_bytes);
        UPDATE consign.batch_upload u SET bytes = p_first + p_bytes, whole = p_first + p_bytes = p_total
            WHERE u.org = p_org AND u.sandbox = p_sandbox AND u.batch = p_batch AND u.name = p_name
            RETURNING u.* INTO file;
        PERFORM consign.inbox_take(p_org, p_sandbox, p_batch, p_bytes, '{}');
    END IF;
    RETURN QUERY SELECT why, coalesce(file.bytes, 0::bigint), coalesce(file.total_bytes, file.bytes, p_total),
                        coalesce(file.whole, false), NULL::text;
END
$$;
