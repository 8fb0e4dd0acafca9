"""What an export must hold, computed in plain Python from what was ingested.

Independent of the product's code: written from the contract (section 6) alone.
One Store is one sandbox under the policy timestampOrdered-none-mp.
"""

import copy
import json
from datetime import datetime

MISSING = object()
WHOLE = None


class Store:
    """Ingested fragments and events; rows() is the export."""

    def __init__(self):
        self.fragments = {}   # (ns, id) -> {dataset: (sequence, record)}
        self.events = {}      # (ns, id) -> {_id: (ingested at, event)}
        self.sequence = 0

    def ingest_records(self, dataset, records):
        """One batch into a record dataset: the newest fragment replaces the older whole."""
        self.sequence += 1
        for record in records:
            mine = self.fragments.setdefault(primary_identity(record), {})
            mine[dataset] = (self.sequence, record)

    def ingest_events(self, events, at_ms):
        """One batch of events ingested at a time; one event per (identity, _id)."""
        for event in events:
            self.events.setdefault(primary_identity(event), {})[event["_id"]] = (at_ms, event)

    def rows(self, fields=None, empty_profiles=False, event_list=None):
        """The rows, in no order. event_list is the request's member, or None for no events."""
        who = set(self.fragments)
        if empty_profiles:
            who |= set(self.events)
        return [self._row(identity, fields, event_list) for identity in who]

    def _row(self, identity, fields, event_list):
        held = sorted(self.fragments.get(identity, {}).values(), key=lambda pair: pair[0])
        ns, value = identity
        profile = merge([record for _, record in held]) if held else \
            {"identityMap": {ns: [{"id": value, "primary": True}]}}
        row = select(profile, fields)
        if event_list is not None:
            events = self._events(identity, event_list.get("filter") or {})
            tree = field_tree(event_list.get("fields"))
            row["eventList"] = events if tree is WHOLE else \
                [{} if (p := project(e, tree)) is MISSING else p for e in events]
        return row

    def _events(self, identity, wanted):
        after = to_ms(wanted.get("fromIngestTimestamp"), float("-inf"))
        before = to_ms(wanted.get("toIngestTimestamp"), float("inf"))
        kept = [event for at, event in self.events.get(identity, {}).values()
                if after < at < before]
        kept.sort(key=lambda e: (to_ms(e["timestamp"]), e["_id"].encode()))
        return copy.deepcopy(kept)


def primary_identity(record):
    """(namespace, id) of the marked identity, else of the only one; ValueError if bad."""
    every = [(ns, entry) for ns, entries in record["identityMap"].items() for entry in entries]
    marked = [(ns, entry) for ns, entry in every if entry.get("primary") is True]
    if len(marked) == 1 or (not marked and len(every) == 1):
        ns, entry = (marked or every)[0]
        return ns, entry["id"]
    raise ValueError("no primary identity")


def merge(records):
    """Fold the fragments of a profile, oldest first."""
    row = {}
    for record in records:
        for name, value in record.items():
            if name == "identityMap":
                row[name] = unite(row.get(name, {}), value)
            else:
                row[name] = fold(row.get(name), value)
    return row


def fold(old, new):
    """Objects merge member by member; anything else, null too, is replaced by the newer."""
    if not (isinstance(old, dict) and isinstance(new, dict)):
        return copy.deepcopy(new)
    out = dict(old)
    for name, value in new.items():
        out[name] = fold(out.get(name), value)
    return out


def unite(old, new):
    """identityMap: the union by (namespace, id); entries of one id fold."""
    out = {ns: {e["id"]: e for e in entries} for ns, entries in old.items()}
    for ns, entries in new.items():
        mine = out.setdefault(ns, {})
        for entry in entries:
            mine[entry["id"]] = fold(mine.get(entry["id"]), entry)
    return {ns: list(mine.values()) for ns, mine in out.items()}


def identities_of(identity_map):
    """The virtual view `identities` of an identityMap."""
    return [{"id": e["id"], "namespace": {"code": ns}, "primary": e.get("primary", False)}
            for ns, entries in identity_map.items() for e in entries]


def field_tree(fields):
    """A request's field list as a tree of names; WHOLE where everything below is wanted."""
    paths = [path.strip() for path in (fields or "").split(",") if path.strip()]
    if not paths:
        return WHOLE
    tree = {}
    for path in paths:
        *parents, leaf = path.split(".")
        node = tree
        for name in parents:
            node = node.setdefault(name, {})
            if node is WHOLE:
                break
        else:
            node[leaf] = WHOLE
    return tree


def project(value, tree):
    """The part of a value that the tree names, or MISSING."""
    if tree is WHOLE:
        return value
    if isinstance(value, list):
        parts = [project(element, tree) for element in value]
        if all(part is MISSING for part in parts):
            return MISSING
        return [{} if part is MISSING else part for part in parts]
    if not isinstance(value, dict):
        return MISSING
    out = {}
    for name, below in tree.items():
        if name in value:
            part = project(value[name], below)
            if part is not MISSING:
                out[name] = part
    return out or MISSING


def select(profile, fields):
    """A profile under the request's `fields`; identityMap is always there."""
    tree = field_tree(fields)
    if tree is WHOLE:
        return copy.deepcopy(profile)
    source = dict(profile)
    if "identities" in tree:
        source["identities"] = identities_of(profile["identityMap"])
    part = project(source, {k: v for k, v in tree.items() if k != "identityMap"})
    row = {} if part is MISSING else copy.deepcopy(part)
    row["identityMap"] = copy.deepcopy(profile["identityMap"])
    return row


def normalise(row):
    """Drop the differences the contract leaves open: orders, absent against empty."""
    row = dict(row)
    row["identityMap"] = {ns: sorted(entries, key=lambda e: e["id"])
                          for ns, entries in row["identityMap"].items()}
    if isinstance(row.get("identities"), list):
        plain = [{k: v for k, v in e.items() if (k, v) != ("primary", False)}
                 for e in row["identities"]]
        row["identities"] = sorted(plain, key=canonical)
        if not any(row["identities"]):
            del row["identities"]
    if not any(row.get("eventList") or []):
        row.pop("eventList", None)
    return row


def canonical(value):
    return json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"))


def canonical_rows(rows):
    """A sorted list of texts, equal for equal exports whatever the order of rows."""
    return sorted(canonical(normalise(row)) for row in rows)


def to_ms(text, default=None):
    """An RFC 3339 date-time as milliseconds since 1970."""
    if text is None:
        return default
    return datetime.fromisoformat(text).timestamp() * 1000
