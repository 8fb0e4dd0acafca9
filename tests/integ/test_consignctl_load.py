"""consignctl load: files of the operator's machine into a dataset, again after an interrupt, with what was refused."""

import gzip
import json
import subprocess
import time

import flows
import streams

RECORDS = 400


def record(number, kind="load"):
    return {"identityMap": {"CRMID": [{"id": f"{kind}-{number}", "primary": True}]},
            "person": {"name": {"firstName": "Zoë" * 20}}, "_tenant": {"n": number}}


def load(stack, dataset, *files, options=(), seconds=60):
    """Runs it; (exit status, stdout, stderr)."""
    done = subprocess.run(command(stack, dataset, *files, options=options), capture_output=True, text=True,
                          timeout=seconds, check=False)
    return done.returncode, done.stdout, done.stderr


def command(stack, dataset, *files, options=()):
    return [str(stack.dir / "bin" / "consignctl"), "--config", str(stack.dir / "consign.conf"), "load",
            "--dataset", dataset, *options, *map(str, files)]


def batches(client, dataset):
    """Of the dataset: {batch id: its object}."""
    return client.get(f"{flows.CATALOG}/batches", params={"dataSet": dataset, "limit": 100}).json()


def stored(client):
    """The numbers of the records that an export of the sandbox finds."""
    _, rows = flows.export(client, flows.job_body(flows.create_dataset(client)))
    return sorted(row["_tenant"]["n"] for row in rows)


def test_a_file_is_cut_at_lines_and_loaded_once(client, stack, tmp_path):
    dataset = flows.create_dataset(client, "profile")
    file = tmp_path / "all.json"
    file.write_bytes(flows.ndjson([record(n) for n in range(RECORDS)]))
    cut = ("--batch-bytes", str(file.stat().st_size // 5))
    status, told, progress = load(stack, dataset, file, options=cut)
    assert status == 0, progress
    assert f"{RECORDS} records loaded, 0 refused, 0 batches failed" in told
    made = batches(client, dataset)
    assert len(made) == 5 and {b["status"] for b in made.values()} == {"success"}
    assert {b["createdClient"] for b in made.values()} == {"consignctl"}
    assert progress.count("\n") == 5 and "MB/s" in progress
    assert stored(client) == list(range(RECORDS))

    status, told, progress = load(stack, dataset, file, options=cut)
    assert status == 0 and progress.count("already loaded") == 5
    assert f"{RECORDS} records loaded" in told
    assert batches(client, dataset).keys() == made.keys()

    status, _, _ = load(stack, dataset, file, options=(*cut, "--again", "2"))
    assert status == 0 and len(batches(client, dataset)) == 10


def test_it_goes_on_where_it_was_killed(client, stack, tmp_path):
    dataset = flows.create_dataset(client, "profile")
    file = tmp_path / "all.json"
    file.write_bytes(flows.ndjson([record(n) for n in range(RECORDS)]))
    options = ("--batch-bytes", str(file.stat().st_size // 8))
    kills = 0
    for wait_ms in range(10, 2000, 15):
        running = subprocess.Popen(command(stack, dataset, file, options=options), stdout=subprocess.PIPE,
                                   stderr=subprocess.DEVNULL, text=True)
        try:
            running.wait(wait_ms / 1000)
        except subprocess.TimeoutExpired:
            running.kill()
            running.wait()
            kills += 1
            continue
        finally:
            told = running.stdout.read()
            running.stdout.close()
        break
    assert kills > 0 and running.returncode == 0
    assert f"{RECORDS} records loaded, 0 refused" in told
    made = batches(client, dataset)
    assert len(made) == 8 and {b["status"] for b in made.values()} == {"success"}
    assert stored(client) == list(range(RECORDS))


def test_what_a_killed_run_left_as_its_own_is_given_away(client, stack, tmp_path):
    """Killed between making a directory and giving it to the services: nobody else could read or write below it."""
    org, sandbox = streams.Sandbox(client).tenant
    (stack.dir / "inbox" / str(org)).mkdir(exist_ok=True)
    left = stack.dir / "inbox" / str(org) / str(sandbox)
    left.mkdir(mode=0o750)
    dataset = flows.create_dataset(client, "profile")
    file = tmp_path / "all.json"
    file.write_bytes(flows.ndjson([record(n) for n in range(20)]))
    status, told, progress = load(stack, dataset, file)
    assert status == 0 and "20 records loaded, 0 refused" in told, progress
    assert left.stat().st_uid == (stack.dir / "inbox").stat().st_uid
    flows.ingest(client, dataset, [record(20)])


def test_refused_records_are_shown_with_place_and_reason(client, stack, tmp_path):
    dataset = flows.create_dataset(client, "profile")
    file = tmp_path / "some.json"
    file.write_bytes(flows.ndjson([record(0)]) + b'{"person":{}}\n' + b"nope\n" * 20 + flows.ndjson([record(1)]))
    status, told, _ = load(stack, dataset, file)
    assert status == 3
    assert "2 records loaded, 21 refused, 0 batches failed" in told
    shown = [line for line in told.splitlines() if line.startswith("  some.json line ")]
    assert len(shown) == 10 and shown[0].startswith("  some.json line 2 ")
    assert ": json: " in shown[1]


def test_an_array_is_one_batch_and_a_broken_one_can_be_mended(client, stack, tmp_path):
    dataset = flows.create_dataset(client, "profile")
    good, bad = tmp_path / "good.json", tmp_path / "bad.json"
    good.write_text(" \n" + json.dumps([record(n) for n in range(50)]), encoding="utf-8")
    bad.write_text(json.dumps([record(n) for n in range(50, 60)])[:-1], encoding="utf-8")
    status, told, progress = load(stack, dataset, bad, good, options=("--batch-bytes", "500"))
    assert status == 1 and "50 records loaded" in told and "1 batches failed" in told
    assert "failed" in progress and "bad.json" in progress
    status, _, _ = load(stack, dataset, bad)  # the same bytes get a batch of their own again
    assert status == 1
    assert sorted(b["status"] for b in batches(client, dataset).values()) == ["failed", "failed", "success"]


def test_compressed_files(client, stack, tmp_path):
    dataset = flows.create_dataset(client, "profile")
    file = tmp_path / "all.json.gz"
    file.write_bytes(gzip.compress(flows.ndjson([record(n) for n in range(20)])))
    status, told, progress = load(stack, dataset, file, options=("--encoding", "gzip", "--batch-bytes", "100"))
    assert status == 0, progress
    assert "20 records loaded" in told and len(batches(client, dataset)) == 1


def test_what_cannot_be_loaded_is_said_at_once(client, stack, tmp_path):
    file = tmp_path / "all.json"
    file.write_bytes(flows.ndjson([record(0)]))
    dataset = flows.create_dataset(client, "profile")
    began = time.monotonic()
    for target, files, options, wanted, said in (
            (flows.NO_SUCH_DATASET, [file], (), 1, "no such dataset"),
            (flows.create_dataset(client), [file], (), 1, "is exported into"),
            (dataset, [tmp_path / "none"], (), 1, "cannot read"),
            (dataset, [tmp_path], (), 1, "is no file"),
            (dataset, [file], ("--format", "xml"), 2, "--format: xml is not known"),
            (dataset, [file], ("--encoding", "br"), 2, "--encoding: br is not known"),
            (dataset, [file], ("--batch-bytes", "-1"), 2, "--batch-bytes"),
            (dataset, [file], ("--batch-bytes", "12x"), 2, "--batch-bytes"),
            (dataset, [file], ("--fromat", "csv"), 2, "no such option: --fromat"),
            (dataset, [], (), 2, "FILE is missing")):
        status, told, reason = load(stack, target, *files, options=options)
        assert status == wanted and said in reason and told == "", reason
    assert time.monotonic() - began < 10
    assert batches(client, dataset) == {}
