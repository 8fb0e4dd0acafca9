"""A tenant with 10,000 jobs in the queue delays another's single small job by less than one job's slice.

On stacks of its own, without and with express workers. CONSIGN_FAIR_QUEUE says how long the queue is.
"""

import os
import random
import time
from collections import Counter

import psycopg
import pytest

import flows
import ownstack
from flows import JOBS

pytestmark = [pytest.mark.fault, pytest.mark.slow]

QUEUED = int(os.environ.get("CONSIGN_FAIR_QUEUE", "10000"))
SLACK_MS = 500  # a look every 25 ms, a claim, and whatever else this machine is doing
PEOPLE = 3000


@pytest.fixture
def own():
    with ownstack.own_stack() as made:
        yield made


def people(count):
    return [{"identityMap": {"Email": [{"id": f"{n}@example.org"}]}, "person": {"name": {"lastName": f"L{n}"}},
             "_tenant": {"text": f"{random.random()}" * 20}} for n in range(count)]


class Tenant:
    """A client with a store, and what the database says of its jobs."""

    def __init__(self, stack, profiles):
        self.stack = stack
        self.client = ownstack.new_client(stack)
        flows.ingest(self.client, flows.create_dataset(self.client, "profile"), people(profiles))
        self.target = flows.create_dataset(self.client)
        (self.org, self.sandbox), = self.rows(
            "SELECT o.org, s.sandbox FROM consign.org o JOIN consign.sandbox s USING (org) WHERE ims_org_id = %s", self.client.org)

    def rows(self, text, *values):
        with psycopg.connect(self.stack.pg_uri) as conn:
            return conn.execute(text, values).fetchall()

    def queue(self, count):
        """Jobs as job_create makes them, all at once."""
        with psycopg.connect(self.stack.pg_uri) as conn:
            conn.execute("CREATE TEMP TABLE job ON COMMIT DROP AS SELECT consign.now_ms() * 4096 + n AS job,"
                         " md5(random()::text) AS batch, consign.now_ms() AS at FROM generate_series(1, %s) n", (count,))
            place = (self.org, self.sandbox)
            conn.execute("INSERT INTO consign.batch (org, sandbox, batch, dataset, kind, status, created_ms, updated_ms,"
                         " created_client) SELECT %s, %s, batch, %s, 'export', 'active', at, at, 'test' FROM job",
                         (*place, self.target))
            conn.execute("INSERT INTO consign.export_job (org, sandbox, job, status, dataset, batch, merge_policy,"
                         " merge_policy_version, profile_instance_id, request_id, created_client, created_ms, updated_ms)"
                         " SELECT %s, %s, job, 'NEW', %s, batch, 'timestampOrdered-none-mp', 0, 'ups', 'test', 'test', at, at"
                         " FROM job", (*place, self.target))
            conn.execute("INSERT INTO consign.work_queue (org, sandbox, kind, job, batch, created_ms)"
                         " SELECT %s, %s, 'export', job, batch, at FROM job ORDER BY job", place)

    def ended(self):
        """(when it began, how long it ran) of the jobs that are done, in ms."""
        return self.rows("SELECT export_start_ms, ended_ms - export_start_ms FROM consign.export_job"
                         " WHERE org = %s AND ended_ms IS NOT NULL", self.org)

    def running(self):
        ((now,),) = self.rows("SELECT count(*) FROM consign.work_queue WHERE org = %s AND attempt IS NOT NULL", self.org)
        return now

    def forget(self):
        """Takes what waits out of the queue."""
        with psycopg.connect(self.stack.pg_uri) as conn:
            conn.execute("DELETE FROM consign.work_queue WHERE org = %s AND attempt IS NULL", (self.org,))

    def delay(self):
        """From POST to PROCESSING of a job of its own, in ms."""
        job = flows.wait_job(self.client, flows.start_job(self.client, flows.job_body(self.target))["id"])
        assert job["status"] == "SUCCEEDED"
        ((waited,),) = self.rows("SELECT export_start_ms - created_ms FROM consign.export_job WHERE org = %s AND job = %s",
                                 self.org, job["id"])
        return waited


def until(condition, seconds=60):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "not in time"
        time.sleep(0.02)


def check_delays(stack, workers):
    """A small tenant's jobs, at any moment of a slice of a tenant with a long queue."""
    giant, small = Tenant(stack, PEOPLE), Tenant(stack, 10)
    giant.queue(QUEUED)
    if QUEUED >= 10000:
        assert giant.client.post(JOBS, flows.job_body(giant.target)).status_code == 429
    stack.ctl("quota", "set", "--org", giant.client.org, "--jobs", str(QUEUED + 10))
    giant.client.post(JOBS, flows.job_body(giant.target), expect=200)
    until(lambda: len(giant.ended()) >= workers)
    delays, seen = [], Counter()
    for _ in range(6):
        time.sleep(random.random() * 0.3)
        seen[giant.running()] += 1
        delays.append(small.delay())
    ended = giant.ended()
    giant.forget()
    slice_ms = max(took for _, took in ended)
    print(f"\nfair: workers={workers} queued={QUEUED} slices={len(ended)} longest={slice_ms} ms delays={sorted(delays)} ms")
    assert max(delays) <= slice_ms + SLACK_MS
    assert len(ended) >= workers + 3, "the giant went on meanwhile"
    return seen


def check_weights(stack, workers):
    """Of two long queues with the weights 1 and 3."""
    light, heavy = Tenant(stack, 50), Tenant(stack, 50)
    stack.ctl("quota", "set", "--org", heavy.client.org, "--weight", "3")
    stack.kill_spooler()
    for tenant in (light, heavy):
        tenant.queue(60)
    stack.up()
    until(lambda: len(light.ended()) + len(heavy.ended()) >= 40)
    order = sorted([(began, "light") for began, _ in light.ended()] + [(began, "heavy") for began, _ in heavy.ended()])
    claims = Counter(name for _, name in order[:40])
    print(f"\nfair: workers={workers} weights=1:3 claims={dict(claims)}")
    for tenant in (light, heavy):
        tenant.forget()
    assert 28 <= claims["heavy"] <= 32


@pytest.mark.parametrize("workers", [pytest.param(1, marks=pytest.mark.long), 2])
def test_a_long_queue_delays_others_by_less_than_a_slice_and_weights_count(own, workers):
    stack = own.start(spooler__workers=workers, spooler__express=0)
    check_delays(stack, workers)
    check_weights(stack, workers)
    own.stop()


def test_an_express_worker_is_free_for_who_comes(own):
    """A tenant with more work than workers does not get the express worker too."""
    stack = own.start(spooler__workers=1, spooler__express=1)
    seen = check_delays(stack, 1)
    assert seen[2] <= 3, "only when the worker was late for the next one"
    own.stop()
