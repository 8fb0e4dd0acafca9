"""More than one tenant's share: the limits of a token (nginx) and of an org (pool), and clients that are idle or slow.

On a stack of its own, where an org may hold one worker of four and nginx limits tokens. How much others notice is
measured by tests/bench/overload.py.
"""

import contextlib
import os
import select
import signal
import socket
import statistics
import threading
import time
from unittest import mock
from urllib.parse import urlsplit

import psycopg
import pytest

import flows
import rawhttp
from crowd import Crowd, raise_file_limit, request_bytes
from flows import CATALOG, JOBS
from ownstack import new_client, own_stack
from shapes import assert_problem
from stack import process_tree

TOKEN_CONNECTIONS, TOKEN_UPLOADS = 128, 16  # nginx/consign/token_rate.conf
AT_ONCE_S = 0.05
ORG_RATE = 200


@pytest.fixture(scope="module")
def stack():
    with own_stack() as own, mock.patch.dict(os.environ, CONSIGN_RATE_LIMITS="token"):
        # a statement that meets a lock waits 2 s
        yield own.start(api__workers=4, api__org_workers=1, api__org_rate=ORG_RATE, api__queue_ms=1000, api__database_ms=8000)


@pytest.fixture(scope="module")
def big(stack):
    """The tenant that wants too much."""
    return new_client(stack)


@pytest.fixture(scope="module")
def small(stack):
    return new_client(stack)


@pytest.fixture
def crowd(stack):
    raise_file_limit()
    made = Crowd(stack.url)
    yield made
    made.close()


@contextlib.contextmanager
def stalled(stack, client, dataset):
    """While it is open a request of the client stands before a lock, and holds a worker; it ends by a 503 or is cut off."""
    answers = []

    def change():
        with contextlib.suppress(OSError):
            answers.append(client.call("PATCH", f"{CATALOG}/dataSets/{dataset}", json={"name": "new"}).status_code)

    with psycopg.connect(stack.pg_uri) as owner:
        owner.execute("SELECT FROM consign.dataset WHERE dataset = %s FOR UPDATE", (dataset,))
        caller = threading.Thread(target=change)
        caller.start()
        with psycopg.connect(stack.pg_uri, autocommit=True) as watch:
            while not watch.execute("SELECT FROM pg_locks WHERE NOT granted").fetchall():
                assert caller.is_alive(), answers
        yield
        owner.rollback()
    caller.join()


def test_an_org_over_its_workers_is_429_and_others_are_served(stack, big, small):
    dataset = flows.create_dataset(big)
    small.get(JOBS)
    with stalled(stack, big, dataset):
        small.get(JOBS)
        refused = assert_problem(big.get(JOBS, expect=429), 429)
        assert refused["type"] == "/problems/too-many-requests"
        for _ in range(5):
            small.get(JOBS)
    big.get(JOBS)


def test_who_asks_too_often_is_refused_and_slowly(stack, small):
    """While others are served. Asking again at once is no use, because the end of a refusal comes late."""
    greedy, status, deadline = new_client(stack), 200, time.monotonic() + 10
    asked = request_bytes(greedy, "GET", JOBS) * ORG_RATE
    small.get(JOBS)
    with contextlib.ExitStack() as links:
        for link in [links.enter_context(rawhttp.connect(urlsplit(stack.url), 20)) for _ in range(4)]:
            link.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 2 * len(asked))
            link.sendall(asked)
        while status == 200 and time.monotonic() < deadline:
            begun = time.monotonic()
            status = greedy.get(JOBS, expect=(200, 429)).status_code
        assert status == 429 and time.monotonic() - begun >= 0.9
        small.get(JOBS)


@pytest.mark.alone
def test_a_short_standstill_refuses_nobody(stack, big, small):
    """The requests of a fifth of a second wait for a place and get one: seen as a row of 429 when a disk paused."""
    dataset, answers = flows.create_dataset(big), []
    callers = [threading.Thread(target=lambda: answers.append(big.get(JOBS, expect=None).status_code)) for _ in range(12)]
    small.get(JOBS)
    with stalled(stack, big, dataset):
        small.get(JOBS)
        for caller in callers:
            caller.start()
        time.sleep(0.2)
    for caller in callers:
        caller.join()
    assert answers == [200] * 12
    small.get(JOBS)


def test_a_client_counts_in_all_its_orgs_together(stack, big, small):
    """So that nobody takes the pool by one client entitled to many orgs."""
    org = big.in_sandbox("own")
    org.org = new_client(stack).org
    orgs = (big.org, org.org)
    credentials = dict(line.split("=", 1) for line in stack.ctl(
        "client", "create", "--org", orgs[0], "--org", orgs[1], "--name", "both", "--rights", "all").splitlines() if "=" in line)
    for twin in (both := [big.in_sandbox("own"), org]):
        twin.client_id, twin.client_secret, twin._token = credentials["client_id"], credentials["client_secret"], None
    dataset = flows.create_dataset(both[0])
    small.get(JOBS)
    with stalled(stack, both[0], dataset):
        small.get(JOBS)
        assert_problem(both[1].get(JOBS, expect=429), 429)


def test_a_killed_worker_gives_its_place_back(stack, big, small):
    dataset = flows.create_dataset(big)
    small.get(JOBS)
    with stalled(stack, big, dataset):
        supervisor = int((stack.dir / "pids" / "api").read_text().split()[0])
        for pid in process_tree(supervisor)[1:]:
            os.kill(pid, signal.SIGKILL)
        small.get(JOBS, expect=(200, 503))
        for _ in range(12):
            small.get(JOBS)
            big.get(JOBS)


def test_who_is_alone_has_the_whole_pool(stack):
    """Nobody else was served for ten seconds, so there is nobody to keep workers for."""
    own = new_client(stack)
    dataset = flows.create_dataset(own)
    deadline = time.monotonic() + 12
    with contextlib.ExitStack() as held:
        held.enter_context(stalled(stack, own, dataset))
        while (told := own.get(JOBS, expect=(200, 429)).status_code) == 429 and time.monotonic() < deadline:
            time.sleep(0.5)
    assert told == 200


def fill(crowd, count, body, ask):
    """So many requests of one token whose bodies don't come; then what ask() asks with it is refused."""
    crowd.gather(bodies=count, body=body)
    deadline = time.monotonic() + 10
    while (answer := ask()).status_code == 200 and time.monotonic() < deadline:
        time.sleep(0.05)
        # one that came while an earlier request of the token was ending has been refused; the limit is full without it
        refused = [link for link in crowd.bodies if select.select([link], [], [], 0)[0]]
        crowd.bodies = [link for link in crowd.bodies if link not in refused]
        crowd.gather(bodies=len(refused), body=body)
    assert assert_problem(answer, 429)["type"] == "/problems/too-many-requests"
    assert len(crowd.bodies) == count


@pytest.mark.alone
def test_one_token_has_so_many_connections(stack, big, small, crowd):
    """They cost the pool nothing: none of the requests is whole. Who holds another token is not concerned."""
    fill(crowd, TOKEN_CONNECTIONS, request_bytes(big, "POST", JOBS, 100000, b"{"), lambda: big.get(JOBS, expect=(200, 429)))
    small.get(JOBS)
    # the same client, org and key, but not the token: it is refused, not limited
    assert small.get(JOBS, expect=None, headers={"x-api-key": big.client_id}).status_code == 403


@pytest.mark.alone
def test_one_token_has_so_many_uploads(stack, big, small, crowd):
    """Each may lie on nginx's disk with 256 MiB. What else the token is used for goes on."""
    def place(client):
        dataset = flows.create_dataset(client, "profile")
        return flows.file_path(flows.open_batch(client, dataset), dataset)

    path, other = place(big), place(small)
    body = request_bytes(big, "PUT", path, 100_000_000, b"{")
    fill(crowd, TOKEN_UPLOADS, body, lambda: big.put(path, b"{}", expect=(200, 429)))
    big.get(JOBS)
    small.put(other, b"{}")


def test_idle_and_slow_clients_are_held_while_others_are_served(stack, big, small, crowd):
    """And those that never get on are let go: by nginx's time-outs, without an answer."""
    for _ in range(30):
        flows.create_dataset(big, name="n" * 255, description="d" * 2000)
    page = request_bytes(big, "GET", f"{CATALOG}/dataSets?limit=30")
    crowd.gather(idle=2000, headers=200, bodies=200, readers=TOKEN_CONNECTIONS - 28, read=page)
    for _ in range(3):
        crowd.trickle()
        for client in (small, big):
            client.get(JOBS)
    assert crowd.held() == {"idle": 2000, "headers": 200, "bodies": 200, "readers": TOKEN_CONNECTIONS - 28}
    deadline = time.monotonic() + 25
    while (held := crowd.held())["headers"] + held["bodies"] > 0 and time.monotonic() < deadline:
        time.sleep(0.5)
    assert (held["idle"], held["headers"], held["bodies"]) == (2000, 0, 0)
    small.get(JOBS)
    log, deadline = stack.dir / "log" / "access.log", time.monotonic() + 5
    while log.read_text().count(" status=408 ") < 400 and time.monotonic() < deadline:
        time.sleep(0.2)  # nginx writes it in pieces
    assert log.read_text().count(" status=408 ") >= 400


def refusal_seconds(where, sent, status):
    """From the connection to the status line; nginx then waits for what the client may still be sending."""
    begun = time.monotonic()
    with rawhttp.connect(where, 10) as link:
        link.sendall(sent)
        assert link.recv(64).startswith(b"HTTP/1.1 %d " % status)
    return time.monotonic() - begun


@pytest.mark.alone
@pytest.mark.parametrize("status", [413, 414, 431])
def test_what_is_too_large_is_refused_at_once(small, status):
    """Before any of the body has come. The median, because the machine may have other work."""
    sent = {413: request_bytes(small, "POST", JOBS, 1048577),
            414: request_bytes(small, "GET", JOBS + "?x=" + "x" * 8192),
            431: request_bytes(small, "GET", JOBS).replace(b"\r\n\r\n", b"\r\nX-Filler: %s" % (b"f" * 8000) * 7 + b"\r\n\r\n")}
    seconds = [refusal_seconds(urlsplit(small.url), sent[status], status) for _ in range(11)]
    assert statistics.median(seconds) < AT_ONCE_S, seconds


def test_a_reload_refuses_nobody(stack, big, small):
    """While the next program and its workers start, these have less of the machine. This one takes a while, and won't do. The
    last of its kind here: for ten seconds from now on nobody is refused."""
    dataset = flows.create_dataset(big)
    program, log = stack.dir / "bin" / "consign-api", stack.dir / "log" / "api.log"
    aside, reloads = program.with_suffix(".aside"), log.read_text().count(" event=reload ")
    program.rename(aside)
    try:
        program.write_text("#!/bin/sh\nsleep 1\nexit 1\n")
        program.chmod(0o755)
        small.get(JOBS)
        with stalled(stack, big, dataset):
            small.get(JOBS)
            os.kill(int((stack.dir / "pids" / "api").read_text()), signal.SIGHUP)
            while log.read_text().count(" event=reload ") == reloads:
                time.sleep(0.01)
            for _ in range(3):
                big.get(JOBS)
    finally:
        aside.rename(program)
