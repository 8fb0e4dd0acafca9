-- The states of an ingest batch: open, files at once and in pieces, complete, abort, failed, abandoned.
BEGIN;
SELECT plan(65);
CREATE FUNCTION pg_temp.upload(n integer, name text, object text, dataset text DEFAULT tap.d(3)) RETURNS text LANGUAGE sql AS
$$ SELECT consign.batch_upload(1, 11, tap.b(n), dataset, name, lpad(object, 36, '0'), 10) $$;
-- a piece of "cut" of batch n, 10 bytes long from byte p_first on: "why bytes/total whole removed"
CREATE FUNCTION pg_temp.patch(n integer, object text, p_first bigint, p_total bigint DEFAULT 25, encoding text DEFAULT 'gzip',
    dataset text DEFAULT tap.d(3), p_bytes bigint DEFAULT 10) RETURNS text LANGUAGE sql AS
$$ SELECT string_agg(concat_ws(' ', coalesce(refusal, 'entered'), bytes || '/' || total, whole, ltrim(removed, '0')), ';' ORDER BY removed)
   FROM consign.batch_patch(1, 11, tap.b(n), dataset, 'cut', lpad(object, 36, '0'), p_bytes, p_first, p_total, encoding) $$;
CREATE FUNCTION pg_temp.status(n integer) RETURNS text LANGUAGE sql AS
$$ SELECT status FROM consign.batch WHERE org = 1 AND sandbox = 11 AND batch = tap.b(n) $$;
SET LOCAL consign.org = 1;
SET LOCAL ROLE consign_api;

SELECT refuses('SELECT make_batch(1, 11, 5, d(99))', 'CN404', 'an unknown dataset');
SELECT refuses('SELECT make_batch(1, 11, 5, d(121))', 'CN404', 'a dataset of another org');
SELECT refuses('SELECT make_batch(1, 11, 5, d(1))', 'CN400', 'a union dataset takes no records');
SELECT is(make_batch(1, 11, 5, d(3), 'key', 'body'), b(5), 'a batch');
SELECT is(pg_temp.status(5), 'loading', 'is open for files');
SELECT is(make_batch(1, 11, 6, d(3), 'key', 'body'), b(5), 'the same key: the same batch');
SELECT refuses($$SELECT make_batch(1, 11, 6, d(3), 'key', 'other')$$, 'CN422', 'the same key, another body');

SELECT is(pg_temp.upload(5, 'one', 'a'), NULL, 'a file');
SELECT is(pg_temp.upload(5, 'two', 'b'), NULL, 'another file');
SELECT is(pg_temp.upload(5, 'one', 'c'), lpad('a', 36, '0'), 'a file of the same name: what it replaced is to be removed');
SELECT refuses($$SELECT pg_temp.upload(99, 'one', 'd')$$, 'CN404', 'a file for an unknown batch');
SELECT refuses($$SELECT pg_temp.upload(1, 'one', 'd')$$, 'CN404', 'a file for the batch of an export');
SELECT refuses($$SELECT pg_temp.upload(5, 'one', 'd', d(4))$$, 'CN404', 'a file for another dataset than the batch''s');
SELECT refuses('SELECT consign.batch_complete(1, 11, b(1))', 'CN404', 'complete the batch of an export');
SELECT refuses('SELECT consign.batch_abort(1, 11, b(1))', 'CN404', 'abort the batch of an export');

SELECT is(consign.batch_complete(1, 11, b(5)), 'processing', 'complete');
SELECT is((SELECT input_bytes FROM consign.batch WHERE org = 1 AND sandbox = 11 AND batch = b(5)), 20::bigint, 'its bytes are counted');
SELECT results_eq('SELECT kind, job FROM consign.work_queue WHERE org = 1 AND sandbox = 11 AND batch = b(5)',
    $$VALUES ('ingest', NULL::bigint)$$, 'it is in the queue');
SELECT refuses('SELECT consign.batch_complete(1, 11, b(5))', 'CN409', 'complete twice');
SELECT refuses('SELECT consign.batch_abort(1, 11, b(5))', 'CN409', 'abort what is complete');
SELECT refuses($$SELECT pg_temp.upload(5, 'three', 'd')$$, 'CN409', 'a file for what is complete');

SELECT is(make_batch(1, 11, 7), b(7), 'another batch');
SELECT is(consign.batch_abort(1, 11, b(7)) || pg_temp.status(7), 'abortedaborted', 'abort');
SELECT refuses('SELECT consign.batch_abort(1, 11, b(7))', 'CN409', 'abort twice');
SELECT refuses('SELECT consign.batch_complete(1, 11, b(7))', 'CN409', 'complete what is aborted');
SELECT refuses($$SELECT pg_temp.upload(7, 'one', 'e')$$, 'CN409', 'a file for what is aborted');
SELECT is((SELECT count(*) FROM consign.work_queue WHERE org = 1 AND batch = b(7)), 0::bigint, 'it never came to the queue');

SELECT is(batch, b(8), 'a batch of CSV') FROM consign.batch_create(1, 11, b(8), d(3), 'client', NULL, NULL, 'csv', ';', 12.5);
SELECT results_eq('SELECT input_format, delimiter, bad_percent, stream FROM consign.batch WHERE org = 1 AND sandbox = 11 AND batch = b(8)',
    $$VALUES ('csv', ';', 12.5, false)$$, 'keeps how its files are to be read');
SELECT is(pg_temp.patch(8, 'a', 10), 'place 0/25 f', 'a piece of nothing');
SELECT is(pg_temp.patch(8, 'a', 0), 'entered 10/25 f', 'the first piece');
SELECT is(pg_temp.patch(8, 'b', 0), 'entered 10/25 f a', 'it begins the file anew');
SELECT is(pg_temp.patch(8, 'c', 9), 'place 10/25 f', 'a piece that overlaps');
SELECT is(pg_temp.patch(8, 'c', 11), 'place 10/25 f', 'a piece behind a gap');
SELECT is(pg_temp.patch(8, 'c', 10, 30), 'total 10/25 f', 'a piece of a longer file');
SELECT is(pg_temp.patch(8, 'c', 10, 25, 'zstd'), 'encoding 10/25 f', 'a piece with another encoding');
SELECT refuses($$SELECT pg_temp.patch(8, 'c', 10, 25, 'gzip', d(4))$$, 'CN404', 'a piece for another dataset than the batch''s');
SELECT is(pg_temp.patch(8, 'c', 10), 'entered 20/25 f', 'the next piece');
SELECT is(pg_temp.patch(8, 'd', 10), 'place 20/25 f', 'the same again');
SELECT is(consign.batch_complete(1, 11, b(8)) || pg_temp.status(8), 'loadingloading', 'a batch with half a file is not complete');
SELECT is(pg_temp.patch(8, 'd', 20, p_bytes => 5), 'entered 25/25 t', 'the last piece');
SELECT is((SELECT string_agg(ltrim(object, '0') || ' ' || first_byte, ', ' ORDER BY first_byte) FROM consign.batch_upload_part
    WHERE org = 1 AND sandbox = 11 AND batch = b(8)), 'b 0, c 10, d 20', 'the pieces stand in their order');
SELECT is((SELECT string_agg(ltrim(g, '0'), ' ' ORDER BY g) FROM consign.batch_upload(1, 11, b(8), d(3), 'cut', lpad('f', 36, '0'), 7) g),
    'b c d', 'a file that comes at once replaces them all');
SELECT results_eq('SELECT bytes, encoding, total_bytes, whole FROM consign.batch_upload WHERE org = 1 AND sandbox = 11 AND batch = b(8)',
    $$VALUES (7::bigint, 'identity', NULL::bigint, true)$$, 'and is whole');
SELECT is(pg_temp.patch(8, '1', 7, 17), 'total 7/7 t', 'a piece for what came at once');
SELECT is(pg_temp.patch(8, '1', 0, 10), 'entered 10/10 t f', 'one piece may be all');
SELECT is(consign.batch_complete(1, 11, b(8)), 'processing', 'complete');
SELECT is((SELECT input_bytes FROM consign.batch WHERE org = 1 AND sandbox = 11 AND batch = b(8)), 10::bigint, 'the bytes of all pieces are counted');
SELECT refuses($$SELECT pg_temp.patch(8, '2', 0)$$, 'CN409', 'a piece for what is complete');
SELECT refuses($$SELECT pg_temp.patch(99, '2', 0)$$, 'CN404', 'a piece for an unknown batch');
SELECT is((SELECT count(*) FROM consign.batch_upload_part WHERE org = 1 AND sandbox = 11 AND batch = b(8)), 1::bigint, 'nothing came of it');

SET LOCAL ROLE consign_spooler;
SELECT refuses($$SELECT consign.batch_fail(1, 11, b(5), 'a', 0, 2, 2, '[]', NULL)$$, 'CN410', 'fail without a claim');
SELECT is(take(1, 11, 5, 'a'), 1, 'claimed');
SELECT refuses($$SELECT consign.batch_fail(1, 11, b(5), 'b', 0, 2, 2, '[]', NULL)$$, 'CN410', 'fail by another attempt');
SELECT lives_ok($$SELECT consign.batch_fail(1, 11, b(5), 'a', 7, 2, 2,
    '[{"file":"one","line":1,"byte_offset":0,"code":"c","reason":"r","record":"{"},
      {"file":"two","line":4,"byte_offset":9,"code":"c","reason":"r","record":"}"}]',
    '[{"code":"x"}]')$$, 'an attempt fails it');
SELECT results_eq('SELECT status, input_records, output_records, failed_records, started_ms, errors FROM consign.batch
    WHERE org = 1 AND sandbox = 11 AND batch = b(5)',
    $$VALUES ('failed', 2::bigint, 0::bigint, 2::bigint, 7::bigint, '[{"code":"x"}]')$$, 'nothing of it was kept, and it says why');
SELECT results_eq('SELECT number, file, line, record FROM consign.batch_error WHERE org = 1 AND sandbox = 11 AND batch = b(5) ORDER BY number',
    $$VALUES (0, 'one', 1::bigint, '{'), (1, 'two', 4::bigint, '}')$$, 'its refused records are listed');
SELECT refuses($$SELECT consign.batch_fail(1, 11, b(5), 'a', 0, 2, 2, '[]', NULL)$$, 'CN410', 'fail twice');
SELECT refuses($$SELECT consign.batch_end(1, 11, b(99), 'failed', 0, 0, 0, '[]', NULL)$$, 'P0002', 'the end of an unknown batch');
RESET ROLE;

-- open batches to which nothing comes any more
SELECT make_batch(1, 11, n) FROM generate_series(11, 14) n;
SELECT consign.batch_complete(1, 11, b(13));
UPDATE consign.batch b SET updated_ms = consign.now_ms() - 8 * 86400000::bigint - CASE b.batch WHEN b(3) THEN 1 ELSE 0 END
    WHERE org = 1 AND sandbox = 11 AND b.batch IN (b(1), b(3), b(11), b(12), b(13));
SELECT pg_temp.upload(12, 'one', 'f');
SET LOCAL ROLE consign_spooler;
SELECT is(consign.batch_abandon(1, 11, 7 * 86400000::bigint, 1), 1::bigint, 'no more than was asked for');
SELECT is(pg_temp.status(3) || pg_temp.status(11), 'abortedloading', 'the longest untouched first');
SELECT is(consign.batch_abandon(1, 11, 7 * 86400000::bigint, 9), 1::bigint, 'all that are');
SELECT is((SELECT string_agg(pg_temp.status(n), ' ' ORDER BY n) FROM unnest(ARRAY[1, 11, 12, 13, 14]) n), 'active aborted loading processing loading',
    'not an export''s, one to which a file came, one that is complete, or a young one');
SELECT is((SELECT errors::json->0->>'description' FROM consign.batch WHERE org = 1 AND sandbox = 11 AND batch = b(11) AND completed_ms = updated_ms),
    'no file came for 7 days, and the batch was not completed', 'it says why');
SELECT is(consign.batch_abandon(1, 11, 7 * 86400000::bigint, 9), 0::bigint, 'then none is left');
RESET ROLE;
SELECT * FROM finish();
ROLLBACK;
