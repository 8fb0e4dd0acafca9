"""Lake and inbox that are full, refuse writes for a while or for ever, go read-only, or are slow.

For tests/fault/run; tests/integ/test_disk_trouble.py has the short cut. Each function of PARTS enters one row.
"""

import os
import random
import re
import statistics
import time

import devices
import flows
import lake
import phase
from devicestand import device_stand
from inject.fault import Fault
from ownstack import new_client
from scale import SCALE, scaled

MIB = 1 << 20
LEVELS = (0, 4096, 65536, MIB, "inodes")
CANCELS = int(os.environ.get("CONSIGN_SLOW_CANCELS", "100"))
SLOW_MS = 100        # for each write of a slow disk
CANCEL_S = 2.0       # promise 5
UPLOAD_BYTES = 96 * MIB  # longer than api.request_seconds
REFUSED_SHARE = "20%"


class Full(Fault):
    """At several levels: what is left takes a manifest but no file, a small file but no large one, ..."""

    name = "lake and inbox full"
    times = 40

    def start(self):
        level = self.random.choice(LEVELS)
        for device in self.stand.devices.values():
            device.use_inodes() if level == "inodes" else device.fill(level)
        return self.random.uniform(0.1, 1.5)

    def heal(self):
        for device in self.stand.devices.values():
            device.free()


class Refusing(Fault):
    """One of five writes to the disk fails, so that an fsync tells of it, or nobody."""

    name = "EIO from the disk of lake and inbox"
    times = 30

    def start(self):
        for disk in self.stand.disks:
            disk.switch.touch()
        return self.random.uniform(0.2, 1.5)

    def heal(self):
        for disk in self.stand.disks:
            disk.switch.unlink(missing_ok=True)


class ReadOnly(Fault):
    """The disk refuses everything until the file system gives up its journal and is read-only; then the disk is
    mended, checked and mounted again under the running service."""

    name = "lake and inbox read-only after EIO"
    times = 10

    def start(self):
        for disk in self.stand.disks:
            disk.switch.touch()
        return self.random.uniform(0.5, 2)

    def heal(self):
        for disk in self.stand.disks:
            disk.switch.unlink(missing_ok=True)
            disk.detach()
            disk.check()
            disk.attach()


def need_disks():
    reason = devices.why_no_disks()
    assert reason is None, f"no disks to break: {reason}"


def phase_of(table, makers, kind, seed):
    """A row under load. A fault that nobody has noticed proves nothing."""
    with device_stand(makers) as stand:
        found = phase.run(stand, table, kind, SCALE, seed=seed)
        noticed = len(re.findall("event=attempt_ended fault=disk|event=inbox step=",
                                 "".join((stand.dir / "log" / f"{name}.log").read_text() for name in ("spooler", "api"))))
        print(f"    noticed {noticed} times")
        assert noticed, f"{kind.name}: no attempt and no upload has noticed"
        return found


def full(table):
    reason = devices.why_no_mounts()
    assert reason is None, reason
    makers = dict.fromkeys(("lake", "inbox"), lambda place, path: devices.Tmpfs(path, 512 * MIB, inodes=65536))
    return phase_of(table, makers, Full, 72)


def refusing(table):
    need_disks()
    makers = dict.fromkeys(("lake", "inbox"), lambda place, path: devices.FailingDisk(place, path, REFUSED_SHARE, journal=False))
    return phase_of(table, makers, Refusing, 73)


def read_only(table):
    need_disks()
    makers = dict.fromkeys(("lake", "inbox"), lambda place, path: devices.FailingDisk(place, path, "100%", journal=True))
    return phase_of(table, makers, ReadOnly, 74)


def large_store(client, profiles):
    """A dataset of so many profiles of about a kilobyte that does not compress."""
    dataset = flows.create_dataset(client, "profile")
    rows = [{"identityMap": {"email": [{"id": f"p{number}@example.com"}]}, "_tenant": {"text": os.urandom(500).hex()}}
            for number in range(profiles)]
    flows.ingest(client, dataset, rows)


def bad_range(table):
    """A part of the disk refuses writes for ever. Whoever's files come to lie there fails and says why; the others
    do not notice."""
    need_disks()
    sets = {"unexpected": [], "half": [], "orphaned": []}
    ends, repetitions = [], scaled(4)
    for number in range(repetitions):
        first = (64 + 128 * number) * MIB
        makers = {"lake": lambda place, path, first=first: devices.range_disk(place, path, first, first + 128 * MIB)}
        with device_stand(makers, spooler__attempts=2) as stand:
            client = new_client(stand.stack)
            large_store(client, 4000)
            union = flows.create_dataset(client)
            for _ in range(6):
                ends.append(judge(client, stand, union, sets))
    note = f"SUCCEEDED {ends.count('SUCCEEDED')}, FAILED {ends.count('FAILED')}"
    table.row("a range of the lake's disk refuses writes", repetitions, len(ends), sets, note=note)
    return sets


def judge(client, stand, union, sets):
    """One export: whole, or failed for the disk and without a trace."""
    job = flows.wait_job(client, flows.start_job(client, flows.job_body(union))["id"])
    if job["status"] == "SUCCEEDED":
        try:
            assert len(flows.download(client, job["destination"]["batchId"])) == 4000
        except AssertionError as error:
            sets["half"].append(f"job {job['id']}: {error}")
    elif job["status"] != "FAILED" or job["errors"][0]["code"] != "0090000009" or job["destination"]["batchId"]:
        sets["unexpected"].append(f"job {job}")
    try:
        lake.wait_clean(stand.stack, 2 * stand.sweep_s + 3)
    except AssertionError as error:
        sets["orphaned"].append(str(error))
    return job["status"]


def cancel(client, stand, union, most_s):
    """Cancels an export at a random moment: (seconds to its end, None or what was wrong)."""
    job = flows.start_job(client, flows.job_body(union))
    time.sleep(random.uniform(0, most_s))
    begin = time.monotonic()
    client.delete(f"{flows.JOBS}/{job['id']}")
    shown = client.get(f"{flows.JOBS}/{job['id']}").json()
    batch = client.call("GET", f"{flows.BATCH_FILES}/{job['destination']['batchId']}/files").status_code
    if shown["status"] != "SUCCEEDED" and batch != 404:
        return 0.0, f"job {job['id']} is {shown['status']} and its files answer {batch}"
    while shown["status"] == "CANCELLING":
        if time.monotonic() - begin > 60:
            return 60.0, f"job {job['id']} is still CANCELLING"
        time.sleep(0.01)
        shown = client.get(f"{flows.JOBS}/{job['id']}").json()
    spent = time.monotonic() - begin
    left = lake.published(stand.stack, union) if shown["status"] == "CANCELLED" else []
    return spent, f"cancelled job {job['id']} left {left}" if job["destination"]["batchId"] in left else None


def slow(table, profiles=5000):
    """Cancels on a slow disk: nobody waits for it."""
    need_disks()
    sets = {"unexpected": []}
    makers = {"lake": lambda place, path: devices.slow_disk(place, path, SLOW_MS)}
    with device_stand(makers) as stand:
        client = new_client(stand.stack)
        large_store(client, profiles)
        union = flows.create_dataset(client)
        begin = time.monotonic()
        flows.wait_job(client, flows.start_job(client, flows.job_body(union))["id"])
        whole_s = time.monotonic() - begin
        times = scaled(CANCELS, 3)
        ends = [cancel(client, stand, union, whole_s) for _ in range(times)]
        sets["unexpected"] += [why for _, why in ends if why]
        spent = sorted(seconds for seconds, _ in ends)
        p99 = spent[min(len(spent) - 1, int(len(spent) * 0.99))]
        if p99 > CANCEL_S:
            sets["unexpected"].append(f"cancels took {p99:.2f} s (p99)")
        flows.wait_job(client, flows.start_job(client, flows.job_body(union))["id"])
    note = f"{statistics.median(spent):.2f} s median, {p99:.2f} s p99 of an export of {whole_s:.1f} s"
    table.row("cancel on a slow disk", times, times, sets, note=note)
    return sets


def slow_upload(table):
    """A file that takes its disk longer than a request may rest is taken all the same, and is there."""
    need_disks()
    sets = {"lost": []}
    times = scaled(3)
    with device_stand({"inbox": lambda place, path: devices.slow_disk(place, path, SLOW_MS)}) as stand:
        client = new_client(stand.stack)
        dataset = flows.create_dataset(client, "profile")
        for _ in range(times):
            batch, body = flows.open_batch(client, dataset), os.urandom(UPLOAD_BYTES)
            begin = time.monotonic()
            answer = client.call("PUT", flows.file_path(batch, dataset), body=body,
                                 headers={"Content-Type": "application/octet-stream"})
            spent = time.monotonic() - begin
            there = [path.read_bytes() for path in stand.dir.glob(f"inbox/*/*/{batch}/*")]
            if answer.status_code != 200 or there != [body]:
                sets["lost"].append(f"an upload was answered {answer.status_code} after {spent:.1f} s: {answer.text[:200]}")
    table.row("upload to a slow disk", times, 0, sets, note=f"{UPLOAD_BYTES // MIB} MiB in {spent:.1f} s")
    return sets


PARTS = (full, refusing, read_only, bad_range, slow, slow_upload)


def run(table):
    for part in PARTS:
        part(table)
