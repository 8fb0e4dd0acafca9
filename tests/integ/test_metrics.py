"""What GET /metrics counts: requests exactly, the spoolers' work exactly, and nothing of who it was for."""

import os
import pathlib
import signal
import subprocess
import sys

import psycopg
import pytest
import requests

import flows
import metrics
import mixture
import streams
from client import token_request
from flows import CATALOG, JOBS
from test_fastcgi_cuts import exchange, request

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "fault"))

import rolling  # noqa: E402


def pairs(**labels):
    return tuple(sorted(labels.items()))


def test_promtool_and_a_strict_reader_take_it(stack):
    plain = metrics.text(stack)
    assert plain.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
    assert plain.text.endswith("\n# EOF\n")
    told = subprocess.run(["promtool", "check", "metrics"], input=plain.text, capture_output=True, text=True, timeout=60)
    assert (told.returncode, told.stdout, told.stderr) == (0, "", "")
    strict = metrics.text(stack, metrics.OPEN)
    assert strict.headers["Content-Type"] == "application/openmetrics-text; version=1.0.0; charset=utf-8"
    assert strict.text.endswith("\n# EOF\n")
    families = metrics.families(stack)
    assert families["consign_requests"].type == "counter"
    assert families["consign_request_duration_seconds"].unit == "seconds"
    assert all(family.documentation for family in families.values())


def test_every_metric_is_shown_and_in_the_table(stack):
    """README holds the same table: tools/checks/tables."""
    table = subprocess.run([str(stack.dir / "bin" / "consign-api"), "--metrics"], capture_output=True, text=True,
                           timeout=20).stdout
    told = {line.split("|")[1].strip(" `"): line.split("|")[2].strip() for line in table.splitlines()[2:]}
    shown = {name + ("_total" if family.type == "counter" else ""): family.type
             for name, family in metrics.families(stack).items()}
    for name in ("consign_queue_connections", "consign_queue_limit"):  # where the kernel does not tell
        shown.setdefault(name, "gauge")
    assert shown == told


def test_requests_are_counted_exactly(stack, client):
    def answered(now, since):
        return {(dict(labels)["route"], dict(labels)["code"]): count
                for labels, count in now.added(since, "consign_requests_total").items()
                if dict(labels)["route"] not in ("metrics", "ready", "health")}

    # a request is counted just after its answer was written
    start = metrics.scrape(stack)
    client._token = token_request(stack, client.client_id, client.client_secret).json()["access_token"]
    before = metrics.await_figures(stack, lambda figures: answered(figures, start) == {("token", "2xx"): 1})
    dataset = flows.create_dataset(client)
    flows.create_dataset(client)
    for path, count in ((f"{CATALOG}/dataSets/{dataset}", 3), (f"{CATALOG}/dataSets/{flows.NO_SUCH_DATASET}", 2)):
        for _ in range(count):
            client.call("GET", path)
    client.call("HEAD", f"{CATALOG}/dataSets")
    client.call("GET", JOBS, headers={"Authorization": None})
    client.call("POST", JOBS, json={"no": "job"})
    client.call("GET", "/data/no/such/path")
    client.call("PUT", f"{CATALOG}/dataSets", body=b"x")
    assert token_request(stack, client.client_id, "wrong").status_code == 401
    wanted = {("dataset_create", "2xx"): 2, ("dataset_get", "2xx"): 3, ("dataset_get", "4xx"): 2, ("dataset_list", "2xx"): 1,
              ("job_list", "4xx"): 1, ("job_create", "4xx"): 1, ("none", "4xx"): 2, ("token", "4xx"): 1}

    now = metrics.await_figures(stack, lambda figures: sum(answered(figures, before).values()) >= sum(wanted.values()))
    assert answered(now, before) == wanted
    timed = {dict(labels)["route"]: count
             for labels, count in now.added(before, "consign_request_duration_seconds_count").items()}
    for route in {route for route, _ in wanted}:
        assert timed[route] == sum(count for (name, _), count in wanted.items() if name == route)
        assert now.of("consign_request_duration_seconds_bucket", route=route, le="+Inf") == \
            now.of("consign_request_duration_seconds_count", route=route)
    assert 0 < now.added(before, "consign_request_duration_seconds_sum")[pairs(route="dataset_get")] < 60


def test_the_scrape_itself_is_counted(stack):
    before = metrics.scrape(stack)
    for _ in range(3):
        metrics.text(stack)
    now = metrics.await_figures(stack, lambda figures: figures.of("consign_requests_total", route="metrics", code="2xx")
                                >= before.of("consign_requests_total", route="metrics", code="2xx") + 4)
    assert now.of("consign_requests_total", route="metrics", code="5xx") == 0


def test_a_request_that_was_cut_is_told_apart(stack, client):
    whole = request(client, "POST", JOBS, b'{"a":1}')
    before = metrics.scrape(stack)
    exchange(stack, whole[:-20], answer=False)
    now = metrics.await_figures(stack, lambda figures: figures.added(before, "consign_requests_total").get(
        pairs(route="job_create", code="cut")) == 1)
    assert pairs(route="job_create", code="4xx") not in now.added(before, "consign_requests_total")


def test_waiting_for_a_status_is_no_time_of_the_request(stack, client, spooler_paused):
    with spooler_paused():
        job = flows.start_job(client, flows.job_body(flows.create_dataset(client)))
        before = metrics.scrape(stack)
        client.get(f"{JOBS}/{job['id']}?wait=3")
        now = metrics.await_figures(stack, lambda figures: figures.added(
            before, "consign_requests_total").get(pairs(route="job_get", code="2xx")) == 1)
    assert now.added(before, "consign_request_duration_seconds_sum")[pairs(route="job_get")] < 2
    client.delete(f"{JOBS}/{job['id']}")


def test_tokens_found_and_not(stack, tenants):
    fresh = mixture.own_client(stack)
    _ = fresh.token
    before = metrics.scrape(stack)
    for _ in range(3):
        fresh.get(f"{CATALOG}/dataSets")
    now = metrics.scrape(stack)
    assert now.added(before, "consign_token_cache_lookups_total") == {pairs(outcome="miss"): 1, pairs(outcome="hit"): 2}
    assert 1 <= now.of("consign_token_cache_entries") <= now.of("consign_token_cache_slots")


def test_work_is_counted_exactly(stack, client):
    """A batch with a bad record, one that fails, messages, and an export."""
    before = metrics.settled(stack)
    profiles = flows.create_dataset(client, "profile")
    records = [{"identityMap": {"Email": [{"id": f"p{n}", "primary": True}]}, "n": n} for n in range(7)]
    flows.ingest(client, profiles, flows.ndjson(records) + b"not json\n")
    flows.ingest(client, profiles, b"[{", expect="failed")
    streams.put_many(client, profiles, [streams.message(client, profiles, streams.profile(f"m{n}")) for n in range(3)])
    sandbox = streams.Sandbox(client)
    while sandbox.waiting():
        pass
    job, rows = flows.export(client, flows.job_body(flows.create_dataset(client)))
    assert len(rows) == 10
    files = flows.list_parts(client, job["destination"]["batchId"])
    stored = sandbox.one("SELECT sum(output_bytes)::bigint FROM consign.batch"
                         " WHERE org = %s AND sandbox = %s AND kind = 'ingest'")
    wanted = {
        "consign_attempts_total": {pairs(task="batch", outcome="succeeded"): 1, pairs(task="batch", outcome="failed"): 1,
                                   pairs(task="export", outcome="succeeded"): 1},
        "consign_ingest_records_total": {pairs(way="batch", outcome="taken"): 7, pairs(way="batch", outcome="refused"): 1,
                                         pairs(way="stream", outcome="taken"): 3},
        "consign_export_rows_total": {(): 10},
        "consign_export_files_total": {(): len(files)},
        "consign_export_bytes_total": {(): sum(int(part["length"]) for part in files)},
    }

    def added(now, name):
        return {labels: count for labels, count in now.added(before, name).items() if ("task", "stream") not in labels}

    now = metrics.await_figures(stack, lambda figures: all(added(figures, name) for name in wanted)
                                and sum(added(figures, "consign_attempts_total").values()) >= 3)
    for name, counts in wanted.items():
        assert added(now, name) == counts, name
    assert now.added(before, "consign_attempts_total")[pairs(task="stream", outcome="succeeded")] >= 1
    assert sum(now.added(before, "consign_ingest_bytes_total").values()) == stored
    assert set(now.added(before, "consign_attempt_seconds_total")) == {pairs(task=task) for task in ("batch", "stream", "export")}


def test_the_queue_is_told_by_class_of_weight(stack, tenants, spooler_paused):
    heavy = mixture.own_client(stack)
    stack.ctl("quota", "set", "--org", heavy.org, "--weight", "50")
    before = metrics.scrape(stack)
    with spooler_paused():
        dataset = flows.create_dataset(heavy)
        jobs = [flows.start_job(heavy, flows.job_body(dataset))["id"] for _ in range(3)]
        waiting = pairs(task="export", state="waiting", weight="10-99")
        now = metrics.await_figures(stack, lambda figures: figures.added(before, "consign_work").get(waiting) == 3)
        assert now.of("consign_work_oldest_seconds", task="export", weight="10-99") > 0
        assert now.of("consign_work_oldest_seconds", task="export", weight="100-1000") == 0
        for job in jobs:
            heavy.delete(f"{JOBS}/{job}")
    metrics.await_figures(stack, lambda figures: figures["consign_work", waiting] == before["consign_work", waiting])


def test_sweeps_are_counted(stack):
    before = metrics.scrape(stack)
    with rolling.settings(stack, "spooler", spooler__sweep_ms=1000):
        now = metrics.await_figures(stack, lambda figures: pairs(outcome="done") in figures.added(before, "consign_sweeps_total"))
    assert abs(now.of("consign_sweep_last_seconds") - flows.now_ms() / 1000) < 60


def test_no_tenant_is_named(stack, client):
    flows.create_dataset(client)
    shown = metrics.text(stack).text
    with psycopg.connect(stack.pg_uri) as db:
        names = db.execute("SELECT ims_org_id FROM consign.org UNION SELECT client_id FROM consign.client"
                           " UNION SELECT name FROM consign.sandbox WHERE length(name) > 8").fetchall()
    assert len(names) > 3
    assert [name for (name,) in names if name in shown] == []
    labels = {name for family in metrics.families(stack).values() for sample in family.samples for name in sample.labels}
    assert labels == {"route", "code", "le", "outcome", "issuer", "task", "state", "weight", "way", "what"}


def test_scraping_often_asks_the_database_seldom(stack):
    """However many ask: once in five seconds."""
    calls = "SELECT coalesce(sum(calls), 0) FROM pg_stat_user_functions WHERE funcname = 'metric_read'"
    with psycopg.connect(stack.pg_uri, autocommit=True) as db:
        db.execute("ALTER SYSTEM SET track_functions = 'pl'")
        try:
            db.execute("SELECT pg_reload_conf()")
            metrics.await_figures(stack, lambda _: db.execute(calls).fetchone()[0] > 0)
            (before,) = db.execute(calls).fetchone()
            begin = flows.now_ms()
            for _ in range(60):
                metrics.text(stack)
            took = (flows.now_ms() - begin) / 1000
            (after,) = db.execute(calls).fetchone()
        finally:
            db.execute("ALTER SYSTEM RESET track_functions")
            db.execute("SELECT pg_reload_conf()")
    # statistics of a session may come a second late
    assert after - before <= took / 5 + 2


@pytest.mark.fault
def test_workers_that_are_killed_are_counted(stack):
    before = metrics.scrape(stack)
    os.kill(mixture.workers(stack)[0], signal.SIGKILL)
    os.kill(stack.spooler_pids()[1], signal.SIGKILL)
    now = metrics.await_figures(stack, lambda figures: figures.added(before, "consign_workers_ended_total")
                                and figures.added(before, "consign_spooler_workers_ended_total"))
    assert now.added(before, "consign_workers_ended_total") == {(): 1}
    assert now.added(before, "consign_spooler_workers_ended_total") == {(): 1}
    assert requests.get(stack.ops_url + "/ready", timeout=10).status_code == 200
