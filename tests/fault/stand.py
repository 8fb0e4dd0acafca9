"""The stack of the fault suite: one of its own, with settings under which little data and short waits do, and its processes.

As in production somebody starts again what ended (there systemd, here up()).
"""

import os
import random
import signal
import time

import psycopg

from ownstack import OwnStack
from stack import is_alive, process_tree

# Attempts: killed at random and often, no work may end as poison; that has tests of its own.
# Shares: exports of the filled tenant are cut, so that helpers may take part. Parts: batches have several files.
SETTINGS = {"spooler__sweep_ms": 1500, "spooler__retry_ms": 200, "spooler__silence_ms": 2000, "spooler__grace_ms": 4000,
            "spooler__attempts": 100, "export__share_profiles": 400, "export__part_bytes": 65536}


class Stand:
    """start() once; up() after something was killed. `stack` is the integration tests' view of it."""

    def __init__(self, **settings):
        self.own = OwnStack()
        self.settings = {**SETTINGS, **settings}
        self.stack = None
        self.random = random.Random(6)

    def start(self):
        self.stack = self.own.start(**self.settings)
        return self

    def up(self):
        """Starts what is down."""
        self.own.start(**self.settings)

    def remove(self):
        self.own.remove()

    @property
    def dir(self):
        return self.own.dir

    @property
    def sweep_s(self):
        return int(self.settings["spooler__sweep_ms"]) / 1000

    def root(self, service):
        """The pid of a service's first process, or None."""
        try:
            name = self.dir / "pids" / service if service != "postgres" else self.dir / "pg" / "postmaster.pid"
            pid = int(name.read_text().split()[0])
        except (FileNotFoundError, IndexError, ValueError):
            return None
        return pid if is_alive(pid) else None

    def workers(self, service):
        """Pids of what a service's first process has started."""
        root = self.root(service)
        return [pid for pid in process_tree(root) if pid != root] if root else []

    def any_worker(self, service):
        """One of them; waits for one when there is none just now."""
        deadline = time.monotonic() + 10
        while True:
            found = self.workers(service)
            if found:
                return self.random.choice(found)
            assert time.monotonic() < deadline, f"{service} has no worker"
            time.sleep(0.02)

    def wait_database(self, seconds=60):
        """Until it takes connections: after a crash it recovers first, and how long that takes is its own affair."""
        deadline = time.monotonic() + seconds
        while True:
            try:
                psycopg.connect(self.stack.pg_uri, connect_timeout=5).close()
                return
            except psycopg.OperationalError:
                assert time.monotonic() < deadline, "the database does not come back"
                time.sleep(0.02)


def send_signal(pid, number):
    """True when the process was there."""
    try:
        os.kill(pid, number)
        return True
    except ProcessLookupError:
        return False


def kill(pid):
    """kill -9, and waits until it is gone."""
    reached = send_signal(pid, signal.SIGKILL)
    deadline = time.monotonic() + 10
    while is_alive(pid):
        assert time.monotonic() < deadline, f"{pid} survives kill -9"
        time.sleep(0.005)
    return reached
