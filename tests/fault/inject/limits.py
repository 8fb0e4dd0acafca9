"""Limits of one worker set while it runs: no further memory, no further descriptors."""

import pathlib
import resource
import subprocess

from inject.fault import Fault

PAGE = resource.getpagesize()


def set_limit(pid, which, soft):
    """Sets a soft limit as the user of the process: root may do so in no container. False: the process is gone."""
    try:
        status = pathlib.Path(f"/proc/{pid}/status").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False
    user, group = (int(line.split()[1]) for line in status.splitlines() if line.startswith(("Uid:", "Gid:")))
    done = subprocess.run(["prlimit", f"--pid={pid}", f"--{which}={soft}:"], user=user, group=group, extra_groups=[],
                          capture_output=True, text=True, check=False)
    if done.returncode != 0 and pathlib.Path(f"/proc/{pid}").exists() and "No such process" not in done.stderr:
        raise RuntimeError(f"prlimit: {done.stderr}")
    return done.returncode == 0


class Limited(Fault):
    """One worker of a service is limited and, unless it has ended, given its limit back."""

    times = 10
    service = "api"
    which = ""

    def __init__(self, stand):
        super().__init__(stand)
        self.pid, self.before = None, None

    def limit(self, pid):
        """The soft limit for a worker."""
        raise NotImplementedError

    def start(self):
        self.pid = self.stand.any_worker(self.service)
        try:
            most = self.limit(self.pid)
            self.before = soft_limit(self.pid, self.which)
        except (ProcessLookupError, FileNotFoundError, ValueError):
            self.before = None
        if self.before is None or not set_limit(self.pid, self.which, most):
            return self.missed()
        return self.random.uniform(0.5, 2)

    def heal(self):
        if self.before is not None:
            set_limit(self.pid, self.which, self.before)


def soft_limit(pid, which):
    """As the kernel shows it: a number or `unlimited`."""
    name = {"as": "Max address space", "nofile": "Max open files"}[which]
    for line in pathlib.Path(f"/proc/{pid}/limits").read_text().splitlines():
        if line.startswith(name):
            return line[len(name):].split()[0]
    raise ValueError(name)


class PoolMemory(Limited):
    """What it has, and a little."""

    name = "memory limit of a pool worker"
    which = "as"

    def limit(self, pid):
        return int(pathlib.Path(f"/proc/{pid}/statm").read_text().split()[0]) * PAGE + self.random.choice((0, 1 << 16, 1 << 20))


class SpoolerMemory(PoolMemory):
    name = "memory limit of a spooler worker"
    service = "spooler"


class PoolDescriptors(Limited):
    """None, or one, further than it has open."""

    name = "descriptor limit of a pool worker"
    which = "nofile"

    def limit(self, pid):
        return max(int(path.name) for path in pathlib.Path(f"/proc/{pid}/fd").iterdir()) + 1 + self.random.choice((0, 0, 1))


class SpoolerDescriptors(PoolDescriptors):
    name = "descriptor limit of a spooler worker"
    service = "spooler"
