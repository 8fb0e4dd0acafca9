"""The first rows of a dataset: whose, which and how many, and what is told where there are none."""

import json

import psycopg
import pytest

import flows
from client import Client
from ctlclient import REFUSED, USAGE, Ctl
from flows import NO_SUCH_DATASET, PREVIEW
from shapes import assert_problem

PEOPLE = 130
ROOM = 256 * 1024


def person(n, **more):
    return {"identityMap": {"CRM": [{"id": f"{n:04}", "primary": True}]}, "n": n, "time": "2026-11-30T12:00:00.5Z", **more}


@pytest.fixture(scope="module")
def full(shared):
    """The client of this file, with people in its sandbox; every tenth in one segment, every fifth in another."""
    def member(n):
        held = {name: {"status": "realized"} for name, every in (("a", 10), ("b", 5)) if n % every == 0}
        return {"segmentMembership": {"ups": held}} if held else {}

    flows.ingest(shared, flows.create_dataset(shared, "profile"), [person(n, **member(n)) for n in range(PEOPLE)])
    flows.ingest(shared, flows.create_dataset(shared, "event"),
                 [{**person(n % 3), "_id": str(n), "timestamp": f"2026-11-30T12:00:{n:02}Z"} for n in range(9)])
    return shared


@pytest.fixture(scope="module")
def exported(full):
    """A dataset, the job that filled it, its rows in the order of its files."""
    dataset = flows.create_dataset(full)
    job, rows = flows.export(full, flows.job_body(dataset))
    return dataset, job, rows


def preview(client, dataset, expect=200, **more):
    return client.get(PREVIEW.format(dataset), expect=expect, **more)


def shown(client, dataset):
    return preview(client, dataset).json()


def keys(rows):
    return sorted(row["n"] for row in rows)


def test_the_first_hundred_rows_of_an_export(full, exported):
    dataset, job, rows = exported
    assert len(rows) == PEOPLE
    wanted = {"data": rows[:100], "_page": {"limit": 100, "count": PEOPLE}, "omitted": 0, "jobId": job["id"]}
    answer = preview(full, dataset)
    assert answer.json() == wanted and answer.headers["Content-Type"] == "application/json"
    assert full.get(PREVIEW.format(dataset) + "/").json() == wanted
    head = full.call("HEAD", PREVIEW.format(dataset), expect=200)
    assert not head.content and int(head.headers["Content-Length"]) == len(answer.content)
    assert_problem(full.post(PREVIEW.format(dataset), {}), 405)
    assert_problem(full.call("GET", PREVIEW.format(dataset) + "?a=1&a=2"), 400)


def test_rows_are_json_whatever_the_format(full, exported):
    """As the lines of a JSON export are: what a column of Parquet turns (a date-time into a timestamp) is as it came."""
    dataset = flows.create_dataset(full, fileDescription={"format": "parquet", "compression": "none"})
    flows.wait_job(full, flows.start_job(full, flows.job_body(dataset))["id"])
    assert shown(full, dataset)["data"] == exported[2][:100]


def test_fields_and_events_of_the_job_and_the_newest_counts(full, exported):
    dataset, old, _ = exported
    other = flows.create_dataset(full)
    flows.export(full, flows.job_body(other))
    body = flows.job_body(other, fields="n", additionalFields={"eventList": {}})
    job, rows = flows.export(full, body)
    found = shown(full, other)
    assert found["data"] == rows[:100] and found["jobId"] == job["id"]
    assert {len(row.get("eventList", ())) for row in found["data"]} == {0, 3}
    assert all(set(row) <= {"n", "identityMap", "eventList"} for row in found["data"])
    assert shown(full, dataset)["jobId"] == old["id"], "another dataset keeps its own"


def test_a_profile_of_several_batches_is_one_row(full):
    dataset = flows.create_dataset(full)
    body = flows.job_body(dataset, filter={"segments": [{"segmentId": name} for name in ("none", "a", "b")]})
    body["destination"]["segmentPerBatch"] = True
    job = flows.wait_job(full, flows.start_job(full, body)["id"])
    assert job["status"] == "SUCCEEDED"
    found = shown(full, dataset)
    assert keys(found["data"]) == list(range(0, PEOPLE, 5))
    assert found["_page"]["count"] == len(found["data"]) == job["metrics"]["totalExportedProfileCounter"]


def test_no_rows_are_told_as_none(full):
    dataset = flows.create_dataset(full)
    nothing = {"data": [], "_page": {"limit": 100, "count": 0}, "omitted": 0}
    assert shown(full, dataset) == nothing, "nothing was exported yet"
    job, _ = flows.export(full, flows.job_body(dataset, filter={"segments": [{"segmentId": "none"}]}))
    assert shown(full, dataset) == {**nothing, "jobId": job["id"]}


def test_what_is_not_published_is_not_seen(full, exported, spooler_paused):
    dataset = flows.create_dataset(full)
    job, rows = flows.export(full, flows.job_body(dataset))
    before = shown(full, dataset)
    with spooler_paused():
        other = flows.start_job(full, flows.job_body(dataset, fields="n"))["id"]
        assert shown(full, dataset) == before
        full.delete(f"{flows.JOBS}/{other}")
        assert shown(full, dataset) == before
    assert flows.wait_job(full, other)["status"] == "CANCELLED"
    assert shown(full, dataset) == before == {**before, "jobId": job["id"], "data": rows[:100]}


def test_rows_that_do_not_fit_are_counted(client):
    """In a sandbox of its own: one row larger than the room, some that fill it, a small one that still fits."""
    source, dataset = flows.create_dataset(client, "profile"), flows.create_dataset(client)
    flows.ingest(client, source, [person(n, text="x" * size) for n, size in
                                  enumerate((ROOM, 50, 100_000, 150_000, 60_000, 200, ROOM - 100))])
    _, rows = flows.export(client, flows.job_body(dataset))
    answer = preview(client, dataset)
    found = answer.json()
    by_n = {row["n"]: row for row in rows}
    assert all(row == by_n[row["n"]] for row in found["data"])
    assert len(answer.content) < ROOM + 1000
    assert found["_page"]["count"] == 7 and found["omitted"] == 7 - len(found["data"])
    assert {1, 5} <= set(keys(found["data"])) and not {0, 6} & set(keys(found["data"])), keys(found["data"])


def test_a_dataset_that_clients_fill_has_none(full):
    for kind in ("profile", "event"):
        problem = assert_problem(preview(full, flows.create_dataset(full, kind), 400), 400)
        assert problem["type"] == "/problems/not-supported" and "profile store" in problem["detail"]


def test_an_export_of_a_version_that_kept_none(stack, full):
    """Its dataset is not shown as empty."""
    dataset = flows.create_dataset(full)
    flows.export(full, flows.job_body(dataset))
    with psycopg.connect(stack.pg_uri, autocommit=True) as connection:
        assert connection.execute("DELETE FROM consign.dataset_preview WHERE dataset = %s", (dataset,)).rowcount == 1
    assert assert_problem(preview(full, dataset, 409), 409)["type"] == "/problems/wrong-state"
    job, rows = flows.export(full, flows.job_body(dataset))
    assert shown(full, dataset)["jobId"] == job["id"] and len(rows) == PEOPLE


def told(answer):
    return answer.status_code, answer.content, {n: v for n, v in answer.headers.items() if n != "Date"}


def test_a_foreign_dataset_is_none(stack, full, exported, tenants):
    """Asked for from another sandbox of the org, by the same client, and from another org; ids that are none too."""
    dataset, org = exported[0], tenants.org("own")
    for asker in (full.in_sandbox(tenants.sandbox(full.org)), Client(stack, org, "own", *tenants.credentials(org))):
        answers = [preview(asker, asked, 404, headers={"x-request-id": "same"})
                   for asked in (dataset, NO_SUCH_DATASET, "x", dataset.upper())]
        assert len({str(told(answer)) for answer in answers}) == 1
        assert assert_problem(answers[0], 404)["type"] == "/problems/not-found"


def test_from_the_shell(full, exported, tmp_path):
    dataset, _, rows = exported
    ctl = Ctl(tmp_path, full)
    assert [json.loads(line) for line in ctl.run("datasets", "preview", dataset).out.splitlines()] == rows[:100]
    assert ctl.json("datasets", "preview", dataset) == shown(full, dataset)
    assert "status 404" in ctl.run("datasets", "preview", NO_SUCH_DATASET, status=REFUSED).err
    assert "no id" in ctl.run("datasets", "preview", "../x", status=USAGE).err
