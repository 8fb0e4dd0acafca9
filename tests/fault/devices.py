"""Storage that fails on demand: a tmpfs that fills up, and a disk of a file that loses power, is slow or refuses.

A disk is nbdkit (with the filter that does the harm) -> nbdfuse -> a loop device -> ext4, because Debian's kernels
here offer neither device mapper targets nor fault injection. Used by power.py, disks.py and the short cut of them in
tests/integ; needs root. Everything is taken down by close(), and what a killed run left by the next one (leftovers).
"""

import contextlib
import glob
import os
import pathlib
import shutil
import signal
import subprocess
import tempfile
import time

PREFIX = "consign-fault."
TOOLS = ("nbdkit", "nbdfuse", "losetup", "mkfs.ext4", "fusermount3")
FULL_S = 20  # what takes longer than this here has gone wrong


class DeviceError(RuntimeError):
    """The tools did not do what they were asked to."""


def run(*command, check=True):
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, timeout=120,
                          stdin=subprocess.DEVNULL, env={**os.environ, "PATH": os.environ["PATH"] + ":/usr/sbin:/sbin"})
    if check and done.returncode != 0:
        raise DeviceError(f"{' '.join(map(str, command))}: rc {done.returncode}: {done.stdout}{done.stderr}")
    return done


def wait_until(condition, what, seconds=FULL_S):
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise DeviceError(f"waited {seconds} s: {what}")
        time.sleep(0.005)


def why_no_mounts():
    """Why this process can mount nothing, or None."""
    if os.geteuid() != 0:
        return "mounting a file system needs root"
    with tempfile.TemporaryDirectory(prefix=PREFIX) as place:
        done = run("mount", "-t", "tmpfs", "-o", "size=64k", "none", place, check=False)
        if done.returncode != 0:
            return f"no tmpfs can be mounted here: {done.stderr.strip()}"
        run("umount", place)
    return None


def why_no_disks():
    """Why no disk can be made here, or None."""
    path = os.environ["PATH"] + ":/usr/sbin:/sbin"
    missing = [tool for tool in TOOLS if shutil.which(tool, path=path) is None]
    if missing:
        return f"not installed: {', '.join(missing)} (make deps)"
    for node in ("/dev/fuse", "/dev/loop-control"):
        if not os.path.exists(node):
            return f"there is no {node}"
    reason = why_no_mounts()
    if reason is not None:
        return reason
    return None if run("losetup", "-f", check=False).returncode == 0 else "no loop device is free"


def is_mounted(path):
    return any(line.split()[1] == str(path) for line in pathlib.Path("/proc/self/mounts").read_text().splitlines())


def unmount(path, busy_s=FULL_S):
    """Whoever still has a file open there gets busy_s to close it."""
    if not is_mounted(path):
        return
    wait_until(lambda: run("umount", path, check=False).returncode == 0 or not is_mounted(path),
               f"{path} stays in use: {users_of(path)}", busy_s)


def users_of(path):
    """Processes that hold something open below path; for messages."""
    found = []
    for link in glob.glob("/proc/[0-9]*/fd/*"):  # that of pathlib fails at a process that has just ended
        with contextlib.suppress(OSError):
            if os.readlink(link).startswith(f"{path}/"):
                found.append(f"{link.split('/')[2]}:{os.readlink(link)}")
    return found[:10]


def make_place():
    """A folder for what this process makes; what is found in it later, when the process is gone, is a leftover."""
    return pathlib.Path(tempfile.mkdtemp(prefix=f"{PREFIX}{os.getpid()}."))


def leftovers():
    """Places of processes that were killed before they could take down what they had made."""
    for place in pathlib.Path(tempfile.gettempdir()).glob(f"{PREFIX}[0-9]*.*"):
        owner = place.name.removeprefix(PREFIX).split(".")[0]
        if owner.isdigit() and not pathlib.Path("/proc", owner).exists():
            yield place


def remove_tree(folder):
    """Removes a folder and whatever is mounted below it; for leftovers, in any state."""
    mounts = [line.split()[1] for line in pathlib.Path("/proc/self/mounts").read_text().splitlines()]
    for mounted in reversed([path for path in mounts if path.startswith(f"{folder}/")]):
        run("umount", "-l", mounted, check=False)
    shutil.rmtree(folder, ignore_errors=True)


class Tmpfs:
    """A file system of a bounded size at an existing folder, whose owner and contents it takes over. It is made full
    by making it smaller, so that nothing has to be written for that."""

    def __init__(self, path, size_bytes, inodes=4096):
        self.path = pathlib.Path(path)
        self.size_bytes, self.inodes = size_bytes, inodes
        with tempfile.TemporaryDirectory(prefix=PREFIX) as there:
            run("mount", "--bind", self.path, there)
            try:
                run("mount", "-t", "tmpfs", "-o", f"size={size_bytes},nr_inodes={inodes}", "consign-fault", self.path)
                run("cp", "-a", f"{there}/.", f"{self.path}/")
            finally:
                unmount(there)

    def _resize(self, make_options):
        """Somebody may write between the question and the new size; then once more."""
        wait_until(lambda: run("mount", "-o", f"remount,{make_options()}", self.path, check=False).returncode == 0,
                   f"{self.path} changes its size")

    def fill(self, left_bytes):
        """Leaves so many bytes, for the moment: what is removed there makes room again."""
        def options():
            about = os.statvfs(self.path)
            # a size of 0 means none
            return f"size={max((about.f_blocks - about.f_bfree) * about.f_frsize + left_bytes, about.f_frsize)}"
        self._resize(options)

    def use_inodes(self):
        """Leaves none."""
        def options():
            about = os.statvfs(self.path)
            return f"nr_inodes={about.f_files - about.f_ffree}"
        self._resize(options)

    def free(self):
        self._resize(lambda: f"size={self.size_bytes},nr_inodes={self.inodes}")

    def close(self):
        self.free()
        unmount(self.path)


class Disk:
    """An ext4 file system of its own at an existing folder, whose owner and contents it takes over.

    filters and options are nbdkit's: Disk(place, path, filters=["cache"], options=["cache=writeback"]). Make, attach and
    close disks in the main thread: nbdkit ends with the thread that started it.
    """

    def __init__(self, place, path, size="1G", filters=(), options=(), features=()):
        self.path = pathlib.Path(path)
        self.home = pathlib.Path(tempfile.mkdtemp(prefix=f"{self.path.name}.", dir=place))
        self.image = self.home / "image"
        self.filters = filters
        self.options = options
        self.processes = []
        self.fuse = self.home / "fuse"
        self.fuse.mkdir()
        run("truncate", "-s", size, self.image)
        # from 4 groups up files are spread, which is what errors by range need
        run("mkfs.ext4", "-q", "-F", "-m", "0", *(("-O", ",".join(features)) if features else ()), self.image)
        self._take_over()

    def _take_over(self):
        mounted = self.home / "new"
        mounted.mkdir()
        run("mount", "-o", "loop", self.image, mounted)
        try:
            (mounted / "lost+found").rmdir()
            run("cp", "-a", f"{self.path}/.", f"{mounted}/")
        finally:
            unmount(mounted)
        # whoever writes while nothing is mounted would find its file gone afterwards
        run("chown", "0:0", self.path)
        self.path.chmod(0)

    def check(self):
        """What an operator does before a disk that failed is mounted again."""
        done = run("e2fsck", "-fy", self.image, check=False)
        if done.returncode > 2:
            raise DeviceError(f"e2fsck: rc {done.returncode}: {done.stdout}{done.stderr}")

    def _start(self, log, *command):
        with open(self.home / log, "ab") as output:
            process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output, stderr=output,
                                       start_new_session=True)
        self.processes.append(process)
        return process

    def attach(self):
        """Serves the image and mounts it."""
        socket = self.home / "socket"
        socket.unlink(missing_ok=True)
        words = [f"--filter={name}" for name in self.filters]
        server = self._start("nbdkit.log", "nbdkit", "--exit-with-parent", "-f", "-U", str(socket), *words, "file",
                             str(self.image), *self.options)
        wait_until(lambda: socket.exists() or server.poll() is not None, "nbdkit makes its socket")
        fuse = self._start("nbdfuse.log", "setpriv", "--pdeathsig", "KILL", "nbdfuse", str(self.fuse / "disk"), "--unix",
                           str(socket))
        wait_until(lambda: is_mounted(self.fuse) or fuse.poll() is not None, "nbdfuse mounts")
        wait_until((self.fuse / "disk").exists, f"nbdfuse shows the disk; {self._logs()}")
        self.loop = run("losetup", "--show", "-f", self.fuse / "disk").stdout.strip()
        try:
            # noauto_da_alloc: a rename alone makes no file durable, which a forgotten fsync would hide behind
            run("mount", "-o", "noatime,noauto_da_alloc,errors=continue", self.loop, self.path)
        finally:
            run("losetup", "-d", self.loop, check=False)  # it goes when it is unmounted

    def _logs(self):
        return " ".join(path.read_text(errors="replace")[-500:] for path in self.home.glob("*.log"))

    def detach(self, busy_s=FULL_S):
        """Unmounts in peace, or after cut(); what the image then holds is there at the next attach()."""
        unmount(self.path, busy_s)
        wait_until(lambda: str(self.fuse) not in run("losetup", "-a").stdout, f"{self.loop} is let go")
        for process in self.processes:
            # nbdfuse unmounts itself; nbdkit writes back what is flushed by then
            if process.poll() is None and process is not self.processes[0]:
                process.terminate()
        run("fusermount3", "-uqz", self.fuse, check=False)
        for process in reversed(self.processes):
            with contextlib.suppress(ProcessLookupError):
                process.send_signal(signal.SIGTERM)
            try:
                process.wait(5)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait(5)
        self.processes = []

    def close(self):
        if self.processes:
            try:
                self.detach()
            finally:
                for process in self.processes:
                    process.kill()
                run("umount", "-l", self.path, check=False)
                run("umount", "-l", self.fuse, check=False)
        shutil.rmtree(self.home, ignore_errors=True)


def power_disk(place, path, size="1G"):
    """Whatever was not flushed is gone after cut()."""
    return Disk(place, path, size, filters=["cache"], options=["cache=writeback"])


def slow_disk(place, path, write_ms, size="1G"):
    return Disk(place, path, size, filters=["delay"], options=[f"wdelay={write_ms}ms"])


class FailingDisk(Disk):
    """A share of all writes fails while the file `switch` exists. Without a journal the file system goes on, as one
    does whose data is hit and its journal is not; with one it is read-only after the first that hits the journal."""

    def __init__(self, place, path, share, journal, size="1G"):
        self.switch = pathlib.Path(tempfile.mkdtemp(dir=place)) / "fails"
        super().__init__(place, path, size, filters=["error"], features=[] if journal else ["^has_journal"],
                         options=["error-pwrite=EIO", f"error-pwrite-rate={share}", f"error-file={self.switch}"])


def range_disk(place, path, first, last, size="1G"):
    """Writes to the bytes first to last fail for ever."""
    return Disk(place, path, size, filters=["protect"], options=[f"protect={first}-{last}"], features=["^has_journal"])


def freeze(disks):
    """From now on nothing gets to a disk, and nothing is told that it did."""
    for disk in disks:
        disk.processes[0].send_signal(signal.SIGSTOP)


def cut(disks):
    """The power goes, for all of them at the same moment."""
    freeze(disks)
    for disk in disks:
        disk.processes[0].kill()
        disk.processes[0].wait(5)
