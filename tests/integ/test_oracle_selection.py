"""The oracle's policies, graph and selection against expectations written by hand; needs no stack."""

import pytest

from oracle import Policy, Store, canonical_rows
from rfc3339 import from_ms, is_datetime, to_ms

PDG = Policy("pdg")


def ident(*pairs, **more):
    """A record of identities "ns:id", the first one primary."""
    out = {}
    for number, pair in enumerate(pairs):
        ns, value = pair.split(":")
        out.setdefault(ns, []).append({"id": value, "primary": True} if number == 0 else {"id": value})
    return {"identityMap": out, **more}


def event(event_id, timestamp, *pairs, **more):
    return ident(*pairs, _id=event_id, timestamp=f"2024-01-01T00:00:{timestamp}Z", **more)


def member(*segments, **more):
    """A segmentMembership of "ns/id=status[@time]"."""
    out = {}
    for text in segments:
        ns, rest = text.split("/")
        name, rest = rest.split("=")
        status, _, at = rest.partition("@")
        out.setdefault(ns, {})[name] = {"status": status, **({"lastQualificationTime": at} if at else {}), **more}
    return {"segmentMembership": out}


def bare(rows):
    return sorted(({k: v for k, v in row.items() if k != "identityMap"} for row in rows), key=str)


def test_precedence_is_the_order_of_the_list_and_others_take_no_part():
    store = Store()
    store.ingest_records("strong", [ident("E:a", x=1, o={"p": 1})])
    store.ingest_records("weak", [ident("E:a", "C:w", x=2, y=2, o={"p": 2, "q": 2}, **member("ups/s=realized"))])
    store.ingest_records("other", [ident("E:a", "C:o", x=3, z=3), ident("E:b")])
    (row,) = store.export({}, Policy("none", ("strong", "weak"))).rows
    assert row == {**ident("E:a", "C:w", x=1, y=2, o={"p": 1, "q": 2}), **member("ups/s=realized")}
    (row,) = store.export({}, Policy("none", ("weak", "strong"))).rows
    assert row["x"] == 2 and row["o"] == {"p": 2, "q": 2}
    assert len(store.export({}, Policy("none", ("strong",))).rows) == 1
    assert len(store.export({}, Policy("none", ("weak", "other"))).rows) == 2


def test_a_graph_joins_late_and_a_replaced_record_does_not_part_it():
    store = Store()
    store.ingest_records("d", [ident("E:a", x=1), ident("E:b", y=2)])
    assert len(store.export({}, PDG).rows) == 2
    store.ingest_records("d", [ident("E:a", "C:1", x=3), ident("E:b", "C:1", y=4), ident("E:a", x=5)])
    (row,) = store.export({}, PDG).rows
    assert (row["x"], row["y"]) == (5, 4)
    assert sorted(e["id"] for e in row["identityMap"]["E"]) == ["a", "b"] and row["identityMap"]["C"] == [{"id": "1"}]
    assert bare(store.rows()) == [{"x": 5}, {"y": 4}]


def test_events_link_too_and_the_last_of_one_id_counts():
    store = Store()
    store.ingest_records("d", [ident("E:a", x=1), ident("E:b", y=2)])
    store.ingest_events([event("1", "02", "E:a", "E:b", v=1)], 10)
    store.ingest_events([event("1", "01", "E:a", v=2), event("1", "00", "E:b", v=3)], 20)
    (row,) = store.export({"additionalFields": {"eventList": {"fields": "v"}}}, PDG).rows
    assert (row["x"], row["y"], row["eventList"]) == (1, 2, [{"v": 3}, {"v": 2}])


def test_order_inside_a_batch_decides_under_pdg():
    store = Store()
    store.ingest_records("d", [ident("E:a", "C:1", x="first"), ident("E:b", "C:1", x="second")])
    assert store.export({}, PDG).rows[0]["x"] == "second"
    store.ingest_records("e", [ident("E:b", x="third"), ident("E:a", x="fourth")])
    assert store.export({}, PDG).rows[0]["x"] == "fourth"
    assert store.export({}, Policy("pdg", ("d", "e"))).rows[0]["x"] == "second"


def test_events_only_profiles_under_both_graphs():
    store = Store()
    store.ingest_events([event("1", "01", "E:a", "C:1"), event("2", "02", "E:b", "C:1")], 10)
    request = {"filter": {"emptyProfiles": True}, "additionalFields": {"eventList": {"fields": "_id"}}}
    assert store.export({"additionalFields": {"eventList": {}}}, PDG).rows == []
    rows = store.export(request).rows
    assert canonical_rows(rows) == canonical_rows([ident("E:a", eventList=[{"_id": "1"}]),
                                                   ident("E:b", eventList=[{"_id": "2"}])])
    (row,) = store.export(request, PDG).rows
    assert canonical_rows([row]) == canonical_rows([{
        "identityMap": {"E": [{"id": "a", "primary": True}, {"id": "b", "primary": True}], "C": [{"id": "1"}]},
        "eventList": [{"_id": "1"}, {"_id": "2"}]}])
    request["additionalFields"]["eventList"]["filter"] = {"fromIngestTimestamp": from_ms(10)}
    out = store.export(request, PDG)
    assert len(out.rows) == out.profiles == 1 and out.events == 0


def test_fragments_that_take_no_part_leave_an_events_only_profile():
    store = Store()
    store.ingest_records("other", [ident("E:a", x=1)])
    store.ingest_events([event("1", "01", "E:a")], 10)
    request = {"filter": {"emptyProfiles": True}}
    assert store.export(request, Policy("none", ("d",))).rows == [ident("E:a")]
    assert store.export({}, Policy("none", ("d",))).rows == []


def test_more_than_fifty_identities_are_left_out_and_counted():
    store = Store()
    store.ingest_records("d", [ident("E:a", *(f"C:{n}" for n in range(49))), ident("E:b", *(f"D:{n}" for n in range(50)))])
    out = store.export({})
    assert out.profiles == 1 and out.skipped == {"tooManyIdentities": 1} and out.by_namespace == {"E": 1, "C": 1}
    store.ingest_records("e", [ident("E:a", "C:0", "C:new")])
    assert store.export({}).skipped == {"tooManyIdentities": 2}
    assert store.export({"filter": {"segments": [{"segmentId": "s"}]}}).skipped == {}


def test_ingest_windows_of_profiles_and_events():
    store = Store()
    store.ingest_records("d", [ident("E:a", x=1), ident("E:b", x=2), ident("E:c", x=3)], 1000)
    store.ingest_events([event("1", "01", "E:a"), event("1", "01", "E:b"), event("1", "01", "E:only")], 2000)
    store.ingest_records("d", [ident("E:b", x=4)], 3000)
    store.ingest_events([event("2", "00", "E:a")], 4000)

    def after(ms, event_list=None, **chosen):
        request = {"fields": "x", "filter": {"fromIngestTimestamp": from_ms(ms), **chosen}}
        if event_list is not None:
            request["additionalFields"] = {"eventList": {"fields": "_id", **event_list}}
        return bare(store.export(request).rows)

    assert after(999) == [{"x": 1}, {"x": 3}, {"x": 4}]
    assert after(1000) == after(2999) == [{"x": 4}]
    assert after(3000) == []
    assert after(1000, {}) == [{"x": 1, "eventList": [{"_id": "2"}, {"_id": "1"}]}, {"x": 4, "eventList": [{"_id": "1"}]}]
    assert after(2000, {}) == [{"x": 1, "eventList": [{"_id": "2"}]}, {"x": 4, "eventList": []}]
    # an event that the event filter takes away does not select its profile
    assert after(2000, {"filter": {"toIngestTimestamp": from_ms(4000)}}) == [{"x": 4, "eventList": []}]
    assert after(1999, emptyProfiles=True) == [{"x": 4}, {}]
    assert after(2000, emptyProfiles=True) == [{"x": 4}]
    assert after(1500, {"filter": {"fromIngestTimestamp": from_ms(3500)}}, emptyProfiles=True) == \
        [{"eventList": []}, {"x": 1, "eventList": [{"_id": "2"}]}, {"x": 4, "eventList": []}]


@pytest.mark.parametrize("chosen, wanted", [
    ({"segments": []}, "abcde"),
    ({"segments": [{"segmentId": "s"}]}, "ab"),
    ({"segments": [{"segmentId": "s", "status": ["exited"]}]}, "c"),
    ({"segments": [{"segmentId": "s", "status": ["exited", "existing"]}]}, "bc"),
    ({"segments": [{"segmentId": "s", "segmentNs": "aam"}, {"segmentId": "t"}]}, "d"),
    ({"segmentQualificationTime": {"startTime": "2024-01-02T00:00:00Z"}}, "b"),
    ({"segmentQualificationTime": {"endTime": "2024-01-02T00:00:00Z"}}, "ab"),
    ({"segmentQualificationTime": {"endTime": "2024-01-01T23:59:59.999Z"}}, "a"),
    ({"segments": [{"segmentId": "s", "status": ["exited"]}],
      "segmentQualificationTime": {"startTime": "2024-01-01T00:00:00Z"}}, ""),
])
def test_segments(chosen, wanted):
    store = Store()
    store.ingest_records("d", [
        ident("E:a", v="a", **member("ups/s=realized@2024-01-01T00:00:00Z")),
        ident("E:b", v="b", **member("ups/s=existing@2024-01-02T00:00:00Z")),
        ident("E:c", v="c", **member("ups/s=exited@2024-01-02")),
        ident("E:d", v="d", **member("aam/s=realized")),
        ident("E:e", v="e", **member("ups/t=other@2024-01-02T00:00:00Z")),
    ])
    store.ingest_events([event("1", "01", "E:only")], 1)
    rows = store.export({"filter": {"emptyProfiles": bool(chosen["segments"]) if "segments" in chosen else True, **chosen}}).rows
    assert "".join(sorted(row["v"] for row in rows)) == wanted


def test_memberships_are_united_and_looked_for_unprojected():
    store = Store()
    store.ingest_records("d1", [ident("E:a", **member("ups/s=realized@2024-01-01T00:00:00Z", p=1))])
    store.ingest_records("d2", [ident("E:a", **member("ups/s=exited", q=2))])
    held = {"ups": {"s": {"status": "exited", "lastQualificationTime": "2024-01-01T00:00:00Z", "p": 1, "q": 2}}}
    assert store.rows()[0]["segmentMembership"] == held
    assert store.export({"filter": {"segments": [{"segmentId": "s"}]}}).rows == []
    wanted = {"fields": "x", "filter": {"segments": [{"segmentId": "s", "status": ["exited"]}]}}
    assert store.export(wanted).rows == [ident("E:a")]
    assert len(store.export({"filter": {"segments": [{"segmentId": "s"}]}}, Policy("none", ("d1", "d2"))).rows) == 1


def test_one_batch_for_each_segment_and_profiles_counted_once():
    store = Store()
    store.ingest_records("d", [ident("E:a", x=1, **member("ups/s=realized", "ups/t=existing")),
                               ident("E:b", x=2, **member("ups/t=realized")), ident("E:c", x=3)])
    store.ingest_events([event("1", "01", "E:a")], 1)
    out = store.export({"fields": "x", "destination": {"segmentPerBatch": True}, "additionalFields": {"eventList": {}},
                        "filter": {"segments": [{"segmentId": name} for name in ("t", "nobody", "s")]}})
    assert [(key, [row["x"] for row in rows]) for key, rows in out.batches.items()] == \
        [(("ups", "t"), [1, 2]), (("ups", "nobody"), []), (("ups", "s"), [1])]
    assert (out.profiles, out.events, out.by_namespace) == (2, 1, {"E": 2})


@pytest.mark.parametrize("text, ms, column", [
    ("1970-01-01T00:00:00Z", 0, True), ("1970-01-01t00:00:00.5z", 500, True), ("1970-01-01T05:30:00.001+05:30", 1, True),
    ("1970-01-01T00:00:00.1239Z", 123, False), ("1969-12-31T23:59:59.999Z", -1, True), ("1970-01-01T00:00:60Z", 60000, False),
    ("1970-01-01", None, False), ("1970-01-01T00:00:00", None, False), ("1970-02-30T00:00:00Z", None, False),
    ("1970-01-01 00:00:00Z", None, False), ("0001-01-01T00:00:00Z", -62135596800000, True),
])
def test_date_times(text, ms, column):
    assert to_ms(text) == ms
    assert (to_ms(text) is not None and is_datetime(text)) is column
    if ms is not None and ms >= 0:
        assert all(to_ms(from_ms(ms, way)) == ms for way in ("Z", "+00:00", "+05:30"))
