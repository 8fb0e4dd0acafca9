"""No worker of the spooler takes more than 64 MiB, however large one profile or how many files at once; a worker of the
pool that gets no more says so.

On a stack of its own with default settings, so that the peak of each process is this file's.
"""

import json
import os
import pathlib
import signal
import sys
import time

import pytest

import flows
import ownstack
from flows import JOBS
from oracle import Policy
from shapes import assert_problem
from stack import process_tree
from test_hardening import sanitized
from test_oracle_selection import event, ident, member
from twin import Twin

sys.path.append(str(pathlib.Path(__file__).resolve().parents[1] / "fault"))
from inject import limits  # noqa: E402

pytestmark = pytest.mark.slow

MOST_KB = 64 * 1024
FORMS = ("json", "parquet")


@pytest.fixture(scope="module")
def stack():
    with ownstack.own_stack() as own:
        made = own.start()
        if sanitized(made):
            pytest.skip("a sanitizer build takes more")
        yield made


@pytest.fixture
def twin(stack):
    """Workers that have done nothing yet, and a sandbox that nobody used."""
    supervisor, *before = spooler(stack)
    os.kill(supervisor, signal.SIGHUP)  # replaces them one for one
    deadline = time.monotonic() + 20
    while set(before) & set(spooler(stack)) or len(spooler(stack)) <= len(before):
        assert time.monotonic() < deadline, "the workers are not replaced"
        time.sleep(0.02)
    return Twin(ownstack.new_client(stack))


def spooler(stack):
    """Its supervisor, then its workers."""
    return process_tree(int((stack.dir / "pids" / "spooler").read_text().split()[0]))


def peaks_kb(stack):
    """The peak of resident memory of each worker since its start."""
    found = {}
    for pid in spooler(stack)[1:]:
        status = pathlib.Path(f"/proc/{pid}/status").read_text()
        found[pid] = int(status.split("VmHWM:")[1].split()[0])
    assert found
    return found


def assert_small(stack, what):
    peaks = peaks_kb(stack)
    assert max(peaks.values()) <= MOST_KB, f"{what}: {peaks} KiB"


def test_a_person_with_20000_events(stack, twin):
    twin.records("crm", [ident("E:a", v=1), ident("E:b", v=2)])
    for part in range(2):
        twin.events("web", [event(f"{part}-{n:05}", f"{n % 60:02}", "E:a", page="p" * (n % 1000), nested={"n": n, "tags": ["a"] * (n % 20)})
                            for n in range(10_000)])
    assert_small(stack, "loading events")
    for form in FORMS:
        twin.check({"additionalFields": {"eventList": {}}}, form=form)
        assert_small(stack, f"exporting events as {form}")


def test_persons_of_several_mib_under_pdg(stack, twin):
    """200 persons, a few fragments of a MiB together for most and some of 6 MiB: all merged at once a person."""
    def large(person, part, size):
        return ident(f"E:{person}-{part}", f"C:{person}", **{f"m{part}": {"text": "t" * size, "list": list(range(50))}})

    for first in range(0, 200, 50):
        twin.records("crm", [large(person, part, 960_000 if person % 50 == 0 else 40_000)
                             for person in range(first, first + 50) for part in range(6)])
    assert_small(stack, "loading")
    policy = flows.create_policy(twin.client, "pdg")["id"]
    for form in FORMS:
        _, wanted = twin.check({"mergePolicy": {"id": policy}}, Policy("pdg"), form=form)
        assert wanted.profiles == 200
        assert_small(stack, f"exporting as {form}")


@pytest.mark.long
@pytest.mark.parametrize("form", FORMS)
def test_fifty_segments_each_with_its_batch(stack, twin, form):
    """Sixty are refused; fifty are fifty files open at once."""
    names = [f"s{n}" for n in range(60)]
    twin.records("crm", [ident(f"E:{n}", text=f"{n}" * 100, **member(*(f"ups/{name}=realized" for name in names if (n + int(name[1:])) % 3)))
                         for n in range(300)])
    body = {"destination": {"segmentPerBatch": True}, "filter": {"segments": [{"segmentId": name} for name in names[:50]]}}
    job, wanted = twin.check(body, form=form)
    assert len(job["destination"]["batches"]) == 50 and wanted.profiles == 300
    assert_small(stack, "fifty batches")
    body["filter"]["segments"] = [{"segmentId": name} for name in names]
    target = flows.create_dataset(twin.client)
    refused = {**flows.job_body(target), **body, "destination": {**body["destination"], "datasetId": target}}
    assert_problem(twin.client.call("POST", JOBS, json=refused), 400, "/filter/segments")


def test_fifty_segments_of_very_many_columns(stack, twin):
    """Fifty files open at once, each with as many columns as there may be."""
    names = [f"s{n}" for n in range(50)]
    inside = member(*(f"ups/{name}=realized" for name in names))
    for first in range(0, 120, 60):
        twin.records("crm", [ident(f"E:{n}", o={f"c{k}": f"{n * k}" for k in range(480)}, p={f"c{k}": n * k for k in range(480)}, **inside)
                             for n in range(first, first + 60)])
    job = twin.export({"destination": {"segmentPerBatch": True}, "filter": {"segments": [{"segmentId": name} for name in names]}}, "parquet")
    assert job["metrics"]["totalExportedProfileCounter"] == 120
    assert_small(stack, "fifty batches of 960 columns")


def test_a_record_above_the_limit_is_refused_with_its_size_as_the_reason(stack, twin):
    """50 MB in one fragment: nothing that an export could meet."""
    dataset = twin.dataset("crm")
    body = json.dumps(ident("E:big", text="x" * 50_000_000)).encode() + b"\n" + json.dumps(ident("E:a", v=1)).encode()
    batch = flows.ingest(twin.client, dataset, body)
    assert (batch["metrics"]["failedRecordCount"], batch["metrics"]["outputRecordCount"]) == (1, 1)
    failed = twin.client.get(f"{flows.BATCH_FILES}/{batch['id']}/failed").json()["data"]
    assert [entry["code"] for entry in failed] == ["size"]
    twin.store.ingest_records("crm", [ident("E:a", v=1)], 0)
    twin.check({})
    assert_small(stack, "a record of 50 MB")


def test_a_pool_worker_that_gets_no_memory_is_503_and_works_again_afterwards(stack):
    """It was 500, which tells clients that trying again is no use."""
    client, answers = ownstack.new_client(stack), []
    dataset = flows.create_dataset(client)
    for number in range(30):
        flows.start_job(client, flows.job_body(dataset, fields=f"{number:060000}"))
    root = int((stack.dir / "pids" / "api").read_text())
    for spare in (0, 1 << 18, 1 << 20, 2 << 20, 3 << 20, 4 << 20, 6 << 20, 8 << 20):
        workers = process_tree(root)[1:]
        for pid in workers:
            size = int(pathlib.Path(f"/proc/{pid}/statm").read_text().split()[0]) * limits.PAGE
            limits.set_limit(pid, "as", size + spare)
        answers += [client.call("GET", f"{JOBS}?limit=100") for _ in workers]
    for pid in process_tree(root)[1:]:
        limits.set_limit(pid, "as", "unlimited")
    refused = [assert_problem(answer, 503) for answer in answers if answer.status_code != 200]
    assert refused and client.get(f"{JOBS}?limit=100").json()["records"]
