"""Reload, rolling restart and upgrade of the programs (design, promise 8), on a stack of their own.

The full length is tests/fault/rolling.py (make fault); the last test here is a short cut of it.
"""

import contextlib
import os
import pathlib
import re
import signal
import subprocess
import sys
import threading
import time

import psycopg
import pytest

import flows
import lake
import ownstack
from flows import JOBS
from stack import is_alive

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "fault"))

import rolling  # noqa: E402

pytestmark = [pytest.mark.fault, pytest.mark.slow]

PEOPLE = [{"identityMap": {"CRMID": [{"id": f"p{n}", "primary": True}]}, "_tenant": {"n": n}} for n in range(50)]


@pytest.fixture(scope="module")
def stack():
    with ownstack.own_stack() as own:
        yield own.start(spooler__workers=1, spooler__express=0)


@pytest.fixture(scope="module")
def client(stack):
    made = ownstack.new_client(stack)
    flows.ingest(made, flows.create_dataset(made, "profile"), PEOPLE)
    return made


@contextlib.contextmanager
def settings(stack, **lines):
    """Other settings while it is open, in the file only; their dot is two underscores."""
    file = stack.dir / "consign.conf"
    before = file.read_text()
    text = before
    for name, value in lines.items():
        name = name.replace("__", ".")
        text = re.sub(rf"(?m)^{re.escape(name)} = .*\n", "", text) + f"{name} = {value}\n"
    file.write_text(text)
    try:
        yield
    finally:
        file.write_text(before)


@contextlib.contextmanager
def held(stack, statement, *parameters):
    """A database lock while it is open; release() on what it gives ends it sooner."""
    with psycopg.connect(stack.pg_uri) as session:
        session.execute(statement, parameters)
        yield session.rollback


@contextlib.contextmanager
def running(stack, client, statement, batch=False):
    """An export that stands still in the middle, at a lock: (its document, release)."""
    stack.signal_spooler(signal.SIGSTOP)
    try:
        job = flows.start_job(client, flows.job_body(flows.create_dataset(client)))
        lock = held(stack, statement, *([job["destination"]["batchId"]] if batch else []))
        release = lock.__enter__()
    finally:
        stack.signal_spooler(signal.SIGCONT)
    try:
        while (job := client.get(f"{JOBS}/{job['id']}?wait=5").json())["status"] == "NEW":
            pass
        assert job["status"] == "PROCESSING", job
        yield job, release
    finally:
        lock.__exit__(None, None, None)


READING = "LOCK TABLE consign.profile_fragment IN ACCESS EXCLUSIVE MODE"
PUBLISHING = "SELECT 1 FROM consign.batch WHERE batch = %s FOR UPDATE"


def serves(client):
    return client.get(f"{JOBS}?limit=1").json()["page"]["pageSize"]


@pytest.mark.parametrize("name", ["api", "spooler"])
def test_reload_replaces_every_worker_and_keeps_the_supervisor(stack, client, name):
    pid, before = rolling.pid_of(stack, name), rolling.workers_of(stack, name)
    with settings(stack, api__workers=3, spooler__workers=2):
        assert "event=reloaded " in rolling.reload(stack, name)
        rolling.wait_retired_one(stack, name)
        after = rolling.workers_of(stack, name)
        assert len(after) == {"api": 3, "spooler": 2}[name], "the new number of workers"
    assert not before & after
    assert rolling.pid_of(stack, name) == pid and is_alive(pid)
    flows.export(client, flows.job_body(flows.create_dataset(client)))
    assert "event=reloaded " in rolling.reload(stack, name)


def test_devstack_reload_does_all_three(stack, client):
    before = {name: len(rolling.decisions(stack, name)) for name in rolling.PROGRAMS}
    nginx = rolling.workers_of(stack, "nginx")
    done = ownstack.devstack("reload", "--dir", str(stack.dir))
    assert done.returncode == 0, done.stdout + done.stderr
    for name in rolling.PROGRAMS:
        assert [line.split()[0] for line in rolling.decisions(stack, name)[before[name]:]] == ["event=reloaded"]
    deadline = time.monotonic() + 10
    while nginx & rolling.workers_of(stack, "nginx"):
        assert time.monotonic() < deadline, "old nginx workers stay"
        time.sleep(0.02)
    serves(client)


REFUSED = [({"api__workers": "many"}, "a whole number"), ({"nonsense": "1"}, "unknown setting"),
           ({"database__api": "host=a,b port=1,2,3", "database__spooler": "consign"}, "what=setting"),
           ({"api__socket": "/run/elsewhere.sock", "lake__dir": "/elsewhere"}, "restart needed"),
           ({"api__user": "daemon", "spooler__user": "daemon"}, "restart needed"),
           ({"inbox__dir": "/elsewhere"}, "now=\"inbox.dir = ")]


@pytest.mark.parametrize("lines, reason", REFUSED, ids=lambda value: value if isinstance(value, str) else "")
@pytest.mark.parametrize("name", ["api", "spooler"])
def test_settings_that_do_not_do_are_refused_and_all_goes_on(stack, client, name, lines, reason):
    before = rolling.workers_of(stack, name)
    with settings(stack, **lines):
        said = rolling.reload(stack, name)
    assert "event=reload_refused " in said and reason in said, said
    assert rolling.workers_of(stack, name) == before
    serves(client)


@pytest.mark.parametrize("name", ["api", "spooler"])
def test_settings_that_the_user_of_the_service_may_not_read_are_refused(stack, name):
    file = stack.dir / "consign.conf"
    was = file.stat()
    before = rolling.workers_of(stack, name)
    try:
        if os.geteuid() == 0:
            os.chown(file, 0, 0)
        file.chmod(0 if os.geteuid() else 0o600)
        said = rolling.reload(stack, name)
    finally:
        os.chown(file, was.st_uid, was.st_gid)
        file.chmod(was.st_mode & 0o777)
    assert "event=reload_refused " in said and "Permission denied" in said, said
    assert rolling.workers_of(stack, name) == before


@pytest.mark.parametrize("name", ["api", "spooler"])
@pytest.mark.parametrize("broken", ["absent", "not a program", "another program"])
def test_a_program_that_does_not_start_is_refused(stack, client, name, broken):
    path = stack.dir / "bin" / rolling.PROGRAMS[name]
    aside = path.with_suffix(".aside")
    before = rolling.workers_of(stack, name)
    path.rename(aside)
    try:
        if broken != "absent":
            path.write_text("#!/bin/false\n" if broken == "another program" else "nothing\n")
            path.chmod(0o755)
        said = rolling.reload(stack, name)
    finally:
        aside.rename(path)
    assert "event=reload_refused " in said, said
    assert rolling.workers_of(stack, name) == before
    serves(client)


def test_check_says_what_a_reload_can_not_change(stack):
    for program, setting in (("consign-api", "api.socket"), ("consign-spooler", "lake.dir")):
        command = [str(stack.dir / "bin" / program), "--config", str(stack.dir / "consign.conf"), "--check"]
        done = subprocess.run(command, capture_output=True, text=True, timeout=30)
        assert done.returncode == 0, done.stderr
        assert f"{setting} = {stack.dir}/" in done.stdout
        with settings(stack, log__level="loud"):
            done = subprocess.run(command, capture_output=True, text=True, timeout=30)
        assert done.returncode == 2 and "log.level" in done.stderr, done


def test_an_old_worker_finishes_its_export_while_the_new_ones_work(stack, client):
    other = ownstack.new_client(stack)
    flows.ingest(other, flows.create_dataset(other, "profile"), PEOPLE)
    with running(stack, client, PUBLISHING, batch=True) as (job, release):
        assert "event=reloaded " in rolling.reload(stack, "spooler")
        flows.export(other, flows.job_body(flows.create_dataset(other)))
        assert client.get(f"{JOBS}/{job['id']}").json()["status"] == "PROCESSING"
        release()
        done = flows.wait_job(client, job["id"])
    assert done["status"] == "SUCCEEDED", done
    assert done["computeGatewayJobId"]["exportJob"] == job["computeGatewayJobId"]["exportJob"], "another attempt"
    rolling.wait_retired_one(stack, "spooler")


def test_an_old_worker_hands_its_export_on_after_the_grace_time(stack, client):
    with settings(stack, spooler__grace_ms=300), running(stack, client, READING) as (job, release):
        assert "event=reloaded " in rolling.reload(stack, "spooler")
        rolling.wait_retired_one(stack, "spooler")
        assert client.get(f"{JOBS}/{job['id']}").json()["status"] in ("NEW", "PROCESSING")
        release()
        done = flows.wait_job(client, job["id"])
    assert done["status"] == "SUCCEEDED", done
    assert done["computeGatewayJobId"]["exportJob"] != job["computeGatewayJobId"]["exportJob"], "it was not handed on"
    lake.assert_whole(stack, done["destination"]["datasetId"], done["destination"]["batchId"])
    rolling.reload(stack, "spooler")


def test_a_request_that_waits_in_an_old_worker_is_answered(stack, client):
    with running(stack, client, READING) as (job, release):
        answers = []
        waiting = threading.Thread(target=lambda: answers.append(client.get(f"{JOBS}/{job['id']}?wait=30").json()))
        waiting.start()
        assert "event=reloaded " in rolling.reload(stack, "api")
        assert waiting.is_alive() and not answers
        serves(client)
        release()
        waiting.join(30)
    assert answers and answers[0]["status"] == "SUCCEEDED", answers
    rolling.wait_retired_one(stack, "api")


def test_a_second_pool_does_not_take_the_socket(stack, client):
    serves(client)
    command = [str(stack.dir / "bin" / "consign-api"), "--config", str(stack.dir / "consign.conf")]
    user = {"user": (stack.dir / "consign.conf").owner()} if os.geteuid() == 0 else {}
    done = subprocess.run(command, capture_output=True, text=True, timeout=30, **user)
    assert done.returncode == 1 and "another pool serves on this socket" in done.stderr, done
    for _ in range(20):
        serves(client)


def test_a_stop_ends_old_workers_too(stack, client):
    with running(stack, client, READING) as (job, _):
        rolling.reload(stack, "spooler")
        left = rolling.workers_of(stack, "spooler")
        assert len(left) == 2
        os.kill(rolling.pid_of(stack, "spooler"), signal.SIGTERM)
        deadline = time.monotonic() + 10
        while any(is_alive(pid) for pid in left):
            assert time.monotonic() < deadline, "workers stay after the stop"
            time.sleep(0.02)
    stack.up()
    assert flows.wait_job(client, job["id"])["status"] == "SUCCEEDED"


def test_rolling_restarts_under_load_fail_nothing(stack):
    """A short cut of make fault's 20 restarts in 60 s at 200 requests a second."""
    load, wrong = rolling.roll(stack, [ownstack.new_client(stack), ownstack.new_client(stack)], restarts=4, seconds=10, rate=100, profiles=4000)
    assert not wrong and not load.failed, (wrong, load.failed[:10])
    assert load.done >= 900 and load.uploads >= 2 and load.downloads >= 2 and load.succeeded == len(load.exports) > 0
