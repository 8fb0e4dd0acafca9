"""Datasets and batches in the catalog (contract section 4)."""

import time
import uuid

import pytest

import flows
from flows import CATALOG, CONTENT_TYPE, SCHEMAS, dataset_body
from shapes import HEX24, HEX32, assert_problem

DATASETS = f"{CATALOG}/dataSets"
BATCHES = f"{CATALOG}/batches"


def test_created_dataset_reads_back(shared):
    body = dataset_body("union", "Näme \U0001f4e6", description="what it is for",
                        tags={"team": ["a", "b"]}, fileDescription={"format": "json"})
    before = flows.now_ms()
    answer = shared.post(DATASETS, body, expect=201)
    (reference,) = answer.json()
    ident = reference.removeprefix("@/datasets/")
    assert HEX24.match(ident), reference
    assert answer.headers["Location"].rstrip("/").endswith(f"/dataSets/{ident}")
    found = shared.get(f"{DATASETS}/{ident}").json()
    assert set(found) == {ident}
    dataset = found[ident]
    for name in ("name", "description", "tags"):
        assert dataset[name] == body[name]
    assert dataset["schemaRef"] == body["schemaRef"]
    assert dataset["fileDescription"]["format"] == "json"
    assert dataset["imsOrg"] == shared.org
    assert before - 1000 <= dataset["created"] <= dataset["updated"] <= flows.now_ms() + 1000
    assert dataset["createdClient"] == shared.client_id
    assert dataset["files"] == f"@/dataSetFiles?dataSetId={ident}"
    assert {"sandboxId", "createdUser", "version"} <= set(dataset)


@pytest.mark.parametrize("given, shown", [
    (None, ("parquet", "zstd")), ({}, ("parquet", "zstd")), ({"format": "parquet"}, ("parquet", "zstd")),
    ({"format": "json"}, ("json", "zstd")), ({"containerFormat": "json"}, ("json", "zstd")),
    ({"compression": "none"}, ("parquet", "none")),
    ({"format": "json", "containerFormat": "parquet", "compression": "none"}, ("json", "none")),
])
def test_export_format_and_its_defaults(shared, given, shown):
    more = {} if given is None else {"fileDescription": given}
    (reference,) = shared.post(DATASETS, dataset_body(**more), expect=201).json()
    ident = reference.rsplit("/", 1)[1]
    found = shared.get(f"{DATASETS}/{ident}").json()[ident]["fileDescription"]
    assert (found["format"], found["compression"]) == shown
    assert found["containerFormat"] == found["format"]


@pytest.mark.parametrize("name", ["x", "n" * 255, "\u00e9" * 255, " ", "a/b?c=d"],
                         ids=("short", "long", "long unicode", "blank", "signs"))
def test_names_that_are_accepted(shared, name):
    ident = flows.create_dataset(shared, name=name)
    assert shared.get(f"{DATASETS}/{ident}").json()[ident]["name"] == name


def test_equal_names_make_two_datasets(shared):
    assert flows.create_dataset(shared, name="same") != flows.create_dataset(shared, name="same")


def without(name):
    body = dataset_body()
    del body[name]
    return body


REFUSED = [
    (without("name"), "/name"), (without("schemaRef"), ("/schemaRef", "/schemaRef/id")),
    (dataset_body(name=""), "/name"), (dataset_body(name="n" * 256), "/name"),
    ({**dataset_body(), "name": 5}, "/name"), ({**dataset_body(), "name": None}, "/name"),
    ({**dataset_body(), "schemaRef": "x"}, "/schemaRef"),
    ({**dataset_body(), "schemaRef": {"contentType": CONTENT_TYPE}}, "/schemaRef/id"),
    ({**dataset_body(), "schemaRef": {"id": 5, "contentType": CONTENT_TYPE}}, "/schemaRef/id"),
    ({**dataset_body(), "schemaRef": {"id": "https://x.org/no", "contentType": CONTENT_TYPE}},
     "/schemaRef/id"),
    ({**dataset_body(), "schemaRef": {"id": SCHEMAS["union"], "contentType": 5}},
     "/schemaRef/contentType"),
    (dataset_body(description=5), "/description"), (dataset_body(tags=5), "/tags"),
    (dataset_body(fileDescription=5), "/fileDescription"),
    (dataset_body(fileDescription={"format": 5}), "/fileDescription/format"),
    (dataset_body(fileDescription={"format": "csv"}), "/fileDescription/format"),
    (dataset_body(fileDescription={"format": "json", "compression": "lzma"}),
     "/fileDescription/compression"),
    (dataset_body(fileDescription={"format": "json", "compression": 5}),
     "/fileDescription/compression"),
]


@pytest.mark.parametrize("body, pointer", REFUSED, ids=[str(p) for _, p in REFUSED])
def test_bad_dataset_is_400_with_the_pointer(shared, body, pointer):
    assert_problem(shared.post(DATASETS, body), 400, pointer)


def test_body_that_is_no_object_is_400(shared):
    for body in (b"", b"[]", b'"x"', b'{"name":"a","name":"b"}'):
        assert_problem(shared.call("POST", DATASETS, body=body), 400)


@pytest.mark.parametrize("ident", [flows.NO_SUCH_DATASET, "0" * 24, "x", "A" * 24, "0" * 23,
                                   "0" * 25, "'", "%00", "..%2f"])
def test_unknown_dataset_is_404(shared, ident):
    answer = shared.call("GET", f"{DATASETS}/{ident}")
    assert_problem(answer, 404 if answer.status_code != 400 else 400)
    if HEX24.match(ident):
        assert answer.status_code == 404


@pytest.mark.parametrize("ident", [flows.NO_SUCH_BATCH, "x", "0" * 31, "A" * 32])
def test_unknown_batch_is_404(shared, ident):
    assert_problem(shared.call("GET", f"{BATCHES}/{ident}"), 404)


def test_same_idempotency_key_is_the_same_dataset(shared):
    key = {"Idempotency-Key": str(uuid.uuid4())}
    first, again = (shared.post(DATASETS, dataset_body(), headers=key, expect=201).json()
                    for _ in range(2))
    assert first == again
    other = shared.post(DATASETS, dataset_body(name="other"), headers=key)
    assert_problem(other, 422)
    shared.delete(f"{DATASETS}/{first[0].split('/')[-1]}", expect=200)
    assert_problem(shared.post(DATASETS, dataset_body(), headers=key), 404)


def test_wrong_methods(shared):
    for method, path in (("PUT", DATASETS), ("DELETE", DATASETS), ("POST", BATCHES),
                         ("DELETE", f"{BATCHES}/{flows.NO_SUCH_BATCH}"),
                         ("POST", f"{DATASETS}/{flows.NO_SUCH_DATASET}")):
        assert_problem(shared.call(method, path, json={}), 405)


@pytest.fixture(scope="module")
def five(home, tenants):
    """A sandbox with five datasets, made one after the other: (client, ids)."""
    client = home.in_sandbox(tenants.sandbox(home.org))
    ids = []
    for name in ("delta", "alpha", "echo", "bravo", "alpha"):
        ids.append(flows.create_dataset(client, "profile", name))
        time.sleep(0.003)  # created is in milliseconds and the order of the list depends on it
    return client, ids


@pytest.mark.parametrize("query, wanted", [
    ("orderBy=asc:created", [0, 1, 2, 3, 4]), ("orderBy=desc:created", [4, 3, 2, 1, 0]),
    ("orderBy=asc:created&limit=2", [0, 1]), ("orderBy=asc:created&limit=2&start=3", [3, 4]),
    ("orderBy=asc:created&start=5", []), ("orderBy=asc:updated&limit=1", [0]),
    ("orderBy=desc:updated&limit=1", [4]), ("orderBy=desc:name&limit=2", [2, 0]),
    ("name=echo", [2]), ("name=nobody", []), ("name=alpha&orderBy=asc:created", [1, 4]),
    ("limit=100&orderBy=asc:created", [0, 1, 2, 3, 4]),
])
def test_list_of_datasets(five, query, wanted):
    client, ids = five
    assert list(client.get(f"{DATASETS}?{query}").json()) == [ids[i] for i in wanted]


def test_list_by_name_puts_equal_names_together(five):
    client, ids = five
    names = [d["name"] for d in client.get(f"{DATASETS}?orderBy=asc:name").json().values()]
    assert names == sorted(names)


def test_list_is_limited_to_twenty_by_default(client):
    for number in range(21):
        flows.create_dataset(client, name=f"n{number}")
    assert len(client.get(DATASETS).json()) == 20
    assert len(client.get(f"{DATASETS}?start=20").json()) == 1


def test_properties_narrow_the_objects(five):
    client, ids = five
    for dataset in client.get(f"{DATASETS}?properties=name,created").json().values():
        assert set(dataset) == {"name", "created"}


@pytest.mark.parametrize("query", [
    "limit=0", "limit=101", "limit=x", "limit=-1", "start=-1", "start=x", "orderBy=name",
    "orderBy=asc:colour", "orderBy=up:name", "orderBy=asc:name;--", "limit=99999999999999999999"])
@pytest.mark.parametrize("path", [DATASETS, BATCHES])
def test_bad_list_query_is_400(shared, path, query):
    assert_problem(shared.call("GET", f"{path}?{query}"), 400)


def test_batches_are_listed_by_dataset_status_and_time(client):
    one, two = flows.create_dataset(client, "profile"), flows.create_dataset(client, "profile")
    record = {"identityMap": {"Email": [{"id": "a", "primary": True}]}}
    first = flows.ingest(client, one, [record])["id"]
    time.sleep(0.005)
    cut = flows.now_ms()
    time.sleep(0.005)
    second = flows.ingest(client, two, [record])["id"]
    third = flows.open_batch(client, two)

    def found(query):
        return set(client.get(f"{BATCHES}?{query}").json())

    assert found("") == {first, second, third}
    assert found(f"dataSet={one}") == {first}
    assert found(f"dataSet={two}") == {second, third}
    assert found("status=loading") == {third}
    assert found("status=success") == {first, second}
    assert found(f"dataSet={two}&status=success") == {second}
    assert found(f"createdAfter={cut}") == {second, third}
    assert found(f"createdBefore={cut}") == {first}
    assert found(f"dataSet={flows.NO_SUCH_DATASET}") == set()
    assert list(client.get(f"{BATCHES}?orderBy=asc:created").json()) == [first, second, third]
    assert list(client.get(f"{BATCHES}?orderBy=desc:created&limit=1").json()) == [third]
    for query in ("status=done", "createdAfter=x", "createdBefore=-1", "dataSet=x"):
        answer = client.call("GET", f"{BATCHES}?{query}")
        assert answer.status_code == 400 or answer.json() == {}, (query, answer.text)


def test_batch_object(client):
    dataset = flows.create_dataset(client, "profile")
    before = flows.now_ms()
    batch = flows.ingest(client, dataset, [{"identityMap": {"E": [{"id": "a"}]}}, {"bad": 1}])
    assert HEX32.match(batch["id"])
    assert batch["imsOrg"] == client.org and batch["createdClient"] == client.client_id
    assert batch["relatedObjects"] == [{"type": "dataSet", "id": dataset}]
    assert before - 1000 <= batch["created"] <= batch["started"] <= batch["completed"]
    assert batch["completed"] <= batch["updated"] + 1000
    metrics = batch["metrics"]
    assert (metrics["inputRecordCount"], metrics["outputRecordCount"],
            metrics["failedRecordCount"]) == (2, 1, 1)
