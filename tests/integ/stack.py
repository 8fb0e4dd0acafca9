"""The stack under test: where it is, its operator command and its processes.

Owns everything that is not HTTP. Used by conftest.py and by the fault tests.
The stack is started by tools/devstack; its address comes from the environment.
"""

import contextlib
import os
import pathlib
import signal
import subprocess
import time
import uuid
from urllib.parse import urlsplit

REPO = pathlib.Path(__file__).resolve().parents[2]
DEVSTACK = REPO / "tools" / "devstack"
VARIABLES = (
    "CONSIGN_URL", "CONSIGN_OPS_URL", "CONSIGN_PGURI", "CONSIGN_LAKE", "CONSIGN_DIR",
    "CONSIGN_ORG", "CONSIGN_SANDBOX", "CONSIGN_CLIENT_ID", "CONSIGN_CLIENT_SECRET",
    "CONSIGN_TOKEN",
)
RIGHTS = (
    "catalog:read", "catalog:write", "export:read", "export:write", "profile:read",
    "profile:write", "ingest:write", "files:read", "schema:read", "schema:write",
)


def missing_variables():
    """Names of the variables the stack needs that are not set."""
    return [name for name in VARIABLES if not os.environ.get(name)]


class Stack:
    """The running stack: addresses, consignctl, devstack, process ids."""

    def __init__(self):
        env = os.environ
        self.url = env["CONSIGN_URL"].rstrip("/")
        self.ops_url = env["CONSIGN_OPS_URL"].rstrip("/")
        self.pg_uri = env["CONSIGN_PGURI"]
        self.lake = pathlib.Path(env["CONSIGN_LAKE"])
        self.dir = pathlib.Path(env["CONSIGN_DIR"])
        self.org = env["CONSIGN_ORG"]
        self.sandbox = env["CONSIGN_SANDBOX"]
        self.client_id = env["CONSIGN_CLIENT_ID"]
        self.client_secret = env["CONSIGN_CLIENT_SECRET"]
        self.token = env["CONSIGN_TOKEN"]

    def ctl(self, *args):
        """Run consignctl; returns its standard output, raises with its errors."""
        command = [str(self.dir / "bin" / "consignctl"), "--config",
                   str(self.dir / "consign.conf"), *args]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60)
        if done.returncode != 0:
            raise RuntimeError(f"consignctl {' '.join(args)}: rc {done.returncode}\n"
                               f"{done.stdout}{done.stderr}")
        return done.stdout

    def up(self):
        """Start whatever part of the stack is down; harmless when all is up."""
        port = urlsplit(self.url).port
        done = subprocess.run(
            [str(DEVSTACK), "up", "--dir", str(self.dir), "--port", str(port)],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL,
            text=True, timeout=90)
        if done.returncode != 0:
            raise RuntimeError(f"devstack up: rc {done.returncode}\n{done.stdout}")

    def spooler_pids(self):
        """Pids of the spooler's supervisor and of every process below it."""
        listed = self.dir / "pids" / "spooler"
        roots = [int(word) for word in listed.read_text().split()] if listed.exists() else []
        return [pid for root in roots for pid in process_tree(root)]

    def signal_spooler(self, number):
        """Send a signal to all spooler processes; returns the pids reached."""
        reached = []
        for pid in self.spooler_pids():
            try:
                os.kill(pid, number)
                reached.append(pid)
            except ProcessLookupError:
                pass
        return reached

    def kill_spooler(self):
        """kill -9 of all spooler processes, repeated until none is left."""
        killed = set()
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline:
            now = self.signal_spooler(signal.SIGKILL)
            killed.update(now)
            if not [pid for pid in killed if is_alive(pid)]:
                return killed
            time.sleep(0.01)
        raise RuntimeError(f"spooler processes survive kill -9: {sorted(killed)}")

    def stop_postgres(self):
        """What pg_ctl stop -m immediate does: SIGQUIT to the postmaster."""
        pid = int((self.dir / "pg" / "postmaster.pid").read_text().split()[0])
        os.kill(pid, signal.SIGQUIT)
        deadline = time.monotonic() + 15
        while is_alive(pid):
            if time.monotonic() > deadline:
                raise RuntimeError("postgres does not stop")
            time.sleep(0.02)


    @contextlib.contextmanager
    def postgres_stopped(self):
        """While it is open no PostgreSQL process runs: connects succeed, nothing answers."""
        root = int((self.dir / "pg" / "postmaster.pid").read_text().split()[0])
        pids = process_tree(root)
        for pid in pids:
            os.kill(pid, signal.SIGSTOP)
        try:
            yield
        finally:
            for pid in pids:
                if is_alive(pid):
                    os.kill(pid, signal.SIGCONT)


class Tenants:
    """Makes orgs, sandboxes and clients by consignctl; every name is fresh."""

    def __init__(self, stack):
        self.stack = stack

    def org(self, *sandboxes):
        org = f"T{uuid.uuid4().hex[:20]}@AdobeOrg"
        self.stack.ctl("org", "create", "--id", org, "--name", "integration test")
        for name in sandboxes:
            self.sandbox(org, name)
        return org

    def sandbox(self, org, name=None):
        name = name or f"s{uuid.uuid4().hex[:12]}"
        self.stack.ctl("sandbox", "create", "--org", org, "--name", name)
        return name

    def credentials(self, *orgs, rights="all"):
        """A new client entitled to the orgs: (client_id, client_secret)."""
        wanted = [word for org in orgs for word in ("--org", org)]
        out = self.stack.ctl("client", "create", *wanted, "--name", "test", "--rights", rights)
        pairs = dict(line.split("=", 1) for line in out.splitlines() if "=" in line)
        return pairs["client_id"].strip(), pairs["client_secret"].strip()


def is_alive(pid):
    """True while the process runs; a zombie counts as gone."""
    try:
        stat = pathlib.Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False
    return stat.rsplit(")", 1)[1].split()[0] != "Z"


def process_tree(root):
    """The pid and all its living descendants, parents first."""
    children = {}
    for entry in pathlib.Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            stat = (entry / "stat").read_text()
        except (FileNotFoundError, ProcessLookupError):
            continue
        children.setdefault(int(stat.rsplit(")", 1)[1].split()[1]), []).append(int(entry.name))
    found, todo = [], [root]
    while todo:
        pid = todo.pop(0)
        if is_alive(pid):
            found.append(pid)
        todo.extend(children.get(pid, []))
    return found
