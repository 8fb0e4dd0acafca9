"""Streaming ingestion: what is answered, what is in the store after it, and what is told of bad records."""

import concurrent.futures
import uuid

import pytest

import flows
import registry
import streams
from shapes import assert_problem
from streams import Sandbox, event, message, profile


@pytest.fixture
def dataset(shared):
    return flows.create_dataset(shared, "profile")


@pytest.fixture(scope="module")
def sandbox(shared):
    return Sandbox(shared)


def test_one_message(shared, sandbox, dataset):
    """With all that clients put around it, or bare: the record is in the store as it stood in the message."""
    answer = streams.put(shared, dataset, message(shared, dataset, profile("enveloped@x", n=1)))
    assert answer["inletId"] == dataset
    assert abs(answer["receivedTimeMs"] - flows.now_ms()) < 60_000
    bare = streams.put(shared, dataset, profile("bare@x", n=2))
    assert bare["xactionId"] != answer["xactionId"]
    text = '{"body" : {"xdmEntity":  {"n":1.50,  "identityMap":{"Email":[{"id":"span\\u0040x"}]}} } }'
    shared.post(f"{streams.COLLECTION}/{dataset}/", body=text.encode(), expect=200)
    sandbox.settle()
    assert {"enveloped@x", "bare@x", "span@x"} <= set(sandbox.fragments())
    assert sandbox.one("SELECT body FROM consign.profile_fragment f WHERE org = %s AND sandbox = %s AND dataset = %s"
                       " AND body LIKE '%%span%%'", dataset) == '{"n":1.50,  "identityMap":{"Email":[{"id":"span\\u0040x"}]}}'


def test_the_later_message_wins(shared, sandbox, dataset):
    for n in range(5):
        streams.put(shared, dataset, profile("again@x", n=n))
    streams.put_many(shared, dataset, [profile("again@x", n=n) for n in range(5, 12)])
    sandbox.settle()
    assert sandbox.one("SELECT body::jsonb->>'n' FROM consign.profile_fragment WHERE org = %s AND sandbox = %s"
                       " AND dataset = %s", dataset) == "11"


def test_refused_messages(shared, home):
    source, union = flows.create_dataset(shared, "profile"), flows.create_dataset(shared)
    path = f"{streams.COLLECTION}/{source}"
    for body, pointer in (({"header": {"datasetId": union}, "body": {"xdmEntity": {}}}, "/header/datasetId"),
                          ({"header": {"imsOrgId": home.org + "x"}, "body": {"xdmEntity": {}}}, "/header/imsOrgId"),
                          ({"header": {"schemaRef": {"id": flows.SCHEMAS["event"]}}, "body": {"xdmEntity": {}}},
                           "/header/schemaRef/id"),
                          ({"body": {"xdmMeta": {"schemaRef": {"id": "x"}}, "xdmEntity": {}}}, "/body/xdmMeta/schemaRef/id"),
                          ({"header": {}, "body": {"xdmMeta": {}}}, "/body/xdmEntity"), ([1], "")):
        assert_problem(shared.post(path, body), 400, pointer)
    for body in (b"", b"{", b'{"a":NaN}', b'{"a":1,"a":2}', b"\xff"):
        assert_problem(shared.post(path, body=body), 400, "")
    assert_problem(shared.post(path, body=b"{}", headers={"Content-Type": "text/plain"}), 415)
    assert_problem(shared.post(path, body=b'{"a":"' + b"x" * 1024 * 1024 + b'"}'), 413)
    assert_problem(shared.post(path + "?synchronousValidation=perhaps", {}), 400)
    assert_problem(shared.get(path, expect=405), 405)
    for unknown in (flows.NO_SUCH_DATASET, "batch", "x"):
        assert_problem(shared.post(f"{streams.COLLECTION}/{unknown}", profile("a@x")), 404)
        assert_problem(shared.post(f"{streams.COLLECTION}/{unknown}?syncValidation=true", profile("a@x")), 404)
    assert_problem(shared.post(f"{streams.COLLECTION}/{union}", profile("a@x")), 400)
    assert_problem(shared.post(f"{streams.COLLECTION}/{union}?syncValidation=true", profile("a@x")), 400)
    assert not shared.get(f"{flows.CATALOG}/batches?dataSet={source}").json(), "nothing of it was taken"


def test_synchronous_validation(shared, sandbox):
    """By the tenant's schema and its descriptors, before the answer."""
    schema = registry.create_schema(shared, crm=registry.STRING, points=registry.INTEGER)
    registry.create_descriptor(shared, schema, "/crm", "CRMID", primary=True)
    dataset = registry.create_dataset(shared, schema)
    path = f"{streams.COLLECTION}/{dataset}?synchronousValidation=true"
    answer = shared.post(path, message(shared, dataset, {"crm": "sync-1", "points": 3}, schema["$id"]), expect=200).json()
    assert answer["syncValidation"] == {"status": "pass"}
    bad = shared.post(path, message(shared, dataset, {"crm": "sync-2", "points": "3"}, schema["meta:altId"]))
    assert "/points" in assert_problem(bad, 400, "/body/xdmEntity")["detail"]
    assert_problem(shared.post(path.replace("synchronousV", "syncV"), {"points": 3}), 400, "")
    streams.put(shared, dataset, {"crm": "sync-3", "points": "3"})  # nobody asked: refused later
    sandbox.settle()
    assert "sync-1" in sandbox.fragments() and not {"sync-2", "sync-3"} & set(sandbox.fragments())
    assert sandbox.told(dataset) == (2, 1, 1)


def test_batches_of_messages(shared, sandbox, dataset):
    answer = streams.put_many(shared, dataset, [profile("list-1@x"), message(shared, dataset, profile("list-2@x"))])
    assert answer["inletId"] == dataset
    ids = [one["xactionId"] for one in answer["responses"]]
    assert len(set(ids)) == 2 and all(one.startswith(answer["batchId"]) for one in ids)
    mixed = streams.put_many(shared, dataset, [profile("list-3@x"), 7, {"header": {}, "body": {}}, profile("list-4@x"),
                                               message(shared, dataset, {}, flows.SCHEMAS["event"])], expect=207)
    assert ["xactionId" in one for one in mixed["responses"]] == [True, False, False, True, False]
    assert [one.get("message") for one in mixed["responses"] if "xactionId" not in one] == [
        "must be an object", "/body/xdmEntity is required", "/header/schemaRef/id must be the schema of the dataset"]
    some = streams.put_many(shared, dataset, [{"a": 1}, profile("list-5@x")], expect=207, params={"syncValidation": "true"})
    assert some["responses"][0] == {"statusCode": 400, "message": "no identityMap"}
    none = shared.post(f"{streams.COLLECTION}/batch/{dataset}", {"messages": [[], "x"]})
    assert [one["statusCode"] for one in assert_problem(none, 400, "/messages")["responses"]] == [400, 400]
    for body in ({}, {"messages": []}, {"messages": {}}, {"messages": [{}] * 5001}):
        assert_problem(shared.post(f"{streams.COLLECTION}/batch/{dataset}", body), 400, "/messages")
    sandbox.settle()
    assert {f"list-{n}@x" for n in range(1, 6)} <= set(sandbox.fragments())
    assert sandbox.told(dataset) == (5, 5, 0)


def test_the_batch_of_a_stream(shared, sandbox, dataset):
    """Bad records are refused after the answer, and told by their xactionId; the batch is nobody's to change."""
    sent = [streams.put(shared, dataset, record)["xactionId"] for record in ({"bad": 1}, profile("good@x"), {"bad": 2})]
    listed = streams.put_many(shared, dataset, [profile("good-2@x"), {"bad": 3}])["responses"]
    sandbox.settle()
    assert sandbox.told(dataset) == (5, 2, 3)
    assert {file for _, file, _ in sandbox.refused(dataset)} == {sent[0], sent[2], listed[1]["xactionId"]}
    (batch, shown), *_ = sandbox.batches(dataset)
    assert shown["status"] == "success" and shown["relatedObjects"] == [{"type": "dataSet", "id": dataset}]
    assert shown["metrics"]["inputByteSize"] > 0 and shown["metrics"]["outputByteSize"] > 0
    assert_problem(shared.put(flows.file_path(batch, dataset), b"", expect=409), 409)
    for action in ("COMPLETE", "ABORT"):
        assert_problem(shared.post(f"{flows.IMPORT}/{batch}?action={action}"), 409)
    streams.put(shared, dataset, profile("good-3@x"))
    sandbox.settle()
    assert len(sandbox.batches(dataset)) <= 2, "a batch goes on for a quarter of an hour"


def test_a_key_is_one_message(shared, sandbox, dataset):
    key = {"Idempotency-Key": uuid.uuid4().hex}
    first = streams.put(shared, dataset, profile("key@x"), headers=key)
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        again = list(pool.map(lambda _: streams.put(shared, dataset, profile("key@x"), headers=key), range(4)))
    assert all(answer == first for answer in again)
    assert_problem(shared.post(f"{streams.COLLECTION}/{dataset}", profile("other@x"), headers=key), 422)
    listed = {"Idempotency-Key": uuid.uuid4().hex}
    batch = streams.put_many(shared, dataset, [profile("key-2@x"), profile("key-3@x")], headers=listed)
    assert streams.put_many(shared, dataset, [profile("key-2@x"), profile("key-3@x")], headers=listed) == batch
    sandbox.settle()
    assert sandbox.told(dataset) == (3, 3, 0)


def test_messages_keep_their_place_among_batches(shared, sandbox, spooler_paused):
    """A batch that was completed after a message holds the later record."""
    dataset = flows.create_dataset(shared, "profile")
    with spooler_paused():
        streams.put(shared, dataset, profile("order@x", n=1))
        batch = flows.upload(shared, dataset, flows.ndjson([profile("order@x", n=2)]))
    flows.wait_batch(shared, batch)
    sandbox.settle()
    assert sandbox.one("SELECT body::jsonb->>'n' FROM consign.profile_fragment WHERE org = %s AND sandbox = %s"
                       " AND dataset = %s", dataset) == "2"


def test_more_than_a_step(shared, sandbox, spooler_paused):
    """What waits is loaded in steps, each once."""
    dataset = flows.create_dataset(shared, "event")
    ids = [f"step-{n}" for n in range(6000)]
    with spooler_paused():
        for at in range(0, len(ids), 1000):
            streams.put_many(shared, dataset, [event("step@x", one, pad="x" * 700) for one in ids[at:at + 1000]])
    sandbox.settle()
    assert sorted(one for one in sandbox.events() if one.startswith("step-")) == sorted(ids)
    assert sandbox.told(dataset) == (6000, 6000, 0)


@pytest.mark.parametrize("times, good", [(2, 51), (3, 50)])
def test_a_message_that_ends_its_workers(shared, sandbox, spooler_paused, times, good):
    """As the queue shows it after the attempts that took a single message ended: after spooler.attempts of them that one
    is refused, and kept; before, it is as good as any other, for whoever kills workers kills them at any message."""
    dataset = flows.create_dataset(shared, "profile")
    entry = f"stream-{dataset}"
    with spooler_paused():
        poison = streams.put(shared, dataset, profile("poison@x"))["xactionId"]
        streams.put_many(shared, dataset, [profile(f"healthy-{n}@x") for n in range(50)])
        number = sandbox.one("SELECT min(number) FROM consign.stream_message WHERE org = %s AND sandbox = %s AND dataset = %s",
                             dataset)
        sandbox.db.execute("UPDATE consign.work_queue SET attempts = 7, last_fault = %s WHERE org = %s AND sandbox = %s"
                           " AND batch = %s", (f"message {number} times {times}", *sandbox.tenant, entry))
    sandbox.settle()
    assert sandbox.told(dataset) == (51, good, 51 - good)
    assert [(code, file) for code, file, _ in sandbox.refused(dataset)] == [("unknown", poison)] * (51 - good)
    here = set(sandbox.column("SELECT i.value FROM consign.profile_fragment f JOIN consign.identity i USING (org, sandbox, identity)"
                              " WHERE f.org = %s AND f.sandbox = %s AND f.dataset = %s", dataset))
    assert here == {f"healthy-{n}@x" for n in range(50)} | ({"poison@x"} if good == 51 else set())
