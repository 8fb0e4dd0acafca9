"""The identity graph and the observed schemas of the store, read through the database after ingestion by the API.

What must be there is found out here by other means: a union-find over the records that were sent, and a
description of them made by Python's own JSON values.
"""

import json
import random

import psycopg
import pytest

import flows
import readers

NAMESPACES = ("CRMID", "Email", "Phone")


class Store:
    """What the database holds of one sandbox, read as its owner."""

    def __init__(self, client):
        self.db = psycopg.connect(client.stack.pg_uri, autocommit=True)
        self.tenant = self.db.execute(
            "SELECT s.org, s.sandbox FROM consign.sandbox s JOIN consign.org o USING (org)"
            " WHERE o.ims_org_id = %s AND s.name = %s", (client.org, client.sandbox)).fetchone()

    def rows(self, text):
        """Rows of a statement with %s, %s for org and sandbox."""
        return self.db.execute(text, self.tenant).fetchall()

    def persons(self):
        """The sets of (ns, value) that are one person."""
        found = {}
        for person, ns, value in self.rows("SELECT person, ns, value FROM consign.identity WHERE org = %s AND sandbox = %s"):
            found.setdefault(person, set()).add((ns, value))
        return sorted(map(sorted, found.values()))

    def contents(self, table):
        """{(ns, value, dataset or event id): body}; every row must be under the person of its identity."""
        key = "dataset" if table == "profile_fragment" else "event_id"
        rows = self.rows(f"SELECT i.ns, i.value, f.{key}, f.body, f.person, i.person FROM consign.{table} f"
                         " JOIN consign.identity i USING (org, sandbox, identity) WHERE f.org = %s AND f.sandbox = %s")
        assert all(stored == person for *_, stored, person in rows)
        return {(ns, value, more): json.loads(body) for ns, value, more, body, _, _ in rows}

    def schemas(self):
        return {dataset: json.loads(text) for dataset, text in self.rows(
            "SELECT dataset, schema FROM consign.observed_schema WHERE org = %s AND sandbox = %s")}


class Graph:
    """Union-find over all identities that were sent."""

    def __init__(self):
        self.up = {}

    def root(self, node):
        self.up.setdefault(node, node)
        while self.up[node] != node:
            self.up[node] = self.up[self.up[node]]
            node = self.up[node]
        return node

    def link(self, record):
        nodes = [(ns, entry["id"]) for ns, entries in record["identityMap"].items() for entry in entries]
        for node in nodes:
            self.up[self.root(node)] = self.root(nodes[0])

    def persons(self):
        found = {}
        for node in self.up:
            found.setdefault(self.root(node), set()).add(node)
        return sorted(map(sorted, found.values()))


def primary_of(record):
    entries = [(ns, e) for ns, list_of in record["identityMap"].items() for e in list_of]
    return next(((ns, e["id"]) for ns, e in entries if e.get("primary")), (entries[0][0], entries[0][1]["id"]))


def identity_map(rng, pool):
    """One to four identities out of the pool, the primary one anywhere."""
    chosen = [(rng.choice(NAMESPACES), f"{rng.randrange(pool)}@x") for _ in range(rng.choice((1, 1, 2, 2, 3, 4)))]
    marked = rng.randrange(len(chosen))
    found = {}
    for number, (ns, value) in enumerate(chosen):
        entry = {"id": value, "primary": True} if number == marked else {"id": value}
        found.setdefault(ns, []).append(entry)
    return found


def value_of(rng, depth=0):
    kind = rng.randrange(10 if depth < 3 else 7)
    if kind >= 8:
        return {f"m{rng.randrange(5)}": value_of(rng, depth + 1) for _ in range(rng.randrange(4))}
    if kind == 7:
        return [value_of(rng, depth + 1) for _ in range(rng.randrange(4))]
    return (None, True, rng.randrange(100), rng.random() + 0.25, "text", "2024-02-03T04:05:06.789Z", "2024-02-03")[kind]


def record_of(rng, number, pool, event):
    record = {"identityMap": identity_map(rng, pool), "n": number, f"a{rng.randrange(6)}": value_of(rng)}
    if event:
        record |= {"_id": f"e{rng.randrange(40)}", "timestamp": "2024-01-01T00:00:00Z"}
    elif rng.random() < 0.3:
        record["segmentMembership"] = {"ups": {f"s{rng.randrange(9)}": {"status": "realized"}}}
    return record


@pytest.mark.parametrize("seed", range(6))
def test_random_links_in_random_batches(client, seed):
    """Persons are the components of all links; rows follow; the newest record of a key stays."""
    rng = random.Random(seed)
    pool = rng.choice((15, 40, 120))
    datasets = [(flows.create_dataset(client, kind), kind == "event") for kind in ("profile", "profile", "event")]
    graph, sent = Graph(), {dataset: [] for dataset, _ in datasets}
    fragments, events, number = {}, {}, 0
    for _ in range(rng.randrange(4, 9)):
        dataset, event = rng.choice(datasets)
        records = [record_of(rng, number + n, pool, event) for n in range(rng.randrange(1, 25))]
        number += len(records)
        batch = flows.ingest(client, dataset, records)
        assert batch["metrics"]["failedRecordCount"] == 0
        for record in records:
            graph.link(record)
            sent[dataset].append(record)
            target, more = (events, record["_id"]) if event else (fragments, dataset)
            target[(*primary_of(record), more)] = record
    store = Store(client)
    assert store.persons() == graph.persons()
    assert store.contents("profile_fragment") == fragments
    assert store.contents("profile_event") == events
    assert store.rows("SELECT identities FROM consign.ingest_clock WHERE org = %s AND sandbox = %s") == [(len(graph.up),)]
    assert store.schemas() == {dataset: described(records) for dataset, records in sent.items() if records}


def kind_of(value):
    if value is None or isinstance(value, bool):
        return "null" if value is None else "boolean"
    if isinstance(value, str):
        return "datetime" if value.startswith("2024-") and value.endswith("Z") else "string"
    return {int: "integer", float: "number", dict: "object", list: "array"}[type(value)]


def described(values, place=()):
    """The observed schema of these values; the place tells where maps are."""
    node = {"t": {}}
    for value in values:
        node["t"][kind_of(value)] = node["t"].get(kind_of(value), 0) + 1
    objects = [v for v in values if isinstance(v, dict)]
    elements = [e for v in values if isinstance(v, list) for e in v]
    if place in (("identityMap",), ("segmentMembership",), ("segmentMembership", "*")):
        inner = [v for o in objects for v in o.values()]
        if inner:
            node["v"] = described(inner, (*place, "*"))
    else:
        names = {name for o in objects for name in o}
        if names:
            node["m"] = {name: described([o[name] for o in objects if name in o], (*place, name)) for name in names}
    if elements:
        node["i"] = described(elements, (*place, "[]"))
    return node


def test_equal_identities_of_two_sandboxes_never_join(home, tenants):
    one, two = (home.in_sandbox(tenants.sandbox(home.org)) for _ in range(2))
    linked = {"identityMap": {"CRMID": [{"id": "same", "primary": True}], "Email": [{"id": "same@x"}]}}
    alone = {"identityMap": {"CRMID": [{"id": "same"}]}}
    other = {"identityMap": {"Email": [{"id": "same@x"}]}}
    flows.ingest(one, flows.create_dataset(one, "profile"), [alone, other])
    flows.ingest(two, flows.create_dataset(two, "profile"), [linked])
    assert len(Store(one).persons()) == 2
    assert len(Store(two).persons()) == 1


def test_a_refused_record_links_nothing_and_is_not_observed(client):
    dataset = flows.create_dataset(client, "profile")
    good = {"identityMap": {"E": [{"id": "a"}]}}
    bad = {"identityMap": {"E": [{"id": "a", "primary": True}, {"id": "b"}]}, "segmentMembership": {"ups": 5}, "x": 1}
    batch = flows.ingest(client, dataset, [good, bad])
    (refused,) = client.get(f"{flows.BATCH_FILES}/{batch['id']}/failed").json()["data"]
    assert refused["code"] == "segment"
    assert Store(client).persons() == [[("E", "a")]]
    assert Store(client).schemas() == {dataset: described([good])}


def test_a_batch_without_good_records_is_not_observed(client):
    dataset = flows.create_dataset(client, "profile")
    flows.ingest(client, dataset, b"nonsense\n")
    assert Store(client).schemas() == {}


def test_a_record_has_at_most_1000_identities(client):
    dataset = flows.create_dataset(client, "profile")
    entries = [{"id": f"i{n}", "primary": n == 0} for n in range(1001)]
    batch = flows.ingest(client, dataset, [{"identityMap": {"E": entries[:1000]}}, {"identityMap": {"F": entries}}])
    (refused,) = client.get(f"{flows.BATCH_FILES}/{batch['id']}/failed").json()["data"]
    assert refused["code"] == "identity" and "1000" in refused["reason"]
    (person,) = Store(client).persons()
    assert len(person) == 1000


def test_what_was_stored_before_schemas_were_kept_stays_unknown(client):
    """A dataset whose older records nobody described must not seem described by the newer ones."""
    dataset = flows.create_dataset(client, "profile")
    flows.ingest(client, dataset, [{"identityMap": {"E": [{"id": "old"}]}, "old": 1}])
    store = Store(client)
    store.rows("UPDATE consign.observed_schema SET schema = NULL WHERE org = %s AND sandbox = %s RETURNING 1")
    flows.ingest(client, dataset, [{"identityMap": {"E": [{"id": "new"}]}, "new": 1}])
    assert store.rows("SELECT schema FROM consign.observed_schema WHERE org = %s AND sandbox = %s") == [(None,)]


def test_records_from_before_schemas_were_kept_are_exported_whole(client):
    """Upgraded stores: Parquet has a column for the whole profile, and one for the whole event."""
    profiles, events = flows.create_dataset(client, "profile"), flows.create_dataset(client, "event")
    flows.ingest(client, profiles, [{"identityMap": {"E": [{"id": "old"}]}, "old": {"n": 1}}])
    flows.ingest(client, events, [{"identityMap": {"E": [{"id": "old"}]}, "_id": "e", "timestamp": "2024-01-01T00:00:00Z"}])
    store = Store(client)
    store.rows("UPDATE consign.observed_schema SET schema = NULL WHERE org = %s AND sandbox = %s RETURNING 1")
    flows.ingest(client, profiles, [{"identityMap": {"E": [{"id": "new"}]}, "new": 1}])
    dataset = flows.create_dataset(client, fileDescription={"format": "parquet"})
    body = flows.job_body(dataset, additionalFields={"eventList": {"fields": "_id"}})
    job = flows.wait_job(client, flows.start_job(client, body)["id"])
    assert job["status"] == "SUCCEEDED", job
    with readers.fetch(client, job["destination"]["batchId"]) as files:
        found = readers.query(f"SELECT document, coalesce(eventList[1], '{{}}') FROM read_parquet({files.glob})")
    assert sorted(([json.loads(text) for text in row] for row in found), key=str) == [
        [{"identityMap": {"E": [{"id": "new"}]}, "new": 1}, {}],
        [{"identityMap": {"E": [{"id": "old"}]}, "old": {"n": 1}}, {"_id": "e"}]]
