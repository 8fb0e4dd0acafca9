"""What the tests of merge policies share: an org of their own, and short ways to the resource.

An org may have five policies, so each test begins and ends without any.
"""

import copy

import pytest

import flows
from client import JSON, Client
from flows import POLICIES

BUILT_IN = "timestampOrdered-none-mp"
SANDBOXES = ("first", "second")


@pytest.fixture(scope="module")
def org_client(stack, tenants):
    org = tenants.org(*SANDBOXES)
    return Client(stack, org, "first", *tenants.credentials(org))


def remove_all(client):
    for policy in listed(client):
        if policy["id"] != BUILT_IN:
            client.delete(f"{POLICIES}/{policy['id']}", expect=200)


@pytest.fixture
def mine(org_client):
    """A client whose org has no policies, before and after the test."""
    yield org_client
    for sandbox in SANDBOXES:
        remove_all(org_client.in_sandbox(sandbox))


@pytest.fixture(scope="module")
def sources(org_client):
    """Two datasets of profile records."""
    return [flows.create_dataset(org_client, "profile") for _ in range(2)]


def listed(client, query=""):
    return client.get(f"{POLICIES}?{query}").json()["children"]


def names(client, query=""):
    return [p["name"] for p in listed(client, query)]


def get(client, policy, query=""):
    return client.get(f"{POLICIES}/{policy}?{query}").json()


def put(client, policy, body, expect=200):
    return client.call("PUT", f"{POLICIES}/{policy}", json=body, headers={"Content-Type": JSON}, expect=expect)


def patch(client, policy, operations, expect=200, **more):
    return client.call("PATCH", f"{POLICIES}/{policy}", json=operations, expect=expect, **more)


def op(name, path, *value, **more):
    return {"op": name, "path": path, **({"value": value[0]} if value else {}), **more}


def without(body, *path):
    body = copy.deepcopy(body)
    inner = body
    for name in path[:-1]:
        inner = inner[name]
    del inner[path[-1]]
    return body
