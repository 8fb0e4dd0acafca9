"""Uploads before their body: the pool is asked by the headers alone, and what it refuses never comes onto nginx's disk.

None of the bodies here is sent before the answer is there: nginx would wait for it, and answer nothing.
"""

import json
from urllib.parse import urlsplit

import pytest

import flows
import rawhttp
from client import Client
from flows import IMPORT, JOBS, file_path
from shapes import assert_problem

ANNOUNCED = 200 * 1024 * 1024
MORE_THAN_WORKERS = 20


@pytest.fixture(scope="module")
def dataset(shared):
    return flows.create_dataset(shared, "profile")


@pytest.fixture(scope="module")
def batch(shared, dataset):
    return flows.open_batch(shared, dataset)


@pytest.fixture(scope="module")
def closed(shared, dataset):
    batch = flows.open_batch(shared, dataset)
    shared.post(f"{IMPORT}/{batch}?action=ABORT", expect=200)
    return batch


def announce(client, method, path, length=ANNOUNCED, **headers):
    """A request whose body does not come. A header given as None is left out; its underscores are dashes."""
    sent = {**client.headers(), **{name.replace("_", "-"): value for name, value in headers.items()}}
    return rawhttp.send(client.url, method, path, [pair for pair in sent.items() if pair[1] is not None], length=length)


@pytest.mark.parametrize("headers, status, code", [
    ({"Authorization": None}, 401, "403010"), ({"Authorization": "Bearer x.y.z"}, 401, "401013"),
    ({"x_api_key": None}, 403, "403000"), ({"x_gw_ims_org_id": None}, 400, "400003"),
    ({"x_gw_ims_org_id": "Other@AdobeOrg"}, 403, "403025")])
def test_who_may_not_ask_hears_what_others_hear(shared, batch, dataset, headers, status, code):
    answer = announce(shared, "PUT", file_path(batch, dataset), **headers)
    assert (answer.status_code, answer.json()["error_code"]) == (status, code)
    plain = announce(shared, "GET", JOBS, length=None, **headers)
    assert answer.content == plain.content
    assert answer.headers.get("WWW-Authenticate") == plain.headers.get("WWW-Authenticate")


def test_who_lacks_the_right(stack, tenants, batch, dataset):
    org = tenants.org("s")
    reader = Client(stack, org, "s", *tenants.credentials(org, rights="export:read"))
    answer = announce(reader, "PUT", file_path(batch, dataset))
    assert assert_problem(answer, 403)["type"] == "/problems/insufficient-right"
    assert answer.headers["WWW-Authenticate"].count("Bearer") == 1


@pytest.mark.parametrize("method, headers, status", [
    ("PUT", {"Content_Range": "bytes 0-1/2"}, 400), ("PUT", {"Content_Encoding": "br"}, 415), ("PATCH", {}, 400),
    ("PATCH", {"Content_Range": "bytes 0-1/2"}, 400), ("POST", {}, 405), ("DELETE", {}, 405)])
def test_what_the_upload_is_refused_for(shared, batch, dataset, method, headers, status):
    answer = announce(shared, method, file_path(batch, dataset), **headers)
    assert_problem(answer, status)
    told = {415: "Accept-Encoding", 405: "Allow"}.get(status)
    assert told is None or answer.headers[told]


def test_a_batch_that_takes_no_file(shared, client, batch, closed, dataset):
    assert_problem(announce(shared, "PUT", file_path(flows.NO_SUCH_BATCH, dataset)), 404)
    assert_problem(announce(shared, "PUT", file_path(batch, flows.NO_SUCH_DATASET)), 404)
    assert_problem(announce(client, "PUT", file_path(batch, dataset)), 404)
    assert_problem(announce(shared, "PUT", file_path(closed, dataset)), 409)
    piece = {"Content_Range": f"bytes 5-{ANNOUNCED + 4}/{2 * ANNOUNCED}"}
    assert_problem(announce(shared, "PATCH", file_path(batch, dataset, "late"), **piece), 409)


def begin(client, path, more, body=b""):
    """A connection on which an upload has begun."""
    lines = [f"PUT {path} HTTP/1.1", "Host: x", *(f"{name}: {value}" for name, value in client.headers().items()), *more]
    link = rawhttp.connect(urlsplit(client.url), 15)
    link.sendall("\r\n".join(lines).encode() + b"\r\n\r\n" + body)
    return link


def test_no_request_can_follow_a_refused_upload(shared, closed, dataset):
    """What comes next on the connection is its body; so the connection is not said to be kept."""
    with begin(shared, file_path(closed, dataset), [f"Content-Length: {ANNOUNCED}"], b"x" * 1000) as link:
        head = link.recv(4096).partition(b"\r\n\r\n")[0]
    assert head.startswith(b"HTTP/1.1 409 ") and b"\r\nConnection: close" in head


def test_a_refused_upload_in_large_chunks(shared, closed, dataset):
    with begin(shared, file_path(closed, dataset), ["Transfer-Encoding: chunked"], b"400000\r\n" + b"x" * 1000) as link:
        assert link.recv(64).startswith(b"HTTP/1.1 409 ")


def test_who_is_refused_may_send_for_minutes(stack):
    """Until its body is sent a client may read nothing, and a connection that was closed before is reset. (A test that sends
    for so long would take half a minute.)"""
    place = stack.dir / "nginx"
    assert "lingering_time 10m;" in (place / "consign" / "limits.conf").read_text().splitlines()
    refused = (place / "consign.conf").read_text().partition("location @refused {")[2].partition("}")[0]
    assert "        lingering_timeout 15s;" in refused and "lingering_time " not in refused


def test_who_is_refused_and_stays_holds_no_worker(shared, batch, dataset):
    where, links = urlsplit(shared.url), []
    head = f"PUT {file_path(batch, dataset)} HTTP/1.1\r\nHost: x\r\nContent-Length: {ANNOUNCED}\r\n\r\n".encode()
    try:
        for number in range(MORE_THAN_WORKERS):
            links.append(rawhttp.connect(where, 15))
            links[-1].sendall(head + b"x" * (number * 100_000))
            assert links[-1].recv(64).startswith(b"HTTP/1.1 401 ")
        shared.get(JOBS)
    finally:
        for link in links:
            link.close()


def test_who_waits_to_be_asked_for_the_body(shared, batch, dataset):
    body = b'{"identityMap":{"Email":[{"id":"a@x"}]}}'
    head = [f"PUT {file_path(batch, dataset, 'asked')} HTTP/1.1", "Host: x", "Connection: close", "Expect: 100-continue",
            f"Content-Length: {len(body)}", *(f"{name}: {value}" for name, value in shared.headers().items())]
    with rawhttp.connect(urlsplit(shared.url), 15) as link:
        link.sendall("\r\n".join(head).encode() + b"\r\n\r\n")
        assert link.recv(1024) == b"HTTP/1.1 100 Continue\r\n\r\n"
        link.sendall(body)
        answer = rawhttp.RawAnswer(rawhttp.read_all(link), False)
    assert answer.status_code == 200 and answer.json() == {"name": "asked", "length": len(body)}


def test_a_body_of_unknown_length(shared, batch, dataset):
    pieces = [b"[", b"x" * 300_000, b"]"]
    assert shared.put(file_path(batch, dataset, "chunked"), iter(pieces)).json()["length"] == 300_002
    for total, status in ((300_002, 200), (300_003, 400)):
        shared.call("PATCH", file_path(batch, dataset, f"piece{total}"), body=iter(pieces), expect=status,
                    headers={"Content-Range": f"bytes 0-{total - 1}/{total}"})


def test_an_upload_is_one_call_in_log_and_figures(stack, shared, batch, dataset):
    """As it was before there was a question. (test_audit.py and test_metrics.py look closer.)"""
    answer = shared.put(file_path(batch, dataset, "told"), b"{}")
    mark = f"req={answer.headers['X-Request-Id']} "
    lines = [line for line in (stack.dir / "log" / "api.log").read_text().splitlines() if mark in line]
    assert len(lines) == 1 and "event=audit action=import_put" in lines[0], json.dumps(lines, indent=1)
