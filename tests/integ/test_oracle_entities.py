"""Look-ups and exports tell the same: in random stores, under every kind of merge policy, every entity is a row of an
export member for member, its events are the row's eventList, and what an export skips is refused.

Who must have a row is the oracle's (oracle.py). CONSIGN_ENTITY_STORES and CONSIGN_SEED choose how many stores and which.
"""

import json
import os
from concurrent.futures import ThreadPoolExecutor

import pytest

import entities
import flows
import planrun
import policyuse
from client import Client
from oracle import Policy, Store
from randomstore import RandomStore

STORES = int(os.environ.get("CONSIGN_ENTITY_STORES", "6"))
SEED = int(os.environ.get("CONSIGN_SEED", "1"))
FIELDS = ("", "person.name,_tenant,identities.id", "identities,flag", "segmentMembership.ups,devices.os.name,nothing")


def policies(profile_datasets):
    """Every kind; None is the built-in one."""
    some = profile_datasets[::-1][:max(1, len(profile_datasets) - 1)]
    rules = [("none", some), ("pdg", None), ("pdg", some)]
    return [None, *({"graph": graph, "order": order, "older": None, "pin": None, "default": number == 1}
                    for number, (graph, order) in enumerate(rules))]


class Compared:
    """One policy in one store: every identity looked up, against an export."""

    def __init__(self, twin, plan, chosen):
        self.client = twin.client
        self.rules = planrun.rules_of(plan)
        self.store = twin.store
        self.chosen = chosen
        policy = chosen.get("mergePolicy")
        self.query = {} if policy is None else {"mergePolicyId": policy["id"]}

    def units(self):
        """Who may have a row: {unit: its identities}."""
        out = {}
        for identity in list(self.store.graph.parent):
            unit = self.store.graph.find(identity) if self.rules.graph == "pdg" else identity
            out.setdefault(unit, []).append(identity)
        return out

    def entity(self, identity, fields):
        """The merged profile, None (404) or "skipped" (422)."""
        answer = entities.ask(self.client, entities.query(*identity, fields=fields, **self.query), (200, 404, 422))
        if answer.status_code != 200:
            return None if answer.status_code == 404 else "skipped"
        ((key, told),) = answer.json().items()
        assert key == identity[1]
        assert many_of(self.client, [identity], fields, self.query) == {key: told}
        return told["entity"]

    def events(self, identity):
        found, _ = entities.events(self.client, *identity, limit=3, **self.query)
        return [child["entity"] for child in found]

    def check(self, fields):
        body = {"additionalFields": {"eventList": {}}, **({"fields": fields} if fields else {}), **self.chosen}
        job, rows = flows.export_all(self.client, **body)
        wanted = self.store.export(body, self.rules)
        assert len(rows) == len(wanted.rows)
        told, skipped = [], 0
        for identities in self.units().values():
            found = [self.entity(identity, fields) for identity in identities]
            assert all(text(one) == text(found[0]) for one in found)
            if found[0] == "skipped":
                skipped += 1
            elif found[0] is not None:
                seen = self.events(identities[-1])
                told.append(text({**found[0], "eventList": seen} if seen else found[0]))
        wrong = [(one, two) for one, two in zip(sorted(map(text, rows)), sorted(told)) if one != two]
        assert not wrong and len(told) == len(rows), f"of an export, then of look-ups: {wrong[:1]}"
        assert skipped == job["metrics"].get("skippedProfiles", {}).get("tooManyIdentities", 0)


def many_of(client, names, fields, policy):
    chosen = {"fields": [path.strip() for path in fields.split(",")]} if fields else {}
    return entities.many(client, names, **chosen, **policy).json()


def text(value):
    """Members keep their order: the very same document."""
    return json.dumps(value, ensure_ascii=False)


def run(client, seed):
    plan = RandomStore(seed).plan()
    twin, _ = planrun.fill(client, plan)
    for number, policy in enumerate(policies([name for name, kind in plan["datasets"].items() if kind == "profile"])):
        with policyuse.made(client, policy, twin.datasets) as chosen:
            Compared(twin, policy, chosen).check(FIELDS[(seed + number) % len(FIELDS)])


def test_entities_equal_the_rows_of_exports(stack, tenants):
    def one(seed):
        org = tenants.org("store")
        run(Client(stack, org, "store", *tenants.credentials(org)), seed)
    with ThreadPoolExecutor(3) as pool:
        list(pool.map(one, range(SEED, SEED + STORES)))
