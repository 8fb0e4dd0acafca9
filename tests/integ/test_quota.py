"""What an org or sandbox may take: live jobs (429), room in the lake (409, and jobs that fail) and in the inbox (409), set
by consignctl quota."""

import hashlib
import time

import psycopg
import pytest

import flows
import lake
from client import Client
from flows import JOBS

PEOPLE = [{"identityMap": {"Email": [{"id": f"{n}@example.org"}]},
           "_tenant": {"text": hashlib.sha256(b"%d" % n).hexdigest()}} for n in range(300)]


@pytest.fixture
def client(stack, tenants):
    """A client in an org of its own with the sandboxes `one` and `two`, each with a small store."""
    org = tenants.org("one", "two")
    made = Client(stack, org, "one", *tenants.credentials(org))
    for sandbox in (made, made.in_sandbox("two")):
        flows.ingest(sandbox, flows.create_dataset(sandbox, "profile"), PEOPLE)
    return made


def quota(client, *words, sandbox=None):
    client.stack.ctl("quota", "set", "--org", client.org, *(["--sandbox", sandbox] if sandbox else []), *words)


def taken(client):
    """What `quota list` shows of the org: {sandbox, "-" for all: {column: value}}."""
    head, *rows = client.stack.ctl("quota", "list", "--org", client.org).splitlines()
    found = [dict(zip(head.split("\t"), row.split("\t"))) for row in rows]
    assert {row["org"] for row in found} == {client.org}
    return {row["sandbox"]: row for row in found}


def post(client, dataset, **more):
    return client.post(JOBS, flows.job_body(dataset), **more)


def refused(answer, status, slug):
    assert answer.status_code == status, answer.text
    assert answer.headers["Content-Type"] == "application/problem+json"
    problem = answer.json()
    assert problem["type"] == f"/problems/{slug}" and problem["status"] == status
    assert "quota" in problem["detail"]
    return problem


def test_more_live_jobs_than_the_quota_allows_are_429(client, spooler_paused):
    datasets = {name: flows.create_dataset(client.in_sandbox(name)) for name in ("one", "two")}
    two = client.in_sandbox("two")
    quota(client, "--jobs", "2")
    with spooler_paused():
        first = post(client, datasets["one"], headers={"Idempotency-Key": "k"}, expect=200).json()
        post(two, datasets["two"], expect=200)
        for one_more in (post(client, datasets["one"]), post(two, datasets["two"])):
            refused(one_more, 429, "too-many-requests")
            assert int(one_more.headers["Retry-After"]) > 0
        again = post(client, datasets["one"], headers={"Idempotency-Key": "k"}, expect=200)
        assert again.json()["id"] == first["id"]
        assert taken(client)["-"]["jobs"] == "2" and taken(client)["one"]["jobs"] == "1"
        quota(client, "--jobs", "default")
        quota(client, "--jobs", "1", sandbox="one")
        refused(post(client, datasets["one"]), 429, "too-many-requests")
        post(two, datasets["two"], expect=200)
    flows.wait_job(client, first["id"])
    assert flows.wait_job(client, post(client, datasets["one"], expect=200).json()["id"])["status"] == "SUCCEEDED"


def test_a_full_lake_takes_no_more_jobs(client):
    flows.export_all(client)
    used = int(taken(client)["-"]["lake_bytes"])
    (size,) = [sum(f["length"] for f in flows.list_parts(client, batch)) for batch in
               client.get(f"{flows.CATALOG}/batches?status=success").json()
               if flows.list_files(client, batch)]
    assert used == size > 0
    dataset = flows.create_dataset(client)
    quota(client, "--lake-bytes", str(used))
    answer = post(client, dataset)
    refused(answer, 409, "quota-exceeded")
    assert "Retry-After" not in answer.headers
    quota(client, "--lake-bytes", "default")
    quota(client, "--lake-bytes", str(used), sandbox="one")
    refused(post(client, dataset), 409, "quota-exceeded")
    flows.export_all(client.in_sandbox("two"))
    quota(client, "--lake-bytes", "default", sandbox="one")
    flows.export_all(client)


def test_a_job_that_outgrows_its_room_fails_and_leaves_nothing(client):
    dataset = flows.create_dataset(client)
    quota(client, "--lake-bytes", "1000")
    job = flows.wait_job(client, post(client, dataset, expect=200).json()["id"])
    assert job["status"] == "FAILED" and job["destination"]["batchId"] == ""
    assert job["errors"][0]["code"] == "0090000009"
    assert "room" in job["errors"][0]["msg"] and "operator" in job["errors"][0]["msg"]
    assert taken(client)["-"]["lake_bytes"] == "0"
    assert not list(client.stack.lake.glob(f"*/*/{dataset}/*/*"))
    quota(client, "--lake-bytes", "default")
    flows.export(client, flows.job_body(dataset))


def test_a_run_ends_when_its_room_is_gone_and_not_when_it_would_publish(client):
    flows.export_all(client)
    used = int(taken(client)["-"]["lake_bytes"])
    dataset = flows.create_dataset(client)
    with psycopg.connect(client.stack.pg_uri) as holder:  # the run waits in the middle of its reading
        holder.execute("LOCK TABLE consign.profile_fragment IN ACCESS EXCLUSIVE MODE")
        job = post(client, dataset, expect=200).json()["id"]
        while client.get(f"{JOBS}/{job}").json()["status"] == "NEW":
            time.sleep(0.02)
        assert list((client.stack.lake / "tmp").iterdir()), "it writes"
        quota(client, "--lake-bytes", str(used - 1))
        ended = flows.wait_job(client, job, 20)
    assert ended["status"] == "FAILED" and ended["errors"][0]["code"] == "0090000009", ended
    assert "room" in ended["errors"][0]["msg"]
    assert int(taken(client)["-"]["lake_bytes"]) == used and taken(client)["-"]["jobs"] == "0"
    assert not list(client.stack.lake.glob(f"*/*/{dataset}/*/*"))
    lake.wait_clean(client.stack, 10)
    quota(client, "--lake-bytes", "default")
    flows.export(client, flows.job_body(dataset))


def test_jobs_that_end_together_do_not_pass_the_quota_together(client):
    flows.export_all(client)
    size = int(taken(client)["-"]["lake_bytes"])
    room = size * 5 // 2 + size  # for two more, whatever two compressed files differ by
    quota(client, "--lake-bytes", str(room))
    places = [client, client.in_sandbox("two")] * 3
    jobs = [(place, post(place, flows.create_dataset(place), expect=200).json()["id"]) for place in places]
    ends = [flows.wait_job(place, job)["status"] for place, job in jobs]
    assert sorted(ends) == ["FAILED"] * 4 + ["SUCCEEDED"] * 2
    assert int(taken(client)["-"]["lake_bytes"]) <= room


def test_an_inbox_without_room_takes_no_more_files(client):
    dataset = flows.create_dataset(client, "profile")
    batch, other = (flows.open_batch(client, dataset) for _ in range(2))
    inbox = client.stack.dir / "inbox"
    opened = client.get(f"{flows.CATALOG}/batches/{batch}").json()[batch]["updated"]

    def put(size, name="file", to=batch, **more):
        return client.put(flows.file_path(to, dataset, name), b"\n" * size, **more)

    def patch(first, total, size):
        return client.call("PATCH", flows.file_path(batch, dataset, "cut"), body=b"\n" * size,
                           headers={"Content-Range": f"bytes {first}-{first + size - 1}/{total}"})

    def objects():
        return {path.name for path in inbox.glob(f"*/*/{batch}/*")}
    quota(client, "--inbox-bytes", "300000")
    put(100000)
    assert taken(client)["one"]["inbox_bytes"] == taken(client)["-"]["inbox_bytes"] == "100000"
    assert client.get(f"{flows.CATALOG}/batches/{batch}").json()[batch]["updated"] > opened, "a file is a change of its batch"
    entered = objects()
    for answer in (put(200001, "two", expect=409), put(300001, expect=409), put(300000, to=other, expect=409),
                   patch(0, 300000, 200001)):
        refused(answer, 409, "quota-exceeded")
        assert "Retry-After" not in answer.headers and "Range" not in answer.headers
    assert objects() == entered, "what was refused is not there"
    assert patch(0, 300000, 150000).status_code == 200
    refused(patch(150000, 300000, 150000), 409, "quota-exceeded")
    assert taken(client)["one"]["inbox_bytes"] == "250000" and len(objects()) == 2
    put(0, "cut")
    assert taken(client)["one"]["inbox_bytes"] == "165536" and len(objects()) == 2, "small ones count as 64 KiB"
    quota(client, "--inbox-bytes", "default")
    quota(client, "--inbox-bytes", "1000", sandbox="one")
    refused(put(1, "three", expect=409), 409, "quota-exceeded")
    put(10)  # less than was there
    flows.ingest(client.in_sandbox("two"), flows.create_dataset(client.in_sandbox("two"), "profile"), PEOPLE[:1])
    client.post(f"{flows.IMPORT}/{batch}?action=COMPLETE", expect=200)
    assert flows.wait_batch(client, batch)["metrics"]["inputByteSize"] == 10
    assert taken(client)["one"]["inbox_bytes"] == taken(client)["-"]["inbox_bytes"] == "0", "it is loaded"
    quota(client, "--inbox-bytes", "default", sandbox="one")
    put(1000, to=other)

    def opened(key):
        return client.post(flows.IMPORT, {"datasetId": dataset}, headers={"Idempotency-Key": key})
    first = opened("k").json()["id"]
    with psycopg.connect(client.stack.pg_uri, autocommit=True) as superuser:
        superuser.execute("INSERT INTO consign.batch (org, sandbox, batch, dataset, kind, status, created_ms, updated_ms, created_client)"
                          " SELECT org, sandbox, md5(n::text), dataset, 'ingest', 'loading', consign.now_ms(), consign.now_ms(), 'c'"
                          " FROM consign.dataset, generate_series(1, 4998) n WHERE dataset = %s", (dataset,))
        assert taken(client)["one"]["open_batches"] == taken(client)["-"]["open_batches"] == "5000"
        answer = opened("other")
        assert answer.status_code == 429 and answer.json()["type"] == "/problems/too-many-requests" and answer.headers["Retry-After"]
        assert "5,000" in answer.json()["detail"] and opened("k").json()["id"] == first
        put(1001, "one more", to=other)  # who has a batch can fill it
        superuser.execute("UPDATE consign.batch SET status = 'aborted' WHERE dataset = %s AND created_client = 'c'", (dataset,))
    opened("other").raise_for_status()


def test_consignctl_shows_and_takes_away(client):
    assert taken(client)["one"] == {
        "org": client.org, "sandbox": "one", "weight": "1", "running": "0", "running_most": "-", "jobs": "0",
        "jobs_most": "-", "lake_bytes": "0", "lake_bytes_most": "-", "inbox_bytes": "0",
        "inbox_bytes_most": "-", "open_batches": "0"}
    quota(client, "--weight", "3", "--running", "4", "--jobs", "20000", "--lake-bytes", "1000000000000")
    quota(client, "--weight", "2", "--jobs", "0", sandbox="two")
    found = taken(client)
    assert list(found) == ["-", "one", "two"] and found["-"]["inbox_bytes_most"] == "default"
    assert [found["-"][c] for c in ("weight", "running_most", "jobs_most", "lake_bytes_most")] == [
        "3", "4", "20000", "1000000000000"]
    assert (found["two"]["weight"], found["two"]["jobs_most"], found["one"]["weight"]) == ("2", "0", "1")
    quota(client, "--weight", "default", "--running", "default")
    assert [taken(client)["-"][c] for c in ("weight", "running_most", "jobs_most")] == ["1", "-", "20000"]


@pytest.mark.parametrize("words", [
    [], ["--weight", "0"], ["--weight", "1001"], ["--weight", "x"], ["--weight", "1.5"], ["--running", "0"], ["--running", "-1"],
    ["--jobs", ""], ["--lake-bytes", "9999999999999999999"], ["--inbox-bytes", "-1"], ["--wieght", "1"],
    ["--sandbox", "none", "--jobs", "1"], ["--jobs", "7", "--weight", "none"]], ids=" ".join)
def test_consignctl_refuses(stack, tenants, words):
    org = tenants.org("one")
    with pytest.raises(RuntimeError):
        stack.ctl("quota", "set", "--org", org, *words)
    with pytest.raises(RuntimeError):
        stack.ctl("quota", "list", "--org", org + "x")
    assert "\t7\t" not in stack.ctl("quota", "list", "--org", org), "all or nothing"
