"""kill -9 of one process of the product or of nginx."""

from inject.fault import Fault
from stand import kill


class PoolWorker(Fault):
    name = "kill -9 of a pool worker"
    times = 30

    def start(self):
        return 0 if kill(self.stand.any_worker("api")) else self.missed()


class PoolSupervisor(Fault):
    name = "kill -9 of the pool's supervisor"
    times = 10

    def start(self):
        return 0 if kill(self.stand.root("api")) else self.missed()

    def heal(self):
        self.stand.up()


class SpoolerWorker(Fault):
    name = "kill -9 of a spooler worker"
    times = 40

    def start(self):
        return 0 if kill(self.stand.any_worker("spooler")) else self.missed()


class SpoolerSupervisor(Fault):
    name = "kill -9 of the spooler's supervisor"
    times = 10

    def start(self):
        return 0 if kill(self.stand.root("spooler")) else self.missed()

    def heal(self):
        self.stand.up()


class NginxWorker(Fault):
    name = "kill -9 of an nginx worker"
    times = 20

    def start(self):
        return 0 if kill(self.stand.any_worker("nginx")) else self.missed()
