"""Rolling restarts under load: pool, spooler and nginx reloaded, the programs replaced, and not one request fails.

run(table) is a part of the fault suite (make fault): 20 restarts in 60 s at 200 requests a second with uploads, downloads
and exports running. tests/integ/test_reload.py takes a short cut of the same. CONSIGN_OTHER_BUILD names a build tree whose
programs take turns with the stack's own; without it a copy of these that is another file serves.
"""

import contextlib
import os
import pathlib
import re
import shutil
import signal
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "integ"))

from ownstack import new_client, own_stack  # noqa: E402
from stack import process_tree  # noqa: E402
from steadyload import Steady  # noqa: E402

PROGRAMS = {"api": "consign-api", "spooler": "consign-spooler"}
DECIDED = re.compile(r" event=(reload_refused|reload_failed|reload_stuck|reloaded) .*")


def pid_of(stack, name):
    return int((stack.dir / "pids" / name).read_text())


def workers_of(stack, name):
    return set(process_tree(pid_of(stack, name))[1:])


def decisions(stack, name):
    """What became of all reloads of a service so far, a line for each."""
    return [found.group(0).strip() for found in DECIDED.finditer((stack.dir / "log" / f"{name}.log").read_text())]


def wait_decision(stack, name, before, seconds=40):
    deadline = time.monotonic() + seconds
    while len(found := decisions(stack, name)) <= before:
        assert time.monotonic() < deadline, f"the {name} does not reload"
        time.sleep(0.02)
    return found[before]


def reload(stack, name):
    """SIGHUP to pool or spooler; returns what it says when that is decided."""
    before = len(decisions(stack, name))
    os.kill(pid_of(stack, name), signal.SIGHUP)
    return wait_decision(stack, name, before)


@contextlib.contextmanager
def settings(stack, name, **lines):
    """Other settings of pool or spooler while it is open, with their dot as two underscores, brought by a reload."""
    file = stack.dir / "consign.conf"
    before = text = file.read_text()
    for key, value in lines.items():
        key = key.replace("__", ".")
        text = re.sub(rf"(?m)^{re.escape(key)} = .*\n", "", text) + f"{key} = {value}\n"
    try:
        file.write_text(text)
        assert "event=reloaded " in reload(stack, name)
        yield
    finally:
        file.write_text(before)
        assert "event=reloaded " in reload(stack, name)


class Builds:
    """Two builds of each program that take turns at its path."""

    def __init__(self, stack):
        self.stack, self.turn = stack, 0
        other = os.environ.get("CONSIGN_OTHER_BUILD")
        self.places = [stack.dir / "builds" / name for name in ("one", "other")]
        for place in self.places:
            place.mkdir(parents=True, exist_ok=True)
        for program in PROGRAMS.values():
            own = stack.dir / "bin" / program
            shutil.copy2(own, self.places[0])
            shutil.copy2(pathlib.Path(other) / "bin" / program if other else own, self.places[1])
            if not other:  # bytes after the end of an ELF file are nobody's
                with (self.places[1] / program).open("ab") as file:
                    file.write(b"another build\n")

    def replace(self):
        """Puts the other build in place, as an installer does: written aside and renamed."""
        self.turn += 1
        for program in PROGRAMS.values():
            path = self.stack.dir / "bin" / program
            aside = path.with_suffix(".new")
            shutil.copy2(self.places[self.turn % 2] / program, aside)
            owner = path.stat()
            os.chown(aside, owner.st_uid, owner.st_gid)
            aside.rename(path)


def runs_what_lies_there(stack, name):
    """Whether the service is the very file at its path, and not one that was there before."""
    running = os.stat(f"/proc/{pid_of(stack, name)}/exe")
    lying = (stack.dir / "bin" / PROGRAMS[name]).stat()
    return (running.st_dev, running.st_ino) == (lying.st_dev, lying.st_ino)


def restart(stack, builds):
    """One rolling restart of everything at once; returns what went wrong."""
    builds.replace()
    before = {name: len(decisions(stack, name)) for name in PROGRAMS}
    pids = {name: pid_of(stack, name) for name in PROGRAMS}
    for name in (*PROGRAMS, "nginx"):
        os.kill(pid_of(stack, name), signal.SIGHUP)
    wrong = []
    for name in PROGRAMS:
        said = wait_decision(stack, name, before[name])
        if "event=reloaded " not in said:
            wrong.append(f"{name}: {said}")
        if os.geteuid() == 0 and not runs_what_lies_there(stack, name):
            wrong.append(f"{name}: still the program before")
        if pid_of(stack, name) != pids[name]:
            wrong.append(f"{name}: has another pid")
    return wrong


def wait_retired_one(stack, name, seconds=90):
    """Until the last reload of a service is over: only the newest workers are left."""
    deadline = time.monotonic() + seconds
    while "event=reload_over" not in (stack.dir / "log" / f"{name}.log").read_text().rsplit("event=reloaded ", 1)[1]:
        assert time.monotonic() < deadline, f"old workers of the {name} stay"
        time.sleep(0.05)


def roll(stack, clients, restarts, seconds, rate, profiles):
    """With a client and its neighbour. Returns the load, stopped, and what the restarts themselves found wrong."""
    load, builds, wrong = Steady(*clients, rate, profiles), Builds(stack), []
    load.start()
    begin = time.monotonic()
    for number in range(restarts):
        time.sleep(max(0, begin + (number + 0.5) * seconds / restarts - time.monotonic()))
        wrong += restart(stack, builds)
    time.sleep(max(0, begin + seconds - time.monotonic()))
    load.stop()
    for name in PROGRAMS:
        wait_retired_one(stack, name)
    return load, wrong


def run(table):
    with own_stack() as own:
        stack = own.start(api__workers=0, api__org_workers=0)
        load, wrong = roll(stack, [new_client(stack), new_client(stack)], restarts=20, seconds=60, rate=200, profiles=20_000)
        exports = len(load.exports)
        note = (f"{load.done} requests at 200/s, {len(load.failed)} failed, {load.uploads} uploads, {load.downloads} downloads, "
                f"{load.succeeded} of {exports} exports, {load.reopened} idle connections opened anew")
        lost = [f"{exports - load.succeeded} exports did not succeed"] if load.succeeded < exports else []
        few = [f"only {load.done} requests"] if load.done < 10_000 else []
        table.row("rolling restart of pool, spooler, nginx", 20, exports,
                  {"lost": lost, "unexpected": load.failed + wrong + few}, load.outage_s, note)
