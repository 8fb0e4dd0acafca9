"""Linked records by streams and batches at once, by several clients into several datasets of one sandbox.

Whatever comes first or at the same moment, the persons are the components of the records that are in the store, each
record that was acknowledged is there once, and no client hears of a conflict. The second test does it while workers
are killed and the database is restarted; CONSIGN_KILLS says how often.
"""

import concurrent.futures
import os
import random
import signal
import threading
import time

import psycopg
import pytest
import requests

import flows
import streams
from ownstack import new_client, own_stack
from stack import is_alive
from streams import Sandbox
from test_graph import Graph, Store

SECONDS = float(os.environ.get("CONSIGN_CONTENTION_SECONDS", "4"))
KILLS = int(os.environ.get("CONSIGN_KILLS", "2"))
SEED = int(os.environ.get("CONSIGN_SEED", "1"))
LINKS = 3000  # values that records share
OUTAGE = (requests.ConnectionError, requests.Timeout)


class Crowd:
    """Clients that send records at once until they are told to stop."""

    def __init__(self, client, outages):
        self.client, self.outages = client, outages
        self.datasets = {"first": flows.create_dataset(client, "profile"), "second": flows.create_dataset(client, "profile"),
                         "events": flows.create_dataset(client, "event")}
        self.records, self.acknowledged, self.batches = {}, set(), []
        self.stop = threading.Event()

    def record(self, rng, kind):
        """A record with a key of its own, that links it to a few values that others link to."""
        key = f"{kind}-{rng.getrandbits(64):016x}"
        near = rng.randrange(LINKS)
        links = {str(near), str(min(near + rng.choice((0, 0, 0, 1, 2)), LINKS))}
        made = {"identityMap": {"Rec": [{"id": key, "primary": True}], "Link": [{"id": link} for link in sorted(links)]}}
        if kind == "events":
            made |= {"_id": key, "timestamp": "2026-01-02T03:04:05Z"}
        self.records[key] = made
        return key

    def made(self, rng, count):
        kind = rng.choice(list(self.datasets))
        keys = [self.record(rng, kind) for _ in range(count)]
        return self.datasets[kind], keys, [self.records[key] for key in keys]

    def send(self, method, path, **more):
        """Whether the call was acknowledged; with outages it may fail, and is not tried again."""
        try:
            answer = self.client.call(method, path, timeout=20, **more)
        except OUTAGE:
            assert self.outages
            return False
        assert answer.status_code == 200 or (self.outages and answer.status_code in (500, 502, 503, 504)), answer.text
        return answer.status_code == 200

    def singles(self, rng):
        dataset, keys, (record,) = self.made(rng, 1)
        if self.send("POST", f"{streams.COLLECTION}/{dataset}", json=record):
            self.acknowledged.update(keys)

    def lists(self, rng):
        dataset, keys, records = self.made(rng, 20)
        if self.send("POST", f"{streams.COLLECTION}/batch/{dataset}", json={"messages": records}):
            self.acknowledged.update(keys)

    def files(self, rng):
        """A batch; whole or not at all, and at the end it is what the catalog says."""
        dataset, keys, records = self.made(rng, 30)
        try:
            batch = flows.open_batch(self.client, dataset)
        except (AssertionError, *OUTAGE):
            assert self.outages
            return
        self.batches.append((batch, keys))
        if self.send("PUT", flows.file_path(batch, dataset), body=flows.ndjson(records)) and \
                self.send("POST", f"{flows.IMPORT}/{batch}?action=COMPLETE"):
            self.acknowledged.update(keys)
        time.sleep(0.02)

    def run(self, while_they_do):
        """All of them, for as long as while_they_do() takes."""
        def work(number, act):
            rng = random.Random(SEED * 100 + number)
            while not self.stop.is_set():
                act(rng)
        acts = [self.singles, self.singles, self.lists, self.lists, self.files, self.files]
        with concurrent.futures.ThreadPoolExecutor(len(acts)) as pool:
            running = [pool.submit(work, number, act) for number, act in enumerate(acts)]
            try:
                while_they_do()
            finally:
                self.stop.set()
            for one in running:
                one.result()

    def check(self):
        """The store against what was sent."""
        sandbox = Sandbox(self.client)
        sandbox.settle(120)
        held = [one for one in sandbox.fragments() if "-" in one] + sandbox.events()
        stored = set(held)
        assert len(stored) == len(held), "a record is there twice"
        refused = [one for dataset in self.datasets.values() for one in sandbox.refused(dataset)]
        assert self.acknowledged <= stored, f"{len(self.acknowledged - stored)} acknowledged records are lost: {refused}"
        assert stored <= set(self.records)
        if not self.outages:
            assert stored == self.acknowledged
        for batch, keys in self.batches:
            there = len(stored.intersection(keys))
            assert there in (0, len(keys)), f"batch {batch}: {there} of {len(keys)}"
        graph = Graph()
        for key in stored:
            graph.link(self.records[key])
        assert Store(self.client).persons() == graph.persons()
        told = sum(sandbox.told(dataset)[1] for dataset in self.datasets.values())
        assert told == len(stored), "the catalog counts what is there"
        return stored


def deadlocks(client):
    with psycopg.connect(client.stack.pg_uri) as db:
        return db.execute("SELECT sum(deadlocks) FROM pg_stat_database").fetchone()[0]


def test_contention(client):
    before = deadlocks(client)
    crowd = Crowd(client, outages=False)
    crowd.run(lambda: time.sleep(SECONDS))
    stored = crowd.check()
    assert len(stored) > 100 * SECONDS
    assert deadlocks(client) == before, "no deadlock, not even one that was healed"


def a_pass_is_on(sandbox):
    return sandbox.one("SELECT EXISTS (SELECT FROM consign.work_queue WHERE org = %s AND sandbox = %s AND task = 'stream'"
                       " AND attempt IS NOT NULL)")


def kill_in_a_pass(stack, sandbox):
    """kill -9 of the spooler's workers while one loads messages; their supervisor makes new ones."""
    (supervisor,) = [int(word) for word in (stack.dir / "pids" / "spooler").read_text().split()][:1]
    deadline = time.monotonic() + 5
    while not a_pass_is_on(sandbox) and time.monotonic() < deadline:
        time.sleep(0.001)
    for pid in stack.spooler_pids():
        if pid != supervisor and is_alive(pid):
            os.kill(pid, signal.SIGKILL)


@pytest.mark.fault
@pytest.mark.long
def test_contention_with_kills():
    with own_stack() as own:
        stack = own.start(spooler__workers=3)
        client = new_client(stack)
        crowd = Crowd(client, outages=True)

        def disturb():
            for kill in range(KILLS):
                time.sleep(1)
                if kill % 3 == 1:
                    stack.stop_postgres()
                    stack.up()
                else:
                    kill_in_a_pass(stack, Sandbox(client))
            time.sleep(1)
        crowd.run(disturb)
        stored = crowd.check()
        assert len(stored) > 100
