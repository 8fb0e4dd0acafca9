"""Requests and objects at their bounds: a clear refusal beyond, a whole answer within."""

import pytest

import flows
import rawhttp
from flows import CATALOG, JOBS, dataset_body
from shapes import assert_problem

DATASETS = f"{CATALOG}/dataSets"


@pytest.mark.parametrize("count,size", [(7, 8000), (11, 8000), (4, 16000)])
def test_headers_that_are_too_large_together_are_431(shared, count, size):
    headers = list(shared.headers().items())
    headers += [(f"X-Filler-{i}", "f" * size) for i in range(count)]
    assert_problem(rawhttp.send(shared.url, "GET", JOBS, headers), 431)


@pytest.mark.parametrize("count", [250, 8500])
@pytest.mark.parametrize("path", [JOBS, flows.file_path(flows.NO_SUCH_BATCH, flows.NO_SUCH_DATASET)])
def test_headers_that_are_too_many_are_431(shared, path, count):
    """8,500 of five bytes are eight each on the way to the pool, and more than nginx can hand over."""
    assert_problem(rawhttp.send(shared.url, "PUT", path, list(shared.headers().items()) + [("a", "")] * count, b"{}"), 431)


def test_headers_within_the_bound_are_served(shared):
    headers = list(shared.headers().items())
    headers += [(f"X-Filler-{i}", "f" * 8000) for i in range(5)]
    assert rawhttp.send(shared.url, "GET", JOBS, headers).status_code == 200


@pytest.mark.parametrize("body,pointer", [
    (dataset_body(description="d" * 2001), "/description"),
    (dataset_body(tags={"t": ["x" * 16384]}), "/tags"),
    (dataset_body(schemaRef={**dataset_body()["schemaRef"], "contentType": "c" * 256}),
     "/schemaRef/contentType"),
], ids=("description", "tags", "content type"))
def test_dataset_member_beyond_its_bound_is_400(shared, body, pointer):
    assert_problem(shared.post(DATASETS, body), 400, pointer)


def test_a_page_of_the_largest_datasets_is_served(client):
    """Every one at every bound, in characters that JSON has to write as six bytes."""
    sign = "\u0001"
    body = dataset_body(name=sign * 255, description=sign * 2000, tags={"t": ["x" * 16300]})
    body["schemaRef"]["contentType"] = sign * 255
    made = {client.post(DATASETS, body, expect=201).json()[0].split("/")[-1] for _ in range(100)}
    page = client.get(f"{DATASETS}?limit=100").json()
    assert set(page) == made
    assert all(found["description"] == sign * 2000 for found in page.values())


def test_waiting_for_a_job_with_a_long_request(client, spooler_paused):
    dataset = flows.create_dataset(client)
    fields = ",".join(f"{'f' * 58}{i}" for i in range(990))
    with spooler_paused():
        job = flows.start_job(client, flows.job_body(dataset, fields=fields))
        assert client.get(f"{JOBS}/{job['id']}?wait=1").json() == job
        client.delete(f"{JOBS}/{job['id']}")
