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
import lake  # noqa: E402
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


class Cancels:
    def __init__(self, client, profiles, seed):
        self.client, self.chance = client, random.Random(seed)
        flows.ingest(client, flows.create_dataset(client, "profile"), [record("c", n) for n in range(profiles)])
        begin = time.monotonic()
        flows.export_all(client)
        self.duration = time.monotonic() - begin
        self.dataset = flows.create_dataset(client)
        self.seconds, self.late, self.outcome = [], 0, Outcome()

    def one(self, _):
        """One job, cancelled; several at a time."""
        client, job = self.client, flows.start_job(self.client, flows.job_body(self.dataset))
        batch = job["destination"]["batchId"]
        time.sleep(self.chance.uniform(0, self.duration * 1.2))
        client.delete(f"{flows.JOBS}/{job['id']}")
        begin = time.monotonic()
        seen = [client.call("GET", path).status_code for path in (
            f"{flows.BATCH_FILES}/{batch}/files", f"{flows.CATALOG}/batches/{batch}",
            f"{flows.BATCH_FILES}/{batch}/meta?path=manifest.json")]
        state = client.get(f"{flows.JOBS}/{job['id']}").json()["status"]
        while state not in flows.TERMINAL and time.monotonic() - begin < 20:
            time.sleep(0.01)
            state = client.get(f"{flows.JOBS}/{job['id']}").json()["status"]
        seconds = time.monotonic() - begin
        if state == "SUCCEEDED":
            self.late += 1 # the DELETE came after it
            return
        self.seconds.append(seconds)
        self.outcome.points += 1
        if state != "CANCELLED":
            self.outcome.add([("lost", state)], f"cancelled job {job['id']}")
        if seen != [404, 404, 404]:
            self.outcome.add([("half", f"shows after the 204: {seen}")], f"cancelled job {job['id']}")
        if list(client.stack.lake.glob(f"*/*/{self.dataset}/{batch}/*")):
            self.outcome.add([("orphaned", "its files are there")], f"cancelled job {job['id']}")

    def run(self, times):
        with concurrent.futures.ThreadPoolExecutor(CLIENTS) as crowd:
            while self.outcome.points < times and self.late < times * 4:
                list(crowd.map(self.one, range(times - self.outcome.points)))
        self.outcome.settle(self.client.stack, [Task(self.client)])
        return self

    def quantile(self, part):
        return sorted(self.seconds)[min(len(self.seconds) - 1, int(len(self.seconds) * part))]


def run(table):
    with own_stack() as own:
        done = Cancels(new_client(own.start(**SETTINGS)), PROFILES, 6).run(TIMES)
    figures = f"p50 {done.quantile(0.5) * 1000:.0f} ms, p99 {done.quantile(0.99) * 1000:.0f} ms, most {max(done.seconds) * 1000:.0f} ms"
    if done.quantile(0.99) > LIMIT_S:
        done.outcome.add([("unexpected", figures)], "cancelled within two seconds")
    table.row("cancelled at a random moment", done.outcome.points, done.outcome.points + done.late, done.outcome.sets, 0.0,
              figures)


if __name__ == "__main__":
    from table import Table
    shown = Table()
    run(shown)
    print(shown.text())
    sys.exit(0 if shown.empty else 1)
