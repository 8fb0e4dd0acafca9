"""Every crash point of one piece of work: its worker is killed at each write, fsync, rename, mkdir, unlink and send;
every failure of the storage: each call of an export that touches it fails once, with EIO and with ENOSPC; and every crash
point of a worker that helps with an export, which then has to end in the attempt that it began in.

A point is the Nth call of a kind. N grows until the work is over before it is reached, so all there are were tried.
run(table) is a part of the fault suite; tests/integ/test_takeover.py takes a sample.
"""

import pathlib
import re
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "integ"))

import lake  # noqa: E402
from crash_tasks import TASKS, Export, SharedExport  # noqa: E402
from ownstack import new_client, own_stack  # noqa: E402
from tracing import Injection, Workers, state, wait_for  # noqa: E402

# Two workers: one is traced, the other takes over. Express workers would take the work away from the one that is.
SETTINGS = {"spooler__workers": 2, "spooler__express": 0, "spooler__silence_ms": 2000, "spooler__sweep_ms": 1500,
            "spooler__retry_ms": 100, "export__part_bytes": 65536}
KILLS = ("write", "fsync", "rename", "mkdir", "unlink,rmdir", "sendto")
STORAGE = ("mkdir", "openat", "write", "fsync", "rename", "close", "unlink,rmdir")
ERRORS = ("EIO", "ENOSPC")
POINTS_MOST = 400 # of a kind: far more than there are
HELPER_KILLS = ("write", "fsync", "mkdir", "sendto")
SHARED = {**SETTINGS, "export__share_profiles": 10} # an export of many ranges, so that there is time to help
SLOWLY = "delay_enter=30000" # microseconds, before each call of who leads it
ATTEMPTS_S = 60
TAKEOVER_S = 3 # from the kill to the end of the work, which somebody else does
NEVER_IGNORED = ("fsync", "rename") # an attempt that one of these failed publishes nothing


def attempts_that_ended(stack, attempt):
    """What the log says of an attempt's end, as (event, rest)s."""
    text = (stack.dir / "log" / "spooler.log").read_text(errors="replace")
    return re.findall(rf"attempt={attempt}\S* event=(attempt_ended|published|loaded|drained|removed) (.*)", text)


def claims(stack):
    """The attempts claimed so far, oldest first, as (pid, attempt)s."""
    text = (stack.dir / "log" / "spooler.log").read_text(errors="replace")
    return re.findall(r"pid=(\d+) .*attempt=(\S+) event=claimed", text)


class Outcome:
    """What the points of a run came to."""

    def __init__(self):
        self.points, self.sets, self.longest_s, self.reached = 0, {}, 0.0, []

    def add(self, found, where):
        for name, text in found:
            self.sets.setdefault(name, []).append(f"{where}: {text}")

    def settle(self, stack, tasks, seconds=15):
        """Afterwards: nothing is left of any of it."""
        for task in tasks:
            self.add(task.left_rows(), task.name)
        try:
            lake.wait_clean(stack, seconds)
        except AssertionError as left:
            self.add([("orphaned", str(left))], "lake")
        left = [str(path) for path in stack.dir.glob("inbox/*/*/*")]
        if left:
            self.add([("orphaned", f"inbox: {left}")], "inbox")


def await_end(target, stack, seconds=5):
    """The work is over for others a moment before its worker has removed what it leaves: its last calls come after that."""
    deadline = time.monotonic() + seconds
    while state(target) not in "ZX" and any((*stack.lake.glob("tmp/*"), *stack.dir.glob("inbox/*/*/*"))):
        if time.monotonic() > deadline:
            return
        time.sleep(0.005)


def killed_at(workers, task, calls, nth, outcome):
    """Kills the worker at the point; returns False when the work has none."""
    task.ready()
    target, other = workers.hold()
    task.start()
    injection = Injection(target, calls, "signal=KILL", nth)
    workers.go(target)
    wait_for(lambda: state(target) in "ZX" or task.done(), f"{task.name} at {calls} {nth}")
    await_end(target, workers.stack)
    dead = state(target) in "ZX"
    began = time.monotonic()
    injection.end()
    workers.go(other)
    if not dead:
        return False
    where = f"{task.name}, killed at {calls} {nth}"
    if not task.wait(ATTEMPTS_S):
        outcome.add([("lost", "no end")], where)
    outcome.longest_s = max(outcome.longest_s, time.monotonic() - began)
    outcome.add(task.check(), where)
    outcome.points += 1
    outcome.reached.append(where)
    return True


def helper_killed_at(workers, task, calls, nth, outcome):
    """Kills the worker that helps with an export at the point, while the other one leads it; returns False when the help
    has none."""
    task.ready()
    target, leader = workers.hold()
    slow = Injection(leader, "sendto", SLOWLY, "1+")
    workers.go(leader)
    task.start()
    wait_for(lambda: task.shared() or task.done(), "the export is not shared")
    injection = Injection(target, calls, "signal=KILL", nth)
    workers.go(target)
    wait_for(lambda: state(target) in "ZX" or task.done(), f"help at {calls} {nth}")
    dead, where = state(target) in "ZX", f"help, killed at {calls} {nth}"
    began = time.monotonic()
    injection.end()
    slow.end()
    if not dead:
        return False
    if not task.wait(ATTEMPTS_S):
        outcome.add([("lost", "no end")], where)
    outcome.longest_s = max(outcome.longest_s, time.monotonic() - began)
    outcome.add(task.check(), where)
    if task.attempts() != 1:
        outcome.add([("unexpected", f"{task.attempts()} attempts at the export")], where)
    outcome.points += 1
    outcome.reached.append(where)
    return True


def failed_at(workers, task, calls, error, nth, outcome):
    """One call of the worker fails; returns False when the work has none."""
    task.ready()
    target, other = workers.hold()
    before = len(claims(workers.stack))
    task.start()
    injection = Injection(target, calls, f"error={error}", nth)
    workers.go(target)
    over = task.wait(ATTEMPTS_S)
    await_end(target, workers.stack)
    hit = injection.end()
    workers.go(target, other)
    where = f"{task.name}, {error} at {calls} {nth}: {hit}"
    if hit:
        outcome.points += 1
        outcome.reached.append(where)
        if calls in NEVER_IGNORED:  # of other calls, the one that failed may have been the log's
            first = claims(workers.stack)[before][1]
            if "published" in dict(attempts_that_ended(workers.stack, first)):
                outcome.add([("half", "the attempt publishes all the same")], where)
    if not over:
        outcome.add([("lost", "no end")], where)
    outcome.add(task.check(may_fail=True), where)
    return bool(hit)


def enumerate_points(one):
    """one(1), one(2), ... until it says that there is no such point."""
    nth = 1
    while nth <= POINTS_MOST and one(nth):
        nth += 1
    assert nth <= POINTS_MOST, "the points have no end"
    return nth - 1


def run_kills(table, stack, workers):
    for make in TASKS:
        outcome = Outcome()
        task = make(new_client(stack))
        for calls in KILLS:
            count = enumerate_points(lambda nth, calls=calls: killed_at(workers, task, calls, nth, outcome))
            assert count or make is not Export, f"an export has no {calls}"
        if outcome.longest_s > TAKEOVER_S:
            outcome.add([("unexpected", f"takes {outcome.longest_s:.1f} s")], "takeover")
        outcome.settle(stack, [task])
        table.row(f"kill -9 at every call, {task.name}", outcome.points, outcome.points if make is Export else 0,
                  outcome.sets, outcome.longest_s)


def run_errors(table, stack, workers):
    for error in ERRORS:
        outcome = Outcome()
        task = Export(new_client(stack))
        for calls in STORAGE:
            assert enumerate_points(lambda nth, calls=calls, error=error: failed_at(
                workers, task, calls, error, nth, outcome)), f"an export has no {calls}"
        outcome.settle(stack, [task])
        table.row(f"{error} at every call, export", outcome.points, outcome.points, outcome.sets)


def run_helpers(table, stack, workers):
    outcome, task = Outcome(), SharedExport(new_client(stack))
    for calls in HELPER_KILLS:
        found = enumerate_points(lambda nth, calls=calls: helper_killed_at(workers, task, calls, nth, outcome))
        if found == 0:
            outcome.add([("unexpected", f"no {calls} of a helper was reached")], task.name)
    outcome.settle(stack, [task])
    table.row("kill -9 at every call, help with an export", outcome.points, outcome.points, outcome.sets, outcome.longest_s)


def run(table):
    for settings, parts in ((SETTINGS, (run_kills, run_errors)), (SHARED, (run_helpers,))):
        with own_stack() as own:
            stack = own.start(**settings)
            workers = Workers(stack, settings["spooler__workers"])
            for part in parts:
                part(table, stack, workers)


if __name__ == "__main__":
    from table import Table
    shown = Table()
    run(shown)
    print(shown.text())
    sys.exit(0 if shown.empty else 1)
