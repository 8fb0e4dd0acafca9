"""A worker of the spooler that stands still beyond spooler.silence_ms at some point of its work, which somebody else
takes over and finishes, and that then goes on: what it brings is refused, and nothing of it stays.

run(table) is a part of the fault suite; tests/integ/test_takeover.py takes a sample.
"""

import pathlib
import random
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "integ"))

from crash_points import ATTEMPTS_S, SETTINGS, Outcome, attempts_that_ended, claims  # noqa: E402
from crash_tasks import TASKS, Export, sessions  # noqa: E402
from ownstack import new_client, own_stack  # noqa: E402
from scale import scaled  # noqa: E402
from tracing import Injection, Workers, state, wait_for  # noqa: E402

# where a point is looked for: so many calls there are at most; of the other kinds of work all that matters is what they send
POINTS = {"export": {"write": 8, "fsync": 10, "rename": 2, "mkdir": 6, "sendto": 24},
          "load": {"sendto": 16}, "stream": {"sendto": 24}, "removal": {"sendto": 9}}
TIMES = scaled(100) # of exports; the other kinds of work in addition
OTHERS = scaled(30)
SILENCE_S = SETTINGS["spooler__silence_ms"] / 1000
LATE_S = 20 # until what stood still has found out


def stand_still(workers, task, calls, nth, outcome):
    """Stops the worker at the point. False when the work has no such point, or was over for everybody when it came."""
    stack = workers.stack
    task.ready()
    target, other = workers.hold()
    before = len(claims(stack))
    task.start()
    injection = Injection(target, calls, "signal=STOP", nth)
    workers.go(target)
    wait_for(lambda: state(target) in "Tt" and injection.hit or task.done(), f"{task.name} at {calls} {nth}")
    stopped = state(target) in "Tt"
    injection.end()
    over = task.done()
    began = time.monotonic()
    workers.go(other)
    where = f"{task.name}, stands still at {calls} {nth}"
    if stopped and not over and not task.wait(ATTEMPTS_S):
        outcome.add([("lost", "nobody takes it over")], where)
    outcome.longest_s = max(outcome.longest_s, time.monotonic() - began)
    workers.go(target)
    mine = [attempt for pid, attempt in claims(stack)[before:] if int(pid) == target]
    theirs = [attempt for pid, attempt in claims(stack)[before:] if int(pid) == other]
    if not stopped or over or not mine or not theirs:
        return False # it had not claimed it yet, or all was done
    wait_for(lambda: attempts_that_ended(stack, mine[0]), f"{where}: the late worker does not come to an end", LATE_S)
    told = attempts_that_ended(stack, mine[0])
    # messages it may have loaded before it stood still; whether one is there twice is seen in the store
    outcome.add([("duplicated", f"the late worker says {what}") for what, _ in told
                 if what not in ("attempt_ended", "drained")], where)
    outcome.add(task.check(), where)
    left = [name for name in sessions(stack) if name.startswith("consign attempt")]
    outcome.add([("orphaned", f"a session is left: {name}") for name in left], where)
    outcome.points += 1
    outcome.reached.append(where)
    return True


def points(chance, task):
    """Without end, in a random order, none again before all of them came."""
    every = [(calls, nth) for calls, most in POINTS[task.name].items() for nth in range(1, most + 1)]
    while True:
        chance.shuffle(every)
        yield from every


def run_zombies(workers, task, times, seed, outcome):
    tried, chance = 0, random.Random(seed)
    for calls, nth in points(chance, task):
        if outcome.points >= times or tried > times * 6:
            break
        tried += 1
        stand_still(workers, task, calls, nth, outcome)
    if outcome.points < times:
        outcome.add([("unexpected", f"only {outcome.points} of {times} stood still in the middle")], task.name)


def run(table):
    with own_stack() as own:
        stack = own.start(**SETTINGS)
        workers = Workers(stack, SETTINGS["spooler__workers"])
        for make in TASKS:
            outcome, task = Outcome(), make(new_client(stack))
            run_zombies(workers, task, TIMES if make is Export else OTHERS, 6, outcome)
            outcome.settle(stack, [task])
            table.row(f"stands still, taken over, goes on: {task.name}", outcome.points,
                      outcome.points if make is Export else 0, outcome.sets, outcome.longest_s,
                      f"refused {outcome.points - len(outcome.sets.get('duplicated', []))} of {outcome.points}")


if __name__ == "__main__":
    from table import Table
    shown = Table()
    run(shown)
    print(shown.text())
    sys.exit(0 if shown.empty else 1)
