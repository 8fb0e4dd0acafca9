"""More than one tenant's share: the limits of a token (nginx) and of an org (pool), and clients that are idle or slow.

On a stack of its own, where an org may hold one worker of four and nginx limits tokens. How much others notice is
measured by tests/bench/overload.py.
"""

import contextlib
import os
import re
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
from test_fastcgi_cuts import exchange, request

TOKEN_CONNECTIONS, TOKEN_UPLOADS = 128, 16  # nginx/consign/token_rate.conf
AT_ONCE_S = 0.05
ORG_RATE = 200
SLOW = b"X-Accel-Limit-Rate: "
NO_FILE = flows.file_path(flows.NO_SUCH_BATCH, flows.NO_SUCH_DATASET)


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


def volley(stack, *clients, method="GET", path=JOBS, **more):
    """What the pool answers to a request of each client at once; of one alone to so many that they are over the rate if they count."""
    clients = clients if len(clients) > 1 else clients * (ORG_RATE // 2)
    with contextlib.ExitStack() as peers:
        links = [peers.enter_context(socket.socket(socket.AF_UNIX)) for _ in clients]
        for number, (link, client) in enumerate(zip(links, clients)):
            link.settimeout(15)
            link.connect(str(stack.dir / "run" / "api.sock"))
            link.sendall(request(client, method, path, **{"REQUEST_ID": f"volley{number}", **more}))
            link.shutdown(socket.SHUT_WR)
        return [rawhttp.read_all(link) for link in links]


def twin(client, **changes):
    """The client with its token, and something else that it says of itself."""
    made = client.in_sandbox(client.sandbox)
    assert made.token
    vars(made).update(changes)
    return made


@pytest.mark.parametrize("refused, own", [("sandbox", 429), ("right", 429), ("org", 200), ("key", 200)])
def test_who_is_refused_is_counted_too(stack, small, refused, own):
    """And is answered slowly when that is too much. What is no org's counts for the client and for no other. The first here:
    nobody but these two has asked."""
    greedy, method = new_client(stack), "HEAD" if refused == "key" else "GET"
    asks = {"sandbox": lambda: twin(greedy, sandbox="nonesuch"), "org": lambda: twin(greedy, org=small.org),
            "key": lambda: twin(greedy, client_id="other")}.get(refused, lambda: greedy)()
    if refused == "right":
        stack.ctl("client", "rights", "--id", greedy.client_id, "--rights", "export:read")
    path = f"{CATALOG}/dataSets" if refused == "right" else JOBS
    told, slow, deadline = 0, [], time.monotonic() + 30
    small.get(JOBS)
    while not (slow and told == own) and time.monotonic() < deadline:
        answers = volley(stack, asks, method=method, path=path)
        told = int(exchange(stack, request(greedy, "GET", JOBS)).partition(b"Status: ")[2][:3])
        slow = [answer for answer in answers if SLOW in answer]
        assert all(b"Status: 403 " in answer for answer in slow)
        assert own == 429 or told == 200
    assert slow and told == own
    for answer in slow:  # 200 bytes are the least that nginx makes a head
        length = 0 if method == "HEAD" else int(re.search(rb"Content-Length: (\d+)", answer)[1])
        assert (200 + length) // 5 <= int(re.search(SLOW + rb"(\d+)", answer)[1]) <= (200 + length) * 0.8
    small.get(JOBS)


def test_names_that_nobody_has_cost_more(stack, small):
    """Each is looked up, and they never end. These would be within the rate."""
    slow, deadline = False, time.monotonic() + 30
    while not slow and time.monotonic() < deadline:
        greedy = new_client(stack)
        small.get(JOBS)
        names = [twin(greedy, sandbox=f"nonesuch{number}") for number in range(ORG_RATE // 5)]
        slow = any(SLOW in answer for answer in volley(stack, *names))
    assert slow


def test_an_upload_counts_once_and_is_never_refused_for_the_rate_when_its_body_has_come(stack, small):
    """It counts when it is asked about; that nginx asks twice what to answer costs nothing, and the answer says why."""
    greedy = new_client(stack)
    nowhere = twin(greedy, sandbox="nonesuch")
    upload = {"method": "PUT", "path": NO_FILE, "announced": 10}
    small.get(JOBS)
    for name in ("yes", "refuse", "yes"):
        assert not any(SLOW in answer for answer in volley(stack, nowhere, CONSIGN_GATE=name, **upload))
    answers, deadline = [], time.monotonic() + 30
    while not any(b"Status: 403 " in answer and SLOW in answer for answer in answers) and time.monotonic() < deadline:
        answers = volley(stack, nowhere, CONSIGN_GATE="ask", **upload)
    assert answers and time.monotonic() < deadline
    over = exchange(stack, request(greedy, "PUT", NO_FILE, b"", 10, CONSIGN_GATE="refuse", CONSIGN_OVER="90"))
    assert b"Status: 429 " in over and b"Retry-After: 1\r\n" in over and SLOW in over

    status, sent = b"404", request_bytes(greedy, "PUT", NO_FILE, 200_000_000)
    while status == b"404" and time.monotonic() < deadline:
        volley(stack, nowhere, CONSIGN_GATE="ask", **upload)
        with rawhttp.connect(urlsplit(stack.url), 15) as link:
            link.sendall(sent)
            status = link.recv(64).split()[1]
    assert status == b"429"


@contextlib.contextmanager
def away(place):
    aside = place.with_suffix(".away")
    place.rename(aside)
    try:
        yield
    finally:
        aside.rename(place)


def test_a_large_upload_that_nginx_has_no_place_or_no_pool_for(stack, small):
    """The pool has said yes and the disk is full, or it says nothing: these are answers of nginx's own, and of the right status."""
    dataset = flows.create_dataset(small, "profile")
    path = flows.file_path(flows.open_batch(small, dataset), dataset)
    headers = [*small.headers().items(), ("X-Filler", "f" * 13000)]
    with away(stack.dir / "nginx" / "body"):
        assert_problem(rawhttp.send(stack.url, "PUT", path, headers, b"x" * 2_000_000), 500)
    with away(stack.dir / "run" / "api.sock"):
        gone = rawhttp.send(stack.url, "PUT", path, headers, length=200_000_000)
    assert assert_problem(gone, 503)["type"] == "/problems/overloaded"
    assert gone.headers["Retry-After"] == "1"
    small.put(path, b"x" * 2_000_000)


def test_an_org_over_its_workers_is_429_and_others_are_served(stack, big, small):
    dataset = flows.create_dataset(big)
    small.get(JOBS)
    with stalled(stack, big, dataset):
        small.get(JOBS)
        refused = assert_problem(big.get(JOBS, expect=429), 429)
        assert refused["type"] == "/problems/too-many-requests"
        asked = exchange(stack, request(big, "PUT", NO_FILE, b"", 10, CONSIGN_GATE="ask"))
        assert b"Status: 403 " in asked and SLOW in asked  # which nginx says again, and is then told 429
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
    with rawhttp.connect(urlsplit(stack.url), 15) as link:  # a large one, too
        link.sendall(body)
        assert link.recv(64).startswith(b"HTTP/1.1 429 ")
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
