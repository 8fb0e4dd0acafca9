"""Reading batches: listings, manifest, ranges, ETags, traversal (contract section 7)."""

import contextlib
import hashlib
import json
import socket
from urllib.parse import quote, urlsplit

import pytest

import flows
import rawhttp
from flows import BATCH_FILES, FILES, job_body
from shapes import assert_problem

ROWS = 500


@pytest.fixture(scope="module")
def batch(shared):
    """One finished export of ROWS profiles."""
    source = flows.create_dataset(shared, "profile")
    flows.ingest(shared, source, [
        {"identityMap": {"Email": [{"id": f"{n}@x.org", "primary": True}]}, "n": n,
         "text": hashlib.sha256(str(n).encode()).hexdigest()} for n in range(ROWS)])
    job, rows = flows.export(shared, job_body(flows.create_dataset(shared)))
    assert sorted(row["n"] for row in rows) == list(range(ROWS))
    return job["destination"]["batchId"]


@pytest.fixture(scope="module")
def part(shared, batch):
    """The first file of the batch: {name, length, href, data}."""
    first = flows.list_parts(shared, batch)[0]
    return {**first, "data": shared.get(first["href"]).content}


def test_listing_of_a_batch(shared, batch):
    listing = shared.get(f"{BATCH_FILES}/{batch}/files").json()
    assert listing["_page"]["count"] == len(listing["data"]) >= 1
    assert 1 <= listing["_page"]["limit"] <= 100
    assert sum(int(entry["records"]) for entry in listing["data"]) == ROWS
    for entry in listing["data"]:
        assert {"dataSetFileId", "dataSetViewId", "version", "isValid"} <= set(entry)
        for name in ("created", "updated", "size"):
            assert isinstance(entry[name], str) and entry[name].isdigit(), (name, entry)
        assert entry["isValid"] is True and isinstance(entry["records"], int)
        href = entry["_links"]["self"]["href"]
        assert href == f"{shared.url}{FILES}/{entry['dataSetFileId']}"


@pytest.mark.parametrize("query, status", [
    ("start=0", 200), ("limit=1", 200), ("limit=100", 200), ("start=1000", 200), ("start=-1", 400),
    ("start=x", 400), ("limit=0", 400), ("limit=101", 400), ("limit=x", 400)])
def test_paging_of_a_listing(shared, batch, query, status):
    answer = shared.call("GET", f"{BATCH_FILES}/{batch}/files?{query}")
    if status == 400:
        assert_problem(answer, 400)
        return
    listing = answer.json()
    assert listing["_page"]["count"] >= 1, "count is the total, not what is on this page"
    assert bool(listing["data"]) == (query != "start=1000")


def test_absolute_links_never_come_from_the_host_header(shared, batch):
    answer = shared.get(f"{BATCH_FILES}/{batch}/files", headers={"Host": "evil.example"})
    assert "evil.example" not in answer.text


def test_listing_of_a_file(shared, batch, part):
    entry = flows.list_files(shared, batch)[0]
    listing = shared.get(f"{FILES}/{entry['dataSetFileId']}").json()
    assert listing["_page"]["count"] == len(listing["data"]) >= 1
    for item in listing["data"]:
        assert item["name"].startswith("part-") and item["name"].endswith(".json.zst"), item
        assert item["_links"]["self"]["href"] == \
            f"{shared.url}{FILES}/{entry['dataSetFileId']}?path={item['name']}"
        assert int(item["length"]) == len(shared.get(item["_links"]["self"]["href"]).content)


def test_name_of_a_part(part):
    number, rest = part["name"].removeprefix("part-").split("-", 1)
    assert number == "00000"
    assert len(rest.removesuffix(".json.zst")) == 36


def test_manifest(shared, batch, part):
    answer = shared.get(f"{BATCH_FILES}/{batch}/meta?path=manifest.json")
    assert answer.headers["Content-Type"].split(";")[0] == "application/json"
    entries = flows.manifest(shared, batch)
    assert sum(int(entry["rows"]) for entry in entries.values()) == ROWS
    entry = entries[part["name"]]
    assert entry["sha256"] == hashlib.sha256(part["data"]).hexdigest()
    assert int(entry["bytes"]) == len(part["data"])


def test_a_batch_never_changes(shared, batch, part):
    before = shared.get(f"{BATCH_FILES}/{batch}/meta?path=manifest.json").content
    flows.export(shared, job_body(flows.create_dataset(shared)))
    assert shared.get(f"{BATCH_FILES}/{batch}/meta?path=manifest.json").content == before
    assert shared.get(part["href"]).content == part["data"]


def test_headers_of_a_download(shared, part):
    answer = shared.get(part["href"])
    assert answer.headers["Content-Type"].split(";")[0] == "application/x-ndjson"
    assert "Content-Encoding" not in answer.headers
    assert int(answer.headers["Content-Length"]) == part["length"]
    assert answer.headers["Accept-Ranges"] == "bytes"
    digest = hashlib.sha256(part["data"]).hexdigest()
    assert answer.headers["ETag"].strip('"')[:16] == digest[:16], answer.headers["ETag"]
    assert not any(name.lower().startswith("x-accel") for name in answer.headers)


def test_head_is_get_without_a_body(shared, batch, part):
    for path in (part["href"], part["href"].split("?")[0]):
        got, head = shared.get(path), shared.call("HEAD", path, expect=200)
        assert head.content == b""
        for name in ("Content-Type", "Content-Length", "ETag"):
            assert head.headers.get(name) == got.headers.get(name), name


RANGES = [
    ("bytes=0-0", slice(0, 1)), ("bytes=0-99", slice(0, 100)), ("bytes=100-", slice(100, None)),
    ("bytes=-1", slice(-1, None)), ("bytes=-100", slice(-100, None)),
    ("bytes=5-999999999", slice(5, None)), ("bytes=-999999999", slice(0, None)),
]


@pytest.mark.parametrize("wanted, piece", RANGES, ids=[r for r, _ in RANGES])
def test_range_is_206(shared, part, wanted, piece):
    answer = shared.get(part["href"], expect=206, headers={"Range": wanted})
    assert answer.content == part["data"][piece]
    first = range(len(part["data"]))[piece]
    assert answer.headers["Content-Range"] == f"bytes {first[0]}-{first[-1]}/{part['length']}"


@pytest.mark.parametrize("wanted", ["bytes=LENGTH-", "bytes=999999999-9999999999", "bytes=-0"])
def test_range_outside_is_416(shared, part, wanted):
    wanted = wanted.replace("LENGTH", str(part["length"]))
    answer = shared.call("GET", part["href"], headers={"Range": wanted})
    assert answer.status_code == 416, answer.status_code
    assert answer.headers["Content-Range"] == f"bytes */{part['length']}"
    assert_problem(answer, 416)


@pytest.mark.parametrize("wanted", ["rows=0-5"])
def test_range_of_an_unknown_unit_is_the_whole_file_or_416(shared, part, wanted):
    answer = shared.call("GET", part["href"], headers={"Range": wanted}, expect=(200, 416))
    assert answer.status_code == 416 or answer.content == part["data"]


def test_a_file_put_together_from_ranges(shared, part):
    size = max(1, part["length"] // 7)
    pieces = [shared.get(part["href"], expect=206,
                         headers={"Range": f"bytes={at}-{at + size - 1}"}).content
              for at in range(0, part["length"], size)]
    assert b"".join(pieces) == part["data"]


def test_if_range(shared, part):
    etag = shared.get(part["href"]).headers["ETag"]
    wanted = {"Range": "bytes=0-9", "If-Range": etag}
    assert shared.get(part["href"], expect=206, headers=wanted).content == part["data"][:10]
    wanted["If-Range"] = '"another"'
    assert shared.get(part["href"], expect=200, headers=wanted).content == part["data"]


def test_a_file_that_cant_be_opened_is_no_fault_of_the_headers(stack, shared, batch, part):
    """nginx's own 500; with so many bytes of headers it might be that they don't fit (test_limits.py), but the pool has had them."""
    (file,) = stack.lake.glob(f"*/*/*/{batch}/*/{part['name']}")
    aside = file.with_name("aside")
    headers = [*shared.headers().items(), ("X-Filler", "f" * 13000)]
    file.rename(aside)
    try:
        with contextlib.chdir(file.parent), socket.socket(socket.AF_UNIX) as link:
            link.bind(file.name)  # to open it is ENXIO
        answer = rawhttp.send(shared.url, "GET", part["href"].removeprefix(shared.url), headers)
    finally:
        aside.replace(file)
    assert_problem(answer, 500)


def test_if_none_match(shared, part):
    etag = shared.get(part["href"]).headers["ETag"]
    for value in (etag, f'"x", {etag}', "*", f"W/{etag}"):
        answer = shared.get(part["href"], expect=304, headers={"If-None-Match": value})
        assert answer.content == b"" and answer.headers["ETag"] == etag
    shared.get(part["href"], expect=200, headers={"If-None-Match": '"another"'})


TRAVERSALS = ["../manifest.json", "..", ".", "/", "", "/etc/passwd", "../../../../etc/passwd", "./NAME",
              "NAME/", "x/../NAME", "NAME\0", "..\\NAME", "nothing.json.zst", "n" * 5000, "\u00e9",
              "%2e%2e/manifest.json", "..%2fmanifest.json"]


@pytest.mark.parametrize("path", TRAVERSALS, ids=range(len(TRAVERSALS)))
def test_path_that_is_not_a_name_of_the_batch_is_404(shared, part, path):
    base = part["href"].split("?")[0]
    path = quote(path.replace("NAME", part["name"]), safe="/%" if "%2" in path else "/")
    answer = shared.call("GET", f"{base}?path={path}")
    if path == "" and answer.status_code == 200:
        assert "data" in answer.json()  # an empty path may mean the listing
        return
    assert answer.status_code in (400, 404, 414), (path, answer.status_code)
    assert_problem(answer, answer.status_code)
    assert b"root:" not in answer.content


@pytest.mark.parametrize("path", ["../x", "/etc/passwd", "manifest.json/", "nothing", "PART"])
def test_meta_of_another_name_is_404(shared, batch, part, path):
    path = path.replace("PART", part["name"])
    answer = shared.call("GET", f"{BATCH_FILES}/{batch}/meta?path={quote(path)}")
    assert answer.status_code in (400, 404), (path, answer.status_code)
    assert_problem(answer, answer.status_code)


@pytest.mark.parametrize("path", [
    f"{BATCH_FILES}/BATCH/../../../../../etc/passwd", f"{FILES}/../../lake", "/lake/", "/internal/",
    "/tmp/", f"{FILES}/%2e%2e/%2e%2e/lake/", "/%2e%2e/%2e%2e/etc/passwd"])
def test_unnormalised_path_leads_nowhere(shared, batch, path):
    answer = rawhttp.send(shared.url, "GET", path.replace("BATCH", batch),
                          list(shared.headers().items()))
    assert answer.status_code in (400, 404), (path, answer.status_code)
    assert b"root:" not in answer.content


def test_client_cannot_ask_for_an_internal_redirect(shared, part):
    for name in ("X-Accel-Redirect", "X-Sendfile"):
        answer = shared.get(part["href"], headers={name: "/etc/passwd"})
        assert answer.content == part["data"]


def test_unknown_file_and_batch_are_404(shared):
    for path in (f"{FILES}/{flows.NO_SUCH_BATCH}", f"{FILES}/x", f"{FILES}/x?path=y",
                 f"{BATCH_FILES}/{flows.NO_SUCH_BATCH}/files", f"{BATCH_FILES}/x/files",
                 f"{BATCH_FILES}/{flows.NO_SUCH_BATCH}/meta?path=manifest.json"):
        assert_problem(shared.call("GET", path), 404)


def test_wrong_methods(shared, batch, part):
    for method, path in (("POST", urlsplit(part["href"]).path), ("DELETE", part["href"]),
                         ("PUT", f"{BATCH_FILES}/{batch}/files")):
        assert_problem(shared.call(method, path, body=b"{}"), 405)


def test_export_without_compression(shared):
    dataset = flows.create_dataset(
        shared, fileDescription={"format": "json", "compression": "none"})
    job, rows = flows.export(shared, job_body(dataset))
    assert len(rows) >= ROWS
    for part in flows.list_parts(shared, job["destination"]["batchId"]):
        assert part["name"].endswith(".json"), part
        assert json.loads(shared.get(part["href"]).content.split(b"\n", 1)[0])["identityMap"]
