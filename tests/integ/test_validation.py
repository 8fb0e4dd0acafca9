"""Records that follow a schema of the tenant: types, identities by descriptors, what is stored of them."""

import json

import pytest

import flows
from flows import CATALOG, ndjson

REGISTRY = "/data/foundation/schemaregistry/tenant"
CLASSES = {"profile": flows.SCHEMAS["profile"], "event": flows.SCHEMAS["event"]}

STRING, INTEGER = {"type": "string"}, {"type": "integer"}


def make_schema(client, properties, kind="profile", identities=()):
    """A schema with identity descriptors (path, namespace, primary); returns its $id."""
    body = {"title": "s", "type": "object", "allOf": [{"$ref": CLASSES[kind]}], "properties": properties}
    schema = client.post(f"{REGISTRY}/schemas", body, expect=201).json()["$id"]
    for path, namespace, primary in identities:
        client.post(f"{REGISTRY}/descriptors",
                    {"@type": "xdm:descriptorIdentity", "xdm:sourceSchema": schema, "xdm:sourceVersion": 1,
                     "xdm:sourceProperty": path, "xdm:namespace": namespace, "xdm:property": "xdm:code",
                     "xdm:isPrimary": primary}, expect=201)
    return schema


def make_dataset(client, *args, **more):
    schema = make_schema(client, *args, **more)
    body = {"name": "d", "schemaRef": {"id": schema, "contentType": flows.CONTENT_TYPE}}
    (reference,) = client.post(f"{CATALOG}/dataSets", body, expect=201).json()
    return reference.rsplit("/", 1)[1]


def tenant(**members):
    """Properties of a tenant's object."""
    return {"_t": {"type": "object", "properties": members}}


def refused(client, batch):
    """code and reason of each refused record, in order."""
    rows = client.get(f"{flows.BATCH_FILES}/{batch['id']}/meta?path=row_errors").text
    return [(row["code"], row["reason"]) for row in map(json.loads, rows.splitlines())]


TYPED = tenant(s=STRING, n=INTEGER, b={"type": "boolean"}, day={"type": "string", "format": "date"},
               at={"type": "string", "format": "date-time"}, small={"type": "integer", "meta:xdmType": "byte"},
               level={"enum": ["gold", "silver"]}, tags={"type": "array", "items": STRING},
               points={"type": "object", "additionalProperties": INTEGER})


def person(ident, **members):
    return {"identityMap": {"Email": [{"id": ident}]}, "_t": members}


def test_bad_records_are_told_and_good_ones_taken(client):
    dataset = make_dataset(client, TYPED)
    good = [person("a", s="x", n=1, b=True, day="2024-02-29", at="2024-02-29T00:00:00Z", small=-128, level="gold",
                   tags=["t"], points={"k": 1}, other={"x": [1]}), person("b", s=None, n=2.0)]
    bad = [(person("c", s=1), "/_t/s must be a string"), (person("d", n="1"), "/_t/n must be an integer"),
           (person("e", day="2023-02-29"), "/_t/day must be a date of RFC 3339"),
           (person("f", at="yesterday"), "/_t/at must be a date-time of RFC 3339 with an offset"),
           (person("g", small=128), "/_t/small must be an integer of 8 bits"),
           (person("h", level="tin"), "/_t/level is none of the values of its enum"),
           (person("i", tags=["t", 5]), "/_t/tags/1 must be a string"),
           (person("j", points={"k": "1"}), "/_t/points/k must be an integer")]
    batch = flows.ingest(client, dataset, good[:1] + [record for record, _ in bad] + good[1:])
    assert refused(client, batch) == [("schema", reason) for _, reason in bad]
    _, rows = flows.export_all(client)
    assert sorted(row["identityMap"]["Email"][0]["id"] for row in rows) == ["a", "b"]


def test_identities_come_from_descriptors(client):
    dataset = make_dataset(client, tenant(crm={"type": ["string", "integer"]}, mail=STRING),
                           identities=[("/_t/crm", "CRM", True), ("/_t/mail", "Email", False)])
    records = [{"_t": {"crm": 12, "mail": "a@x"}}, {"_t": {"crm": 1e3}},
               {"identityMap": {"Email": [{"id": "o@x", "primary": True}]}, "_t": {"mail": "p@x"}},
               {"_t": {"mail": "b@x"}}, {"_t": {"crm": ""}}, {"_t": {"crm": {}}}]
    batch = flows.ingest(client, dataset, records)
    assert [code for code, _ in refused(client, batch)] == ["identity"] * 3
    assert "no primary identity" in refused(client, batch)[0][1]
    _, rows = flows.export_all(client)
    maps = sorted((row["identityMap"] for row in rows), key=str)
    assert maps == sorted([
        {"CRM": [{"id": "12", "primary": True}], "Email": [{"id": "a@x"}]},
        {"CRM": [{"id": "1000", "primary": True}]},
        {"Email": [{"id": "o@x", "primary": True}, {"id": "p@x"}]}], key=str)


def test_three_datasets_meet_through_an_email(client):
    """Profiles by a number and by a code, events that carry only a loyalty number: one person each."""
    crm = make_dataset(client, tenant(crm=INTEGER, mail=STRING, name=STRING),
                       identities=[("/_t/crm", "CRM", True), ("/_t/mail", "Email", False)])
    loyalty = make_dataset(client, tenant(card={"type": "object", "properties": {"number": STRING}}, mail=STRING, tier=STRING),
                           identities=[("/_t/card/number", "Loyalty", True), ("/_t/mail", "Email", False)])
    visits = make_dataset(client, tenant(number=STRING), kind="event", identities=[("/_t/number", "Loyalty", True)])
    flows.ingest(client, crm, [{"_t": {"crm": n, "mail": f"{n}@x", "name": f"name {n}"}} for n in range(3)])
    flows.ingest(client, visits, [{"_id": f"v{n}", "timestamp": "2024-01-01T00:00:00Z", "_t": {"number": f"L{n}"}}
                                  for n in range(3)])
    flows.ingest(client, loyalty, [{"_t": {"card": {"number": f"L{n}"}, "mail": f"{n}@x", "tier": "gold"}} for n in range(3)])
    policy = flows.create_policy(client, "pdg")
    _, rows = flows.export_all(client, mergePolicy={"id": policy["id"]}, additionalFields={"eventList": {}})
    assert len(rows) == 3
    for row in rows:
        n = row["_t"]["crm"]
        assert row["_t"]["name"] == f"name {n}" and row["_t"]["tier"] == "gold"
        assert set(row["identityMap"]) == {"CRM", "Email", "Loyalty"}
        assert [event["_id"] for event in row["eventList"]] == [f"v{n}"]


def test_columns_know_an_identity_map_that_was_made(client):
    """What is observed of a dataset is what is stored: a map that no record had is a column all the same."""
    dataset = make_dataset(client, tenant(crm=INTEGER), identities=[("/_t/crm", "CRM", True)])
    flows.ingest(client, dataset, [{"_t": {"crm": 1}}])
    found = client.get(f"{CATALOG}/dataSets/{dataset}").json()[dataset]
    assert "identityMap" in found["observableSchema"]["properties"]


def test_a_base_schema_has_no_types(client):
    dataset = flows.create_dataset(client, "profile")
    batch = flows.ingest(client, dataset, ndjson([person("a", s=1), person("b", s="x"), {"_t": {"mail": "m"}}]))
    assert refused(client, batch) == [("identity", "no identityMap")]


@pytest.mark.parametrize("late", [False, True])
def test_a_descriptor_rules_batches_that_load_after_it(client, late):
    dataset = make_dataset(client, tenant(crm=STRING), identities=[] if late else [("/_t/crm", "CRM", True)])
    batch = flows.ingest(client, dataset, [{"_t": {"crm": "c"}}, person("a")], expect=None)
    codes = [reason for _, reason in refused(client, batch)]
    assert codes == (["no identityMap"] if late else ["no primary identity"])
