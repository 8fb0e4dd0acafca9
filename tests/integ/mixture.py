"""Requests of every size by which a worker of the pool could grow, and how large its workers are.

Callers: test_worker_memory.py and tests/bench/sizing.py.
"""

import itertools
import json
import pathlib
import threading

import psycopg

import flows
from client import Client
from flows import JOBS
from stack import process_tree
from streams import COLLECTION, profile

MIB = 1 << 20
LARGE_JOBS = 1000
LARGE_JOB_BYTES = 60_000
UPLOAD_BYTES = 3 * MIB
# the large kinds, one after the other; everything between two of them is a GET of one job
LARGE_KINDS = ("list", "refused", "message", "upload", "list20")


def workers(stack):
    """The pids of the pool's workers."""
    supervisor = int((stack.dir / "pids" / "api").read_text().split()[0])
    return process_tree(supervisor)[1:]


def resident_kib(pid, name="VmRSS"):
    """VmRSS, VmHWM, RssAnon or RssFile of a process."""
    text = pathlib.Path(f"/proc/{pid}/status").read_text()
    return int(text.split(f"{name}:")[1].split()[0])


class Mixture:
    """Of a client's sandbox: filled once, then any number of requests by several threads."""

    def __init__(self, client):
        self.client = client
        self.union = flows.create_dataset(client)
        self.store = flows.create_dataset(client, "profile")
        self.batch = flows.open_batch(client, self.store)
        self.job = flows.wait_job(client, flows.start_job(client, flows.job_body(self.union))["id"])["id"]
        self.counter = itertools.count()
        self.failed = []

    def fill(self):
        """A thousand jobs whose requests are as long as they may be, by copies of one in the table."""
        fields = ",".join(f"f{n:06}" for n in range(LARGE_JOB_BYTES // 8))
        with psycopg.connect(self.client.stack.pg_uri, autocommit=True) as db:
            names = [name for (name,) in db.execute(
                "SELECT attname FROM pg_attribute WHERE attrelid = 'consign.export_job'::regclass AND attnum > 0"
                " AND NOT attisdropped ORDER BY attnum").fetchall()]
            taken = ", ".join({"job": "j.job - g * 4096", "fields": "%(fields)s"}.get(name, f"j.{name}") for name in names)
            db.execute(f"INSERT INTO consign.export_job ({', '.join(names)}) SELECT {taken} FROM consign.export_job j,"
                       f" generate_series(1, {LARGE_JOBS}) g WHERE j.job = %(job)s", {"job": self.job, "fields": fields})

    def headers(self, more):
        return {**self.client.headers(), **more}

    def send(self, kind, number):
        """One request: what was answered, and what should have been."""
        client, wanted = self.client, 200
        if kind == "get":
            answer = client.call("GET", f"{JOBS}/{self.job}")
        elif kind in ("list", "list20"):
            answer = client.call("GET", f"{JOBS}?limit={1000 if kind == 'list' else 20}")
        elif kind == "refused":
            body = flows.job_body("0" * 24, properties={"text": "x" * (MIB - 1000)})
            answer, wanted = client.call("POST", JOBS, json=body), 400
        elif kind == "message":
            body = json.dumps(profile(f"{number % 10}@x", text="x" * (MIB - 2000))).encode()
            answer = client.call("POST", f"{COLLECTION}/{self.store}", body=body)
        else:
            path = flows.file_path(self.batch, self.store, f"{number}.json")
            answer = client.call("PUT", path, body=b"x" * UPLOAD_BYTES,
                                 headers={"Content-Type": "application/octet-stream"})
        return answer.status_code, wanted

    def run(self, count, each, threads=4):
        """So many requests, every `each`-th a large one; failures are kept in .failed."""
        numbers = iter(range(count))
        lock = threading.Lock()

        def work():
            while True:
                with lock:
                    if next(numbers, None) is None:
                        return
                    number = next(self.counter)
                kind = LARGE_KINDS[number // each % len(LARGE_KINDS)] if number % each == 0 else "get"
                status, wanted = self.send(kind, number)
                if status != wanted:
                    self.failed.append((kind, status))

        running = [threading.Thread(target=work) for _ in range(threads)]
        for thread in running:
            thread.start()
        for thread in running:
            thread.join()


def own_client(stack):
    """The stack's first client, in its own sandbox."""
    return Client(stack, stack.org, stack.sandbox, stack.client_id, stack.client_secret)
