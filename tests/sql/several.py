"""What the tests of several sessions share: sessions of a program, calls that wait, TAP.

The files next to `run` import it. Unlike the .sql tests they commit, so each begins by taking the queue
and sandbox 12 of org 1 for itself (clean); run lets them come last.
"""

import os
import threading
import time

import psycopg

PATIENCE_S = 10


class Session:
    """A connection that is a program of the product, in autocommit; `with s.transaction():` opens one."""

    def __init__(self, role="consign_spooler"):
        self.conn = psycopg.connect(os.environ["CONSIGN_TEST_PGURI"], autocommit=True,
                                    options="-c search_path=tap -c client_min_messages=warning")
        self.pid = self.conn.info.backend_pid
        if role:
            self.conn.execute(f"SET SESSION AUTHORIZATION {role}")

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.conn.close()

    def transaction(self):
        return self.conn.transaction()

    def rows(self, text, *values):
        """All rows of a statement; [] when it has none."""
        cursor = self.conn.execute(text, values)
        return cursor.fetchall() if cursor.description else []

    def one(self, text, *values):
        """The first column of the first row, None without a row."""
        found = self.rows(text, *values)
        return found[0][0] if found else None

    def tenant(self, text, *values, org=1):
        """Like one, in a transaction of the tenant; or in the open one, whose tenant it sets."""
        with self.transaction():
            self.conn.execute(f"SET LOCAL consign.org = {org:d}")
            return self.one(text, *values)

    def fault(self, text, *values):
        """The SQLSTATE that a statement of tenant 1 ends in, None when it succeeds."""
        try:
            self.tenant(text, *values)
        except psycopg.Error as error:
            return error.sqlstate
        return None


SESSIONS = {}


def kept(role=None):
    """The session of a role that the whole file shares, for single statements; a backend's start costs more than they do."""
    if role not in SESSIONS:
        SESSIONS[role] = Session(role)
    return SESSIONS[role]


class Waiting:
    """A call in a thread of its own, seen to wait for a lock of somebody else."""

    def __init__(self, session, call):
        self.answer, self.error = None, None
        self.thread = threading.Thread(target=self._run, args=(call,), daemon=True)
        self.thread.start()
        self.waits = bool(eventually(lambda: not self.thread.is_alive() or kept().one(
            "SELECT cardinality(pg_blocking_pids(%s)) > 0", session.pid))) and self.thread.is_alive()

    def _run(self, call):
        try:
            self.answer = call()
        except psycopg.Error as error:
            self.error = error.sqlstate

    def outcome(self):
        """Its answer or SQLSTATE, once it is through."""
        self.thread.join(PATIENCE_S)
        return "still waits" if self.thread.is_alive() else self.error or self.answer


def eventually(condition):
    """The first true value of condition(), asked until patience ends; then what it answers last."""
    end = time.monotonic() + PATIENCE_S
    while not (value := condition()) and time.monotonic() < end:
        time.sleep(0.005)
    return value


def clean():
    """Empties the queue, with the turns, and sandbox 12 of org 1, datasets aside."""
    kept().rows("DELETE FROM consign.work_queue")
    kept().rows("DELETE FROM consign.work_turn")
    for table in ("system_job", "stream_message", "observed_schema", "profile_fragment", "profile_event", "identity",
                  "ingest_clock", "batch_error", "batch_file", "batch_upload", "export_progress", "export_target", "export_job",
                  "export_job_archive", "batch", "idempotency_key", "merge_policy"):
        kept().rows(f"DELETE FROM consign.{table} WHERE org = 1 AND sandbox = 12")


class Tap:
    """Numbered results on standard output; `with Tap() as tap:` prints the plan at the end."""

    def __init__(self):
        self.count = 0

    def __enter__(self):
        clean()
        return self

    def __exit__(self, kind, *exc):
        if kind is None:
            print(f"1..{self.count}", flush=True)

    def is_(self, have, want, what):
        self.count += 1
        print(f"{'ok' if have == want else 'not ok'} {self.count} - {what}", flush=True)
        if have != want:
            print(f"#   have: {have!r}\n#   want: {want!r}", flush=True)

    def ok(self, true, what):
        self.is_(bool(true), True, what)
