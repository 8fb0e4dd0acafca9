"""Lake and inbox that are full, refuse writes for a while or for ever, go read-only, or are slow.

For tests/fault/run; tests/integ/test_disk_trouble.py has the short cut. Each function of PARTS enters one row.
"""

import os
import re
import subprocess
import time

import devices
import flows
import lake
import phase
from cancels import Cancels
from devicestand import device_stand
from inject.fault import Fault
from ownstack import new_client
from scale import SCALE, scaled

MIB = 1 << 20
LEVELS = (0, 4096, 65536, MIB, "inodes")
CANCELS = int(os.environ.get("CONSIGN_SLOW_CANCELS", "100"))
SLOW_MS = 100        # for each write of a slow disk
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

    def restore(self):
        self.stand.remount()


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
        noticed = notices(stand)
        print(f"    noticed {noticed} times")
        assert noticed, f"{kind.name}: no attempt and no upload has noticed"
        return found


def notices(stand):
    """How many attempts and uploads the storage has failed."""
    return len(re.findall("event=attempt_ended fault=disk|event=inbox step=",
                          "".join((stand.dir / "log" / f"{name}.log").read_text() for name in ("spooler", "api"))))


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


def large_rows(profiles):
    """So many profiles of about a kilobyte that does not compress."""
    return [{"identityMap": {"email": [{"id": f"p{number}@example.com"}]}, "_tenant": {"text": os.urandom(500).hex()}}
            for number in range(profiles)]


def bad_range(table):
    """A part of the disk refuses writes for ever. Whoever's files come to lie there fails and says why; the others
    do not notice."""
    need_disks()
    sets = {"unexpected": [], "half": [], "orphaned": []}
    ends, noticed, repetitions = [], 0, scaled(4)
    for number in range(repetitions):
        first = (64 + 128 * number) * MIB
        makers = {"lake": lambda place, path, first=first: devices.range_disk(place, path, first, first + 128 * MIB)}
        with device_stand(makers, spooler__attempts=2) as stand:
            client = new_client(stand.stack)
            flows.ingest(client, flows.create_dataset(client, "profile"), large_rows(4000))
            union = flows.create_dataset(client)
            jobs = [judge(client, stand, union, sets) for _ in range(6)]
            stand.remount()
            for job in jobs:
                whole(client, job, sets)
            ends += [job["status"] for job in jobs]
            noticed += notices(stand)
    note = f"SUCCEEDED {ends.count('SUCCEEDED')}, FAILED {ends.count('FAILED')}, noticed {noticed} times"
    if not noticed:
        sets["unexpected"].append("no attempt has noticed")
    table.row("a range of the lake's disk refuses writes", repetitions, len(ends), sets, note=note)
    return sets


def judge(client, stand, union, sets):
    """One export: it SUCCEEDED, or failed for the disk and without a trace."""
    job = flows.wait_job(client, flows.start_job(client, flows.job_body(union))["id"])
    if job["status"] != "SUCCEEDED" and (
            job["status"] != "FAILED" or job["errors"][0]["code"] != "0090000009" or job["destination"]["batchId"]):
        sets["unexpected"].append(f"job {job}")
    try:
        lake.wait_clean(stand.stack, 2 * stand.sweep_s + 3)
    except AssertionError as error:
        sets["orphaned"].append(str(error))
    return job


def whole(client, job, sets):
    if job["status"] == "SUCCEEDED":
        try:
            assert len(flows.download(client, job["destination"]["batchId"])) == 4000
        except (AssertionError, subprocess.CalledProcessError, ValueError) as error:
            sets["half"].append(f"job {job['id']}: {error}")


def slow(table, profiles=5000):
    """Cancels on a slow disk: nobody waits for it."""
    need_disks()
    makers = {"lake": lambda place, path: devices.slow_disk(place, path, SLOW_MS)}
    with device_stand(makers) as stand:
        client = new_client(stand.stack)
        cancels = Cancels(client, large_rows(profiles), 75, clients=2).run(scaled(CANCELS, 3))
        flows.export_all(client)
    cancels.enter(table, "cancelled on a slow disk")
    return cancels.outcome.sets


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
