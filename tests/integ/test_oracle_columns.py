"""The oracle's columns, and the shrinking of a failing store, against expectations by hand; needs no stack."""

import copy

import pytest

import oracle
import planrun
from columns import Place, column, columns_of, hold, hold_members, observe, reread
from oracle import MISSING, Policy, Store, field_tree
from randomstore import RandomStore
from shrink import shrink


def typed(*values, fields=None):
    place = Place()
    for value in values:
        observe(place, value)
    return column(place, field_tree(fields))


@pytest.mark.parametrize("values, wanted", [
    ([True, None], "boolean"), ([1, None, -2], "integer"), ([1, 1.5], "number"), ([2.0], "number"),
    (["2024-01-01T00:00:00Z"], "date-time"), (["2024-01-01T00:00:00Z", ""], "string"), (["2024-01-01T00:00:00.1234Z"], "string"),
    ([None], "json"), ([], "json"), ([1, "1"], "json"), ([True, 1], "json"), ([{}], "json"), ([[]], "json"), ([[None]], {"array": "json"}),
    ([[1], [2.5], None], {"array": "number"}), ([[1], 1], "json"), ([{"a": 1}, {}], {"object": {"a": "integer"}}),
    ([{"b": 1, "a": None}, {"b": "x"}], {"object": {"a": "json", "b": "json"}}), ([{"a": 1}, [1]], "json"),
    ([[[1]], [[]]], {"array": {"array": "integer"}}), ([[{"a": 1}, {"b": []}]], {"array": {"object": {"a": "integer", "b": "json"}}}),
])
def test_the_widest_type_of_what_was_seen(values, wanted):
    assert typed(*values) == wanted


@pytest.mark.parametrize("fields, wanted", [
    ("a", {"object": {"a": "json"}}), ("a.b", {"object": {"a": "json"}}), ("a.nothing", None), ("o.p", {"object": {"o": {"object": {"p": "integer"}}}}),
    ("l.m,s", {"object": {"l": {"array": {"object": {"m": "boolean"}}}, "s": "string"}}), ("s.deeper", None), ("nothing", None),
])
def test_columns_of_a_projection(fields, wanted):
    assert typed({"a": {"b": 1}, "o": {"p": 1, "q": 2}, "l": [{"m": True, "n": 1}], "s": "x"}, {"a": "b"}, fields=fields) == wanted


def test_columns_of_an_export_are_sorted_with_events_last():
    store = Store()
    store.ingest_records("d", [{"identityMap": {"E": [{"id": "a"}]}, "zz": 1, "\u00e9": 2, "eve": 3,
                                "segmentMembership": {"ups": {"s": {"status": "realized"}}}}])
    store.ingest_records("other", [{"identityMap": {"E": [{"id": "a", "primary": True}]}, "zz": "text"}])
    store.ingest_events([{"identityMap": {"E": [{"id": "a"}]}, "_id": "1", "timestamp": "2024-01-01T00:00:00Z"}], 1)
    found = columns_of(store, {"additionalFields": {"eventList": {"fields": "timestamp"}}}, Policy("none", ("d",)))
    assert list(found.items()) == [
        ("eve", "integer"), ("identityMap", {"map": {"array": {"object": {"id": "string", "primary": "boolean"}}}}),
        ("segmentMembership", {"map": {"map": {"object": {"status": "string"}}}}), ("zz", "integer"), ("\u00e9", "integer"),
        ("eventList", {"array": {"object": {"timestamp": "date-time"}}})]
    assert columns_of(store, {"fields": "identities.id"}, Policy())["identities"] == {"array": {"object": {"id": "string"}}}
    assert columns_of(store, {"fields": "zz"}, Policy()) == {**columns_of(store, {"fields": "x"}, Policy()), "zz": "json"}


def test_values_as_columns_hold_them():
    kind = {"object": {"t": "date-time", "n": "number", "j": "json", "l": {"array": "integer"}, "e": {"object": {"x": "string"}}}}
    value = {"t": "1970-01-01T00:00:01Z", "n": 2, "j": {"b": None, "a": 1}, "l": [1, None], "e": {"x": None}}
    held = {"t": 1000, "n": 2.0, "j": '{"a":1,"b":null}', "l": [1, None], "e": {}}
    assert hold(value, kind) == held
    assert reread({"t": 1000, "n": 2, "j": '{ "a":1, "b":null}', "l": [1, None], "e": {"x": None}, }, kind) == held
    assert hold(None, kind) is MISSING
    with pytest.raises(KeyError):
        hold_members({"unknown": 1}, kind["object"])


class FoldsNullAway(Store):
    """A product with a bug: a null that replaces an object leaves the object."""

    def export(self, request, policy=Policy()):
        real = oracle.merge
        oracle.merge = lambda records: real([{k: v for k, v in r.items() if v is not None} for r in records])
        try:
            return super().export(request, policy)
        finally:
            oracle.merge = real


def differs(plan):
    """Whether the product with the bug and the oracle disagree about a plan."""
    begun = [1000 * (n + 1) for n in range(len(plan["batches"]) + 1)]
    right, wrong = planrun.fill_oracle(plan, begun), planrun.fill_oracle(plan, begun)
    wrong.__class__ = FoldsNullAway
    (export,) = plan["exports"]
    body, rules = planrun.read_times(export["body"], begun), planrun.rules_of(export.get("policy"))
    return oracle.canonical_rows(right.export(body, rules).rows) != oracle.canonical_rows(wrong.export(body, rules).rows)


def test_a_failing_store_shrinks_to_what_matters():
    shrunk = 0
    for seed in range(60):
        plan = RandomStore(seed).plan()
        plan["exports"] = plan["exports"][:1]
        before = copy.deepcopy(plan)
        if not differs(plan):
            continue
        small = shrink(plan, differs, seconds=20)
        assert plan == before and differs(small)
        records = [record for batch in small["batches"] for records in batch["files"] for record in records]
        assert len(records) <= 2 and all(len(record) <= 2 for record in records), small
        shrunk += 1
    assert shrunk >= 5
