"""A worker that stands still (SIGSTOP) for longer than anybody waits for it, and goes on afterwards."""

import signal

from inject.fault import Fault
from stand import send_signal


class SpoolerStopped(Fault):
    """Beyond spooler.silence_ms: its work is taken over, and what it does when it wakes up must not count."""

    name = "SIGSTOP of a spooler worker, then SIGCONT"
    times = 15
    service = "spooler"

    def __init__(self, stand):
        super().__init__(stand)
        self.pid = None

    def start(self):
        self.pid = self.stand.any_worker(self.service)
        if not send_signal(self.pid, signal.SIGSTOP):
            return self.missed()
        return int(self.stand.settings["spooler__silence_ms"]) / 1000 + self.random.uniform(0.5, 1.5)

    def heal(self):
        send_signal(self.pid, signal.SIGCONT)


class PoolStopped(SpoolerStopped):
    """The client whose request it holds waits; the others must not."""

    name = "SIGSTOP of a pool worker, then SIGCONT"
    times = 10
    service = "api"

    def start(self):
        return min(super().start(), 3.0)
