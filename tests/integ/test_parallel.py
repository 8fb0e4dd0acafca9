"""One export by several workers: the same rows whatever their number, and whoever of them is killed.

On a stack of its own whose shares are so small that a store of 2,000 profiles splits into many.
"""

import itertools
import os
import re
import signal
import time

import psycopg
import pytest

import flows
import lake
import ownstack
from bigstore import FIELDS, BigStore
from flows import JOBS
from oracle import Policy
from stack import process_tree
from test_oracle_selection import event, ident, member
from twin import Twin

pytestmark = pytest.mark.fault

PEOPLE = 2000
SETTINGS = {"export__share_profiles": 50}
PROFILES = int(os.environ.get("CONSIGN_SHARED_PROFILES", "30000"))
PHASES = ("reading", "writing", "publishing")
EVENTS = {"additionalFields": {"eventList": {}}}
SEGMENTS = {"filter": {"segments": [{"segmentId": name} for name in ("s0", "s1", "none")]},
            "destination": {"segmentPerBatch": True}, **EVENTS}


def fill(twin):
    """People of one to three identities, with events; every third in a segment."""
    crm, web, events = [], [], []
    for n in range(PEOPLE):
        in_one = member(f"ups/s{n % 2}=realized") if n % 3 == 0 else {}
        crm.append(ident(f"CRM:p{n:05}", f"Mail:m{n // 2}", name=f"N{n}", score=n, text="x" * (n % 300), **in_one))
        if n % 4 == 0:
            web.append(ident(f"Mail:m{n // 2}", last=n))
        events += [event(f"e{n}-{k}", f"{k:02}", f"CRM:p{n:05}", page=f"/{n}/{k}") for k in range(n % 4)]
    twin.records("crm", crm)
    twin.records("web", web)
    twin.events("events", events)


@pytest.fixture(scope="module")
def own():
    with ownstack.own_stack() as made:
        yield made


class Shop:
    """The running stack and the store in it."""

    def __init__(self, own):
        self.own = own
        self.stack = own.start(spooler__workers=2, **SETTINGS)
        self.twin = Twin(ownstack.new_client(self.stack))
        fill(self.twin)
        self.policy = flows.create_policy(self.twin.client, "pdg")["id"]

    def restart(self, workers):
        self.own.stop()
        self.stack = self.own.start(spooler__workers=workers, **SETTINGS)

    def requests(self):
        """[(body, rules)]: every way in which an export may be split."""
        pdg = {"mergePolicy": {"id": self.policy}}
        return [(EVENTS, Policy()), ({**EVENTS, **pdg}, Policy("pdg")), ({**SEGMENTS, **pdg}, Policy("pdg")),
                (SEGMENTS, Policy()), ({"fields": "score"}, Policy())]


@pytest.fixture(scope="module")
def shop(own):
    return Shop(own)


@pytest.mark.parametrize("workers", [1, 2, 4])
def test_the_same_rows_whatever_the_number_of_workers(shop, workers):
    shop.restart(workers)
    for form, (body, rules) in zip(("json", "parquet", "json", "parquet", "parquet"), shop.requests()):
        shop.twin.check(body, rules, form=form)


# What follows needs an export that takes a while.

@pytest.fixture(scope="module")
def big(own, shop):
    """A store of more profiles in a sandbox of its own, on two workers: one leads, the other helps."""
    shop.restart(2)
    return BigStore(ownstack.new_client(shop.stack), PROFILES)


def shared_out(stack, job):
    """Whether another worker than the one that leads has taken a share of the job."""
    with psycopg.connect(stack.pg_uri, autocommit=True) as connection:
        found = connection.execute("SELECT 1 FROM consign.export_share s JOIN consign.export_helper h USING (org, sandbox, job)"
                                   " WHERE s.job = %s AND s.taken_by = h.helper LIMIT 1", (job,)).fetchone()
    return found is not None


def await_help(stack, job):
    deadline = time.monotonic() + 60
    while not shared_out(stack, job):
        assert time.monotonic() < deadline, "nobody helps"


def leader(stack, job):
    """The pid of the worker that claimed the job last, as the log tells."""
    lines = (stack.dir / "log" / "spooler.log").read_text().splitlines()
    claims = [line for line in lines if "event=claimed" in line and f"job={job}" in line]
    return int(re.search(r"\bpid=(\d+)", claims[-1])[1])


def workers(stack):
    supervisor = int((stack.dir / "pids" / "spooler").read_text().split()[0])
    return [pid for pid in process_tree(supervisor) if pid != supervisor]


@pytest.mark.parametrize("who", ["helper", "leader", "both"])
@pytest.mark.parametrize("number", range(2))
def test_kill_9_of_who_writes_a_shared_export_loses_and_repeats_nothing(shop, big, who, number):
    hit = False
    for _ in range(5):  # an export may be over before the kill
        job, dataset = big.start()
        await_help(shop.stack, job["id"])
        first = leader(shop.stack, job["id"])
        others = [pid for pid in workers(shop.stack) if pid != first]
        for pid in {"helper": others, "leader": [first], "both": [first, *others]}[who]:
            os.kill(pid, signal.SIGKILL)
        hit = big.client.get(f"{JOBS}/{job['id']}").json()["status"] == "PROCESSING"
        done = flows.wait_job(big.client, job["id"])
        big.check(done)
        assert lake.published(shop.stack, dataset) == [done["destination"]["batchId"]]
        lake.assert_whole(shop.stack, dataset, done["destination"]["batchId"])
        if hit:
            break
    assert hit, "no kill hit a running export"
    lake.wait_clean(shop.stack, 70)


def test_cancel_of_a_shared_export_stops_all_who_write_it(shop, big):
    job, dataset = big.start()
    await_help(shop.stack, job["id"])
    big.client.delete(f"{JOBS}/{job['id']}")
    begin = time.monotonic()
    done = flows.wait_job(big.client, job["id"])
    if done["status"] == "CANCELLED":
        assert time.monotonic() - begin < 2
        assert lake.published(shop.stack, dataset) == []
    lake.wait_clean(shop.stack, 2 if done["status"] == "CANCELLED" else 70)


@pytest.mark.parametrize("form", ["json", "parquet"])
def test_progress_tells_the_truth(big, form):
    dataset = flows.create_dataset(big.client, fileDescription={"format": form})
    job = flows.start_job(big.client, flows.job_body(dataset, **FIELDS))
    seen = []
    while job["status"] not in flows.TERMINAL:
        job = big.client.get(f"{JOBS}/{job['id']}").json()
        if "progress" in job["metrics"]:
            seen.append(job["metrics"]["progress"])
    assert job["status"] == "SUCCEEDED" and job["metrics"]["totalExportedProfileCounter"] == big.rows
    assert seen, "an export that runs tells no progress"
    assert all(set(p) == {"phase", "profilesDone", "profilesEstimated", "filesWritten"} for p in seen)
    done = [p["profilesDone"] for p in seen]
    assert done == sorted(done) and done[-1] <= big.rows
    phases = [phase for phase, _ in itertools.groupby(p["phase"] for p in seen)]
    assert phases == sorted(set(phases), key=PHASES.index), phases
    # the size is known from the start, to a small factor
    assert all(big.rows / 4 <= p["profilesEstimated"] <= big.rows * 4 for p in seen if p["profilesDone"] > 0)
    files = len(flows.manifest(big.client, job["destination"]["batchId"]))
    assert all(p["filesWritten"] <= files for p in seen)


def test_small_jobs_do_not_wait_for_a_shared_one(shop, big):
    """A helper takes no more shares while there is work that it could claim."""
    twin = Twin(ownstack.new_client(shop.stack))
    twin.records("crm", [ident("E:a", v=1)])
    job, _ = big.start()
    await_help(shop.stack, job["id"])
    twin.check({})
    big.check(flows.wait_job(big.client, job["id"]))
