"""Idempotency keys when the database's answer is lost (issue 6, point 3): on every creating POST, for 24 h, per tenant.

A proxy between the pool and PostgreSQL cuts exactly between COMMIT and its answer, before COMMIT, and in the middle of a
row, and holds answers back; a connection that such a thing happened to is never used again.
"""

import itertools
import os
import pathlib
import re
import subprocess
import sys
import time
import uuid

import psycopg
import pytest

import flows
import registry
import streams
from client import Client
from cutting import ANSWER, COMMIT, HOLD, ROWS, Proxy
from ownstack import own_stack
from shapes import assert_problem
from stack import Tenants, process_tree

sys.path.append(str(pathlib.Path(__file__).resolve().parents[1] / "fault"))
from tracing import Injection  # noqa: E402

SYSTEM = "/data/core/ups/system/jobs"
DATABASE_MS = 1500
NUMBERS = itertools.count()


class Creating:
    """A creating POST: its statement, its route, what it is sent, what names the object, and how many there are."""

    def __init__(self, statement, route, request, name, count):
        self.statement, self.route, self.request, self.name, self.count = statement, route, request, name, count


def rows(table, condition="true"):
    return f"SELECT count(*) FROM consign.{table} WHERE org = %s AND sandbox = %s AND {condition}"


def descriptor(parts):
    return registry.DESCRIPTORS, registry.descriptor_body(parts.schema, f"/m{next(NUMBERS)}", "Email")


MESSAGES = "SELECT coalesce(sum(input_records), 0)::int FROM consign.batch WHERE org = %s AND sandbox = %s AND kind = 'ingest'"
CREATING = {
    "dataset": Creating("dataset_create", f"{flows.CATALOG}/dataSets",
                        lambda p: (f"{flows.CATALOG}/dataSets", flows.dataset_body()), lambda j: j[0], rows("dataset")),
    "job": Creating("job_create", flows.JOBS,
                    lambda p: (flows.JOBS, flows.job_body(p.union)), lambda j: j["id"], rows("export_job")),
    "policy": Creating("policy_create", flows.POLICIES,
                       lambda p: (flows.POLICIES, flows.policy_body()), lambda j: j["id"], rows("merge_policy")),
    "system job": Creating("system_job_create", SYSTEM,
                           lambda p: (SYSTEM, {"dataSetId": p.other}), lambda j: j["id"], rows("system_job")),
    "batch": Creating("batch_create", flows.IMPORT,
                      lambda p: (flows.IMPORT, {"datasetId": p.profile, "inputFormat": {"format": "json"}}),
                      lambda j: j["id"], rows("batch", "status = 'loading'")),
    "message": Creating("stream_put", f"{streams.COLLECTION}/*",
                        lambda p: (f"{streams.COLLECTION}/{p.profile}", streams.profile("one@x")),
                        lambda j: j["xactionId"], MESSAGES),
    "messages": Creating("stream_put", f"{streams.COLLECTION}/batch/*",
                         lambda p: (f"{streams.COLLECTION}/batch/{p.profile}", {"messages": [streams.profile("two@x")]}),
                         lambda j: j["responses"][0]["xactionId"], MESSAGES),
    "schema": Creating("schema_create", registry.SCHEMAS,
                       lambda p: (registry.SCHEMAS, registry.schema_body()), lambda j: j["$id"], rows("registry_schema")),
    "descriptor": Creating("descriptor_create", registry.DESCRIPTORS, descriptor, lambda j: j["@id"],
                           rows("registry_descriptor")),
}
# POST that makes nothing: it asks, or acts on what its path names; a token is not an object
NOT_CREATING = {f"{flows.POLICIES}/bulk-get", "/data/core/ups/access/entities", f"{flows.IMPORT}/*", "/ims/token/v3"}


class Parts:
    """A sandbox with what the creating calls refer to."""

    def __init__(self, client):
        self.client = client
        self.union = flows.create_dataset(client)
        self.profile, self.other = (flows.create_dataset(client, "profile") for _ in range(2))
        self.schema = registry.create_schema(client, **{f"m{i}": registry.STRING for i in range(40)})["$id"]
        self.sandbox = streams.Sandbox(client)

    def post(self, request, key=None, **more):
        path, body = request
        return self.client.post(path, body, headers={} if key is None else {"Idempotency-Key": key}, **more)

    def count(self, creating):
        if creating.count == MESSAGES:
            self.sandbox.settle()
        return self.sandbox.one(creating.count)


@pytest.fixture(scope="module")
def proxied():
    """A stack whose pool reaches its database through a proxy: (stack, proxy)."""
    with own_stack() as made:
        proxy = Proxy(made.dir / "run" / "pg" / ".s.PGSQL.5432")
        try:
            yield made.start(database__api=proxy.conninfo("consign_api"), api__workers=2,
                             api__database_ms=DATABASE_MS, api__queue_ms=500), proxy
        finally:
            proxy.close()


@pytest.fixture(scope="module")
def proxy(proxied):
    return proxied[1]


@pytest.fixture(scope="module")
def tenant(proxied):
    tenants = Tenants(proxied[0])
    org = tenants.org("one", "two")
    return Client(proxied[0], org, "one", *tenants.credentials(org))


@pytest.fixture(scope="module")
def one(tenant):
    return Parts(tenant)


@pytest.fixture(scope="module")
def two(tenant):
    return Parts(tenant.in_sandbox("two"))


def test_every_creating_post_is_here(proxied):
    """A new POST route has to say whether it makes something, and then takes a key like the others."""
    table = subprocess.run([proxied[0].dir / "bin" / "consign-api", "--routes"], capture_output=True, text=True, check=True)
    posts = set(re.findall(r"^\| POST \| `([^`]+)`", table.stdout, re.MULTILINE))
    assert {creating.route for creating in CREATING.values()} | NOT_CREATING == posts


@pytest.mark.parametrize("what", CREATING)
def test_the_same_key_finds_what_was_made_when_the_answer_to_commit_was_lost(proxy, one, two, what):
    creating, key = CREATING[what], f"lost {uuid.uuid4()}"
    request, before = creating.request(one), one.count(creating)
    with proxy.rule(ANSWER, creating.statement):
        problem = assert_problem(one.post(request, key), 503)
        assert problem["type"] == "/problems/database-unavailable"
    assert one.count(creating) == before + 1
    found = [creating.name(one.post(request, key, expect=(200, 201)).json()) for _ in range(2)]
    assert found[0] == found[1]
    assert one.count(creating) == before + 1, "made again"
    path, body = request
    assert_problem(one.post((path, {**body, "more": 1} if what != "messages" else {"messages": [streams.profile("three@x")]}),
                            key), 422)
    elsewhere = creating.name(two.post(creating.request(two), key, expect=(200, 201)).json())
    assert elsewhere != found[0], "the key of another sandbox"


@pytest.mark.parametrize("what", CREATING)
def test_nothing_was_made_when_the_cut_came_before_commit(proxy, one, what):
    creating, key = CREATING[what], f"early {uuid.uuid4()}"
    request, before = creating.request(one), one.count(creating)
    with proxy.rule(COMMIT, creating.statement):
        assert_problem(one.post(request, key), 503)
    assert one.count(creating) == before
    found = [creating.name(one.post(request, key, expect=(200, 201)).json()) for _ in range(2)]
    assert found[0] == found[1]
    assert one.count(creating) == before + 1


REFUSE_AT_COMMIT = """
CREATE FUNCTION public.refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'at commit'; END $$;
CREATE CONSTRAINT TRIGGER refuse AFTER INSERT ON consign.export_job DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION public.refuse();
"""


def test_a_commit_that_fails_is_an_error_and_makes_nothing(proxied, one):
    """The statement has answered with its row by then. The key is free, and the connection as good as before."""
    creating, key = CREATING["job"], f"refused {uuid.uuid4()}"
    request, before = creating.request(one), one.count(creating)
    with psycopg.connect(proxied[0].pg_uri, autocommit=True) as database:
        database.execute(REFUSE_AT_COMMIT)
        try:
            assert_problem(one.post(request, key), 500)
        finally:
            database.execute("DROP FUNCTION public.refuse CASCADE")
    assert one.count(creating) == before
    creating.name(one.post(request, key, expect=(200, 201)).json())
    assert one.count(creating) == before + 1


@pytest.mark.skipif(os.geteuid() != 0, reason="strace on a confined worker needs root")
def test_the_same_key_finds_what_was_made_when_its_worker_died_before_the_answer(proxied, one):
    """nginx answers then, with the problem of a busy service: after that too nobody can tell what was done."""
    creating, key = CREATING["job"], f"died {uuid.uuid4()}"
    request, before = creating.request(one), one.count(creating)
    one.client.get(flows.JOBS)
    _, *workers = process_tree(int((proxied[0].dir / "pids" / "api").read_text()))
    killing = Injection(workers, "write", "signal=KILL", 1)  # what it writes after COMMIT
    try:
        problem = assert_problem(one.post(request, key), 503)
    finally:
        killing.end()
    assert problem["type"] == "/problems/overloaded"
    assert one.count(creating) == before + 1
    found = [creating.name(one.post(request, key, expect=(200, 201)).json()) for _ in range(2)]
    assert found[0] == found[1] and one.count(creating) == before + 1


def test_without_a_key_the_object_of_a_503_may_exist(proxy, one):
    """What the README says of it; the client that wants to try again needs a key."""
    creating = CREATING["dataset"]
    before = one.count(creating)
    with proxy.rule(ANSWER, creating.statement):
        assert_problem(one.post(creating.request(one)), 503)
    assert one.count(creating) == before + 1
    one.post(creating.request(one), expect=201)
    assert one.count(creating) == before + 2


def test_a_key_ends_after_a_day(one):
    creating, key = CREATING["dataset"], f"day {uuid.uuid4()}"
    path, body = creating.request(one)
    first = one.post((path, body), key, expect=201).json()
    age = "UPDATE consign.idempotency_key SET created_ms = created_ms - %s WHERE key_sha256 = encode(sha256(%s), 'hex')"
    with psycopg.connect(one.client.stack.pg_uri, autocommit=True) as db:
        db.execute(age, (86_390_000, key.encode()))
        assert one.post((path, body), key, expect=201).json() == first
        db.execute(age, (20_000, key.encode()))
    assert one.post((path, {**body, "description": "another"}), key, expect=201).json() != first


def test_an_answer_cut_in_a_row_is_503_and_the_next_is_whole(proxy, one):
    job = one.post(CREATING["job"].request(one), expect=200).json()["id"]
    with proxy.rule(ROWS, "job_get"):
        assert_problem(one.client.call("GET", f"{flows.JOBS}/{job}"), 503)
    assert one.client.get(f"{flows.JOBS}/{job}").json()["id"] == job


def test_an_answer_held_back_is_503_in_time_and_its_connection_is_dropped(proxy, one):
    """A late answer must not be taken for that of a later request: the rule also sees that nothing is sent there any more."""
    creating, key = CREATING["job"], f"held {uuid.uuid4()}"
    request, before = creating.request(one), one.count(creating)
    begin = time.monotonic()
    with proxy.rule(HOLD, creating.statement) as rule:
        assert_problem(one.post(request, key), 503)
        assert time.monotonic() - begin < DATABASE_MS / 1000 + 1
        made = one.post(request, key, expect=200).json()["id"]
        rule.release()
        for _ in range(6):
            one.client.get(f"{flows.JOBS}/{made}")
    assert one.count(creating) == before + 1


def test_all_connections_cut_at_once_heal_with_the_next_request(proxy, one):
    one.client.get(flows.JOBS)
    proxy.cut_all()
    assert [one.client.call("GET", flows.JOBS).status_code for _ in range(8)] == [200] * 8
