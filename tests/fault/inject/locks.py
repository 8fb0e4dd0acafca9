"""Locks that somebody else holds in the database: a table, or the rows that the product has to change."""

import psycopg

from inject.fault import Fault

TABLES = ("export_job", "work_queue", "batch", "idempotency_key", "stream_message", "ingest_clock", "export_target")


class TableLocked(Fault):
    name = "table locked in the database"
    times = 10

    def __init__(self, stand):
        super().__init__(stand)
        self.db = None

    def start(self):
        self.db = psycopg.connect(self.stand.stack.pg_uri)
        table = self.random.choice(TABLES)
        self.db.execute("SET lock_timeout = '5s'")
        try:
            self.db.execute(f"LOCK TABLE consign.{table} IN ACCESS EXCLUSIVE MODE")
        except psycopg.errors.LockNotAvailable:
            self.db.rollback()
            return self.missed()
        return self.random.uniform(1, 4)

    def heal(self):
        self.db.close()


class RowsLocked(TableLocked):
    name = "rows locked in the database"

    def start(self):
        self.db = psycopg.connect(self.stand.stack.pg_uri)
        table = self.random.choice(("work_queue", "ingest_clock", "work_turn", "export_job WHERE ended_ms IS NULL"))
        held = self.db.execute(f"SELECT FROM consign.{table} FOR UPDATE SKIP LOCKED")
        return self.random.uniform(1, 4) if held.rowcount else self.missed()


class UsageLocked(TableLocked):
    """For longer than a session waits for a lock, in the way of the ends of exports."""

    name = "usage of the lake locked in the database"
    times = 5

    def start(self):
        self.db = psycopg.connect(self.stand.stack.pg_uri)
        held = self.db.execute("SELECT FROM consign.lake_usage FOR UPDATE")
        return 8 if held.rowcount else self.missed()
