"""Storage that is full, and a power cut: uploads are refused, exports wait for room, what was acknowledged is there.

Devices of their own need root and, for the power cut, nbdkit, nbdfuse and loop devices; where they can't be had the
tests say so. make fault does all of it many times under load (tests/fault/disks.py, power.py), and fails without them.
"""

import hashlib
import pathlib
import sys
import time

import psycopg
import pytest

import flows
import lake
from client import token_request
from ownstack import new_client
from shapes import assert_problem
from streams import COLLECTION

sys.path.append(str(pathlib.Path(__file__).resolve().parents[1] / "fault"))
import devices  # noqa: E402
import power  # noqa: E402
from devicestand import device_stand  # noqa: E402

pytestmark = pytest.mark.fault

MIB = 1 << 20
PROFILES = 2000
SETTINGS = {"spooler__sweep_ms": 500, "spooler__retry_ms": 50, "spooler__attempts": 50}
NO_ROOM = (0, 4096, 65536, "inodes")


@pytest.fixture(scope="module")
def stand():
    reason = devices.why_no_mounts()
    if reason:
        pytest.skip(reason)
    makers = dict.fromkeys(("lake", "inbox"), lambda place, path: devices.Tmpfs(path, 16 * MIB))
    with device_stand(makers, **SETTINGS) as made:
        yield made


def records(count):
    """Of about 200 bytes that do not compress."""
    return [{"identityMap": {"email": [{"id": f"p{number}@example.com"}]},
             "_tenant": {"text": hashlib.sha512(str(number).encode()).hexdigest()}} for number in range(count)]


@pytest.fixture(scope="module")
def owner(stand):
    """A client with PROFILES profiles, a dataset to fill and one to export into."""
    client = new_client(stand.stack)
    client.profiles = flows.create_dataset(client, "profile")
    client.union = flows.create_dataset(client)
    flows.ingest(client, client.profiles, records(PROFILES))
    return client


@pytest.fixture
def roomy(stand):
    """Whatever the test does, there is room afterwards."""
    yield
    for device in stand.devices.values():
        device.free()


def assert_no_room(answer):
    assert assert_problem(answer, 503)["type"] == "/problems/storage-unavailable"


def fill(stand, level):
    for device in stand.devices.values():
        device.use_inodes() if level == "inodes" else device.fill(level)


def put(client, batch, body):
    return client.call("PUT", flows.file_path(batch, client.profiles), body=body,
                       headers={"Content-Type": "application/octet-stream"})


def inbox_files(stand):
    return [path for path in (stand.dir / "inbox").rglob("*") if path.is_file() and path != stand.dir / "inbox/lock"]


def wait_fault(stack, job, seconds=20):
    """Until an attempt at the job has failed; the name of the fault."""
    deadline = time.monotonic() + seconds
    with psycopg.connect(stack.pg_uri, autocommit=True) as db:
        while True:
            row = db.execute("SELECT last_fault FROM consign.work_queue WHERE job = %s", (job,)).fetchone()
            if row is not None and row[0] is not None:
                return row[0]
            assert time.monotonic() < deadline, f"no attempt at job {job} has failed: {row}"
            time.sleep(0.02)


@pytest.mark.parametrize("level", NO_ROOM)
def test_without_room_uploads_are_503_exports_wait_and_all_goes_on_afterwards(stand, owner, roomy, level):
    batch = flows.open_batch(owner, owner.profiles)
    fill(stand, level)
    answer = put(owner, batch, b"x" * MIB)
    assert_no_room(answer)
    assert inbox_files(stand) == []
    job = flows.start_job(owner, flows.job_body(owner.union))
    assert wait_fault(stand.stack, job["id"]) == "disk_full"
    assert owner.call("GET", f"{flows.BATCH_FILES}/{job['destination']['batchId']}/files").status_code == 404
    assert owner.get(f"{flows.JOBS}/{job['id']}").json()["status"] in ("NEW", "PROCESSING")
    message = owner.post(f"{COLLECTION}/{owner.profiles}", records(1)[0])
    assert message.status_code == 200, "the service stops although it needs no room"
    roomy_again(stand)
    done = flows.wait_job(owner, job["id"])
    assert done["status"] == "SUCCEEDED", done
    assert len(flows.download(owner, done["destination"]["batchId"])) == PROFILES
    assert put(owner, batch, flows.ndjson(records(1))).status_code == 200
    owner.post(f"{flows.IMPORT}/{batch}?action=COMPLETE", expect=200)
    assert flows.wait_batch(owner, batch)["status"] == "success"
    lake.wait_clean(stand.stack, 10)


def roomy_again(stand):
    for device in stand.devices.values():
        device.free()


def test_a_file_system_that_is_read_only_below_the_database_is_waited_for(stand, owner):
    """A journal that failed once leaves it so: the server commits, and can make no file, which an export's snapshot is. It
    says 42501 then, as of a right that is missing."""
    snapshots = stand.dir / "pg" / "pg_snapshots"
    devices.run("mount", "-t", "tmpfs", "-o", "ro,mode=777", "consign-fault", snapshots)
    try:
        job = flows.start_job(owner, flows.job_body(owner.union))
        assert wait_fault(stand.stack, job["id"]) == "db_unavailable"
    finally:
        devices.unmount(snapshots)
    assert flows.wait_job(owner, job["id"])["status"] == "SUCCEEDED"


def test_what_nobody_foresaw_is_tried_again(stand, owner):
    """Here a function that is not there, as for programs that are newer than their database."""
    with psycopg.connect(stand.stack.pg_uri, autocommit=True) as db:
        db.execute("ALTER FUNCTION consign.job_start RENAME TO job_start_later")
        try:
            job = flows.start_job(owner, flows.job_body(owner.union))
            assert wait_fault(stand.stack, job["id"]) == "internal"
        finally:
            db.execute("ALTER FUNCTION consign.job_start_later RENAME TO job_start")
    assert flows.wait_job(owner, job["id"])["status"] == "SUCCEEDED"


def test_a_little_room_takes_what_fits(stand, owner, roomy):
    batch = flows.open_batch(owner, owner.profiles)
    fill(stand, MIB)
    assert_no_room(put(owner, batch, b"x" * (2 * MIB)))
    assert put(owner, batch, b"x" * 1000).status_code == 200
    _, rows = flows.export(owner, flows.job_body(owner.union))
    assert len(rows) == PROFILES
    owner.post(f"{flows.IMPORT}/{batch}?action=ABORT", expect=200)


@pytest.mark.long
def test_what_was_acknowledged_before_the_power_went_is_there_afterwards():
    reason = devices.why_no_disks()
    if reason:
        pytest.skip(reason)
    with device_stand(power.MAKERS, **SETTINGS) as stand:
        client = new_client(stand.stack)
        client.profiles = flows.create_dataset(client, "profile")
        union, other = flows.create_dataset(client), flows.create_dataset(client)
        flows.ingest(client, client.profiles, records(100))
        open_batch = flows.open_batch(client, client.profiles)
        # nothing but the last of these may be what makes the others durable
        done, _ = flows.export(client, flows.job_body(union))
        sent = flows.ndjson(records(130))
        assert put(client, open_batch, sent).status_code == 200
        waiting = flows.start_job(client, flows.job_body(other))
        client.post(f"{COLLECTION}/{client.profiles}", {"identityMap": {"email": [{"id": "last@example.com"}]}}, expect=200)
        stand.lights_out()
        stand.up()
        assert [path.read_bytes() for path in inbox_files(stand)] == [sent]
        assert token_request(stand.stack, client.client_id, client.client_secret).status_code == 200
        assert len(flows.download(client, done["destination"]["batchId"])) == 100
        assert flows.wait_job(client, waiting["id"])["status"] == "SUCCEEDED"
        client.post(f"{flows.IMPORT}/{open_batch}?action=COMPLETE", expect=200)
        assert flows.wait_batch(client, open_batch)["status"] == "success"
        deadline = time.monotonic() + 20
        while len(flows.export(client, flows.job_body(other))[1]) != 131:
            assert time.monotonic() < deadline, "what was acknowledged does not come into the store"
        lake.wait_clean(stand.stack, 10)
