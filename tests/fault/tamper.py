"""Harm done to a healed stack behind the product's back, to see that the checker sees it. For test_fault_short.py.

Each function does one thing to the nth job or record of an org, yields the set and a part of the text that must be
found, and undoes it. All may be done at once, each to another nth.
"""

import contextlib

import psycopg

HARMS = {}


def harm(name):
    def enter(function):
        HARMS[name] = contextlib.contextmanager(function)
        return function
    return enter


@contextlib.contextmanager
def changed(stack, *texts):
    """Statements without foreign keys and triggers: pairs of one that does and one that undoes."""
    with psycopg.connect(stack.pg_uri, autocommit=True) as db:
        db.execute("SET session_replication_role = replica")
        for do, _ in texts:
            db.execute(do)
        try:
            yield
        finally:
            for _, undo in reversed(texts):
                db.execute(undo)


class Job:
    """The nth job of an org that SUCCEEDED with rows (those from before the first record have no file); of JSON, so that they are read."""

    def __init__(self, stack, org, nth):
        with psycopg.connect(stack.pg_uri) as db:
            self.org, self.sandbox, self.job, self.batch, self.dataset, self.attempt = db.execute(
                "SELECT j.org, j.sandbox, j.job, j.batch, j.dataset, j.attempt FROM consign.export_job j"
                " JOIN consign.dataset d USING (org, sandbox, dataset) WHERE j.status = 'SUCCEEDED' AND d.format = 'json'"
                " AND EXISTS (SELECT FROM consign.batch_file f WHERE (f.org, f.sandbox, f.batch) = (j.org, j.sandbox, j.batch))"
                " AND j.org = (SELECT org FROM consign.org WHERE ims_org_id = %s) ORDER BY j.job OFFSET %s LIMIT 1", (org, nth)).fetchone()
        self.where = f"org = {self.org} AND job = {self.job}"
        self.folder = stack.lake / str(self.org) / str(self.sandbox) / self.dataset / self.batch / self.attempt

    def kept(self, nth):
        """The row put aside as a table of its own."""
        return f"CREATE TABLE kept{nth} AS SELECT * FROM consign.export_job WHERE {self.where}", f"DROP TABLE kept{nth}"

    def part(self):
        return next(path for path in self.folder.iterdir() if path.name != "manifest.json")


@harm("a job row is gone")
def job_gone(stack, org, nth):
    job = Job(stack, org, nth)
    with changed(stack, job.kept(nth), (f"DELETE FROM consign.export_job WHERE {job.where}",
                                        f"INSERT INTO consign.export_job SELECT * FROM kept{nth}")):
        yield "lost", f"job {job.job} was acknowledged and is not there"


@harm("a job has not ended")
def job_open(stack, org, nth):
    job = Job(stack, org, nth)
    with changed(stack, (f"UPDATE consign.export_job SET status = 'PROCESSING' WHERE {job.where}",
                         f"UPDATE consign.export_job SET status = 'SUCCEEDED' WHERE {job.where}")):
        yield "lost", f"job {job.job} is PROCESSING"


@harm("a call made two jobs")
def job_twice(stack, org, nth):
    job = Job(stack, org, nth)
    with changed(stack, job.kept(nth), (f"UPDATE kept{nth} SET job = job + 1", "SELECT"),
                 (f"INSERT INTO consign.export_job SELECT * FROM kept{nth}",
                  f"DELETE FROM consign.export_job WHERE org = {job.org} AND job = {job.job + 1}")):
        yield "duplicated", "2 jobs of"


@harm("a job that nobody asked for")
def job_strange(stack, org, nth):
    job = Job(stack, org, nth)
    with changed(stack, job.kept(nth), (f"UPDATE kept{nth} SET job = job + 1, fields = '_tenant,nobody'", "SELECT"),
                 (f"INSERT INTO consign.export_job SELECT * FROM kept{nth}",
                  f"DELETE FROM consign.export_job WHERE org = {job.org} AND job = {job.job + 1}")):
        yield "unexpected", f"job {job.job + 1} "


def record(stack, org, nth):
    """(org, identity, value) of the nth newest record."""
    with psycopg.connect(stack.pg_uri) as db:
        return db.execute("SELECT f.org, f.identity, i.value FROM consign.profile_fragment f JOIN consign.identity i"
                          " USING (org, sandbox, identity) WHERE f.org = (SELECT org FROM consign.org WHERE ims_org_id = %s)"
                          " ORDER BY f.ingested_ms DESC, f.identity OFFSET %s LIMIT 1", (org, nth)).fetchone()


@harm("a record is gone")
def record_gone(stack, org, nth):
    number, identity, value = record(stack, org, nth)
    where = f"org = {number} AND identity = {identity}"
    with changed(stack, (f"CREATE TABLE kept{nth} AS SELECT * FROM consign.profile_fragment WHERE {where}", f"DROP TABLE kept{nth}"),
                 (f"DELETE FROM consign.profile_fragment WHERE {where}",
                  f"INSERT INTO consign.profile_fragment SELECT * FROM kept{nth}")):
        yield "lost", f"record {value} was acknowledged"


@harm("an export misses a record")
def record_earlier(stack, org, nth):
    """As the database has it then, the record was there before all exports."""
    number, identity, value = record(stack, org, nth)
    where = f"org = {number} AND identity = {identity}"
    with changed(stack, (f"CREATE TABLE kept{nth} AS SELECT * FROM consign.profile_fragment WHERE {where}", f"DROP TABLE kept{nth}"),
                 (f"UPDATE consign.profile_fragment SET ingested_ms = 1 WHERE {where}",
                  f"UPDATE consign.profile_fragment f SET ingested_ms = k.ingested_ms FROM kept{nth} k WHERE f.org = k.org"
                  " AND f.identity = k.identity")):
        yield "lost", f"misses record {value}"


@harm("a job FAILED")
def job_failed(stack, org, nth):
    job = Job(stack, org, nth)
    with changed(stack, (f"UPDATE consign.export_job SET status = 'FAILED' WHERE {job.where}",
                         f"UPDATE consign.export_job SET status = 'SUCCEEDED' WHERE {job.where}")):
        yield "lost", f"job {job.job} FAILED"


@harm("a job was cancelled by nobody")
def job_cancelled(stack, org, nth):
    job = Job(stack, org, nth)
    with changed(stack, (f"UPDATE consign.export_job SET status = 'CANCELLED' WHERE {job.where}",
                         f"UPDATE consign.export_job SET status = 'SUCCEEDED' WHERE {job.where}")):
        yield "unexpected", f"job {job.job} is CANCELLED"


@harm("a job's batch was not published")
def batch_failed(stack, org, nth):
    job = Job(stack, org, nth)
    where = f"org = {job.org} AND batch = '{job.batch}'"
    with changed(stack, (f"UPDATE consign.batch SET status = 'failed' WHERE {where}",
                         f"UPDATE consign.batch SET status = 'success' WHERE {where}")):
        yield "lost", f"job {job.job} SUCCEEDED and its batch is failed"


@harm("a job's batch is gone")
def batch_gone(stack, org, nth):
    job = Job(stack, org, nth)
    where = f"org = {job.org} AND batch = '{job.batch}'"
    with changed(stack, (f"CREATE TABLE kept{nth} AS SELECT * FROM consign.batch WHERE {where}", f"DROP TABLE kept{nth}"),
                 (f"DELETE FROM consign.batch WHERE {where}", f"INSERT INTO consign.batch SELECT * FROM kept{nth}")):
        yield "lost", f"job {job.job} SUCCEEDED and its batch is gone"


@harm("the lake is counted wrongly")
def usage_wrong(stack, org, nth):
    job = Job(stack, org, nth)
    with changed(stack, (f"UPDATE consign.lake_usage SET bytes = bytes + 1 WHERE org = {job.org}",
                         f"UPDATE consign.lake_usage SET bytes = bytes - 1 WHERE org = {job.org}")):
        yield "unexpected", "are counted for the quota"


@harm("an attempt left its files")
def work_left(stack, org, nth):
    made = stack.lake / "tmp" / "00000000-0000-4000-8000-000000000000"
    made.mkdir()
    yield "orphaned", f"lake: tmp/{made.name}"
    made.rmdir()


@harm("a share that nobody works on")
def share_left(stack, org, nth):
    job = Job(stack, org, nth)
    with changed(stack, (f"INSERT INTO consign.export_share VALUES ({job.org}, {job.sandbox}, {job.job}, 0, 0, 1)",
                         f"DELETE FROM consign.export_share WHERE {job.where}")):
        yield "orphaned", f"share {job.job}"


@harm("a batch lies there twice")
def folder_left(stack, org, nth):
    made = Job(stack, org, nth).folder.with_name("00000000-0000-4000-8000-000000000000")
    made.mkdir()
    yield "duplicated", f"batch {made.parent.name} lies there 2 times"
    made.rmdir()


@harm("an upload of a batch that ended")
def inbox_left(stack, org, nth):
    job = Job(stack, org, nth)
    made = stack.dir / "inbox" / str(job.org) / str(job.sandbox) / job.batch
    made.mkdir(parents=True)
    yield "orphaned", job.batch
    made.rmdir()


@harm("a byte of a published file has changed")
def byte_changed(stack, org, nth):
    path = Job(stack, org, nth).part()
    before = path.read_bytes()
    path.write_bytes(before[:-1] + bytes([before[-1] ^ 1]))
    yield "half", f"{path.name} is not what manifest and catalog say"
    path.write_bytes(before)


@harm("a published file is gone")
def file_gone(stack, org, nth):
    job = Job(stack, org, nth)
    path, aside = job.part(), stack.dir / f"aside{nth}"
    path.rename(aside)
    yield "half", f"batch {job.batch}: manifest"
    aside.rename(path)
