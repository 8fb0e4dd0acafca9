#!/usr/bin/python3
"""The export engine: exports beside a raw COPY of the same rows and beside a plain script, in one run.

Prints a line a measurement: seconds of wall and CPU (all of the spooler and of the database), stored rows
read a second, MB of bodies a second, peak resident size of a worker, size of the output, and the ratios
to the raw COPY of the same rows; then growth, the latency of small jobs, and the targets of the project.
A missed target does not fail the run; what could not be measured does. Called by part.d/engine.

  CONSIGN_BENCH_FRAGMENTS   (1000000) profile fragments, two a person
  CONSIGN_BENCH_EVENTS      (as many) events
  CONSIGN_BENCH_REPEATS     (3) of each line; the median of wall and of CPU counts
  CONSIGN_BENCH_BATCH       (100000) records of an ingested batch
  CONSIGN_BENCH_SMALL_JOBS  (50) exports of 1,000 profiles
  CONSIGN_BENCH_ONLY        a regular expression: only the lines whose name matches, of "json none 1", "parquet
                            with events pdg 2", ..., "script", "growth", "small"
  CONSIGN_BENCH_OUT         a file for the same numbers as TSV
  CONSIGN_BENCH_DIR         keeps the stack's state there; a later run finds the store filled
  CONSIGN_BENCH_PORT        (21100)
"""
import math
import os
import pathlib
import re
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time

from bed import BUILD, REPO, Bed, flows
from meter import Cost
from report import Report

# The same rows in the same order as an export reads them; bodies and what tells rows apart.
COPY_FRAGMENTS = ("COPY (SELECT person, identity, body FROM consign.profile_fragment WHERE org = {} AND sandbox = {}"
                  " ORDER BY person, identity, ingested_ms, dataset) TO STDOUT (FORMAT binary)")
COPY_EVENTS = ("COPY (SELECT person, identity, ingested_ms, body FROM consign.profile_event WHERE org = {}"
               " AND sandbox = {} ORDER BY person, identity, time_ms, event_id) TO STDOUT (FORMAT binary)")
KINDS = (("json", "json", False), ("parquet", "parquet", False), ("parquet with events", "parquet", True))
PLAIN = KINDS[1:2]
SMALL_PROFILES = 1000
POLL_S = 0.005
RSS_MIB = 64


def setting(name, default):
    return int(os.environ.get(f"CONSIGN_BENCH_{name}", default))


def middle(costs):
    """The median Cost of several; the peak is the largest."""
    peaks = [cost.rss for cost in costs if cost.rss is not None]
    return Cost(statistics.median(c.wall for c in costs), statistics.median(c.cpu for c in costs),
                max(peaks, default=None), costs[-1].text)


class Store:
    """A filled sandbox: what a run over it reads."""

    def __init__(self, bed, sandbox, persons, events):
        self.sandbox, self.persons = sandbox, persons
        self.rows = {False: 2 * persons, True: 2 * persons + events}
        fragments = bed.body_bytes("profile_fragment", sandbox)
        self.bytes = {False: fragments, True: fragments + bed.body_bytes("profile_event", sandbox)}


class Engine:
    def __init__(self):
        self.persons = max(1, setting("FRAGMENTS", 1_000_000) // 2)
        self.events = setting("EVENTS", 2 * self.persons)
        self.repeats = setting("REPEATS", 3)
        self.only = re.compile(os.environ.get("CONSIGN_BENCH_ONLY", ""))
        self.report = Report(os.environ.get("CONSIGN_BENCH_OUT"))
        self.bed = Bed(setting("PORT", 21100))
        self.copied = {}

    def wanted(self, name):
        return self.only.search(name) is not None

    def fill(self):
        """The store, its tenth and the small one."""
        batch = setting("BATCH", 100_000)
        stores = []
        for sandbox, persons, events in (("bench", self.persons, self.events),
                                         ("bench-tenth", max(1, self.persons // 10), self.events // 10),
                                         ("bench-small", SMALL_PROFILES, 0)):
            rate = self.bed.fill(sandbox, persons, events, batch)
            told = "kept from an earlier run" if rate is None else f"loaded at {rate:.0f} records/s"
            self.report.note(f"{sandbox}: {2 * persons} fragments, {events} events, {told}")
            stores.append(Store(self.bed, sandbox, persons, events))
        self.bed.settle()
        return stores

    def copy(self, store, events):
        """The raw COPY, by a client that discards it."""
        pg_uri = self.bed.stack.pg_uri.replace("user=postgres", "user=consign_spooler")
        org, sandbox = self.bed.tenant(store.sandbox)
        statements = [text.format(org, sandbox) for text in (COPY_FRAGMENTS, COPY_EVENTS)[:1 + events]]
        command = [str(BUILD / "bench" / "bench_copy"), pg_uri, str(org), *statements]
        cost = middle([self.bed.meter.of_program(command) for _ in range(self.repeats)])
        told = dict(word.split("=") for word in cost.text.split())
        if int(told["rows"]) != store.rows[events]:
            raise RuntimeError(f"the store has {told['rows']} rows, {store.rows[events]} were loaded")
        cost.rss = None  # of a program this small it is that of our fork
        return cost

    def copies(self, store, name="raw COPY", keep=True):
        for events in (False, True):
            cost = self.copy(store, events)
            if keep:
                self.copied[store.sandbox, events] = cost
            self.report.add(name + (" with events" if events else ""), "-", None, cost, store.rows[events],
                            store.bytes[events], self.copied[store.sandbox, events])

    def export(self, store, file_format, events, policy):
        """One export job: (Cost, bytes written). Its files are removed: they would crowd the page cache."""
        client = self.bed.client(store.sandbox)
        dataset = flows.create_dataset(client, fileDescription={"format": file_format, "containerFormat": file_format})
        body = flows.job_body(dataset)
        if events:
            body["additionalFields"] = {"eventList": {}}
        if policy:
            body["mergePolicy"] = {"id": policy}
        client.get(f"{flows.JOBS}?limit=1")  # the token is fetched before the clock runs
        if not self.bed.meter.forget_peaks():
            self.bed.up(self.bed.workers)
            self.copy(store, events)
        cost, job = self.bed.meter.of_stack(lambda: flows.wait_job(client, flows.start_job(client, body)["id"], 1800))
        if job["status"] != "SUCCEEDED":
            raise RuntimeError(f"{job['status']} {job.get('errors', '')}")
        if job["metrics"]["totalExportedProfileCounter"] != store.persons:
            raise RuntimeError(f"{job['metrics']['totalExportedProfileCounter']} rows, not {store.persons}")
        cost.wall = job["metrics"]["totalTime"]["totalTimeInMs"] / 1000
        folder = self.bed.stack.lake.joinpath(*map(str, self.bed.tenant(store.sandbox)), dataset)
        written = sum(path.stat().st_size for path in folder.rglob("part-*"))
        shutil.rmtree(folder, ignore_errors=True)
        return cost, written

    def exports(self, store, policies, kinds=KINDS, targets=True):
        """A line for each policy and kind with the workers that run now; {name: Cost} of those that worked."""
        done, workers = {}, self.bed.workers
        for policy in policies:
            for what, file_format, events in kinds:
                if not self.wanted(f"{what} {policy} {workers}"):
                    continue
                try:
                    policy_id = self.bed.policy(store.sandbox) if policy == "pdg" else None
                    results = [self.export(store, file_format, events, policy_id) for _ in range(self.repeats)]
                except (RuntimeError, AssertionError) as error:
                    self.report.fail(what, policy, workers, " ".join(str(error).split())[:160])
                    continue
                cost = done[what, policy] = middle([one for one, _ in results])
                base = self.copied.get((store.sandbox, events))
                self.report.add(what, policy, workers, cost, store.rows[events], store.bytes[events], base,
                                results[-1][1], self.targets_of(what, workers, cost, base) if targets else ())
        return done

    @staticmethod
    def targets_of(what, workers, cost, base):
        """What the project promises of a line."""
        found = []
        bound = {"json": 2.5, "parquet": 4.0}.get(what)
        if workers == 1 and bound:
            found.append(("CPU x COPY", cost.cpu / base.cpu, "<=", bound))
        if workers == 2 and what == "parquet":
            found.append(("wall x COPY", cost.wall / base.wall, "<=", 3.0))
        if cost.rss is not None:
            found.append(("RSS MiB", cost.rss, "<=", RSS_MIB))
        return found

    def script(self, store, exported):
        """The plain script, once; it needs node and what npm brings."""
        if not self.wanted("script"):
            return
        folder = BUILD / "bench" / "script"
        try:
            shutil.copytree(REPO / "tests" / "bench" / "script", folder, dirs_exist_ok=True)
            subprocess.run(["npm", "ci", "--silent", "--no-audit", "--no-fund"], cwd=folder, check=True)
            with tempfile.TemporaryDirectory(prefix="consign-bench-script.") as scratch:
                output = pathlib.Path(scratch) / "part.parquet"
                cost = self.bed.meter.of_program(
                    ["node", str(folder / "export.mjs"), str(self.bed.stack.dir / "run" / "pg"),
                     *map(str, self.bed.tenant(store.sandbox)), str(output)])
                written = output.stat().st_size
            if cost.text.strip() != f"rows={store.persons}":
                raise RuntimeError(f"the script wrote {cost.text.strip()}, not {store.persons}")
        except (OSError, RuntimeError, subprocess.CalledProcessError) as error:
            self.report.fail("script (node)", "none", None, error)
            return
        self.report.add("script (node)", "none", None, cost, store.rows[False], store.bytes[False],
                        self.copied[store.sandbox, False], written)
        for (what, policy), export in exported.items():
            if (what, policy) == ("parquet", "none"):
                self.report.reach("rows/s of a 1-worker Parquet export x script", cost.wall / export.wall, ">=", 5)

    def growth(self, big, tenth, exported):
        """The same export over a tenth of the rows."""
        if not self.wanted("growth"):
            return
        self.report.begin("growth", f"a tenth, {tenth.rows[False]} fragments")
        self.copies(tenth)
        found = self.exports(tenth, ["none"], PLAIN, targets=False).get(("parquet", "none"))
        whole = exported.get(("parquet", "none"))
        if found and whole:
            ratio = (big.rows[False] / whole.wall) / (tenth.rows[False] / found.wall)
            self.report.reach(f"rows/s at {big.rows[False]} / at {tenth.rows[False]} fragments", ratio, ">=", 0.9)
            copied = [s.rows[False] / self.copied[s.sandbox, False].wall for s in (big, tenth)]
            self.report.note(f"rows/s, whole / tenth: export {ratio:.2f}, raw COPY {copied[0] / copied[1]:.2f}")

    def small(self, store):
        """Many small jobs one after another: how long a client waits."""
        if not self.wanted("small"):
            return
        count, client = setting("SMALL_JOBS", 50), self.bed.client(store.sandbox)
        dataset = flows.create_dataset(client)
        took_ms, begun_ms = [], []
        for _ in range(count):
            began = time.monotonic()
            job = flows.start_job(client, flows.job_body(dataset))
            while job["status"] not in flows.TERMINAL:
                time.sleep(POLL_S)
                job = client.get(f"{flows.JOBS}/{job['id']}").json()
            took_ms.append((time.monotonic() - began) * 1000)
            if job["status"] != "SUCCEEDED":
                self.report.fail("small jobs", "none", self.bed.workers, f"{job['status']} {job.get('errors', '')}")
                return
            begun_ms.append(job["metrics"]["profileExportTime"]["startTimeInMs"] - job["creationTime"])
        self.report.note(f"== {count} jobs of {store.persons} profiles, {self.bed.workers} workers")
        for name, value, bound in (
                ("POST to SUCCEEDED, median", statistics.median(took_ms), 300),
                ("POST to PROCESSING, p99", sorted(begun_ms)[math.ceil(0.99 * count) - 1], 50)):
            self.report.note(self.report.reach(name, value, "<=", bound, " ms"))

    def run(self):
        self.report.note(f"{os.cpu_count()} cores, load average before the run {os.getloadavg()[0]:.2f}")
        self.bed.up(2)
        big, tenth, small = self.fill()
        self.bed.up(1)
        self.report.begin("1 worker", f"{big.rows[False]} fragments of {big.persons} persons, "
                          f"{big.bytes[False] / big.rows[False]:.0f} bytes each; {self.events} events; "
                          f"median of {self.repeats}")
        self.copy(big, True)  # warms the caches
        self.copies(big)
        exported = self.exports(big, ["none", "pdg"])
        self.script(big, exported)
        self.growth(big, tenth, exported)
        self.bed.up(2)
        self.report.begin("2 workers", "the same store")
        self.exports(big, ["none", "pdg"])
        self.copies(big, "raw COPY again", keep=False)
        self.small(small)


def main():
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # by way of the finally below
    engine = Engine()
    try:
        engine.run()
        status = engine.report.finish()
    finally:
        engine.bed.down()
    return status


if __name__ == "__main__":
    sys.exit(main())
