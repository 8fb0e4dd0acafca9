"""The life of a job as a client sees it: states, waiting, cancelling (contract section 5)."""

import threading
import time

import pytest

import flows
from flows import BATCH_FILES, CATALOG, JOBS, job_body
from shapes import assert_job, assert_problem


def person(number, **more):
    return {"identityMap": {"Email": [{"id": f"p{number}@x.org", "primary": True}]}, **more}


@pytest.fixture(scope="module")
def dataset(shared):
    return flows.create_dataset(shared)


def test_new_job_can_be_read_and_its_batch_cannot(client, spooler_paused):
    dataset = flows.create_dataset(client)
    with spooler_paused():
        made = flows.start_job(client, job_body(dataset))
        job = client.get(f"{JOBS}/{made['id']}").json()
        assert job == made
        assert_job(job, client, dataset, "NEW")
        batch = job["destination"]["batchId"]
        unknown = {"X-Request-Id": "same"}
        for path in (f"{CATALOG}/batches/{{}}", f"{BATCH_FILES}/{{}}/files",
                     f"{BATCH_FILES}/{{}}/meta?path=manifest.json", f"{BATCH_FILES}/{{}}/failed"):
            live = client.call("GET", path.format(batch), headers=unknown)
            assert_problem(live, 404)
            none = client.call("GET", path.format(flows.NO_SUCH_BATCH), headers=unknown)
            assert none.content == live.content
        assert batch not in client.get(f"{CATALOG}/batches").json()
    assert_job(flows.wait_job(client, job["id"]), client, dataset, "SUCCEEDED")
    assert batch in client.get(f"{CATALOG}/batches").json()
    found = client.get(f"{CATALOG}/batches/{batch}").json()[batch]
    assert found["status"] == "success"
    assert {"type": "dataSet", "id": dataset} in found["relatedObjects"]


def test_cancel_before_the_claim(shared, dataset, spooler_paused):
    with spooler_paused():
        job = flows.start_job(shared, job_body(dataset))
        answer = shared.delete(f"{JOBS}/{job['id']}")
        assert answer.content == b""
        assert_job(shared.get(f"{JOBS}/{job['id']}").json(), shared, dataset, "CANCELLED")
    after = flows.wait_job(shared, job["id"])
    assert_job(after, shared, dataset, "CANCELLED")
    shared.delete(f"{JOBS}/{job['id']}")
    assert shared.get(f"{JOBS}/{job['id']}").json() == after
    assert_problem(shared.call("GET", f"{CATALOG}/batches/{job['destination']['batchId']}"), 404)


def test_cancelled_job_is_never_claimed_later(shared, dataset, spooler_paused):
    with spooler_paused():
        jobs = [flows.start_job(shared, job_body(dataset)) for _ in range(4)]
        for job in jobs[::2]:
            shared.delete(f"{JOBS}/{job['id']}")
    states = [flows.wait_job(shared, job["id"])["status"] for job in jobs]
    assert states == ["CANCELLED", "SUCCEEDED"] * 2


def test_delete_of_a_finished_job_changes_nothing(shared, dataset):
    job = flows.wait_job(shared, flows.start_job(shared, job_body(dataset))["id"])
    shared.delete(f"{JOBS}/{job['id']}")
    assert shared.get(f"{JOBS}/{job['id']}").json() == job
    shared.get(f"{BATCH_FILES}/{job['destination']['batchId']}/files")


@pytest.mark.parametrize("ident", ["999999999999", "0", "-1", "abc", "1x", "1.0",
                                   "99999999999999999999", "9223372036854775808"])
@pytest.mark.parametrize("method", ["GET", "DELETE"])
def test_job_that_does_not_exist_is_404(shared, method, ident):
    assert_problem(shared.call(method, f"{JOBS}/{ident}"), 404)


@pytest.mark.alone
def test_wait_ends_after_its_time_when_nothing_changes(shared, dataset, spooler_paused):
    with spooler_paused():
        job = flows.start_job(shared, job_body(dataset))
        begin = time.monotonic()
        answer = shared.get(f"{JOBS}/{job['id']}?wait=1").json()
        assert 0.9 <= time.monotonic() - begin < 3
        assert answer["status"] == "NEW"
        begin = time.monotonic()
        shared.get(f"{JOBS}/{job['id']}?wait=0")
        assert time.monotonic() - begin < 0.5


@pytest.mark.alone
def test_wait_answers_as_soon_as_the_status_changes(shared, dataset, spooler_paused):
    with spooler_paused():
        job = flows.start_job(shared, job_body(dataset))
        timer = threading.Timer(0.5, lambda: shared.delete(f"{JOBS}/{job['id']}"))
        timer.start()
        begin = time.monotonic()
        answer = shared.get(f"{JOBS}/{job['id']}?wait=30").json()
        timer.join()
        assert answer["status"] == "CANCELLED"
        assert 0.4 <= time.monotonic() - begin < 2


def test_wait_on_a_finished_job_answers_at_once(shared, dataset):
    job = flows.wait_job(shared, flows.start_job(shared, job_body(dataset))["id"])
    begin = time.monotonic()
    assert shared.get(f"{JOBS}/{job['id']}?wait=60").json() == job
    assert time.monotonic() - begin < 2


@pytest.mark.alone
def test_waiting_clients_do_not_stop_the_others(shared, dataset, spooler_paused):
    with spooler_paused():
        job = flows.start_job(shared, job_body(dataset))
        waiting = [threading.Thread(target=shared.get, args=(f"{JOBS}/{job['id']}?wait=3",))
                   for _ in range(4)]
        for thread in waiting:
            thread.start()
        begin = time.monotonic()
        shared.get(JOBS)
        assert time.monotonic() - begin < 1.5
        for thread in waiting:
            thread.join()


def test_counters_and_watermark_of_a_succeeded_job(client):
    profiles, events = flows.create_dataset(client, "profile"), flows.create_dataset(client, "event")
    flows.ingest(client, profiles, [person(n) for n in range(7)])
    begin = flows.now_ms()
    flows.ingest(client, events, [person(n % 2, _id=f"e{n}", timestamp="2024-01-01T00:00:00Z")
                                  for n in range(5)] +
                 [person(99, _id="e9", timestamp="2024-01-01T00:00:00Z")])
    job, rows = flows.export_all(client, additionalFields={"eventList": {}})
    metrics = job["metrics"]
    assert len(rows) == metrics["totalExportedProfileCounter"] == 7
    assert metrics["exportedProfileByNamespaceCounter"] == {"Email": 7}
    assert metrics["totalExportedEventCounter"] == 5
    assert begin <= job["watermark"] <= flows.now_ms()
    job, rows = flows.export_all(client)
    assert all("eventList" not in row for row in rows)
    assert job["metrics"]["totalExportedEventCounter"] == 0


def test_export_of_an_empty_store_succeeds_without_rows(client):
    job, rows = flows.export_all(client)
    assert rows == [] and job["metrics"]["totalExportedProfileCounter"] == 0


def test_dataset_names_its_last_batch(client):
    dataset = flows.create_dataset(client)
    job, _ = flows.export(client, job_body(dataset))
    found = client.get(f"{CATALOG}/dataSets/{dataset}").json()[dataset]
    assert found["lastBatchId"] == found["lastSuccessfulBatch"] == job["destination"]["batchId"]
    assert found["lastBatchStatus"] == "success"
