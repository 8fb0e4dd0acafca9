"""POST of export jobs: members, types, refusals, idempotency (contract section 5)."""

import json
import uuid
from concurrent.futures import ThreadPoolExecutor

import pytest

import flows
from flows import JOBS, job_body
from shapes import assert_job, assert_problem

SINCE = "2020-01-01T00:00:00Z"


@pytest.fixture(scope="module")
def dataset(shared):
    return flows.create_dataset(shared)


def with_member(dataset, pointer, value):
    """The smallest request, with the member at a JSON pointer set to a value."""
    body = job_body(dataset)
    *parents, leaf = pointer.strip("/").split("/")
    node = body
    for name in parents:
        node = node.setdefault(name, {})
    node[leaf] = value
    return body


STRING, NUMBER, BOOLEAN, ARRAY, OBJECT = "text", 5, True, [1], {"a": 1}
TYPES = {
    "/destination": (STRING, NUMBER, BOOLEAN, ARRAY),
    "/destination/datasetId": (NUMBER, BOOLEAN, ARRAY, OBJECT),
    "/destination/segmentPerBatch": (STRING, NUMBER, ARRAY, OBJECT),
    "/schema": (STRING, NUMBER, BOOLEAN, ARRAY),
    "/schema/name": (NUMBER, BOOLEAN, ARRAY, OBJECT),
    "/fields": (NUMBER, BOOLEAN, ARRAY, OBJECT),
    "/mergePolicy": (STRING, NUMBER, BOOLEAN, ARRAY),
    "/mergePolicy/id": (NUMBER, BOOLEAN, ARRAY, OBJECT),
    "/mergePolicy/version": (STRING, BOOLEAN, ARRAY, OBJECT),
    "/filter": (STRING, NUMBER, BOOLEAN, ARRAY),
    "/filter/emptyProfiles": (STRING, NUMBER, ARRAY, OBJECT),
    "/filter/segments": (STRING, NUMBER, BOOLEAN, OBJECT),
    "/filter/segmentQualificationTime": (STRING, NUMBER, BOOLEAN, ARRAY),
    "/filter/fromIngestTimestamp": (NUMBER, BOOLEAN, ARRAY, OBJECT),
    "/additionalFields": (STRING, NUMBER, BOOLEAN, ARRAY),
    "/additionalFields/eventList": (STRING, NUMBER, BOOLEAN, ARRAY),
    "/additionalFields/eventList/fields": (NUMBER, BOOLEAN, ARRAY, OBJECT),
    "/additionalFields/eventList/filter": (STRING, NUMBER, BOOLEAN, ARRAY),
    "/additionalFields/eventList/filter/fromIngestTimestamp": (NUMBER, BOOLEAN, ARRAY, OBJECT),
    "/additionalFields/eventList/filter/toIngestTimestamp": (NUMBER, BOOLEAN, ARRAY, OBJECT),
}
WRONG_TYPES = [(p, v) for p, values in TYPES.items() for v in values]


@pytest.mark.parametrize("pointer, value", WRONG_TYPES, ids=[f"{p}={v}" for p, v in WRONG_TYPES])
def test_wrong_type_is_400_with_the_pointer(shared, dataset, pointer, value):
    assert_problem(shared.post(JOBS, with_member(dataset, pointer, value)), 400, pointer)


FROM = "/additionalFields/eventList/filter/fromIngestTimestamp"
TO = "/additionalFields/eventList/filter/toIngestTimestamp"
WRONG_VALUES = [
    ("/destination/datasetId", ""), ("/destination/datasetId", "no-dataset"),
    ("/destination/datasetId", flows.NO_SUCH_DATASET),
    ("/schema/name", ""), ("/schema/name", "_xdm.context.experienceevent"),
    ("/mergePolicy/id", ""), ("/mergePolicy/id", "no-policy"),
    ("/mergePolicy/version", 0), ("/mergePolicy/version", -1), ("/mergePolicy/version", 2),
    ("/mergePolicy/version", 1.5),
    (FROM, ""), (FROM, "yesterday"), (FROM, "2020-01-01"), (FROM, "2020-01-01T00:00:00"),
    (FROM, "2020-02-30T00:00:00Z"), (FROM, "2020-01-01T24:00:01Z"), (TO, "2020-13-01T00:00:00Z"),
    (TO, "1577836800000"),
    ("/destination/segmentPerBatch", True),
]


@pytest.mark.parametrize("pointer, value", WRONG_VALUES, ids=[f"{p}={v}" for p, v in WRONG_VALUES])
def test_wrong_value_is_400_with_the_pointer(shared, dataset, pointer, value):
    assert_problem(shared.post(JOBS, with_member(dataset, pointer, value)), 400, pointer)


@pytest.mark.parametrize("body, pointer", [
    ({"schema": {"name": "_xdm.context.profile"}}, ("/destination", "/destination/datasetId")),
    ({"schema": {"name": "_xdm.context.profile"}, "destination": {}}, ("/destination/datasetId",)),
    ({"destination": {"datasetId": "ID"}}, ("/schema", "/schema/name")),
    ({"destination": {"datasetId": "ID"}, "schema": {}}, ("/schema/name",)),
])
def test_missing_member_is_400(shared, dataset, body, pointer):
    body = json.loads(json.dumps(body).replace("ID", dataset))
    assert_problem(shared.post(JOBS, body), 400, pointer)


def test_other_spelling_of_the_dataset_member_has_its_own_pointer(shared, dataset):
    body = job_body(dataset)
    body["destination"] = {"dataSetId": 5}
    assert_problem(shared.post(JOBS, body), 400, "/destination/dataSetId")


@pytest.mark.parametrize("kind", ["profile", "event"])
def test_dataset_that_is_not_a_union_is_400(shared, kind):
    answer = shared.post(JOBS, job_body(flows.create_dataset(shared, kind)))
    assert_problem(answer, 400, "/destination/datasetId")


def test_snappy_is_refused_until_it_works(shared):
    """Contract section 4 lets either the dataset or the job refuse; one of them must."""
    body = flows.dataset_body(fileDescription={"format": "json", "compression": "snappy"})
    answer = shared.post(f"{flows.CATALOG}/dataSets", body)
    if answer.status_code == 201:
        answer = shared.post(JOBS, job_body(answer.json()[0].rsplit("/", 1)[1]))
    assert_problem(answer, 400)


@pytest.mark.parametrize("destination", [
    {"datasetId": "ID"}, {"dataSetId": "ID"}, {"datasetId": "ID", "dataSetId": "ID"},
    {"datasetId": "ID", "segmentPerBatch": False},
])
def test_both_spellings_of_the_dataset_are_accepted(shared, dataset, destination):
    destination = json.loads(json.dumps(destination).replace("ID", dataset))
    job = flows.start_job(shared, {**job_body(dataset), "destination": destination})
    assert_job(job, shared, dataset, "NEW")


@pytest.mark.parametrize("more", [
    {"mergePolicy": {}}, {"mergePolicy": {"id": "timestampOrdered-none-mp"}},
    {"mergePolicy": {"id": "timestampOrdered-none-mp", "version": 1}},
    {"mergePolicy": {"id": "timestampOrdered-none-mp", "version": 1.0}},
    {"fields": ""}, {"fields": " identityMap , person.name "},
    {"filter": {}}, {"filter": {"emptyProfiles": True}},
    {"additionalFields": {}}, {"additionalFields": {"eventList": {}}},
    {"additionalFields": {"eventList": {"fields": "", "filter": {}}}},
    {"additionalFields": {"eventList": {"filter": {"toIngestTimestamp": SINCE}}}},
    {"additionalFields": {"eventList": {"filter": {
        "fromIngestTimestamp": "2020-01-01T00:00:00.123456+05:30", "toIngestTimestamp": SINCE}}}},
    {"evaluationInfo": {"segmentation": {"x": [1]}}}, {"properties": None}, {"anything": 1},
])
def test_optional_members_are_accepted(shared, dataset, more):
    job = flows.start_job(shared, job_body(dataset, **more))
    assert_job(job, shared, dataset, "NEW")
    for name in ("fields", "filter", "additionalFields"):
        if more.get(name):
            assert job[name] == more[name]
    assert flows.wait_job(shared, job["id"])["status"] == "SUCCEEDED"


NOT_JSON = {
    "empty": b"", "blank": b"  ", "array": b"[]", "text": b'"x"', "number": b"5", "null": b"null",
    "bom": b"\xef\xbb\xbf{}", "trailing": b"{} {}", "comma": b'{"a":1,}', "nan": b'{"a":NaN}',
    "leading zero": b'{"a":-012}', "bare point": b'{"a":1.}', "single quotes": b"{'a':1}",
    "control": b'{"a":"\x01"}', "nul": b'{"a":"\\u0000"}', "lone surrogate": b'{"a":"\\ud800"}',
    "bad utf-8": b'{"a":"\xff"}', "overlong": b'{"a":"\xc0\x80"}', "twice": b'{"a":1,"a":2}',
    "twice by escape": b'{"a":1,"\\u0061":2}', "big integer": b'{"a":9007199254740992}',
    "small integer": b'{"a":-9007199254740992}', "cut": b'{"a":', "comment": b"{}//",
    "deep": b'{"a":' + b"[" * 16 + b"]" * 16 + b"}",
}


@pytest.mark.parametrize("body", NOT_JSON.values(), ids=NOT_JSON)
def test_body_that_is_not_strict_json_is_400(shared, body):
    assert_problem(shared.call("POST", JOBS, body=body), 400)


def test_duplicate_member_hidden_in_a_good_request_is_400(shared, dataset):
    text = json.dumps(job_body(dataset))
    text = text.replace('"datasetId"', f'"datasetId": "{flows.NO_SUCH_DATASET}", "datasetId"')
    assert_problem(shared.call("POST", JOBS, body=text.encode()), 400)


@pytest.mark.parametrize("extra", [
    '"a": 9007199254740991', '"a": -9007199254740991', '"a": ' + "[" * 15 + "]" * 15,
    r'"a": "\ud83d\ude00\n"', '"a": 1e300', '"": {}'])
def test_json_at_the_limits_is_accepted(shared, dataset, extra):
    text = json.dumps(job_body(dataset))[:-1] + ", " + extra + "}"
    assert shared.call("POST", JOBS, body=text.encode()).status_code == 200


@pytest.mark.parametrize("content_type, wanted", [
    ("application/json", 200), ("application/json; charset=utf-8", 200),
    ("application/json;charset=UTF-8", 200), ("Application/JSON", 200),
    ("text/plain", 415), ("application/x-www-form-urlencoded", 415), (None, 415),
])
def test_content_type(shared, dataset, content_type, wanted):
    answer = shared.post(JOBS, job_body(dataset), headers={"Content-Type": content_type})
    if wanted == 200:
        assert answer.status_code == 200, answer.text
    else:
        assert_problem(answer, wanted)


def test_body_of_one_mib_is_accepted_and_one_byte_more_is_413(shared, dataset):
    body = json.dumps(job_body(dataset)).encode()
    full = body + b" " * (1024 * 1024 - len(body))
    assert shared.call("POST", JOBS, body=full).status_code == 200
    assert_problem(shared.call("POST", JOBS, body=full + b" "), 413)


def test_request_id_and_instance_id_are_echoed(shared, dataset):
    sent = {"x-request-id": f"r.{uuid.uuid4()}", "x-profile-instance-id": "mine"}
    answer = shared.post(JOBS, job_body(dataset), headers=sent, expect=200)
    assert answer.headers["x-request-id"] == answer.json()["requestId"] == sent["x-request-id"]
    assert answer.json()["profileInstanceId"] == "mine"
    again = shared.get(f"{JOBS}/{answer.json()['id']}").json()
    assert again["requestId"] == sent["x-request-id"] and again["profileInstanceId"] == "mine"


def test_same_idempotency_key_is_the_same_job(shared, dataset):
    key = {"Idempotency-Key": str(uuid.uuid4())}
    body = job_body(dataset, fields="person")
    first = flows.start_job(shared, body, headers=key)
    flows.wait_job(shared, first["id"])
    again = flows.start_job(shared, body, headers=key)
    assert again["id"] == first["id"]
    assert again["destination"]["batchId"] == first["destination"]["batchId"]
    other = shared.post(JOBS, job_body(dataset, fields="person.name"), headers=key)
    assert_problem(other, 422)
    assert flows.start_job(shared, body)["id"] != first["id"]


def test_idempotency_keys_of_two_sandboxes_do_not_meet(shared, client, dataset):
    key = {"Idempotency-Key": "the same for all"}
    mine = flows.start_job(shared, job_body(dataset), headers=key)
    other = flows.start_job(client, job_body(flows.create_dataset(client)), headers=key)
    assert mine["id"] != other["id"]


def test_racing_requests_with_one_key_make_one_job(client):
    body, key = job_body(flows.create_dataset(client)), {"Idempotency-Key": str(uuid.uuid4())}
    with ThreadPoolExecutor(8) as pool:
        ids = {job["id"] for job in
               pool.map(lambda _: flows.start_job(client, body, headers=key), range(24))}
    assert len(ids) == 1
    assert len(client.get(JOBS).json()["records"]) == 1


@pytest.mark.parametrize("key", ["k" * 256, "tab\there", "caf\xe9"], ids=("long", "tab", "high"))
def test_bad_idempotency_key_is_400(shared, dataset, key):
    answer = shared.post(JOBS, job_body(dataset), headers={"Idempotency-Key": key.encode("latin-1")})
    assert_problem(answer, 400)


def test_unknown_path_is_404_and_wrong_method_405(shared):
    assert_problem(shared.call("GET", "/data/core/ups/export/nothing"), 404)
    assert_problem(shared.call("GET", "/nothing"), 404)
    for method in ("PUT", "PATCH", "DELETE"):
        answer = shared.call(method, JOBS, json={})
        assert_problem(answer, 405)
        assert {"GET", "POST"} <= {word.strip() for word in answer.headers["Allow"].split(",")}
