-- A job with a batch for each segment: its batches are made, shown and ended together.
BEGIN;
SELECT plan(32);
CREATE FUNCTION pg_temp.three(n integer) RETURNS text LANGUAGE sql AS
$$ SELECT format('[{"batch":"%s","ns":"ups","id":"a \"b\" \\\u00e9","statuses":["realized","existing"]},'
    '{"batch":"%s","ns":"own","id":"b","statuses":["exited"]},{"batch":"%s","ns":"ups","id":"b","statuses":["realized"]}]',
    tap.b(n), tap.b(n + 100), tap.b(n + 200)) $$;
CREATE FUNCTION pg_temp.make(n integer, key text DEFAULT NULL) RETURNS bigint LANGUAGE sql AS
$$ SELECT tap.make_job(1, 11, n, key, CASE WHEN key IS NOT NULL THEN 'body' END, segments => pg_temp.three(n)) $$;
-- The status of the three batches.
CREATE FUNCTION pg_temp.batches(n integer) RETURNS text LANGUAGE sql AS
$$ SELECT string_agg(b.status, ' ' ORDER BY b.batch) FROM consign.batch b WHERE b.org = 1 AND b.sandbox = 11
    AND b.batch IN (tap.b(n), tap.b(n + 100), tap.b(n + 200)) $$;
CREATE FUNCTION pg_temp.document(n integer) RETURNS consign.job_document LANGUAGE sql AS
$$ SELECT d FROM consign.job_document d WHERE d.org = 1 AND d.sandbox = 11 AND d.job = n $$;
-- How the document of job n is read.
CREATE FUNCTION pg_temp.plan(n integer) RETURNS SETOF text LANGUAGE plpgsql AS $$
BEGIN
    RETURN QUERY EXECUTE format('EXPLAIN (ANALYZE, COSTS off, TIMING off) SELECT * FROM consign.job_document d
        WHERE d.org = 1 AND d.sandbox = 11 AND d.job = %s', n);
END
$$;
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA pg_temp TO PUBLIC;
SET LOCAL consign.org = 1;
SET LOCAL ROLE consign_api;

SELECT is(pg_temp.make(5), 5::bigint, 'a job is accepted');
SELECT is(job_state(1, 11, 5), 'NEW active queued', 'and waits by its first batch');
SELECT is(pg_temp.batches(5), 'active active active', 'a batch a segment');
SELECT results_eq('SELECT number, batch, segment_ns, segment_id, statuses::jsonb FROM consign.export_target
        WHERE org = 1 AND sandbox = 11 AND job = 5 ORDER BY number',
    $$VALUES (0, b(5), 'ups', 'a "b" \é', '["realized","existing"]'::jsonb), (1, b(105), 'own', 'b', '["exited"]'),
        (2, b(205), 'ups', 'b', '["realized"]')$$, 'in the order of the request');
SELECT is((SELECT count(*) FROM consign.work_queue WHERE org = 1 AND batch IN (b(5), b(105), b(205))), 1::bigint, 'one entry');
SELECT ok((pg_temp.document(5)).segment_per_batch, 'its document says so');
SELECT is((pg_temp.document(5)).targets::jsonb, format('[{"segmentId":"a \"b\" \\é","segmentNs":"ups","status":["realized","existing"],"batchId":"%s"},'
    '{"segmentId":"b","segmentNs":"own","status":["exited"],"batchId":"%s"},{"segmentId":"b","segmentNs":"ups","status":["realized"],"batchId":"%s"}]',
    b(5), b(105), b(205))::jsonb, 'and has the batches');
SELECT unalike((pg_temp.document(5)).targets, '%": %', 'without blanks between');
SELECT is(make_job(1, 11, 6), 6::bigint, 'a job with one batch for all');
SELECT is(((pg_temp.document(6)).segment_per_batch, (pg_temp.document(6)).targets)::text, '(f,)', 'has none of this');
SELECT refuses('SELECT tap.make_job(1, 11, 7, segments => pg_temp.three(105))', '23505', 'a batch of somebody else is not taken');

SELECT is(pg_temp.make(7, 'targets'), 7::bigint, 'with a key');
SELECT is(pg_temp.make(8, 'targets'), 7::bigint, 'the same job again');
SELECT is(pg_temp.batches(8), NULL, 'and no batches of another');

SELECT is(consign.job_cancel(1, 11, 5), 'CANCELLED', 'cancelled while it waits');
SELECT is(job_state(1, 11, 5) || ' / ' || pg_temp.batches(5), 'CANCELLED aborted / aborted aborted aborted', 'all its batches end');
SELECT is(pg_temp.batches(7), 'active active active', 'and nobody else''s');

SET LOCAL ROLE consign_spooler;
SELECT is(take(1, 11, 7, 'a'), 1, 'claimed');
SELECT results_eq($$SELECT dataset, format, compression, fields, additional_fields, filter, policy, segment_per_batch
        FROM consign.job_start(1, 11, 7, b(7), 'a')$$,
    $$VALUES (d(1), 'json', 'zstd', NULL::text, NULL::text, NULL::text, NULL::text, true)$$, 'the start says what kind of job it is');
SELECT is((SELECT count(*) FROM consign.export_target WHERE org = 1 AND sandbox = 11 AND job = 7), 3::bigint, 'the spooler sees the batches');
SELECT lives_ok($$SELECT consign.job_give_up(1, 11, 7, b(7), 'a', 'FAILED', '[]')$$, 'given up');
SELECT is(job_state(1, 11, 7) || ' / ' || pg_temp.batches(7), 'FAILED failed / failed failed failed', 'all its batches fail');
SELECT is((SELECT count(*) FROM consign.batch WHERE org = 1 AND sandbox = 11 AND batch IN (b(7), b(107), b(207))
    AND completed_ms IS NOT NULL), 3::bigint, 'with a time');
SELECT is(take(1, 11, 6, 'a'), 1, 'the other job');
SELECT results_eq($$SELECT segment_per_batch FROM consign.job_start(1, 11, 6, b(6), 'a')$$, 'VALUES (false)', 'is of the other kind');

-- The catalog takes each batch for itself: what is published shows, what isn't does not.
RESET ROLE;
SELECT is(pg_temp.make(9), 9::bigint, 'a third job');
UPDATE consign.batch SET status = 'success', attempt = 'run' WHERE org = 1 AND sandbox = 11 AND batch IN (b(9), b(109), b(209));
INSERT INTO consign.batch_file VALUES (1, 11, b(109), 0, 'part', 1, 1, repeat('0', 64));
SET LOCAL ROLE consign_api;
SELECT is((SELECT count(*) FROM consign.batch b WHERE b.org = 1 AND b.sandbox = 11 AND b.dataset = d(1)
    AND (b.kind = 'ingest' OR b.status = 'success')), 3::bigint, 'its published batches show, those of the others do not');
SELECT is((SELECT string_agg(f.batch, ' ') FROM consign.batch_file f WHERE f.org = 1 AND f.sandbox = 11 AND f.batch IN (b(9), b(109), b(209))),
    b(109), 'each with its own files');

RESET ROLE;
SET LOCAL track_functions = 'pl';
SET LOCAL ROLE consign_api;
SELECT is((pg_temp.document(6)).targets, NULL, 'a job with one batch for all is read');
SELECT is(pg_stat_get_xact_function_calls('consign.job_targets'::regproc), NULL, 'and nothing asked for its batches');
SELECT ok((pg_temp.document(9)).targets IS NOT NULL AND pg_stat_get_xact_function_calls('consign.job_targets'::regproc) > 0,
    'which are read for a job that has some');
SELECT alike((SELECT string_agg(line, ' ') FROM pg_temp.plan(9) line), '%on export_progress q (never executed)%',
    'nor is the progress of one that waits looked for');
RESET ROLE;
SELECT * FROM finish();
ROLLBACK;
