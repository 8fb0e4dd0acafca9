"""Removing from the profile store: system jobs and deleted profiles (issue 5, points 7 and 9)."""

import os
import random
import time
import uuid
from concurrent import futures
from urllib.parse import quote

import psycopg
import pytest

import flows
from shapes import UUID, assert_problem

SYSTEM = "/data/core/ups/system/jobs"
COLLECTION = "/data/foundation/import/collection"
ENTITIES = "/data/core/ups/access/entities?schema.name=_xdm.context.profile"
ENDED = ("COMPLETED", "ERROR")


def record(*ids, **more):
    """A record of the identities, the first of them primary."""
    return {"identityMap": {"Email": [{"id": i, "primary": n == 0} for n, i in enumerate(ids)]}, **more}


def event(ident, number):
    return {"_id": f"{ident}-{number}", "timestamp": "2026-01-01T00:00:00Z", **record(ident)}


def wait_removed(client, job, seconds=60):
    deadline = time.monotonic() + seconds
    while True:
        found = client.get(f"{SYSTEM}/{job}").json()
        if found["status"] in ENDED:
            return found
        assert time.monotonic() < deadline, found
        time.sleep(0.02)


def remove(client, **of):
    """Removes by a job that must complete; answers how many records it took."""
    job = client.post(SYSTEM, of, expect=200).json()
    done = wait_removed(client, job["id"])
    assert done["status"] == "COMPLETED", done
    return int(done["metrics"].split('"recordsProcessed":')[1].split(",")[0])


def delete_profile(client, ident, expect=202):
    return client.delete(f"{ENTITIES}&entityId={quote(ident)}&entityIdNS=Email", expect=expect)


def ids_of(row):
    return {entry["id"] for entry in row["identityMap"]["Email"]}


def exported(client, **more):
    """What an export writes, as {ids of a row: its row}, and the job."""
    job, rows = flows.export_all(client, **more)
    return {frozenset(ids_of(row)): row for row in rows}, job


def put_message(client, dataset, *records):
    for one in records:
        client.post(f"{COLLECTION}/{dataset}", one, expect=200)


def settled(client):
    """Nothing of the sandbox waits any more: a removal goes behind all of it."""
    remove(client, dataSetId=flows.create_dataset(client, "profile"))


def test_a_dataset_is_removed_and_nothing_else(client):
    crm, shop, visits = (flows.create_dataset(client, kind) for kind in ("profile", "profile", "event"))
    flows.ingest(client, crm, [record("a@x", crm={"n": 1}), record("b@x", crm={"n": 2}), record("c@x", "d@x", crm={"n": 3})])
    flows.ingest(client, shop, [record("a@x", shop={"n": 1})])
    flows.ingest(client, visits, [event("c@x", 1), event("e@x", 1)])
    before = flows.now_ms()
    job = client.post(SYSTEM, {"dataSetId": crm}, expect=200).json()
    assert UUID.match(job["id"]) and job["status"] == "NEW" and job["jobType"] == "DELETE" and job["metrics"] == "{}"
    assert job["dataSetId"] == crm and "batchId" not in job and job["imsOrgId"] == client.org
    assert before // 1000 - 1 <= job["createEpoch"] <= job["updateEpoch"] <= flows.now_ms() // 1000 + 1
    done = wait_removed(client, job["id"])
    assert done["status"] == "COMPLETED" and done["metrics"].startswith('{"recordsProcessed":3,"timeTakenInSec":'), done
    rows, _ = exported(client, filter={"emptyProfiles": True}, additionalFields={"eventList": {}})
    assert set(rows) == {frozenset({"a@x"}), frozenset({"c@x"}), frozenset({"e@x"})}
    assert "crm" not in rows[frozenset({"a@x"})] and rows[frozenset({"a@x"})]["shop"] == {"n": 1}
    assert len(rows[frozenset({"c@x"})]["eventList"]) == 1
    shown = client.get(f"{flows.CATALOG}/dataSets/{crm}").json()[crm]
    assert shown["observableSchema"] == {}, "of a dataset that holds nothing"
    assert shown["lastBatchId"], "its batches stay in the catalog"
    assert remove(client, dataSetId=crm) == 0
    flows.ingest(client, crm, [record("b@x", crm={"n": 4})])
    rows, _ = exported(client)
    assert rows[frozenset({"b@x"})]["crm"] == {"n": 4}, "what comes later is there"


def test_a_removed_dataset_is_no_column_any_more(client):
    crm, shop = flows.create_dataset(client, "profile"), flows.create_dataset(client, "profile")
    flows.ingest(client, crm, [record("a@x", points=5, name="n")])
    flows.ingest(client, shop, [record("a@x", points=6)])
    assert remove(client, dataSetId=crm) == 1
    union = flows.create_dataset(client, fileDescription={"format": "parquet"})
    job = flows.wait_job(client, flows.start_job(client, flows.job_body(union))["id"])
    assert job["status"] == "SUCCEEDED"
    ((_, data),) = flows.download_parts(client, job["destination"]["batchId"])
    assert b"points" in data and b"name" not in data.replace(b"namespace", b"")


def test_a_batch_is_removed_and_what_it_replaced_is_gone(client):
    crm = flows.create_dataset(client, "profile")
    flows.ingest(client, crm, [record("a@x", v=1), record("b@x", v=1), record("c@x", v=1)])
    middle = flows.ingest(client, crm, [record("a@x", v=2), record("b@x", v=2)])["id"]
    flows.ingest(client, crm, [record("b@x", v=3)])
    job = client.post(SYSTEM, {"batchId": middle}, expect=200).json()
    assert job["batchId"] == middle and "dataSetId" not in job
    assert wait_removed(client, job["id"])["metrics"].startswith('{"recordsProcessed":1,')
    rows, _ = exported(client)
    assert {next(iter(ids)): row["v"] for ids, row in rows.items()} == {"b@x": 3, "c@x": 1}
    assert remove(client, batchId=middle) == 0


def test_a_batch_of_messages_is_removed(client):
    crm = flows.create_dataset(client, "profile")
    put_message(client, crm, record("m1@x", v=1), record("m2@x", v=1))
    settled(client)
    flows.ingest(client, crm, [record("f@x", v=1)])
    put_message(client, crm, record("m3@x", v=1))
    settled(client)
    batches = client.get(f"{flows.CATALOG}/batches?dataSet={crm}&limit=100").json()
    streams = [batch for batch, shown in batches.items() if shown["createdClient"] == "stream"]
    assert sum(remove(client, batchId=batch) for batch in streams) == 3
    rows, _ = exported(client)
    assert set(rows) == {frozenset({"f@x"})}, "a file's records between those of messages stay"


def test_a_profile_is_removed_at_once_and_for_good(client, stack):
    crm, visits = flows.create_dataset(client, "profile"), flows.create_dataset(client, "event")
    whose = f"{uuid.uuid4().hex}@x"
    flows.ingest(client, crm, [record("a@x", whose, v=1), record("c@x", v=1)])
    flows.ingest(client, visits, [event("a@x", 1), event("c@x", 1)])
    _, first = exported(client)
    answer = delete_profile(client, whose)
    rows, second = exported(client, filter={"emptyProfiles": True}, additionalFields={"eventList": {}})
    assert set(rows) == {frozenset({"c@x"})}
    assert second["metrics"]["totalExportedEventCounter"] == 1
    assert first["watermark"] == second["watermark"], "a removal is nothing that an incremental export has to fetch"
    assert exported(client, filter={"fromIngestTimestamp": "2020-01-01T00:00:00Z"})[0].keys() == rows.keys()
    (job,) = client.get(SYSTEM).json()["children"]
    assert job["status"] == "COMPLETED" and job["metrics"].startswith('{"recordsProcessed":2,')
    assert "dataSetId" not in job and "batchId" not in job
    delete_profile(client, "a@x", expect=404)
    assert answer.headers["Location"].endswith(job["id"])
    logs = {path.name: path.read_text(errors="replace") for path in (stack.dir / "log").glob("*.log")}
    (line,) = [line for line in logs["api.log"].splitlines() if f'object="{job["id"]}"' in line]
    assert "event=audit" in line and "action=entity_remove" in line and "status=202" in line, line
    assert not [name for name, text in logs.items() if whose.partition("@")[0] in text], "nobody's name is logged"
    flows.ingest(client, crm, [record("a@x", v=2)])
    rows, _ = exported(client)
    assert rows[frozenset({"a@x"})]["v"] == 2 and len(rows) == 2, "a record that comes later is a new profile"


def test_nothing_accepted_before_brings_a_profile_back_and_nothing_after_is_lost(client, spooler_paused):
    """Batches and messages on both sides of the removals of their profiles, while nobody works."""
    crm, shop, streamed = (flows.create_dataset(client, "profile") for _ in range(3))
    flows.ingest(client, crm, [record("a@x", v=0), record("b@x", v=0), record("c@x", v=0)])
    with spooler_paused():
        flows.upload(client, shop, flows.ndjson([record("a@x", v=1), record("b@x", v=1)]))
        put_message(client, streamed, record("a@x", v=1), record("c@x", v=1))
        delete_profile(client, "a@x")
        put_message(client, streamed, record("b@x", v=2), record("c@x", v=2))
        delete_profile(client, "b@x")
        delete_profile(client, "c@x")
        put_message(client, streamed, record("c@x", v=3))
        last = flows.upload(client, shop, flows.ndjson([record("b@x", v=3)]))
    flows.wait_batch(client, last)
    settled(client)
    rows, _ = exported(client)
    assert {next(iter(ids)): row["v"] for ids, row in rows.items()} == {"b@x": 3, "c@x": 3}
    jobs = client.get(SYSTEM).json()["children"]
    assert {job["status"] for job in jobs} == {"COMPLETED"}
    assert [job["metrics"].split(",")[0] for job in reversed(jobs)][:3] == [
        '{"recordsProcessed":3', '{"recordsProcessed":3', '{"recordsProcessed":2']


def test_a_profile_that_is_still_on_its_way_is_removed(client, spooler_paused):
    """Acknowledged and in no table of the store yet: it must not come after it was deleted."""
    streamed, shop = (flows.create_dataset(client, "profile") for _ in range(2))
    delete_profile(client, "a@x", expect=404)
    with spooler_paused():
        put_message(client, streamed, record("a@x"))
        flows.upload(client, shop, flows.ndjson([record("b@x"), record("c@x")]))
        delete_profile(client, "a@x")
        delete_profile(client, "b@x")
    settled(client)
    rows, _ = exported(client)
    assert set(rows) == {frozenset({"c@x"})}
    delete_profile(client, "a@x", expect=404)


class Someone:
    """A client that owns a profile: writes to two streams and by batches, and deletes it, all in turn; knows what is left."""

    def __init__(self, client, datasets, name, seed):
        self.client, self.datasets, self.name = client, datasets, name
        self.random, self.left, self.deleted = random.Random(seed), {}, 0

    def write(self, place, version):
        one, dataset = record(self.name, **{f"d{place}": version}), self.datasets[place]
        if place < 2:
            put_message(self.client, dataset, one)
        else:
            flows.upload(self.client, dataset, flows.ndjson([one]))
        self.left[f"d{place}"] = version

    def run(self, until):
        version = 0
        while time.monotonic() < until:
            version += 1
            if self.random.random() < 0.25:
                if delete_profile(self.client, self.name, expect=(202, 404)).status_code == 202:
                    self.left, self.deleted = {}, self.deleted + 1
            else:
                self.write(self.random.choice((0, 0, 1, 1, 2)), version)
        return self


def test_what_is_left_is_what_came_after_the_removal(client):
    """Several clients at once: a 202 ends all that was acknowledged before it, and nothing that was after it. (A 404
    promises nothing: what was acknowledged may not be in the store yet.)"""
    datasets = [flows.create_dataset(client, "profile") for _ in range(3)]
    until = time.monotonic() + 2
    with futures.ThreadPoolExecutor(6) as pool:
        people = list(pool.map(lambda n: Someone(client, datasets, f"p{n}@x", n).run(until), range(6)))
    settled(client)
    rows, _ = exported(client)
    stored = {next(iter(ids)): {k: v for k, v in row.items() if k in ("d0", "d1", "d2")} for ids, row in rows.items()}
    assert stored == {p.name: p.left for p in people if p.left}
    assert sum(p.deleted for p in people) > 10
    with psycopg.connect(client.stack.pg_uri) as db:
        counts = db.execute("SELECT (SELECT count(*) FROM consign.identity i WHERE i.org = c.org AND i.sandbox = c.sandbox),"
                            " c.identities FROM consign.ingest_clock c JOIN consign.sandbox s USING (org, sandbox)"
                            " WHERE s.name = %s", (client.sandbox,)).fetchone()
    assert counts == (len(stored), len(stored))


@pytest.mark.parametrize("body, pointer", [
    ({}, "/dataSetId"), ({"dataSetId": None}, "/dataSetId"), ({"dataSetId": 5}, "/dataSetId"), ({"dataSetId": "x"}, "/dataSetId"),
    ({"batchId": 5}, "/batchId"), ({"batchId": ""}, "/batchId"), ({"batchId": flows.NO_SUCH_BATCH}, "/batchId"),
    ({"dataSetId": flows.NO_SUCH_DATASET}, "/dataSetId"), ({"batchId": flows.NO_SUCH_BATCH.upper()}, "/batchId"),
    ({"dataSetId": flows.NO_SUCH_DATASET, "batchId": flows.NO_SUCH_BATCH}, "/batchId"),
])
def test_requests_that_are_refused(shared, body, pointer):
    assert assert_problem(shared.post(SYSTEM, body), 400)["pointer"] == pointer


def test_what_has_no_records_of_its_own_is_refused(shared):
    union, crm = flows.create_dataset(shared), flows.create_dataset(shared, "profile")
    flows.ingest(shared, crm, [record("r@x")])
    job, _ = flows.export(shared, flows.job_body(union))
    assert assert_problem(shared.post(SYSTEM, {"dataSetId": union}), 400)["pointer"] == "/dataSetId"
    assert assert_problem(shared.post(SYSTEM, {"batchId": job["destination"]["batchId"]}), 400)["pointer"] == "/batchId"
    opened = flows.open_batch(shared, crm)
    assert_problem(shared.post(SYSTEM, {"batchId": opened}), 409)
    failed = flows.ingest(shared, crm, b"[{", expect="failed")["id"]
    assert_problem(shared.post(SYSTEM, {"batchId": failed}), 409)


def test_one_key_is_one_job(shared):
    dataset, key = flows.create_dataset(shared, "profile"), {"Idempotency-Key": uuid.uuid4().hex}
    first = shared.post(SYSTEM, {"dataSetId": dataset}, expect=200, headers=key).json()
    again = shared.post(SYSTEM, {"dataSetId": dataset}, expect=200, headers=key).json()
    assert first["id"] == again["id"]
    assert_problem(shared.post(SYSTEM, {"dataSetId": flows.NO_SUCH_DATASET}, headers=key), 422)


def test_the_list_is_paged_newest_first(client):
    dataset = flows.create_dataset(client, "profile")
    assert client.get(SYSTEM).json() == {"_page": {"count": 0}, "children": []}
    made = [client.post(SYSTEM, {"dataSetId": dataset}, expect=200).json()["id"] for _ in range(5)]
    seen, query = [], "limit=2"
    while True:
        page = client.get(f"{SYSTEM}?{query}").json()
        assert page["_page"]["count"] == len(page["children"])
        seen += [job["id"] for job in page["children"]]
        if "next" not in page["_page"]:
            break
        query = f"limit=2&start={page['_page']['next']}"
    assert sorted(seen) == sorted(made) and seen[-1] == made[0]
    for bad in ("limit=0", "limit=101", "limit=x", "start=-1", "start=x"):
        assert_problem(client.get(f"{SYSTEM}?{bad}", expect=400), 400)
    for unknown in (str(uuid.uuid4()), "x", made[0].upper()):
        assert_problem(client.get(f"{SYSTEM}/{unknown}", expect=404), 404)


@pytest.mark.fault
def test_a_worker_that_dies_in_a_removal_loses_nothing(client, stack):
    """kill -9 while jobs wait and run: each record is removed, and the count of identities stays exact."""
    crm, shop = flows.create_dataset(client, "profile"), flows.create_dataset(client, "profile")
    flows.ingest(client, crm, [record(f"p{n}@x", text="x" * 200) for n in range(20000)])
    flows.ingest(client, shop, [record(f"p{n}@x") for n in range(0, 20000, 1000)])
    jobs = [client.post(SYSTEM, {"dataSetId": crm}, expect=200).json()["id"] for _ in range(2)]
    time.sleep(0.08)
    stack.kill_spooler()
    stack.up()
    assert {wait_removed(client, job)["status"] for job in jobs} == {"COMPLETED"}
    rows, _ = exported(client)
    assert len(rows) == 20


@pytest.mark.fault
@pytest.mark.skipif("CONSIGN_KILLS" not in os.environ, reason="half a minute: make fault")
def test_messages_of_very_many_datasets_are_loaded_before_a_removal_at_once(client, stack, spooler_paused):
    """A pass a dataset, all within the first attempt: nothing of a pass may last as long as the attempt."""
    dataset, many = flows.create_dataset(client, "profile"), 1200
    copied = ("org", "sandbox", "name", "description", "schema_id", "schema_content_type", "class", "format", "compression",
              "tags", "created_ms", "updated_ms", "created_client")
    with psycopg.connect(stack.pg_uri, autocommit=True) as db:
        db.execute(f"INSERT INTO consign.dataset (dataset, {', '.join(copied)})"
                   f" SELECT lpad(n::text, 24, '0'), {', '.join(copied)} FROM consign.dataset, generate_series(1, %s) n"
                   " WHERE dataset = %s", (many, dataset))
        with spooler_paused():
            db.execute("INSERT INTO consign.stream_message (org, sandbox, dataset, received_ms, bytes, body)"
                       " SELECT d.org, d.sandbox, d.dataset, 0, octet_length(r.body), r.body"
                       " FROM consign.dataset d JOIN consign.dataset o USING (org, sandbox), LATERAL (SELECT"
                       " format('{\"identityMap\":{\"Email\":[{\"id\":\"%%s@x\",\"primary\":true}]}}', d.dataset)) r(body)"
                       " WHERE o.dataset = %s AND d.dataset LIKE '0000%%'", (dataset,))
            job = client.post(SYSTEM, {"dataSetId": dataset}, expect=200).json()["id"]
        assert wait_removed(client, job, 120)["status"] == "COMPLETED"
    log = (stack.dir / "log" / "spooler.log").read_text(errors="replace")
    assert not [line for line in log.splitlines() if f"batch=delete-{job}" in line and "event=attempt_ended" in line]
