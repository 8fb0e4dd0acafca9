"""Small pieces of work for the spooler, one of each kind, and what must be true of them when they are over."""

import re
import time
import uuid

import psycopg

import flows
import lake
import streams

RECORDS = 300
REMOVALS = "/data/core/ups/system/jobs"


def record(name, number):
    return {"identityMap": {"Email": [{"id": f"{name}-{number}@x", "primary": True}]},
            "person": {"name": {"firstName": f"First {number}", "lastName": name}}, "text": f"{number:05}" * 40}


class Task:
    """ready() makes what it needs, by running workers; start() begins it, which may be while they are held; done() tells
    whether it is over; check() says what is wrong afterwards, as (set, text)s. `may_fail`: the storage is at fault."""

    name = "work"

    def __init__(self, client):
        self.client = client
        self.sandbox = streams.Sandbox(client)
        self.prepare()

    def prepare(self):
        """Once, by running workers."""

    def ready(self):
        pass

    def queued(self):
        """Its queue entries: none when it is over."""
        return self.sandbox.one("SELECT count(*) FROM consign.work_queue WHERE org = %s AND sandbox = %s")

    def wait(self, seconds=40):
        deadline = time.monotonic() + seconds
        while not self.done():
            if time.monotonic() > deadline:
                return False
            time.sleep(0.01)
        return True

    def done(self):
        return self.queued() == 0

    def left_rows(self):
        """Rows that belong to work and must not outlive it."""
        found = self.sandbox.one(
            "SELECT (SELECT count(*) FROM consign.export_share WHERE org = t.org AND sandbox = t.sandbox)"
            " + (SELECT count(*) FROM consign.export_helper WHERE org = t.org AND sandbox = t.sandbox)"
            " + (SELECT count(*) FROM consign.export_progress WHERE org = t.org AND sandbox = t.sandbox)"
            " + (SELECT count(*) FROM consign.stream_message WHERE org = t.org AND sandbox = t.sandbox)"
            " + (SELECT count(*) FROM consign.work_queue WHERE org = t.org AND sandbox = t.sandbox)"
            " FROM (VALUES (%s, %s)) t(org, sandbox)")
        return [("orphaned", f"{found} rows of work that is over")] if found else []

    def fragments(self, dataset):
        return self.sandbox.column(
            "SELECT i.value FROM consign.profile_fragment f JOIN consign.identity i USING (org, sandbox, identity)"
            " WHERE f.org = %s AND f.sandbox = %s AND f.dataset = %s", dataset)


class Export(Task):
    """Two part files of JSON or Parquet, with events."""

    name = "export"
    format = "json"

    def prepare(self):
        profiles = flows.create_dataset(self.client, "profile")
        flows.ingest(self.client, profiles, [record("e", n) for n in range(RECORDS)])
        self.expected = {f"e-{n}@x" for n in range(RECORDS)}

    def start(self):
        self.dataset = flows.create_dataset(self.client, fileDescription={"format": self.format, "compression": "none"})
        self.job = flows.start_job(self.client, flows.job_body(self.dataset))

    def done(self):
        return self.now()["status"] in flows.TERMINAL

    def now(self):
        return self.client.get(f"{flows.JOBS}/{self.job['id']}").json()

    def check(self, may_fail=False):
        job, batch = self.now(), self.job["destination"]["batchId"]
        there = lake.published(self.client.stack, self.dataset)
        if job["status"] == "FAILED" and may_fail:
            wrong = [] if job["errors"][0]["code"] == "0090000009" else [("unexpected", f"FAILED with {job['errors']}")]
            if self.client.call("GET", f"{flows.BATCH_FILES}/{batch}/files").status_code != 404:
                wrong.append(("half", f"batch {batch} of a FAILED job shows"))
            return wrong + [("orphaned", f"{there}") for _ in there]
        if job["status"] != "SUCCEEDED":
            return [("lost", f"job {job['id']} is {job['status']}: {job.get('errors')}")]
        if there != [batch] or len(list(self.client.stack.lake.glob(f"*/*/{self.dataset}/*/*"))) != 1:
            return [("duplicated", f"published: {there}")]
        lake.assert_whole(self.client.stack, self.dataset, batch)
        if self.format != "json":
            return []
        rows = [next(entry["id"] for entry in row["identityMap"]["Email"]) for row in flows.download(self.client, batch)]
        if len(rows) != len(set(rows)):
            return [("duplicated", f"rows of batch {batch}")]
        return [("half", f"batch {batch}: {len(rows)} rows")] if set(rows) != self.expected else []


class SharedExport(Export):
    """One that is cut into ranges, where the settings are so."""

    name = "shared export"

    def shared(self):
        """Whether it is open for helpers."""
        return self.sandbox.one("SELECT snapshot FROM consign.work_queue WHERE org = %s AND sandbox = %s")

    def attempts(self):
        """How many claims of it the spooler's log tells of."""
        text = (self.client.stack.dir / "log" / "spooler.log").read_text(errors="replace")
        return len(re.findall(rf"job={self.job['id']} .*event=claimed", text))


class Load(Task):
    """An uploaded batch of two files."""

    name = "load"

    def start(self):
        self.dataset = flows.create_dataset(self.client, "profile")
        self.batch = flows.open_batch(self.client, self.dataset)
        self.names = [f"{self.batch}-{number}@x" for number in range(60)]
        records = [record(self.batch, number) for number in range(60)]
        for at, part in enumerate((records[:30], records[30:])):
            self.client.put(flows.file_path(self.batch, self.dataset, f"part{at}.json"), flows.ndjson(part))
        self.client.post(f"{flows.IMPORT}/{self.batch}?action=COMPLETE", expect=200)

    def check(self, may_fail=False):
        batch = self.client.get(f"{flows.CATALOG}/batches/{self.batch}").json()[self.batch]
        found = self.fragments(self.dataset)
        if batch["status"] == "failed" and may_fail:
            wrong = [] if batch["errors"][0]["code"] == "storage" else [("unexpected", f"failed with {batch['errors']}")]
            return wrong + ([("half", f"{len(found)} records of a failed batch")] if found else [])
        if batch["status"] != "success":
            return [("lost", f"batch {self.batch} is {batch['status']}: {batch['errors']}")]
        return compare(found, self.names, f"batch {self.batch}")


class Stream(Task):
    """Messages of one dataset."""

    name = "stream"

    def start(self):
        self.dataset, tag = flows.create_dataset(self.client, "profile"), uuid.uuid4().hex
        self.names = [f"{tag}-{number}@x" for number in range(20)]
        streams.put_many(self.client, self.dataset,
                         [streams.message(self.client, self.dataset, record(tag, number)) for number in range(20)])

    def check(self, may_fail=False):
        return compare(self.fragments(self.dataset), self.names, f"stream of {self.dataset}")


class Removal(Task):
    """Removes what a batch brought; a second dataset must stay as it is."""

    name = "removal"

    def prepare(self):
        self.kept = flows.create_dataset(self.client, "profile")
        flows.ingest(self.client, self.kept, [record("k", n) for n in range(20)])

    def ready(self):
        self.dataset = flows.create_dataset(self.client, "profile")
        flows.ingest(self.client, self.dataset, [record(self.dataset, n) for n in range(40)])

    def start(self):
        self.job = self.client.post(REMOVALS, {"dataSetId": self.dataset}, expect=200).json()

    def check(self, may_fail=False):
        job = self.client.get(f"{REMOVALS}/{self.job['id']}").json()
        left = len(self.fragments(self.dataset))
        if job["status"] != "COMPLETED" or left:
            return [("lost", f"removal {job['id']} is {job['status']}, {left} records left")]
        return [] if len(self.fragments(self.kept)) == 20 else [("unexpected", "records of another dataset are gone")]


def compare(found, wanted, what):
    wrong = [("lost", f"{what}: {name}") for name in set(wanted) - set(found)]
    wrong += [("unexpected", f"{what}: {name}") for name in set(found) - set(wanted)]
    return wrong + ([("duplicated", f"{what}: {len(found)} records")] if len(found) > len(set(found)) else [])


TASKS = (Export, Load, Stream, Removal)


def sessions(stack):
    """How many sessions of the spooler there are, by name: the work of dead attempts must not stay."""
    with psycopg.connect(stack.pg_uri) as db:
        return dict(db.execute("SELECT application_name, count(*) FROM pg_stat_activity"
                               " WHERE usename = 'consign_spooler' GROUP BY 1").fetchall())
