"""Publishing to an object store (README, Object store): what lies in the bucket, what goes wrong on the way there, ends,
sweeps, verify, and TLS. Downloads are in test_object_downloads.py, and both are before the stack of objectlake.py.
"""

import contextlib
import hashlib
import os
import pathlib
import pwd
import random
import re
import shutil
import signal
import subprocess
import time
import uuid

import psycopg
import pytest

import flows
import metrics
from flows import BATCH_FILES, JOBS, eventually
from objectlake import PART_BYTES, PREFIX, TOKEN, certificate, person, place_of, served_by, sql, watched
from objectlake import home, object_lake, small, stack, store, sweeping, tenants  # noqa: F401 its fixtures
from objectproxy import ObjectProxy
from ownstack import new_client
from stack import is_alive, process_tree

LARGE = 11 * 1024 * 1024
NOBODY = "00000000-0000-4000-8000-000000000000"


@pytest.fixture(scope="module")
def large(home, tenants):
    """A client whose export is two files of LARGE bytes together, the first of which goes in parts."""
    client = home.in_sandbox(tenants.sandbox(home.org))
    random.seed(1)
    records = [{**person(n), "text": random.randbytes(4096).hex()} for n in range(LARGE // 8192)]
    flows.ingest(client, flows.create_dataset(client, "profile"), records)
    return client


def plain(client):
    """A dataset whose files are as large as their rows."""
    return flows.create_dataset(client, fileDescription={"format": "json", "compression": "none"})


def log_of(stack, name, job):
    lines = (stack.dir / "log" / f"{name}.log").read_text(errors="replace").splitlines()
    return [line for line in lines if f"job={job['id']} " in line]


def attempts(stack, job):
    return sum("event=claimed" in line for line in log_of(stack, "spooler", job))


def verify(stack, *more):
    """consignctl verify: findings [(kind, path)], and its last line."""
    try:
        said = stack.ctl("verify", *more)
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


def test_the_token_of_temporary_credentials_is_sent_and_signed(store, small):
    heads = []
    with store.proxy.rule("PUT", "part-", watched(heads)), store.proxy.rule("HEAD", "part-", watched(heads)):
        flows.export(small, flows.job_body(flows.create_dataset(small)))
    assert len(heads) == 2
    for head in heads:
        assert f"x-amz-security-token: {TOKEN.lower()}\r\n" in head
        assert "x-amz-security-token" in re.search("signedheaders=([^,]*)", head)[1].split(";")


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
          "404-of-a-balancer": (ObjectProxy.answer(404, ""), 1), "clock": (ObjectProxy.answer(403, "RequestTimeTooSkewed"), 1),
          "silent": (ObjectProxy.silent, 1)}  # which takes the client's patience: once is enough


@pytest.mark.parametrize("method, pattern, name", [
    *(("PUT", r"/part-[^?]*$", name) for name in PASSES),
    *(("PUT", r"manifest.json", name) for name in PASSES if name != "silent"),
    *(("HEAD", r"/part-", name) for name in ("500", "slow-down", "lost", "404-of-a-balancer"))])
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
def test_a_cancel_during_an_upload_takes_effect_within_two_seconds(stack, store, large, sweeping):
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
def test_a_worker_killed_in_an_upload_is_replaced_and_leaves_nothing(stack, store, large, sweeping):
    with uploading(store, large) as job:
        os.kill(worker_of(stack, job), signal.SIGKILL)
        assert flows.wait_job(large, job["id"])["status"] == "SUCCEEDED"
    done = job["destination"]["batchId"]
    place = place_of(stack, done)
    assert attempts(stack, job) == 2 and len(flows.download(large, done)) == LARGE // 8192
    eventually(lambda: not store.uploads(), "its upload is still open")
    eventually(lambda: {os.path.dirname(key) for key in store.keys(done)} == {place}, "objects of the dead attempt stay")


@pytest.mark.slow
def test_a_stop_during_an_upload_hands_the_job_on(stack, store, large, sweeping):
    with uploading(store, large) as job:
        pid = worker_of(stack, job)
        os.kill(pid, signal.SIGTERM)
        eventually(lambda: not is_alive(pid), "it does not stop", 5)
        assert flows.wait_job(large, job["id"])["status"] == "SUCCEEDED"
    assert len(store.keys(job["destination"]["batchId"])) == 3


@pytest.mark.slow
def test_an_attempt_that_lost_its_job_stops_uploading(stack, store, large, sweeping):
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

def test_what_a_crash_left_goes_and_nothing_else(stack, store, small, sweeping):
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


@pytest.mark.slow
def test_what_cannot_be_removed_holds_up_nothing_behind_it_and_is_not_counted(stack, store, small, sweeping):
    """A DELETE that always fails ended the sweep there, each time, and the attempt counted as removed each time."""
    job, _ = flows.export(small, flows.job_body(flows.create_dataset(small)))
    sandbox = place_of(stack, job["destination"]["batchId"]).rsplit("/", 3)[0]
    first, second = (f"{sandbox}/{'f' * 24}/{digit * 32}/{NOBODY}/part-00000" for digit in "0f")
    stuck = [f"{first}-stuck.json", f"{sandbox}/{'d' * 24}/{'0' * 32}/{NOBODY}/part-00000-stuck.json"]
    behind = [f"{first}-x.json", f"{second}-x.json", f"{sandbox}/{'e' * 24}/{'0' * 32}/{NOBODY}/part-00000-x.json"]
    before = metrics.settled(stack)
    with store.proxy.rule("DELETE", "stuck", ObjectProxy.answer(503, "SlowDown"), times=10**6) as rule:
        for key in (stuck[0], *behind[:2]):
            store.bucket.put(key, b"x")
        for key in (stuck[1], behind[2]):  # uploads are told in their order
            store.bucket.begin_upload(key)
        eventually(lambda: not {*store.keys(), *store.uploads()} & set(behind), "what lies behind it stays", 60)
        assert rule.hits and {*store.keys(), *store.uploads()} >= set(stuck)
    eventually(lambda: not {*store.keys(), *store.uploads()} & set(stuck), "it stays", 60)
    metrics.await_figures(stack, lambda now: now.added(before, "consign_swept_total") == {(("what", "files"),): 4})


@pytest.mark.slow
def test_what_takes_long_to_go_is_gone_on_with_until_it_is_gone(stack, store, small, sweeping):
    """More than five seconds in all was as no answer: the sweep went on behind the batch, and came back after all the others.
    Here it has five and a half, half a silence, and then begins with the same batch."""
    job, _ = flows.export(small, flows.job_body(flows.create_dataset(small)))
    place = f"{place_of(stack, job['destination']['batchId']).rsplit('/', 3)[0]}/{'f' * 24}/{'0' * 32}/{NOBODY}"
    begun = []

    def late(link, far, head, rest, length):
        begun.append(time.monotonic())
        time.sleep(0.1)
        ObjectProxy.through(link, far, head, rest, length)
    with store.proxy.rule("DELETE", place, late, times=200):
        with standing_still(stack):
            for n in range(70):
                store.bucket.put(f"{place}/part-{n:05}-x.json", b"x")
        eventually(lambda: not [key for key in store.keys() if place in key], "it stays", 40)
    log = (stack.dir / "log" / "spooler.log").read_text()
    assert re.search(rf"event=left_behind path=\S*{place.removeprefix(PREFIX)}\S* removed=\d\d reason=\"overloaded\"", log)
    assert [moment for moment in begun if 5.1 < moment - begun[0] < 5.6], "it was given up after five seconds"


def test_a_store_that_does_not_answer_holds_up_no_other_step_of_a_sweep(stack, store, small, sweeping):
    job, _ = flows.export(small, flows.job_body(flows.create_dataset(small)))
    began = "SELECT began_ms FROM consign.sweep_mark WHERE step = 'sweep'"
    store.proxy.down = True
    try:
        seen = set(sql(stack, began))
        eventually(lambda: seen.update(sql(stack, began)) or len(seen) > 2, "sweeps stand still", 60)
    finally:
        store.proxy.down = False
    assert len(flows.download(small, job["destination"]["batchId"])) == 20


def test_a_batch_that_expired_is_gone_with_its_objects_and_its_room(stack, store, small, sweeping):
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
    client = new_client(stack)  # of an org whose lake is soon read
    only = ("--org", client.org)
    flows.ingest(client, flows.create_dataset(client, "profile"), [person(1)])
    job, _ = flows.export(client, flows.job_body(flows.create_dataset(client)))
    place = place_of(stack, job["destination"]["batchId"])
    (name,) = flows.manifest(client, job["destination"]["batchId"])
    findings, figures = verify(stack, *only)
    assert findings == [] and "missing=0 short=0 changed=0 stray=0 unread=0" in figures and "batches=0" not in figures
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
            assert verify(stack, *only)[0] == [(kind, f"{relative}/{os.path.basename(key)}")]
        finally:
            store.bucket.put(key, kept[key])
    store.bucket.put(f"{place}/more", b"x")
    assert verify(stack, *only)[0] == [("stray", f"{relative}/more")]
    store.bucket.remove(f"{place}/more")
    foreign = f"{PREFIX}999999/1/{'f' * 24}/{'0' * 32}/{NOBODY}/x"
    store.bucket.put(foreign, b"x")
    findings, figures = verify(stack)
    assert findings == [("stray", f"s3://consign/{os.path.dirname(foreign)}")] and "missing=0 short=0 changed=0" in figures
    store.bucket.remove(foreign)
    assert verify(stack, *only)[0] == []
    for action, times, kinds in ((ObjectProxy.answer(503, "SlowDown"), 1, []), (ObjectProxy.half_answer, 2, []),
                                 (ObjectProxy.answer(404, ""), 2, []), (ObjectProxy.half_answer, 3, ["unread"]),
                                 (ObjectProxy.answer(404, "NoSuchKey"), 1, ["missing"])):
        with contextlib.ExitStack() as rules:
            hit = [rules.enter_context(store.proxy.rule("GET", re.escape(key), action, times)) for key in kept]
            found = [(kind, f"{relative}/{os.path.basename(key)}") for kind in kinds for key in kept]
            assert verify(stack, *only)[0] == found and {rule.hits for rule in hit} == {times}
    with store.proxy.rule("GET", "list-type=2", ObjectProxy.answer(403, "AccessDenied"), times=9), \
            pytest.raises(RuntimeError, match="can't be read"):
        stack.ctl("verify")


# ---- lake.dir, which may be each host's own ----

@contextlib.contextmanager
def standing_still(stack):
    """Throughout, or it would take a job and then stand still with it."""
    stack.signal_spooler(signal.SIGSTOP)
    try:
        yield
    finally:
        stack.signal_spooler(signal.SIGCONT)


def test_workers_sweep_their_own_lake_dir_though_another_host_leads(stack, sweeping):
    with psycopg.connect(stack.pg_uri, autocommit=True) as leader:
        eventually(lambda: leader.execute("SELECT pg_try_advisory_lock(4, 0)").fetchone()[0], "sweeps go on")
        dead = stack.lake / "tmp" / str(uuid.uuid4())
        dead.mkdir()
        shutil.chown(dead, os.stat(stack.dir).st_uid)
        eventually(lambda: not dead.exists(), "it stays")


def test_help_goes_to_an_attempt_of_this_host_and_none_to_one_of_another(stack, small):
    """The oldest export is of a host with a lake.dir of its own: whoever looked at no other helped nobody, and asked for it
    again and again."""
    def tried(job):
        return [line for line in log_of(stack, "spooler", job) if "event=help_ended" in line]

    with psycopg.connect(stack.pg_uri, autocommit=True) as other:
        with standing_still(stack):
            dataset = flows.create_dataset(small)
            theirs, ours = jobs = [flows.start_job(small, flows.job_body(dataset)) for _ in range(2)]
            for job in jobs:
                attempt = str(uuid.uuid4())
                other.execute("SELECT pg_advisory_lock(entry) FROM consign.work_queue WHERE job = %s", (job["id"],))
                other.execute("UPDATE consign.work_queue SET attempt = %s, snapshot = '00000003-00000001-1' WHERE job = %s",
                              (attempt, job["id"]))
            place = stack.lake / "tmp" / attempt
            place.mkdir()
            shutil.chown(place, os.stat(stack.dir).st_uid)
        eventually(lambda: tried(ours), "nobody helps")  # in vain: that snapshot is nobody's
        assert not tried(theirs)
        other.execute("UPDATE consign.work_queue SET snapshot = NULL WHERE snapshot IS NOT NULL")
    for job in jobs:
        assert flows.wait_job(small, job["id"])["status"] == "SUCCEEDED" and attempts(stack, job) == 1


# ---- TLS ----

@contextlib.contextmanager
def spooler_by_hand(stack, store, endpoint, system, **settings):
    """A second spooler, whose machine trusts this certificate and no other; yields its log. Its credentials are no temporary
    ones."""
    owner = pwd.getpwuid(os.stat(stack.dir).st_uid).pw_name
    conf, log = stack.dir / "tls.conf", stack.dir / "log" / "tls.log"
    trusted = store.dir / f"{system.stem}.system"
    trusted.mkdir(exist_ok=True)
    for name in ("ca-certificates.crt", "one.pem"):  # the file of all, and a folder by their hashes
        (trusted / name).write_bytes(system.read_bytes())
    subprocess.run(["openssl", "rehash", trusted], check=True, capture_output=True)
    own = {"lake.endpoint": endpoint, "lake.credentials": store.keys_file("lasting"), "spooler.user": owner, **settings}
    kept = re.sub(r"(?m)^lake\.(endpoint|credentials|ca_file) = .*\n", "", (stack.dir / "consign.conf").read_text())
    conf.write_text(kept + "".join(f"{name} = {value}\n" for name, value in own.items()))
    command = ["unshare", "-m", "sh", "-c", 'mount --bind "$0" /etc/ssl/certs && exec "$@"', trusted,
               stack.dir / "bin" / "consign-spooler", "--config", conf]
    with open(log, "wb") as out:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out, stderr=out, env={"PATH": os.environ["PATH"]})
    try:
        yield log
    finally:
        process.terminate()
        process.wait(20)


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root to have certificates of its own where the system has them")
def test_a_confined_worker_speaks_tls_to_a_name_and_trusts_nobody_else(stack, store, small):
    """Names are looked up, certificates read and TLS spoken after the list of system calls is in force. The system's
    certificates count, unless there is a lake.ca_file; that one does for all other tests."""
    right, wrong = (certificate(store.dir, name, "DNS:localhost") for name in ("right", "wrong"))
    proxy = ObjectProxy(store.server.port, tls=served_by(right))
    endpoint = f"https://localhost:{proxy.port}"
    heads = []
    try:
        with standing_still(stack):
            job = flows.start_job(small, flows.job_body(flows.create_dataset(small)))
            for system, settings in ((wrong, {}), (right, {"lake.ca_file": wrong[0]})):
                with spooler_by_hand(stack, store, endpoint, system[0], **settings) as log:
                    eventually(lambda: re.search("event=http .*certificate", log.read_text()), "it says nothing of it")
                    assert not proxy.seen
            with spooler_by_hand(stack, store, endpoint, right[0]) as log, proxy.rule("PUT", "manifest", watched(heads)):
                job = flows.wait_job(small, job["id"])
                assert job["status"] == "SUCCEEDED" and [method for method, _ in proxy.seen].count("PUT") == 2
        assert f"signal={signal.SIGSYS.value}" not in log.read_text()
        assert len(heads) == 1 and "security-token" not in heads[0]
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
