"""One worker of the spooler at work while the others are held, and what strace does to it at its Nth system call.

Needs root and a kernel that permits ptrace: workers are confined and can't be dumped. Where that is not so, attach()
fails and says it; nothing is left out in silence.
"""

import os
import pathlib
import re
import signal
import subprocess
import tempfile
import time

ATTACH_S = 10


def state(pid):
    """The letter in /proc, "X" when it is gone."""
    try:
        return pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return "X"


def wait_for(condition, what, seconds=30):
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < deadline, what
        time.sleep(0.01)
    return found


class Workers:
    """The spooler's workers of a stack, as many as it should have."""

    def __init__(self, stack, count):
        self.stack, self.count = stack, count

    def pids(self):
        """All of them, once the supervisor has replaced those that ended."""
        def whole():
            found = self.stack.spooler_pids()[1:]
            return found if len(found) == self.count and all(state(pid) in "SRDTt" for pid in found) else None
        return wait_for(whole, "the spooler's workers are not all there")

    def hold(self):
        """Stops all that are not held yet; returns the pids."""
        found = self.pids()
        for pid in found:
            os.kill(pid, signal.SIGSTOP)
        for pid in found:
            wait_for(lambda pid=pid: state(pid) in "Tt", "a worker does not stop")
        return found

    def go(self, *pids):
        for pid in pids:
            try:
                os.kill(pid, signal.SIGCONT)
            except ProcessLookupError:
                pass


class Injection:
    """strace on a process that is held, or on several, with those that they start. `what` and `nth` are parts of strace's
    -e inject: error=EIO, signal=KILL, signal=STOP; 3, or 3+ for each from the third on."""

    def __init__(self, pids, calls, what, nth):
        self.pids = pids if isinstance(pids, list) else [pids]
        self.trace = tempfile.NamedTemporaryFile(prefix="consign-trace.", mode="r")
        self.errors = tempfile.NamedTemporaryFile(prefix="consign-trace.", mode="r")
        self.strace = subprocess.Popen(
            ["strace", "-f", *(word for pid in self.pids for word in ("-p", str(pid))), "-o", self.trace.name, "-e", f"trace={calls}",
             "-e", f"inject={calls}:{what}:when={nth}"], stderr=open(self.errors.name, "w"), stdin=subprocess.DEVNULL)
        self.attach()

    def attach(self):
        deadline = time.monotonic() + ATTACH_S
        while pathlib.Path(self.errors.name).read_text().count("attached") < len(self.pids):
            said = pathlib.Path(self.errors.name).read_text()
            assert self.strace.poll() is None and time.monotonic() < deadline, \
                f"strace can't attach to a worker (root and permission to ptrace are needed): {said}"
            time.sleep(0.005)

    @property
    def hit(self):
        """Whether the call was reached, and its line of the trace."""
        found = re.findall(r"^.*(?:INJECTED|--- SIGSTOP|--- stopped by SIGSTOP|\+\+\+ killed).*$",
                           pathlib.Path(self.trace.name).read_text(errors="replace"), re.M)
        return [line for line in found if "stopped by" not in line] and found[-1]

    def end(self):
        """strace lets go of the process, which stays as it is."""
        self.strace.send_signal(signal.SIGINT)
        self.strace.wait(ATTACH_S)
        hit = self.hit
        self.trace.close()
        self.errors.close()
        return hit
