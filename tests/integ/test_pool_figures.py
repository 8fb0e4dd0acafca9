"""What GET /health says of the pool: how many workers are busy, what waits for one, and the line of a pool that is full.

On a stack of its own with two workers, which requests that wait for a lock keep busy.
"""

import contextlib
import os
import signal
import threading
import time

import psycopg
import pytest
import requests

import flows
import mixture
import ownstack
from flows import CATALOG

WORKERS = 2
WAITING = 7


@pytest.fixture(scope="module")
def stack():
    with ownstack.own_stack() as own:
        # the database waits long enough for a pool that is full to be noticed
        yield own.start(api__workers=WORKERS, api__database_ms=20000, api__queue_ms=10000)


@pytest.fixture(scope="module")
def client(stack):
    return ownstack.new_client(stack)


def health(stack):
    answer = requests.get(stack.ops_url + "/health", timeout=30)
    assert answer.status_code == 200
    return answer.json()


def await_health(stack, good, seconds=20):
    """Asks until the figures are as wanted; returns them."""
    deadline = time.monotonic() + seconds
    while True:
        found = health(stack)
        if good(found):
            return found
        assert time.monotonic() < deadline, found
        time.sleep(0.05)


@contextlib.contextmanager
def held(stack, client, count):
    """So many requests that are kept where they read the datasets, each in a thread."""
    threads = [threading.Thread(target=client.call, args=("GET", f"{CATALOG}/dataSets")) for _ in range(count)]
    with psycopg.connect(stack.pg_uri) as db:
        db.execute("LOCK TABLE consign.dataset IN ACCESS EXCLUSIVE MODE")
        for thread in threads:
            thread.start()
        yield db
        db.rollback()
    for thread in threads:
        thread.join()


def test_an_idle_pool(stack, client):
    flows.create_dataset(client)
    found = await_health(stack, lambda h: h["workers"]["busy"] == 1 and h["queue"]["depth"] in (0, None))
    assert found["status"] == "up" and found["workers"] == {"total": WORKERS, "busy": 1}
    assert set(found["queue"]) == {"depth", "limit", "longestWaitMs", "fullMs"}
    assert found["queue"]["limit"] in (4096, None)
    assert found["queue"]["fullMs"] == 0


def test_a_request_at_work_is_busy(stack, client):
    client.get(f"{CATALOG}/dataSets")
    with held(stack, client, 1):
        await_health(stack, lambda h: h["workers"]["busy"] == 2)
    await_health(stack, lambda h: h["workers"]["busy"] == 1)


def test_a_full_pool_shows_its_queue_and_says_so(stack, client):
    """Nobody can ask /health while all workers are held; the line in the log tells, and afterwards the wait."""
    client.get(f"{CATALOG}/dataSets")
    log = stack.dir / "log" / "api.log"
    before = log.read_text().count("event=pool_full")
    with held(stack, client, WORKERS + WAITING):
        deadline = time.monotonic() + 15
        while log.read_text().count("event=pool_full") == before:
            assert time.monotonic() < deadline, "no line"
            time.sleep(0.05)
    line = [text for text in log.read_text().splitlines() if "event=pool_full" in text][-1]
    told = dict(word.split("=", 1) for word in line.split())
    assert told["level"] == "warn" and told["workers"] == told["busy"] == str(WORKERS)
    # waiting for a lock ends after two seconds, about when the line is written: then some have moved up
    assert 1 <= int(told["queue"]) <= WAITING or int(told["queue"]) == -1
    assert int(told["full_ms"]) >= 2000
    found = await_health(stack, lambda h: h["queue"]["longestWaitMs"] >= 1000, seconds=3)
    assert found["queue"]["fullMs"] < 2000
    await_health(stack, lambda h: h["queue"]["longestWaitMs"] == 0 and h["queue"]["fullMs"] == 0)


def test_killed_workers_are_not_busy_for_ever(stack, client):
    client.get(f"{CATALOG}/dataSets")
    with held(stack, client, WORKERS):
        time.sleep(0.3)
        for pid in mixture.workers(stack):
            os.kill(pid, signal.SIGKILL)
        await_health(stack, lambda h: h["workers"]["busy"] == 1)
