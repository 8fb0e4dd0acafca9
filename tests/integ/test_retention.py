"""Batches that expire, published places that belong to nothing, and jobs that go to the archive."""

import contextlib
import os
import sys
import time
import uuid
from types import SimpleNamespace

import psycopg
import pytest

import flows
import ownstack
from flows import BATCH_FILES, CATALOG, FILES, JOBS, PREVIEW, eventually
from stack import REPO

sys.path.insert(0, str(REPO / "tests" / "fault"))

from inject.clock import SpoolerClock  # noqa: E402

SETTINGS = {"spooler__sweep_ms": 500}
DAY_MS = 86400000
NOBODY = "00000000-0000-4000-8000-000000000000"


@pytest.fixture(scope="module")
def own():
    with ownstack.own_stack() as made:
        yield made


@pytest.fixture(scope="module")
def stack(own):
    return own.start(**SETTINGS)


@pytest.fixture(scope="module")
def home(stack):
    return ownstack.new_client(stack)


@pytest.fixture(scope="module")
def full(home):
    """The client, with a few profiles in its sandbox."""
    flows.ingest(home, flows.create_dataset(home, "profile"), [person(n) for n in range(50)])
    return home


@pytest.fixture(scope="module")
def stranger(stack):
    return ownstack.new_client(stack)


def person(n):
    return {"identityMap": {"Email": [{"id": f"{n}@x"}]},
            "segmentMembership": {"ups": {"a": {"status": "realized"}}}}


def sql(stack, text, *values):
    with psycopg.connect(stack.pg_uri, autocommit=True) as connection:
        cursor = connection.execute(text, values)
        return cursor.fetchall() if cursor.description else []


def sweeps(stack, count=2):
    """Waits until so many further sweeps have begun, so that those before the last one are whole."""
    began = "SELECT began_ms FROM consign.sweep_mark WHERE step = 'sweep'"
    seen = set(sql(stack, began))
    eventually(lambda: seen.update(sql(stack, began)) or len(seen) > count, "there is no sweep")


def keep(stack, client, dataset, *age):
    stack.ctl("retention", "set", "--org", client.org, "--sandbox", client.sandbox, "--dataset", dataset, *age)


def age(stack, batch, ms):
    """The batch, and a job of it, ended so much earlier than it did."""
    sql(stack, "UPDATE consign.batch SET completed_ms = completed_ms - %s WHERE batch = %s", ms, batch)
    sql(stack, "UPDATE consign.export_job SET ended_ms = ended_ms - %s WHERE batch = %s", ms, batch)


def gone(client, batch, status=410):
    """Whether all that there is of a batch is answered so."""
    paths = (f"{CATALOG}/batches/{batch}", f"{BATCH_FILES}/{batch}/files", f"{BATCH_FILES}/{batch}/failed",
             f"{BATCH_FILES}/{batch}/meta", f"{BATCH_FILES}/{batch}/meta?path=manifest.json", f"{FILES}/{batch}-0",
             f"{FILES}/{batch}-0?path=x")
    answers = [client.call(method, path) for path in paths for method in ("GET", "HEAD")]
    for answer in answers[::2]:
        if answer.status_code >= 400:
            assert answer.headers["Content-Type"] == "application/problem+json" and answer.json()["detail"], answer.text
    return all(answer.status_code == status for answer in answers)


def shown(client, dataset):
    return set(client.get(f"{CATALOG}/batches?dataSet={dataset}&limit=100").json())


def place_of(stack, batch):
    return list(stack.lake.glob(f"*/*/*/{batch}/*"))


def usage(stack, client):
    found = sql(stack, "SELECT u.bytes FROM consign.lake_usage u JOIN consign.org o USING (org) WHERE o.ims_org_id = %s",
                client.org)
    return found[0][0] if found else 0


def test_a_batch_that_expired_is_gone_for_clients_and_its_files_from_the_lake(stack, full, stranger):
    dataset = flows.create_dataset(full)
    old, _ = flows.export(full, flows.job_body(dataset))
    young, _ = flows.export(full, flows.job_body(dataset))
    old, young, job = old["destination"]["batchId"], young["destination"]["batchId"], old["id"]
    taken = usage(stack, full)
    bytes_of_old = sum(int(entry["bytes"]) for entry in flows.manifest(full, old).values())
    (part,) = flows.list_parts(full, old)
    preview = full.get(PREVIEW.format(dataset)).json()
    keep(stack, full, dataset, "--hours", "1")
    sweeps(stack)
    assert shown(full, dataset) == {old, young}, "one hour has not passed"
    under_way = full.get(part["href"], stream=True)
    age(stack, old, 2 * 3600000)
    before = full.get(f"{JOBS}/{job}").json()
    eventually(lambda: gone(full, old), "it does not expire")
    assert shown(full, dataset) == {young}
    document = full.get(f"{CATALOG}/dataSets/{dataset}").json()[dataset]
    assert document["lastBatchId"] == document["lastSuccessfulBatch"] == young
    assert full.get(f"{JOBS}/{job}").json() == before
    assert full.get(PREVIEW.format(dataset)).json() == preview and preview["jobId"] != job, "that of the young one"
    assert full.get(part["href"], expect=410).json()["type"] == "/problems/gone"
    full.get(part["href"], expect=410, headers={"If-None-Match": "*"})
    assert len(under_way.content) == part["length"], "a download that had begun ends well"
    eventually(lambda: not place_of(stack, old), "its files are still there")
    assert usage(stack, full) == taken - bytes_of_old
    assert gone(stranger, old, 404) and gone(full, flows.NO_SUCH_BATCH, 404)
    assert flows.download(full, young), "the young one is whole"
    assert "missing=0 short=0 changed=0 stray=0" in stack.ctl("verify")
    stack.ctl("retention", "clear", "--org", full.org, "--sandbox", full.sandbox, "--dataset", dataset)
    age(stack, young, 2 * 3600000)
    sweeps(stack)
    assert shown(full, dataset) == {young}, "without a retention nothing expires"


def test_a_preview_expires_with_its_batch(stack, full, stranger):
    dataset = flows.create_dataset(full)
    job, rows = flows.export(full, flows.job_body(dataset))
    assert full.get(PREVIEW.format(dataset)).json()["data"] == rows
    keep(stack, full, dataset, "--hours", "1")
    age(stack, job["destination"]["batchId"], 2 * 3600000)
    eventually(lambda: full.get(PREVIEW.format(dataset), expect=(200, 410)).status_code == 410, "it does not expire")
    assert full.get(PREVIEW.format(dataset), expect=410).json()["type"] == "/problems/gone"
    assert sql(stack, "SELECT count(*) FROM consign.dataset_preview WHERE dataset = %s", dataset) == [(0,)]
    stranger.get(PREVIEW.format(dataset), expect=404)
    job, _ = flows.export(full, flows.job_body(dataset))
    assert full.get(PREVIEW.format(dataset)).json()["jobId"] == job["id"]


def test_an_uploaded_batch_expires_with_its_refused_records_and_the_store_stays(stack, home):
    dataset = flows.create_dataset(home, "profile")
    done = flows.ingest(home, dataset, b'{"identityMap":{"Email":[{"id":"kept@x","primary":true}]}}\n{"bad":1}\n')
    waits = flows.open_batch(home, dataset)
    assert home.get(f"{BATCH_FILES}/{done['id']}/failed").json()["data"]
    keep(stack, home, dataset, "--ms", "1")
    eventually(lambda: gone(home, done["id"]), "it does not expire")
    home.get(f"{BATCH_FILES}/{done['id']}/meta?path=row_errors", expect=410)
    assert shown(home, dataset) == {waits}
    assert not sql(stack, "SELECT 1 FROM consign.batch_error WHERE batch = %s", done["id"])
    assert "kept@x" in str(flows.export_all(home)[1])


def test_an_open_batch_to_which_nothing_comes_is_aborted_and_its_files_go(stack, home):
    dataset = flows.create_dataset(home, "profile")
    left, touched = (flows.open_batch(home, dataset) for _ in range(2))
    for batch in (left, touched):
        home.put(flows.file_path(batch, dataset), b"{}\n")
        sql(stack, "UPDATE consign.batch SET updated_ms = updated_ms - %s WHERE batch = %s", 7 * DAY_MS - 60000, batch)
    sweeps(stack)
    home.put(flows.file_path(touched, dataset, "more"), b"{}\n")
    inbox = stack.dir / "inbox"
    with ownstack.backup_lock(stack):
        for batch in (left, touched):
            sql(stack, "UPDATE consign.batch SET updated_ms = updated_ms - 60001 WHERE batch = %s", batch)
        home.put(flows.file_path(touched, dataset, "more"), b"{}\n{}\n")
        for path in inbox.glob(f"*/*/{touched}/*"):
            os.utime(path, (0, 0))
        flows.wait_batch(home, left)
        sweeps(stack)
        assert list(inbox.glob(f"*/*/{left}/*")) and len(list(inbox.glob(f"*/*/{touched}/*"))) == 3, "a backup is made"
    document = flows.wait_batch(home, left)
    assert document["status"] == "aborted" and document["completed"] == document["updated"]
    assert document["errors"] == [
        {"code": "abandoned", "description": "no file came for 7 days, and the batch was not completed"}]
    eventually(lambda: not list(inbox.glob(f"*/*/{left}")), "its files are still there")
    home.put(flows.file_path(left, dataset), b"{}\n", expect=409)
    sweeps(stack)
    assert len(list(inbox.glob(f"*/*/{touched}/*"))) == 2
    home.post(f"{flows.IMPORT}/{touched}?action=ABORT", expect=200)


def make(stack, place):
    """The directory and those above it, the spooler's as all in the lake."""
    if not place.is_dir():
        make(stack, place.parent)
        place.mkdir()
        owner = (stack.lake / "tmp").stat()
        os.chown(place, owner.st_uid, owner.st_gid)
    return place


def stray(stack, *parts):
    place = make(stack, stack.lake.joinpath(*parts))
    (place / "part-00000-x.json.zst").write_text("x")
    return place


def test_what_a_crash_left_in_published_places_goes_and_nothing_else(stack, full):
    dataset = flows.create_dataset(full)
    job, _ = flows.export(full, flows.job_body(dataset))
    second, _ = flows.export(full, flows.job_body(dataset))
    (live,), (expired,) = (place_of(stack, done["destination"]["batchId"]) for done in (job, second))
    sandbox = live.parents[2]
    left = [stray(stack, live.parent, NOBODY), stray(stack, live.parents[1], uuid.uuid4().hex, NOBODY),
            stray(stack, sandbox, "f" * 24, uuid.uuid4().hex, NOBODY)]
    empty = make(stack, live.parents[1] / uuid.uuid4().hex)
    foreign = [stray(stack, "999999", "999999", "f" * 24, uuid.uuid4().hex, NOBODY), stray(stack, live.parent, "notes")]
    # told to be gone, and then the worker died
    sql(stack, "UPDATE consign.batch SET expired_ms = consign.now_ms() WHERE batch = %s", expired.parent.name)
    try:
        for path in (*left, empty, expired, expired.parent, sandbox / ("f" * 24)):
            eventually(lambda path=path: not path.exists(), f"{path} is still there")
        sweeps(stack)
        assert live.is_dir() and flows.download(full, job["destination"]["batchId"])
        assert all(path.is_dir() for path in foreign), "what is not ours to judge is left to the operator"
    finally:
        for path in foreign:
            (path / "part-00000-x.json.zst").unlink()
            path.rmdir()


def test_a_large_lake_is_walked_in_one_round_of_several_sweeps(stack, full):
    """Each sweep began at the front: what lies behind the first thousand batches would never be seen."""
    dataset = flows.create_dataset(full)
    (org, sandbox), = sql(stack, "SELECT org, sandbox FROM consign.dataset WHERE dataset = %s", dataset)
    batches = [f"{n:032x}" for n in range(1100)]
    sql(stack, "INSERT INTO consign.batch (org, sandbox, batch, dataset, kind, status, attempt, created_ms, updated_ms,"
        " completed_ms, created_client) SELECT %s, %s, lpad(to_hex(n), 32, '0'), %s, 'export', 'success', %s, 1, 1,"
        " consign.now_ms(), 'test' FROM generate_series(0, 1099) n", org, sandbox, dataset, NOBODY)
    root = stack.lake / str(org) / str(sandbox) / dataset
    aside, last = stack.dir / "aside", root / ("f" * 32) / NOBODY
    for batch in (*batches, last.parent.name):
        make(stack, aside / batch / NOBODY)
    aside.rename(make(stack, root))  # at once: a sweep removes directories that are still empty
    eventually(lambda: not last.parent.exists(), "the last one is never seen")
    assert len(list(root.iterdir())) == 1100
    sql(stack, "UPDATE consign.batch SET status = 'failed' WHERE dataset = %s", dataset)
    eventually(lambda: not list(root.iterdir()), "not all go")
    sql(stack, "DELETE FROM consign.batch WHERE dataset = %s", dataset)


def test_an_old_job_is_found_by_its_number_and_in_no_list(stack, full, stranger):
    dataset = flows.create_dataset(full)
    plain, _ = flows.export(full, flows.job_body(dataset))
    parts, _ = flows.export_all(full)
    body = {**flows.job_body(dataset), "filter": {"segments": [{"segmentId": "a"}]}}
    body["destination"]["segmentPerBatch"] = True
    several = flows.wait_job(full, flows.start_job(full, body)["id"])
    young, _ = flows.export(full, flows.job_body(dataset))
    old = [plain, several]
    with psycopg.connect(stack.pg_uri) as keeper:  # holds them, so that they can be looked at before they go
        for place, job in enumerate(old):
            keeper.execute("SELECT FROM consign.export_job WHERE job = %s FOR KEY SHARE", (job["id"],))
            sql(stack, "UPDATE consign.export_job SET ended_ms = ended_ms - %s WHERE job = %s", 91 * DAY_MS, job["id"])
            old[place] = full.get(f"{JOBS}/{job['id']}").json()

    def listed():
        return {job["id"] for job in full.get(f"{JOBS}?limit=1000").json()["records"]}
    eventually(lambda: not listed() & {job["id"] for job in old}, "they are still in the list")
    assert {young["id"], parts["id"]} <= listed()
    for job in old:
        assert full.get(f"{JOBS}/{job['id']}?wait=30").json() == job
        full.delete(f"{JOBS}/{job['id']}", expect=204)
        assert full.get(f"{JOBS}/{job['id']}").json() == job
        stranger.get(f"{JOBS}/{job['id']}", expect=404)
        stranger.delete(f"{JOBS}/{job['id']}", expect=404)
    place = ("--org", full.org, "--sandbox", full.sandbox, "--job", str(plain["id"]))
    assert stack.ctl("cancel", *place) == "SUCCEEDED\n"
    with pytest.raises(RuntimeError, match="the job is in the archive"):
        stack.ctl("retry", *place)
    assert flows.download(full, plain["destination"]["batchId"]), "its batch is there as before"


@pytest.mark.parametrize("sort", ["updateTime:asc", "status:asc", "creationTime:asc"])
def test_a_list_goes_on_behind_a_job_that_went_to_the_archive_meanwhile(stack, sort):
    """A cursor whose job is in the archive gave no rows, and the client took the list for ended."""
    client = ownstack.new_client(stack)
    dataset = flows.create_dataset(client)
    first, second, third = (flows.export(client, flows.job_body(dataset))[0]["id"] for _ in range(3))
    page = client.get(f"{JOBS}?limit=1&sort={sort}").json()
    assert [job["id"] for job in page["records"]] == [first]
    sql(stack, "UPDATE consign.export_job SET ended_ms = ended_ms - %s WHERE job = %s", 91 * DAY_MS, first)
    eventually(lambda: sql(stack, "SELECT 1 FROM consign.export_job_archive WHERE job = %s", first), "it is not archived")
    page = client.get("/data/core/ups" + page["link"]["next"].replace("limit=1", "limit=9")).json()
    assert [job["id"] for job in page["records"]] == [second, third]


def test_a_dataset_goes_when_its_batches_have_expired(stack, full):
    dataset = flows.create_dataset(full)
    key = {"Idempotency-Key": f"again {dataset}"}
    job = flows.wait_job(full, flows.start_job(full, flows.job_body(dataset), headers=key)["id"])
    batch = job["destination"]["batchId"]
    path = f"{CATALOG}/dataSets/{dataset}"
    full.delete(path, expect=409)
    keep(stack, full, dataset, "--ms", "1")
    eventually(lambda: gone(full, batch), "it does not expire")
    full.delete(path, expect=200)
    full.get(path, expect=404)
    assert gone(full, batch, 404), "it is forgotten with its dataset"
    assert full.get(f"{JOBS}/{job['id']}").json() == job, "the job is found still"
    assert flows.start_job(full, flows.job_body(dataset), headers=key) == job, "by its key, too"
    assert dataset not in stack.ctl("retention", "list", "--org", full.org)
    eventually(lambda: not list(stack.lake.glob(f"*/*/{dataset}")), "its directory is still there")


def test_a_batch_that_expired_long_ago_is_forgotten_when_no_job_names_it(stack, full):
    dataset = flows.create_dataset(full)
    jobs = [flows.export(full, flows.job_body(dataset))[0] for _ in range(2)]
    archived, named = (job["destination"]["batchId"] for job in jobs)
    sql(stack, "UPDATE consign.batch SET expired_ms = 1 WHERE dataset = %s", dataset)
    age(stack, archived, 91 * DAY_MS)
    eventually(lambda: gone(full, archived, 404), "it is not forgotten")
    sweeps(stack)
    assert gone(full, named)


def test_one_session_sweeps_and_who_holds_the_lock_and_dies_stops_nothing(stack, home):
    dataset = flows.create_dataset(home, "profile")
    keep(stack, home, dataset, "--ms", "1")
    with psycopg.connect(stack.pg_uri, autocommit=True) as other:
        eventually(lambda: other.execute("SELECT pg_try_advisory_lock(4, 0)").fetchone()[0], "the lock is never free")
        batch = flows.ingest(home, dataset, [person(1)])["id"]
        began = sql(stack, "SELECT began_ms FROM consign.sweep_mark WHERE step = 'sweep'")
        time.sleep(1.5)  # three times the pause between two sweeps: nothing is to be seen of one
        assert sql(stack, "SELECT began_ms FROM consign.sweep_mark WHERE step = 'sweep'") == began
        assert batch in shown(home, dataset)
        with contextlib.suppress(psycopg.Error):
            other.execute("SELECT pg_terminate_backend(pg_backend_pid())")
        eventually(lambda: gone(home, batch), "nobody sweeps any more")


def test_a_tenant_whose_rows_are_held_holds_up_no_other(stack, full, stranger):
    """Neither in expiring nor in archiving: a sweep that fails at it is followed by one that begins behind it."""
    flows.ingest(stranger, flows.create_dataset(stranger, "profile"), [person(1)])
    batches = []
    for client in (full, stranger):  # in the order of their numbers, as they are swept
        dataset = flows.create_dataset(client)
        job, _ = flows.export(client, flows.job_body(dataset))
        batches.append(job["destination"]["batchId"])
        keep(stack, client, dataset, "--days", "1")
    with psycopg.connect(stack.pg_uri) as holder:
        holder.execute("SELECT 1 FROM consign.lake_usage u JOIN consign.org o USING (org) WHERE o.ims_org_id = %s FOR UPDATE OF u",
                       (full.org,))
        for batch in batches:
            age(stack, batch, 2 * DAY_MS)
        eventually(lambda: gone(stranger, batches[1]), "the other tenant waits too")
        assert full.get(f"{CATALOG}/batches/{batches[0]}").json()
        holder.rollback()
    eventually(lambda: gone(full, batches[0]), "it is not come back to")


def test_all_workers_together_sweep_once_in_a_while(stack):
    began = "SELECT began_ms FROM consign.sweep_mark WHERE step = 'sweep'"
    seen, until = [], time.monotonic() + 2.5
    while time.monotonic() < until:
        (now,), = sql(stack, began)
        if not seen or seen[-1] != now:
            seen.append(now)
        time.sleep(0.01)
    pauses = [after - before for before, after in zip(seen, seen[1:])]
    assert pauses and min(pauses) >= 375, pauses


def test_retention_is_set_shown_and_cleared_and_refuses_what_is_none(stack, home, stranger):
    dataset = flows.create_dataset(home)
    place = ("--org", home.org, "--sandbox", home.sandbox, "--dataset", dataset)
    stack.ctl("retention", "set", *place, "--days", "30")
    assert f"{home.org}\t{home.sandbox}\t{dataset}\t{30 * DAY_MS}\t30.00\n" in stack.ctl("retention", "list")
    stack.ctl("retention", "set", *place, "--hours", "12")
    assert f"{dataset}\t{DAY_MS // 2}\t0.50\n" in stack.ctl("retention", "list", "--org", home.org)
    assert dataset not in stack.ctl("retention", "list", "--org", stranger.org)
    other = ("--org", stranger.org, "--sandbox", stranger.sandbox, "--dataset", dataset)
    for wrong in (("set", *place), ("set", *place, "--days", "0"), ("set", *place, "--days", "x"),
                  ("set", *place, "--days", "36501"), ("set", *place, "--days", "1", "--ms", "1"),
                  ("set", *other, "--days", "1"), ("set", *place[2:], "--days", "1"), ("clear", *other), ("drop", *place)):
        with pytest.raises(RuntimeError):
            stack.ctl("retention", *wrong)
    stack.ctl("retention", "clear", *place)
    assert dataset not in stack.ctl("retention", "list")
    with pytest.raises(RuntimeError, match="no retention"):
        stack.ctl("retention", "clear", *place)


def test_a_spooler_whose_clock_is_an_hour_ahead_takes_no_upload_under_way_for_a_dead_one(own, stack, home):
    """Of a file system on another machine: what was written to it just now is an hour old by the spooler's clock."""
    dataset = flows.create_dataset(home, "profile")
    batch = flows.open_batch(home, dataset)
    home.put(flows.file_path(batch, dataset), flows.ndjson([person(1)]))
    (entered,) = (stack.dir / "inbox").glob(f"*/*/{batch}/*")
    clock = SpoolerClock(SimpleNamespace(
        dir=stack.dir, stack=stack, random=None, up=lambda: own.start(**SETTINGS),
        root=lambda service: int((stack.dir / "pids" / service).read_text().split()[0])))
    clock.prepare()
    try:
        clock.jump(3600)
        young, dead = (entered.with_name(str(uuid.uuid4())) for _ in range(2))
        for path in (young, dead):
            path.write_bytes(b"half a fi")
        os.utime(dead, (time.time() - 1000,) * 2)
        eventually(lambda: not dead.exists(), "the dead upload is still there")
        sweeps(stack)
        assert young.exists()
    finally:
        clock.restore()
