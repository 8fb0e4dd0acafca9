"""The schema registry (contract section 1): schemas, identity descriptors, unions, and what a dataset shows of its records."""

import re
import time
from urllib.parse import quote

import pytest

import flows
import registry
import streams
from registry import INTEGER, STRING, obj
from shapes import assert_problem

HEX40 = re.compile(r"^[0-9a-f]{40}$")
NOWHERE = "0" * 40
PROFILE = registry.CLASSES["profile"]


def number_of(schema):
    return schema["$id"].rsplit("/", 1)[1]


def tenant_of(client):
    return re.sub(r"[^a-z0-9_-]", "_", client.org.split("@")[0].lower())


# ---- schemas ----

def test_schema_shows_what_was_sent_and_what_the_service_adds(shared):
    body = registry.schema_body(title="Loyalty members", _tenant=obj(points=INTEGER, tier={"type": "string", "enum": ["a", "b"]}))
    body |= {"description": "text", "meta:immutableTags": ["union"], "$id": "mine", "version": "9", "meta:altId": "x"}
    answer = shared.post(registry.SCHEMAS, body, expect=201)
    made = answer.json()
    number = number_of(made)
    assert HEX40.match(number)
    assert made["$id"] == f"https://ns.adobe.com/{tenant_of(shared)}/schemas/{number}"
    assert made["meta:altId"] == f"_{tenant_of(shared)}.schemas.{number}"
    assert answer.headers["Location"].endswith(f"{registry.SCHEMAS}/{number}")
    for name in ("title", "description", "type", "properties", "allOf", "meta:immutableTags"):
        assert made[name] == body[name]
    assert made["version"] == "1.0" and made["meta:class"] == PROFILE and made["meta:extends"] == [PROFILE]
    assert made["imsOrg"] == shared.org and made["meta:sandboxId"] == shared.sandbox and made["meta:sandboxType"]
    about = made["meta:registryMetadata"]
    assert about["repo:createdDate"] == about["repo:lastModifiedDate"] <= flows.now_ms() + 1000
    assert about["xdm:createdClientId"] == shared.client_id
    for name in (number, made["meta:altId"], quote(made["$id"], safe="")):
        assert shared.get(f"{registry.SCHEMAS}/{name}", headers={"Accept": "application/vnd.adobe.xed+json;version=1"}).json() == made
    assert shared.call("HEAD", f"{registry.SCHEMAS}/{number}/", expect=200).content == b""


def test_class_is_found_in_either_place(shared):
    field_group = {"$ref": flows.XDM + "profile-personal-details"}
    event = {"$ref": registry.CLASSES["event"]}
    for body, extends in ((({"meta:class": PROFILE}), [PROFILE]), ({"allOf": [event]}, [event["$ref"]]),
                          ({"allOf": [event], "meta:class": event["$ref"]}, [event["$ref"]]),
                          ({"allOf": [{"$ref": PROFILE}, field_group]}, [PROFILE, field_group["$ref"]])):
        made = shared.post(registry.SCHEMAS, {"title": "t", **body}, expect=201).json()
        assert made["meta:extends"] == extends and made["meta:class"] == extends[0]
        assert made["type"] == "object"


REFUSED_SCHEMAS = [
    ({"title": None}, "/title"), ({"title": ""}, "/title"), ({"title": "x" * 256}, "/title"), ({"title": 5}, "/title"),
    ({"description": 5}, "/description"), ({"type": "array"}, "/type"), ({"type": 5}, "/type"),
    ({"allOf": []}, "/allOf"), ({"allOf": {}}, "/allOf"), ({"allOf": ["x"]}, "/allOf/0"),
    ({"allOf": [{"$ref": PROFILE}, {"properties": {}}]}, "/allOf/1"),
    ({"allOf": [{"$ref": PROFILE}, {"$ref": "https://ns.adobe.com/acme/mixins/1"}]}, "/allOf/1/$ref"),
    ({"allOf": [{"$ref": PROFILE}, {"$ref": registry.CLASSES["event"]}]}, "/allOf"),
    ({"allOf": [{"$ref": flows.XDM + "profile__union"}]}, "/allOf"),
    ({"meta:class": registry.CLASSES["event"]}, "/meta:class"), ({"meta:class": "x"}, "/meta:class"), ({"meta:class": 5}, "/meta:class"),
    ({"properties": []}, "/properties"), ({"properties": {"a": 5}}, "/properties/a"),
    ({"properties": {"a": {"type": "text"}}}, "/properties/a/type"),
]


@pytest.mark.parametrize("change, pointer", REFUSED_SCHEMAS, ids=[f"{n}{p}" for n, (_, p) in enumerate(REFUSED_SCHEMAS)])
def test_bad_schema_is_400_with_the_pointer(shared, change, pointer):
    assert_problem(shared.post(registry.SCHEMAS, {**registry.schema_body(), **change}), 400, pointer)


def test_unknown_schema_is_404(shared, home, tenants):
    foreign = registry.create_schema(home.in_sandbox(tenants.sandbox(home.org)))
    made = registry.create_schema(shared)
    other_tenant = made["$id"].replace(tenant_of(shared), "somebody")
    for name in (NOWHERE, "x", number_of(foreign), quote(foreign["$id"], safe=""), quote(other_tenant, safe=""),
                 number_of(made).upper(), "https:%2F%2Fns.adobe.com"):
        assert_problem(shared.get(f"{registry.SCHEMAS}/{name}", expect=404), 404)


def test_list_is_paged_in_order_of_creation(client):
    made = [registry.create_schema(client, title=f"t{n}") for n in range(5)]
    first = client.get(f"{registry.SCHEMAS}?limit=2").json()
    assert first["results"] == made[:2]
    assert first["_page"] == {"orderby": "created", "next": number_of(made[1]), "count": 2}
    second = client.get(first["_links"]["next"]["href"]).json()
    assert second["results"] == made[2:4]
    last = client.get(f"{registry.SCHEMAS}?limit=2&start={quote(made[3]['$id'], safe='')}").json()
    assert last == {"results": made[4:], "_page": {"orderby": "created", "next": None, "count": 1}, "_links": {}}
    assert client.get(registry.SCHEMAS).json()["results"] == made
    assert client.get(f"{registry.SCHEMAS}?start={NOWHERE}").json()["results"] == []
    for query in ("limit=0", "limit=101", "limit=x", "start=x"):
        assert_problem(client.get(f"{registry.SCHEMAS}?{query}", expect=400), 400)


def test_a_page_of_large_schemas_is_cut_and_loses_none(client):
    made = [client.post(registry.SCHEMAS, {**registry.schema_body(title=f"t{n}"), "meta:note": "x" * 900_000}, expect=201).json()["$id"]
            for n in range(5)]
    found, query = [], "?limit=100"
    for _ in range(5):
        page = client.get(registry.SCHEMAS + query).json()
        found += [one["$id"] for one in page["results"]]
        assert 1 <= page["_page"]["count"] <= 2
        if page["_page"]["next"] is None:
            break
        query = f"?limit=100&start={page['_page']['next']}"
    assert found == made


def test_idempotency_key_of_a_schema_and_of_a_descriptor(client):
    key = {"Idempotency-Key": "k"}
    body = registry.schema_body(crm=STRING)
    one, two = (client.post(registry.SCHEMAS, body, expect=201, headers=key).json() for _ in range(2))
    assert one == two
    assert_problem(client.post(registry.SCHEMAS, {**body, "title": "other"}, headers=key), 422)
    body = registry.descriptor_body(one["$id"], "/crm", "CRMID")
    one, two = (client.post(registry.DESCRIPTORS, body, expect=201, headers=key).json() for _ in range(2))
    assert one == two
    assert_problem(client.post(registry.DESCRIPTORS, {**body, "xdm:isPrimary": True}, headers=key), 422)
    assert client.get(registry.DESCRIPTORS).json()["results"] == [one]


# ---- descriptors ----

def test_descriptors(client):
    schema = registry.create_schema(client, _tenant=obj(crm=INTEGER, card={"type": "number"}), mail=obj(address=STRING))
    answer = client.post(registry.DESCRIPTORS, registry.descriptor_body(schema["meta:altId"], "/_tenant/crm", "CRMID", True), expect=201)
    first = answer.json()
    assert HEX40.match(first["@id"])
    assert answer.headers["Location"].endswith(f"{registry.DESCRIPTORS}/{first['@id']}")
    assert first["@type"] == "xdm:descriptorIdentity" and first["xdm:sourceSchema"] == schema["$id"]
    assert (first["xdm:sourceVersion"], first["xdm:sourceProperty"]) == (1, "/_tenant/crm")
    assert (first["xdm:namespace"], first["xdm:property"], first["xdm:isPrimary"]) == ("CRMID", "xdm:code", True)
    bare = {"@type": "xdm:descriptorIdentity", "xdm:sourceSchema": number_of(schema), "xdm:sourceProperty": "/mail/address",
            "xdm:namespace": "Email", "xdm:property": "xdm:id"}
    second = client.post(registry.DESCRIPTORS, bare, expect=201).json()
    assert (second["xdm:property"], second["xdm:isPrimary"], second["xdm:sourceVersion"]) == ("xdm:id", False, 1)
    assert client.get(f"{registry.DESCRIPTORS}/{first['@id']}").json() == first
    page = client.get(f"{registry.DESCRIPTORS}?limit=1").json()
    assert page["results"] == [first] and page["_page"]["next"] == first["@id"]
    assert client.get(page["_links"]["next"]["href"]).json()["results"] == [second]
    for ident in (NOWHERE, "x"):
        assert_problem(client.get(f"{registry.DESCRIPTORS}/{ident}", expect=404), 404)


def test_a_property_has_one_descriptor_and_a_schema_one_primary(client):
    schema = registry.create_schema(client, a=STRING, b=STRING)
    registry.create_descriptor(client, schema, "/a", "A", primary=True)
    for body, pointer in ((registry.descriptor_body(schema["$id"], "/a", "B"), "/xdm:sourceProperty"),
                          (registry.descriptor_body(schema["$id"], "/b", "B", True), "/xdm:isPrimary")):
        assert_problem(client.post(registry.DESCRIPTORS, body), 409, pointer)
    registry.create_descriptor(client, schema, "/b", "A")


REFUSED_DESCRIPTORS = [
    ({"@type": "xdm:descriptorOneToOne"}, "/@type"), ({"@type": None}, "/@type"), ({"xdm:sourceSchema": None}, "/xdm:sourceSchema"),
    ({"xdm:sourceSchema": NOWHERE}, "/xdm:sourceSchema"), ({"xdm:sourceSchema": PROFILE}, "/xdm:sourceSchema"),
    ({"xdm:sourceVersion": 2}, "/xdm:sourceVersion"), ({"xdm:sourceVersion": "1"}, "/xdm:sourceVersion"),
    ({"xdm:property": "xdm:name"}, "/xdm:property"), ({"xdm:isPrimary": "true"}, "/xdm:isPrimary"),
    ({"xdm:namespace": ""}, "/xdm:namespace"), ({"xdm:namespace": 5}, "/xdm:namespace"), ({"xdm:namespace": "n" * 256}, "/xdm:namespace"),
    *(({"xdm:sourceProperty": path}, "/xdm:sourceProperty") for path in (
        "", "/", "id", "/none", "/_tenant", "/_tenant/flag", "/_tenant/list", "/_tenant/list/0", "/_tenant/list/id",
        "/_tenant/id/more", "/properties/id", "/id/", "/" + "x" * 1100, 5, None)),
]


@pytest.fixture(scope="module")
def described(shared):
    """A schema with members of all kinds; "/id" can be an identity."""
    return registry.create_schema(shared, id=STRING, _tenant=obj(
        id=INTEGER, flag={"type": "boolean"},
        list={"type": "array", "items": obj(id=STRING)}))["$id"]


@pytest.mark.parametrize("change, pointer", REFUSED_DESCRIPTORS, ids=[f"{n}{p}" for n, (_, p) in enumerate(REFUSED_DESCRIPTORS)])
def test_bad_descriptor_is_400_with_the_pointer(shared, described, change, pointer):
    body = {**registry.descriptor_body(described, "/id", "CRMID"), **change}
    problem = assert_problem(shared.post(registry.DESCRIPTORS, body), 400, pointer)
    assert (problem["type"] == "/problems/not-supported") == (change.get("@type") == "xdm:descriptorOneToOne")


def test_a_descriptor_rules_what_is_loaded_after_it(client):
    schema = registry.create_schema(client, crm=STRING)
    dataset = registry.create_dataset(client, schema)
    assert flows.ingest(client, dataset, [{"crm": "a"}])["metrics"]["failedRecordCount"] == 1
    registry.create_descriptor(client, schema, "/crm", "CRMID")
    assert flows.ingest(client, dataset, [{"crm": "a"}])["metrics"]["failedRecordCount"] == 0
    _, (row,) = flows.export_all(client)
    assert row["crm"] == "a" and row["identityMap"]["CRMID"][0]["id"] == "a"


# ---- datasets ----

def test_dataset_follows_a_schema_of_the_sandbox(client, home, tenants):
    schema = registry.create_schema(client, "event")
    for ident in (schema["$id"], schema["meta:altId"], number_of(schema)):
        reference = {"id": ident, "contentType": flows.CONTENT_TYPE}
        dataset = flows.create_dataset(client, "profile", schemaRef=reference)
        assert client.get(f"{flows.CATALOG}/dataSets/{dataset}").json()[dataset]["schemaRef"] == reference
        batch = flows.ingest(client, dataset, [{"identityMap": {"E": [{"id": "a"}]}}])
        (refused,) = client.get(f"{flows.BATCH_FILES}/{batch['id']}/failed").json()["data"]
        assert refused["code"] == "event_id"
    foreign = registry.create_schema(home.in_sandbox(tenants.sandbox(home.org)))
    for ident in (foreign["$id"], NOWHERE, "_somebody.schemas." + number_of(schema)):
        body = flows.dataset_body("profile", schemaRef={"id": ident, "contentType": flows.CONTENT_TYPE})
        assert_problem(client.post(f"{flows.CATALOG}/dataSets", body), 400, "/schemaRef/id")


def test_observable_schema(client):
    dataset, empty = (flows.create_dataset(client, "profile", name=name) for name in ("full", "empty"))
    identity = {"identityMap": {"E": [{"id": "a"}]}}
    flows.ingest(client, dataset, [
        {**identity, "n": 1, "m": 1, "d": "2024-01-01T00:00:00Z", "l": [True], "o": {"s": "x"}},
        {**identity, "n": 1.5, "m": "x", "l": []}])
    path = f"{flows.CATALOG}/dataSets"
    shown = client.get(f"{path}/{dataset}").json()[dataset]["observableSchema"]
    members = shown["properties"]
    assert (shown["type"], shown["meta:count"]) == ("object", 2)
    assert members["n"] == {"type": "number", "meta:xdmType": "double", "meta:count": 2}
    assert members["m"] == {"type": "string", "meta:xdmType": "mixed", "meta:count": 2}
    assert members["d"] == {"type": "string", "meta:xdmType": "date-time", "format": "date-time", "meta:count": 1}
    assert members["l"] == {"type": "array", "meta:xdmType": "array", "meta:count": 2,
                            "items": {"type": "boolean", "meta:xdmType": "boolean", "meta:count": 1}}
    assert members["o"]["properties"] == {"s": {"type": "string", "meta:xdmType": "string", "meta:count": 1}}
    assert members["identityMap"]["meta:xdmType"] == "map" and "additionalProperties" in members["identityMap"]
    assert client.get(f"{path}/{empty}").json()[empty]["observableSchema"] == {}
    assert all("observableSchema" not in one for one in client.get(path).json().values())
    assert client.get(f"{path}?properties=name,observableSchema").json() == {
        dataset: {"name": "full", "observableSchema": shown}, empty: {"name": "empty", "observableSchema": {}}}
    assert client.get(f"{path}/{dataset}?properties=name").json() == {dataset: {"name": "full"}}
    assert client.get(f"{path}/{dataset}?properties=observableSchema").json() == {dataset: {"observableSchema": shown}}


# ---- unions ----

def test_union_of_all_that_a_class_has(client):
    flat = registry.create_schema(client, birth={"type": "string", "format": "date"}, a=INTEGER, _tenant=obj(x=STRING))
    registry.create_schema(client, a={"type": "number"}, _tenant=obj(y={"type": "boolean", "title": "Why"}))
    registry.create_schema(client, "event", seen=STRING)
    flows.ingest(client, flows.create_dataset(client, "profile"), [{"identityMap": {"E": [{"id": "a"}]}, "plain": 5}])
    follows = registry.create_dataset(client, flat)
    flows.ingest(client, follows, [{"identityMap": {"E": [{"id": "b"}]}, "birth": "1990-01-01", "more": True}])
    profile, event = client.get(registry.UNIONS).json()["results"]
    members = profile["properties"]
    assert profile["$id"] == flows.SCHEMAS["union"] and profile["meta:class"] == PROFILE
    assert members["a"] == {"type": "number", "meta:xdmType": "double"}
    assert members["birth"] == {"type": "string", "meta:xdmType": "date", "format": "date"}
    assert set(members["_tenant"]["properties"]) == {"x", "y"}
    assert members["_tenant"]["properties"]["y"] == {"type": "boolean", "meta:xdmType": "boolean", "title": "Why"}
    assert members["plain"] == {"type": "integer", "meta:xdmType": "long"}
    assert members["more"] == {"type": "boolean", "meta:xdmType": "boolean"}
    assert members["identityMap"]["meta:xdmType"] == "map" and "segmentMembership" in members and "seen" not in members
    assert {"_id", "timestamp", "identityMap", "seen"} == set(event["properties"])
    assert "meta:partial" not in profile and "meta:partial" not in event
    for union in (profile, event):
        for name in (union["meta:altId"], quote(union["$id"], safe="")):
            assert client.get(f"{registry.UNIONS}/{name}").json() == union
    assert_problem(client.get(f"{registry.UNIONS}/{quote(PROFILE, safe='')}", expect=404), 404)


def test_a_union_of_long_texts_can_be_read(client):
    for number in range(12):
        registry.create_schema(client, "event", **{f"m{number}_{i}": {"type": "string", "description": "d" * 95_000} for i in range(10)})
    for path in ("", "/_xdm.context.experienceevent__union"):
        answer = client.get(registry.UNIONS + path)
        assert len(answer.content) < 3 * 2 ** 20
        assert '"m11_9"' in answer.text


def copies(client, table, column, value, count):
    """So many more rows like that one, each with another id."""
    database = streams.Sandbox(client).db
    columns = ", ".join(name for (name,) in database.execute(
        "SELECT column_name FROM information_schema.columns WHERE table_schema = 'consign' AND table_name = %s"
        " AND column_name <> %s", (table, column)))
    database.execute(
        f"INSERT INTO consign.{table} ({column}, {columns})"
        f" SELECT left(encode(sha256(convert_to(n || {column}, 'UTF8')), 'hex'), length({column})), {columns}"
        f" FROM consign.{table}, generate_series(1, %s) n WHERE {column} = %s", (count, value))


def test_a_union_reads_so_many_values_and_says_that_there_are_more(client):
    """As many as fit the 16 MiB of a sandbox: read by each of a pool's workers at once they would be too slow for all."""
    schema = registry.create_schema(client, **{f"m{i}": {"type": "null"} for i in range(4900)})
    path = f"{registry.UNIONS}/_xdm.context.profile__union"
    assert "meta:partial" not in client.get(path).json()
    copies(client, "registry_schema", "schema", schema["$id"].split("/")[-1], 120)
    begin = time.monotonic()
    union = client.get(path).json()
    assert time.monotonic() - begin < 2
    assert union["meta:partial"] is True and len(union["properties"]) >= 4900


def test_many_datasets_of_one_large_schema_do_not_make_a_union_slow(client):
    """Each dataset's observed schema is looked at beside the one it follows, which is read once for all of them."""
    schema = registry.create_schema(client, **{f"m{i}": {**STRING, "description": "d" * 180} for i in range(4500)})
    dataset = registry.create_dataset(client, schema)
    flows.ingest(client, dataset, [{"identityMap": {"E": [{"id": "a"}]}}])
    for table in ("dataset", "observed_schema"):
        copies(client, table, "dataset", dataset, 600)
    begin = time.monotonic()
    client.get(f"{registry.UNIONS}/_xdm.context.profile__union")
    assert time.monotonic() - begin < 2


# ---- what it is for ----

def person_rows(number):
    """One person's records in three profile datasets and in one of events: no identityMap anywhere, and all that the
    profiles have in common is an e-mail address."""
    mail = {"personalEmail": {"address": f"p{number}@example.com"}}
    crm = {"_tenant": {"identities": {"crmId": float(number * 1000)}}, "name": f"name {number}", **mail}
    web = {"_tenant": {"web": {"visitor": f"v-{number}"}}, "visits": number, **mail}
    loyalty = {"_tenant": {"loyalty": {"number": 9_000_000_000_000 + number, "points": number * 5}}, **mail}
    events = [{"_id": f"e{number}-{n}", "timestamp": f"2024-01-0{n + 1}T00:00:00Z", "what": f"bought {number}",
               "_tenant": {"loyalty": {"number": 9_000_000_000_000 + number}}} for n in range(number % 3)]
    return crm, web, loyalty, events


def meeting_datasets(client):
    """The datasets for the parts of person_rows(), their identities described."""
    mail, card = obj(address=STRING), obj(loyalty=obj(number=INTEGER, points=INTEGER))
    schemas = [registry.create_schema(client, _tenant=obj(identities=obj(crmId={"type": "number"})), personalEmail=mail),
               registry.create_schema(client, _tenant=obj(web=obj(visitor=STRING)), personalEmail=mail),
               registry.create_schema(client, _tenant=card, personalEmail=mail),
               registry.create_schema(client, "event", _tenant=card)]
    for schema, path, namespace in zip(schemas, ("/_tenant/identities/crmId", "/_tenant/web/visitor", "/_tenant/loyalty/number",
                                                 "/_tenant/loyalty/number"), ("CRMID", "Visitor", "Loyalty", "Loyalty")):
        registry.create_descriptor(client, schema, path, namespace, primary=True)
    for schema in schemas[:3]:
        registry.create_descriptor(client, schema, "/personalEmail/address", "Email")
    return [registry.create_dataset(client, schema) for schema in schemas]


def test_own_data_with_described_identities_end_in_the_right_persons(client):
    datasets = meeting_datasets(client)
    persons = [person_rows(number) for number in range(1, 41)]
    files = [[person[part] for person in persons] for part in range(3)] + [[e for person in persons for e in person[3]]]
    for dataset, records in zip(datasets, files):
        assert flows.ingest(client, dataset, records)["metrics"]["failedRecordCount"] == 0
    policy = flows.create_policy(client, "pdg")
    try:
        job, rows = flows.export_all(client, mergePolicy={"id": policy["id"]}, additionalFields={"eventList": {}})
    finally:
        client.delete(f"{flows.POLICIES}/{policy['id']}", expect=200)
    assert job["metrics"]["totalExportedProfileCounter"] == len(rows) == len(persons)
    found = {row["name"]: row for row in rows}
    for number, (_, _, loyalty, events) in enumerate(persons, start=1):
        row = found[f"name {number}"]
        assert {ns: {entry["id"] for entry in entries} for ns, entries in row["identityMap"].items()} == {
            "CRMID": {str(number * 1000)}, "Visitor": {f"v-{number}"}, "Loyalty": {str(9_000_000_000_000 + number)},
            "Email": {f"p{number}@example.com"}}
        assert row["visits"] == number
        assert row["_tenant"]["loyalty"] == loyalty["_tenant"]["loyalty"]
        assert set(row["_tenant"]) == {"identities", "web", "loyalty"}
        assert [(e["_id"], e["what"]) for e in row.get("eventList", [])] == [(e["_id"], e["what"]) for e in events]


def test_records_that_break_the_schema_are_told_and_stop_no_other(client):
    _, _, dataset, _ = meeting_datasets(client)
    good, bad, nobody = ({"_tenant": {"loyalty": {"number": 1, "points": points}}} for points in (5, "five", 6))
    nobody["_tenant"]["loyalty"].pop("number")
    batch = flows.ingest(client, dataset, [good, bad, nobody])
    assert batch["metrics"]["outputRecordCount"] == 1
    schema, identity = client.get(f"{flows.BATCH_FILES}/{batch['id']}/failed").json()["data"]
    assert schema["code"] == "schema" and schema["reason"].startswith("/_tenant/loyalty/points must be an integer")
    assert identity["code"] == "identity"
