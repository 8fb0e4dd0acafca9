"""The database's processes: a backend killed, the server stopped at once, the server standing still."""

import signal

from inject.fault import Fault
from stand import kill, send_signal


class BackendKilled(Fault):
    """kill -9: the postmaster ends all sessions and recovers from the log."""

    name = "kill -9 of a database backend"
    times = 10

    def start(self):
        return 0 if kill(self.stand.any_worker("postgres")) else self.missed()


class Immediate(Fault):
    name = "database stopped (immediate) and started"
    times = 12

    def start(self):
        self.stand.stack.stop_postgres()
        return self.random.uniform(0, 1.5)

    def heal(self):
        self.stand.up()


class StandsStill(Fault):
    """All of its processes stopped: connects succeed, nothing answers."""

    name = "database stands still (SIGSTOP)"
    times = 6

    def __init__(self, stand):
        super().__init__(stand)
        self.pids = []

    def start(self):
        root = self.stand.root("postgres")
        self.pids = [root, *self.stand.workers("postgres")]
        for pid in self.pids:
            send_signal(pid, signal.SIGSTOP)
        return self.random.uniform(1, 5)

    def heal(self):
        for pid in self.pids:
            send_signal(pid, signal.SIGCONT)
