"""Batch ingestion: file shapes, bad records, states, file names, sizes."""

import json
import urllib.parse

import pytest

import flows
import rawhttp
from flows import BATCH_FILES, CATALOG, IMPORT, file_path, ndjson
from shapes import HEX32, assert_problem


def person(ident, **more):
    return {"identityMap": {"Email": [{"id": ident, "primary": True}]}, **more}


def exported_ids(client):
    _, rows = flows.export_all(client)
    return sorted(row["identityMap"]["Email"][0]["id"] for row in rows)


@pytest.fixture
def dataset(client):
    return flows.create_dataset(client, "profile")


def test_open_batch_is_loading(client, dataset):
    body = {"datasetId": dataset, "inputFormat": {"format": "json"}}
    batch = client.post(IMPORT, body, expect=201).json()
    assert HEX32.match(batch["id"]) and batch["status"] == "loading"
    assert batch["relatedObjects"] == [{"type": "dataSet", "id": dataset}]
    assert client.get(f"{CATALOG}/batches/{batch['id']}").json()[batch["id"]]["status"] == "loading"


@pytest.mark.parametrize("body, pointer", [
    ({}, "/datasetId"), ({"datasetId": 5}, "/datasetId"), ({"datasetId": "x"}, "/datasetId"),
    ({"datasetId": flows.NO_SUCH_DATASET}, "/datasetId"),
    ({"datasetId": "ID", "inputFormat": 5}, "/inputFormat"),
    ({"datasetId": "ID", "inputFormat": {"format": 5}}, "/inputFormat/format"),
    ({"datasetId": "ID", "inputFormat": {"format": "parquet"}}, "/inputFormat/format"),
])
def test_bad_batch_request_is_400_with_the_pointer(client, dataset, body, pointer):
    body = {"inputFormat": {"format": "json"}, **body}
    if body.get("datasetId") == "ID":
        body["datasetId"] = dataset
    assert_problem(client.post(IMPORT, body), 400, pointer)


def test_batch_into_a_union_dataset_is_400(client):
    body = {"datasetId": flows.create_dataset(client), "inputFormat": {"format": "json"}}
    assert_problem(client.post(IMPORT, body), 400, "/datasetId")


TWO = [person("a@x", n=1), person("b@x", s="\u00e9\n\U0001f600")]
SHAPES = {
    "ndjson": ndjson(TWO),
    "no newline at the end": ndjson(TWO)[:-1],
    "crlf": ndjson(TWO).replace(b"\n", b"\r\n"),
    "blank lines": b"\n\n" + ndjson(TWO[:1]) + b"\n \t\n\r\n" + ndjson(TWO[1:]) + b"\n\n",
    "array": json.dumps(TWO).encode(),
    "pretty array": json.dumps(TWO, indent=2).encode() + b"\n",
    "array after blanks": b" \r\n\t" + json.dumps(TWO).encode(),
    "array with crlf": json.dumps(TWO, indent=1).replace("\n", "\r\n").encode(),
}


@pytest.mark.parametrize("body", SHAPES.values(), ids=SHAPES)
def test_file_shapes(client, dataset, body):
    batch = flows.ingest(client, dataset, body)
    assert batch["metrics"]["inputRecordCount"] == batch["metrics"]["outputRecordCount"] == 2
    assert batch["metrics"]["failedRecordCount"] == 0
    _, rows = flows.export_all(client)
    assert sorted(rows, key=json.dumps) == sorted(TWO, key=json.dumps)


@pytest.mark.parametrize("body", [b"", b"\n\n", b"[]", b" [ ] "])
def test_empty_file_holds_no_records(client, dataset, body):
    batch = flows.ingest(client, dataset, body)
    assert batch["metrics"]["inputRecordCount"] == batch["metrics"]["outputRecordCount"] == 0
    assert exported_ids(client) == []


BAD_LINES = {
    "not json": b"{nope}", "cut": b'{"identityMap":{"Email":[{"id":"z"', "array": b"[1]",
    "number": b"5", "null": b"null", "no identities": b'{"person":{}}',
    "empty identities": b'{"identityMap":{}}', "no entries": b'{"identityMap":{"Email":[]}}',
    "identityMap is no object": b'{"identityMap":[]}', "entry is text": b'{"identityMap":{"E":["a"]}}',
    "id is a number": b'{"identityMap":{"E":[{"id":5}]}}',
    "id is empty": b'{"identityMap":{"E":[{"id":""}]}}',
    "two identities, none primary": b'{"identityMap":{"E":[{"id":"a"},{"id":"b"}]}}',
    "member twice": b'{"a":1,"a":2,"identityMap":{"E":[{"id":"z"}]}}',
    "nan": b'{"a":NaN,"identityMap":{"E":[{"id":"z"}]}}',
    "nul": b'{"a":"\\u0000","identityMap":{"E":[{"id":"z"}]}}',
    "bad utf-8": b'{"a":"\xff","identityMap":{"E":[{"id":"z"}]}}',
    "lone surrogate": b'{"a":"\\udc00","identityMap":{"E":[{"id":"z"}]}}',
    "two values": b'{"identityMap":{"E":[{"id":"z"}]}} {}',
    "too deep": b'{"a":' + b"[" * 70 + b"]" * 70 + b',"identityMap":{"E":[{"id":"z"}]}}',
}


def test_bad_lines_are_counted_with_line_and_reason_and_good_ones_loaded(client, dataset):
    """Every second line is bad; the failed listing names each by its line."""
    lines, wanted = [], {}
    for number, (name, bad) in enumerate(BAD_LINES.items()):
        lines += [ndjson([person(f"good{number:02}@x")])[:-1], bad]
        wanted[len(lines)] = name
    batch = flows.ingest(client, dataset, b"\n".join(lines), name="bad.json")
    metrics = batch["metrics"]
    assert metrics["inputRecordCount"] == len(lines)
    assert metrics["outputRecordCount"] == metrics["failedRecordCount"] == len(BAD_LINES)
    listed = client.get(f"{BATCH_FILES}/{batch['id']}/failed").json()
    assert listed["_page"]["count"] == len(BAD_LINES)
    failed = {entry["line"]: entry for entry in listed["data"]}
    assert set(failed) == set(wanted), [n for i, n in wanted.items() if i not in failed]
    text = b"\n".join(lines)
    for line, entry in failed.items():
        assert entry["file"] == "bad.json" and entry["code"] and entry["reason"], entry
        begin = len(b"\n".join(lines[:line - 1])) + 1
        assert begin <= entry["byteOffset"] <= begin + len(lines[line - 1]) <= len(text), entry
        assert isinstance(entry["record"], str), entry
    assert exported_ids(client) == [f"good{n:02}@x" for n in range(len(BAD_LINES))]


@pytest.mark.parametrize("bad", [
    {"_id": "1"}, {"timestamp": "2024-01-01T00:00:00Z"}, {"_id": 5, "timestamp": "2024-01-01T00:00:00Z"},
    {"_id": "", "timestamp": "2024-01-01T00:00:00Z"}, {"_id": "1", "timestamp": "yesterday"},
    {"_id": "1", "timestamp": 1704067200000}, {"_id": "1", "timestamp": "2024-02-30T00:00:00Z"}])
def test_bad_event_is_counted(client, bad):
    dataset = flows.create_dataset(client, "event")
    good = person("a@x", _id="0", timestamp="2024-01-01T00:00:00Z")
    batch = flows.ingest(client, dataset, [good, person("a@x", **bad)])
    assert batch["metrics"]["failedRecordCount"] == batch["metrics"]["outputRecordCount"] == 1
    (entry,) = client.get(f"{BATCH_FILES}/{batch['id']}/failed").json()["data"]
    assert entry["line"] == 2


def test_failed_listing_has_pages(client, dataset):
    batch = flows.ingest(client, dataset, b"nonsense\n" * 150 + ndjson([person("a@x")]))["id"]
    first = client.get(f"{BATCH_FILES}/{batch}/failed?limit=100").json()
    rest = client.get(f"{BATCH_FILES}/{batch}/failed?limit=100&start=100").json()
    assert first["_page"]["count"] == 150 and len(first["data"]) == 100
    assert [e["line"] for e in first["data"] + rest["data"]] == list(range(1, 151))
    assert_problem(client.call("GET", f"{BATCH_FILES}/{batch}/failed?start=-1"), 400)


@pytest.mark.parametrize("tail", [b"", b", ", b", {", b", {}] trailing"])
def test_broken_array_tells_where_and_a_batch_is_whole_or_not_at_all(client, dataset, tail):
    body = b"[" + json.dumps(person("a@x")).encode() + tail
    batch = flows.ingest(client, dataset, body, expect=None)
    assert batch["status"] in ("success", "failed"), batch
    assert client.get(f"{BATCH_FILES}/{batch['id']}/failed").json()["_page"]["count"] >= 1
    loaded = batch["metrics"]["outputRecordCount"] if batch["status"] == "success" else 0
    assert len(exported_ids(client)) == loaded


def test_several_files_make_one_batch(client, dataset):
    batch = flows.open_batch(client, dataset)
    for number in range(3):
        client.put(file_path(batch, dataset, f"f{number}.json"), ndjson([person(f"{number}@x")]))
    assert exported_ids(client) == []
    client.post(f"{IMPORT}/{batch}?action=COMPLETE", expect=200)
    assert flows.wait_batch(client, batch)["metrics"]["outputRecordCount"] == 3
    assert exported_ids(client) == ["0@x", "1@x", "2@x"]


def test_put_of_the_same_name_replaces(client, dataset):
    batch = flows.open_batch(client, dataset)
    client.put(file_path(batch, dataset), ndjson([person("old@x"), person("older@x")]))
    client.put(file_path(batch, dataset), ndjson([person("new@x")]))
    client.post(f"{IMPORT}/{batch}?action=COMPLETE", expect=200)
    assert flows.wait_batch(client, batch)["metrics"]["inputRecordCount"] == 1
    assert exported_ids(client) == ["new@x"]


def test_completed_batch_is_closed(client, dataset):
    batch = flows.ingest(client, dataset, [person("a@x")])["id"]
    for answer in (client.post(f"{IMPORT}/{batch}?action=COMPLETE"),
                   client.post(f"{IMPORT}/{batch}?action=ABORT"),
                   client.put(file_path(batch, dataset), b"{}", expect=None)):
        assert_problem(answer, 409)
    assert exported_ids(client) == ["a@x"]


def test_aborted_batch_is_closed_and_leaves_nothing(client, dataset):
    batch = flows.open_batch(client, dataset)
    client.put(file_path(batch, dataset), ndjson([person("a@x")]))
    client.post(f"{IMPORT}/{batch}?action=ABORT", expect=200)
    assert client.get(f"{CATALOG}/batches/{batch}").json()[batch]["status"] == "aborted"
    assert_problem(client.post(f"{IMPORT}/{batch}?action=COMPLETE"), 409)
    assert_problem(client.put(file_path(batch, dataset), b"{}", expect=None), 409)
    assert exported_ids(client) == []


@pytest.mark.parametrize("query", ["", "?action=", "?action=complete", "?action=DESTROY"])
def test_bad_action_is_400(client, dataset, query):
    assert_problem(client.post(f"{IMPORT}/{flows.open_batch(client, dataset)}{query}"), 400)


def test_foreign_and_unknown_batch_is_404(client, shared, dataset):
    batch = flows.open_batch(client, dataset)
    for ident in (batch, flows.NO_SUCH_BATCH):
        assert_problem(shared.post(f"{IMPORT}/{ident}?action=COMPLETE"), 404)
        assert_problem(shared.put(file_path(ident, dataset), b"{}", expect=None), 404)
    other = flows.create_dataset(client, "profile")
    answer = client.put(file_path(batch, other), b"{}", expect=None)
    assert answer.status_code in (400, 404), answer.text
    assert_problem(answer, answer.status_code)


DANGEROUS = ["%2e%2e", "..%2fevil", "..%2f..%2f..%2fevil", "a%2fb", "%00", "a%00b", "a%0ab",
             "%2fetc%2fpasswd", "n" * 256, "%5c..%5cevil", "."]


@pytest.mark.parametrize("name", DANGEROUS, ids=[name[:20] for name in DANGEROUS])
def test_file_name_that_could_lead_elsewhere_is_refused(client, dataset, stack, name):
    batch = flows.open_batch(client, dataset)
    answer = rawhttp.send(client.url, "PUT", file_path(batch, dataset, name),
                          list(client.headers().items()), ndjson([person("a@x")]))
    assert answer.status_code in (400, 404, 405, 414), (name, answer.status_code, answer.text)
    assert not list(stack.dir.rglob("evil")) and not list(stack.lake.rglob("evil"))


ODD = ["a", "n" * 255, "a b.json", "\u00e9\u4e2d.json", "a+b&c=d.json", "...x", "-rf", "%2e.json"]


@pytest.mark.parametrize("name", ODD, ids=[ascii(name[:20]) for name in ODD])
def test_other_file_name_is_taken_or_refused_clearly(client, dataset, name):
    batch = flows.open_batch(client, dataset)
    quoted = urllib.parse.quote(name, safe="")
    answer = client.put(file_path(batch, dataset, quoted), b"broken", expect=(200, 400))
    if answer.status_code == 200:
        client.post(f"{IMPORT}/{batch}?action=COMPLETE", expect=200)
        flows.wait_batch(client, batch)
        (entry,) = client.get(f"{BATCH_FILES}/{batch}/failed").json()["data"]
        assert entry["file"] == name
    else:
        assert_problem(answer, 400)


def test_file_beyond_the_limit_is_413(client, dataset):
    """nginx refuses by the announced length, before it reads the body."""
    batch = flows.open_batch(client, dataset)
    answer = rawhttp.send(client.url, "PUT", file_path(batch, dataset),
                          list(client.headers().items()), b"[", length=300 * 1024 * 1024)
    assert_problem(answer, 413)


def test_ingest_request_beyond_one_mib_is_413(client, dataset):
    body = json.dumps({"datasetId": dataset, "inputFormat": {"format": "json"}}).encode()
    full = body + b" " * (1024 * 1024 - len(body))
    assert client.call("POST", IMPORT, body=full).status_code == 201
    assert_problem(client.call("POST", IMPORT, body=full + b" "), 413)


def test_large_file_arrives_whole(client, dataset):
    """20 MB, far beyond what nginx or the pool would hold in memory."""
    records = [person(f"{n}@x", text="x" * 2000) for n in range(10_000)]
    batch = flows.ingest(client, dataset, records)
    assert batch["metrics"]["outputRecordCount"] == 10_000
    job, rows = flows.export_all(client, fields="nothing")
    assert len(rows) == len({row["identityMap"]["Email"][0]["id"] for row in rows}) == 10_000
