"""What nobody will ask for again goes with the next sweep, and nothing else does (design, promise 12)."""

import concurrent.futures
import os
import pathlib
import signal
import sys
import time
import uuid

import psycopg
import pytest

import flows
import lake
from flows import JOBS, eventually
from shapes import assert_problem

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "fault"))

import rolling  # noqa: E402

pytestmark = pytest.mark.fault

SWEEP_S = int(os.environ.get("CONSIGN_SWEEP_WAIT", "70"))
HOURS_AGO = time.time() - 7200


def person(ident):
    return {"identityMap": {"Email": [{"id": ident}]}}


@pytest.fixture
def sweeping(stack):
    """Sweeps need not be waited for."""
    with rolling.settings(stack, "spooler", spooler__sweep_ms=1000):
        yield


def sql(stack, text, *values):
    with psycopg.connect(stack.pg_uri, autocommit=True) as connection:
        cursor = connection.execute(text, values)
        return cursor.fetchall() if cursor.description else []


def test_an_upload_that_was_never_entered_goes_the_entered_and_the_young_stay(stack, client, sweeping):
    """A pool worker that dies in the middle of a PUT leaves a file in the inbox of a batch that may stay open
    for ever."""
    dataset = flows.create_dataset(client, "profile")
    batch = flows.open_batch(client, dataset)
    client.put(flows.file_path(batch, dataset), flows.ndjson([person("a@x")]))
    for first in (0, 1):
        client.call("PATCH", flows.file_path(batch, dataset, "pieces"), body=b"\n", expect=200,
                    headers={"Content-Range": f"bytes {first}-{first}/2"})
    entered, *pieces = (stack.dir / "inbox").glob(f"*/*/{batch}/*")
    young, dead = (entered.with_name(str(uuid.uuid4())) for _ in range(2))
    for path in (young, dead):
        path.write_bytes(b"half a fi")
    for path in (entered, *pieces, dead):
        os.utime(path, (HOURS_AGO, HOURS_AGO))
    eventually(lambda: not dead.exists(), "the dead upload is still there", SWEEP_S)
    assert len(pieces) == 2 and all(path.exists() for path in (entered, *pieces, young))
    client.post(f"{flows.IMPORT}/{batch}?action=COMPLETE", expect=200)
    assert flows.wait_batch(client, batch)["metrics"]["outputRecordCount"] == 1
    eventually(lambda: not entered.parent.exists(), "the inbox of the batch is still there", SWEEP_S)


def test_an_upload_that_was_removed_before_it_was_entered_is_not_acknowledged(stack, client):
    """A sweep that took it for dead: it had asked before and removes it after."""
    dataset = flows.create_dataset(client, "profile")
    batch = flows.open_batch(client, dataset)
    path, body = flows.file_path(batch, dataset), flows.ndjson([person("a@x")])
    pieces = {"headers": {"Content-Range": f"bytes 0-{len(body) - 1}/{len(body)}"}}
    for method, more in (("PUT", {}), ("PATCH", pieces)):
        with psycopg.connect(stack.pg_uri) as holder, concurrent.futures.ThreadPoolExecutor(1) as other:
            holder.execute("SELECT FROM consign.batch WHERE batch = %s FOR UPDATE", (batch,))
            sent = other.submit(client.call, method, path, body=body, **more)
            (stored,) = eventually(lambda: list((stack.dir / "inbox").glob(f"*/*/{batch}/*")), "nothing was stored")
            stored.unlink()
            holder.rollback()
            assert assert_problem(sent.result(), 503)["type"] == "/problems/storage-unavailable"
    client.put(path, body)
    client.post(f"{flows.IMPORT}/{batch}?action=COMPLETE", expect=200)
    assert flows.wait_batch(client, batch)["metrics"]["outputRecordCount"] == 1


def test_idempotency_keys_go_after_24_hours(stack, client, sweeping):
    """Nobody removed them: one row for each key that any client ever sent."""
    dataset = flows.create_dataset(client)
    jobs = [flows.start_job(client, flows.job_body(dataset), headers={"Idempotency-Key": f"{client.sandbox}-{n}"})
            for n in range(2)]
    keys = "SELECT object FROM consign.idempotency_key WHERE object = ANY(%s) ORDER BY object"
    names = [str(job["id"]) for job in jobs]
    assert len(sql(stack, keys, names)) == 2
    sql(stack, "UPDATE consign.idempotency_key SET created_ms = created_ms - 86400001 WHERE object = %s", names[0])
    eventually(lambda: sql(stack, keys, names) == [(names[1],)], "the old key is still there", SWEEP_S)


def test_a_publish_of_unknown_outcome_leaves_no_file_when_its_job_is_cancelled_then(stack, client, spooler_paused):
    """The connection goes while the transaction that publishes is under way. Given back, the job was cancelled
    on the spot and the files that had been moved to their final place stayed there for ever."""
    flows.ingest(client, flows.create_dataset(client, "profile"), [person("a@x")])
    dataset = flows.create_dataset(client)
    with psycopg.connect(stack.pg_uri) as holder, spooler_paused():
        job = flows.start_job(client, flows.job_body(dataset))
        batch = job["destination"]["batchId"]
        # job_publish writes this row first, so the publish waits for us, after the claim and the start
        holder.execute("SELECT FROM consign.batch WHERE batch = %s FOR UPDATE", (batch,))
        stack.signal_spooler(signal.SIGCONT)
        eventually(lambda: list(stack.lake.glob(f"*/*/{dataset}/{batch}/*")), "nothing was moved into place", 30)
        publishing = ("SELECT pid FROM pg_stat_activity WHERE application_name = 'consign-spooler lease'"
                      " AND wait_event_type = 'Lock'")
        eventually(lambda: sql(stack, publishing), "the publish does not wait", 30)
        sql(stack, f"SELECT pg_terminate_backend(pid) FROM ({publishing}) x")
        holder.rollback()
    client.delete(f"{JOBS}/{job['id']}")
    done = flows.wait_job(client, job["id"])
    published = [batch] if done["status"] == "SUCCEEDED" else []
    assert lake.published(stack, dataset) == published, done
