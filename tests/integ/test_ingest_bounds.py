"""What is uploaded, however wide or large, costs a worker bounded memory, when it is loaded and after."""

import pathlib

import flows
from flows import BATCH_FILES, ndjson

MIB = 1 << 20


def workers(stack):
    """The spooler's workers that are there: its processes but the supervisor."""
    return [pathlib.Path(f"/proc/{pid}") for pid in stack.spooler_pids()[1:]]


def memory(process, what):
    """VmRSS or VmHWM of a process in bytes."""
    for line in (process / "status").read_text().splitlines():
        if line.startswith(what + ":"):
            return int(line.split()[1]) * 1024
    raise AssertionError(f"{process} has no {what}")


def test_a_record_of_50_mb_is_refused_and_costs_no_memory(stack, client):
    dataset = flows.create_dataset(client, "profile")
    good = [{"identityMap": {"E": [{"id": f"good{n}"}]}, "n": n} for n in range(3)]
    large = b'{"identityMap":{"E":[{"id":"large"}]},"list":[' + b'{"a":"b"},' * (5 * MIB) + b"0]}\n"
    assert len(large) > 50_000_000
    processes = workers(stack)
    for process in processes:
        (process / "clear_refs").write_text("5")  # the peak counts anew
    before = {process: memory(process, "VmRSS") for process in processes}
    batch = flows.ingest(client, dataset, ndjson(good[:2]) + large + ndjson(good[2:]))
    metrics = batch["metrics"]
    assert (metrics["inputRecordCount"], metrics["outputRecordCount"], metrics["failedRecordCount"]) == (4, 3, 1)
    (refused,) = client.get(f"{BATCH_FILES}/{batch['id']}/failed").json()["data"]
    assert refused["code"] == "size" and refused["line"] == 3 and "1048576 bytes" in refused["reason"]
    assert refused["record"].startswith('{"identityMap"') and len(refused["record"]) <= 1024
    assert processes == workers(stack), "a worker ended"
    for process in processes:
        sanitized = "libasan" in (process / "maps").read_text()
        peak = memory(process, "VmHWM")
        assert peak - before[process] < 16 * MIB, f"grew by {(peak - before[process]) / MIB:.1f} MiB"
        assert sanitized or peak < 64 * MIB, f"{peak / MIB:.1f} MiB"


def test_a_record_with_the_most_and_longest_identities_is_taken(client):
    dataset = flows.create_dataset(client, "profile")
    entries = [{"id": f"{n:04}" + "x" * 1020} for n in range(1000)]
    entries[0]["primary"] = True
    widest = {"identityMap": {"N" * 255: entries}}  # its namespace counts for each identity
    batch = flows.ingest(client, dataset, [widest, {"identityMap": {"E": [{"id": "other"}]}}])
    metrics = batch["metrics"]
    assert (metrics["outputRecordCount"], metrics["failedRecordCount"]) == (2, 0)


def test_datasets_of_very_many_long_names_cost_an_export_no_memory(stack, client):
    """Each has an observed schema of 7 MB; the columns of an export are made from all of them."""
    names = [f"{n:03}" + "\x01" * 252 for n in range(499)]
    widest = [{"identityMap": {"E": [{"id": "wide"}]}, f"o{n}": dict.fromkeys(names, 1)} for n in range(10)]
    for _ in range(12):
        flows.ingest(client, flows.create_dataset(client, "profile"), widest)
    processes = workers(stack)
    for process in processes:
        (process / "clear_refs").write_text("5")
    dataset = flows.create_dataset(client, fileDescription={"format": "parquet"})
    job = flows.wait_job(client, flows.start_job(client, flows.job_body(dataset))["id"])
    assert job["status"] == "SUCCEEDED", job
    assert processes == workers(stack), "a worker ended"
    for process in processes:
        sanitized = "libasan" in (process / "maps").read_text()
        peak = memory(process, "VmHWM")
        assert sanitized or peak < 64 * MIB, f"{peak / MIB:.1f} MiB"
