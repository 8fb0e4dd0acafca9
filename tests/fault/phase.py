"""One row of the table: a load for new tenants, a fault again and again while it runs, healing, the check.

A fault comes when the load has had so many further jobs acknowledged, so that faults and work mix alike on a fast
machine and on a slow one.
"""

import pathlib
import tempfile
import time

import check_answers
import checker
import clientlog
from load import Load

JOBS_BETWEEN = 30   # acknowledged jobs from one fault to the next
HEALTHY_S = 10      # after healing, and when the database answers, a good answer comes within that


class Nothing:
    """No fault: what the load does to the stack alone, and every answer has to be good."""

    name = "none"
    times = 1
    allows = frozenset()
    clock = False

    def __init__(self, stand):
        self.stand = stand

    def prepare(self):
        """Nothing to prepare."""

    def start(self):
        return 0

    def heal(self):
        """Nothing to heal."""

    def restore(self):
        """Nothing to restore."""


def run(stand, table, kind, scale=1.0, jobs_between=JOBS_BETWEEN, seed=1, every_s=0.0, **load_options):
    """Runs a fault `scale` times its repetitions, at least once, and enters its row. Answers the findings.
    `every_s`: no two faults come closer than that."""
    fault = kind(stand)
    times = max(1, round(fault.times * scale))
    place = pathlib.Path(tempfile.mkdtemp(prefix="consign-fault-log."))
    fault.prepare()
    load = Load(stand.stack, place / "client.log", seed=seed, **load_options)
    begin = time.time()
    load.start()
    try:
        late = repeat(stand, fault, load, times, jobs_between, every_s)
        load.wait_jobs(jobs_between)
    finally:
        load.stop()
        end = time.time()
        fault.restore()
    checker.finish(stand.stack, load)
    found = checker.check(stand.stack, load.log.path, stand.sweep_s, fault.allows, kind is Nothing, fault.clock)
    for text in late:
        found.unexpected(text)
    attempts = clientlog.read(load.log.path)
    table.row(fault.name, times if kind is not Nothing else 0, acknowledged(attempts), found.sets,
              check_answers.outage_s([made for made in attempts if begin <= made.t0 <= end]))
    if found.empty:
        (place / "client.log").unlink()
        place.rmdir()
    else:
        print(f"    the client's log: {load.log.path}")
    return found


def repeat(stand, fault, load, times, jobs_between, every_s):
    """Answers what did not heal."""
    late = []
    for number in range(times):
        next_at = time.monotonic() + every_s
        load.wait_jobs(jobs_between)
        time.sleep(max(next_at - time.monotonic(), 0) + stand.random.uniform(0, 0.1))
        lasts_s = fault.start()
        time.sleep(lasts_s)
        fault.heal()
        stand.wait_database()
        if load.wait_good(HEALTHY_S) is None:
            late.append(f"no good answer {HEALTHY_S} s after healing, repetition {number + 1}")
    return late


def acknowledged(attempts):
    """Jobs, not answers: a key that was answered twice is one."""
    return len({made.answer.get("id") for made in attempts if made.op == "job" and made.good})


