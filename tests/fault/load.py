"""The load generator: threads that act for several tenants until they are told to stop, and a probe.

    load = Load(stack, path_of_the_log)      makes its tenants
    load.start(); load.wait_jobs(50); ...; load.stop()

What is counted (jobs acknowledged, good answers) is counted after it was logged, and only paces the faults: what the
checker says comes from the log.
"""

import itertools
import threading
import time

import flows
from actions import Worker
from clientlog import ClientLog
from loggedwire import Wire
from places import Place

MIX = {"job": 34, "cancel": 5, "message": 18, "messages": 2, "batch": 2, "remove": 3, "look": 8, "fetch": 6}
PROBE_S = 0.05   # between two looks of the probe
PATIENCE_S = 60  # after stop(): how long a call without a good answer is repeated


class Load:
    """`rest_s`: a thread's pause after each action. `fill`: records that the first tenant has to begin with."""

    def __init__(self, stack, path, tenants=3, threads=6, mix=None, rest_s=0.0, fill=1200, seed=1):
        self.stack = stack
        self.log = ClientLog(path)
        self.mix = mix or MIX
        self.rest_s = rest_s
        self.places = [Place(stack, f"t{number}x{seed}") for number in range(tenants)]
        self.places[0].fill(fill)
        for place in self.places:
            self.log.answer(self.log.attempt("place", tenant=place.tag, **place.facts()), 200)
        self.jobs = 0
        self.good_at = time.monotonic()
        self._count = threading.Condition()
        self._over = threading.Event()
        self._last_call = float("inf")
        self._failed = []
        workers = [Worker(stack.url, self.log, self.places, seed * 1000 + number, self.may_go_on) for number in range(threads)]
        self._threads = [threading.Thread(target=self._run, args=(worker,), daemon=True) for worker in workers]
        self._threads.append(threading.Thread(target=self._probe, daemon=True))

    def start(self):
        for thread in self._threads:
            thread.start()

    def stop(self):
        """Ends after the calls under way are answered; they are repeated for PATIENCE_S at most."""
        self._last_call = time.monotonic() + PATIENCE_S
        self._over.set()
        for thread in self._threads:
            thread.join(PATIENCE_S + 60)
            assert not thread.is_alive(), "a thread of the load does not end"
        if self._failed:
            raise self._failed[0]

    def may_go_on(self):
        """Whether a call may be repeated still."""
        return time.monotonic() < self._last_call

    def wait_jobs(self, more, seconds=60):
        """Until so many further jobs are acknowledged; False: the time is over."""
        with self._count:
            wanted = self.jobs + more
            reached = self._count.wait_for(lambda: self.jobs >= wanted or self._failed, seconds)
            if self._failed:
                raise self._failed[0]
            return reached

    def wait_good(self, seconds=30):
        """Until the probe sees a good answer to a question of after now; the seconds that took, None: it did not."""
        begin = time.monotonic()
        with self._count:
            if not self._count.wait_for(lambda: self.good_at > begin, seconds):
                return None
        return time.monotonic() - begin

    def _run(self, worker):
        try:
            while not self._over.is_set():
                if worker.act(self.mix) == "job":
                    with self._count:
                        self.jobs += 1
                        self._count.notify_all()
                if self.rest_s:
                    self._over.wait(self.rest_s)
        except Exception as error:  # pylint: disable=broad-except # told by whoever waits
            self._failed.append(error)
            with self._count:
                self._count.notify_all()

    def _probe(self):
        wire = Wire(self.stack.url, self.log)
        for place in itertools.cycle(self.places):
            begin = time.monotonic()
            answer = wire.send("probe", place, "GET", f"{flows.JOBS}?limit=1")
            if answer is not None and answer.good:
                with self._count:
                    self.good_at = begin
                    self._count.notify_all()
            if self._over.wait(PROBE_S):
                return
