"""Who takes over what: workers of the spooler that are killed or stand still, storage that fails once, cancelled exports.

Samples of what make fault does in full (tests/fault: crash_points, zombies, cancels), on a stack of two workers; CONSIGN_SEED
chooses others.
"""

import os
import random
import signal
import socket
import struct
import sys
import time

import psycopg
import pytest

import flows
import streams
from ownstack import new_client, own_stack
from stack import REPO

sys.path.insert(0, str(REPO / "tests" / "fault"))

import cancels  # noqa: E402
import crash_points  # noqa: E402
import zombies  # noqa: E402
from crash_tasks import TASKS, Export, Load, SharedExport, record  # noqa: E402
from tracing import Injection, Workers, wait_for  # noqa: E402

pytestmark = [pytest.mark.fault, pytest.mark.slow,
              pytest.mark.skipif(os.geteuid() != 0, reason="strace on a confined worker needs root")]

CHANCE = random.Random(int(os.environ.get("CONSIGN_SEED", "6")))
# of each kind of work: calls and how many of them there are at least
KILLS = {"export": {"write": 4, "fsync": 10, "rename": 1, "mkdir": 4, "sendto": 11}, "load": {"sendto": 9},
         "stream": {"sendto": 9}, "removal": {"sendto": 6}}


@pytest.fixture(scope="module")
def stack():
    with own_stack() as own:
        yield own.start(**crash_points.SETTINGS)


@pytest.fixture(scope="module")
def workers(stack):
    return Workers(stack, crash_points.SETTINGS["spooler__workers"])


@pytest.fixture(scope="module", params=TASKS, ids=lambda make: make.name)
def task(request, stack):
    return request.param(new_client(stack))


def settle(outcome, stack, *tasks):
    outcome.settle(stack, tasks)
    assert not outcome.sets


def test_killed_at_some_points(stack, workers, task):
    """20 points of all there are, of each kind of call some; the work is done by somebody else at once."""
    outcome = crash_points.Outcome()
    for calls, count in KILLS[task.name].items():
        for nth in CHANCE.sample(range(1, count + 1), min(count, 3 if calls == "sendto" else 2)):
            assert crash_points.killed_at(workers, task, calls, nth, outcome), f"there is no {calls} {nth}"
    assert outcome.longest_s < crash_points.TAKEOVER_S
    settle(outcome, stack, task)


def test_a_helper_killed_at_some_points_costs_no_attempt():
    """Whoever leads the export reads again what the helper had."""
    outcome = crash_points.Outcome()
    with own_stack() as own:
        made = own.start(**crash_points.SHARED)
        export, both = SharedExport(new_client(made)), Workers(made, crash_points.SHARED["spooler__workers"])
        for calls, nth in (("mkdir", 1), ("write", 1), ("fsync", 1), ("sendto", CHANCE.randint(2, 9))):
            assert crash_points.helper_killed_at(both, export, calls, nth, outcome), f"there is no {calls} {nth}"
        settle(outcome, made, export)


def test_late_worker_is_refused(stack, workers, task):
    """It stands still longer than its sessions live; somebody else does its work; then it goes on."""
    outcome = zombies.Outcome()
    zombies.run_zombies(workers, task, 2 if task.name == "export" else 1, CHANCE.random(), outcome)
    assert outcome.longest_s < zombies.SILENCE_S + crash_points.TAKEOVER_S
    settle(outcome, stack, task)


@pytest.mark.parametrize("nth", (4, 5))
def test_late_worker_removes_nothing_of_the_one_that_published(stack, workers, nth):
    """It stood still between looking that nothing is published and removing what lay there: the job's result by then."""
    outcome, export = zombies.Outcome(), Export(new_client(stack))
    for _ in range(3):  # the point is the claim's only when no sweep's calls were counted before it
        zombies.stand_still(workers, export, "sendto", nth, outcome)
        if outcome.points:
            break
    assert outcome.points == 1
    settle(outcome, stack, export)


def test_storage_that_fails_once(stack, workers):
    outcome, export = crash_points.Outcome(), Export(new_client(stack))
    for calls, nth in (("write", 3), ("fsync", CHANCE.randint(1, 8)), ("rename", 1), ("mkdir", CHANCE.randint(1, 4))):
        assert crash_points.failed_at(workers, export, calls, CHANCE.choice(crash_points.ERRORS), nth, outcome), calls
    settle(outcome, stack, export)


class Slow(Load):
    """A load that takes a while, because somebody holds what it needs at its end."""

    def hold(self):
        db = psycopg.connect(self.client.stack.pg_uri)
        db.execute("SELECT FROM consign.ingest_clock WHERE (org, sandbox) = (%s, %s) FOR UPDATE", self.sandbox.tenant)
        return db


def test_a_load_that_waits_long_keeps_its_right_and_a_dead_one_is_taken_over(stack, workers):
    """Waiting for the database for longer than the silence is no silence; a kill in such a wait is known at once."""
    load = Slow(new_client(stack))
    flows.ingest(load.client, flows.create_dataset(load.client, "profile"), [record("s", 1)])
    with load.hold():
        load.start()
        claimed = wait_for(lambda: load.sandbox.one(
            "SELECT attempt FROM consign.work_queue WHERE org = %s AND sandbox = %s"), "nobody claims it")
        waited = time.monotonic()
        while time.monotonic() - waited < 1.5 * zombies.SILENCE_S:
            now = load.sandbox.one("SELECT attempt FROM consign.work_queue WHERE org = %s AND sandbox = %s")
            assert now == claimed, "it lost its right while it waited"
            time.sleep(0.05)
        (pid,) = {int(pid) for pid, attempt in crash_points.claims(stack) if attempt == claimed}
        killed = time.monotonic()
        os.kill(pid, signal.SIGKILL)
        taken = wait_for(lambda: load.sandbox.one(
            "SELECT attempt FROM consign.work_queue WHERE org = %s AND sandbox = %s AND attempt <> %s", claimed),
            "nobody takes it over")
        assert time.monotonic() - killed < crash_points.TAKEOVER_S
        named = {name for name in zombies.sessions(stack) if name.startswith("consign attempt")}
        assert named <= {f"consign attempt {taken}"}, "what the dead one left is ended"
    assert load.wait() and not load.check()


def test_work_that_kills_its_workers_fails_and_stops_nobody(stack, workers):
    """Whoever syncs a file is killed, the supervisor's new ones too. The third worker that dies of an export is the last."""
    export, load, before = Export(new_client(stack)), Load(new_client(stack)), workers.pids()
    killing = Injection(stack.spooler_pids(), "fsync", "signal=KILL", "1+")
    export.start()
    load.start()
    assert export.wait() and load.wait()
    killing.end()
    job = export.now()
    assert job["status"] == "FAILED" and job["destination"]["batchId"] == "", job
    (told,) = job["errors"]
    assert told["code"] == "unknown" and told["msg"].startswith("None of 3 attempts came to an end"), told
    died = [attempt for pid, attempt in crash_points.claims(stack) if int(pid) not in workers.pids()]
    assert told["callStack"] not in died and len(set(before) - set(workers.pids())) > 0
    assert not load.check()
    flows.export_all(export.client)


def test_work_that_fails_waits_as_long_as_it_is_old_and_fails_after_its_attempts(stack):
    """No directory can be made in the storage: three attempts, and each pause doubles the age of the job."""
    client = new_client(stack)
    body = flows.job_body(flows.create_dataset(client))
    least_ms, tmp = crash_points.SETTINGS["spooler__retry_ms"], stack.lake / "tmp"
    ages, mode = {}, tmp.stat().st_mode
    with psycopg.connect(stack.pg_uri, autocommit=True) as db:
        tmp.chmod(0o500)
        try:
            job = flows.start_job(client, body)["id"]
            while (row := db.execute("SELECT attempts, attempt IS NULL, not_before_ms - created_ms, consign.now_ms() - created_ms,"
                                     " last_fault FROM consign.work_queue WHERE job = %s", (job,)).fetchone()):
                attempts, waits, due, age, fault = row
                if waits and attempts > 0:
                    ages[attempts] = due
                    assert fault == "disk"
                elif attempts > 1:
                    assert age >= ages[attempts - 1], "not before its time"
        finally:
            tmp.chmod(mode)
    assert list(ages) == [1, 2], ages
    assert ages[1] >= least_ms and ages[2] >= 2 * ages[1], "as long as it was old when it failed"
    assert ages[2] <= 2 * (ages[1] + 2000), "and no longer, save what the attempt took"
    told = client.get(f"{flows.JOBS}/{job}").json()
    assert told["status"] == "FAILED" and told["errors"][0]["code"] == "0090000009", told
    flows.export(client, body)


def half_a_call(path, database, role):
    """A session with the name of one that holds leases, which begins a call and never ends it."""
    raw = socket.socket(socket.AF_UNIX)
    raw.connect(path)
    words = b"".join(word.encode() + b"\0" for pair in (
        ("user", role), ("database", database), ("application_name", "consign-spooler lease")) for word in pair) + b"\0"
    raw.sendall(struct.pack("!II", len(words) + 8, 196608) + words)
    raw.settimeout(5)
    answer = raw.recv(65536)
    while b"Z\0\0\0\x05I" not in answer:
        answer += raw.recv(65536)
    text = b"\0SELECT 1\0\0\0"
    raw.sendall(b"P" + struct.pack("!I", len(text) + 4) + text + b"B") # half of the next message
    return raw


def test_a_session_that_stands_in_the_middle_of_a_call_is_ended(stack):
    """Its worker was stopped while it sent: the server waits, which is no idleness, and the lock would stay for ever."""
    settings = dict(line.split(None, 1) for line in (stack.dir / "consign.conf").read_text().splitlines() if " " in line)
    uri = psycopg.conninfo.conninfo_to_dict(settings["database.spooler"].lstrip("= "))
    with half_a_call(f"{uri['host']}/.s.PGSQL.{uri.get('port', 5432)}", uri["dbname"], uri["user"]) as raw:
        begin = time.monotonic()
        raw.settimeout(3 * zombies.SILENCE_S)
        said = raw.recv(65536)
        while b"57P01" not in said:
            more = raw.recv(65536)
            assert more, said
            said += more
        assert zombies.SILENCE_S * 0.8 < time.monotonic() - begin


def test_twenty_cancels(stack):
    done = cancels.Cancels(new_client(stack), cancels.profiles(5000), CHANCE.random()).run(20)
    assert max(done.seconds) < cancels.LIMIT_S
    assert not done.outcome.sets


def test_a_stream_waits_no_longer_than_its_worker_lives(stack, workers):
    """Messages that a killed worker had in hand are loaded by the next one, each once."""
    client = new_client(stack)
    box, dataset = streams.Sandbox(client), flows.create_dataset(client, "profile")
    pids, tag = workers.hold(), "killed"
    streams.put_many(client, dataset, [streams.message(client, dataset, record(tag, n)) for n in range(30)])
    before = len(crash_points.claims(stack))
    workers.go(*pids)
    pid = int(wait_for(lambda: crash_points.claims(stack)[before:], "nobody claims it")[0][0])
    os.kill(pid, signal.SIGKILL)
    killed = time.monotonic()
    box.settle(10)
    assert time.monotonic() - killed < crash_points.TAKEOVER_S
    assert sorted(box.fragments()) == sorted(f"{tag}-{n}@x" for n in range(30))
