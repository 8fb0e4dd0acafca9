"""Merge policies: making, reading, deleting (contract section 1, issue 4; members as the reference has them)."""

import threading
import time
import uuid

import psycopg
import pytest

import flows
from client import JSON, Client
from flows import POLICIES, policy_body
from policies import (BUILT_IN, SANDBOXES, get, listed, mine, op, org_client, patch, put, remove_all, sources,  # noqa: F401
                      without)
from shapes import UUID, assert_problem

PATCH_TYPE = "application/json-patch+json"
MEMBERS = {"id", "name", "imsOrgId", "sandbox", "schema", "version", "identityGraph", "attributeMerge",
           "isActiveOnEdge", "default", "updateEpoch"}


# ---- making and reading ----

def test_sample_of_the_reference(mine, sources):
    before = int(time.time())
    body = policy_body("none", sources, name="Loyalty members ordered by ID", isActiveOnEdge=True, default=True)
    made = mine.post(POLICIES, body, expect=200).json()
    assert set(made) == MEMBERS
    assert UUID.match(made["id"])
    for name, value in body.items():
        assert made[name] == value
    assert made["version"] == 1 and isinstance(made["version"], int)
    assert made["imsOrgId"] == mine.org
    assert made["sandbox"] == {"sandboxId": "first", "sandboxName": "first"}
    assert before - 1 <= made["updateEpoch"] <= int(time.time()) + 1
    assert get(mine, made["id"]) == made
    assert made in listed(mine)


def test_smallest_policy(mine):
    made = mine.post(POLICIES, without(policy_body(), "name"), expect=200).json()
    assert "name" not in made
    assert (made["default"], made["isActiveOnEdge"], made["identityGraph"], made["attributeMerge"]) == (
        False, False, {"type": "none"}, {"type": "timestampOrdered"})


def test_members_of_the_service_are_passed_over(mine):
    body = policy_body("pdg", id=str(uuid.uuid4()), version=9, imsOrgId="x", updateEpoch=1, sandbox={"a": 1}, more=[1])
    made = mine.post(POLICIES, body, expect=200).json()
    assert made["id"] != body["id"] and made["version"] == 1 and made["imsOrgId"] == mine.org and "more" not in made


def test_order_is_dropped_when_it_does_not_count(mine, sources):
    body = policy_body()
    body["attributeMerge"]["order"] = sources
    assert mine.post(POLICIES, body, expect=200).json()["attributeMerge"] == {"type": "timestampOrdered"}


def test_built_in_policy(mine):
    document = get(mine, BUILT_IN)
    assert set(document) == MEMBERS
    assert (document["id"], document["version"], document["default"]) == (BUILT_IN, 1, True)
    assert document["attributeMerge"] == {"type": "timestampOrdered"} and document["identityGraph"] == {"type": "none"}
    assert document in listed(mine)
    for method, body in (("PUT", policy_body()), ("PATCH", [op("add", "/default", False)]), ("DELETE", None)):
        answer = mine.call(method, f"{POLICIES}/{BUILT_IN}", json=body, headers={"Content-Type": JSON})
        assert_problem(answer, 409)
    assert get(mine, BUILT_IN) == document


def test_head_and_slash(mine):
    made = flows.create_policy(mine)
    for path in (POLICIES, f"{POLICIES}/{made['id']}"):
        plain = mine.get(path)
        assert mine.get(path + "/").json() == plain.json()
        head = mine.call("HEAD", path, expect=200)
        assert head.content == b"" and head.headers["Content-Length"] == plain.headers["Content-Length"]


@pytest.mark.parametrize("method, path, allow", [
    ("DELETE", "", "POST, GET, HEAD"), ("PATCH", "", "POST, GET, HEAD"), ("GET", "/bulk-get", "POST"),
    ("DELETE", "/bulk-get", "POST"), ("POST", "/x", "GET, HEAD, PUT, PATCH, DELETE")])
def test_other_methods_are_405(org_client, method, path, allow):
    answer = org_client.call(method, POLICIES + path)
    assert_problem(answer, 405)
    assert answer.headers["Allow"] == allow


GOOD = policy_body()
REFUSED = [
    ([], ""), (without(GOOD, "schema"), "/schema"), (without(GOOD, "schema", "name"), "/schema/name"),
    ({**GOOD, "schema": {"name": "_xdm.context.experienceevent"}}, "/schema/name"),
    ({**GOOD, "schema": "_xdm.context.profile"}, "/schema"),
    (without(GOOD, "identityGraph"), "/identityGraph"), ({**GOOD, "identityGraph": {}}, "/identityGraph/type"),
    (policy_body("coop"), "/identityGraph/type"), (policy_body(5), "/identityGraph/type"),
    (without(GOOD, "attributeMerge"), "/attributeMerge"), ({**GOOD, "attributeMerge": {}}, "/attributeMerge/type"),
    ({**GOOD, "attributeMerge": {"type": "newest"}}, "/attributeMerge/type"),
    ({**GOOD, "attributeMerge": {"type": "dataSetPrecedence"}}, "/attributeMerge/order"),
    (policy_body(order=[]), "/attributeMerge/order"), (policy_body(order="x"), "/attributeMerge/order"),
    (policy_body(order=[5]), "/attributeMerge/order/0"), (policy_body(order=["x"]), "/attributeMerge/order/0"),
    (policy_body(order=[f"{n:024x}" for n in range(101)]), "/attributeMerge/order"),
    (policy_body(order=[flows.NO_SUCH_DATASET]), "/attributeMerge/order/0"),
    ({**GOOD, "name": ""}, "/name"), ({**GOOD, "name": "n" * 256}, "/name"), ({**GOOD, "name": None}, "/name"),
    ({**GOOD, "default": "true"}, "/default"), ({**GOOD, "default": None}, "/default"),
    ({**GOOD, "isActiveOnEdge": 1}, "/isActiveOnEdge"),
]


@pytest.mark.parametrize("body, pointer", REFUSED, ids=[f"{n}-{p}" for n, (_, p) in enumerate(REFUSED)])
def test_bad_policy_is_400_with_the_pointer(mine, body, pointer):
    assert_problem(mine.post(POLICIES, body), 400, pointer)
    policy = flows.create_policy(mine)
    assert_problem(put(mine, policy["id"], body, expect=None), 400, pointer)
    assert get(mine, policy["id"]) == policy


def test_body_that_is_no_json_is_400(org_client):
    for body in (b"", b"{", b'{"a":1,"a":1}', b"\xff"):
        assert_problem(org_client.call("POST", POLICIES, body=body), 400)
    assert_problem(org_client.call("POST", POLICIES, body=b"{}", headers={"Content-Type": "text/plain"}), 415)
    assert_problem(org_client.call("POST", POLICIES, body=b"{}", headers={"Content-Type": PATCH_TYPE}), 415)


def test_order_wants_datasets_of_profile_records_of_this_sandbox(mine, sources):
    elsewhere = flows.create_dataset(mine.in_sandbox("second"), "profile")
    for wrong in (flows.create_dataset(mine), flows.create_dataset(mine, "event"), elsewhere, flows.NO_SUCH_DATASET):
        answer = mine.post(POLICIES, policy_body(order=[sources[0], wrong]))
        assert_problem(answer, 400, "/attributeMerge/order/1")
    answer = mine.post(POLICIES, policy_body(order=[sources[0], sources[1], sources[0]]))
    assert_problem(answer, 400, "/attributeMerge/order/2")
    policy = flows.create_policy(mine)
    answer = put(mine, policy["id"], policy_body(order=[elsewhere]), expect=None)
    assert_problem(answer, 400, "/attributeMerge/order/0")
    answer = patch(mine, policy["id"], [op("add", "/attributeMerge", {"type": "dataSetPrecedence", "order": [elsewhere]})],
                   expect=None)
    assert_problem(answer, 400, "/attributeMerge/order/0")


# ---- the most, the default ----

def test_five_an_org_over_its_sandboxes(mine):
    second = mine.in_sandbox("second")
    made = [flows.create_policy(client) for client in (mine, mine, second, second, second)]
    for client in (mine, second):
        problem = assert_problem(client.post(POLICIES, policy_body()), 409)
        assert "5" in problem["detail"]
    second.delete(f"{POLICIES}/{made[2]['id']}", expect=200)
    flows.create_policy(mine)


def test_five_when_many_ask_at_once(mine):
    statuses, barrier = [], threading.Barrier(12)

    def ask(client):
        barrier.wait()
        statuses.append(client.post(POLICIES, policy_body(default=True)).status_code)

    threads = [threading.Thread(target=ask, args=(mine.in_sandbox(SANDBOXES[n % 2]),)) for n in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(statuses) == [200] * 5 + [409] * 7
    for sandbox in SANDBOXES:
        found = listed(mine.in_sandbox(sandbox))
        assert sum(p["default"] for p in found) == 1, found


def defaults(client):
    return [p["id"] for p in listed(client) if p["default"]]


def test_default_has_one_place(mine):
    one = flows.create_policy(mine, default=True)["id"]
    assert defaults(mine) == [one]
    two = flows.create_policy(mine, default=True)["id"]
    assert defaults(mine) == [two]
    assert get(mine, one)["version"] == 1
    patch(mine, one, [op("replace", "/default", True)])
    assert defaults(mine) == [one]
    put(mine, two, policy_body(default=True))
    assert defaults(mine) == [two]
    assert defaults(mine.in_sandbox("second")) == [BUILT_IN]
    put(mine, two, policy_body())
    assert defaults(mine) == [BUILT_IN]
    patch(mine, one, op("add", "/default", "true"))
    assert defaults(mine) == [one]
    mine.delete(f"{POLICIES}/{one}", expect=200)
    assert defaults(mine) == [BUILT_IN]


# ---- deleting, and jobs ----

def test_delete(mine):
    made = flows.create_policy(mine)
    answer = mine.delete(f"{POLICIES}/{made['id']}", expect=200)
    assert answer.content == b""
    for method in ("GET", "DELETE"):
        assert_problem(mine.call(method, f"{POLICIES}/{made['id']}"), 404)
    assert_problem(put(mine, made["id"], policy_body(), expect=None), 404)
    assert_problem(patch(mine, made["id"], [], expect=None), 404)
    assert made["id"] not in [p["id"] for p in listed(mine)]


def test_a_policy_in_use_stays_until_the_job_ends(mine, spooler_paused):
    made = flows.create_policy(mine, default=True)
    path = f"{POLICIES}/{made['id']}"
    put(mine, made["id"], policy_body("pdg", default=True))
    with spooler_paused():
        job = flows.start_job(mine, flows.job_body(flows.create_dataset(mine), mergePolicy={"id": made["id"], "version": 1}))
        assert job["mergePolicy"] == {"id": made["id"], "version": 1}
        newest = flows.start_job(mine, flows.job_body(flows.create_dataset(mine)))
        assert newest["mergePolicy"] == {"id": made["id"], "version": 2}, "without a policy it is the default"
        assert_problem(mine.call("DELETE", path), 409)
        mine.delete(f"{flows.JOBS}/{newest['id']}")
        assert_problem(mine.call("DELETE", path), 409)
        mine.delete(f"{flows.JOBS}/{job['id']}")
    flows.wait_job(mine, job["id"])
    flows.wait_job(mine, newest["id"])
    mine.delete(path, expect=200)
    assert mine.get(f"{flows.JOBS}/{job['id']}").json()["mergePolicy"] == {"id": made["id"], "version": 1}
    answer = mine.post(flows.JOBS, flows.job_body(flows.create_dataset(mine), mergePolicy={"id": made["id"]}))
    assert_problem(answer, 400, "/mergePolicy/id")


# ---- keys ----

def test_one_key_is_one_policy(mine):
    key, body = {"Idempotency-Key": uuid.uuid4().hex}, policy_body(name="keyed")
    made = mine.post(POLICIES, body, expect=200, headers=key).json()
    assert mine.post(POLICIES, body, expect=200, headers=key).json() == made
    changed = patch(mine, made["id"], [op("add", "/name", "later")]).json()
    assert mine.post(POLICIES, body, expect=200, headers=key).json() == changed, "the policy as it is now"
    assert_problem(mine.post(POLICIES, {**body, "name": "other"}, headers=key), 422)
    assert mine.in_sandbox("second").post(POLICIES, body, expect=200, headers=key).json()["id"] != made["id"]
    mine.delete(f"{POLICIES}/{made['id']}", expect=200)
    assert_problem(mine.post(POLICIES, body, headers=key), 404)
    assert_problem(mine.post(POLICIES, body, headers={"Idempotency-Key": "k" * 256}), 400)


def test_a_refusal_uses_no_key(mine):
    key = {"Idempotency-Key": uuid.uuid4().hex}
    assert_problem(mine.post(POLICIES, policy_body(order=[flows.NO_SUCH_DATASET]), headers=key), 400)
    mine.post(POLICIES, policy_body(), expect=200, headers=key)


def test_one_key_at_once(mine):
    key, ids, barrier = {"Idempotency-Key": uuid.uuid4().hex}, set(), threading.Barrier(6)

    def ask():
        barrier.wait()
        ids.add(mine.post(POLICIES, policy_body(), expect=200, headers=key).json()["id"])

    threads = [threading.Thread(target=ask) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(ids) == 1 and len(listed(mine)) == 2


# ---- others ----

@pytest.fixture(scope="module")
def stranger(stack, tenants):
    org = tenants.org("first")
    return Client(stack, org, "first", *tenants.credentials(org))


def told(answer):
    return answer.status_code, answer.json() | {"requestId": ""}


def test_nobody_sees_the_policies_of_others(mine, stranger):
    theirs = flows.create_policy(stranger)["id"]
    beside = flows.create_policy(mine.in_sandbox("second"))["id"]
    unknown = str(uuid.uuid4())
    flows.create_policy(mine)
    for foreign in (theirs, beside):
        for method, body in (("GET", None), ("PUT", policy_body()), ("PATCH", [op("add", "/name", "x")]), ("DELETE", None),
                             ("PATCH", [op("test", "/name", "policy")]), ("PUT", policy_body(order=[flows.NO_SUCH_DATASET]))):
            answers = [mine.call(method, f"{POLICIES}/{ident}", json=body, headers={"Content-Type": JSON})
                       for ident in (foreign, unknown)]
            assert told(answers[0]) == told(answers[1]), (method, foreign)
            assert_problem(answers[0], 404)
        results = mine.post(f"{POLICIES}/bulk-get", {"ids": [{"id": foreign}, {"id": unknown}]}, expect=207).json()["results"]
        assert results[foreign] == results[unknown]
        assert foreign not in [p["id"] for p in listed(mine)]
        answer = mine.post(flows.JOBS, flows.job_body(flows.create_dataset(mine), mergePolicy={"id": foreign}))
        assert_problem(answer, 400, "/mergePolicy/id")
    assert get(stranger, theirs)["version"] == 1
    remove_all(stranger)


def test_the_most_of_one_org_is_its_own(mine, stranger):
    for _ in range(5):
        flows.create_policy(mine)
    flows.create_policy(stranger)
    remove_all(stranger)


def test_all_versions_are_kept_and_go_with_the_policy(stack, mine):
    made = flows.create_policy(mine)
    for n in range(3):
        put(mine, made["id"], policy_body(name=f"n{n}"))
    count = "SELECT count(*) FROM consign.merge_policy_version WHERE policy = %s"
    with psycopg.connect(stack.pg_uri, autocommit=True) as owner:
        assert owner.execute(count, [made["id"]]).fetchone() == (4,)
        mine.delete(f"{POLICIES}/{made['id']}", expect=200)
        assert owner.execute(count, [made["id"]]).fetchone() == (0,)


def test_the_audit_names_the_policy(stack, mine):
    request = f"policy-{uuid.uuid4().hex[:12]}"
    made = mine.post(POLICIES, policy_body(), expect=200, headers={"x-request-id": request}).json()
    log = stack.dir / "log" / "api.log"
    lines = [line for line in log.read_text().splitlines() if f"req={request} " in line and "event=audit" in line]
    assert len(lines) == 1 and f'object="{made["id"]}"' in lines[0] and "action=policy_create" in lines[0], lines
