"""PATCH and DELETE of a dataset (contract section 4)."""

import pytest

import flows
from flows import CATALOG, SCHEMAS, dataset_body
from shapes import assert_problem

DATASETS = f"{CATALOG}/dataSets"


def get(client, dataset):
    return client.get(f"{DATASETS}/{dataset}").json()[dataset]


def patch(client, dataset, body, expect=200):
    return client.call("PATCH", f"{DATASETS}/{dataset}", json=body, expect=expect)


def delete(client, dataset, expect=200):
    return client.delete(f"{DATASETS}/{dataset}", expect=expect)


def test_a_patch_changes_what_it_names(shared):
    dataset = flows.create_dataset(shared, name="one", description="first", tags={"a": ["1"], "b": ["2"]})
    before = get(shared, dataset)
    assert patch(shared, dataset, {"name": "zwei \U0001f4e6"}).json() == [f"@/dataSets/{dataset}"]
    after = get(shared, dataset)
    assert after["name"] == "zwei \U0001f4e6" and after["updated"] >= before["updated"]
    assert (before["version"], after["version"]) == ("1.0.0", "2.0.0")
    same = ("description", "tags", "schemaRef", "fileDescription", "created", "createdClient", "imsOrg")
    assert all(before[name] == after[name] for name in same)
    patch(shared, dataset, {"description": None, "tags": {"c": ["3"]}})
    after = get(shared, dataset)
    assert after["description"] == "" and after["tags"] == {"c": ["3"]} and after["version"] == "3.0.0"
    patch(shared, dataset, {"tags": None, "description": ""})
    after = get(shared, dataset)
    assert after["tags"] == {} and after["description"] == ""
    assert [d for d in shared.get(f"{DATASETS}?name=one").json() if d == dataset] == []


def test_a_patch_of_nothing_changes_nothing(shared):
    dataset = flows.create_dataset(shared, tags={"a": ["1"]})
    before = get(shared, dataset)
    for body in ({}, {"name": before["name"]}, {"tags": before["tags"]}, {"version": "9", "created": 5, "unknown": True}):
        patch(shared, dataset, body)
    assert get(shared, dataset) == before


@pytest.mark.parametrize("body, pointer", [
    ({"name": None}, "/name"), ({"name": ""}, "/name"), ({"name": 5}, "/name"), ({"name": "n" * 256}, "/name"),
    ({"description": 5}, "/description"), ({"description": "d" * 2001}, "/description"), ({"tags": []}, "/tags"),
    ({"tags": "x"}, "/tags"), ({"tags": {"a": "t" * 17000}}, "/tags"),
    ({"schemaRef": {"id": SCHEMAS["profile"], "contentType": "json"}}, "/schemaRef"),
    ({"fileDescription": {"format": "json"}}, "/fileDescription"), ([], ""),
])
def test_patches_that_are_refused(shared, body, pointer):
    dataset = flows.create_dataset(shared)
    before = get(shared, dataset)
    assert assert_problem(patch(shared, dataset, body, expect=400), 400)["pointer"] == pointer
    assert get(shared, dataset) == before


def test_a_dataset_that_nothing_needs_is_deleted(shared):
    dataset, other = flows.create_dataset(shared, "profile"), flows.create_dataset(shared, "profile")
    assert delete(shared, dataset).json() == [f"@/dataSets/{dataset}"]
    for method in ("GET", "PATCH", "DELETE"):
        answer = shared.call(method, f"{DATASETS}/{dataset}", json={} if method == "PATCH" else None)
        assert_problem(answer, 404)
    assert dataset not in shared.get(f"{DATASETS}?limit=100").json()
    assert get(shared, other)
    body = {"datasetId": dataset, "inputFormat": {"format": "json"}}
    assert shared.post(flows.IMPORT, body).status_code in (400, 404)
    for unknown in (flows.NO_SUCH_DATASET, "x", other.upper() + "0"):
        assert_problem(delete(shared, unknown, expect=404), 404)
        assert_problem(patch(shared, unknown, {}, expect=404), 404)


def test_a_dataset_with_batches_stays(client):
    crm, union = flows.create_dataset(client, "profile"), flows.create_dataset(client)
    opened = flows.open_batch(client, crm)
    assert_problem(delete(client, crm, expect=409), 409)
    client.post(f"{flows.IMPORT}/{opened}?action=ABORT", expect=200)
    assert_problem(delete(client, crm, expect=409), 409)
    flows.export(client, flows.job_body(union))
    assert_problem(delete(client, union, expect=409), 409)


def test_a_dataset_that_a_live_job_writes_to_stays(client, spooler_paused):
    union = flows.create_dataset(client)
    with spooler_paused():
        job = flows.start_job(client, flows.job_body(union))
        assert_problem(delete(client, union, expect=409), 409)
    assert flows.wait_job(client, job["id"])["status"] == "SUCCEEDED"


def test_a_dataset_that_a_policy_names_stays(client):
    crm, shop = flows.create_dataset(client, "profile"), flows.create_dataset(client, "profile")
    policy = flows.create_policy(client, order=[crm, shop])["id"]
    try:
        assert_problem(delete(client, shop, expect=409), 409)
        client.put(f"{flows.POLICIES}/{policy}", flows.ndjson([flows.policy_body(order=[crm])]),
                   headers={"Content-Type": "application/json"})
        assert_problem(delete(client, shop, expect=409), 409)  # an old version stays usable
    finally:
        client.delete(f"{flows.POLICIES}/{policy}", expect=200)
    delete(client, shop)


def test_a_dataset_with_messages_or_a_removal_that_waits_stays(client, spooler_paused):
    crm, shop = flows.create_dataset(client, "profile"), flows.create_dataset(client, "profile")
    with spooler_paused():
        client.post(f"/data/foundation/import/collection/{crm}", {"identityMap": {"Email": [{"id": "a@x"}]}}, expect=200)
        client.post("/data/core/ups/system/jobs", {"dataSetId": shop}, expect=200)
        assert_problem(delete(client, crm, expect=409), 409)
        assert_problem(delete(client, shop, expect=409), 409)


def test_a_removal_that_has_ended_goes_with_its_dataset(client):
    crm = flows.create_dataset(client, "profile")
    job = client.post("/data/core/ups/system/jobs", {"dataSetId": crm}, expect=200).json()["id"]
    while client.get(f"/data/core/ups/system/jobs/{job}").json()["status"] != "COMPLETED":
        pass
    delete(client, crm)
    assert_problem(client.get(f"/data/core/ups/system/jobs/{job}", expect=404), 404)


def test_the_same_name_again(shared):
    first = flows.create_dataset(shared, "profile", name="again")
    delete(shared, first)
    assert shared.post(DATASETS, dataset_body("profile", "again"), expect=201)
