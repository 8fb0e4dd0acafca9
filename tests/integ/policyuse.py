"""Merge policies made for exports; used by the tests of exports. The resource itself is tested with policies.py."""

import contextlib
import json

from flows import POLICIES, create_policy, policy_body


def replace(client, policy, graph="none", order=None, **more):
    """PUT: the next version."""
    body = json.dumps(policy_body(graph, order, **more)).encode()
    return client.put(f"{POLICIES}/{policy}", body, headers={"Content-Type": "application/json"}).json()


@contextlib.contextmanager
def made(client, plan, datasets):
    """A policy of randomstore.py while the block runs: the members of an export request that choose it.

    An org has five at most, so they go when they have been used."""
    if plan is None:
        yield {}
        return

    def rules(of):
        return of["graph"], of["order"] and [datasets[name] for name in of["order"]]

    default = {"default": True} if plan["default"] else {}
    policy = create_policy(client, *rules(plan["older"] or plan), **default)["id"]
    try:
        if plan["older"]:
            replace(client, policy, *rules(plan), **default)
        chosen = {} if plan["default"] else {"mergePolicy": {"id": policy}}
        if plan["pin"] is not None:
            chosen["mergePolicy"]["version"] = plan["pin"]
        yield chosen
    finally:
        client.delete(f"{POLICIES}/{policy}", expect=200)
