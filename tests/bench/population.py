"""The tenants of the request path's benchmark and their export jobs, written straight into the tables, and tokens.

Tenant i is org and sandbox FIRST_ORG + i, with a client of all rights and a union dataset. Its jobs are numbered
job(0), job(1), ... in the order of their making; jobs of all tenants lie in the heap in that order, side by side, as
they would have come. Indexes but the keys are dropped meanwhile and made anew. Caller: pathbed.py.
"""
import concurrent.futures
import multiprocessing
import signal
import time

import psycopg

import bed  # noqa: F401  (it knows where tests/integ is)
from tokens import Forge

FIRST_ORG = 1000
BEGAN_MS = 1_750_000_000_000
STEP_MS = 60_000
EPOCH_MS = 1_577_836_800_000  # fcgi/core/job_id.h
FIRST_JOB = (BEGAN_MS - EPOCH_MS) * 4096
STEP_JOB = STEP_MS * 4096
LIVE = 100_000  # jobs that wait are numbered from here; their time is past, and later than that of all others
TOKEN_S = 12 * 3600

REGISTRY = """
INSERT INTO consign.org (org, ims_org_id, name) OVERRIDING SYSTEM VALUE
    SELECT i, 'B' || i || '@AdobeOrg', 'bench' FROM generate_series(%(first)s, %(last)s) i;
INSERT INTO consign.sandbox (org, sandbox, name) OVERRIDING SYSTEM VALUE
    SELECT i, i, 'prod' FROM generate_series(%(first)s, %(last)s) i;
INSERT INTO consign.client (client, client_id, name, secret_salt, secret_hash, rights) OVERRIDING SYSTEM VALUE
    SELECT i, 'bench' || i, 'bench', salt, sha256(salt || convert_to('secret' || i, 'UTF8')), (%(rights)s)::text[]
    FROM generate_series(%(first)s, %(last)s) i, LATERAL (SELECT decode(md5('salt' || i), 'hex') AS salt) s;
INSERT INTO consign.client_org (client, org) SELECT i, i FROM generate_series(%(first)s, %(last)s) i;
INSERT INTO consign.dataset (org, sandbox, dataset, name, schema_id, schema_content_type, class, format, compression,
        created_ms, updated_ms, created_client)
    SELECT i, i, lpad(to_hex(i), 24, '0'), 'bench', 'https://ns.adobe.com/xdm/context/profile__union',
        'application/vnd.adobe.xed+json;version=1', 'profile_union', 'parquet', 'zstd', %(began)s, %(began)s, 'bench' || i
    FROM generate_series(%(first)s, %(last)s) i;
SELECT setval(pg_get_serial_sequence('consign.' || t, t), %(last)s) FROM unnest(ARRAY['org', 'sandbox', 'client']) t
"""

# Of 20 jobs, 17 have succeeded.
ROWS = """FROM generate_series(%(from)s::bigint * %(tenants)s, %(to)s::bigint * %(tenants)s - 1) k,
    LATERAL (SELECT k / %(tenants)s AS n, (%(first)s + k %% %(tenants)s)::int AS i) a,
    LATERAL (SELECT %(began)s + n * %(step)s AS ms, lpad(to_hex(i), 8, '0') || lpad(to_hex(n), 24, '0') AS batch,
        CASE WHEN n %% 10 = 3 THEN 'FAILED' WHEN n %% 20 = 7 THEN 'CANCELLED' ELSE 'SUCCEEDED' END AS status) b"""
BATCHES = """INSERT INTO consign.batch (org, sandbox, batch, dataset, kind, status, attempt, created_ms, updated_ms, started_ms,
        completed_ms, created_client, output_records, output_bytes)
    SELECT i, i, batch, lpad(to_hex(i), 24, '0'), 'export', CASE status WHEN 'SUCCEEDED' THEN 'success' WHEN 'FAILED' THEN 'failed'
        ELSE 'aborted' END, '00000000-0000-4000-8000-000000000000', ms, ms + 5000, ms + 1000, ms + 5000, 'bench' || i, 1000,
        CASE status WHEN 'SUCCEEDED' THEN 100000 END """ + ROWS
JOBS = """INSERT INTO consign.export_job (org, sandbox, job, status, dataset, batch, merge_policy, merge_policy_version, fields,
        profile_instance_id, request_id, created_client, created_ms, updated_ms, ended_ms, attempt, push, export_start_ms,
        export_end_ms, write_start_ms, write_end_ms, watermark_ms, profiles, events, by_namespace)
    SELECT i, i, %(job)s + n * %(job_step)s, status, lpad(to_hex(i), 24, '0'), batch, 'timestampOrdered-none-mp', 1,
        'identities.id,personalEmail.address', 'ups', md5(k::text), 'bench' || i, ms, ms + 5000, ms + 5000,
        '00000000-0000-4000-8000-000000000000', '00000000-0000-4000-9000-000000000000', ms + 1000, ms + 4000, ms + 2000,
        ms + 4500, ms, 1000, 0, '{"CRMID":1000}' """ + ROWS
# Of the jobs that wait: one a tenant and number.
WAITING = """
INSERT INTO consign.batch (org, sandbox, batch, dataset, kind, status, created_ms, updated_ms, created_client)
    SELECT i, i, batch, lpad(to_hex(i), 24, '0'), 'export', 'active', ms, ms, 'bench' || i """ + ROWS + """;
INSERT INTO consign.export_job (org, sandbox, job, status, dataset, batch, merge_policy, merge_policy_version,
        profile_instance_id, request_id, created_client, created_ms, updated_ms)
    SELECT i, i, %(job)s + n * %(job_step)s, 'NEW', lpad(to_hex(i), 24, '0'), batch, 'timestampOrdered-none-mp', 1, 'ups',
        md5(k::text), 'bench' || i, ms, ms """ + ROWS + """;
INSERT INTO consign.work_queue (org, sandbox, kind, job, batch, created_ms)
    SELECT i, i, 'export', %(job)s + n * %(job_step)s, batch, ms """ + ROWS
# What POST, pgbench and WAITING made.
CLEAR = """
DELETE FROM consign.work_queue;
DELETE FROM consign.export_job WHERE created_ms >= %(live)s;
DELETE FROM consign.batch WHERE created_ms >= %(live)s;
"""


def job(n):
    return FIRST_JOB + n * STEP_JOB


SIGNER = {}


def sign_with(forge):
    """Begins a process that signs. It ends by a plain SIGTERM: a handler in Python may wait for a lock first, for ever."""
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    SIGNER["forge"] = forge


def sign_tokens(tenants):
    """A line a token of each; see wrk/requests.lua."""
    return [f"{i}\tB{i}@AdobeOrg\tbench{i}\t" + SIGNER["forge"].token(
        claims={"client_id": f"bench{i}", "sub": f"bench{i}", "exp": int(time.time()) + TOKEN_S}) for i in tenants]


class Population:
    """.tenants, .jobs of each; fill() may be called again with more jobs a tenant."""

    def __init__(self, stack):
        self.stack = stack
        self.tenants = self.jobs = 0

    def _values(self, **more):
        return {"first": FIRST_ORG, "last": FIRST_ORG + self.tenants - 1, "tenants": self.tenants, "began": BEGAN_MS,
                "step": STEP_MS, "job": FIRST_JOB, "job_step": STEP_JOB, "live": BEGAN_MS + LIVE * STEP_MS, **more}

    def _run(self, text, **more):
        with psycopg.connect(self.stack.pg_uri, autocommit=True) as db, psycopg.ClientCursor(db) as cursor:
            db.execute("SET session_replication_role = replica")  # rows that belong together are written side by side
            db.execute("SET maintenance_work_mem = '256MB'")
            cursor.execute(text, self._values(**more))

    def _without_indexes(self, tables, work):
        with psycopg.connect(self.stack.pg_uri, autocommit=True) as db:
            found = db.execute("SELECT i.indexrelid::regclass::text, pg_get_indexdef(i.indexrelid) FROM pg_index i"
                               " WHERE i.indrelid::regclass::text = ANY (%s) AND NOT i.indisunique", (tables,)).fetchall()
            for name, _ in found:
                db.execute(f"DROP INDEX {name}")
        work()
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            list(pool.map(lambda row: self._run(row[1].replace("%", "%%")), found))

    def fill(self, tenants, jobs):
        """So many tenants with so many jobs each; seconds that it took. More tenants can't come later."""
        began = time.monotonic()
        if not self.tenants:
            self.tenants = tenants
            self._run(REGISTRY, rights="{catalog:read,catalog:write,export:read,export:write}")
        span = {"from": self.jobs, "to": jobs}

        def rows():
            with concurrent.futures.ThreadPoolExecutor(2) as pool:
                list(pool.map(lambda text: self._run(text, **span), (BATCHES, JOBS)))

        self._without_indexes(["consign.batch", "consign.export_job"], rows)
        self.jobs = jobs
        self._run("TRUNCATE consign.lake_usage; INSERT INTO consign.lake_usage SELECT org, sandbox, sum(output_bytes)"
                  " FROM consign.batch GROUP BY org, sandbox HAVING sum(output_bytes) > 0")
        self.settle()
        return time.monotonic() - began

    def settle(self):
        self._run("VACUUM ANALYZE")
        self._run("CHECKPOINT")

    def wait(self, jobs):
        """So many jobs of each of the tenants wait."""
        self._run(WAITING, **{"from": LIVE, "to": LIVE + jobs})
        self.settle()

    def clear(self):
        """Removes every job that waits or came since the fill."""
        self._run(CLEAR)
        self.settle()

    def sign(self, file, tenants, count):
        """Writes a file of so many tokens of the first tenants, in turn; all cores sign."""
        share = [[FIRST_ORG + n % tenants for n in range(first, min(first + 500, count))] for first in range(0, count, 500)]
        forge = Forge(self.stack, self.stack.token)
        with multiprocessing.get_context("fork").Pool(None, sign_with, (forge,)) as pool:
            file.write_text("".join(line + "\n" for part in pool.map(sign_tokens, share) for line in part), encoding="utf-8")
