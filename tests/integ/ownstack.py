"""A stack of a test's own, with settings of its own; used where the shared stack's settings do not do."""

import contextlib
import fcntl
import os
import pathlib
import random
import shutil
import socket
import subprocess
import tempfile
from unittest import mock

from client import Client
from stack import DEVSTACK, Stack, Tenants


PORTS = (24000, 32000)  # below those that the kernel gives to clients


def devstack(*args):
    return subprocess.run([str(DEVSTACK), *args], capture_output=True, text=True, timeout=300, stdin=subprocess.DEVNULL)


def free_port():
    """A port that is free together with the next one, which the operators' listener takes, and stays so while nobody
    listens: one of the kernel's own choice is soon that of a client, which may even reach itself when it calls a service
    that is down."""
    while True:
        port = random.randrange(*PORTS, 2)
        with contextlib.suppress(OSError), socket.socket() as first, socket.socket() as second:
            first.bind(("127.0.0.1", port))
            second.bind(("127.0.0.1", port + 1))
            return port


@contextlib.contextmanager
def backup_lock(stack):
    """As README.md says (Backup and restore): nothing is removed from the inbox."""
    with (stack.dir / "inbox/lock").open("ab") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


class OwnStack:
    """start() and stop() as often as wanted; what is in the store stays."""

    def __init__(self):
        # where tests/run stops whatever is left, however pytest ended
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="own.", dir=os.environ.get("CONSIGN_TEST_DIR")))
        self.port = free_port()

    def start(self, **settings):
        """Settings with their dot as two underscores: spooler__workers=1. Returns the Stack."""
        lines = [word for name, value in settings.items() for word in ("--set", f"{name.replace('__', '.')}={value}")]
        up = devstack("up", "--dir", str(self.dir), "--port", str(self.port), *lines)
        assert up.returncode == 0, up.stdout + up.stderr
        shown = dict(line.removeprefix("export ").split("=", 1)
                     for line in devstack("env", "--dir", str(self.dir)).stdout.splitlines())
        with mock.patch.dict(os.environ, {name: value.strip("'") for name, value in shown.items()}):
            return Stack()

    def stop(self):
        down = devstack("down", "--dir", str(self.dir))
        assert down.returncode == 0, down.stdout + down.stderr

    def remove(self):
        devstack("down", "--dir", str(self.dir))
        shutil.rmtree(self.dir, ignore_errors=True)


@contextlib.contextmanager
def own_stack():
    made = OwnStack()
    try:
        yield made
    finally:
        made.remove()


def new_client(stack):
    """A client with all rights in an org and sandbox of its own."""
    tenants = Tenants(stack)
    org = tenants.org("own")
    return Client(stack, org, "own", *tenants.credentials(org))
