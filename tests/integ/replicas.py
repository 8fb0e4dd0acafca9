"""Streaming replicas of a stack's PostgreSQL, made by pg_basebackup, and their promotion. Used by test_failover.py.

Every server listens in a folder of its own, <stack>/run/<name>; the stack's own server is the one in run/pg. A name that
is a whole path stands for the folder at that path.
"""

import contextlib
import os
import pathlib
import pwd
import signal
import subprocess
import time
from urllib.parse import quote

import psycopg

from stack import is_alive, process_tree


def bin_folder():
    return os.environ.get("CONSIGN_PG_BIN") or str(max(pathlib.Path("/usr/lib/postgresql").glob("*/bin"),
                                                       key=lambda path: int(path.parent.name)))


class Servers:
    """The servers of a stack in `dir`; names are those of their data folders."""

    def __init__(self, stack_dir):
        self.dir = pathlib.Path(stack_dir)
        self.made = []

    def socket(self, name):
        return self.dir / "run" / name

    def uri(self, user, *names):
        """A connection string with the hosts of these names."""
        hosts = quote(",".join(str(self.socket(name)) for name in names), safe="")
        return f"postgresql:///consign?host={hosts}&user={user}"

    def connect(self, name):
        return psycopg.connect(host=str(self.socket(name)), user="postgres", dbname="consign", autocommit=True,
                               connect_timeout=5)

    def _run(self, *command):
        """A program of PostgreSQL, as the user that the stack's server runs as."""
        owner = pwd.getpwuid((self.dir / "pg").stat().st_uid)
        identity = {} if os.getuid() == owner.pw_uid else {"user": owner.pw_uid, "group": owner.pw_gid, "extra_groups": []}
        return subprocess.Popen([f"{bin_folder()}/{command[0]}", *command[1:]], stdin=subprocess.DEVNULL,
                                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, cwd="/", **identity)

    def replicate(self, primary, name):
        """A replica of the primary that every commit there waits for."""
        with open(self.dir / primary / "pg_hba.conf", "a", encoding="utf-8") as rules:
            rules.write("local replication all peer map=consign\n")
        with self.connect(primary) as db:
            db.execute("SELECT pg_reload_conf()")
        copy = self._run("pg_basebackup", "-h", str(self.socket(primary)), "-U", "postgres", "-D", str(self.dir / name), "-R",
                         "-c", "fast")
        said, _ = copy.communicate(timeout=60)
        assert copy.returncode == 0, said.decode()
        socket = self.socket(name)
        socket.mkdir(mode=0o700)
        owner = (self.dir / "pg").stat()
        os.chown(socket, owner.st_uid, owner.st_gid)
        self.made.append(self._run("postgres", "-D", str(self.dir / name), "-c", f"unix_socket_directories={socket}",
                                   "-c", f"primary_conninfo=host={self.socket(primary)} user=postgres",
                                   "-c", "log_destination=syslog"))
        with self.connect(primary) as db:
            db.execute("ALTER SYSTEM SET synchronous_standby_names = '*'")
            db.execute("SELECT pg_reload_conf()")
            wait(lambda: db.execute("SELECT count(*) FROM pg_stat_replication WHERE sync_state = 'sync'").fetchone()[0] == 1)

    def promote(self, name):
        """Returns the moment from which the replica takes writes."""
        with self.connect(name) as db:
            db.execute("ALTER SYSTEM RESET synchronous_standby_names")
            db.execute("SELECT pg_reload_conf()")
            assert db.execute("SELECT pg_promote()").fetchone()[0]
        return time.monotonic()

    def pids(self, name):
        return process_tree(int((self.dir / name / "postmaster.pid").read_text().split()[0]))

    def signal(self, name, number):
        for pid in self.pids(name):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)

    def kill(self, name):
        """What a host that loses power does to its clients."""
        pids = self.pids(name)
        self.signal(name, signal.SIGKILL)
        wait(lambda: not any(is_alive(pid) for pid in pids))

    def stop_made(self):
        for server in self.made:
            with contextlib.suppress(OSError, ValueError):
                for pid in process_tree(server.pid):
                    os.kill(pid, signal.SIGKILL)
            server.wait(10)
            server.stdout.close()


def wait(condition, seconds=20):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "the servers do not get there"
        time.sleep(0.02)
