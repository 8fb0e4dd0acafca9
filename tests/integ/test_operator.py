"""What an operator does with consignctl: look at the work, cancel it, have it tried again, check the lake; and a backup."""

import os
import re
import shutil
import signal
import subprocess
import types

import psycopg
import pytest

import ctlclient
import flows
import ownstack
from stack import is_alive


@pytest.fixture(scope="module")
def stack():
    with ownstack.own_stack() as own:
        yield own.start()


@pytest.fixture(scope="module")
def client(stack):
    return ownstack.new_client(stack)


@pytest.fixture
def still(stack):
    """While it is open no spooler process runs."""
    stack.signal_spooler(signal.SIGSTOP)
    yield
    stack.signal_spooler(signal.SIGCONT)


def verify(stack, *options):
    """The findings as (kind, path) and the last line."""
    try:
        out, clean = stack.ctl("verify", *options), True
    except RuntimeError as refused:
        out, clean = str(refused).split("\n", 1)[1], False
    *findings, figures = out.strip().split("\n")
    assert clean == (not findings)
    return [tuple(line.split("\t")) for line in findings], figures


@pytest.fixture(scope="module")
def published(stack, client):
    """The folder of a published batch of one file."""
    dataset = flows.create_dataset(client, "profile")
    flows.ingest(client, dataset, [{"identityMap": {"Email": [{"id": f"{n}@x"}]}} for n in range(50)])
    job, _ = flows.export_all(client)
    (folder,) = stack.lake.glob(f"*/*/*/{job['destination']['batchId']}/*")
    return folder


def part_of(folder):
    (part,) = folder.glob("part-*")
    return part


def test_a_lake_as_it_was_published_has_no_findings(stack, published):
    findings, figures = verify(stack)
    size = part_of(published).stat().st_size
    assert findings == [] and figures == f"verify: batches=1 files=1 bytes={size} missing=0 short=0 changed=0 stray=0 unread=0"


def remove(folder):
    part_of(folder).unlink()


def cut(folder):
    part = part_of(folder)
    part.write_bytes(part.read_bytes()[:-1])


def flip(folder):
    part = part_of(folder)
    data = bytearray(part.read_bytes())
    data[len(data) // 2] ^= 1
    part.write_bytes(data)


def lie(folder):
    manifest = folder / "manifest.json"
    manifest.write_text(manifest.read_text().replace('"rows":50,"bytes"', '"rows":51,"bytes"'))


def forget(folder):
    (folder / "manifest.json").unlink()


def leave(folder):
    (folder / "more").write_text("x")


@pytest.mark.parametrize("damage, kind, name", [
    (remove, "missing", "part-"), (cut, "short", "part-"), (flip, "changed", "part-"), (lie, "changed", "manifest.json"),
    (forget, "missing", "manifest.json"), (leave, "stray", "more")])
def test_what_is_not_as_it_was_published_is_found(stack, published, damage, kind, name):
    kept = {path.name: path.read_bytes() for path in published.iterdir()}
    damage(published)
    try:
        ((found, path),), figures = verify(stack)
        assert found == kind and f"{kind}=1" in figures
        assert path.startswith(f"{published.relative_to(stack.lake)}/{name}")
    finally:
        for path in published.iterdir():
            path.unlink()
        for entry, data in kept.items():
            (published / entry).write_bytes(data)
    assert verify(stack)[0] == []


def test_a_whole_batch_that_is_missing_or_that_nobody_published(stack, published):
    moved = published.with_name("00000000-0000-4000-8000-000000000000")
    published.rename(moved)
    try:
        findings, _ = verify(stack)
        assert sorted(findings) == [("missing", str(published.relative_to(stack.lake))),
                                    ("stray", str(moved))]
    finally:
        moved.rename(published)


def test_a_batch_that_has_just_expired_is_no_finding_and_its_files_are_when_they_stay(stack, client):
    job, _ = flows.export_all(client)
    batch = job["destination"]["batchId"]
    (folder,) = stack.lake.glob(f"*/*/*/{batch}/*")
    stack.signal_spooler(signal.SIGSTOP)  # no sweep
    try:
        for ago, found in ((0, []), (61000, [("stray", str(folder))])):
            with psycopg.connect(stack.pg_uri) as superuser:
                superuser.execute("UPDATE consign.batch SET expired_ms = consign.now_ms() - %s WHERE batch = %s", (ago, batch))
            assert verify(stack)[0] == found
    finally:
        stack.signal_spooler(signal.SIGCONT)


def test_jobs_shows_what_waits_and_what_runs(stack, client, still):
    job = flows.start_job(client, flows.job_body(flows.create_dataset(client)))
    _, *rows = (line.split("\t") for line in stack.ctl("jobs").strip().split("\n"))
    ((org, sandbox, task, ident, state, _, attempt, attempts, age, *_),) = rows
    assert (org, sandbox, task, ident) == (client.org, client.sandbox, "export", str(job["id"]))
    assert (state, attempt, attempts) == ("waiting", "-", "0") and 0 <= float(age) < 60
    assert stack.ctl("jobs", "--org", "nobody").count("\n") == 1
    place = ("--org", client.org, "--sandbox", client.sandbox, "--job", str(job["id"]))
    assert stack.ctl("cancel", *place) == "CANCELLED\n"
    assert client.get(f"{flows.JOBS}/{job['id']}").json()["status"] == "CANCELLED"
    assert stack.ctl("jobs").count("\n") == 1


def test_a_failed_job_is_tried_again_and_no_other(stack, client):
    dataset = flows.create_dataset(client)
    stack.signal_spooler(signal.SIGSTOP)
    try:
        job = flows.start_job(client, flows.job_body(dataset))
        place = ("--org", client.org, "--sandbox", client.sandbox, "--job", str(job["id"]))
        errors = '[{"code":"unknown","msg":"m","callStack":"c"}]'
        with psycopg.connect(stack.pg_uri) as superuser:
            org, sandbox = superuser.execute("SELECT org, sandbox FROM consign.export_job WHERE job = %s",
                                             (job["id"],)).fetchone()
            superuser.execute(f"SET LOCAL consign.org = {org}")
            superuser.execute("SELECT consign.job_end(%s, %s, %s, 'FAILED', %s)", (org, sandbox, job["id"], errors))
        failed = client.get(f"{flows.JOBS}/{job['id']}").json()
        assert failed["status"] == "FAILED" and failed["destination"]["batchId"] == ""
        assert stack.ctl("retry", *place) == "FAILED\n"
        again = client.get(f"{flows.JOBS}/{job['id']}").json()
        assert again["status"] == "NEW" and again["destination"]["batchId"] == job["destination"]["batchId"]
        assert "errors" not in again
    finally:
        stack.signal_spooler(signal.SIGCONT)
    assert flows.wait_job(client, job["id"])["status"] == "SUCCEEDED"
    for place in (place, ("--org", client.org, "--sandbox", client.sandbox, "--job", "1"),
                  ("--org", client.org, "--sandbox", "none", "--job", "1")):
        with pytest.raises(RuntimeError):
            stack.ctl("retry", *place)


SANDBOX = "--org o --sandbox s"
WRONG = [
    ("migrate", "--sql is required"), ("migrate --sql", "--sql: a value is missing"),
    ("migrate --sql d more", "one word too many: more"),
    ("load --dataset d --fromat csv f.csv", "no such option: --fromat"), ("load f.json", "--dataset is required"),
    ("load --dataset d", "FILE is missing"), ("load --dataset d --format xml f", "--format: xml"),
    ("load --dataset d --batch-bytes 1k f", "--batch-bytes"), ("verify --ogr o", "no such option: --ogr"),
    ("verify --org o --org o", "--org is given twice"), ("jobs o", "one word too many: o"),
    ("jobs --job 1", "no such option: --job"),
    (f"cancel {SANDBOX} --jobs 1", "no such option: --jobs"), (f"cancel {SANDBOX}", "--job is required"),
    (f"retry {SANDBOX} --job 1x", "--job: a number"), ("org create --id o", "--name is required"),
    ("client create --org o --org p --name n --rights foo", "--rights: all, or some of catalog:read,"),
    ("client rights --id c --rights export:read,foo", "--rights: all, or some of"), ("client rotate", "--id is required"),
    ("quota set --org o", "--weight, --running, --jobs, --lake-bytes or --inbox-bytes is required"),
    ("quota set --org o --runing 1", "no such option: --runing"), ("quota set --org o --jobs 1 --weight x", "--weight: a number"),
    (f"retention set {SANDBOX} --dataset d --day 1", "no such option: --day"),
    (f"retention set {SANDBOX} --dataset d", "--days, --hours or --ms is required"),
    (f"retention clear {SANDBOX} --dataset d --days 1", "no such option: --days"),
    (f"webhook rotate {SANDBOX} --name n --force no", "--force: only"),
    (f"webhook create {SANDBOX} --name n --url ftp://x", "--url: "),
    ("org crate --id o", "usage: "), ("registry", "usage: "),
]


@pytest.mark.parametrize("words, said", WRONG, ids=[words for words, _ in WRONG])
def test_a_wrong_command_line_is_status_2_and_does_nothing(stack, words, said):
    done = subprocess.run([str(ctlclient.BINARY), "--config", str(stack.dir / "consign.conf"), *words.split()],
                          capture_output=True, text=True, timeout=20, check=False)
    assert (done.returncode, done.stdout) == (ctlclient.USAGE, ""), done.stderr
    assert said in done.stderr and "usage: consignctl --config FILE " in done.stderr


# Last: these end the programs, and take database, roles and files away.

CREATE = "CREATE DATABASE consign TEMPLATE template0 ENCODING 'UTF8' LOCALE 'C.UTF-8'"
ROLES = "consign_owner, consign_api, consign_spooler, consign_sender, consign_metrics, operator"


def run(*command):
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL,
                          env={**os.environ, "LC_ALL": "C.UTF-8"})
    assert (done.returncode, done.stderr) == (0, ""), done
    return done.stdout


def in_cluster(stack, *statements):
    with psycopg.connect(stack.pg_uri, dbname="postgres", autocommit=True) as superuser:
        for statement in statements:
            superuser.execute(statement)


def late(name):
    return b'{"identityMap":{"Email":[{"id":"%s@x"}]}}' % name.encode()


@pytest.fixture(scope="module")
def backup(stack, client, tmp_path_factory):
    """As README.md says (Backup and restore), with an export that was published; of what changed since the dump a batch that waited
    for its load and a file that was replaced."""
    folder = tmp_path_factory.mktemp("backup")
    dataset = flows.create_dataset(client, "profile")
    flows.ingest(client, dataset, [{"identityMap": {"Email": [{"id": f"b{n}@x"}]}} for n in range(20)])
    job, rows = flows.export_all(client)
    stack.signal_spooler(signal.SIGSTOP)
    waiting, opened = flows.upload(client, dataset, late("waiting")), flows.open_batch(client, dataset)
    client.put(flows.file_path(opened, dataset), late("first"))
    with ownstack.backup_lock(stack):
        run("pg_dump", "-Fc", "-f", folder / "dump", "-d", stack.pg_uri)
        stack.signal_spooler(signal.SIGCONT)
        client.put(flows.file_path(opened, dataset), late("second"))
        assert flows.wait_batch(client, waiting)["status"] == "success"
        run("tar", "-C", stack.dir, "-cf", folder / "inbox.tar", "inbox", "keys")
    run("tar", "-C", stack.dir, "-cf", folder / "lake.tar", "--exclude=lake/tmp", "lake")
    return types.SimpleNamespace(folder=folder, batch=job["destination"]["batchId"], rows=rows, waiting=waiting, opened=opened)


def clear(stack):
    """As on a new machine: no program runs, and the cluster has neither the database nor a role of ours."""
    for name in ("api", "spooler"):
        pid = int((stack.dir / "pids" / name).read_text())
        if is_alive(pid):
            os.kill(pid, signal.SIGTERM)
            flows.eventually(lambda: not is_alive(pid), f"{name} does not stop")
    in_cluster(stack, "DROP DATABASE IF EXISTS consign WITH (FORCE)", f"DROP ROLE IF EXISTS {ROLES}")
    for name in ("inbox", "keys", "lake"):
        shutil.rmtree(stack.dir / name, ignore_errors=True)


def test_an_operator_who_is_no_superuser(stack, backup, tmp_path):
    """Makes the roles and the schema, upgrades it, and does what consignctl does. The files are none of this test's."""
    clear(stack)
    in_cluster(stack, "CREATE ROLE operator LOGIN CREATEROLE", f"{CREATE} OWNER operator")
    database = psycopg.conninfo.make_conninfo(stack.pg_uri, user="operator")
    text = re.sub(r"(?m)^(database\.operator|lake\.dir) = .*\n", "", (stack.dir / "consign.conf").read_text())
    (tmp_path / "conf").write_text(f"{text}database.operator = {database}\nlake.dir = {tmp_path}/lake\n")
    (tmp_path / "lake").mkdir()
    shutil.copytree(stack.dir / "share/sql", tmp_path / "sql")

    def ctl(*words):
        return run(stack.dir / "bin/consignctl", "--config", tmp_path / "conf", *words)

    assert "applied 001_registry.sql" in ctl("migrate", "--sql", tmp_path / "sql")
    (tmp_path / "sql/schema/999_later.sql").write_text("ALTER TABLE consign.org ADD COLUMN later integer;\n")
    assert ctl("migrate", "--sql", tmp_path / "sql") == "applied 999_later.sql\nthe database is up to date\n"
    ctl("org", "create", "--id", "A@AdobeOrg", "--name", "A")
    ctl("sandbox", "create", "--org", "A@AdobeOrg", "--name", "prod")
    assert "client_secret=" in ctl("client", "create", "--org", "A@AdobeOrg", "--name", "c", "--rights", "all")
    ctl("quota", "set", "--org", "A@AdobeOrg", "--weight", "2")
    for words in (("client", "list"), ("quota", "list"), ("retention", "list"), ("webhook", "list"), ("jobs",)):
        assert ctl(*words)
    assert "batches=0 " in ctl("verify")


def test_a_backup_is_restored_into_a_new_cluster(stack, client, backup):
    clear(stack)
    in_cluster(stack, CREATE)
    run("psql", "-Xq", "-v", "ON_ERROR_STOP=1", "-f", stack.dir / "share/sql/roles.sql", stack.pg_uri)
    run("pg_restore", "-e", "-d", stack.pg_uri, backup.folder / "dump")
    for name in ("inbox.tar", "lake.tar"):
        run("tar", "-C", stack.dir, "-xpf", backup.folder / name)
    stack.ctl("migrate", "--sql", str(stack.dir / "share/sql"))
    findings, _ = verify(stack)
    assert {kind for kind, _ in findings} <= {"stray"}  # what had expired
    stack.up()
    # the token of before: its key came back too
    client.post(f"{flows.IMPORT}/{backup.opened}?action=COMPLETE", expect=200)
    for batch in (backup.waiting, backup.opened):
        assert flows.wait_batch(client, batch)["status"] == "success"
    assert flows.download(client, backup.batch) == backup.rows
    _, rows = flows.export_all(client)
    assert len(rows) == len(backup.rows) + 2 and "waiting@x" in str(rows) and "first@x" in str(rows)
