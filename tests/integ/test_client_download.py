"""consignctl export download: files side by side, cut, resumed, checked against the manifest, and never half under their name."""

import collections
import contextlib
import hashlib
import json
import os
import pty
import re
import subprocess
import time

import pytest

import flows
from ctlclient import BINARY, GAVE_UP, REFUSED, WRONG_FILE, Ctl
from httpfront import changed, cut_after, front, lost, refuse

SEGMENTS = ("one", "two", "three")
FILE = r"GET .*/export/files/[^?]*[?]path="

Exported = collections.namedtuple("Exported", "client number batch name data")


def record(number):
    member = {name: {"status": "realized", "lastQualificationTime": "2026-01-01T00:00:00Z"} for name in SEGMENTS}
    return {"identityMap": {"CRMID": [{"id": f"d-{number}", "primary": True}]}, "segmentMembership": {"ups": member},
            "person": {"name": {"firstName": hashlib.sha512(str(number).encode()).hexdigest()}}}


@pytest.fixture(scope="module")
def dataset(shared):
    flows.ingest(shared, flows.create_dataset(shared, "profile"), [record(n) for n in range(3000)])
    return flows.create_dataset(shared, fileDescription={"format": "json", "compression": "none"})


@pytest.fixture(scope="module")
def exported(shared, dataset):
    """A job of one file, of more than a megabyte."""
    job, _ = flows.export(shared, flows.job_body(dataset))
    ((entry, data),) = flows.download_parts(shared, job["destination"]["batchId"])
    assert len(data) > 1_000_000
    return Exported(shared, job["id"], job["destination"]["batchId"], entry["name"], data)


@pytest.fixture(scope="module")
def segmented(shared, dataset):
    """A job of three batches."""
    body = flows.job_body(dataset, filter={"segments": [{"segmentId": name} for name in SEGMENTS]})
    body["destination"]["segmentPerBatch"] = True
    job = flows.wait_job(shared, flows.start_job(shared, body)["id"])
    assert job["status"] == "SUCCEEDED"
    return job


@pytest.fixture
def between(exported):
    with front(exported.client.url) as made:
        yield made


@pytest.fixture
def ctl(exported, between, tmp_path):
    return Ctl(tmp_path, exported.client, between.url)


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "out"


def download(ctl, exported, folder, *options, **more):
    return ctl.run("export", "download", exported.number, "--dir", folder, *options, **more)


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def whole(exported, folder):
    """The file and the manifest are there, and nothing else."""
    assert names(folder) == ["manifest.json", exported.name]
    assert (folder / exported.name).read_bytes() == exported.data
    (entry,) = json.loads((folder / "manifest.json").read_bytes())["files"]
    assert entry["sha256"] == hashlib.sha256(exported.data).hexdigest()


def ranges(between):
    return [call.headers.get("Range") for call in between.asked(FILE)]


def test_a_whole_file_is_not_brought_again(ctl, between, exported, folder):
    told = ctl.json("export", "download", exported.number, "--dir", folder)
    assert told == {"job": exported.number, "files": [{
        "batch": exported.batch, "name": exported.name, "bytes": len(exported.data),
        "sha256": hashlib.sha256(exported.data).hexdigest(), "state": "downloaded"}]}
    whole(exported, folder)
    assert ctl.json("export", "download", exported.number, "--dir", folder)["files"][0]["state"] == "kept"
    assert len(between.asked(FILE)) == 1
    assert "1 of 1 files" in download(ctl, exported, folder).out


def test_the_current_folder_is_where_it_goes(ctl, exported, folder):
    folder.mkdir()
    ctl.run("export", "download", exported.number, cwd=folder)
    whole(exported, folder)
    assert "No such file" in download(ctl, exported, folder / "a" / "b", status=REFUSED).err


def test_a_cut_transfer_goes_on_where_it_was(ctl, between, exported, folder):
    between.on(FILE, cut_after(400_000), times=1)
    between.on(FILE + ".*", cut_after(300_000), times=1)
    done = download(ctl, exported, folder)
    whole(exported, folder)
    assert done.err.count("trying again") == 2
    assert ranges(between) == [None, "bytes=300000-", "bytes=700000-"]
    assert {call.headers["If-Range"] for call in between.asked(FILE)[1:]} == {f'"{hashlib.sha256(exported.data).hexdigest()}"'}


def test_what_a_killed_run_left_is_resumed(ctl, between, exported, folder):
    def stall(call):
        status, headers, body = call.pass_on()
        call.head(status, headers, len(body))
        call.wfile.write(body[:500_000])
        call.wfile.flush()
        time.sleep(30)
    between.on(FILE, stall, times=1)
    running = ctl.start("export", "download", exported.number, "--dir", folder)
    partial = folder / f"{exported.name}.partial"
    while not partial.exists() or partial.stat().st_size < 400_000:
        assert running.poll() is None, running.stderr.read()
        time.sleep(0.01)
    running.kill()
    running.communicate()
    there = partial.stat().st_size
    assert names(folder) == [partial.name] and exported.data.startswith(partial.read_bytes())
    told = ctl.json("export", "download", exported.number, "--dir", folder)
    assert told["files"][0]["state"] == "resumed" and ranges(between)[1] == f"bytes={there}-"
    whole(exported, folder)


def test_a_changed_byte_in_a_partial_file_is_found(ctl, between, exported, folder):
    folder.mkdir()
    partial = folder / f"{exported.name}.partial"
    data = bytearray(exported.data[:700_000])
    data[350_000] ^= 1
    partial.write_bytes(data)
    done = ctl.run("export", "download", exported.number, "--dir", folder, "--json", status=WRONG_FILE)
    assert f"consignctl: {exported.name}: its SHA-256 is not the manifest's" in done.err
    assert done.json()["files"][0]["state"] == "wrong" and names(folder) == []
    download(ctl, exported, folder)
    whole(exported, folder)
    assert ranges(between) == ["bytes=700000-", None]


@pytest.mark.parametrize("left", ["all", "more", "none"])
def test_a_partial_file_of_any_length(ctl, between, exported, folder, left):
    folder.mkdir()
    data = {"all": exported.data, "more": exported.data + b"x", "none": b""}[left]
    (folder / f"{exported.name}.partial").write_bytes(data)
    download(ctl, exported, folder)
    whole(exported, folder)
    assert ranges(between) == ([] if left == "all" else [None])


@pytest.mark.parametrize("harm", ["short", "other", "longer", "link"])
def test_a_wrong_file_under_the_right_name_is_replaced(ctl, exported, folder, harm):
    folder.mkdir()
    target = folder.parent / "elsewhere"
    target.write_bytes(exported.data)
    file = folder / exported.name
    if harm == "link":
        file.symlink_to(target)
    else:
        file.write_bytes({"short": exported.data[:-1], "other": b"x" + exported.data[1:], "longer": exported.data + b"x"}[harm])
    download(ctl, exported, folder)
    whole(exported, folder)
    assert not file.is_symlink() and target.read_bytes() == exported.data


def test_links_are_not_written_through(ctl, exported, folder):
    folder.mkdir()
    target = folder.parent / "elsewhere"
    target.write_bytes(b"mine")
    (folder / f"{exported.name}.partial").symlink_to(target)
    assert exported.name in download(ctl, exported, folder, status=REFUSED).err
    assert target.read_bytes() == b"mine"


def test_a_server_that_knows_no_ranges_sends_it_anew(ctl, between, exported, folder):
    def all_of_it(call):
        del call.headers["Range"], call.headers["If-Range"]
        call.reply(*call.pass_on())
    folder.mkdir()
    (folder / f"{exported.name}.partial").write_bytes(b"y" * 1000)
    between.on(FILE, all_of_it)
    download(ctl, exported, folder)
    whole(exported, folder)


def another_range(call):
    status, headers, body = call.pass_on()
    headers = [(name, re.sub(r"bytes \d+", "bytes 7", value) if name == "Content-Range" else value) for name, value in headers]
    call.reply(status, headers, body)


@pytest.mark.parametrize("harm", [another_range, refuse(416)], ids=["another range", "416"])
def test_another_range_than_asked_for_is_not_taken(ctl, between, exported, folder, harm):
    folder.mkdir()
    (folder / f"{exported.name}.partial").write_bytes(exported.data[:1000])
    between.on(FILE, harm, times=1)
    download(ctl, exported, folder)
    whole(exported, folder)
    assert ranges(between) == ["bytes=1000-", None]


def test_each_file_is_tried_again(ctl, between, exported, folder):
    for harm in (refuse(503, Retry_After=1), refuse(429, Retry_After=1), refuse(500), refuse(502), lost):  # the last comes first
        between.on(FILE, harm, times=1)
    began = time.monotonic()
    done = download(ctl, exported, folder)
    whole(exported, folder)
    assert done.err.count("trying again") == 5 and len(between.asked(FILE)) == 6 and time.monotonic() - began > 2


def test_a_token_that_expires_meanwhile_is_renewed(ctl, between, exported, folder):
    between.on(FILE, refuse(401), times=1)
    download(ctl, exported, folder)
    whole(exported, folder)
    assert len(between.asked("token")) == 2
    between.on(FILE, refuse(401))
    (folder / exported.name).unlink()
    assert "status 401" in download(ctl, exported, folder, status=REFUSED).err
    assert len(between.asked("token")) == 4


def test_what_is_refused_ends_it(ctl, between, exported, folder):
    between.on(FILE, refuse(410))
    done = download(ctl, exported, folder, status=REFUSED)
    assert f"{exported.name}: status 410: Front: of the test; request front-1" in done.err


def test_it_gives_up_in_time_and_goes_on_later(ctl, between, exported, folder):
    between.on(FILE, cut_after(1000))
    done = download(ctl, exported, folder, "--timeout", 2, status=GAVE_UP, seconds=30)
    assert exported.name in done.err and names(folder) == [f"{exported.name}.partial"]
    between.on(FILE, lambda call: call.reply(*call.pass_on()))
    download(ctl, exported, folder)
    whole(exported, folder)


@pytest.mark.parametrize("change, said", [
    (lambda body: body + b"x", "longer than the manifest says"),
    (lambda body: body[:-1], "ends before the manifest says"),
    (lambda body: b"x" + body[1:], "SHA-256 is not the manifest's"),
], ids=["longer", "shorter", "other"])
def test_a_file_that_is_not_the_manifests(ctl, between, exported, folder, change, said):
    between.on(FILE, changed(change))
    done = download(ctl, exported, folder, status=WRONG_FILE)
    assert exported.name in done.err and said in done.err and names(folder) == []
    assert done.out.startswith("0 of 1 files")


def test_several_batches_have_folders_of_their_own(ctl, between, exported, segmented, folder):
    told = ctl.json("export", "download", segmented["id"], "--dir", folder)
    batches = [entry["batchId"] for entry in segmented["destination"]["batches"]]
    assert names(folder) == sorted(batches) and [file["batch"] for file in told["files"]] == batches
    for batch in batches:
        ((entry, data),) = flows.download_parts(exported.client, batch)
        assert names(folder / batch) == ["manifest.json", entry["name"]]
        assert (folder / batch / entry["name"]).read_bytes() == data


@pytest.mark.parametrize("parallel", [1, 2, 3])
def test_so_many_files_at_a_time(ctl, between, segmented, folder, parallel):
    now, most = [], []

    def slowly(call):
        now.append(call)
        most.append(len(now))
        answer = call.pass_on()
        time.sleep(0.6)
        now.remove(call)
        call.reply(*answer)
    between.on(FILE, slowly)
    ctl.run("export", "download", segmented["id"], "--dir", folder, "--parallel", parallel)
    assert max(most) == parallel


def test_one_wrong_file_does_not_keep_the_others(ctl, between, segmented, folder):
    between.on(FILE, changed(lambda body: b"x" + body[1:]), times=1)
    told = ctl.json("export", "download", segmented["id"], "--dir", folder, "--parallel", 1, status=WRONG_FILE)
    assert [file["state"] for file in told["files"]] == ["wrong", "downloaded", "downloaded"]
    assert [(folder / file["batch"] / "manifest.json").exists() for file in told["files"]] == [False, True, True]


def test_two_downloads_into_one_folder_are_one_too_many(ctl, between, exported, folder):
    between.on(FILE, lambda call: (time.sleep(2), call.reply(*call.pass_on())))
    running = ctl.start("export", "download", exported.number, "--dir", folder)
    while not between.asked(FILE):
        time.sleep(0.01)
    assert "another download" in download(ctl, exported, folder, status=REFUSED).err
    assert running.wait(30) == 0
    running.communicate()
    whole(exported, folder)


def test_a_file_that_may_not_grow_is_said_and_goes_on_later(ctl, between, exported, folder):
    limited = ["bash", "-c", "trap '' XFSZ; ulimit -f 300; exec \"$@\"", "bash", BINARY, "export", "download",
               str(exported.number), "--dir", folder]
    done = subprocess.run(limited, env=ctl.environment(), capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == REFUSED and f"{exported.name}: File too large" in done.stderr
    assert (folder / f"{exported.name}.partial").stat().st_size == 300 * 1024
    download(ctl, exported, folder)
    whole(exported, folder)
    assert ranges(between) == [None, f"bytes={300 * 1024}-"]


def test_a_terminal_sees_a_bar(ctl, exported, folder):
    terminal, theirs = pty.openpty()
    running = subprocess.Popen([str(BINARY), "export", "download", str(exported.number), "--dir", str(folder)],
                               env=ctl.environment(), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=theirs)
    os.close(theirs)
    shown = b""
    with contextlib.suppress(OSError):  # the other end is closed
        while piece := os.read(terminal, 1024):
            shown += piece
    os.close(terminal)
    assert b"1 of 1 files" in running.communicate()[0] and running.returncode == 0
    assert b"\r[" in shown and b"0 of 1 files" in shown and shown.endswith(b"\r\033[K")
    whole(exported, folder)
