"""Webhooks: every end of a job reaches the endpoint it names, signed, at least once and nobody else's, through receivers that
die, stand still or answer nonsense, and a sender that is killed; nothing is sent where the operator's list does not lead."""

import hashlib
import os
import pathlib
import re
import signal
import tempfile
import time
import uuid

import psycopg
import pytest

import flows
import metrics
import ownstack
import stack as stacklib
from flows import CATALOG, JOBS
from shapes import assert_problem
from webhooks import Endpoint, Site, await_that, await_told, end_jobs, read, rolling, told

PEOPLE = [{"identityMap": {"Email": [{"id": f"{n}@example.org", "primary": True}]},
           "_tenant": {"text": hashlib.sha256(b"%d" % n).hexdigest()}} for n in range(300)]


@pytest.fixture(scope="module")
def site():
    with ownstack.own_stack() as own, tempfile.TemporaryDirectory(dir=os.environ.get("CONSIGN_TEST_DIR")) as folder:
        os.chmod(folder, 0o755)
        made = Site(own, pathlib.Path(folder))
        try:
            yield made
        finally:
            made.kill()


@pytest.fixture
def client(site):
    return site.client()


# ---- what is told ----

def test_a_job_that_succeeded(site, client):
    flows.ingest(client, flows.create_dataset(client, "profile"), PEOPLE)
    endpoint, path = site.endpoint(client)
    started = flows.start_job(client, flows.job_body(flows.create_dataset(client), webhook=endpoint.name))
    assert started["webhook"] == endpoint.name
    job = flows.wait_job(client, started["id"])
    assert (job["status"], job["webhook"]) == ("SUCCEEDED", endpoint.name)
    (request,) = await_that(lambda: site.plain.requests(path))
    event = read(request, client, endpoint.secret)
    shown = event["job"]
    assert shown["destination"] == {"datasetId": job["destination"]["datasetId"], "segmentPerBatch": False,
                                    "batchId": job["destination"]["batchId"]}
    for name in ("id", "requestId", "watermark", "creationTime"):
        assert shown[name] == job[name]
    for name in ("totalTime", "totalExportedProfileCounter", "exportedProfileByNamespaceCounter", "totalExportedEventCounter"):
        assert shown["metrics"][name] == job["metrics"][name]
    assert len(flows.download(client, shown["destination"]["batchId"])) == 300, "what it tells of can be had"
    await_that(lambda: endpoint.state() == ("active", 0))
    assert site.plain.events(path) == {event["id"]: 1}


def test_a_job_with_a_batch_a_segment(site, client):
    endpoint, path = site.endpoint(client)
    body = flows.job_body(flows.create_dataset(client), webhook=endpoint.name,
                          filter={"segments": [{"segmentId": "s1"}, {"segmentId": "s2"}]})
    body["destination"]["segmentPerBatch"] = True
    job = flows.wait_job(client, flows.start_job(client, body)["id"])
    (request,) = await_that(lambda: site.plain.requests(path))
    assert read(request, client, endpoint.secret)["job"]["destination"]["batches"] == job["destination"]["batches"]


def test_jobs_that_failed_or_were_cancelled(site, client):
    flows.ingest(client, flows.create_dataset(client, "profile"), PEOPLE)
    client.stack.ctl("quota", "set", "--org", client.org, "--lake-bytes", "1000")
    endpoint, path = site.endpoint(client)
    body = flows.job_body(flows.create_dataset(client), webhook=endpoint.name)
    failed = flows.wait_job(client, flows.start_job(client, body)["id"])
    client.stack.signal_spooler(signal.SIGSTOP)
    try:
        cancelled = flows.start_job(client, body)["id"]
        client.delete(f"{JOBS}/{cancelled}")
    finally:
        client.stack.signal_spooler(signal.SIGCONT)
    await_that(lambda: len(site.plain.requests(path)) == 2)
    events = [read(request, client, endpoint.secret) for request in site.plain.requests(path)]
    events = {event["job"]["id"]: event for event in events}
    assert events[failed["id"]]["type"] == "export.job.failed"
    assert events[failed["id"]]["job"]["errors"] == failed["errors"]
    assert events[cancelled]["type"] == "export.job.cancelled"
    assert all("batchId" not in event["job"]["destination"] for event in events.values())


def test_the_datasets_and_the_jobs_own(site, client):
    first, first_path = site.endpoint(client, "ok")
    second, second_path = site.endpoint(client, "created")
    plain, named = flows.create_dataset(client), flows.create_dataset(client, webhook=first.name)
    shown = client.get(f"{CATALOG}/dataSets/{named}").json()[named]
    assert shown["webhook"] == first.name and "webhook" not in client.get(f"{CATALOG}/dataSets/{plain}").json()[plain]
    of_dataset, own = end_jobs(client, 1, named), end_jobs(client, 1, named, webhook=second.name)
    nobody = end_jobs(client, 1, plain)
    assert client.get(f"{JOBS}/{of_dataset[0]}").json()["webhook"] == first.name
    assert client.get(f"{JOBS}/{own[0]}").json()["webhook"] == second.name
    assert "webhook" not in client.get(f"{JOBS}/{nobody[0]}").json()
    client.call("PATCH", f"{CATALOG}/dataSets/{named}", json={"webhook": second.name}, expect=200)
    changed = end_jobs(client, 1, named)
    client.call("PATCH", f"{CATALOG}/dataSets/{named}", json={"webhook": None}, expect=200)
    shown = client.get(f"{CATALOG}/dataSets/{named}").json()[named]
    assert "webhook" not in shown and shown["version"] == "3.0.0"
    end_jobs(client, 1, named)
    await_told(site.plain, first_path, of_dataset, client, first.secret)
    await_told(site.plain, second_path, own + changed, client, second.secret)


def test_a_name_that_is_not_the_sandboxs(site, client):
    """One that is nobody's, another org's, and of another sandbox of the org: refused alike."""
    stranger = site.client()
    theirs, _ = site.endpoint(stranger)
    beside = client.in_sandbox(stacklib.Tenants(client.stack).sandbox(client.org))
    Endpoint(beside, "beside", f"http://127.0.0.1:{site.plain.port}/x")
    dataset = flows.create_dataset(client)
    details = set()
    for name in ("none-such", theirs.name, "beside", "a b", "../x", "x" * 255):
        for answer in (client.post(JOBS, flows.job_body(dataset, webhook=name)),
                       client.post(f"{CATALOG}/dataSets", flows.dataset_body(webhook=name)),
                       client.call("PATCH", f"{CATALOG}/dataSets/{dataset}", json={"webhook": name})):
            details.add(assert_problem(answer, 400, "/webhook")["detail"])
    assert len(details) == 1, details
    for wrong in (7, True, [], {}, None):
        answers = [client.post(JOBS, flows.job_body(dataset, webhook=wrong)),
                   client.post(f"{CATALOG}/dataSets", flows.dataset_body(webhook=wrong))]
        if wrong is not None:
            answers.append(client.call("PATCH", f"{CATALOG}/dataSets/{dataset}", json={"webhook": wrong}))
        for answer in answers:
            assert_problem(answer, 400, "/webhook")
    assert client.get(JOBS).json()["records"] == []


def test_a_secret_is_changed_without_a_gap(site, client):
    endpoint, path = site.endpoint(client)
    old = endpoint.secret
    first = end_jobs(client, 1, webhook=endpoint.name)
    await_told(site.plain, path, first, client, old)
    new = endpoint.told("rotate")
    assert new != old
    second = end_jobs(client, 1, webhook=endpoint.name)
    await_that(lambda: len(site.plain.requests(path)) == 2)
    assert read(site.plain.requests(path)[1], client, new, old)["job"]["id"] == second[0]
    with pytest.raises(RuntimeError, match="still signs.*--force yes"):
        endpoint.ctl("rotate")
    with pytest.raises(RuntimeError, match="--force: only"):
        endpoint.ctl("rotate", "--force", "no")
    with psycopg.connect(site.stack.pg_uri) as db:  # a day later
        db.execute("UPDATE consign.webhook SET old_until_ms = 1")
    end_jobs(client, 1, webhook=endpoint.name)
    await_that(lambda: len(site.plain.requests(path)) == 3)
    read(site.plain.requests(path)[2], client, new)
    newer = endpoint.told("rotate")
    newest = endpoint.told("rotate", "--force", "yes")
    end_jobs(client, 1, webhook=endpoint.name)
    await_that(lambda: len(site.plain.requests(path)) == 4)
    read(site.plain.requests(path)[3], client, newest, newer)


# ---- receivers and senders that die ----

def test_a_hundred_deliveries_and_the_receiver_killed(site, client):
    """Each event arrives at least once, with a valid signature, and none at another tenant's place."""
    stranger = site.client()
    endpoint, path = site.endpoint(client, "slow")
    other, other_path = site.endpoint(stranger, "slow")
    dataset, other_dataset = flows.create_dataset(client), flows.create_dataset(stranger)
    numbers, others = [], []
    for n in range(100):
        numbers += end_jobs(client, 1, dataset, webhook=endpoint.name)
        if n % 5 == 0:
            others += end_jobs(stranger, 1, other_dataset, webhook=other.name)
        if n in (20, 45, 70):
            await_that(lambda: len(site.plain.requests(path)) > n // 5)
            site.plain.kill()
        if n in (35, 60, 90):
            site.plain.start()
    await_told(site.plain, path, numbers, client, endpoint.secret, seconds=60)
    await_told(site.plain, other_path, others, stranger, other.secret, seconds=60)
    await_that(lambda: endpoint.state() == ("active", 0) and other.state() == ("active", 0))
    events = told(site.plain, path, client, endpoint.secret)
    assert all(len(set(ids)) == 1 for ids in events.values()), "again under the same id"
    assert site.said(endpoint, "failed"), "the receiver was away"
    assert len(site.said(endpoint, "delivered")) == 100


@pytest.mark.slow
def test_a_sender_that_is_killed_loses_nothing(site, client):
    endpoint, path = site.endpoint(client, "late")
    numbers = end_jobs(client, 6, webhook=endpoint.name)
    await_that(lambda: len(site.plain.requests(path)) >= 4)
    killed = site.sender()
    os.kill(killed, signal.SIGKILL)
    under_way = set(site.plain.events(path))
    await_that(lambda: site.sender() != killed)
    await_told(site.plain, path, numbers, client, endpoint.secret, seconds=60)  # its four are due again after half a minute
    await_that(lambda: endpoint.state() == ("active", 0))
    assert {event for event, times in site.plain.events(path).items() if times > 1} == under_way


def test_reload_and_stop(site, client):
    """A reload lets deliveries end; a stop does not wait for one that hangs, and hands it back."""
    endpoint, path = site.endpoint(client, "late")
    numbers = end_jobs(client, 3, webhook=endpoint.name)
    await_that(lambda: len(site.plain.requests(path)) == 3)
    before = site.sender()
    assert "event=reloaded " in rolling.reload(site.stack, "spooler")
    assert site.sender() != before
    await_that(lambda: endpoint.state() == ("active", 0))
    assert set(site.plain.events(path).values()) == {1}
    assert set(told(site.plain, path, client, endpoint.secret)) == set(numbers)
    hanging, path = site.endpoint(client, "hang")
    end_jobs(client, 1, webhook=hanging.name)
    await_that(lambda: site.plain.requests(path))
    supervisor, begun = rolling.pid_of(site.stack, "spooler"), time.monotonic()
    os.kill(supervisor, signal.SIGTERM)
    await_that(lambda: not stacklib.is_alive(supervisor))
    assert time.monotonic() - begun < 8
    site.start()
    await_that(lambda: len(site.plain.requests(path)) == 2, 5)
    hanging.ctl("disable")


def test_what_the_database_does_not_hear_it_is_told_again(site, client):
    """It is away when deliveries end, or somebody holds an event's row: nothing is repeated, and no other event waits for it."""
    endpoint, path = site.endpoint(client, "late")
    marker, marker_path = site.endpoint(client)
    end_jobs(client, 3, webhook=endpoint.name)
    with psycopg.connect(site.stack.pg_uri, autocommit=True) as db:
        await_that(lambda: len(site.plain.requests(path)) == 3)
        try:
            db.execute("ALTER ROLE consign_sender NOLOGIN")
            db.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'consign_sender'")
            await_that(lambda: len(site.said(endpoint, "delivered")) == 3)
            assert endpoint.state() == ("active", 3)
        finally:
            db.execute("ALTER ROLE consign_sender LOGIN")
        await_that(lambda: endpoint.state() == ("active", 0), 12)
        end_jobs(client, 1, webhook=endpoint.name)
        await_that(lambda: len(site.plain.requests(path)) == 4)
        with db.transaction():
            db.execute("SELECT FROM consign.webhook_event WHERE sending FOR UPDATE")
            await_that(lambda: len(site.said(endpoint, "delivered")) == 4)
            await_told(site.plain, marker_path, end_jobs(client, 1, webhook=marker.name), client, marker.secret, seconds=4)
        await_that(lambda: endpoint.state() == ("active", 0), 12)
    assert set(site.plain.events(path).values()) == {1}


# ---- answers ----

def test_an_endpoint_that_hangs_holds_up_nobody_else(site, client):
    hanging, path = site.endpoint(client, "hang")
    end_jobs(client, 30, webhook=hanging.name)
    await_that(lambda: len(site.plain.requests(path)) == 4)
    begun = time.monotonic()
    for somebody in (client, site.client()):
        endpoint, other = site.endpoint(somebody)
        await_told(site.plain, other, end_jobs(somebody, 5, webhook=endpoint.name), somebody, endpoint.secret)
    assert time.monotonic() - begun < 8, "sooner than the first of those that hang is given up"
    assert len(site.plain.requests(path)) == 4, "no more than four at a time"
    failed = await_that(lambda: site.said(hanging, "failed"), 15)
    assert "status=0 " in failed[0]
    hanging.ctl("disable")


def test_orgs_whose_endpoints_hang_hold_up_nobody_else(site, client):
    """Four of them, four endpoints each: neither another org, nor another endpoint of theirs."""
    tenants = [client] + [site.client() for _ in range(3)]
    hanging = [(tenant, n, f"/hang/{n}-{tenant.org}") for tenant in tenants for n in range(4)]
    for tenant, n, path in hanging:
        Endpoint(tenant, f"hanging-{n}", f"http://127.0.0.1:{site.plain.port}{path}")
    own, others = site.endpoint(client), site.endpoint(other := site.client())
    begun = time.monotonic()
    with psycopg.connect(site.stack.pg_uri, autocommit=True) as db:
        db.execute("INSERT INTO consign.webhook_event (org, sandbox, event, webhook, body, created_ms, not_before_ms)"
                   " SELECT org, sandbox, gen_random_uuid(), name, '{}', consign.now_ms(), 0 FROM consign.webhook,"
                   " generate_series(1, 20) WHERE name LIKE 'hanging-%'")
        try:
            await_that(lambda: {request["path"] for request in site.plain.requests()} >= {path for *_, path in hanging}, 8)
            for somebody, (endpoint, path) in ((other, others), (client, own)):
                await_told(site.plain, path, end_jobs(somebody, 3, webhook=endpoint.name), somebody, endpoint.secret, seconds=8)
            assert time.monotonic() - begun < 9, "sooner than the first of those that hang is given up"
        finally:
            db.execute("UPDATE consign.webhook SET active = false WHERE name LIKE 'hanging-%'")


def test_an_error_is_tried_again(site, client):
    endpoint, path = site.endpoint(client, "fail")
    numbers = end_jobs(client, 1, webhook=endpoint.name)
    await_that(lambda: len(site.plain.requests(path)) == 3)
    times = [request["time"] for request in site.plain.requests(path)]
    assert 0.9 < times[1] - times[0] < 3 and 1.9 < times[2] - times[1] < 5
    assert endpoint.state() == ("active", 1)
    with site.plain.mended():
        await_that(lambda: endpoint.state() == ("active", 0), 15)
    assert set(told(site.plain, path, client, endpoint.secret)) == set(numbers)
    assert len(site.plain.events(path)) == 1
    stamps = {request["headers"]["webhook-timestamp"] for request in site.plain.requests(path)}
    assert len(stamps) > 1, "each attempt is signed anew"


def test_410_disables_until_the_operator_enables(site, client):
    endpoint, path = site.endpoint(client, "gone")
    numbers = end_jobs(client, 1, webhook=endpoint.name)
    await_that(lambda: endpoint.state() == ("disabled", 1))
    before = len(site.plain.requests(path))
    numbers += end_jobs(client, 3, webhook=endpoint.name)
    marker, marker_path = site.endpoint(client)
    await_told(site.plain, marker_path, end_jobs(client, 1, webhook=marker.name), client, marker.secret)
    assert len(site.plain.requests(path)) == before and endpoint.state() == ("disabled", 4), "what happens meanwhile waits"
    with site.plain.mended():
        endpoint.ctl("enable")
        await_that(lambda: endpoint.state() == ("active", 0))
    await_told(site.plain, path, numbers, client, endpoint.secret)


def test_a_disabled_org_is_told_when_it_is_enabled_again(site, client):
    endpoint, path = site.endpoint(client, "fail")
    numbers = end_jobs(client, 1, webhook=endpoint.name)
    await_that(lambda: site.said(endpoint, "failed"))
    site.stack.ctl("org", "disable", "--id", client.org)
    with psycopg.connect(site.stack.pg_uri, autocommit=True) as db:
        due = ("UPDATE consign.webhook_event SET not_before_ms = 0 WHERE NOT sending AND org ="
               " (SELECT org FROM consign.org WHERE ims_org_id = %s) RETURNING attempts")
        before = await_that(lambda: db.execute(due, [client.org]).fetchone())
        marker, marker_path = site.endpoint(other := site.client())
        await_told(site.plain, marker_path, end_jobs(other, 1, webhook=marker.name), other, marker.secret)
        assert db.execute(due, [client.org]).fetchone() == before, "it is held"
        role = db.execute("SELECT usename FROM pg_stat_activity WHERE application_name = 'consign-spooler sender'").fetchone()
    assert role == ("consign_sender",)
    with site.plain.mended():
        site.stack.ctl("org", "enable", "--id", client.org)
        await_that(lambda: endpoint.state() == ("active", 0))
    await_told(site.plain, path, numbers, client, endpoint.secret)


def test_a_redirect_is_not_followed(site, client):
    endpoint, path = site.endpoint(client, "redirect")
    end_jobs(client, 1, webhook=endpoint.name)
    failed = await_that(lambda: site.said(endpoint, "failed"))
    assert "status=302 " in failed[0]
    assert site.plain.requests(path) and site.plain.requests("/trap") == []
    endpoint.ctl("disable")


@pytest.mark.parametrize("word", ["huge", "endless"])
def test_an_answer_is_read_up_to_a_bound(site, client, word):
    endpoint, path = site.endpoint(client, word)
    numbers = end_jobs(client, 1, webhook=endpoint.name)
    (line,) = await_that(lambda: site.said(endpoint, "delivered"))
    assert int(re.search(r" ms=(\d+) ", line)[1]) < 2000
    await_told(site.plain, path, numbers, client, endpoint.secret)
    status = pathlib.Path(f"/proc/{site.sender()}/status").read_text()
    assert int(re.search(r"VmHWM:\s+(\d+) kB", status)[1]) < 64 * 1024


# ---- where it may be sent ----

def test_tls_by_name(site, client):
    """Looked up in a thread, and the certificate checked, in a process that is confined."""
    endpoint, path = site.endpoint(client, "ok", site.tls)
    numbers = end_jobs(client, 1, webhook=endpoint.name)
    await_told(site.tls, path, numbers, client, endpoint.secret)
    numbers += end_jobs(client, 1, webhook=endpoint.name)
    await_told(site.tls, path, numbers, client, endpoint.secret)
    assert {request["resumed"] for request in site.tls.requests(path)} == {False}, "nothing is kept from the first"
    status = dict(line.split(":\t", 1) for line in pathlib.Path(f"/proc/{site.sender()}/status").read_text().splitlines())
    if b"__asan_init" not in (site.stack.dir / "bin" / "consign-spooler").read_bytes():
        assert status["Seccomp"] == "2"


def test_a_name_that_nobody_knows(site, client):
    endpoint = Endpoint(client, "hook-unknown", "https://no-such-name.invalid/x")
    end_jobs(client, 1, webhook=endpoint.name)
    assert "Could not resolve host" in await_that(lambda: site.said(endpoint, "failed"))[0]
    endpoint.ctl("disable")


def test_a_certificate_of_somebody_else(site, client):
    endpoint, path = site.endpoint(client, "ok", site.strange)
    end_jobs(client, 1, webhook=endpoint.name)
    assert "certificate" in await_that(lambda: site.said(endpoint, "failed"))[0]
    assert site.strange.requests(path) == []
    endpoint.ctl("disable")


def test_a_name_that_leads_inside(site, client):
    """The list has the host, but without a network: public addresses only. The same receiver would take it."""
    endpoint, path = site.endpoint(client, "ok", site.inside)
    end_jobs(client, 1, webhook=endpoint.name)
    await_that(lambda: site.said(endpoint, "refused"))
    assert site.inside.requests(path) == []
    endpoint.ctl("disable")


@pytest.mark.parametrize("status, url", [
    *((1, url) for url in ("https://elsewhere.example/", "http://127.0.0.1:{other}/", "https://127.0.0.1:{port}/", "http://[::1]:{port}/")),
    *((2, url) for url in ("http://localhost:{port}/", "http://user:secret@127.0.0.1:{port}/", "ftp://127.0.0.1:{port}/",
                           "http://127.0.0.1:{port}/#x", "http://127.1:{port}/", "x"))])
def test_a_host_that_is_not_on_the_list_is_not_registered(site, client, status, url):
    """Another host is refused; what is no such URL is a wrong command line."""
    with pytest.raises(RuntimeError, match=f"rc {status}\n.*--url: "):
        Endpoint(client, "x", url.format(port=site.plain.port, other=site.plain.port + 2))
    assert len(client.stack.ctl("webhook", "list", "--org", client.org).splitlines()) == 1


def test_the_list_counts_at_each_delivery(site, client):
    endpoint, path = site.endpoint(client)
    with site.settings(webhook__hosts="hooks.example.com"):
        numbers = end_jobs(client, 1, webhook=endpoint.name)
        assert "webhook.hosts" in await_that(lambda: site.said(endpoint, "refused"))[0]
        assert site.plain.requests(path) == []
    await_told(site.plain, path, numbers, client, endpoint.secret)


def test_without_hosts_there_is_no_sender(site, client):
    endpoint, path = site.endpoint(client)
    workers = len(rolling.workers_of(site.stack, "spooler"))
    with site.settings(webhook__hosts=""):
        await_that(lambda: len(rolling.workers_of(site.stack, "spooler")) == workers - 1, 30)
        numbers = end_jobs(client, 1, webhook=endpoint.name)
        with pytest.raises(RuntimeError, match="not on the list"):
            site.endpoint(client, "created")
        assert endpoint.state() == ("active", 1)
    await_told(site.plain, path, numbers, client, endpoint.secret)


# ---- figures, and the end of what nobody takes ----

def test_deliveries_are_counted_and_given_up(site, client):
    before = metrics.scrape(site.stack)
    endpoint, path = site.endpoint(client)
    await_told(site.plain, path, end_jobs(client, 3, webhook=endpoint.name), client, endpoint.secret)
    failing, _ = site.endpoint(client, "fail")
    end_jobs(client, 1, webhook=failing.name)
    await_that(lambda: site.said(failing, "failed"))
    failing.ctl("disable")

    def added(figures, outcome):
        return figures.added(before, "consign_webhook_deliveries_total").get((("outcome", outcome),), 0)

    now = metrics.await_figures(site.stack, lambda figures: added(figures, "delivered") >= 3 and added(figures, "failed") >= 1
                                and figures.of("consign_webhook_events", state="held") >= 1)
    assert added(now, "delivered") == 3 and now.of("consign_webhook_oldest_seconds") > 0
    assert now.of("consign_webhook_due_seconds") < 5 and added(now, "given_up") == 0
    with site.settings(spooler__sweep_ms=500):
        with psycopg.connect(site.stack.pg_uri) as db:  # more than 72 hours later
            db.execute("UPDATE consign.webhook_event SET created_ms = 1 WHERE webhook = %s AND outcome IS NULL AND NOT sending"
                       " AND org = (SELECT org FROM consign.org WHERE ims_org_id = %s)", [failing.name, client.org])
        await_that(lambda: failing.state() == ("disabled", 0))
        assert re.search(rf'event=webhook_given_up {site.org(client)}.*webhook="{failing.name}" ', site.log())
        metrics.await_figures(site.stack, lambda figures: added(figures, "given_up") == 1)
        with psycopg.connect(site.stack.pg_uri, autocommit=True) as db:
            db.execute("UPDATE consign.webhook_event SET ended_ms = 1 WHERE outcome IS NOT NULL")
            await_that(lambda: db.execute("SELECT count(*) FROM consign.webhook_event WHERE ended_ms = 1").fetchone()[0] == 0)
