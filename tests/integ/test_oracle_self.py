"""The oracle against expectations written by hand; needs no stack."""

import pytest

import oracle
from oracle import MISSING, Store, field_tree, project


def person(ident, **more):
    return {"identityMap": {"Email": [{"id": ident, "primary": True}]}, **more}


def event(ident, event_id, timestamp, **more):
    return {"_id": event_id, "timestamp": timestamp, **person(ident), **more}


def test_newest_fragment_of_one_dataset_replaces_the_older_whole():
    store = Store()
    store.ingest_records("d", [person("a", x=1, y=1)])
    store.ingest_records("d", [person("a", x=2)])
    assert store.rows() == [person("a", x=2)]


def test_later_line_of_a_file_wins():
    store = Store()
    store.ingest_records("d", [person("a", x=1), person("a", z=3)])
    assert store.rows() == [person("a", z=3)]


def test_members_fold_over_datasets_in_order_of_ingestion():
    store = Store()
    store.ingest_records("d1", [person("a", o={"p": 1, "q": [1, 2]}, s="old")])
    store.ingest_records("d2", [person("a", o={"q": [3], "r": None}, s=None)])
    assert store.rows() == [person("a", o={"p": 1, "q": [3], "r": None}, s=None)]
    store.ingest_records("d1", [person("a", o={"q": 7})])
    assert store.rows() == [person("a", o={"q": 7, "r": None}, s=None)]


def test_object_and_scalar_replace_each_other():
    assert oracle.fold({"a": 1}, 5) == 5
    assert oracle.fold(5, {"a": 1}) == {"a": 1}
    assert oracle.fold({"a": {"b": 1}}, {"a": None}) == {"a": None}
    assert oracle.fold({"a": 1}, {}) == {"a": 1}


def test_identity_maps_are_united_and_entries_fold():
    store = Store()
    store.ingest_records("d1", [{"identityMap": {
        "Email": [{"id": "a", "primary": True, "authenticatedState": "ambiguous"}],
        "CRM": [{"id": "1"}]}}])
    store.ingest_records("d2", [{"identityMap": {
        "Email": [{"id": "a", "primary": True, "authenticatedState": "loggedOut"}],
        "CRM": [{"id": "2"}]}}])
    (row,) = store.rows()
    assert oracle.normalise(row) == {"identityMap": {
        "Email": [{"id": "a", "primary": True, "authenticatedState": "loggedOut"}],
        "CRM": [{"id": "1"}, {"id": "2"}]}}


@pytest.mark.parametrize("identity_map, wanted", [
    ({"E": [{"id": "a"}]}, ("E", "a")),
    ({"E": [{"id": "a"}], "C": [{"id": "b", "primary": True}]}, ("C", "b")),
    ({"E": [{"id": "a", "primary": False}]}, ("E", "a")),
    ({"E": [{"id": "a"}, {"id": "b"}]}, None),
    ({}, None),
])
def test_primary_identity(identity_map, wanted):
    if wanted is None:
        with pytest.raises(ValueError):
            oracle.primary_identity({"identityMap": identity_map})
    else:
        assert oracle.primary_identity({"identityMap": identity_map}) == wanted


@pytest.mark.parametrize("fields, value, wanted", [
    ("a", {"a": None, "b": 1}, {"a": None}),
    ("a.b", {"a": None}, MISSING),
    ("a.b", {"a": {"c": 1}}, MISSING),
    ("a.b", {"a": [{"b": 1}, {"c": 2}, {"b": None}]}, {"a": [{"b": 1}, {}, {"b": None}]}),
    ("a.b", {"a": [{"c": 1}]}, MISSING),
    ("a.b", {"a": []}, MISSING),
    ("a", {"a": []}, {"a": []}),
    (" a.b , a.c ", {"a": {"b": 1, "c": 2, "d": 3}}, {"a": {"b": 1, "c": 2}}),
    ("a,a.b", {"a": {"b": 1, "c": 2}}, {"a": {"b": 1, "c": 2}}),
    ("a.b,a", {"a": {"b": 1, "c": 2}}, {"a": {"b": 1, "c": 2}}),
    ("a.b.c", {"a": [{"b": {"c": 1}}, {"b": {}}]}, {"a": [{"b": {"c": 1}}, {}]}),
])
def test_projection(fields, value, wanted):
    got = project(value, field_tree(fields))
    assert got is MISSING if wanted is MISSING else got == wanted


def test_identities_is_a_view_and_identity_map_always_there():
    store = Store()
    store.ingest_records("d", [{"identityMap": {"E": [{"id": "a", "primary": True}],
                                                "C": [{"id": "c"}]}, "x": 1}])
    (row,) = store.rows(fields="identities.id,identities.namespace.code")
    assert oracle.normalise(row) == {
        "identityMap": {"E": [{"id": "a", "primary": True}], "C": [{"id": "c"}]},
        "identities": [{"id": "a", "namespace": {"code": "E"}},
                       {"id": "c", "namespace": {"code": "C"}}]}
    (row,) = store.rows(fields="nothing.here")
    assert set(row) == {"identityMap"}
    (row,) = store.rows(fields="")
    assert row["x"] == 1 and "identities" not in row


def test_events_in_order_newest_of_an_id_and_filtered_by_ingestion():
    store = Store()
    store.ingest_records("d", [person("a"), person("quiet")])
    store.ingest_events([event("a", "2", "2020-01-01T00:00:00Z"),
                         event("a", "1", "2020-01-01T01:00:00+01:00"),
                         event("a", "0", "2020-01-02T00:00:00Z", v="old"),
                         event("only", "0", "2020-01-01T00:00:00Z")], at_ms=1000)
    store.ingest_events([event("a", "0", "2019-01-01T00:00:00Z", v="new")], at_ms=3000)

    def ids(**wanted):
        rows = store.rows(event_list=wanted)
        return [[e["_id"] for e in row["eventList"]] for row in rows
                if row["identityMap"]["Email"][0]["id"] == "a"][0]

    assert ids() == ["0", "1", "2"]
    assert ids(filter={"fromIngestTimestamp": "1970-01-01T00:00:02Z"}) == ["0"]
    assert ids(filter={"toIngestTimestamp": "1970-01-01T00:00:02Z"}) == ["1", "2"]
    assert ids(filter={"fromIngestTimestamp": "1970-01-01T00:00:03Z"}) == []
    assert len(store.rows()) == 2
    rows = store.rows(empty_profiles=True)
    assert len(rows) == 3 and person("only") in rows


def test_events_are_projected_and_keep_their_place():
    store = Store()
    store.ingest_records("d", [person("a")])
    store.ingest_events([event("a", "1", "2020-01-01T00:00:00Z", e={"n": "x", "v": 1}),
                         event("a", "2", "2020-01-01T00:00:01Z")], at_ms=1)
    (row,) = store.rows(fields="identityMap", event_list={"fields": "e.n"})
    assert row == {**person("a"), "eventList": [{"e": {"n": "x"}}, {}]}


def test_normalise_makes_absent_and_empty_events_equal():
    assert oracle.normalise({**person("a"), "eventList": []}) == person("a")
    assert oracle.canonical_rows([person("b"), person("a")]) == \
        oracle.canonical_rows([person("a"), {**person("b"), "eventList": []}])
