-- metric_add and metric_read: counters add up; the queue is told by task, state and class of weight, over all tenants and
-- without their numbers.
BEGIN;
SELECT plan(11);
DELETE FROM consign.quota;
DELETE FROM consign.work_queue;
DELETE FROM consign.sweep_mark;
DELETE FROM consign.webhook_event;
CREATE FUNCTION pg_temp.told(of text) RETURNS bigint LANGUAGE sql AS $$
SELECT value FROM consign.metric_read() WHERE name = of $$;

SET LOCAL ROLE consign_spooler;
SELECT consign.metric_add(ARRAY['b', 'a'], ARRAY[2, 1]);
SELECT consign.metric_add(ARRAY['a'], ARRAY[40]);
SET LOCAL ROLE consign_metrics;
SELECT is(pg_temp.told('a'), 41::bigint, 'a counter adds up');
SELECT is(pg_temp.told('b'), 2::bigint, 'each by itself');
SELECT is((SELECT count(*) FROM consign.metric_read()), 2::bigint, 'nothing waits, nothing was swept: nothing else is told');
RESET ROLE;

INSERT INTO consign.quota (org, sandbox, weight) VALUES (2, 0, 50), (1, 11, 500); -- a sandbox's weight is not its org's
INSERT INTO consign.work_queue (org, sandbox, kind, task, job, batch, created_ms) VALUES
    (1, 11, 'export', 'batch', 1, 'e1', consign.now_ms() - 7000), (1, 12, 'export', 'batch', 2, 'e2', consign.now_ms() - 9000),
    (1, 11, 'ingest', 'stream', NULL, 's1', consign.now_ms()), (2, 21, 'ingest', 'delete', NULL, 'd1', consign.now_ms());
INSERT INTO consign.work_queue (org, sandbox, kind, job, batch, created_ms, attempt, cancel, not_before_ms) VALUES
    (2, 21, 'export', 3, 'e3', 1, 'run', false, 0), (2, 21, 'export', 4, 'e4', 1, 'stop', true, 0),
    (2, 21, 'export', 5, 'e5', 1, NULL, false, consign.now_ms() + 60000);
INSERT INTO consign.sweep_mark (step, began_ms) VALUES ('sweep', 12345), ('lake', 1);
SELECT set_eq($$SELECT name, value FROM consign.metric_read() WHERE name LIKE 'work/%'$$, $$VALUES
    ('work/export/waiting/1', 2::bigint), ('work/stream/waiting/1', 1), ('work/delete/waiting/10-99', 1),
    ('work/export/running/10-99', 1), ('work/export/cancelling/10-99', 1), ('work/export/backoff/10-99', 1)$$,
    'every entry is in one place');
SELECT ok(pg_temp.told('oldest/export/1') BETWEEN 9000 AND 60000, 'the oldest that waits');
SELECT is(pg_temp.told('oldest/export/10-99'), NULL, 'what runs or has to wait for its time is not waiting');
SELECT is(pg_temp.told('sweep_last_ms'), 12345::bigint, 'when the last sweep began');
SELECT is((SELECT sum(value) FROM consign.metric_read() WHERE name LIKE 'work/%'), 7::numeric, 'all tenants''');

UPDATE consign.quota SET weight = 9 WHERE org = 2;
SELECT is(pg_temp.told('work/delete/waiting/2-9'), 1::bigint, 'classes end at 9');
UPDATE consign.quota SET weight = 10 WHERE org = 2;
SELECT is(pg_temp.told('work/delete/waiting/10-99'), 1::bigint, 'and begin at 10');
UPDATE consign.quota SET weight = 100 WHERE org = 2;
SELECT is(pg_temp.told('work/delete/waiting/100-1000'), 1::bigint, 'and at 100');
SELECT * FROM finish();
ROLLBACK;
