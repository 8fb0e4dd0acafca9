"""What a piece of work costs: wall time, CPU of every process that took part, peak memory of workers.

Read from /proc before and after. Callers: engine.py, load.py.
"""
import os
import pathlib
import subprocess
import time

TICKS = os.sysconf("SC_CLK_TCK")
SETTLE_S = 0.05


class Cost:
    """wall and cpu in seconds; rss, the largest resident size of a worker, in MiB (None: not known)."""

    def __init__(self, wall, cpu, rss=None, text=""):
        self.wall, self.cpu, self.rss, self.text = wall, cpu, rss, text


def processes():
    """{pid: (parent, ticks)}; ticks are the process's own and those of children that it has waited for."""
    found = {}
    for entry in pathlib.Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                field = (entry / "stat").read_text().rsplit(")", 1)[1].split()
            except (FileNotFoundError, ProcessLookupError):
                continue
            found[int(entry.name)] = (int(field[1]), sum(int(n) for n in field[11:15]))
    return found


def below(known, root):
    """root and its descendants among the processes."""
    children = {}
    for pid, (parent, _) in known.items():
        children.setdefault(parent, []).append(pid)
    tree, todo = [], [root]
    while todo:
        pid = todo.pop()
        if pid in known:
            tree.append(pid)
            todo += children.get(pid, [])
    return tree


def cpu_of(groups):
    """{name: CPU seconds, ever} of {name: roots}: what a child that ended used is its parent's. A backend that is just
    ending may be missed by a look that takes a while, so two looks must see the same processes."""
    seen = None
    while True:
        known = processes()
        trees = {name: sorted(pid for root in roots for pid in below(known, root)) for name, roots in groups.items()}
        if trees == seen:
            return {name: sum(known[pid][1] for pid in tree) / TICKS for name, tree in trees.items()}
        seen = trees
        time.sleep(SETTLE_S)


def cpu_seconds(roots):
    """CPU of the trees, ever."""
    return cpu_of({"all": roots})["all"]


def run(command):
    """Runs a program: Cost of it alone, with what it printed; RuntimeError when it fails. Its peak is at
    least ours, because it began as a fork of us."""
    began = time.monotonic()
    child = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    text = child.stdout.read()
    _, status, used = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode != 0:
        raise RuntimeError(f"{os.path.basename(command[0])}: exit status {child.returncode}")
    return Cost(time.monotonic() - began, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024, text)


class Meter:
    """Measures work that the processes of a stack do: its spooler's and its database's."""

    def __init__(self, spooler, postgres):
        self.spooler, self.postgres = spooler, postgres

    def workers(self):
        return [pid for pid in below(processes(), self.spooler) if pid != self.spooler]

    def forget_peaks(self):
        """Begins the peak of each worker anew; False when the kernel does not let us."""
        try:
            for pid in self.workers():
                pathlib.Path(f"/proc/{pid}/clear_refs").write_text("5")
        except OSError:
            return False
        return True

    def peak(self):
        """The largest VmHWM of a worker in MiB, or None."""
        peaks = []
        for pid in self.workers():
            try:
                lines = pathlib.Path(f"/proc/{pid}/status").read_text().splitlines()
            except OSError:
                continue
            peaks += [int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM")]
        return max(peaks, default=None)

    def of_stack(self, work):
        """(Cost of work() in the spooler and the database, what it returned)."""
        before, began = cpu_seconds([self.spooler, self.postgres]), time.monotonic()
        result = work()
        wall = time.monotonic() - began
        return Cost(wall, cpu_seconds([self.spooler, self.postgres]) - before, self.peak()), result

    def of_program(self, command):
        """Cost of a program that reads the database, the database's part included."""
        before = cpu_seconds([self.postgres])
        cost = run(command)
        cost.cpu += cpu_seconds([self.postgres]) - before
        return cost
