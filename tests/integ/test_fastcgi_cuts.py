"""FastCGI connections that end too early, at every byte: nothing happens, nobody dies.

Speaks to the pool's socket directly, as nginx does, and goes away after the first n bytes. A request cut
between two parameters looks complete to the library (facts.md), so this is where a check that is
missing would let a request act with half its headers.
"""

import json
import socket
import struct

import pytest

import flows
from flows import JOBS
from stack import process_tree

BEGIN, PARAMS, STDIN = 1, 4, 5


def record(kind, content=b""):
    return struct.pack(">BBHHBx", 1, kind, 1, len(content), 0) + content


def pair(name, value):
    def size(text):
        return bytes([len(text)]) if len(text) < 128 else struct.pack(">I", len(text) | 0x80000000)
    name, value = name.encode(), value.encode()
    return size(name) + size(value) + name + value


def request(client, method, path, body=b"", announced=None, **more):
    """The bytes of a whole request, as nginx sends them; with more parameters."""
    params = {
        "REQUEST_METHOD": method, "REQUEST_URI": path, "QUERY_STRING": "", "REQUEST_ID": "cut",
        "CONTENT_TYPE": "application/json", "CONTENT_LENGTH": str(len(body) if announced is None else announced),
        "CONSIGN_LISTENER": "public", **more,
        **{"HTTP_" + name.upper().replace("-", "_"): value for name, value in client.headers().items()}}
    block = b"".join(pair(name, value) for name, value in params.items())
    return (record(BEGIN, struct.pack(">HB5x", 1, 0)) + record(PARAMS, block) + record(PARAMS)
            + (record(STDIN, body) if body else b"") + record(STDIN))


def exchange(stack, data, answer=True):
    """Send bytes to the pool; what it answers, or nothing when the peer goes away at once."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as peer:
        peer.settimeout(15)
        peer.connect(str(stack.dir / "run" / "api.sock"))
        peer.sendall(data)
        got = b""
        while answer:
            piece = peer.recv(65536)
            if not piece:
                break
            got += piece
        return got


def workers(stack):
    """The pids of the pool: its supervisor first, whatever the numbers (they begin again at 300 one day)."""
    supervisor, *others = process_tree(int((stack.dir / "pids" / "api").read_text()))
    return [supervisor, *sorted(others)]


@pytest.fixture(scope="module")
def body(shared):
    return json.dumps(flows.job_body(flows.create_dataset(shared))).encode()


@pytest.mark.parametrize("gate, status", [("ask", b"403"), ("refuse", b"404")])
def test_what_is_no_upload_is_never_asked_for(stack, shared, body, gate, status):
    """A request that nginx has only a question about (or a refusal for) is not carried out, whatever it is."""
    before = jobs(shared)
    assert b"Status: " + status in exchange(stack, request(shared, "POST", JOBS, body, CONSIGN_GATE=gate))
    assert jobs(shared) == before


def test_a_question_stores_nothing(stack, shared):
    dataset = flows.create_dataset(shared, "profile")
    batch = flows.open_batch(shared, dataset)
    path = flows.file_path(batch, dataset)
    asked = exchange(stack, request(shared, "PUT", path, announced=100_000_000, CONSIGN_GATE="ask"))
    assert b"Status: 204 " in asked
    told = exchange(stack, request(shared, "PUT", path, b"{}", CONSIGN_GATE="refuse"))
    assert b"Status: 503 " in told and b"nothing was done" in told
    assert not list((stack.dir / "inbox").glob(f"*/*/{batch}/*"))
    assert b"Status: 200 " in exchange(stack, request(shared, "PUT", path, b"{}"))
    assert len(list((stack.dir / "inbox").glob(f"*/*/{batch}/*"))) == 1


def jobs(client):
    return len(client.get(f"{JOBS}?limit=1000").json()["records"])


def test_whole_request_acts(stack, shared, body):
    before = jobs(shared)
    assert b"Status: 200" in exchange(stack, request(shared, "POST", JOBS, body))
    assert jobs(shared) == before + 1


def test_request_cut_at_every_byte_does_nothing(stack, shared, body):
    before, pids = jobs(shared), workers(stack)
    whole = request(shared, "POST", JOBS, body)
    for length in range(len(whole)):
        exchange(stack, whole[:length], answer=False)
    assert jobs(shared) == before
    assert workers(stack) == pids, "a worker ended"


def test_cancel_cut_at_every_byte_does_nothing(stack, shared, spooler_paused, body):
    with spooler_paused():
        job = shared.post(JOBS, json.loads(body), expect=200).json()["id"]
        whole = request(shared, "DELETE", f"{JOBS}/{job}")
        for length in range(len(whole)):
            exchange(stack, whole[:length], answer=False)
        assert shared.get(f"{JOBS}/{job}").json()["status"] == "NEW"
        exchange(stack, whole)
        assert shared.get(f"{JOBS}/{job}").json()["status"] == "CANCELLED"


@pytest.mark.parametrize("lie", [-1, 1, 1000, -1000])
def test_body_of_another_length_than_announced_does_nothing(stack, shared, body, lie):
    before = jobs(shared)
    announced = max(0, len(body) + lie)
    answer = exchange(stack, request(shared, "POST", JOBS, body, announced))
    assert b"Status: 200" not in answer
    assert jobs(shared) == before
