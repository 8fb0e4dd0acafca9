"""Merge policies, many at once: the list and bulk-get."""

import uuid

import pytest

import flows
from flows import POLICIES
from policies import BUILT_IN, get, listed, mine, names, op, org_client, patch, sources  # noqa: F401
from shapes import assert_problem


def test_bulk_get(mine):
    made = flows.create_policy(mine)
    unknown = str(uuid.uuid4())
    body = {"ids": [{"id": made["id"]}, {"id": BUILT_IN}, {"id": unknown}, {"id": "no such"}, {"id": made["id"]}]}
    results = mine.post(f"{POLICIES}/bulk-get", body, expect=207).json()["results"]
    assert set(results) == {made["id"], BUILT_IN, unknown, "no such"}
    assert results[made["id"]] == made
    assert results[BUILT_IN] == get(mine, BUILT_IN)
    assert results[unknown] == results["no such"]
    assert (results[unknown]["status"], results[unknown]["type"]) == (404, "/problems/not-found")


@pytest.mark.parametrize("body, pointer", [
    ([], ""), ({}, "/ids"), ({"ids": None}, "/ids"), ({"ids": []}, "/ids"), ({"ids": {"id": "x"}}, "/ids"),
    ({"ids": [{"id": "x"}] * 101}, "/ids"), ({"ids": ["x"]}, "/ids/0/id"), ({"ids": [{"id": "x"}, {}]}, "/ids/1/id"),
    ({"ids": [{"id": 5}]}, "/ids/0/id"), ({"ids": [{"id": "x" * 256}]}, "/ids/0/id")])
def test_bad_bulk_get_is_400(org_client, body, pointer):
    assert_problem(org_client.post(f"{POLICIES}/bulk-get", body), 400, pointer)


@pytest.fixture
def five(mine, sources):
    """Five policies: named a to e, each unlike the others in what lists filter by."""
    for name, graph, order, more in (("c", "none", None, {}), ("a", "pdg", None, {"default": True}),
                                     ("e", "none", sources, {"isActiveOnEdge": True}), ("b", "pdg", sources, {}),
                                     ("d", "none", None, {})):
        flows.create_policy(mine, graph, order, name=name, **more)
    return mine


@pytest.mark.parametrize("query, wanted", [
    ("", ["a", "b", "c", "d", "e", BUILT_IN]), ("orderBy=", ["a", "b", "c", "d", "e", BUILT_IN]),
    ("orderBy=name", ["a", "b", "c", "d", "e", BUILT_IN]), ("orderBy=+name", ["a", "b", "c", "d", "e", BUILT_IN]),
    ("orderBy=%2Bname", ["a", "b", "c", "d", "e", BUILT_IN]), ("orderBy=-name", [BUILT_IN, "e", "d", "c", "b", "a"]),
    ("limit=2&start=1", ["b", "c"]), ("start=6", []), ("start=900", []),
    ("default=true", ["a"]), ("default=false", ["b", "c", "d", "e", BUILT_IN]), ("isActiveOnEdge=true", ["e"]),
    ("identityGraph.type=pdg", ["a", "b"]), ("attributeMerge.type=dataSetPrecedence", ["b", "e"]),
    ("identityGraph.type=none&attributeMerge.type=timestampOrdered", ["c", "d", BUILT_IN]),
    ("schema.name=_xdm.context.profile&identityGraph.type=pdg", ["a", "b"]), ("schema.name=_xdm.context.other", []),
    ("version=2", []), ("unknown=7", ["a", "b", "c", "d", "e", BUILT_IN])])
def test_list(five, query, wanted):
    answer = five.get(f"{POLICIES}?{query}").json()
    assert set(answer) == {"_page", "children", "_links"}
    assert [p["name"] for p in answer["children"]] == wanted
    assert answer["_page"]["pageSize"] == len(wanted)


def test_list_orders_by_other_members(five):
    changed = listed(five, "default=true")[0]["id"]
    patch(five, changed, [op("replace", "/identityGraph.type", "none")])
    assert names(five, "orderBy=-version")[0] == "a"
    assert [p["id"] for p in listed(five, "orderBy=id")] == sorted(p["id"] for p in listed(five))
    epochs = [p["updateEpoch"] for p in listed(five, "orderBy=updateEpoch")]
    assert epochs == sorted(epochs)


def test_list_pages(five):
    for query in ("limit=2", "limit=2&orderBy=-name", "limit=1&default=false&schema.name=_xdm.context.profile",
                  "limit=1&identityGraph.type=none&attributeMerge.type=timestampOrdered&isActiveOnEdge=false&version=1"):
        whole, found, link = names(five, query.split("&", 1)[1] if "&" in query else ""), [], f"@/mergePolicies?{query}"
        while link:
            assert link.startswith("@/mergePolicies?")
            page = five.get(POLICIES + link.removeprefix("@/mergePolicies")).json()
            assert page["_page"]["totalCount"] == len(whole)
            found += [p["name"] for p in page["children"]]
            link = page["_links"]["next"]["href"]
        assert found == whole


@pytest.mark.parametrize("query", [
    "limit=0", "limit=101", "limit=x", "start=-1", "start=x", "orderBy=colour", "orderBy=--name", "orderBy=asc:name",
    "default=1", "default=", "isActiveOnEdge=yes", "identityGraph.type=coop", "attributeMerge.type=x", "version=0",
    "version=1.5", "limit=1&limit=2", "name=%ff"])
def test_bad_list_query_is_400(org_client, query):
    assert_problem(org_client.call("GET", f"{POLICIES}?{query}"), 400)
