"""consignctl as a client: every command against the stack, what is refused, and the exit status of each way to end."""

import json
import os
import re
import signal
import subprocess

import pytest

import flows
from ctlclient import BINARY, GAVE_UP, JOB, OK, REFUSED, USAGE, Ctl
from httpfront import front, lost, refuse
from ownstack import free_port
from stack import REPO


@pytest.fixture
def ctl(client, tmp_path):
    return Ctl(tmp_path, client)


@pytest.fixture
def dataset(client):
    return flows.create_dataset(client)


def record(number):
    return {"identityMap": {"CRMID": [{"id": f"c-{number}", "primary": True}]},
            "personalEmail": {"address": f"{number}@example.com"}}


def commands():
    listed = subprocess.run([str(BINARY), "--commands"], capture_output=True, text=True, check=True).stdout
    return [line.split(" --")[0].removesuffix(" ID").split() for line in listed.splitlines()]


@pytest.mark.parametrize("command", commands(), ids=" ".join)
def test_each_command_tells_its_options(ctl, command):
    done = ctl.run(*command, "--help")
    assert done.out.startswith("usage: consignctl " + " ".join(command)) and "--timeout SECONDS" in done.out
    assert done.err == "" and max(map(len, done.out.splitlines())) <= 130


def test_help_names_the_commands_of_both_sides(ctl):
    told = ctl.run("--help").out
    assert told.startswith("usage:") and "migrate --sql DIR" in told and "export download  ID" in told
    assert ctl.run("nonsense", status=USAGE).err == told == ctl.run(status=USAGE).err


def test_datasets(ctl, client):
    first = ctl.run("datasets", "create", "--name", "First").out.strip()
    second = ctl.json("datasets", "create", "--name", "Second", "--format", "json", "--compression", "none")["id"]
    about = ctl.json("datasets", "get", first)
    assert about["id"] == first and about["name"] == "First" and about["schemaRef"]["id"] == flows.SCHEMAS["union"]
    assert about["fileDescription"]["format"] == "parquet"
    assert ctl.json("datasets", "get", second)["fileDescription"] == {
        "persisted": True, "containerFormat": "json", "format": "json", "compression": "none"}
    assert [entry["id"] for entry in ctl.json("datasets", "list")] == [second, first]
    assert [entry["id"] for entry in ctl.json("datasets", "--limit", 1)] == [second]
    header, *lines = ctl.run("datasets").out.splitlines()
    assert header.split("\t") == ["id", "name", "schema", "format", "compression"]
    assert lines[1].split("\t") == [first, "First", "profile__union", "parquet", "zstd"]
    assert ctl.run("datasets", "get", first).out.splitlines() == [header, lines[1]]
    assert ctl.json("datasets", "get", first) == {"id": first, **client.get(f"{flows.CATALOG}/dataSets/{first}").json()[first]}


def test_datasets_are_listed_over_pages(ctl, client):
    made = [flows.create_dataset(client, name=f"d{n}") for n in range(103)]
    assert [entry["id"] for entry in ctl.json("datasets", "list", "--limit", 1000)] == made[::-1]
    assert [entry["id"] for entry in ctl.json("datasets", "list", "--limit", 102)] == made[:0:-1]
    assert len(ctl.json("datasets", "list")) == 100


def test_an_export_from_beginning_to_end(ctl, client, dataset):
    flows.ingest(client, flows.create_dataset(client, "profile"), [record(n) for n in range(20)])
    number = ctl.run("export", "create", "--dataset", dataset, "--fields", "personalEmail.address").out.strip()
    assert client.get(f"{flows.JOBS}/{number}").json()["fields"] == "personalEmail.address"
    done = ctl.run("export", "wait", number)
    header, line = done.out.splitlines()
    assert header.split("\t") == ["id", "status", "profiles", "events", "dataset", "batch", "created"]
    assert line.split("\t")[:5] == [number, "SUCCEEDED", "20", "0", dataset]
    assert f"job {number} " in done.err or done.err == ""
    job = client.get(f"{flows.JOBS}/{number}").json()
    assert ctl.json("export", "get", number) == job == ctl.json("export", "wait", number)
    assert ctl.run("export", "get", number).out == done.out
    assert ctl.json("export", "list") == [job] and ctl.run("export", "list").out == done.out
    told = ctl.run("export", "download", number, "--dir", ctl.home / "out")
    assert re.match(r"1 of 1 files, \d+ bytes", told.out)
    (part,) = (ctl.home / "out").glob("part-*")
    rows = flows.unpack(part.name, part.read_bytes()).splitlines()
    assert sorted(json.loads(row)["personalEmail"]["address"] for row in rows) == sorted(f"{n}@example.com" for n in range(20))
    assert ctl.run("export", "cancel", number).out == ""  # it has ended, nothing changes
    assert ctl.json("export", "cancel", number) == {"id": int(number)}
    assert ctl.json("export", "get", number)["status"] == "SUCCEEDED"


def test_create_waits_when_told_to(ctl, client, dataset):
    flows.ingest(client, flows.create_dataset(client, "profile"), [record(n) for n in range(5)])
    job = ctl.json("export", "create", "--dataset", dataset, "--wait")
    assert job["status"] == "SUCCEEDED" and job["metrics"]["totalExportedProfileCounter"] == 5
    assert ctl.run("export", "create", "--dataset", dataset, "--wait").out.strip().isdigit()


def test_the_options_of_create(ctl, client, dataset):
    number = ctl.run("export", "create", "--dataset", dataset, "--segment", "one", "--segment=two", "--segment-per-batch",
                     "--from", "2026-01-02T03:04:05Z", "--events", "--merge-policy", "timestampOrdered-none-mp").out.strip()
    job = client.get(f"{flows.JOBS}/{number}").json()
    assert [entry["segmentId"] for entry in job["filter"]["segments"]] == ["one", "two"]
    assert job["filter"]["fromIngestTimestamp"] == "2026-01-02T03:04:05Z"
    assert job["additionalFields"] == {"eventList": {}} and job["destination"]["segmentPerBatch"] is True
    assert job["mergePolicy"]["id"] == "timestampOrdered-none-mp"
    body = ctl.home / "body.json"
    body.write_text(json.dumps({"destination": {"datasetId": dataset}, "filter": {"emptyProfiles": True}, "fields": "a"}))
    job = ctl.json("export", "create", "--body", body, "--fields", "personalEmail", "--from", "2026-01-02T03:04:05Z")
    assert job["filter"] == {"emptyProfiles": True, "fromIngestTimestamp": "2026-01-02T03:04:05Z"}
    assert job["fields"] == "personalEmail" and job["destination"]["datasetId"] == dataset


def test_jobs_are_listed_over_pages(ctl, client, dataset, spooler_paused):
    with spooler_paused():
        made = [flows.start_job(client, flows.job_body(dataset))["id"] for _ in range(7)]
        client.delete(f"{flows.JOBS}/{made[0]}")
        with front(client.url) as shorter:
            # the first page of three; those after it as link.next says
            shorter.on("GET /data/core/ups/export/jobs[?]limit=100",
                       lambda call: call.reply(*call.pass_on(call.path.replace("limit=100", "limit=3"))))
            paged = Ctl(ctl.home, client, shorter.url)
            assert [job["id"] for job in paged.json("export", "list")] == made[::-1]
            assert len(shorter.asked("export/jobs")) == 3
            live = [job["id"] for job in paged.json("export", "list", "--status", "NEW")]
            assert live == made[:0:-1]
        assert [job["id"] for job in ctl.json("export", "list", "--limit", 2)] == made[:-3:-1]
        assert ctl.json("export", "list", "--status", "SUCCEEDED") == []
        for job in made[1:]:
            client.delete(f"{flows.JOBS}/{job}")


def test_a_cancelled_job_is_status_3(ctl, client, dataset, spooler_paused):
    with spooler_paused():
        number = ctl.run("export", "create", "--dataset", dataset).out.strip()
        waiting = ctl.start("export", "wait", number)
        ctl.run("export", "cancel", number)
        assert client.get(f"{flows.JOBS}/{number}").json()["status"] in ("CANCELLING", "CANCELLED")
    out, err = waiting.communicate(timeout=60)
    assert waiting.returncode == JOB and "CANCELLED" in out and f"job {number} is CANCELLED" in err
    assert ctl.json("export", "wait", number, status=JOB)["status"] == "CANCELLED"
    done = ctl.run("export", "download", number, "--dir", ctl.home / "none", status=JOB)
    assert "CANCELLED" in done.err and not (ctl.home / "none").exists()
    assert ctl.run("export", "get", number).status == OK


def test_a_job_that_has_not_ended_is_not_downloaded(ctl, client, dataset, spooler_paused):
    with spooler_paused():
        number = ctl.run("export", "create", "--dataset", dataset).out.strip()
        assert "export wait" in ctl.run("export", "download", number, status=REFUSED).err
        done = ctl.run("export", "wait", number, "--timeout", 2, status=GAVE_UP, seconds=30)
        assert f"job {number} is still" in done.err and done.out == ""
        client.delete(f"{flows.JOBS}/{number}")


def test_refusals_say_what_the_service_said(ctl):
    done = ctl.run("export", "create", "--dataset", flows.NO_SUCH_DATASET, status=REFUSED)
    (line,) = done.err.splitlines()
    assert done.out == "" and line.startswith("consignctl: POST /data/core/ups/export/jobs: status 400: ")
    for said in ("The request breaks a rule: ", "must be the id of a dataset", "pointer /destination/datasetId", "; request "):
        assert said in line
    assert "status 404" in ctl.run("export", "get", 7, status=REFUSED).err
    assert "status 404" in ctl.run("datasets", "get", flows.NO_SUCH_DATASET, status=REFUSED).err
    assert "status 400" in ctl.run("export", "list", "--status", "DONE", status=REFUSED).err
    assert "error code 401013" in ctl.run("datasets", status=REFUSED, CONSIGN_TOKEN="no", CONSIGN_CLIENT_SECRET="").err
    assert "status 403" in ctl.run("datasets", status=REFUSED, CONSIGN_SANDBOX="elsewhere").err


@pytest.mark.parametrize("command, said", [
    ("export create", "--dataset is required"), ("export create --dataset", "a value is missing"),
    ("export create --dataset=", "the value is empty"), ("export create --dataset a --dataset b", "given twice"),
    ("export create --dataset a b", "one word too many"), ("export create --dataset a --nope", "no such option"),
    ("export create --dataset a --wait=1", "takes no value"), ("export create --dataset a --body /nonexistent", "cannot read"),
    ("export create --dataset a --idempotency-key a\tb", "printable ASCII"),
    ("export get", "ID is missing"), ("export get x", "no number"), ("export get ../../a", "no number"),
    ("export get 12345678901234567", "no number"), ("export wait 1 --timeout 0", "a number from 1"),
    ("export wait 1 --timeout x", "a number from 1"), ("export list --limit 0", "a number from 1"),
    ("export list --limit 100001", "a number from 1"), ("export list --status a/b", "no state"),
    ("export download 1 --parallel 17", "a number from 1 to 16"), ("export nope", "usage:"), ("export", "usage:"),
    ("datasets get ..", "no id"), ("datasets get a/b", "no id"), ("datasets create", "--name is required"),
    ("login --url u --org o --sandbox s", "--client-id is required"),
])
def test_a_wrong_command_line_is_status_2_and_sends_nothing(ctl, client, command, said):
    with front(client.url) as watched:
        done = Ctl(ctl.home, client, watched.url).run(*command.split(" "), status=USAGE)
        assert said in done.err and done.out == "" and watched.seen == []


@pytest.mark.parametrize("body, said", [
    (b"", "is empty"), (b"[]", "no JSON object"), (b'{"a":1,"a":2}', "byte"), (b"{", "byte"),
    (b'{"destination":7}', "something else"),
    (b'{"x":"' + b"y" * (1 << 20) + b'"}', "longer than 1 MiB"), (b"{}", "--dataset is required"),
], ids=lambda value: value if isinstance(value, str) else "")
def test_a_body_that_is_none_is_not_sent(ctl, body, said):
    file = ctl.home / "body.json"
    file.write_bytes(body)
    given = () if body == b"{}" else ("--dataset", "a")
    assert said in ctl.run("export", "create", "--body", file, *given, status=USAGE).err


def test_a_login_of_the_environment_is_whole_or_none(ctl):
    assert "CONSIGN_ORG" in ctl.run("datasets", status=USAGE, CONSIGN_ORG="").err
    assert "CONSIGN_TOKEN" in ctl.run("datasets", status=USAGE, CONSIGN_CLIENT_SECRET="").err
    assert "printable ASCII" in ctl.run("datasets", status=USAGE, CONSIGN_ORG="a\r\nx: y").err
    assert "there is no login default" in ctl.run("datasets", status=REFUSED, CONSIGN_URL="").err
    assert "there is no login other" in ctl.run("datasets", "--profile", "other", status=REFUSED).err


def test_no_service_is_status_4_in_time(ctl, client):
    nobody = Ctl(ctl.home, client, f"http://127.0.0.1:{free_port()}")
    done = nobody.run("datasets", "--timeout", 2, status=GAVE_UP, seconds=30)
    assert "trying again" in done.err and "gave up" in done.err and done.out == ""


def test_what_is_put_off_is_asked_again_when_the_service_says(ctl, client):
    with front(client.url) as busy:
        busy.on("GET .*dataSets", refuse(503, Retry_After=2), times=1)
        busy.on("POST /ims/token", refuse(429, Retry_After=1), times=1)
        done = Ctl(ctl.home, client, busy.url).run("datasets")
        waits = [float(seconds) for seconds in re.findall(r"trying again in ([0-9.]+) s", done.err)]
        assert len(waits) == 2 and 1 <= waits[0] <= 1.3 and 2 <= waits[1] <= 2.3
        assert len(busy.asked("dataSets")) == 2 and len(busy.asked("token")) == 2
        busy.on("GET .*dataSets", refuse(503, Retry_After=30))
        done = Ctl(ctl.home, client, busy.url).run("datasets", "--timeout", 5, status=GAVE_UP, seconds=25)
        assert "come back after 30 s" in done.err


@pytest.mark.parametrize("command", ["datasets create --name once", "export create --dataset {}"])
def test_a_lost_answer_makes_no_second_one(ctl, client, dataset, command):
    with front(client.url) as losing:
        losing.on("POST /data", lost, times=2)
        made = Ctl(ctl.home, client, losing.url).run(*command.format(dataset).split()).out.strip()
        keys = {call.headers["Idempotency-Key"] for call in losing.asked("POST /data")}
        assert len(losing.asked("POST /data")) == 3 and len(keys) == 1
    if "export" in command:
        assert [str(job["id"]) for job in client.get(flows.JOBS).json()["records"]] == [made]
    else:
        assert set(client.get(f"{flows.CATALOG}/dataSets").json()) == {made, dataset}


def test_a_key_of_ones_own_finds_the_same_again(ctl, dataset):
    made = [ctl.run("export", "create", "--dataset", dataset, "--idempotency-key", "mine").out for _ in range(2)]
    assert made[0] == made[1] != ctl.run("export", "create", "--dataset", dataset).out
    other = ctl.run("export", "create", "--dataset", dataset, "--events", "--idempotency-key", "mine", status=REFUSED)
    assert "status 422" in other.err


def test_what_the_readme_shows_works(ctl, client):
    flows.ingest(client, flows.create_dataset(client, "profile"), [record(n) for n in range(3)])
    section = (REPO / "README.md").read_text(encoding="utf-8").partition("### From the shell")[2].partition("\n### ")[0]
    (example,) = [block for block in re.findall(r"(?:^    .*\n)+", section, re.M) if "export download" in block]
    path = f"{BINARY.parent}:{os.environ['PATH']}"
    done = subprocess.run(["bash", "-euc", example], capture_output=True, text=True, timeout=60, cwd=ctl.home, check=False,
                          env=ctl.environment(PATH=path))
    assert done.returncode == 0, done.stderr
    assert "1 of 1 files" in done.stdout and "SUCCEEDED" in done.stdout
    assert (ctl.home / "addresses" / "manifest.json").exists()


def test_an_interrupt_ends_it(ctl, client, dataset, spooler_paused):
    with spooler_paused():
        number = ctl.run("export", "create", "--dataset", dataset).out.strip()
        waiting = ctl.start("export", "wait", number)
        while f"job {number}" not in waiting.stderr.readline():
            pass
        waiting.send_signal(signal.SIGINT)
        assert waiting.wait(5) == -signal.SIGINT
        waiting.stdout.close()
        waiting.stderr.close()
        client.delete(f"{flows.JOBS}/{number}")
