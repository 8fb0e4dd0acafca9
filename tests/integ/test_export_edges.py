"""Records that are at the edges of what an export can take: none of them may fail it, or be dropped in silence.

Schemas beyond the bounds of columns (fcgi/core/observed.h, fcgi/export/rowschema.h) are read by what the files
themselves say of their columns; the values are the oracle's all the same.
"""

import json

import pytest

import flows
import readers
from client import Client
from columns import hold_members
from oracle import Policy
from test_oracle_selection import event, ident
from test_parquet_files import listed, nested
from twin import Difference, Twin, compare

EVENTS = {"additionalFields": {"eventList": {}}}


@pytest.fixture
def twin(client):
    return Twin(client)


def many(count, value=1, prefix="m"):
    return {f"{prefix}{n}": value for n in range(count)}


def check_by_told_columns(twin, body=EVENTS):
    """Like Twin.check() for Parquet, with the columns as the file tells them; returns these."""
    twin.check(body)
    job = twin.export(body, "parquet")
    with readers.fetch(twin.client, job["destination"]["batchId"]) as files:
        told = json.loads(readers.notes(files.paths[0])["consign.schema"])
        assert depth(told) <= 20, "DuckDB needs twice the time for each level of lists"
        wanted, whole = twin.store.export(body).rows, told.get("document") == "json"
        wanted = [in_one_column(row, told) if whole else hold_members(row, told) for row in wanted]
        for name in readers.NAMES:
            got = readers.rows(files, name, told)
            compare([out_of_one_column(row) for row in got] if whole else got, wanted)
    return told


def in_one_column(row, told):
    """What the columns hold when the members at the top are too many to have any: the profile as one JSON text."""
    return {**row, **hold_members({"eventList": row["eventList"]}, told)}


def out_of_one_column(row):
    return {**json.loads(row["document"]), "eventList": row.get("eventList")}


def depth(kind):
    """Levels of lists and maps in each other."""
    if isinstance(kind, str):
        return 0
    if set(kind) in ({"array"}, {"map"}) and not isinstance(kind.get("object"), dict):
        return 1 + depth(*kind.values())
    return max([depth(below) for below in kind.get("object", kind).values()], default=0)


def test_an_object_of_too_many_members_is_a_json_column(twin):
    twin.records("crm", [ident("E:a", o=many(501), p=many(499)), ident("E:b", o={"x": 1})])
    told = check_by_told_columns(twin)
    assert told["o"] == "json" and len(told["p"]["object"]) == 499


def test_an_event_of_too_many_members_is_a_json_element(twin):
    twin.records("crm", [ident("E:a"), ident("E:b")])
    twin.events("web", [event("1", "01", "E:a", **many(501)), event("2", "02", "E:a", x="\u00e9")])
    assert check_by_told_columns(twin)["eventList"] == {"array": "json"}


@pytest.mark.parametrize("count", [490, 501, 5001, 20_000])
def test_a_profile_of_very_many_members_fails_no_export(twin, count):
    """One such record made every Parquet export of the sandbox fail."""
    twin.records("crm", [ident("E:a", **many(count)), ident("E:b", m0=2, document={"of its": "own"})])
    twin.events("web", [event("1", "01", "E:a", n=1.5, at="2024-01-01T00:00:00Z")])
    told = check_by_told_columns(twin)
    assert (told["document"] == "json") is (count > 499)


def test_many_members_together_over_many_records(twin):
    twin.records("crm", [ident(f"E:{n}", **many(60, n, f"r{n}-")) for n in range(12)])
    check_by_told_columns(twin)


@pytest.mark.parametrize("groups", [3, 20])
def test_more_leaves_or_places_than_there_may_be_columns(twin, groups):
    """The first record's identityMap comes last, when there is no room any more."""
    record = {**{f"g{n}": many(400) for n in range(groups)}, "deep": {"x": {"y": many(300)}}, **ident("E:a")}
    twin.records("crm", [record, ident("E:b", o={"x": 1})])
    twin.events("web", [{**record, **event("1", "01", "E:a")}, event("2", "02", "E:b")])
    check_by_told_columns(twin)


def test_names_longer_than_a_column_has(twin):
    twin.records("crm", [ident("E:a", o={"n" * 256: 1, "p": 2}, **{"t" * 255: 1}), ident("E:b", o={"x": 1})])
    check_by_told_columns(twin)


def test_an_identity_of_too_many_members(twin):
    twin.records("crm", [{"identityMap": {"E": [{"id": "a", "primary": True, **many(501)}]}}, ident("E:b", x=1)])
    twin.events("web", [event("1", "01", "E:only")])
    check_by_told_columns(twin, {**EVENTS, "filter": {"emptyProfiles": True}})


@pytest.mark.parametrize("make", [listed, nested], ids=["lists", "objects"])
@pytest.mark.parametrize("levels", [20, 28, 60])
def test_deep_values_can_be_read_in_finite_time(twin, make, levels):
    twin.records("crm", [ident("E:a", x=make(levels, 1)), ident("E:b", x=make(3, None))])
    check_by_told_columns(twin)


@pytest.mark.parametrize("form, fragments, members, shape", [
    ("json", 6, 30_000, lambda big: big), ("parquet", 6, 30_000, lambda big: {"below": big}),
    ("parquet", 40, 3_000, lambda big: big), ("json", 2, 60_000, lambda big: {"below": big}),
    ("parquet", 6, 30_000, lambda big: {"l": list(big.items())}), ("json", 40, 3_000, lambda big: {"l": list(big.items())}),
], ids=["top json", "below parquet", "top parquet", "below json", "list parquet", "list json"])
def test_a_person_too_large_to_merge_is_left_out_and_fails_nothing(stack, tenants, form, fragments, members, shape):
    """Counted as tooLarge when it does not fit, else exported as the oracle says; the others come out."""
    org = tenants.org("own")
    twin = Twin(Client(stack, org, "own", *tenants.credentials(org)))
    twin.records("crm", [ident("E:ok", v=1)])
    for number in range(fragments):
        twin.records("crm", [ident(f"E:{number}", "C:big", **shape(many(members, number)))])
    policy = flows.create_policy(twin.client, "pdg")["id"]
    body = {"mergePolicy": {"id": policy}}
    wanted = twin.store.export(body, Policy("pdg"))
    job = twin.export(body, form)
    left_out = job["metrics"].get("skippedProfiles", {})
    assert left_out in ({}, {"tooLarge": 1})
    if job["metrics"]["totalExportedProfileCounter"] != wanted.profiles - sum(left_out.values()):
        raise Difference(json.dumps(job))
    if not left_out:
        twin.check(body, Policy("pdg"))
