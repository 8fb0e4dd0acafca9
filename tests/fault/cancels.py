"""Exports cancelled at random moments of their lives: how long until they are CANCELLED, and what shows of them.

run(table) is a part of the fault suite; tests/integ/test_takeover.py takes a sample.
"""

import concurrent.futures
import pathlib
import random
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "integ"))

import flows  # noqa: E402
from crash_points import Outcome  # noqa: E402
from crash_tasks import Task, record  # noqa: E402
from ownstack import new_client, own_stack  # noqa: E402
from scale import scaled  # noqa: E402

TIMES = scaled(1000)
PROFILES = 12_000 # an export of them takes about half a second
CLIENTS = 4
LIMIT_S = 2
# shares: helpers take part
SETTINGS = {"spooler__workers": 2, "spooler__sweep_ms": 1500, "spooler__retry_ms": 100, "export__share_profiles": 4000}


def profiles(count):
    return [record("c", number) for number in range(count)]


class Cancels:
    def __init__(self, client, rows, seed, clients=CLIENTS):
        self.client, self.chance, self.clients = client, random.Random(seed), clients
        flows.ingest(client, flows.create_dataset(client, "profile"), rows)
        begin = time.monotonic()
        flows.export_all(client)
        self.duration = time.monotonic() - begin
        self.longest_wait = self.duration * 1.2 # goes by how many come late: an export takes another time beside others
        self.dataset = flows.create_dataset(client)
        self.seconds, self.late, self.outcome = [], 0, Outcome()

    def one(self, _):
        """One job, cancelled; several at a time."""
        client, job = self.client, flows.start_job(self.client, flows.job_body(self.dataset))
        batch = job["destination"]["batchId"]
        time.sleep(self.chance.uniform(0, self.longest_wait))
        begin = time.monotonic()
        client.delete(f"{flows.JOBS}/{job['id']}")
        state = first = self.state(job)
        if first == "SUCCEEDED":
            self.late += 1 # the DELETE came after it
            self.longest_wait *= 0.97
            return
        self.longest_wait *= 1.01
        seen = [client.call("GET", path).status_code for path in (
            f"{flows.BATCH_FILES}/{batch}/files", f"{flows.CATALOG}/batches/{batch}",
            f"{flows.BATCH_FILES}/{batch}/meta?path=manifest.json")]
        while state not in flows.TERMINAL and time.monotonic() - begin < 20:
            time.sleep(0.01)
            state = self.state(job)
        self.seconds.append(time.monotonic() - begin)
        self.outcome.points += 1
        if first not in ("CANCELLING", "CANCELLED") or state != "CANCELLED":
            self.outcome.add([("lost", f"{first} after the 204, then {state}")], f"cancelled job {job['id']}")
        if seen != [404, 404, 404]:
            self.outcome.add([("half", f"shows after the 204: {seen}")], f"cancelled job {job['id']}")
        if list(client.stack.lake.glob(f"*/*/{self.dataset}/{batch}/*")):
            self.outcome.add([("orphaned", "its files are there")], f"cancelled job {job['id']}")

    def state(self, job):
        return self.client.get(f"{flows.JOBS}/{job['id']}").json()["status"]

    def run(self, times):
        with concurrent.futures.ThreadPoolExecutor(self.clients) as crowd:
            while self.outcome.points < times and self.late < times * 4:
                list(crowd.map(self.one, range(times - self.outcome.points)))
        self.outcome.settle(self.client.stack, [Task(self.client)])
        return self

    def quantile(self, part):
        return sorted(self.seconds)[min(len(self.seconds) - 1, int(len(self.seconds) * part))]

    def enter(self, table, name):
        figures = (f"p50 {self.quantile(0.5) * 1000:.0f} ms, p99 {self.quantile(0.99) * 1000:.0f} ms, most "
                   f"{max(self.seconds) * 1000:.0f} ms, of an export of {self.duration * 1000:.0f} ms")
        if self.quantile(0.99) > LIMIT_S:
            self.outcome.add([("unexpected", figures)], "cancelled within two seconds")
        table.row(name, self.outcome.points, self.outcome.points + self.late, self.outcome.sets, 0.0, figures, faults=0)


def run(table):
    with own_stack() as own:
        Cancels(new_client(own.start(**SETTINGS)), profiles(PROFILES), 6).run(TIMES).enter(table, "cancelled at a random moment")


if __name__ == "__main__":
    from table import Table
    shown = Table()
    run(shown)
    print(shown.text())
    sys.exit(0 if shown.empty else 1)
