"""Looking at profiles and events (contract section 1): answers, refusals, pages, bounds."""

import json
import pathlib
import re
import statistics
import time
import uuid
from urllib.parse import quote, urlencode

import pytest

import flows
import rawhttp
from client import Client
from entities import ENTITIES, EVENT, PROFILE, ask, event_query, events, look_up, many, query
from policyuse import made
from shapes import assert_problem
from stack import process_tree
from test_hardening import sanitized

TIME = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$")
ODD = ["it's", 'quo"te', "back\\slash", "per%41cent", "a&b=c", "pl+us", " blank ", "é😀", "semi;colon", "$1", "{a,b}", "n" * 1024,
       "NULL", "/../", "[\"x\",\"y\"]"]


def person(ns, value, *links, **members):
    entries = {}
    for other, (code, name) in enumerate([(ns, value), *links]):
        entries.setdefault(code, []).append({"id": name, "primary": True} if other == 0 else {"id": name})
    return {"identityMap": entries, **members}


def event(ns, value, name, stamp, *links, **members):
    return {"_id": name, "timestamp": stamp, **person(ns, value, *links, **members)}


class World:
    """A sandbox with a person of three identities, a person of events only, and odd names."""

    def __init__(self, client):
        self.client = client
        self.crm, self.web = flows.create_dataset(client, "profile"), flows.create_dataset(client, "profile")
        self.log = flows.create_dataset(client, "event")
        self.before = flows.now_ms()
        flows.ingest(client, self.crm, [person("Email", "a@x", ("CRMID", "7"), person={"name": {"firstName": "A"}}, v=1),
                                        *(person("Odd", name, name_of=name) for name in ODD)])
        flows.ingest(client, self.web, [person("CRMID", "7", ("ECID", "e"), person={"name": {"lastName": "B"}}, v=2)])
        # four at one moment, two of them of one id under two identities of the person
        self.events = [event("Email", "a@x", f"n{n}", f"2024-01-01T00:00:0{n // 4}Z", n=n, web={"page": n}) for n in range(9)]
        self.events += [event("CRMID", "7", "n2", "2024-01-01T00:00:00Z", n=20), event("CRMID", "7", "old", "1960-01-01T00:00:00Z"),
                        event("Solo", "s", "one", "2024-01-01T00:00:00Z", n=1)]
        flows.ingest(client, self.log, self.events)
        self.after = flows.now_ms()


@pytest.fixture(scope="module")
def world(stack, tenants):
    org = tenants.org("here", "there")
    return World(Client(stack, org, "here", *tenants.credentials(org)))


@pytest.fixture(scope="module")
def graph(world):
    """The members that choose a policy with a graph."""
    with made(world.client, {"graph": "pdg", "order": None, "older": None, "pin": None, "default": False}, {}) as chosen:
        yield {"mergePolicyId": chosen["mergePolicy"]["id"]}


# ---- profiles ----

def test_one_identity(world):
    told = look_up(world.client, "Email", "a@x")
    assert TIME.match(told.pop("lastModifiedAt"))
    assert told == {"entityId": "a@x", "mergePolicy": {"id": "timestampOrdered-none-mp"}, "sources": [world.crm],
                    "identityGraph": [{"id": "a@x", "namespace": {"code": "Email"}}],
                    "entity": person("Email", "a@x", ("CRMID", "7"), person={"name": {"firstName": "A"}}, v=1)}


def test_a_person(world, graph):
    for ns, value in (("Email", "a@x"), ("CRMID", "7"), ("ECID", "e")):
        told = look_up(world.client, ns, value, **graph)
        assert told["mergePolicy"] == {"id": graph["mergePolicyId"]}
        assert told["sources"] == sorted([world.crm, world.web])
        assert [(i["namespace"]["code"], i["id"]) for i in told["identityGraph"]] == [("CRMID", "7"), ("Email", "a@x"), ("ECID", "e")]
        assert told["entity"]["person"] == {"name": {"firstName": "A", "lastName": "B"}} and told["entity"]["v"] == 2
        moment = time.strptime(told["lastModifiedAt"][:19], "%Y-%m-%dT%H:%M:%S")
        assert world.before - 1000 <= (time.mktime(moment) - time.timezone) * 1000 <= world.after


def test_fields(world, graph):
    told = look_up(world.client, "Email", "a@x", fields="person.name.lastName, v", **graph)
    assert {k: v for k, v in told["entity"].items() if k != "identityMap"} == {"person": {"name": {"lastName": "B"}}, "v": 2}
    told = look_up(world.client, "Email", "a@x", fields="identities.id")
    assert set(told["entity"]) == {"identityMap", "identities"}


def test_default_policy_counts(world):
    assert look_up(world.client, "ECID", "e") is None
    with made(world.client, {"graph": "pdg", "order": ["web"], "older": None, "pin": None, "default": True}, {"web": world.web}):
        told = look_up(world.client, "ECID", "e")
        assert told["sources"] == [world.web] and "firstName" not in told["entity"]["person"]["name"]
    assert look_up(world.client, "ECID", "e") is None


@pytest.mark.parametrize("name", ODD, ids=range(len(ODD)))
def test_odd_names(world, name):
    assert look_up(world.client, "Odd", name)["entity"]["name_of"] == name
    assert many(world.client, [("Odd", name)]).json()[name]["entity"]["name_of"] == name


def test_names_with_control_characters_are_found_and_removed(client):
    name, ns = "tab\tand\u0001", "Odd\n"
    flows.ingest(client, flows.create_dataset(client, "profile"), [person(ns, name, v="control")])
    flows.ingest(client, flows.create_dataset(client, "event"), [
        {**person(ns, name), "_id": f"e\t{n}", "timestamp": "2026-01-02T03:04:05Z"} for n in range(3)])
    assert look_up(client, ns, name)["entity"]["v"] == "control"
    assert many(client, [(ns, name)]).json()[name]["entity"]["v"] == "control"
    found, pages = events(client, ns, name, limit=1)
    assert [event["entityId"] for event in found] == ["e\t0", "e\t1", "e\t2"] and len(pages) == 3
    client.delete(f"{ENTITIES}?{urlencode(query(ns, name))}", expect=202)
    assert look_up(client, ns, name) is None
    assert_problem(ask(client, query(ns, "nul\0"), None), 400)
    assert_problem(many(client, [(ns, "nul\0")], expect=None), 400)


def test_nobody_is_404_with_the_same_bytes_everywhere(world, stack, tenants):
    elsewhere = world.client.in_sandbox("there")
    flows.ingest(elsewhere, flows.create_dataset(elsewhere, "profile"), [person("Email", "theirs")])
    org = tenants.org("here")
    foreign = Client(stack, org, "here", *tenants.credentials(org))
    flows.ingest(foreign, flows.create_dataset(foreign, "profile"), [person("Email", "foreign")])
    told = set()
    for ns, value in (("Email", "nobody"), ("Email", "theirs"), ("Email", "foreign"), ("email", "a@x"), ("ECID", "e"), ("Solo", "s")):
        answer = world.client.call("GET", f"{ENTITIES}?{urlencode(query(ns, value))}", headers={"x-request-id": "same"}, expect=404)
        told.add((answer.content, tuple(sorted((n, v) for n, v in answer.headers.items() if n.lower() != "date"))))
    assert len(told) == 1
    assert many(world.client, [("Email", "nobody"), ("Email", "theirs"), ("Solo", "s")]).json() == {}
    for ns, value in (("Email", "nobody"), ("Email", "theirs"), ("Email", "foreign")):
        assert_problem(ask(world.client, event_query(ns, value), None), 404)


def test_nothing_of_one_tenant_shows_in_the_next_answer(world, stack, tenants):
    org = tenants.org("here")
    foreign = Client(stack, org, "here", *tenants.credentials(org))
    flows.ingest(foreign, flows.create_dataset(foreign, "profile"), [person("Email", "a@x", other=True)])
    for _ in range(30):
        assert "other" not in look_up(world.client, "Email", "a@x")["entity"]
        assert look_up(foreign, "Email", "a@x")["entity"] == person("Email", "a@x", other=True)
        ask(world.client, query("Email", "none"), 404)


def test_many(world, graph):
    names = [("Email", "a@x"), ("Email", "nobody"), ("CRMID", "7"), ("Odd", "it's")]
    told = many(world.client, names, **graph).json()
    assert list(told) == ["a@x", "7", "it's"]
    for ns, value in (("Email", "a@x"), ("CRMID", "7"), ("Odd", "it's")):
        assert told[value] == look_up(world.client, ns, value, **graph)
    chosen = many(world.client, names, fields=["v", "person.name"], **graph).json()
    assert chosen["a@x"]["entity"] == look_up(world.client, "Email", "a@x", fields="v,person.name", **graph)["entity"]


def test_head_and_slash(world):
    path = f"{ENTITIES}?{urlencode(query('Email', 'a@x'))}"
    answer = world.client.get(path)
    assert world.client.get(path.replace("?", "/?")).content == answer.content
    head = world.client.call("HEAD", path, expect=200)
    assert head.content == b"" and head.headers["Content-Length"] == str(len(answer.content))
    assert world.client.call("PUT", ENTITIES, expect=405).headers["Allow"] == "GET, HEAD, POST, DELETE"


# ---- events ----

def test_events_are_in_the_order_of_an_export(world, graph):
    for policy in ({}, graph):
        found, (page,) = events(world.client, "Email", "a@x", **policy)
        more = {"mergePolicy": {"id": graph["mergePolicyId"]}} if policy else {}
        _, rows = flows.export_all(world.client, additionalFields={"eventList": {}}, **more)
        (row,) = [row for row in rows if {"id": "a@x", "primary": True} in row["identityMap"].get("Email", [])]
        assert [child["entity"] for child in found] == row["eventList"]
        assert page["_page"] == {"orderby": "+timestamp", "start": "", "count": len(found), "next": ""}
        for child in found:
            assert set(child) == {"relatedEntityId", "entityId", "timestamp", "entity"} and child["relatedEntityId"] == "a@x"
            assert child["entityId"] == child["entity"]["_id"]
    assert len(found) == 11 and found[0]["timestamp"] == -315619200000


@pytest.mark.parametrize("order", ["timestamp", "+timestamp", "-timestamp"])
@pytest.mark.parametrize("limit", [1, 2, 3, 11, 1000])
def test_pages(world, graph, order, limit):
    found, pages = events(world.client, "CRMID", "7", limit=limit, orderby=order, **graph)
    assert len(pages) == -(-11 // limit)
    every, _ = events(world.client, "CRMID", "7", orderby=order, **graph)
    assert found == every and len(every) == 11
    times = [child["timestamp"] for child in found]
    assert times == sorted(times, reverse=order[0] == "-")
    assert sorted(json.dumps(c["entity"]) for c in found) == sorted(json.dumps(e) for e in world.events[:-1])


def test_times_are_included(world):
    first = 1704067200000

    def names(**bounds):
        return [child["entityId"] for child in events(world.client, "Email", "a@x", limit=2, **bounds)[0]]
    assert names(startTime=first, endTime=first) == ["n0", "n1", "n2", "n3"]
    assert names(startTime=first + 1) == ["n4", "n5", "n6", "n7", "n8"]
    assert names(startTime=first + 1, endTime=first + 1000) == ["n4", "n5", "n6", "n7"]
    assert names(endTime=first - 1) == []
    assert [c["entityId"] for c in events(world.client, "CRMID", "7", endTime=-1)[0]] == ["old"]


def test_event_fields_and_names(world):
    found, _ = events(world.client, "Email", "a@x", fields="_id,web.page", limit=4)
    assert found[3]["entity"] == {"_id": "n3", "web": {"page": 3}}
    plain = {"schema.name": EVENT, "relatedSchema.name": PROFILE, "entityId": "a@x", "entityIdNS": "Email"}
    assert len(ask(world.client, plain).json()["children"]) == 9
    assert len(ask(world.client, {**plain, "relatedEntityId": "a@x", "limit": 3}).json()["children"]) == 3
    assert_problem(ask(world.client, {**plain, "relatedEntityId": "other"}, None), 400)


def test_events_of_many(world, graph):
    told = many(world.client, [("CRMID", "7"), ("Solo", "s"), ("Email", "none")], EVENT, limit=2, orderby="-timestamp",
                timeFilter={"startTime": 0}, **graph).json()
    assert list(told) == ["7", "s"]
    found, rest = list(told["7"]["children"]), told["7"]
    while rest["_links"]["next"]["href"]:
        rest = world.client.get(rest["_links"]["next"]["href"]).json()
        found += rest["children"]
    assert found == events(world.client, "CRMID", "7", orderby="-timestamp", startTime=0, **graph)[0]
    assert [c["entityId"] for c in told["s"]["children"]] == ["one"] and told["s"]["_page"]["next"] == ""
    assert many(world.client, [("Solo", "s")], EVENT, timeFilter={"endTime": 0}).json()["s"]["children"] == []


# ---- refusals ----

GOOD, GOOD_EVENTS = query("Email", "a@x"), event_query("Email", "a@x")
BAD_QUERIES = [
    {}, {**GOOD, "schema.name": ""}, {**GOOD, "schema.name": "profile"}, {"schema.name": PROFILE},
    {"schema.name": PROFILE, "entityId": "x"}, {"schema.name": PROFILE, "entityIdNS": "x"}, query("", "x"), query("x", ""),
    query("n" * 256, "x"), query("x", "n" * 1025), query("x", "a\0"), {**GOOD, "mergePolicyId": "none"},
    {**GOOD, "mergePolicyId": str(uuid.uuid4())}, {**GOOD, "mergePolicyId": ""}, {**GOOD, "mergePolicyId": "' OR 1=1 --"},
    {**GOOD, "fields": "a..b"}, {**GOOD, "fields": "a,,b"}, {**GOOD, "fields": ","}, {**GOOD, "fields": ".a"},
    {"schema.name": EVENT, "relatedEntityId": "x", "relatedEntityIdNS": "y"}, {**GOOD_EVENTS, "relatedSchema.name": EVENT},
    {**GOOD_EVENTS, "limit": 0}, {**GOOD_EVENTS, "limit": 1001}, {**GOOD_EVENTS, "limit": "x"}, {**GOOD_EVENTS, "limit": ""},
    {**GOOD_EVENTS, "orderby": "time"}, {**GOOD_EVENTS, "orderby": "--timestamp"}, {**GOOD_EVENTS, "orderby": ""},
    {**GOOD_EVENTS, "startTime": "2024-01-01T00:00:00Z"}, {**GOOD_EVENTS, "endTime": "-"}, {**GOOD_EVENTS, "endTime": "9" * 18},
    {**GOOD_EVENTS, "startTime": 2, "endTime": 1}, *({**GOOD_EVENTS, "start": text} for text in (
        "x", "1", "1_2", "1_2_", "1_2_6", "1_2_zz", "1_2_00", "1_2_ff", "1_-1_61", "_1_61", "1__61", "1_2_61_", "1_2147483648_61",
        "9" * 30 + "_0_61", "1_0_" + "61" * 1025, "1_0_6A", "1_0_c080", "1_0_eda080"))]


@pytest.mark.parametrize("members", BAD_QUERIES, ids=range(len(BAD_QUERIES)))
def test_bad_query_is_400(world, members):
    problem = assert_problem(ask(world.client, members, None), 400)
    assert "a@x" not in json.dumps(problem), "who was asked for is in no answer that a log may keep"


@pytest.mark.parametrize("text", ["schema.name=a&schema.name=b", "%", "%4", "%zz", "a=%00", "a=%ff", "a=%c0%80", "&".join(f"a{n}=" for n in range(40)),
                                  urlencode(GOOD) + "&entityId=b", urlencode(GOOD) + "&entityId=a%40x"])
def test_malformed_query_is_400(world, text):
    assert_problem(world.client.call("GET", f"{ENTITIES}?{text}"), 400)
    assert_problem(world.client.call("DELETE", f"{ENTITIES}?{text}"), 400)


def test_raw_bytes_in_the_query(world):
    lines = list(world.client.headers().items())
    for raw, wanted in (("entityId=é", 404), ("entityId=a\"b", 404), ("entityId=a'b<>{}|^`", 404)):
        answer = rawhttp.send(world.client.url, "GET", f"{ENTITIES}?schema.name={PROFILE}&entityIdNS=N&{raw}", lines, b"")
        assert answer.status_code in (wanted, 400), answer.text


BODY = {"schema": {"name": PROFILE}, "identities": [{"entityId": "a@x", "entityIdNS": {"code": "Email"}}]}
EVENT_BODY = {**BODY, "schema": {"name": EVENT}, "relatedSchema": {"name": PROFILE}}
ONE = BODY["identities"][0]
BAD_BODIES = [
    ([], ""), ({}, "/schema"), ({**BODY, "schema": PROFILE}, "/schema"), ({**BODY, "schema": {}}, "/schema/name"),
    ({**BODY, "schema": {"name": "x"}}, "/schema/name"), ({**BODY, "schema": None}, "/schema"),
    ({"schema": BODY["schema"]}, "/identities"), ({**BODY, "identities": []}, "/identities"), ({**BODY, "identities": {}}, "/identities"),
    ({**BODY, "identities": [ONE] * 101}, "/identities"), ({**BODY, "identities": [ONE, 5]}, "/identities/1"),
    ({**BODY, "identities": [{}]}, "/identities/0/entityId"), ({**BODY, "identities": [{"entityId": 5}]}, "/identities/0/entityId"),
    ({**BODY, "identities": [{"entityId": "x"}]}, "/identities/0/entityIdNS"),
    ({**BODY, "identities": [{"entityId": "x", "entityIdNS": "Email"}]}, "/identities/0/entityIdNS"),
    ({**BODY, "identities": [{"entityId": "x", "entityIdNS": {"id": 6}}]}, "/identities/0/entityIdNS/code"),
    ({**BODY, "identities": [{"entityId": "", "entityIdNS": {"code": "x"}}]}, "/identities/0/entityId"),
    ({**BODY, "identities": [{"entityId": "x", "entityIdNS": {"code": "n" * 256}}]}, "/identities/0/entityIdNS/code"),
    ({**BODY, "identities": [{"entityId": "é" * 513, "entityIdNS": {"code": "n"}}]}, "/identities/0/entityId"),
    ({**BODY, "identities": [ONE, {**ONE, "entityIdNS": {"code": "other"}}]}, "/identities/1/entityId"),
    ({**BODY, "fields": "a"}, "/fields"), ({**BODY, "fields": [5]}, "/fields/0"), ({**BODY, "fields": ["a", "b,c"]}, "/fields/1"),
    ({**BODY, "fields": ["a", ""]}, "/fields"), ({**BODY, "fields": ["a..b"]}, "/fields"), ({**BODY, "fields": ["a"] * 1001}, "/fields"),
    ({**BODY, "fields": ["a" * 70000]}, "/fields"), ({**BODY, "mergePolicyId": 5}, "/mergePolicyId"),
    ({**BODY, "mergePolicyId": "none"}, "/mergePolicyId"), ({**BODY, "mergePolicyId": None}, "/mergePolicyId"),
    ({**BODY, "schema": {"name": EVENT}}, "/relatedSchema"), ({**EVENT_BODY, "relatedSchema": {"name": EVENT}}, "/relatedSchema/name"),
    ({**EVENT_BODY, "limit": 0}, "/limit"), ({**EVENT_BODY, "limit": "5"}, "/limit"), ({**EVENT_BODY, "limit": 2.5}, "/limit"),
    ({**EVENT_BODY, "orderby": 5}, "/orderby"), ({**EVENT_BODY, "orderby": "x"}, "/orderby"),
    ({**EVENT_BODY, "timeFilter": 5}, "/timeFilter"), ({**EVENT_BODY, "timeFilter": {"startTime": "5"}}, "/timeFilter/startTime"),
    ({**EVENT_BODY, "timeFilter": {"startTime": 2, "endTime": 1}}, "/timeFilter/endTime")]


@pytest.mark.parametrize("body, pointer", BAD_BODIES, ids=[f"{n}-{p}" for n, (_, p) in enumerate(BAD_BODIES)])
def test_bad_body_is_400_with_the_pointer(world, body, pointer):
    assert_problem(world.client.post(ENTITIES, body), 400, pointer)


# ---- bounds ----

def test_bounds(client):
    """Of 50 identities, of 6 MiB, of an answer, and what passes them; at the bound itself all is well."""
    crm = flows.create_dataset(client, "profile")
    wide = [("W", f"w{n}") for n in range(51)]
    flows.ingest(client, crm, [person("N", "fifty", *wide[:49]), person("N", "more", *wide[:50]), *(
        person("B", f"b{n}", ("Hub", "large"), **{f"m{n}": "t" * 900_000}) for n in range(7))])
    assert len(look_up(client, "N", "fifty")["entity"]["identityMap"]["W"]) == 49
    problem = assert_problem(ask(client, query("N", "more"), None), 422)
    assert problem["type"] == "/problems/profile-bounds"
    assert_problem(many(client, [("N", "fifty"), ("N", "more")], expect=None), 422, "/identities/1")
    assert len(look_up(client, "B", "b0")["entity"]["m0"]) == 900_000
    with made(client, {"graph": "pdg", "order": None, "older": None, "pin": None, "default": False}, {}) as chosen:
        policy = {"mergePolicyId": chosen["mergePolicy"]["id"]}
        problem = assert_problem(ask(client, query("Hub", "large", **policy), None), 422)
        assert "6 MiB" in problem["detail"]
        assert_problem(many(client, [("Hub", "large")], expect=None, **policy), 422, "/identities/0")
    assert len(many(client, [("B", "b0"), ("B", "b1")]).json()) == 2
    problem = assert_problem(many(client, [("B", f"b{n}") for n in range(3)], expect=None), 400, "/identities")
    assert "2 MiB" in problem["detail"]
    assert len(many(client, [("B", f"b{n}") for n in range(6)], fields=["nothing"]).json()) == 6
    problem = assert_problem(many(client, [("B", f"b{n}") for n in range(7)], expect=None, fields=["nothing"]), 400, "/identities")
    assert "6 MiB" in problem["detail"]


def test_memory_of_the_pool_stays_small(client, stack):
    """The largest profile that is merged, by every worker, and what they take at most and afterwards."""
    if sanitized(stack):
        pytest.skip("a sanitizer build takes more")
    crm = flows.create_dataset(client, "profile")
    flows.ingest(client, crm, [person("B", f"b{n}", ("Hub", "large"), **{f"m{n}": "t" * 980_000}) for n in range(6)])
    with made(client, {"graph": "pdg", "order": None, "older": None, "pin": None, "default": True}, {}):
        for _ in range(24):
            assert len(ask(client, query("Hub", "large")).content) > 5_800_000
    for _ in range(24):
        ask(client, query("Hub", "nobody"), 404)
    pool = process_tree(int((stack.dir / "pids" / "api").read_text().split()[0]))
    told = [pathlib.Path(f"/proc/{pid}/status").read_text() for pid in pool]
    assert max(int(text.split("VmHWM:")[1].split()[0]) for text in told) <= 56 * 1024
    assert max(int(text.split("VmRSS:")[1].split()[0]) for text in told) <= 40 * 1024


def test_a_page_is_cut_by_its_length(client):
    log = flows.create_dataset(client, "event")
    flows.ingest(client, log, [event("E", "e", f"{n}", f"2024-01-01T00:00:{n:02}Z", text="t" * 500_000) for n in range(10)])
    found, pages = events(client, "E", "e")
    assert [c["entityId"] for c in found] == [str(n) for n in range(10)]
    assert [len(page["children"]) for page in pages] == [4, 4, 2]


# ---- removing (what is removed, and when, is test_removing's) ----

def test_a_removed_profile_is_gone(client):
    crm, log = flows.create_dataset(client, "profile"), flows.create_dataset(client, "event")
    flows.ingest(client, crm, [person("R", "r", ("R", "also")), person("R", "stays")])
    flows.ingest(client, log, [event("R", "r", "one", "2024-01-01T00:00:00Z")])
    answer = ask(client, query("R", "also"), 202, "DELETE")
    assert answer.content == b""
    job = client.get(answer.headers["Location"]).json()
    assert job["status"] in ("NEW", "PROCESSING", "COMPLETED") and job["id"] == answer.headers["Location"].rsplit("/", 1)[1]
    deadline = time.monotonic() + 20
    while client.get(answer.headers["Location"]).json()["status"] != "COMPLETED":
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert look_up(client, "R", "r") is None and look_up(client, "R", "stays") is not None
    assert_problem(ask(client, event_query("R", "r"), None), 404)
    assert_problem(ask(client, query("R", "r"), None, "DELETE"), 404)
    _, rows = flows.export_all(client, filter={"emptyProfiles": True})
    assert [row["identityMap"]["R"][0]["id"] for row in rows] == ["stays"]


def test_who_was_looked_up_is_in_no_log(client, stack):
    mark = f"secret{uuid.uuid4().hex}"
    flows.ingest(client, flows.create_dataset(client, "profile"), [person("L", mark)])
    assert look_up(client, "L", mark) and many(client, [("L", mark)]).json()
    ask(client, query("L", mark, mergePolicyId="x"), 400)
    ask(client, query("L", mark), 202, "DELETE")
    ask(client, query("L", mark), (202, 404), "DELETE")
    for log in stack.dir.rglob("*.log"):
        assert mark.encode() not in log.read_bytes(), log


# ---- speed ----

def test_a_lookup_of_20_fragments_and_200_events_is_fast(client):
    datasets = [flows.create_dataset(client, "profile") for _ in range(20)]
    for dataset in datasets:
        flows.ingest(client, dataset, [person("S", "s", **{f"m{dataset[:6]}": {"text": "t" * 800, "n": list(range(20))}})])
    log = flows.create_dataset(client, "event")
    flows.ingest(client, log, [event("S", "s", f"{n}", f"2024-01-01T00:{n // 60:02}:{n % 60:02}Z", text="t" * 800) for n in range(200)])
    for members, count in ((query("S", "s"), None), (event_query("S", "s", limit=200), 200)):
        took = []
        for _ in range(60):
            begun = time.perf_counter()
            answer = ask(client, members)
            took.append((time.perf_counter() - begun) * 1000)
        assert count is None or len(answer.json()["children"]) == count
        print(f"median {statistics.median(took):.2f} ms")
        assert statistics.median(took) < 50, took  # 5 ms on a quiet machine: make bench
