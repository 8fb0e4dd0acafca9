"""One export by several workers: the same rows whatever their number, and whoever of them is killed.

On a stack of its own whose shares are so small that a store of 2,000 profiles splits into many.
"""

import contextlib
import itertools
import os
import random
import re
import signal
import time
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest

import flows
import lake
import ownstack
import readers
from bigstore import FIELDS, BigStore
from flows import JOBS
from oracle import Policy, canonical_rows
from stack import process_tree
from test_oracle_selection import event, ident, member
from twin import Twin

pytestmark = [pytest.mark.fault, pytest.mark.slow]

PEOPLE = 2000
SETTINGS = {"export__share_profiles": 50}
PROFILES = int(os.environ.get("CONSIGN_SHARED_PROFILES", "15000"))
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
        self.own, self.workers = own, 2
        self.stack = own.start(spooler__workers=2, **SETTINGS)
        self.twin = Twin(ownstack.new_client(self.stack))
        fill(self.twin)
        self.policy = flows.create_policy(self.twin.client, "pdg")["id"]

    def restart(self, workers):
        """With so many; nothing when they are."""
        if workers == self.workers:
            return
        self.own.stop()
        self.workers, self.stack = workers, self.own.start(spooler__workers=workers, **SETTINGS)

    def requests(self):
        """[(body, rules)]: every way in which an export may be split."""
        pdg = {"mergePolicy": {"id": self.policy}}
        return [(EVENTS, Policy()), ({**EVENTS, **pdg}, Policy("pdg")), ({**SEGMENTS, **pdg}, Policy("pdg")),
                (SEGMENTS, Policy()), ({"fields": "score"}, Policy())]


@pytest.fixture(scope="module")
def shop(own):
    return Shop(own)


@pytest.mark.parametrize("workers", [pytest.param(1, marks=pytest.mark.long), 2, 4])
def test_the_same_rows_whatever_the_number_of_workers(shop, workers):
    shop.restart(workers)
    for form, (body, rules) in zip(("json", "parquet", "json", "parquet", "parquet"), shop.requests()):
        shop.twin.check(body, rules, form=form)


def test_the_preview_is_the_first_rows_of_all_workers(shop):
    """Also where the attempt itself had hardly any: a hundred rows, in the order of the files."""
    client = shop.twin.client
    for body in (EVENTS, {"fields": "score", "filter": {"segments": [{"segmentId": "s0"}]}}):
        dataset = flows.create_dataset(client)
        _, rows = flows.export(client, flows.job_body(dataset, **body))
        shown = client.get(flows.PREVIEW.format(dataset)).json()
        assert shown["data"] == rows[:100] and len(rows) > 100
        assert (shown["_page"]["count"], shown["omitted"]) == (len(rows), 0)


def test_an_export_holds_one_moment_while_people_join(shop):
    """Batches that join people end all the while; every export is the store after one of them, whole."""
    client = ownstack.new_client(shop.stack)
    twin, rng = Twin(client), random.Random(3)
    policy = {"mergePolicy": {"id": flows.create_policy(client, "pdg")["id"]}, **EVENTS}
    twin.records("crm", [ident(f"A:{n}", f"B:{n}", v=n) for n in range(400)])
    twin.events("web", [event(f"{n}", "01", f"A:{n % 400}") for n in range(800)])
    moments = [canonical_rows(twin.store.export(policy, Policy("pdg")).rows)]

    def ingest():
        for step in range(12):
            twin.records("crm", [ident(f"A:{rng.randrange(400)}", f"B:{rng.randrange(400)}", step=step) for _ in range(15)])
            moments.append(canonical_rows(twin.store.export(policy, Policy("pdg")).rows))

    found, target = [], twin.target()
    with ThreadPoolExecutor(1) as side:
        running = side.submit(ingest)
        while not running.done() or len(found) < 3:
            job = flows.wait_job(client, twin.start(policy, target)["id"])
            found.append(canonical_rows(flows.download(client, job["destination"]["batchId"])))
        running.result()
    places = [moments.index(rows) for rows in found]  # ValueError: of no moment that ever was
    assert places == sorted(places)


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


def start(big, form):
    """A new job into a fresh dataset: (job, dataset)."""
    dataset = flows.create_dataset(big.client, fileDescription={"format": form})
    return flows.start_job(big.client, flows.job_body(dataset, **FIELDS)), dataset


def check(big, job, form):
    """Every profile and event of the store is there once."""
    if form == "json":
        big.check(job)
        return
    assert job["metrics"]["totalExportedProfileCounter"] == big.rows
    assert job["metrics"]["totalExportedEventCounter"] == big.events
    with readers.fetch(big.client, job["destination"]["batchId"]) as files:
        assert readers.query("SELECT count(*), count(DISTINCT identityMap['CRMID'][1].id), sum(len(eventList)),"
                             f" count(DISTINCT eventList[1]._id) FROM read_parquet({files.glob})") == \
            [[big.rows, big.rows, big.events, big.events]]


@pytest.mark.parametrize("who", ["helper", "leader", "both"])
@pytest.mark.parametrize("form", ["json", "parquet"])
def test_kill_9_of_who_writes_a_shared_export_loses_and_repeats_nothing(shop, big, who, form):
    hit = False
    for _ in range(5):  # an export may be over before the kill
        job, dataset = start(big, form)
        await_help(shop.stack, job["id"])
        first = leader(shop.stack, job["id"])
        others = [pid for pid in workers(shop.stack) if pid != first]
        for pid in {"helper": others, "leader": [first], "both": [first, *others]}[who]:
            os.kill(pid, signal.SIGKILL)
        hit = big.client.get(f"{JOBS}/{job['id']}").json()["status"] == "PROCESSING"
        done = flows.wait_job(big.client, job["id"])
        check(big, done, form)
        assert lake.published(shop.stack, dataset) == [done["destination"]["batchId"]]
        lake.assert_whole(shop.stack, dataset, done["destination"]["batchId"])
        if hit:
            break
    assert hit, "no kill hit a running export"
    lake.wait_clean(shop.stack, 70)


@pytest.mark.alone
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
    job, _ = start(big, form)
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


@contextlib.contextmanager
def trigger(stack, when, body):
    """A trigger on the table of helpers; what it does stands for a fault of the database or the network."""
    with psycopg.connect(stack.pg_uri, autocommit=True) as connection:
        connection.execute("CREATE FUNCTION public.disturb() RETURNS trigger LANGUAGE plpgsql AS"
                           f" $$ BEGIN {body} RETURN NEW; END $$")
        connection.execute(f"CREATE TRIGGER disturb {when} FOR EACH ROW EXECUTE FUNCTION public.disturb()")
        try:
            yield
        finally:
            connection.execute("DROP FUNCTION public.disturb CASCADE")


def logged(stack, job, *words):
    lines = (stack.dir / "log" / "spooler.log").read_text().splitlines()
    return [line for line in lines if f"job={job}" in line and all(word in line for word in words)]


def test_who_cannot_help_does_not_try_again_and_again(shop, big):
    """Once; again only after two seconds, which a slow machine's export may take."""
    with trigger(shop.stack, "BEFORE INSERT ON consign.export_helper", "RAISE EXCEPTION 'no';"):
        job, _ = big.start()
        big.check(flows.wait_job(big.client, job["id"]))
    tries = {}
    for line in logged(shop.stack, job["id"], "event=help_ended"):
        moment, worker = re.match(r"time=([0-9.]+) .*? pid=([0-9]+) ", line).groups()
        tries.setdefault(worker, []).append(float(moment))
    assert tries
    for times in tries.values():
        assert all(after - before >= 1.9 for before, after in itertools.pairwise(times)), tries


def test_files_whose_delivery_was_not_answered_are_published(shop, big):
    """The helper's connection goes while its delivery is being committed: it may not remove what it delivered."""
    silence = ("PERFORM set_config('client_connection_check_interval', '0', false); PERFORM pg_sleep(11);")
    with trigger(shop.stack, "AFTER UPDATE OF status ON consign.export_helper", silence):
        job, dataset = big.start()
        await_help(shop.stack, job["id"])
        done = flows.wait_job(big.client, job["id"], seconds=60)
    assert logged(shop.stack, job["id"], "event=help_ended", "fault=db_unavailable")
    big.check(done)
    assert len(logged(shop.stack, job["id"], "event=claimed")) == 1, "the attempt failed"
    lake.assert_whole(shop.stack, dataset, done["destination"]["batchId"])
    lake.wait_clean(shop.stack, 70)
