"""Downloads from an object store (README, Object store): what a client sees of it, and what the store sees of a client. All of
test_files runs here too, but for what is done to a file. Publishing is in test_object_store.py.
"""

import http.client
import re
from urllib.parse import urlsplit

import pytest

import flows
from flows import BATCH_FILES
from objectlake import SIGNED, TOKEN, place_of, watched
from objectlake import home, object_lake, small, stack, store, tenants  # noqa: F401 its fixtures
from objectproxy import ObjectProxy
from objectserver import SECRET
from ownstack import new_client
from shapes import assert_problem
from test_files import *  # noqa: F403 the same downloads, the same answers
from test_files import batch, part  # noqa: F401 its fixtures

OURS = {"date", "server", "content-type", "content-length", "connection", "etag", "cache-control", "x-request-id", "keep-alive",
        "x-content-type-options", "accept-ranges", "last-modified", "content-range"}

del test_a_file_that_cant_be_opened_is_no_fault_of_the_headers  # noqa: F821 it is one of the directory's


@pytest.fixture(scope="module")
def file(small):
    """A part of a batch: {name, length, href, batch}."""
    job, _ = flows.export(small, flows.job_body(flows.create_dataset(small)))
    done = job["destination"]["batchId"]
    (one,) = flows.list_parts(small, done)
    return {**one, "batch": done}


def test_a_client_sees_our_headers_and_not_the_stores(small, file):
    for more, status in (({}, 200), ({"Range": "bytes=0-3"}, 206), ({"Range": "bytes=0-1,4-5"}, 200)):
        for method in ("GET", "HEAD"):
            answer = small.call(method, file["href"], expect=status, headers=more)
            assert {name.lower() for name in answer.headers} <= OURS, answer.headers
            assert answer.headers["Server"].startswith("nginx")
            assert answer.headers["ETag"] == small.get(file["href"]).headers["ETag"]
            assert "immutable" in answer.headers["Cache-Control"] and answer.headers["X-Request-Id"]
    manifest = small.get(f"{BATCH_FILES}/{file['batch']}/meta?path=manifest.json")
    assert manifest.headers["Content-Type"].startswith("application/json")


def test_only_a_range_that_is_sure_goes_to_the_store(store, small, file):
    """The rest nginx cuts out of the whole file, as it does for files."""
    heads = []
    tag = small.get(file["href"]).headers["ETag"]
    size = file["length"]
    asked = [({"Range": "bytes=0-3"}, 206, "bytes=0-3"), ({"Range": "bytes=-5"}, 206, "bytes=-5"),
             ({"Range": "bytes=3-"}, 206, "bytes=3-"), ({"Range": f"bytes={size}-"}, 416, None),
             ({"Range": "bytes=5-3"}, 200, None), ({"Range": "bytes=0-1,3-4"}, 200, None), ({"Range": "rows=0-1"}, 200, None),
             ({"Range": "bytes=0-3", "If-Range": tag}, 206, "bytes=0-3"), ({"Range": "bytes=0-3", "If-Range": '"x"'}, 200, None),
             ({"Range": "bytes=-0"}, 416, None), ({"Range": "bytes=0-99999999999"}, 206, "bytes=0-99999999999")]
    with store.proxy.rule("GET", re.escape(file["name"]), watched(heads), times=99):
        for headers, status, _ in asked:
            assert small.call("GET", file["href"], headers=headers).status_code in (status, 416 if status == 200 else status)
    ranges = [re.search(r"(?m)^range: *([^\r\n]*)", head) for head in heads]
    assert [found and found[1] for found in ranges] == [passed for *_, passed in asked]


def test_no_header_of_the_client_reaches_the_store(store, small, file):
    heads = []
    with store.proxy.rule("GET", re.escape(file["name"]), watched(heads)):
        small.get(file["href"], headers={"X-Mark": "client", "Cookie": "client=1"})
    (head,) = heads
    assert "x-mark" not in head and "cookie" not in head and "bearer" not in head and "x-api-key" not in head
    assert f"host: 127.0.0.1:{store.proxy.port}" in head and "?" not in head.split("\r\n")[0]
    assert f"x-amz-security-token: {TOKEN.lower()}\r\n" in head and SIGNED in head and "x-consign" not in head


def test_another_tenants_file_is_404(stack, file):
    stranger = new_client(stack)
    assert_problem(stranger.call("GET", file["href"]), 404)
    assert_problem(stranger.call("GET", f"{BATCH_FILES}/{file['batch']}/meta?path=manifest.json"), 404)


def test_the_internal_location_is_nobodys(small, stack, file):
    place = place_of(stack, file["batch"])
    link = http.client.HTTPConnection(urlsplit(small.url).netloc, timeout=10)
    link.request("GET", f"/_objects/consign/{place}/{file['name']}", headers=small.headers())
    answer = link.getresponse()
    assert answer.status == 404 and b"/problems/not-found" in answer.read()


@pytest.mark.parametrize("status, code, shown", [
    (403, "AccessDenied", 500), (404, "NoSuchKey", 404), (500, "InternalError", 503), (503, "SlowDown", 503),
    (301, "PermanentRedirect", 500), (400, "AuthorizationHeaderMalformed", 500)])
def test_what_the_store_says_instead_of_a_file_stays_with_us(store, small, file, status, code, shown):
    with store.proxy.rule("GET", re.escape(file["name"]), ObjectProxy.answer(status, code)):
        answer = small.call("GET", file["href"])
    assert_problem(answer, shown)
    assert "made up" not in answer.text and code not in answer.text
    assert {name.lower() for name in answer.headers} <= OURS | {"retry-after"}, answer.headers


def test_a_store_that_breaks_off_in_a_file_is_no_whole_file(store, small, file):
    with store.proxy.rule("GET", re.escape(file["name"]), ObjectProxy.half_answer):
        answer = small.get(file["href"])
    assert int(answer.headers["Content-Length"]) == file["length"] > len(answer.content)


def test_a_precondition_is_refused_as_for_files(small, file):
    for name, value in (("If-Match", '"x"'), ("If-Unmodified-Since", "Thu, 01 Jan 1970 00:00:00 GMT")):
        assert_problem(small.call("GET", file["href"], headers={name: value}), 400)


def test_no_log_has_a_secret_or_a_signature(stack, store, small, file):
    store.proxy.down = True
    try:
        assert_problem(small.call("GET", file["href"]), 503)  # nginx writes the address that it asked into its error log
    finally:
        store.proxy.down = False
    for log in (stack.dir / "log").iterdir():
        text = log.read_text(errors="replace")
        for word in (SECRET, TOKEN, "Signature=", "AWS4-HMAC-SHA256", "X-Amz-"):
            assert word not in text, (log, word)
    lines = [line for line in (stack.dir / "log" / "access.log").read_text().splitlines() if "/_objects" in line]
    assert all('status=404 pool_status="-"' in line for line in lines), lines  # a client that asked for it by itself, above
