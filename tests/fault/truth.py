"""What the database holds of the tenants of a load, read as its superuser: no word of the product's programs in it."""

import psycopg
from psycopg.rows import namedtuple_row

JOBS = """SELECT job, status, dataset, batch, fields, attempt, created_ms, ended_ms, watermark_ms, profiles, events, errors
    FROM consign.export_job WHERE org = %(org)s
    UNION ALL SELECT job, status, dataset, batch, fields, attempt, created_ms, ended_ms, watermark_ms, profiles, events, errors
    FROM consign.export_job_archive WHERE org = %(org)s"""
BATCHES = """SELECT batch, dataset, sandbox, kind, status, attempt, stream, input_records, output_records, failed_records,
        output_bytes, expired_ms, errors
    FROM consign.batch WHERE org = %(org)s"""
FILES = "SELECT batch, name, records, bytes, sha256 FROM consign.batch_file WHERE org = %(org)s ORDER BY batch, part"
RECORDS = """SELECT i.value, f.dataset, f.ingested_ms FROM consign.profile_fragment f
    JOIN consign.identity i ON i.org = f.org AND i.sandbox = f.sandbox AND i.identity = f.identity WHERE f.org = %(org)s"""
EVENTS = """SELECT e.event_id AS value, e.dataset, e.ingested_ms, i.value AS of FROM consign.profile_event e
    JOIN consign.identity i ON i.org = e.org AND i.sandbox = e.sandbox AND i.identity = e.identity WHERE e.org = %(org)s"""
UPLOADS = "SELECT batch, name, object, bytes FROM consign.batch_upload WHERE org = %(org)s"
# rows that something must own, and what owns them
STRAYS = {
    "queue entry of an ended job": """SELECT q.entry FROM consign.work_queue q JOIN consign.export_job j
        ON j.org = q.org AND j.sandbox = q.sandbox AND j.job = q.job WHERE q.org = %(org)s AND j.ended_ms IS NOT NULL""",
    "live job without a queue entry": """SELECT j.job FROM consign.export_job j WHERE j.org = %(org)s AND j.ended_ms IS NULL
        AND NOT EXISTS (SELECT FROM consign.work_queue q WHERE q.org = j.org AND q.sandbox = j.sandbox AND q.job = j.job)""",
    "share": """SELECT s.job FROM consign.export_share s WHERE s.org = %(org)s AND NOT EXISTS (SELECT FROM consign.work_queue q
        WHERE q.org = s.org AND q.sandbox = s.sandbox AND q.job = s.job)""",
    "helper": """SELECT h.helper FROM consign.export_helper h WHERE h.org = %(org)s AND NOT EXISTS (SELECT FROM consign.work_queue q
        WHERE q.org = h.org AND q.sandbox = h.sandbox AND q.job = h.job)""",
    "progress": """SELECT p.job FROM consign.export_progress p WHERE p.org = %(org)s AND NOT EXISTS (SELECT FROM consign.work_queue q
        WHERE q.org = p.org AND q.sandbox = p.sandbox AND q.job = p.job)""",
    "message without a queue entry": """SELECT m.number FROM consign.stream_message m WHERE m.org = %(org)s AND NOT EXISTS (
        SELECT FROM consign.work_queue q WHERE q.org = m.org AND q.sandbox = m.sandbox AND q.batch = 'stream-' || m.dataset)""",
    "batch that no live job is to fill": """SELECT b.batch FROM consign.batch b WHERE b.org = %(org)s AND b.status = 'active'
        AND b.kind = 'export' AND NOT EXISTS (SELECT FROM consign.work_queue q
        WHERE q.org = b.org AND q.sandbox = b.sandbox AND q.kind = 'export')""",
    "file of a batch that is not published": """SELECT f.name FROM consign.batch_file f JOIN consign.batch b USING (org, sandbox, batch)
        WHERE f.org = %(org)s AND (b.status <> 'success' OR b.expired_ms IS NOT NULL)""",
    "removal that nobody does": """SELECT s.job FROM consign.system_job s WHERE s.org = %(org)s AND s.status IN ('NEW', 'PROCESSING')
        AND NOT EXISTS (SELECT FROM consign.work_queue q WHERE q.org = s.org AND q.batch = 'delete-' || s.job)""",
}


class Truth:
    """One tenant, read once; settled() waits until nothing of it is under way."""

    def __init__(self, stack, place):
        self.place = place
        self.db = psycopg.connect(stack.pg_uri, autocommit=True, row_factory=namedtuple_row,
                                  options="-c enable_nestloop=off -c idle_in_transaction_session_timeout=0")
        self.org, self.sandbox = self.db.execute(
            "SELECT s.org, s.sandbox FROM consign.sandbox s JOIN consign.org o USING (org) WHERE o.ims_org_id = %s AND s.name = %s",
            (place.org, place.sandbox)).fetchone()

    def rows(self, text):
        return self.db.execute(text, {"org": self.org}).fetchall()

    def waiting(self):
        return self.rows("SELECT kind, task, job, batch, attempts, attempt, last_fault, not_before_ms - consign.now_ms() AS pause_ms"
                         " FROM consign.work_queue WHERE org = %(org)s")

    def hurry(self):
        """Work that failed while the fault was on waits as long as it is old; the checker does not."""
        self.rows("UPDATE consign.work_queue SET not_before_ms = 0 WHERE org = %(org)s AND attempt IS NULL"
                  " AND not_before_ms > consign.now_ms() + 500 RETURNING entry")

    def read(self):
        self.jobs = self.rows(JOBS)
        self.batches = {row.batch: row for row in self.rows(BATCHES)}
        self.files = {}
        for row in self.rows(FILES):
            self.files.setdefault(row.batch, []).append(row)
        self.records = {row.value: row for row in self.rows(RECORDS)}
        self.events = {row.value: row for row in self.rows(EVENTS)}
        self.uploads = self.rows(UPLOADS)
        self.usage = self.db.execute("SELECT coalesce(sum(bytes), 0) FROM consign.lake_usage WHERE org = %s", (self.org,)).fetchone()[0]

    def close(self):
        self.db.close()
