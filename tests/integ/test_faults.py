"""Killed spoolers, cancelled exports, a database that goes away (design, promises 1 to 5, 10, 12).

Disturbs the whole stack, so it runs last; alone with `pytest -m fault`.
CONSIGN_KILLS, CONSIGN_KILL_PROFILES and CONSIGN_SEED choose how hard.
"""

import concurrent.futures
import os
import random
import threading
import time

import psycopg
import pytest
import requests

import flows
import lake
from bigstore import BigStore
from client import token_request
from flows import BATCH_FILES, CATALOG, JOBS
from shapes import assert_problem

pytestmark = [pytest.mark.fault, pytest.mark.slow]

KILLS = int(os.environ.get("CONSIGN_KILLS", "6"))
PROFILES = int(os.environ.get("CONSIGN_KILL_PROFILES", "28000"))
SWEEP_S = int(os.environ.get("CONSIGN_SWEEP_WAIT", "70"))
RANDOM = random.Random(int(os.environ.get("CONSIGN_SEED", "1")))


@pytest.fixture(scope="module")
def store(home, tenants):
    return BigStore(home.in_sandbox(tenants.sandbox(home.org)), PROFILES)


@pytest.fixture(scope="module")
def duration(store):
    """Seconds of an undisturbed export, from POST to SUCCEEDED; its rows are checked too."""
    begin = time.monotonic()
    job, _ = store.start()
    done = flows.wait_job(store.client, job["id"])
    spent = time.monotonic() - begin
    store.check(done)
    return spent


@pytest.fixture(autouse=True)
def whole_stack_afterwards(stack):
    """The next test begins with every worker back at the database, which takes at most 3 s."""
    yield
    stack.up()
    begin, good = time.monotonic(), 0
    while good < 20:
        good = good + 1 if requests.get(f"{stack.ops_url}/ready", timeout=10).status_code == 200 else 0
        assert time.monotonic() - begin < 6, "the pool does not come back"


def assert_hidden(client, batch):
    """No trace of a batch in the catalog or in data access."""
    for path in (f"{CATALOG}/batches/{batch}", f"{BATCH_FILES}/{batch}/files",
                 f"{BATCH_FILES}/{batch}/meta?path=manifest.json"):
        assert_problem(client.call("GET", path), 404)


HITS = []


@pytest.mark.parametrize("number", range(KILLS))
def test_kill_9_of_the_spooler_loses_and_repeats_nothing(stack, store, duration, number):
    job, dataset = store.start()
    batch = job["destination"]["batchId"]
    moment = RANDOM.uniform(0, duration)
    time.sleep(moment)
    assert stack.kill_spooler(), "there was no spooler to kill"
    state = store.client.get(f"{JOBS}/{job['id']}").json()["status"]
    HITS.append(state)
    if state != "SUCCEEDED":
        assert_hidden(store.client, batch)
    stack.up()
    done = flows.wait_job(store.client, job["id"])
    assert done["status"] == "SUCCEEDED", f"killed after {moment:.3f} s: {done}"
    store.check(done)
    assert lake.published(stack, dataset) == [done["destination"]["batchId"]]
    lake.assert_whole(stack, dataset, done["destination"]["batchId"])
    listed = store.client.get(f"{CATALOG}/batches?dataSet={dataset}&limit=100").json()
    assert list(listed) == [done["destination"]["batchId"]]


def test_the_kills_hit_running_jobs_and_left_no_stray_file(stack):
    assert not HITS or any(state != "SUCCEEDED" for state in HITS), HITS
    lake.wait_clean(stack, SWEEP_S)


def cancel_one(stack, store, pause):
    """Cancel an export after a pause in PROCESSING; returns its final state."""
    client = store.client
    job, dataset = store.start()
    while client.get(f"{JOBS}/{job['id']}?wait=5").json()["status"] == "NEW":
        pass
    time.sleep(pause)
    begin = time.monotonic()
    client.delete(f"{JOBS}/{job['id']}")
    state = client.get(f"{JOBS}/{job['id']}").json()["status"]
    if state == "SUCCEEDED":
        return state
    assert_hidden(client, job["destination"]["batchId"])
    while state == "CANCELLING":
        assert time.monotonic() - begin < 2, "still CANCELLING"
        time.sleep(0.02)
        state = client.get(f"{JOBS}/{job['id']}").json()["status"]
    assert state == "CANCELLED", state
    lake.wait_clean(stack, 2 - (time.monotonic() - begin))
    assert lake.published(stack, dataset) == []
    assert_hidden(client, job["destination"]["batchId"])
    assert client.get(f"{JOBS}/{job['id']}").json()["destination"]["batchId"] == ""
    return state


@pytest.mark.alone
def test_cancel_of_a_running_export_stops_it_within_two_seconds(stack, store, duration):
    lake.wait_clean(stack, SWEEP_S)
    states = []
    while states.count("CANCELLED") < 3 and len(states) < 10:
        states.append(cancel_one(stack, store, RANDOM.uniform(0, duration * 0.6)))
    assert states.count("CANCELLED") >= 3, states


def test_export_works_after_the_cancelled_ones(store):
    job, _ = store.start()
    store.check(flows.wait_job(store.client, job["id"]))


def assert_unavailable(answer, begin):
    assert time.monotonic() - begin < 5, "no answer within 5 s"
    assert_problem(answer, 503)


@pytest.mark.alone
def test_database_gone_is_503_within_five_seconds_and_heals_within_three(stack, store):
    client = store.client
    client.get(JOBS)
    dataset = flows.create_dataset(client)
    stack.stop_postgres()
    for method, path, body in (("GET", JOBS, None), ("POST", JOBS, flows.job_body(dataset)),
                               ("GET", f"{CATALOG}/dataSets", None), ("DELETE", f"{JOBS}/1", None)):
        begin = time.monotonic()
        assert_unavailable(client.call(method, path, json=body), begin)
    begin = time.monotonic()
    answer = token_request(stack, client.client_id, client.client_secret)
    assert answer.status_code == 503 and answer.headers["Retry-After"], answer.text
    assert time.monotonic() - begin < 5
    assert requests.get(stack.ops_url + "/ready", timeout=10).status_code == 503
    assert requests.get(stack.ops_url + "/health", timeout=10).status_code == 200
    restart = threading.Thread(target=stack.up)
    restart.start()
    accepting = wait_for_postgres(stack)
    while client.call("GET", JOBS).status_code != 200:
        assert time.monotonic() - accepting < 3, "the API does not heal"
        time.sleep(0.05)
    restart.join()
    flows.export(client, flows.job_body(dataset, fields="nothing"))


@pytest.mark.alone
def test_database_that_stands_still_is_503_within_five_seconds_for_all(stack, client):
    """More clients than workers: none may queue behind workers that wait for the database."""
    client.get(JOBS)

    def ask(_):
        begin = time.monotonic()
        return client.call("GET", JOBS).status_code, time.monotonic() - begin

    with stack.postgres_stopped(), concurrent.futures.ThreadPoolExecutor(24) as crowd:
        for status, seconds in crowd.map(ask, range(48)):
            assert status == 503
            assert seconds < 5, f"answered after {seconds:.1f} s"
    resumed = time.monotonic()
    while client.call("GET", JOBS).status_code != 200:
        assert time.monotonic() - resumed < 3, "the API does not heal"
        time.sleep(0.05)


def wait_for_postgres(stack):
    """The moment the database accepts connections again."""
    deadline = time.monotonic() + 60
    while True:
        try:
            psycopg.connect(stack.pg_uri, connect_timeout=5).close()
            return time.monotonic()
        except psycopg.OperationalError:
            assert time.monotonic() < deadline, "postgres does not come back"
            time.sleep(0.05)


def test_job_survives_the_loss_of_the_database(stack, store, duration):
    job, dataset = store.start()
    time.sleep(duration * 0.4)
    stack.stop_postgres()
    stack.up()
    done = flows.wait_job(store.client, job["id"])
    store.check(done)
    assert lake.published(stack, dataset) == [done["destination"]["batchId"]]
    lake.wait_clean(stack, SWEEP_S)
