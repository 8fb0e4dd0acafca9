"""What an export request selects: each case by hand, with its reason, and every row against the oracle.

The rules are those of contract.md sections 5 and 6. Formats take turns; what rows look like in Parquet is
test_parquet_files.py's.
"""

import itertools
from concurrent.futures import ThreadPoolExecutor

import pytest

import flows
import policyuse
from client import Client
from flows import BATCH_FILES, CATALOG, JOBS
from oracle import Policy, canonical_rows
from rfc3339 import from_ms
from shapes import HEX32, assert_problem
from test_oracle_selection import event, ident, member
from test_reference_document import EVENT_LIST
from twin import Twin, cut_ms

FORMS = itertools.cycle(("json", "parquet"))


@pytest.fixture
def twin(client):
    return Twin(client)


def check(twin, body, rules=Policy()):
    return twin.check(body, rules, form=next(FORMS))


def values(wanted, name="v"):
    return sorted(row[name] for row in wanted.rows)


# The payloads of the reference document.

@pytest.fixture(scope="module")
def browsing(shared):
    """Three people; one has events only, one no events."""
    twin = Twin(shared)

    def seen(event_id, who, name, version):
        return event(event_id, "01", who, environment={"browserDetails": {"name": name, "version": version}, "x": 1})

    twin.records("crm", [ident("E:ann", "C:1", personalEmail={"address": "ann@example.org", "primary": True}, v=1),
                         ident("E:bob", personalEmail={"address": "bob@example.org"}, v=2)])
    twin.events("web", [seen("1", "E:ann", "Fox", "1.2"), seen("2", "E:eve", "Lynx", "3"), event("3", "00", "E:ann")])
    return twin


@pytest.mark.parametrize("form", ["json", "parquet"])
def test_payload_of_profile_and_events(browsing, form):
    body = {"fields": "identities.id,personalEmail.address", "additionalFields": {"eventList": EVENT_LIST},
            "mergePolicy": {"id": "timestampOrdered-none-mp", "version": 1}}
    _, wanted = browsing.check(body, form=form)
    assert (wanted.profiles, wanted.events) == (2, 2)


@pytest.mark.parametrize("form", ["json", "parquet"])
def test_payload_of_profile_only(browsing, form):
    _, wanted = browsing.check({"fields": "identities.id,personalEmail.address"}, form=form)
    assert (wanted.profiles, wanted.events) == (2, 0)


@pytest.mark.parametrize("form", ["json", "parquet"])
def test_payload_of_events_only(browsing, form):
    """Rows hold identityMap and eventList, also of who has no profile record."""
    body = {"fields": "identityMap", "filter": {"emptyProfiles": True}, "additionalFields": {"eventList": EVENT_LIST}}
    _, wanted = browsing.check(body, form=form)
    assert (wanted.profiles, wanted.events) == (3, 3)
    assert all(set(row) <= {"identityMap", "eventList"} for row in wanted.rows)


# Segments.

def people_in_segments(twin):
    twin.records("crm", [
        ident("E:a", v="a", **member("ups/s=realized@2024-01-01T00:00:00Z", "ups/t=realized@2024-01-03T00:00:00Z")),
        ident("E:b", "C:1", v="b", **member("ups/s=existing@2024-01-02T00:00:00Z", "aam/s=exited@2024-01-02T00:00:00Z")),
        ident("E:c", v="c", **member("ups/s=exited@2024-01-02T00:00:00Z")),
        ident("E:d", v="d", **member("aam/s=realized")),
        ident("E:e", v="e"),
    ])
    twin.records("web", [ident("E:c", v="c", **member("ups/t=realized@2024-01-03T00:00:00.5Z"))])
    twin.events("events", [event("1", "01", "E:a"), event("2", "01", "E:b"), event("3", "01", "E:eve")])


@pytest.mark.parametrize("chosen, wanted", [
    ({"segments": [{"segmentId": "s"}]}, "ab"),                                    # by default who is in it now
    ({"segments": [{"segmentId": "s", "status": ["exited"]}]}, "c"),
    ({"segments": [{"segmentId": "s", "status": ["realized"]}]}, "a"),
    ({"segments": [{"segmentId": "s"}, {"segmentId": "t"}]}, "abc"),               # in any of them, one row each
    ({"segments": [{"segmentId": "s", "segmentNs": "aam"}]}, "d"),                 # same name, other namespace
    ({"segments": [{"segmentId": "nobody"}]}, ""),
    ({"segments": []}, "abcde"),                                                   # as if it were not there
    ({"segments": [{"segmentId": "s"}], "segmentQualificationTime": {"startTime": "2024-01-02T00:00:00Z"}}, "b"),
    ({"segments": [{"segmentId": "s"}], "segmentQualificationTime": {"endTime": "2024-01-01T01:00:00+01:00"}}, "a"),
    ({"segments": [{"segmentId": "s", "segmentNs": "aam"}],                        # no time, no qualification in time
      "segmentQualificationTime": {"startTime": "1970-01-01T00:00:00Z"}}, ""),
    ({"segmentQualificationTime": {"startTime": "2024-01-03T00:00:00.5Z"}}, "c"),  # any segment; the bound itself is in
    ({"segmentQualificationTime": {"startTime": "2024-01-03T00:00:00.501Z"}}, ""),
    ({"segmentQualificationTime": {"startTime": "2024-01-02T00:00:00Z", "endTime": "2024-01-02T00:00:00Z"}}, "b"),
])
def test_segments_and_qualification_times(shared, segmented, chosen, wanted):
    _, told = check(segmented, {"filter": chosen, "additionalFields": {"eventList": {}}})
    assert "".join(values(told)) == wanted


@pytest.fixture(scope="module")
def segmented(home, tenants):
    twin = Twin(home.in_sandbox(tenants.sandbox(home.org)))
    people_in_segments(twin)
    return twin


def test_who_has_events_only_is_in_no_segment(segmented):
    _, told = check(segmented, {"filter": {"emptyProfiles": True, "segments": [{"segmentId": "s"}]}})
    assert values(told) == ["a", "b"]


def test_segments_are_looked_for_in_what_is_not_selected(segmented):
    _, told = check(segmented, {"fields": "v", "filter": {"segments": [{"segmentId": "t"}]}})
    assert values(told) == ["a", "c"]


@pytest.mark.parametrize("form", ["json", "parquet"])
def test_one_batch_a_segment(segmented, form):
    """In the order of the request; a profile in two of them is a row in each and counted once."""
    segments = [{"segmentId": "t"}, {"segmentId": "nobody", "status": ["exited"]}, {"segmentId": "s"},
                {"segmentId": "s", "segmentNs": "aam", "status": ["realized", "exited"]}]
    body = {"fields": "v", "filter": {"segments": segments}, "destination": {"segmentPerBatch": True},
            "additionalFields": {"eventList": {"fields": "_id"}}}
    job, told = segmented.check(body, form=form)
    assert [(key, sorted(row["v"] for row in rows)) for key, rows in told.batches.items()] == [
        (("ups", "t"), ["a", "c"]), (("ups", "nobody"), []), (("ups", "s"), ["a", "b"]), (("aam", "s"), ["b", "d"])]
    assert job["metrics"]["totalExportedProfileCounter"] == 4
    destination = job["destination"]
    assert destination["segmentPerBatch"] is True and "batchId" not in destination
    assert [entry["status"] for entry in destination["batches"]] == \
        [["realized", "existing"], ["exited"], ["realized", "existing"], ["realized", "exited"]]
    ids = [entry["batchId"] for entry in destination["batches"]]
    assert len(set(ids)) == 4 and all(HEX32.match(batch) for batch in ids)
    listed = segmented.client.get(f"{CATALOG}/batches?dataSet={destination['datasetId']}&limit=100").json()
    assert set(listed) == set(ids) and all(listed[batch]["status"] == "success" for batch in ids)
    assert len(flows.list_parts(segmented.client, ids[1])) == (1 if form == "parquet" else 0)


def test_batches_of_segments_are_hidden_until_the_job_has_succeeded(segmented, spooler_paused):
    client = segmented.client
    body = {"filter": {"segments": [{"segmentId": "s"}, {"segmentId": "t"}]}, "destination": {"segmentPerBatch": True}}
    with spooler_paused():
        job = segmented.start(body)
        ids = [entry["batchId"] for entry in job["destination"]["batches"]]
        for batch in ids:
            assert_problem(client.call("GET", f"{CATALOG}/batches/{batch}"), 404)
            assert_problem(client.call("GET", f"{BATCH_FILES}/{batch}/files"), 404)
        client.delete(f"{JOBS}/{job['id']}")
    done = flows.wait_job(client, job["id"])
    assert done["status"] == "CANCELLED" and done["destination"]["batchId"] == ""
    for batch in ids:
        assert_problem(client.call("GET", f"{CATALOG}/batches/{batch}"), 404)


# Windows of ingestion.

def test_a_chain_of_exports_holds_every_update_and_every_event_once(twin):
    """Each with fromIngestTimestamp = the last watermark: nothing lost, nothing twice."""
    seen_values, seen_events, watermark = [], [], 0
    for step in range(5):
        if step != 2:  # one link of the chain has nothing new
            twin.records("crm", [ident(f"E:{step}", v=f"crm{step}"), ident("E:all", v=f"all{step}")])
            twin.records("web", [ident("E:quiet" if step == 0 else f"E:{step - 1}", w=step)])
            twin.events("events", [event(f"x{step}", "01", "E:all"), event(f"y{step}", "02", f"E:only{step}"),
                                   event(f"z{step}", "03", "E:quiet")])
        cut_ms()
        body = {"additionalFields": {"eventList": {}}, "filter": {"emptyProfiles": True}}
        if watermark:
            body["filter"]["fromIngestTimestamp"] = from_ms(watermark)
        job, wanted = check(twin, body)
        assert job["watermark"] >= watermark and (step == 2) is (wanted.rows == [] and step > 0)
        watermark = job["watermark"]
        seen_values += [row["v"] for row in wanted.rows if str(row.get("v")).startswith("all")]
        seen_events += [e["_id"] for row in wanted.rows for e in row["eventList"]]
    assert seen_values == [f"all{step}" for step in (0, 1, 3, 4)]
    assert sorted(seen_events) == sorted(f"{letter}{step}" for letter in "xyz" for step in (0, 1, 3, 4))


def test_a_chain_of_exports_beside_running_ingestion_holds_everything_once(twin):
    """Batches end before, during and after each export; its watermark says which of them it holds."""
    def ingest():
        for n in range(20):
            twin.records("crm", [ident(f"E:{n}-{k}", v=f"{n}-{k}") for k in range(10)])
            twin.events("web", [event(f"{n}-{k}", "01", f"C:{k}") for k in range(10)])

    twin.dataset("crm"), twin.dataset("web", "event")
    target, watermark, people, events, last = twin.target(), 0, [], [], False
    with ThreadPoolExecutor(1) as side:
        running = side.submit(ingest)
        while not last:
            last = running.done()
            body = {"filter": {"emptyProfiles": True, "fromIngestTimestamp": from_ms(watermark)},
                    "additionalFields": {"eventList": {"fields": "_id"}}}
            job = flows.wait_job(twin.client, twin.start(body, target)["id"])
            rows = flows.download(twin.client, job["destination"]["batchId"])
            people += [row["v"] for row in rows if "v" in row]
            events += [e["_id"] for row in rows for e in row.get("eventList", [])]
            watermark = job["watermark"]
        running.result()
    wanted = sorted(f"{n}-{k}" for n in range(20) for k in range(10))
    assert sorted(people) == wanted and sorted(events) == wanted


def test_a_watermark_lies_between_what_was_and_what_comes(twin):
    twin.records("crm", [ident("E:a", v=1)])
    first = twin.export({})["watermark"]
    assert twin.export({})["watermark"] == first, "nothing came, nothing changes"
    assert flows.download(twin.client, twin.export({"filter": {"fromIngestTimestamp": from_ms(first)}})["destination"]["batchId"]) == []
    before = flows.download(twin.client, twin.export({"filter": {"fromIngestTimestamp": from_ms(first - 1)}})["destination"]["batchId"])
    assert [row["v"] for row in before] == [1]


def test_an_update_by_events_alone_counts_only_when_events_are_exported(twin):
    twin.records("crm", [ident("E:a", v=1), ident("E:b", v=2)])
    _, cut = twin.events("web", [event("1", "01", "E:a")])
    twin.events("web", [event("2", "01", "E:b")])
    window = {"filter": {"fromIngestTimestamp": from_ms(cut)}}
    assert values(check(twin, window)[1]) == []
    _, wanted = check(twin, {**window, "additionalFields": {"eventList": {}}})
    assert [(row["v"], [e["_id"] for e in row["eventList"]]) for row in wanted.rows] == [(2, ["2"])]
    # an event that eventList.filter takes away is not exported and selects nobody
    late = {"eventList": {"filter": {"toIngestTimestamp": from_ms(cut)}}}
    assert values(check(twin, {**window, "additionalFields": late})[1]) == []


def test_an_event_that_came_again_belongs_to_the_later_window(twin):
    twin.records("crm", [ident("E:a", v=1)])
    _, cut = twin.events("web", [event("1", "01", "E:a", n=1), event("2", "02", "E:a", n=1)])
    twin.events("again", [event("1", "03", "E:a", n=2)])
    for window, wanted in (({"fromIngestTimestamp": from_ms(cut)}, [("1", 2)]), ({"toIngestTimestamp": from_ms(cut)}, [("2", 1)]),
                           ({}, [("2", 1), ("1", 2)])):
        _, told = check(twin, {"additionalFields": {"eventList": {"filter": window}}})
        assert [(e["_id"], e["n"]) for e in told.rows[0]["eventList"]] == wanted


def test_a_person_is_updated_when_any_identity_is(twin):
    """Under pdg; under none only the row of that identity."""
    _, cut = twin.records("crm", [ident("E:a", "C:1", v=1), ident("E:b", "C:1", v=2), ident("E:c", v=3)])
    twin.records("web", [ident("E:b", w=1)])
    body = {"filter": {"fromIngestTimestamp": from_ms(cut)}}
    assert values(check(twin, body)[1]) == [2]
    policy = flows.create_policy(twin.client, "pdg")["id"]
    _, told = check(twin, {**body, "mergePolicy": {"id": policy}}, Policy("pdg"))
    assert len(told.rows) == 1 and len(told.rows[0]["identityMap"]["E"]) == 2


# Policies.

@pytest.fixture
def own(stack, tenants):
    """A sandbox in an org of its own, with room for five policies."""
    org = tenants.org("own")
    return Twin(Client(stack, org, "own", *tenants.credentials(org)))


def test_pinned_version_after_the_policy_changed(own):
    own.records("crm", [ident("E:a", "C:1", v="crm"), ident("E:b", "C:1", w=1)])
    own.records("web", [ident("E:a", v="web")])
    crm, web = own.datasets["crm"], own.datasets["web"]
    policy = flows.create_policy(own.client, "none", [crm, web])["id"]
    policyuse.replace(own.client, policy, "pdg", [web, crm])
    policyuse.replace(own.client, policy, "none", [web])
    for version, rules in ((1, Policy("none", ("crm", "web"))), (2.0, Policy("pdg", ("web", "crm"))),
                           (3, Policy("none", ("web",))), (None, Policy("none", ("web",)))):
        chosen = {"id": policy} if version is None else {"id": policy, "version": version}
        job, _ = check(own, {"mergePolicy": chosen}, rules)
        assert job["mergePolicy"] == {"id": policy, "version": version or 3}


def test_the_version_of_the_moment_of_the_request_is_what_runs(own, spooler_paused):
    own.records("crm", [ident("E:a", v="crm")])
    own.records("web", [ident("E:a", v="web")])
    crm, web = own.datasets["crm"], own.datasets["web"]
    policy = flows.create_policy(own.client, "none", [crm, web], default=True)["id"]
    with spooler_paused():
        named, default = own.start({"mergePolicy": {"id": policy}}), own.start({})
        policyuse.replace(own.client, policy, "none", [web, crm], default=True)
        later = own.start({})
    for job, version, value in ((named, 1, "crm"), (default, 1, "crm"), (later, 2, "web")):
        done = flows.wait_job(own.client, job["id"])
        assert done["mergePolicy"] == {"id": policy, "version": version}
        assert [row["v"] for row in flows.download(own.client, done["destination"]["batchId"])] == [value]


def test_the_default_policy_of_the_sandbox_and_the_built_in_one(own):
    own.records("crm", [ident("E:a", "C:1", v="a"), ident("E:b", "C:1", v="b")])
    assert check(own, {})[0]["mergePolicy"] == {"id": "timestampOrdered-none-mp", "version": 1}
    policy = flows.create_policy(own.client, "pdg", default=True)["id"]
    assert check(own, {}, Policy("pdg"))[0]["mergePolicy"] == {"id": policy, "version": 1}
    job, wanted = check(own, {"mergePolicy": {"id": "timestampOrdered-none-mp"}})
    assert job["mergePolicy"] == {"id": "timestampOrdered-none-mp", "version": 1} and wanted.profiles == 2


def test_order_of_datasets_decides_conflicts_everywhere(own):
    """Deep objects, arrays, maps, nulls and different types, each way round."""
    one = {"deep": {"a": {"b": {"c": 1, "d": 1}, "e": 1}}, "list": [1, 2, {"x": 1}], "null": None, "was": {"x": 1},
           "text": "1", "only1": {"k": None}, **member("ups/s=realized@2024-01-01T00:00:00Z", p=1)}
    two = {"deep": {"a": {"b": {"c": 2, "f": None}, "g": []}}, "list": [], "null": {"x": 2}, "was": None, "text": 2,
           "only2": [None], **member("ups/s=exited", "aam/t=realized", q=2)}
    three = {"deep": {"a": 3}, "list": {"x": 3}, "null": [], "was": "3", "text": None}
    own.records("one", [ident("E:a", "C:1", **one)])
    own.records("two", [ident("E:a", "C:2", **two)])
    own.records("three", [ident("E:a", "E:b", **three), ident("E:z", zed=True)])
    policy = flows.create_policy(own.client, "none", [own.datasets["one"]])["id"]
    names = ("one", "two", "three")
    for count in (1, 2, 3):
        for order in itertools.permutations(names, count):
            policyuse.replace(own.client, policy, "none", [own.datasets[name] for name in order])
            check(own, {"mergePolicy": {"id": policy}}, Policy("none", order))
    check(own, {})


def test_a_dataset_that_is_not_listed_takes_no_part_in_anything(own):
    own.records("listed", [ident("E:a", v="a"), ident("E:b", v="b")])
    _, cut = own.records("other", [ident("E:a", "C:x", v="other", **member("ups/s=realized")), ident("E:lost", v="lost")])
    own.records("other", [ident("E:b", v="later")])
    own.events("events", [event("1", "01", "E:lost"), event("2", "02", "E:a")])
    policy = flows.create_policy(own.client, "none", [own.datasets["listed"]])["id"]
    chosen, rules = {"mergePolicy": {"id": policy}}, Policy("none", ("listed",))
    events = {"additionalFields": {"eventList": {}}}
    assert values(check(own, chosen, rules)[1]) == ["a", "b"]
    assert check(own, {**chosen, "filter": {"segments": [{"segmentId": "s"}]}}, rules)[1].rows == []
    assert check(own, {**chosen, "filter": {"fromIngestTimestamp": from_ms(cut)}}, rules)[1].rows == []
    _, wanted = check(own, {**chosen, **events, "filter": {"emptyProfiles": True}}, rules)
    assert canonical_rows([row for row in wanted.rows if "v" not in row]) == canonical_rows(
        [{**ident("E:lost"), "eventList": [event("1", "01", "E:lost")]}])


def test_a_graph_that_joins_late_is_one_row(own):
    """Two people become one by a record, by an event, and by an identity nobody has as primary."""
    own.records("crm", [ident("E:a", "C:1", v=1, a=1), ident("E:b", "C:2", v=2, b=1), ident("E:c", v=3, c=1)])
    policy = flows.create_policy(own.client, "pdg")["id"]
    chosen, rules = {"mergePolicy": {"id": policy}, "additionalFields": {"eventList": {}}}, Policy("pdg")
    assert len(check(own, chosen, rules)[1].rows) == 3
    own.events("web", [event("1", "01", "E:b", "C:1"), event("1", "00", "E:a", "D:9")])
    assert len(check(own, chosen, rules)[1].rows) == 2
    own.records("crm", [ident("E:x", "C:2"), ident("E:x", "E:c"), ident("E:x")])
    (row,) = check(own, chosen, rules)[1].rows
    assert (row["v"], row["a"], row["b"], row["c"]) == (3, 1, 1, 1) and len(row["eventList"]) == 2
    assert len(check(own, {"mergePolicy": {"id": "timestampOrdered-none-mp"}})[1].rows) == 4


def test_events_only_people_under_both_graphs(own):
    own.records("crm", [ident("E:a", "C:1", v=1)])
    own.events("web", [event("1", "01", "E:b", "C:2"), event("2", "02", "E:c", "C:2"), event("3", "03", "E:d", "C:1")])
    policy = flows.create_policy(own.client, "pdg")["id"]
    body = {"filter": {"emptyProfiles": True}, "additionalFields": {"eventList": {"fields": "_id"}}}
    assert check(own, body)[1].profiles == 4
    _, wanted = check(own, {**body, "mergePolicy": {"id": policy}}, Policy("pdg"))
    assert wanted.profiles == 2
    assert check(own, {"mergePolicy": {"id": policy}}, Policy("pdg"))[1].profiles == 1
    # which rows there are does not depend on the filters of events
    body["additionalFields"]["eventList"]["filter"] = {"fromIngestTimestamp": from_ms(flows.now_ms() + 60_000)}
    _, wanted = check(own, {**body, "mergePolicy": {"id": policy}}, Policy("pdg"))
    assert (wanted.profiles, wanted.events) == (2, 0)


def test_more_than_fifty_identities_by_the_row_they_would_be_in(own):
    """Fifty by one record stay, fifty-one by two records of one identity or of one person go."""
    own.records("crm", [ident("E:full", *(f"C:{n}" for n in range(49)), v="full"), ident("E:ok", v="ok"),
                        ident("E:left", *(f"D:{n}" for n in range(26)), v="left"),
                        ident("E:right", "D:0", *(f"F:{n}" for n in range(30)), v="right")])
    policy = flows.create_policy(own.client, "pdg")["id"]
    chosen = {"mergePolicy": {"id": policy}}
    assert values(check(own, {})[1]) == ["full", "left", "ok", "right"]
    job, wanted = check(own, chosen, Policy("pdg"))
    assert values(wanted) == ["full", "ok"] and job["metrics"]["skippedProfiles"] == {"tooManyIdentities": 1}
    own.records("web", [ident("E:full", "C:one more")])
    job, wanted = check(own, {})
    assert values(wanted) == ["left", "ok", "right"] and job["metrics"]["skippedProfiles"] == {"tooManyIdentities": 1}
    assert check(own, chosen, Policy("pdg"))[0]["metrics"]["skippedProfiles"] == {"tooManyIdentities": 2}
