"""What the processes may do, read from /proc and from the file system, and what the pool refuses to start with.

Where a wrong setting is needed, a pool of its own is started by hand with a settings file made from the
stack's. tests/unit/test_confine.c tests the list of system calls itself.
"""

import contextlib
import os
import pathlib
import pwd
import shutil
import signal
import socket
import stat
import struct
import subprocess
import threading
import time

import pytest

import stack as stacklib


def mode(path):
    return stat.S_IMODE(os.stat(path).st_mode)


def status(pid):
    """/proc/PID/status as a map."""
    lines = pathlib.Path(f"/proc/{pid}/status").read_text().splitlines()
    return {name: value.strip() for name, value in (line.split(":", 1) for line in lines)}


def sanitized(stack):
    return b"__asan_init" in (stack.dir / "bin" / "consign-api").read_bytes()


@pytest.fixture(params=["api", "spooler"])
def processes(request, stack):
    """Supervisor first, then its workers."""
    supervisor = int((stack.dir / "pids" / request.param).read_text())
    found = stacklib.process_tree(supervisor)
    assert len(found) > 1, f"{request.param} has no worker"
    return found


def test_nobody_is_root_or_can_become_it(stack, processes):
    owner = pwd.getpwuid(os.stat(stack.dir).st_uid)
    wanted = {str(gid) for gid in os.getgrouplist(owner.pw_name, owner.pw_gid)}
    for pid in processes:
        told = status(pid)
        assert told["Uid"].split() == [str(owner.pw_uid)] * 4 and owner.pw_uid != 0
        assert told["Gid"].split() == [str(owner.pw_gid)] * 4
        assert set(told["Groups"].split()) <= wanted
        assert told["NoNewPrivs"] == "1"
        for name in ("CapInh", "CapPrm", "CapEff", "CapAmb"):
            assert int(told[name], 16) == 0, (pid, name)


def test_workers_are_confined(stack, processes):
    if sanitized(stack):
        pytest.skip("a sanitizer build does not confine")
    for pid in processes[1:]:
        assert status(pid)["Seccomp"] == "2", pid


def test_the_environment_is_empty(processes):
    for pid in processes:
        try:
            left = pathlib.Path(f"/proc/{pid}/environ").read_bytes()
        except PermissionError:  # not root: a process that is not dumpable hides it
            continue
        assert left.strip(b"\0") == b"", pid


def test_workers_cannot_be_read_by_their_own_user(processes):
    """Not dumpable: what /proc tells about memory belongs to root."""
    for pid in processes:
        assert os.stat(f"/proc/{pid}/mem").st_uid == 0


def test_modes_of_what_must_be_hidden(stack):
    assert mode(stack.dir / "run") == 0o750
    assert mode(stack.dir / "run" / "api.sock") == 0o660
    assert mode(stack.dir / "keys") == 0o700
    assert mode(stack.dir / "keys" / "ims-signing.pem") == 0o600
    assert mode(stack.dir / "client") == 0o600
    for name in ("consign.conf", "log", "inbox", "lake"):
        assert mode(stack.dir / name) & 0o007 == 0, name


class Pool:
    """A place for a consign-api started by hand: a folder of the stack's user and a settings file."""

    def __init__(self, stack, name):
        self.binary = stack.dir / "bin" / "consign-api"
        self.place = stack.dir / name
        self.owner = os.stat(stack.dir)
        self.settings = {}
        for line in (stack.dir / "consign.conf").read_text().splitlines():
            if not line.startswith("#"):
                key, value = line.split("=", 1)
                self.settings[key.strip()] = value.strip()
        user = pwd.getpwuid(self.owner.st_uid).pw_name
        self.settings |= {"api.user": user, "api.workers": "2", "api.socket": f"{self.place}/run/api.sock",
                          "keys.dir": f"{self.place}/keys"}
        for folder in (self.place, self.place / "run", self.place / "keys"):
            folder.mkdir(mode=0o700)
            self.own(folder)

    def own(self, path):
        os.chown(path, self.owner.st_uid, self.owner.st_gid)

    def start(self, environment=None):
        conf = self.place / "consign.conf"
        conf.write_text("".join(f"{key} = {value}\n" for key, value in self.settings.items()))
        self.log = open(self.place / "log", "w+b")
        return subprocess.Popen([self.binary, "--config", conf], stdin=subprocess.DEVNULL, stdout=self.log,
                                stderr=self.log, env=environment or {}, start_new_session=True)

    def said(self):
        return (self.place / "log").read_text(errors="replace")

    def refuses(self, *words):
        """It must end by itself, soon, with a status, and say why."""
        process = self.start()
        try:
            assert process.wait(15) not in (0, None)
        except subprocess.TimeoutExpired:
            pytest.fail("it serves:\n" + self.said())
        finally:
            process.kill()
            process.wait()
        assert "event=ready" not in self.said()
        for word in words:
            assert word in self.said(), self.said()

    @contextlib.contextmanager
    def serving(self, environment=None):
        process = self.start(environment)
        try:
            deadline = time.monotonic() + 20
            while "event=ready" not in self.said():
                assert process.poll() is None and time.monotonic() < deadline, self.said()
                time.sleep(0.02)
            yield process
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


@pytest.fixture
def pool(stack):
    place = f"hardening-{os.getpid()}"
    yield Pool(stack, place)
    shutil.rmtree(stack.dir / place)


only_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root to start as root")


def test_a_pool_by_hand_serves(pool):
    with pool.serving():
        assert get_ready(pool) == 200


@pytest.mark.parametrize("bits", [0o644, 0o640, 0o604, 0o660])
def test_refuses_a_key_that_others_may_read(stack, pool, bits):
    key = pool.place / "keys" / "ims-signing.pem"
    shutil.copyfile(stack.dir / "keys" / "ims-signing.pem", key)
    pool.own(key)
    key.chmod(bits)
    pool.refuses("event=signing_key", "0600")


@pytest.mark.parametrize("bits", [0o755, 0o751, 0o754, 0o770, 0o777])
def test_refuses_an_open_socket_folder(pool, bits):
    (pool.place / "run").chmod(bits)
    pool.refuses("event=listen", "0750")


@only_root
def test_refuses_a_socket_folder_of_somebody_else(pool):
    os.chown(pool.place / "run", 0, 0)
    pool.refuses("event=listen", "another user")


@only_root
@pytest.mark.parametrize("user", ["root", "no-such-user", ""])
def test_refuses_to_serve_as_root(pool, user):
    pool.settings["api.user"] = user
    pool.refuses("event=privileges")


@only_root
@pytest.mark.parametrize("user", ["root", "no-such-user"])
def test_the_spooler_refuses_to_work_as_root(stack, pool, user):
    pool.binary = stack.dir / "bin" / "consign-spooler"
    pool.settings["spooler.user"] = user
    pool.refuses("event=privileges")


def test_the_environment_is_overwritten_at_the_start(pool):
    with pool.serving({"PGPASSWORD": "hidden", "HOME": "/"}) as process:
        for pid in stacklib.process_tree(process.pid):
            try:
                left = pathlib.Path(f"/proc/{pid}/environ").read_bytes()
            except PermissionError:
                continue
            assert left.strip(b"\0") == b""


def test_a_confined_worker_reaches_the_database_by_name_over_tcp(stack, pool):
    """The name is looked up, and TCP spoken, after the list of system calls is in force."""
    with bridge(stack.dir / "run" / "pg" / ".s.PGSQL.5432") as port:
        pool.settings["database.api"] = f"host=localhost port={port} dbname=consign user=consign_api"
        with pool.serving():
            assert [get_ready(pool) for _ in range(8)] == [200] * 8
    assert "worker_ended" not in pool.said(), pool.said()


def test_a_confined_worker_bears_a_database_that_cannot_be_found(pool):
    pool.settings["database.api"] = "host=no-such-name.invalid port=5432 dbname=consign user=consign_api"
    pool.settings["api.request_seconds"] = "60"
    with pool.serving():
        assert get_ready(pool) == 503
    assert "worker_ended" not in pool.said(), pool.said()


def test_a_killed_worker_is_said_and_replaced(pool):
    """SIGSYS is what the kernel sends for a call that kills; here it is sent by hand."""
    with pool.serving() as process:
        assert get_ready(pool) == 200
        victim = stacklib.process_tree(process.pid)[1]
        os.kill(victim, signal.SIGSYS)
        deadline = time.monotonic() + 5
        while f"worker={victim} " not in pool.said() or len(stacklib.process_tree(process.pid)) < 3:
            assert time.monotonic() < deadline, pool.said()
            time.sleep(0.02)
        assert f"signal={signal.SIGSYS.value} " in pool.said()
        assert get_ready(pool) == 200


@contextlib.contextmanager
def bridge(path):
    """A TCP port on loopback whose connections go to a unix socket."""
    listener = socket.create_server(("127.0.0.1", 0))

    def pump(source, sink):
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                sink.sendall(data)
            sink.shutdown(socket.SHUT_WR)

    def serve():
        with contextlib.suppress(OSError):
            while True:
                near, _ = listener.accept()
                far = socket.socket(socket.AF_UNIX)
                far.connect(str(path))
                for pair in ((near, far), (far, near)):
                    threading.Thread(target=pump, args=pair, daemon=True).start()

    threading.Thread(target=serve, daemon=True).start()
    try:
        yield listener.getsockname()[1]
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()


def get_ready(pool):
    """GET /ready spoken in FastCGI, as nginx's operators' listener would; the answer's status."""
    params = {"REQUEST_METHOD": "GET", "REQUEST_URI": "/ready", "CONSIGN_LISTENER": "ops", "CONTENT_LENGTH": "0"}
    packed = b"".join(bytes([len(k), len(v)]) + k.encode() + v.encode() for k, v in params.items())
    with socket.socket(socket.AF_UNIX) as link:
        link.settimeout(60)
        link.connect(pool.settings["api.socket"])
        link.sendall(record(1, struct.pack(">HB5x", 1, 0)) + record(4, packed) + record(4, b"") + record(5, b""))
        data = b""
        while piece := link.recv(65536):
            data += piece
    head = data[8:].decode("latin-1")
    return int(head.split("Status:", 1)[1].split()[0]) if "Status:" in head else 200


def record(kind, content):
    return struct.pack(">BBHHBx", 1, kind, 1, len(content), 0) + content
