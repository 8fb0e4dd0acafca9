"""Merge policies changed: PUT, JSON Patch (RFC 6902), versions."""

import threading

import pytest

import flows
from client import JSON
from flows import POLICIES, policy_body
from policies import get, listed, mine, op, org_client, patch, put, sources, without  # noqa: F401
from shapes import assert_problem

PATCH_TYPE = "application/json-patch+json"


def test_put_replaces_and_counts(mine, sources):
    made = flows.create_policy(mine, default=True, isActiveOnEdge=True)
    body = policy_body("pdg", sources, name="new")
    changed = put(mine, made["id"], {**made, **body, "default": False, "isActiveOnEdge": False}).json()
    assert changed["version"] == 2
    assert {**changed, "updateEpoch": 0} == {**made, **body, "version": 2, "default": False, "isActiveOnEdge": False,
                                             "updateEpoch": 0}
    assert get(mine, made["id"]) == changed
    assert put(mine, made["id"], changed).json() == changed, "nothing changed, so nothing counts"
    smallest = put(mine, made["id"], without(policy_body(), "name")).json()
    assert smallest["version"] == 3 and "name" not in smallest and "order" not in smallest["attributeMerge"]


def test_old_versions_can_be_read(mine):
    made = flows.create_policy(mine, name="one")
    put(mine, made["id"], policy_body("pdg", name="two"))
    old = get(mine, made["id"], "version=1")
    assert (old["version"], old["name"], old["identityGraph"]) == (1, "one", {"type": "none"})
    assert get(mine, made["id"], "version=2") == get(mine, made["id"])
    assert_problem(mine.call("GET", f"{POLICIES}/{made['id']}?version=3"), 404)
    assert_problem(mine.call("GET", f"{POLICIES}/{made['id']}?version=0"), 400)
    assert [p["version"] for p in listed(mine, "version=1")] == [1, 1]
    assert [p["id"] for p in listed(mine, "version=2")] == [made["id"]]


PATCHES = [
    ([], {}),
    ([op("add", "/name", "new")], {"name": "new"}),
    (op("add", "/name", "alone"), {"name": "alone"}),
    ([op("replace", "/identityGraph.type", "pdg")], {"identityGraph": {"type": "pdg"}}),
    ([op("replace", "/identityGraph/type", "pdg")], {"identityGraph": {"type": "pdg"}}),
    ([op("add", "/isActiveOnEdge", "true")], {"isActiveOnEdge": True}),
    ([op("add", "/schema.name", "_xdm.context.profile")], {}),
    ([op("add", "/version", 9)], {}),
    ([op("test", "/version", 1), op("replace", "/name", "tested")], {"name": "tested"}),
    ([op("copy", "/name", **{"from": "/id"})], {"name": "{id}"}),
    ([op("move", "/name", **{"from": "/schema/name"}), op("add", "/schema/name", "_xdm.context.profile")],
     {"name": "_xdm.context.profile"}),
]


@pytest.mark.parametrize("operations, changes", PATCHES, ids=[str(n) for n in range(len(PATCHES))])
def test_patch(mine, operations, changes):
    made = flows.create_policy(mine)
    changes = {name: made["id"] if value == "{id}" else value for name, value in changes.items()}
    changed = patch(mine, made["id"], operations).json()
    wanted = {**made, **changes, "version": 2 if changes else 1, "updateEpoch": changed["updateEpoch"]}
    assert changed == wanted == get(mine, made["id"])


def test_patch_of_an_order(mine, sources):
    made = flows.create_policy(mine, order=[sources[0]])
    turned = patch(mine, made["id"], [op("add", "/attributeMerge/order/0", sources[1])]).json()
    assert turned["attributeMerge"]["order"] == [sources[1], sources[0]]
    last = patch(mine, made["id"], [op("remove", "/attributeMerge/order/0"), op("remove", "/name")]).json()
    assert last["attributeMerge"]["order"] == [sources[0]] and "name" not in last and last["version"] == 3
    timed = patch(mine, made["id"], [op("replace", "/attributeMerge.type", "timestampOrdered")]).json()
    assert timed["attributeMerge"] == {"type": "timestampOrdered"}


def test_patch_takes_both_types(mine):
    made = flows.create_policy(mine)
    for sent in (JSON, JSON + "; charset=utf-8", PATCH_TYPE):
        patch(mine, made["id"], [op("add", "/name", sent)], headers={"Content-Type": sent})
    assert_problem(patch(mine, made["id"], [], expect=None, headers={"Content-Type": "application/merge-patch+json"}), 415)


BAD_PATCHES = [
    (5, 400, ""), ([5], 400, "/0"), ([{}], 400, "/0/op"), ([op("merge", "/name", 1)], 400, "/0/op"),
    ([{"op": "add", "value": 1}], 400, "/0/path"), ([op("add", "name", 1)], 400, "/0/path"),
    ([op("add", "/name")], 400, "/0/value"), ([op("add", "/colour", 1)], 400, "/0/path"),
    ([op("replace", "/id", "x")], 400, "/0/path"), ([op("remove", "/imsOrgId")], 400, "/0/path"),
    ([op("remove", "/attributeMerge/order")], 400, "/0/path"), ([op("remove", "")], 400, "/0/path"),
    ([op("move", "/name")], 400, "/0/from"), ([op("add", "/name", "x"), op("remove", "/schema/x")], 400, "/1/path"),
    ([op("remove", "/schema")], 400, "/schema"), ([op("add", "/name", 5)], 400, "/name"),
    ([op("add", "/default", "yes")], 400, "/default"), ([op("replace", "/identityGraph.type", "x")], 400, "/identityGraph/type"),
    ([op("add", "/attributeMerge.type", "dataSetPrecedence")], 400, "/attributeMerge/order"),
    ([op("replace", "", [])], 400, "/0/value"), ([op("add", "/name", "x")] * 101, 400, ""),
    ([op("test", "/name", "other")], 409, "/0/value"), (op("test", "/name", "other"), 409, "/value"),
    ([op("add", "/name", "x"), op("test", "/version", 7)], 409, "/1/value"),
    ([op("test", "/attributeMerge/order", [])], 409, "/0/path"),
]


@pytest.mark.parametrize("operations, status, pointer", BAD_PATCHES, ids=[str(n) for n in range(len(BAD_PATCHES))])
def test_bad_patch_changes_nothing(mine, operations, status, pointer):
    made = flows.create_policy(mine)
    assert_problem(patch(mine, made["id"], operations, expect=None), status, pointer)
    assert get(mine, made["id"]) == made


def test_patches_at_once_lose_nothing(mine):
    """Each adds a letter to a name that it has tested; who came late is told so, and tries again."""
    made = flows.create_policy(mine, name="n")

    def add(letter):
        while True:
            name = get(mine, made["id"])["name"]
            answer = patch(mine, made["id"], [op("test", "/name", name), op("replace", "/name", name + letter)], expect=None)
            assert answer.status_code in (200, 409, 503), answer.text
            if answer.status_code == 200:
                return

    threads = [threading.Thread(target=add, args=(letter,)) for letter in "abcdef"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    last = get(mine, made["id"])
    assert sorted(last["name"]) == sorted("nabcdef") and last["version"] == 7
