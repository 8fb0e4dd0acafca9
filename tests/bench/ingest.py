#!/usr/bin/python3
"""The ways in: batches by HTTP beside COPY of the same rows, messages beside pgbench, the look at one profile.

Batches: records of 1.2 KB with two identities each, files put by several clients at once, until the last batch is
loaded; beside it one session that copies the rows that came of it from a file of the server into tables with the
same columns and indexes. A missed target does not fail the run; what could not be measured does. Called by
part.d/ingest.

  CONSIGN_BENCH_RECORDS     (1000000) records ingested
  CONSIGN_BENCH_BATCH       (100000) records of a batch
  CONSIGN_BENCH_SECONDS     (5) of each line of the streams
  CONSIGN_BENCH_LOOKUPS     (300) of each kind
  CONSIGN_BENCH_ONLY        a regular expression: of "batches", "operator", "streams", "lookup"
  CONSIGN_BENCH_OUT, CONSIGN_BENCH_DIR, CONSIGN_BENCH_PORT  as for the engine
"""
import concurrent.futures
import json
import os
import pathlib
import re
import signal
import statistics
import subprocess
import sys
import tempfile
import time

import wire
from bed import BUILD, Bed, flows
from report import Report

PUTS = 4
FRAGMENTS, EVENTS = 20, 200
COLLECTION = "/data/foundation/import/collection"
ENTITIES = "/data/core/ups/access/entities"
TABLES = ("identity", "profile_fragment")


def setting(name, default):
    return int(os.environ.get(f"CONSIGN_BENCH_{name}", default))


def seed(kind, first, count, of):
    return subprocess.run([str(BUILD / "bench" / "bench_seed"), kind, str(first), str(count), str(of)],
                          stdout=subprocess.PIPE, check=True).stdout


class Ingest:
    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.records, self.batch = setting("RECORDS", 1_000_000), setting("BATCH", 100_000)
        self.seconds = setting("SECONDS", 5)
        self.only = re.compile(os.environ.get("CONSIGN_BENCH_ONLY", ""))
        self.report = Report(os.environ.get("CONSIGN_BENCH_OUT"))
        self.bed = Bed(setting("PORT", 21100))

    def sandbox(self, name):
        """A client in a sandbox that nobody used before."""
        name = f"{name}-{time.time_ns() // 1_000_000}"
        self.bed.stack.ctl("sandbox", "create", "--org", self.bed.stack.org, "--name", name)
        return self.bed.client(name)

    def line(self, what, count, seconds, unit="records/s", more=""):
        self.report.note(f"{what:<44} {count / seconds:>10.0f} {unit}  {seconds:>8.2f} s{more}")
        return count / seconds

    def copy(self, client):
        """Seconds of a COPY of what the sandbox holds."""
        tenant = self.bed.tenant(client.sandbox)
        files = {table: self.bed.stack.dir / f"copy-{table}" for table in TABLES}
        for table, file in files.items():
            self.bed.sql(f"DROP TABLE IF EXISTS public.{table}", rows=False)
            self.bed.sql(f"CREATE TABLE public.{table} (LIKE consign.{table} INCLUDING ALL)", rows=False)
            self.bed.sql(f"COPY (SELECT * FROM consign.{table} WHERE org = {tenant[0]} AND sandbox = {tenant[1]})"
                         f" TO '{file}' (FORMAT binary)", rows=False)
        self.bed.sql("CHECKPOINT", rows=False)
        began = time.monotonic()
        for table, file in files.items():
            self.bed.sql(f"COPY public.{table} FROM '{file}' (FORMAT binary)", rows=False)
        took = time.monotonic() - began
        for table, file in files.items():
            self.bed.sql(f"DROP TABLE public.{table}", rows=False)
            file.unlink()
        return took

    def seeds(self):
        """The files of all batches, made before any clock runs."""
        made = []
        for first in range(0, self.records, self.batch):
            made.append(self.folder / f"{first}.json")
            made[-1].write_bytes(seed("crm", first, min(self.batch, self.records - first), self.records))
        return made

    def batches(self, files):
        client = self.sandbox("bench-batches")
        dataset = flows.create_dataset(client, "profile")
        self.bed.sql("CHECKPOINT", rows=False)
        client.get(f"{flows.CATALOG}/dataSets?limit=1")  # the token is fetched before the clock runs
        began = time.monotonic()
        with concurrent.futures.ThreadPoolExecutor(PUTS) as pool:
            made = list(pool.map(lambda file: flows.upload(client, dataset, file.read_bytes()), files))
        ended = [flows.wait_batch(client, batch, seconds=1800) for batch in made]
        took = time.monotonic() - began
        if {(b["status"], b["metrics"]["failedRecordCount"]) for b in ended} != {("success", 0)}:
            raise RuntimeError(f"not all batches were loaded: {ended}")
        rate = self.line("batches by HTTP, end to end", self.records, took)
        copied = self.line("COPY of the same rows, one session", self.records, self.copy(client))
        self.report.reach("records/s by batches x COPY", rate / copied, ">=", 0.4)
        return copied

    def operator(self, files, copied):
        client = self.sandbox("bench-operator")
        dataset = flows.create_dataset(client, "profile")
        stack = self.bed.stack
        self.bed.sql("CHECKPOINT", rows=False)
        began = time.monotonic()
        done = subprocess.run([str(stack.dir / "bin" / "consignctl"), "--config", str(stack.dir / "consign.conf"),
                               "load", "--dataset", dataset, *map(str, files)], capture_output=True, text=True,
                              check=False)
        if done.returncode != 0:
            raise RuntimeError(f"consignctl load: {done.stdout[-200:]} {done.stderr[-200:]}")
        rate = self.line("consignctl load", self.records, time.monotonic() - began)
        if copied:
            self.report.reach("records/s by consignctl load x COPY", rate / copied, ">=", 0.4)

    def message(self):
        """A record with a place for a number."""
        record = json.loads(seed("crm", 0, 1, 1))
        record["identityMap"] = {"CRMID": [{"id": "stream-%d", "primary": True}]}
        return json.dumps(record, ensure_ascii=False)

    def drained(self, client, dataset):
        """Waits until no message of the dataset waits; how long that took after the last post."""
        began = time.monotonic()
        while self.bed.sql("SELECT EXISTS (SELECT FROM consign.stream_message WHERE org = %s AND sandbox = %s AND"
                           " dataset = %s)", *self.bed.tenant(client.sandbox), dataset)[0][0]:
            if time.monotonic() - began > 600:
                raise RuntimeError("messages are not loaded after 10 minutes")
            time.sleep(0.1)
        return time.monotonic() - began

    def streams(self):
        client, record = self.sandbox("bench-streams"), self.message()
        dataset = flows.create_dataset(client, "profile")
        org, sandbox = self.bed.tenant(client.sandbox)
        body = record.replace("'", "''")
        insert = ("INSERT INTO consign.stream_message (org, sandbox, dataset, received_ms, bytes, xaction, body) VALUES"
                  f" ({org}, {sandbox}, '{dataset}', consign.now_ms(), {len(record.encode())}, 'bench', '{body}')")
        commits = wire.commit_rate(self.bed.stack, insert, self.seconds, self.folder)
        self.bed.sql("DELETE FROM consign.stream_message WHERE org = %s AND sandbox = %s", org, sandbox, rows=False)
        self.line(f"pgbench, the same insert, {wire.CLIENTS} clients", commits, 1, "commits/s")
        for what, path, count in (("single messages", f"{COLLECTION}/{dataset}", 1),
                                  ("batches of 100 messages", f"{COLLECTION}/batch/{dataset}", 100)):
            rate, middle = wire.post_rate(client, path, record, count, self.seconds, self.folder)
            left = self.drained(client, dataset)
            self.line(what, rate * count, 1, "messages/s", f"  median {middle:.1f} ms, all loaded {left:.1f} s after")
            if count == 1:
                self.report.reach("single messages/s x pgbench", rate / commits, ">=", 0.6)
            else:
                self.report.reach("messages/s in batches of 100", rate * count, ">=", 10_000)

    def lookup(self):
        client, name = self.sandbox("bench-lookup"), {"CRMID": [{"id": "one", "primary": True}]}
        base = {**json.loads(seed("crm", 0, 1, 1)), "identityMap": name}
        for _ in range(FRAGMENTS):
            flows.ingest(client, flows.create_dataset(client, "profile"), [base])
        event = json.loads(seed("event", 0, 1, 1))
        flows.ingest(client, flows.create_dataset(client, "event"), [
            {**event, "_id": f"e{n}", "timestamp": f"2026-01-01T00:{n // 60:02d}:{n % 60:02d}Z", "identityMap": name}
            for n in range(EVENTS)])
        self.bed.sql("VACUUM ANALYZE", rows=False)
        profile = f"{ENTITIES}?schema.name=_xdm.context.profile&entityId=one&entityIdNS=CRMID"
        events = (f"{ENTITIES}?schema.name=_xdm.context.experienceevent&relatedSchema.name=_xdm.context.profile"
                  f"&relatedEntityId=one&relatedEntityIdNS=CRMID&limit={EVENTS}")
        for what, path in ((f"profile of {FRAGMENTS} fragments", profile), (f"its {EVENTS} events", events)):
            took_ms = []
            for _ in range(setting("LOOKUPS", 300)):
                began = time.monotonic()
                client.get(path)
                took_ms.append((time.monotonic() - began) * 1000)
            self.report.note(self.report.reach(f"{what}, median", statistics.median(took_ms), "<=", 5, " ms"))

    def measure(self, what, work, *values):
        """The result of one part, None when it is not wanted or failed."""
        if not self.only.search(what):
            return None
        self.report.note(f"== {what}")
        try:
            return work(*values)
        except (RuntimeError, AssertionError) as error:
            self.report.fail(what, "-", None, " ".join(str(error).split())[:200])
            return None

    def run(self):
        self.report.note(f"{os.cpu_count()} cores, load average before the run {os.getloadavg()[0]:.2f}")
        self.bed.up(2)
        self.bed.sql("ALTER SYSTEM SET autovacuum = off", rows=False)
        self.bed.sql("SELECT pg_reload_conf()")
        files = self.seeds() if self.only.search("batches") or self.only.search("operator") else []
        if files:
            size = sum(file.stat().st_size for file in files)
            self.report.note(f"{self.records} records of {size / self.records:.0f} bytes in {len(files)} batches")
        copied = self.measure("batches", self.batches, files)
        self.measure("operator", self.operator, files, copied)
        self.measure("streams", self.streams)
        self.measure("lookup", self.lookup)


def main():
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # by way of the finally below
    with tempfile.TemporaryDirectory(prefix="consign-bench-ingest.") as folder:
        ingest = Ingest(folder)
        try:
            ingest.run()
            status = ingest.report.finish()
        finally:
            ingest.bed.down()
    return status


if __name__ == "__main__":
    sys.exit(main())
