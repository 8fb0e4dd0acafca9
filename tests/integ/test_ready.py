"""GET /ready: 503 with all that is missing, within its time; and what /metrics and /health say meanwhile."""

import contextlib
import os
import pathlib
import time

import psycopg
import pytest
import requests

import metrics
import ownstack

pytestmark = pytest.mark.fault


@pytest.fixture(scope="module")
def own():
    with ownstack.own_stack() as made:
        yield made


@pytest.fixture(scope="module")
def stack(own):
    return own.start(api__workers=2)


def ready(stack):
    return requests.get(stack.ops_url + "/ready", timeout=20)


def await_ready(stack, status, seconds=10):
    deadline = time.monotonic() + seconds
    while (answer := ready(stack)).status_code != status:
        assert time.monotonic() < deadline, answer.text
        time.sleep(0.05)
    return answer


def assert_lacks(answer, *reasons):
    """A problem whose detail names these and nothing else."""
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.headers["Retry-After"]
    problem = answer.json()
    assert (answer.status_code, problem["type"], problem["status"]) == (503, "/problems/not-ready", 503)
    told = problem["detail"].split("; ")
    assert len(told) == len(reasons), told
    for reason, said in zip(reasons, told):
        assert said.startswith(reason), told
    assert "/" not in problem["detail"].replace("https://issuer.example", "")  # no path on a disk


@contextlib.contextmanager
def away(path):
    """The directory is not there while it is open."""
    aside = pathlib.Path(f"{path}.aside")
    path.rename(aside)
    try:
        yield
    finally:
        aside.rename(path)


def test_all_is_there(stack):
    assert ready(stack).json() == {"status": "ready", "database": "up", "keys": "up", "inbox": "up", "lake": "up"}
    assert requests.get(stack.ops_url + "/health", timeout=20).json()["status"] == "up"


def test_a_lake_that_is_gone(stack):
    with away(stack.dir / "lake"):
        assert_lacks(ready(stack), "lake: No such file")
    await_ready(stack, 200)


def test_an_inbox_that_takes_nothing(stack):
    inbox = stack.dir / "inbox"
    mode = inbox.stat().st_mode
    inbox.chmod(0o500)
    try:
        if os.geteuid() == 0:  # the service runs as somebody whom modes bind
            assert_lacks(ready(stack), "inbox: Permission denied")
    finally:
        inbox.chmod(mode)
    with away(inbox), away(stack.dir / "lake"):
        assert_lacks(ready(stack), "inbox: No such file", "lake: No such file")
    await_ready(stack, 200)


def test_a_database_that_takes_no_writes(stack):
    """As a full disk guard or a failover sets it; connections that are open learn of it too."""
    with psycopg.connect(stack.pg_uri, autocommit=True) as db:
        db.execute("SET default_transaction_read_only = off")
        assert ready(stack).status_code == 200
        db.execute("ALTER SYSTEM SET default_transaction_read_only = on")
        try:
            db.execute("SELECT pg_reload_conf()")
            assert_lacks(await_ready(stack, 503), "database: it")
        finally:
            db.execute("SET default_transaction_read_only = off")
            db.execute("ALTER SYSTEM RESET default_transaction_read_only")
            db.execute("SELECT pg_reload_conf()")
    await_ready(stack, 200)


def test_a_database_that_stands_still(stack):
    before = metrics.await_figures(stack, lambda figures: figures.of("consign_database_up") == 1)
    with stack.postgres_stopped():
        for _ in range(4):  # both workers
            begin = time.monotonic()
            assert_lacks(ready(stack), "database: it does not answer")
            assert time.monotonic() - begin < 4
        assert requests.get(stack.ops_url + "/health", timeout=5).status_code == 200
        down = metrics.await_figures(stack, lambda figures: figures.of("consign_database_up") == 0)
        assert not {"consign_work", "consign_attempts_total"} & {name for name, _ in down}
        assert down.of("consign_requests_total", route="ready", code="5xx") \
            >= before.of("consign_requests_total", route="ready", code="5xx") + 4
    await_ready(stack, 200)
    metrics.await_figures(stack, lambda figures: figures.of("consign_database_up") == 1)


def test_an_issuer_without_keys(own, stack):
    issuers, keys = stack.dir / "issuers", stack.dir / "issuer.json"
    issuers.write_text(f"https://issuer.example rfc9068 consign {keys}\n")
    issuers.chmod(0o644)
    conf = stack.dir / "consign.conf"
    conf.write_text(conf.read_text() + f"token.issuers = {issuers}\n")
    done = ownstack.devstack("reload", "--dir", str(own.dir))
    assert done.returncode == 0, done.stderr
    assert_lacks(await_ready(stack, 503), "keys: there is none of the issuer https://issuer.example")
    assert metrics.scrape(stack).of("consign_key_set_keys", issuer="https://issuer.example") == 0
    keys.write_text(requests.get(stack.url + "/ims/jwks", timeout=10).text)
    keys.chmod(0o644)
    await_ready(stack, 200, seconds=15)
