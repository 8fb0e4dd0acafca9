"""One row of the table: a load for new tenants, a fault again and again while it runs, healing, the check.

A fault comes when the load has had so many further jobs acknowledged, so that faults and work mix alike on a fast
machine and on a slow one.
"""

import pathlib
import re
import tempfile
import time

import check_answers
import checker
import clientlog
from inject.fault import Fault
from load import Load

JOBS_BETWEEN = 30   # acknowledged jobs from one fault to the next
HEALTHY_S = 10      # after healing, and when the database answers, a good answer comes within that
# No fault explains that a program ends by one of these: ILL, ABRT (INVARIANT), BUS, FPE, SEGV, SYS (lib/confine)
CRASH = re.compile(r"event=(?:worker|retired)_ended .*signal=(?:4|6|7|8|11|31)\b.*")


class Nothing(Fault):
    """No fault: what the load does to the stack alone, and every answer has to be good."""

    name = "none"
    times = 1

    def start(self):
        return self.missed()


def run(stand, table, kind, scale=1.0, jobs_between=JOBS_BETWEEN, seed=1, every_s=0.0, **load_options):
    """Runs a fault `scale` times its repetitions, at least once, and enters its row. Answers the findings.
    `every_s`: no two faults come closer than that."""
    fault = kind(stand)
    times = max(1, round(fault.times * scale))
    place = pathlib.Path(tempfile.mkdtemp(prefix="consign-fault-log."))
    fault.prepare()
    crashed = Crashes(stand)
    load = Load(stand.stack, place / "client.log", seed=seed, **load_options)
    begin = time.time()
    load.start()
    try:
        wrong, waits = repeat(stand, fault, load, times, jobs_between, every_s, crashed)
        if not load.wait_jobs(jobs_between):
            wrong.append("the load stands still at the end")
    finally:
        load.stop()
        end = time.time()
        fault.restore()
    checker.finish(stand.stack, load)
    found = checker.check(stand.stack, load.log.path, stand.sweep_s, fault.allows, kind is Nothing, fault.clock)
    for text in wrong + crashed.look():
        found.unexpected(text)
    attempts = clientlog.read(load.log.path)
    table.row(fault.name, fault.done, acknowledged(attempts), found.sets,
              check_answers.outage_s([made for made in attempts if begin <= made.t0 <= end]), waits.text())
    if found.empty:
        (place / "client.log").unlink()
        place.rmdir()
    else:
        print(f"    the client's log: {load.log.path}")
    return found


def repeat(stand, fault, load, times, jobs_between, every_s, crashed):
    """Answers what did not heal, and how long it took."""
    wrong, waits = [], Waits()
    for number in range(times):
        next_at = time.monotonic() + every_s
        if not load.wait_jobs(jobs_between):
            wrong.append(f"the load stands still before repetition {number + 1}")
        time.sleep(max(next_at - time.monotonic(), 0) + stand.random.uniform(0, 0.1))
        lasts_s = fault.begin()
        time.sleep(lasts_s)
        fault.heal()
        healed_at = time.monotonic()
        stand.wait_database()
        database_s = time.monotonic() - healed_at
        answer_s = load.wait_good(HEALTHY_S)
        waits.note(database_s, answer_s)
        if answer_s is None:
            wrong.append(f"no good answer {HEALTHY_S} s after healing, repetition {number + 1}")
        crashed.look()
    return wrong, waits


class Waits:
    """How an outage divides: into the fault itself, the database's recovery, and what the product needs then. The longest
    each."""

    def __init__(self):
        self.database_s = self.answer_s = 0.0

    def note(self, database_s, answer_s):
        self.database_s = max(self.database_s, database_s)
        self.answer_s = max(self.answer_s, HEALTHY_S if answer_s is None else answer_s)

    def text(self):
        """For the row; nothing where the database was there all the time."""
        if self.database_s < 0.5:
            return ""
        return f"of the outage the database's recovery {self.database_s:.1f} s, from then to a good answer {self.answer_s:.1f} s"


class Crashes:
    """Programs that ended by a fault of their own, as the logs say; looked at now and then, because devstack keeps only
    the log of the start before."""

    def __init__(self, stand):
        self.stand, self.before, self.seen = stand, set(), set()
        self.before = set(self.look())
        self.seen = set()

    def look(self):
        """All that were seen so far."""
        logs = [self.stand.dir / "log" / f"{name}.log{old}" for name in ("api", "spooler") for old in ("", ".old")]
        found = {f"{path.name.split('.')[0]}: {line}" for path in logs if path.exists()
                 for line in CRASH.findall(path.read_text(errors="replace"))}
        self.seen |= found - self.before
        return sorted(self.seen)


def acknowledged(attempts):
    """Jobs, not answers: a key that was answered twice is one."""
    return len({made.answer.get("id") for made in attempts if made.op == "job" and made.good})
