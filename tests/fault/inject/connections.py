"""Connections of the product to its database: ended from outside, or none left to have."""

import contextlib
import time

import psycopg

from inject.fault import Fault


class SessionsCut(Fault):
    """pg_terminate_backend of a third of the product's sessions, whatever they do."""

    name = "database sessions cut"
    times = 40

    def start(self):
        with psycopg.connect(self.stand.stack.pg_uri, autocommit=True) as db:
            cut = db.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                             " WHERE usename IN ('consign_api', 'consign_spooler', 'consign_sender') AND random() < 0.34")
        return 0 if cut.rowcount else self.missed()


class ConnectionsUsedUp(Fault):
    """Somebody holds every connection that there is, and the product's own ones are cut."""

    name = "database connections used up"
    times = 6

    def __init__(self, stand):
        super().__init__(stand)
        self.held = []

    def start(self):
        uri = self.stand.stack.pg_uri.replace("user=postgres", "user=consign_api")
        with psycopg.connect(self.stand.stack.pg_uri, autocommit=True) as db:
            most = int(db.execute("SHOW max_connections").fetchone()[0])
            self._take(uri, most)
            db.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name <> 'fault'"
                       " AND usename IN ('consign_api', 'consign_spooler', 'consign_sender') AND random() < 0.7")
            self._take(uri, most)
        return self.random.uniform(1, 3)

    def heal(self):
        for db in self.held:
            db.close()
        self.held = []

    def _take(self, uri, most):
        deadline = time.monotonic() + 1.0
        with contextlib.suppress(psycopg.OperationalError):
            while len(self.held) < most and time.monotonic() < deadline:
                self.held.append(psycopg.connect(uri, application_name="fault", autocommit=True))
