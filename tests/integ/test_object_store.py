"""The lake in an object store (README, Object store): a stack with lake.url before a real one, Swift with its S3 interface.

Between the two stands a proxy that fails what it is told to. All of test_files runs here too, with downloads from the store.
"""

import contextlib
import hashlib
import http.client
import os
import pathlib
import pwd
import random
import re
import shutil
import signal
import ssl
import subprocess
import tempfile
import time
import uuid
from urllib.parse import urlsplit

import psycopg
import pytest

import flows
import ownstack
from flows import BATCH_FILES, JOBS
from objectproxy import ObjectProxy
from objects import Bucket
from objectserver import ACCESS, SECRET, ObjectServer
from shapes import assert_problem
from stack import Tenants, is_alive, process_tree
from test_files import *  # noqa: F403 the same downloads, the same answers
from test_files import batch, part  # noqa: F401 its fixtures

PART_BYTES = 5242880  # the least that the interface takes
FILE_BYTES = 8 * 1024 * 1024
LARGE = 11 * 1024 * 1024
PATIENCE_S = 20
PREFIX = "lake/of-the-tests/"
NOBODY = "00000000-0000-4000-8000-000000000000"
OURS = {"date", "server", "content-type", "content-length", "connection", "etag", "cache-control", "x-request-id", "keep-alive",
        "x-content-type-options", "accept-ranges", "last-modified", "content-range"}


class Store:
    """The server, the proxy before it, the bucket as the tests see it, and the settings that lead to it."""

    def __init__(self):
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="store.", dir=os.environ.get("CONSIGN_TEST_DIR")))
        self.dir.chmod(0o711)
        self.server = ObjectServer(self.dir / "swift", ownstack.free_port())
        self.server.start()
        self.proxy = ObjectProxy(self.server.port)
        self.bucket = Bucket(f"http://127.0.0.1:{self.server.port}", "consign", ACCESS, SECRET)
        self.bucket.make()
        self.key_file = self.dir / "credentials"
        self.write_keys(SECRET)

    def write_keys(self, secret):
        self.key_file.write_text(f"[default]\naws_access_key_id = {ACCESS}\naws_secret_access_key={secret}\n")
        self.key_file.chmod(0o600)
        if os.geteuid() == 0:
            user = pwd.getpwnam(os.environ.get("CONSIGN_RUN_USER", "consign"))
            os.chown(self.key_file, user.pw_uid, user.pw_gid)

    def settings(self, **more):
        return {"lake__url": f"s3://consign/{PREFIX}", "lake__endpoint": f"http://127.0.0.1:{self.proxy.port}",
                "lake__credentials": str(self.key_file), "lake__part_bytes": PART_BYTES, **more}

    def keys(self, batch=""):
        return [key for key in self.bucket.keys(PREFIX) if batch in key]

    def uploads(self):
        return self.bucket.uploads(PREFIX)

    def remove(self):
        self.server.stop()
        self.proxy.close()
        shutil.rmtree(self.dir, ignore_errors=True)


@pytest.fixture(scope="module")
def store():
    made = Store()
    try:
        yield made
    finally:
        made.remove()


@pytest.fixture(scope="module")
def stack(store):
    with ownstack.own_stack() as own:
        yield own.start(**store.settings(spooler__sweep_ms=500, spooler__retry_ms=100, export__part_bytes=FILE_BYTES))


@pytest.fixture(scope="module")
def tenants(stack):
    return Tenants(stack)


@pytest.fixture(scope="module")
def home(stack):
    return ownstack.new_client(stack)


@pytest.fixture(scope="module")
def small(home, tenants):
    """A client with a few profiles."""
    client = home.in_sandbox(tenants.sandbox(home.org))
    flows.ingest(client, flows.create_dataset(client, "profile"), [person(n) for n in range(20)])
    return client


@pytest.fixture(scope="module")
def large(home, tenants):
    """A client whose export is two files of LARGE bytes together, the first of which goes in parts."""
    client = home.in_sandbox(tenants.sandbox(home.org))
    random.seed(1)
    records = [{**person(n), "text": random.randbytes(4096).hex()} for n in range(LARGE // 8192)]
    flows.ingest(client, flows.create_dataset(client, "profile"), records)
    return client


def person(n):
    return {"identityMap": {"Email": [{"id": f"{n}@x"}]}}


def plain(client):
    """A dataset whose files are as large as their rows."""
    return flows.create_dataset(client, fileDescription={"format": "json", "compression": "none"})


def eventually(condition, what, seconds=PATIENCE_S):
    deadline = time.monotonic() + seconds
    while not (value := condition()):
        assert time.monotonic() < deadline, what
        time.sleep(0.02)
    return value


def sql(stack, text, *values):
    with psycopg.connect(stack.pg_uri, autocommit=True) as connection:
        cursor = connection.execute(text, values)
        return cursor.fetchall() if cursor.description else []


def place_of(stack, batch):
    """The directory of a published batch in the bucket."""
    ((org, sandbox, dataset, attempt),) = sql(
        stack, "SELECT org, sandbox, dataset, attempt::text FROM consign.batch WHERE batch = %s", batch)
    return f"{PREFIX}{org}/{sandbox}/{dataset}/{batch}/{attempt}"


def log_of(stack, name, job):
    lines = (stack.dir / "log" / f"{name}.log").read_text(errors="replace").splitlines()
    return [line for line in lines if f"job={job['id']} " in line]


def attempts(stack, job):
    return sum("event=claimed" in line for line in log_of(stack, "spooler", job))


def verify(stack, *words):
    """consignctl verify: findings [(kind, path)], and its last line."""
    try:
        said = stack.ctl("verify", *words)
    except RuntimeError as error:
        said = str(error).split("\n", 1)[1]
    lines = said.splitlines()
    return [tuple(line.split("\t")) for line in lines if "\t" in line], next(line for line in lines if line.startswith("verify:"))


# ---- publishing ----

def test_an_export_lies_in_the_bucket_under_the_paths_of_a_lake_and_nowhere_else(stack, store, small):
    job, rows = flows.export(small, flows.job_body(flows.create_dataset(small)))
    assert len(rows) == 20
    done = job["destination"]["batchId"]
    place = place_of(stack, done)
    entries = flows.manifest(small, done)
    assert store.keys(done) == sorted([f"{place}/manifest.json", *(f"{place}/{name}" for name in entries)])
    for name, entry in entries.items():
        assert hashlib.sha256(store.bucket.get(f"{place}/{name}")).hexdigest() == entry["sha256"]
    assert sorted(path.name for path in stack.lake.iterdir()) == ["tmp"]
    assert not list((stack.lake / "tmp").iterdir()) and not store.uploads()


def test_the_manifest_goes_last(store, small):
    begun = len(store.proxy.seen)
    job, _ = flows.export(small, flows.job_body(flows.create_dataset(small)))
    put = [target for method, target in store.proxy.seen[begun:] if method == "PUT" and job["destination"]["batchId"] in target]
    assert len(put) == 2 and put[-1].endswith("/manifest.json")


def test_a_job_of_several_batches(store, small):
    flows.ingest(small, flows.create_dataset(small, "profile"), [
        {**person(n), "segmentMembership": {"ups": {name: {"status": "realized"}}}} for n in range(4) for name in "ab"[n % 2]])
    body = {**flows.job_body(flows.create_dataset(small)), "filter": {"segments": [{"segmentId": "a"}, {"segmentId": "b"}]}}
    body["destination"]["segmentPerBatch"] = True
    job = flows.wait_job(small, flows.start_job(small, body)["id"])
    assert job["status"] == "SUCCEEDED", job
    dataset = body["destination"]["datasetId"]
    batches = small.get(f"{flows.CATALOG}/batches?dataSet={dataset}").json()
    assert len(batches) == 2
    for one in batches:
        assert flows.download(small, one) and len(store.keys(one)) >= 2


@pytest.mark.slow
def test_a_large_file_goes_in_parts_and_comes_back_whole_and_by_ranges(stack, store, large):
    job, rows = flows.export(large, flows.job_body(plain(large)))
    done = job["destination"]["batchId"]
    place, parts = place_of(stack, done), flows.download_parts(large, done)
    assert len(rows) == LARGE // 8192 and len(parts) == 2
    tags = {entry["name"]: store.bucket.call("HEAD", f"{place}/{entry['name']}").headers["ETag"] for entry, _ in parts}
    assert sorted("-" in tag for tag in tags.values()) == [False, True], "one in parts, one whole"
    (entry, data), *_ = (pair for pair in parts if "-" in tags[pair[0]["name"]])
    (href,) = (one["href"] for one in flows.list_parts(large, done) if one["name"] == entry["name"])
    for first, last in ((PART_BYTES - 2, PART_BYTES + 2), (0, 0), (len(data) - 7, len(data) - 1)):
        answer = large.get(href, expect=206, headers={"Range": f"bytes={first}-{last}"})
        assert answer.content == data[first:last + 1]
    assert not store.uploads()


PASSES = {"500": (ObjectProxy.answer(500, "InternalError"), 1), "slow-down": (ObjectProxy.answer(503, "SlowDown"), 3),
          "cut": (ObjectProxy.cut_request, 1), "lost": (ObjectProxy.cut_answer, 1), "flipped": (ObjectProxy.flip, 1),
          "silent": (ObjectProxy.silent, 1)}  # which takes the client's patience: once is enough


@pytest.mark.parametrize("method, pattern, name", [
    *(("PUT", r"/part-[^?]*$", name) for name in PASSES),
    *(("PUT", r"manifest.json", name) for name in PASSES if name != "silent"),
    *(("HEAD", r"/part-", name) for name in ("500", "slow-down", "lost"))])
def test_what_passes_is_tried_again_within_the_attempt(stack, store, small, method, pattern, name):
    action, hits = PASSES[name]
    with store.proxy.rule(method, pattern, action, times=hits) as rule:
        job, rows = flows.export(small, flows.job_body(flows.create_dataset(small)))
    assert len(rows) == 20 and attempts(stack, job) == 1
    assert rule.hits == hits
    assert len(store.keys(job["destination"]["batchId"])) == 2


@pytest.mark.slow
@pytest.mark.parametrize("method, pattern, action", [
    ("POST", r"\?uploads=", ObjectProxy.answer(500, "InternalError")),
    ("PUT", r"partNumber=2", ObjectProxy.cut_request), ("PUT", r"partNumber=1&", ObjectProxy.flip),
    ("POST", r"\?uploadId=", ObjectProxy.answer(503, "SlowDown")), ("POST", r"\?uploadId=", ObjectProxy.cut_answer),
    ("POST", r"\?uploadId=", ObjectProxy.answer(200, "InternalError"))],
    ids=["begin", "part-cut", "part-flipped", "end", "end-lost", "end-200"])
def test_what_passes_in_an_upload_in_parts(stack, store, large, method, pattern, action):
    with store.proxy.rule(method, pattern, action) as rule:
        job, rows = flows.export(large, flows.job_body(plain(large)))
    assert rule.hits == 1 and len(rows) == LARGE // 8192 and attempts(stack, job) == 1
    assert len(store.keys(job["destination"]["batchId"])) == 3 and not store.uploads()


def test_a_store_that_is_down_for_longer_is_tried_in_further_attempts(stack, store, small):
    store.proxy.down = True
    try:
        job = flows.start_job(small, flows.job_body(flows.create_dataset(small)))
        eventually(lambda: any("event=released" in line for line in log_of(stack, "spooler", job)), "it is not given back")
    finally:
        store.proxy.down = False
    assert flows.wait_job(small, job["id"])["status"] == "SUCCEEDED"
    assert attempts(stack, job) > 1 and len(store.keys(job["destination"]["batchId"])) == 2


@pytest.mark.parametrize("status, code", [(403, "AccessDenied"), (403, "SignatureDoesNotMatch"), (404, "NoSuchBucket")])
def test_what_a_human_has_to_mend_fails_the_job_at_once_and_says_so(stack, store, small, status, code):
    dataset = flows.create_dataset(small)
    with store.proxy.rule("PUT", dataset, ObjectProxy.answer(status, code), times=9):
        batch = flows.start_job(small, flows.job_body(dataset))
        job, batch = flows.wait_job(small, batch["id"]), batch["destination"]["batchId"]
    assert job["status"] == "FAILED" and attempts(stack, job) == 1
    assert job["errors"][0]["code"] == "0090000009" and "object store refused" in job["errors"][0]["msg"]
    assert any(f'code="{code}"' in line and f"status={status}" in line for line in log_of(stack, "spooler", job))
    assert not store.keys(batch)


# ---- ends ----

@contextlib.contextmanager
def uploading(store, client, pattern="partNumber=2", rate=200_000):
    """A job whose first file is on its way, slowly, in its second part."""
    dataset = plain(client)
    with store.proxy.rule("PUT", f"{dataset}.*{pattern}", ObjectProxy.slowly(rate)) as rule:
        job = flows.start_job(client, flows.job_body(dataset))
        rule.wait(60)
        yield job


@pytest.mark.slow
def test_a_cancel_during_an_upload_takes_effect_within_two_seconds(stack, store, large):
    with uploading(store, large) as job:
        begun = time.monotonic()
        large.delete(f"{JOBS}/{job['id']}")
        assert flows.wait_job(large, job["id"])["status"] == "CANCELLED"
        assert time.monotonic() - begun < 2.0
    done = job["destination"]["batchId"]
    eventually(lambda: not store.keys(done) and not store.uploads(), "something is left of it")
    assert not list((stack.lake / "tmp").iterdir())
    assert "event=worker_ended" not in (stack.dir / "log" / "spooler.log").read_text()


def worker_of(stack, job):
    (line,) = [line for line in log_of(stack, "spooler", job) if "event=claimed" in line][-1:]
    return int(re.search(r" pid=(\d+) ", line)[1])


@pytest.mark.slow
def test_a_worker_killed_in_an_upload_is_replaced_and_leaves_nothing(stack, store, large):
    with uploading(store, large) as job:
        os.kill(worker_of(stack, job), signal.SIGKILL)
        assert flows.wait_job(large, job["id"])["status"] == "SUCCEEDED"
    done = job["destination"]["batchId"]
    place = place_of(stack, done)
    assert attempts(stack, job) == 2 and len(flows.download(large, done)) == LARGE // 8192
    eventually(lambda: not store.uploads(), "its upload is still open")
    eventually(lambda: {os.path.dirname(key) for key in store.keys(done)} == {place}, "objects of the dead attempt stay")


@pytest.mark.slow
def test_a_stop_during_an_upload_hands_the_job_on(stack, store, large):
    with uploading(store, large) as job:
        pid = worker_of(stack, job)
        os.kill(pid, signal.SIGTERM)
        eventually(lambda: not is_alive(pid), "it does not stop", 5)
        assert flows.wait_job(large, job["id"])["status"] == "SUCCEEDED"
    assert len(store.keys(job["destination"]["batchId"])) == 3


@pytest.mark.slow
def test_an_attempt_that_lost_its_job_stops_uploading(stack, store, large):
    """Its session is ended by the server; somebody else takes the job, and both end well."""
    with uploading(store, large, rate=400_000) as job:
        pid = worker_of(stack, job)
        os.kill(pid, signal.SIGSTOP)
        try:
            sql(stack, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE 'consign-spooler%%'"
                " AND pid IN (SELECT l.pid FROM pg_locks l WHERE l.locktype = 'advisory')")
            eventually(lambda: attempts(stack, job) == 2, "nobody takes it over", 30)
        finally:
            os.kill(pid, signal.SIGCONT)
        assert flows.wait_job(large, job["id"])["status"] == "SUCCEEDED"
    done = job["destination"]["batchId"]
    place = place_of(stack, done)
    assert len(flows.download(large, done)) == LARGE // 8192
    eventually(lambda: {os.path.dirname(key) for key in store.keys(done)} == {place} and not store.uploads(), "two are there")


# ---- sweeping, expiring, verifying ----

def test_what_a_crash_left_goes_and_nothing_else(stack, store, small):
    job, _ = flows.export(small, flows.job_body(flows.create_dataset(small)))
    done = job["destination"]["batchId"]
    place = place_of(stack, done)
    batch_place = place.rsplit("/", 1)[0]
    sandbox = batch_place.rsplit("/", 2)[0]
    dead = [f"{batch_place}/{NOBODY}/part-00000-x.json", f"{sandbox}/{'f' * 24}/{uuid.uuid4().hex}/{NOBODY}/part-00000-x.json"]
    foreign = [f"{PREFIX}999999/999999/{'f' * 24}/{uuid.uuid4().hex}/{NOBODY}/part-00000-x.json",
               f"{batch_place}/notes/part-00000-x.json", "elsewhere/x"]
    before = store.keys(done)
    for key in (*dead, *foreign):
        store.bucket.put(key, b"x")
    begun = f"{sandbox}/{'e' * 24}/{uuid.uuid4().hex}/{uuid.uuid4()}/part-00000-x.json"  # of which there is nothing else
    store.bucket.begin_upload(begun)
    try:
        eventually(lambda: not set(dead) & set(store.keys()), "leftovers stay")
        eventually(lambda: begun not in store.uploads(), "the upload stays")
        assert set(foreign) <= set(store.bucket.keys()), "what is not ours to judge is left to the operator"
        assert set(before) <= set(store.keys()) and len(flows.download(small, done)) == 20
    finally:
        for key in foreign:
            store.bucket.remove(key)


def test_a_store_that_does_not_answer_holds_up_no_other_step_of_a_sweep(stack, store, small):
    job, _ = flows.export(small, flows.job_body(flows.create_dataset(small)))
    began = "SELECT began_ms FROM consign.sweep_mark WHERE step = 'sweep'"
    store.proxy.down = True
    try:
        seen = set(sql(stack, began))
        eventually(lambda: seen.update(sql(stack, began)) or len(seen) > 2, "sweeps stand still", 60)
    finally:
        store.proxy.down = False
    assert len(flows.download(small, job["destination"]["batchId"])) == 20


def test_a_batch_that_expired_is_gone_with_its_objects_and_its_room(stack, store, small):
    dataset = flows.create_dataset(small)
    old, young = (flows.export(small, flows.job_body(dataset))[0]["destination"]["batchId"] for _ in range(2))
    usage = "SELECT sum(u.bytes) FROM consign.lake_usage u JOIN consign.org o USING (org) WHERE o.ims_org_id = %s"
    taken = sql(stack, usage, small.org)[0][0]
    size = sum(int(entry["bytes"]) for entry in flows.manifest(small, old).values())
    stack.ctl("retention", "set", "--org", small.org, "--sandbox", small.sandbox, "--dataset", dataset, "--hours", "1")
    sql(stack, "UPDATE consign.batch SET completed_ms = completed_ms - 7200000 WHERE batch = %s", old)
    eventually(lambda: small.call("GET", f"{BATCH_FILES}/{old}/files").status_code == 410, "it does not expire")
    eventually(lambda: not store.keys(old), "its objects are still there")
    assert sql(stack, usage, small.org)[0][0] == taken - size
    assert flows.download(small, young)


def test_verify_reads_everything_back(stack, store):
    client = ownstack.new_client(stack)  # what others have in the bucket is much to read each time
    flows.ingest(client, flows.create_dataset(client, "profile"), [person(1)])
    job, _ = flows.export(client, flows.job_body(flows.create_dataset(client)))
    place = place_of(stack, job["destination"]["batchId"])
    (name,) = flows.manifest(client, job["destination"]["batchId"])
    for words in ((), ("--org", client.org)):
        findings, figures = verify(stack, *words)
        assert findings == [] and "missing=0 short=0 changed=0 stray=0" in figures
        assert ("batches=1 " in figures) == bool(words) and "batches=0" not in figures
    kept = {key: store.bucket.get(key) for key in (f"{place}/{name}", f"{place}/manifest.json")}
    relative = place.removeprefix(PREFIX)

    def flip_bit(data):
        return data[:-1] + bytes([data[-1] ^ 1])
    for key, data, kind in ((f"{place}/{name}", flip_bit, "changed"), (f"{place}/{name}", lambda data: data[:-1], "short"),
                            (f"{place}/{name}", None, "missing"), (f"{place}/manifest.json", None, "missing"),
                            (f"{place}/manifest.json", lambda data: data.replace(b"rows", b"rowz"), "changed")):
        if data is None:
            store.bucket.remove(key)
        else:
            store.bucket.put(key, data(kept[key]))
        try:
            assert verify(stack, "--org", client.org)[0] == [(kind, f"{relative}/{os.path.basename(key)}")]
        finally:
            store.bucket.put(key, kept[key])
    store.bucket.put(f"{place}/more", b"x")
    assert verify(stack, "--org", client.org)[0] == [("stray", f"{relative}/more")]
    store.bucket.remove(f"{place}/more")
    foreign = f"{PREFIX}999999/1/{'f' * 24}/{'0' * 32}/{NOBODY}/x"
    store.bucket.put(foreign, b"x")
    assert verify(stack)[0] == [("stray", f"s3://consign/{os.path.dirname(foreign)}")]
    store.bucket.remove(foreign)
    assert verify(stack, "--org", client.org)[0] == []
    with store.proxy.rule("GET", "list-type=2", ObjectProxy.answer(403, "AccessDenied"), times=9), \
            pytest.raises(RuntimeError, match="can't be read"):
        stack.ctl("verify")


# ---- downloads ----

@pytest.fixture(scope="module")
def file(small):
    """A part of a batch: {name, length, href, batch}."""
    job, _ = flows.export(small, flows.job_body(flows.create_dataset(small)))
    done = job["destination"]["batchId"]
    (one,) = flows.list_parts(small, done)
    return {**one, "batch": done}


def test_a_client_sees_our_headers_and_not_the_stores(small, file):
    for more, status in (({}, 200), ({"Range": "bytes=0-3"}, 206), ({"Range": "bytes=0-1,4-5"}, 200)):
        for method in ("GET", "HEAD"):
            answer = small.call(method, file["href"], expect=status, headers=more)
            assert {name.lower() for name in answer.headers} <= OURS, answer.headers
            assert answer.headers["Server"].startswith("nginx")
            assert answer.headers["ETag"] == small.get(file["href"]).headers["ETag"]
            assert "immutable" in answer.headers["Cache-Control"] and answer.headers["X-Request-Id"]
    manifest = small.get(f"{BATCH_FILES}/{file['batch']}/meta?path=manifest.json")
    assert manifest.headers["Content-Type"].startswith("application/json")


def test_only_a_range_that_is_sure_goes_to_the_store(store, small, file):
    """The rest nginx cuts out of the whole file, as it does for files."""
    ranges = []

    def watch(link, far, head, rest, length):
        found = re.search(rb"(?im)^range: *([^\r\n]*)", head)
        ranges.append(found and found[1].decode())
        server = far()
        server.sendall(head + rest)
        while piece := server.recv(65536):
            link.sendall(piece)
    tag = small.get(file["href"]).headers["ETag"]
    size = file["length"]
    asked = [({"Range": "bytes=0-3"}, 206, "bytes=0-3"), ({"Range": "bytes=-5"}, 206, "bytes=-5"),
             ({"Range": "bytes=3-"}, 206, "bytes=3-"), ({"Range": f"bytes={size}-"}, 416, None),
             ({"Range": "bytes=5-3"}, 200, None), ({"Range": "bytes=0-1,3-4"}, 200, None), ({"Range": "rows=0-1"}, 200, None),
             ({"Range": "bytes=0-3", "If-Range": tag}, 206, "bytes=0-3"), ({"Range": "bytes=0-3", "If-Range": '"x"'}, 200, None),
             ({"Range": "bytes=-0"}, 416, None), ({"Range": "bytes=0-99999999999"}, 206, "bytes=0-99999999999")]
    with store.proxy.rule("GET", re.escape(file["name"]), watch, times=99):
        for headers, status, _ in asked:
            assert small.call("GET", file["href"], headers=headers).status_code in (status, 416 if status == 200 else status)
    assert ranges == [passed for *_, passed in asked]


def test_no_header_of_the_client_reaches_the_store(store, small, file):
    heads = []

    def watch(link, far, head, rest, length):
        heads.append(head.decode("latin-1").lower())
        server = far()
        server.sendall(head)
        while piece := server.recv(65536):
            link.sendall(piece)
    with store.proxy.rule("GET", re.escape(file["name"]), watch):
        small.get(file["href"], headers={"X-Mark": "client", "Cookie": "client=1"})
    (head,) = heads
    assert "x-mark" not in head and "cookie" not in head and "bearer" not in head and "x-api-key" not in head
    assert f"host: 127.0.0.1:{store.proxy.port}" in head and "?" not in head.split("\r\n")[0]


def test_another_tenants_file_is_404(stack, file):
    stranger = ownstack.new_client(stack)
    assert_problem(stranger.call("GET", file["href"]), 404)
    assert_problem(stranger.call("GET", f"{BATCH_FILES}/{file['batch']}/meta?path=manifest.json"), 404)


def test_the_internal_location_is_nobodys(small, stack, file):
    place = place_of(stack, file["batch"])
    link = http.client.HTTPConnection(urlsplit(small.url).netloc, timeout=10)
    link.request("GET", f"/_objects/consign/{place}/{file['name']}", headers=small.headers())
    answer = link.getresponse()
    assert answer.status == 404 and b"/problems/not-found" in answer.read()


@pytest.mark.parametrize("status, code, shown", [
    (403, "AccessDenied", 500), (404, "NoSuchKey", 404), (500, "InternalError", 503), (503, "SlowDown", 503),
    (301, "PermanentRedirect", 500), (400, "AuthorizationHeaderMalformed", 500)])
def test_what_the_store_says_instead_of_a_file_stays_with_us(store, small, file, status, code, shown):
    with store.proxy.rule("GET", re.escape(file["name"]), ObjectProxy.answer(status, code)):
        answer = small.call("GET", file["href"])
    assert_problem(answer, shown)
    assert "made up" not in answer.text and code not in answer.text
    assert {name.lower() for name in answer.headers} <= OURS | {"retry-after"}, answer.headers


def test_a_store_that_breaks_off_in_a_file_is_no_whole_file(store, small, file):
    with store.proxy.rule("GET", re.escape(file["name"]), ObjectProxy.half_answer):
        answer = small.get(file["href"])
    assert int(answer.headers["Content-Length"]) == file["length"] > len(answer.content)


def test_a_precondition_is_refused_as_for_files(small, file):
    for name, value in (("If-Match", '"x"'), ("If-Unmodified-Since", "Thu, 01 Jan 1970 00:00:00 GMT")):
        assert_problem(small.call("GET", file["href"], headers={name: value}), 400)


def test_no_log_has_a_secret_or_a_signature(stack, store, small, file):
    store.proxy.down = True
    try:
        assert_problem(small.call("GET", file["href"]), 503)  # nginx writes the address that it asked into its error log
    finally:
        store.proxy.down = False
    for log in (stack.dir / "log").iterdir():
        text = log.read_text(errors="replace")
        for word in (SECRET, "Signature=", "AWS4-HMAC-SHA256", "X-Amz-"):
            assert word not in text, (log, word)
    lines = [line for line in (stack.dir / "log" / "access.log").read_text().splitlines() if "/_objects" in line]
    assert all('status=404 pool_status="-"' in line for line in lines), lines  # a client that asked for it by itself, above


# ---- TLS ----

@contextlib.contextmanager
def spooler_by_hand(stack, endpoint, trusted):
    """A second spooler, whose machine trusts this certificate and no other, while the first stands still; yields its log."""
    owner = pwd.getpwuid(os.stat(stack.dir).st_uid).pw_name
    conf, log = stack.dir / "tls.conf", stack.dir / "log" / "tls.log"
    text = re.sub(r"(?m)^lake.endpoint = .*$", f"lake.endpoint = {endpoint}", (stack.dir / "consign.conf").read_text())
    conf.write_text(text + f"spooler.user = {owner}\n")
    command = ["unshare", "-m", "sh", "-c", 'mount --bind "$0" /etc/ssl/certs/ca-certificates.crt && exec "$@"', trusted,
               stack.dir / "bin" / "consign-spooler", "--config", conf]
    stack.signal_spooler(signal.SIGSTOP)
    with open(log, "wb") as out:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out, stderr=out, env={"PATH": os.environ["PATH"]})
    try:
        yield log
    finally:
        process.terminate()
        process.wait(20)
        stack.signal_spooler(signal.SIGCONT)


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root to have a file of certificates of its own")
def test_a_confined_worker_speaks_tls_to_a_name_and_trusts_nobody_else(stack, store, small):
    """Names are looked up, certificates read and TLS spoken after the list of system calls is in force."""
    certificates = {}
    for name in ("right", "wrong"):
        key, certificates[name] = store.dir / f"{name}.key", store.dir / f"{name}.crt"
        subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost",
                        "-addext", "subjectAltName=DNS:localhost", "-keyout", key, "-out", certificates[name]],
                       check=True, capture_output=True)
        certificates[name].chmod(0o644)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificates["right"], store.dir / "right.key")
    proxy = ObjectProxy(store.server.port, tls=context)
    endpoint = f"https://localhost:{proxy.port}"
    try:
        with spooler_by_hand(stack, endpoint, certificates["wrong"]) as log:
            job = flows.start_job(small, flows.job_body(flows.create_dataset(small)))
            eventually(lambda: re.search("event=http .*certificate", log.read_text()), "it says nothing of it")
            assert not proxy.seen
        with spooler_by_hand(stack, endpoint, certificates["right"]) as log:
            job = flows.wait_job(small, job["id"])
            assert job["status"] == "SUCCEEDED" and [method for method, _ in proxy.seen].count("PUT") == 2
        assert f"signal={signal.SIGSYS.value}" not in log.read_text()
    finally:
        proxy.close()


def test_workers_stay_confined_and_alive(stack):
    """All of the above ran under the list of system calls; nobody was killed for one that is not in it."""
    text = (stack.dir / "log" / "spooler.log").read_text()
    assert f"signal={signal.SIGSYS.value}" not in text
    supervisor = int((stack.dir / "pids" / "spooler").read_text())
    for pid in process_tree(supervisor)[1:]:
        assert "Seccomp:\t2" in pathlib.Path(f"/proc/{pid}/status").read_text()
        assert len(os.listdir(f"/proc/{pid}/task")) == 1, "libcurl has made a thread"
