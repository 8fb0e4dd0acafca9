"""The connections between nginx and the pool: which are kept, that nobody waits behind one, and what is sent twice.

On a stack of its own with two workers and several workers of nginx. The pool is spoken to directly where nginx would
choose for itself.
"""

import concurrent.futures
import contextlib
import os
import pathlib
import re
import signal
import socket
import struct
import time
import uuid

import psycopg
import pytest

import flows
from flows import eventually
from ownstack import new_client, own_stack
from stack import process_tree

WORKERS = 2
BEGIN, PARAMS, STDIN, STDOUT, END = 1, 4, 5, 6, 3  # FastCGI 1.0, section 8
PIECE = 32768  # of a body, in one record
WAIT_S = 5
SOON_S = 1


@pytest.fixture(scope="module")
def stack():
    with own_stack() as own:
        yield own.start(api__workers=WORKERS)


@pytest.fixture(scope="module")
def client(stack):
    return new_client(stack)


def record(kind, content=b""):
    return struct.pack(">BBHHBB", 1, kind, 1, len(content), 0, 0) + content


class Connection:
    """What nginx is to the pool; .keep: it wishes the connection to be kept."""

    def __init__(self, stack, keep=True):
        self.keep = keep
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(WAIT_S)
        self.socket.connect(str(stack.dir / "run" / "api.sock"))

    def send(self, method="GET", path="/health", body=b"", headers=(), request_id=None):
        params = {**{f"HTTP_{name.upper().replace('-', '_')}": value for name, value in dict(headers).items()},
                  "REQUEST_METHOD": method, "REQUEST_URI": path, "QUERY_STRING": "", "REQUEST_ID": request_id or uuid.uuid4().hex,
                  "CONTENT_LENGTH": str(len(body)) if body else "",
                  "CONSIGN_LISTENER": "public" if headers else "ops", "CONSIGN_RECEIVED": f"{time.time():.3f}"}
        text = b"".join(struct.pack(">BI", len(name), 1 << 31 | len(value)) + name.encode() + value.encode()
                        for name, value in params.items())
        self.socket.sendall(record(BEGIN, struct.pack(">HB5x", 1, int(self.keep))) + record(PARAMS, text) + record(PARAMS)
                            + b"".join(record(STDIN, body[i:i + PIECE]) for i in range(0, len(body), PIECE)) + record(STDIN))

    def exactly(self, count):
        got = b""
        while len(got) < count:
            piece = self.socket.recv(count - len(got))
            assert piece, "closed in the middle of an answer"
            got += piece
        return got

    def answer(self):
        """The status of the answer, all of which has come."""
        text = b""
        while True:
            _, kind, _, length, padding, _ = struct.unpack(">BBHHBB", self.exactly(8))
            content = self.exactly(length + padding)[:length]
            if kind == END:
                return int(re.search(rb"Status: (\d+)", text)[1])
            text += content if kind == STDOUT else b""

    def ask(self, **more):
        self.send(**more)
        return self.answer()

    def closed(self, within_s):
        self.socket.settimeout(within_s)
        try:
            return self.socket.recv(1) == b""
        except TimeoutError:
            return False
        except ConnectionResetError:
            return True
        finally:
            self.socket.settimeout(WAIT_S)


@contextlib.contextmanager
def connections(stack, count):
    made = [Connection(stack) for _ in range(count)]
    try:
        yield made
    finally:
        for one in made:
            one.socket.close()


def test_a_kept_connection_is_served_again_and_again(stack):
    with connections(stack, 1) as (kept,):
        for _ in range(20):
            assert kept.ask() == 200
            time.sleep(0.005)
        assert not kept.closed(0.2)


@pytest.mark.parametrize("keep, request_", [
    (False, {}), (True, {"method": "POST"}), (True, {"method": "DELETE"}), (True, {"body": b"x" * 3_000_000})],
    ids=["nginx does not wish it", "POST", "DELETE", "a body too long to be read"])
def test_what_may_not_be_kept_is_closed(stack, keep, request_):
    one = Connection(stack, keep)
    assert one.ask(**request_) in (200, 405, 413)
    assert one.closed(SOON_S)


def test_a_body_is_not_taken_for_the_next_request(stack):
    with connections(stack, 1) as (one,):
        assert one.ask(body=b"GET") in (200, 400)
        assert one.ask() == 200


def test_who_comes_new_takes_the_place_of_a_kept_one_at_once(stack):
    with connections(stack, WORKERS) as kept:
        for one in kept:
            assert one.ask() == 200
        with connections(stack, 1) as (new,):
            began = time.monotonic()
            assert new.ask() == 200
            assert time.monotonic() - began < SOON_S
            assert sum(one.closed(0.2) for one in kept) == 1


def test_who_comes_new_does_not_wait_when_a_kept_one_has_a_request_at_the_same_time(stack, client):
    """The worker that is told of the new one is the one whose connection speaks just then; no other was told."""
    headers, tried = client.headers(), 0
    while tried < 4:
        with contextlib.ExitStack() as end, psycopg.connect(stack.pg_uri) as db:
            kept = end.enter_context(connections(stack, WORKERS))
            for one in kept:
                assert one.ask() == 200
                time.sleep(0.05)
            db.execute("LOCK TABLE consign.export_job IN ACCESS EXCLUSIVE MODE")
            with pool_stands_still(stack):
                (new,) = end.enter_context(connections(stack, 1))
                try:
                    kept[0].send(path=flows.JOBS, headers=headers)
                except OSError:
                    continue  # it lost its place to the other one already
                new.send()
            began = time.monotonic()
            assert new.answer() == 200
            assert time.monotonic() - began < SOON_S / 2
            tried += 1


def test_a_kept_connection_that_ends_costs_nobody_anything(stack):
    for _ in range(20):
        with connections(stack, 1) as (one,):
            assert one.ask() == 200
    with connections(stack, 1) as (one,):
        assert one.ask() == 200


def log_lines(stack, mark, count):
    """nginx's lines about requests with that x-request-id; it keeps them for a second."""
    end = time.monotonic() + WAIT_S
    while True:
        lines = [line for line in (stack.dir / "log" / "access.log").read_text().splitlines()
                 if f'client_request="{mark}"' in line]
        if len(lines) >= count or time.monotonic() > end:
            return lines
        time.sleep(0.1)


def handed_over(line):
    """How often nginx gave it to the pool."""
    return len(re.search(r'pool_status="([^"]*)"', line)[1].split(","))


def test_more_clients_than_workers_are_all_served(client):
    """GETs by kept connections and POSTs by their own, from more clients than the pool has workers."""
    mark, each = uuid.uuid4().hex, 25

    def work(number):
        slowest = 0
        for _ in range(each):
            began = time.monotonic()
            if number % 4:
                client.get(flows.JOBS, headers={"x-request-id": mark})
            else:
                client.post(f"{flows.POLICIES}/bulk-get", {"ids": []}, expect=400, headers={"x-request-id": mark})
            slowest = max(slowest, time.monotonic() - began)
        return slowest

    with concurrent.futures.ThreadPoolExecutor(12) as pool:
        slowest = max(pool.map(work, range(12)))
    assert slowest < WAIT_S
    lines = log_lines(client.stack, mark, 12 * each)
    assert len(lines) == 12 * each
    assert all(handed_over(line) == 1 for line in lines if "method=POST" in line)


def test_no_query_stands_in_the_log_of_nginx(stack, client):
    """Not either when a kept connection was dropped just as it was used, of which nginx writes a line."""
    with concurrent.futures.ThreadPoolExecutor(12) as pool:
        list(pool.map(lambda _: client.get(f"{flows.JOBS}?limit=1&name=hush"), range(600)))
    client.get("/data/none?name=hush", expect=404)
    assert "hush" not in (stack.dir / "log" / "nginx.log").read_text()


def workers_of(stack):
    return process_tree(int((stack.dir / "pids" / "api").read_text().split()[0]))[1:]


@contextlib.contextmanager
def pool_stands_still(stack):
    pids = workers_of(stack)
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield pids
    finally:
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)


def test_a_get_whose_kept_connection_is_cut_is_sent_again(client):
    """Nobody sees the end of the worker that had it."""
    mark = uuid.uuid4().hex
    for _ in range(10):
        client.get(flows.JOBS)
    with concurrent.futures.ThreadPoolExecutor(1) as pool, pool_stands_still(client.stack) as pids:
        answer = pool.submit(client.get, flows.JOBS, headers={"x-request-id": mark})
        time.sleep(0.3)
        for pid in pids:
            os.kill(pid, signal.SIGKILL)
        assert answer.result().status_code == 200
    (line,) = log_lines(client.stack, mark, 1)
    assert handed_over(line) >= 2


def call_of(pid):
    """The system call that it is in, or None."""
    with contextlib.suppress(OSError):
        text = pathlib.Path(f"/proc/{pid}/syscall").read_text()
        return None if text == "running\n" else text.split()[0]
    return None


def test_a_request_that_ends_one_worker_after_another_is_given_up(stack, client):
    """nginx would go on for as long as it has kept connections."""
    request = {"path": flows.JOBS, "headers": client.headers(), "request_id": uuid.uuid4().hex}
    time.sleep(0.2)
    (idle,) = {call_of(pid) for pid in workers_of(stack)}

    def busy():
        return [pid for pid in workers_of(stack) if call_of(pid) not in (idle, None)]
    for _ in range(2):
        with connections(stack, 1) as (one,), psycopg.connect(client.stack.pg_uri) as db:
            db.execute("LOCK TABLE consign.export_job IN ACCESS EXCLUSIVE MODE")
            one.send(**request)
            eventually(lambda: len(busy()) == 1, "no worker has it")
            os.kill(busy()[0], signal.SIGKILL)
            assert one.closed(WAIT_S)
        eventually(lambda: len(workers_of(stack)) == WORKERS and not busy(), "no worker comes in its place")
    with connections(stack, 1) as (one,):
        assert one.ask(**{**request, "request_id": uuid.uuid4().hex}) == 200
        assert one.ask(**request) == 500
        assert one.ask(**{**request, "request_id": uuid.uuid4().hex}) == 200


def test_a_post_is_never_sent_again(client):
    """Its worker is killed while it is at work; the client is told, and decides."""
    mark, dataset = uuid.uuid4().hex, flows.create_dataset(client)
    for _ in range(10):
        client.get(flows.JOBS)
    with concurrent.futures.ThreadPoolExecutor(1) as pool, psycopg.connect(client.stack.pg_uri) as db:
        db.execute("LOCK TABLE consign.export_job IN ACCESS EXCLUSIVE MODE")
        answer = pool.submit(client.post, flows.JOBS, flows.job_body(dataset), headers={"x-request-id": mark})
        time.sleep(0.5)
        for pid in workers_of(client.stack):
            os.kill(pid, signal.SIGKILL)
        assert answer.result().status_code == 503
        db.rollback()
    (line,) = log_lines(client.stack, mark, 1)
    assert handed_over(line) == 1
    assert len(client.get(flows.JOBS).json()["records"]) <= 1  # its transaction was whole, or not
