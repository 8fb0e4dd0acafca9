"""What an export must hold, computed in plain Python from what was ingested.

Independent of the product's code: written from the contract (sections 5 and 6) and the decisions on them
alone. One Store is one sandbox. Store.export() answers a whole request under a merge policy; rows() is
the short form for requests without selection. How rows are merged and projected is in rowmaking.py.
"""

from dataclasses import dataclass, field

from rfc3339 import to_ms
from rowmaking import (MISSING, WHOLE, canonical, canonical_rows, copied, field_tree, fold, identities_of, merge,  # noqa: F401
                       normalise, project, select, unite)

IDENTITIES_MAX = 50
IN_SEGMENT = ("realized", "existing")


@dataclass(frozen=True)
class Policy:
    """identityGraph none or pdg; order: the datasets of dataSetPrecedence, the strongest first, or None."""
    graph: str = "none"
    order: tuple = None


@dataclass
class Export:
    """What a job must publish: rows of the one batch, or of each (namespace, segment) with segmentPerBatch."""
    rows: list = field(default_factory=list)
    batches: dict = None
    profiles: int = 0
    events: int = 0
    by_namespace: dict = field(default_factory=dict)
    skipped: dict = field(default_factory=dict)


@dataclass
class Fragment:
    """The newest record of one (identity, dataset); strength is its place in the order of ingestion."""
    dataset: str
    strength: tuple
    at_ms: float
    record: dict


@dataclass
class Person:
    """What one row can be made from. identities: all of the component under pdg."""
    identities: list = field(default_factory=list)
    fragments: list = field(default_factory=list)  # the weakest first
    events: list = field(default_factory=list)     # [(ingested at, primary identity, event)]


class Graph:
    """Who is linked to whom, by union-find; a link is for ever."""

    def __init__(self):
        self.parent = {}

    def find(self, identity):
        path = []
        while self.parent.setdefault(identity, identity) != identity:
            path.append(identity)
            identity = self.parent[identity]
        for seen in path:
            self.parent[seen] = identity
        return identity

    def link(self, identities):
        first = self.find(identities[0])
        for other in identities[1:]:
            self.parent[self.find(other)] = first


class Store:
    """Ingested records and events; export() is what comes out."""

    def __init__(self):
        self.fragments = {}  # (identity, dataset) -> Fragment
        self.events = {}     # (identity, _id) -> (ingested at, event)
        self.graph = Graph()
        self.seen = {}       # profile dataset, or None for all event datasets -> every record ever taken
        self.sequence = 0

    def ingest_records(self, dataset, records, at_ms=0):
        """One batch into a profile dataset, in the order of its files and lines."""
        self.sequence += 1
        for position, record in enumerate(records):
            identity = self._take(dataset, record)
            self.fragments[identity, dataset] = Fragment(dataset, (self.sequence, position), at_ms, record)

    def ingest_events(self, events, at_ms):
        """One batch into whichever event dataset; one event per (identity, _id), the last one."""
        self.sequence += 1
        for event in events:
            self.events[self._take(None, event), event["_id"]] = (at_ms, event)

    def _take(self, dataset, record):
        self.seen.setdefault(dataset, []).append(record)
        self.graph.link(identities(record))
        return primary_identity(record)

    def rows(self, fields=None, empty_profiles=False, event_list=None):
        """The rows under the built-in policy, in no order; event_list None: no events at all."""
        request = {"fields": fields, "filter": {"emptyProfiles": empty_profiles}}
        if event_list is not None:
            request["additionalFields"] = {"eventList": event_list}
        return self.export(request).rows

    def export(self, request, policy=Policy()):
        """The outcome of an export request's members (contract section 5) under a policy."""
        wanted, out = Wanted(request), Export()
        if wanted.per_batch:
            out.batches = {(segment.ns, segment.id): [] for segment in wanted.segments}
        for person in self._persons(policy):
            self._add_row(person, wanted, out)
        return out

    def _persons(self, policy):
        whose = self.graph.find if policy.graph == "pdg" else lambda identity: identity
        persons = {}
        for (identity, dataset), fragment in self.fragments.items():
            if policy.order is None or dataset in policy.order:
                persons.setdefault(whose(identity), Person()).fragments.append(fragment)
        for (identity, _), (at_ms, event) in self.events.items():
            persons.setdefault(whose(identity), Person()).events.append((at_ms, identity, event))
        if policy.graph == "pdg":
            for identity in list(self.graph.parent):
                if whose(identity) in persons:
                    persons[whose(identity)].identities.append(identity)
        for person in persons.values():
            person.fragments.sort(key=lambda fragment: self._strength(fragment, policy))
        return persons.values()

    @staticmethod
    def _strength(fragment, policy):
        rank = 0 if policy.order is None else -policy.order.index(fragment.dataset)
        return (rank, fragment.strength)

    def _add_row(self, person, wanted, out):
        events = wanted.choose_events(person)
        if not wanted.takes(person, events):
            return
        profile = merge([f.record for f in person.fragments]) if person.fragments else bare_profile(person)
        found = wanted.segments_of(profile)
        if wanted.qualified and not found:
            return
        if sum(len(entries) for entries in profile["identityMap"].values()) > IDENTITIES_MAX:
            out.skipped["tooManyIdentities"] = out.skipped.get("tooManyIdentities", 0) + 1
            return
        row = wanted.make_row(profile, events)
        out.profiles += 1
        out.events += len(events or [])
        for ns in {ns for ns, entries in profile["identityMap"].items() if entries}:
            out.by_namespace[ns] = out.by_namespace.get(ns, 0) + 1
        out.rows.append(row)
        for segment in found if wanted.per_batch else []:
            out.batches[segment.ns, segment.id].append(copied(row))


@dataclass(frozen=True)
class Segment:
    ns: str
    id: str
    statuses: tuple


class Wanted:
    """An export request, read."""

    def __init__(self, request):
        chosen = request.get("filter") or {}
        window = chosen.get("segmentQualificationTime")
        self.fields = request.get("fields")
        self.empty_profiles = chosen.get("emptyProfiles", False)
        self.updated_after = to_ms(chosen.get("fromIngestTimestamp"))
        self.event_list = (request.get("additionalFields") or {}).get("eventList")
        self.per_batch = (request.get("destination") or {}).get("segmentPerBatch", False)
        self.segments = [Segment(s.get("segmentNs", "ups"), s["segmentId"], tuple(s.get("status", IN_SEGMENT)))
                         for s in chosen.get("segments") or []]
        self.qualified = bool(self.segments) or window is not None
        self.since = to_ms((window or {}).get("startTime"))
        self.until = to_ms((window or {}).get("endTime"))

    def choose_events(self, person):
        """The events of the row, oldest first; None: rows carry no events."""
        if self.event_list is None:
            return None
        chosen = self.event_list.get("filter") or {}
        after = [t for t in (to_ms(chosen.get("fromIngestTimestamp")), self.updated_after) if t is not None]
        before = to_ms(chosen.get("toIngestTimestamp"))
        kept = [event for at, _, event in person.events
                if all(at > t for t in after) and (before is None or at < before)]
        return sorted(kept, key=lambda event: (to_ms(event["timestamp"]), event["_id"].encode()))

    def takes(self, person, events):
        """Whether the person is exported, segments aside."""
        if not person.fragments and not self.empty_profiles:
            return False
        if self.updated_after is None or bool(events):
            return True
        ages = [f.at_ms for f in person.fragments] or [at for at, _, _ in person.events]
        return any(at > self.updated_after for at in ages)

    def segments_of(self, profile):
        """Which of the segments asked for the merged profile is in; with no list, any that it is in."""
        held = profile.get("segmentMembership") or {}
        every = self.segments or [Segment(ns, name, IN_SEGMENT) for ns, inside in held.items() for name in inside]
        return [segment for segment in every
                if self._qualifies((held.get(segment.ns) or {}).get(segment.id), segment.statuses)]

    def _qualifies(self, membership, statuses):
        if not isinstance(membership, dict) or membership.get("status") not in statuses:
            return False
        if self.since is None and self.until is None:
            return True
        at = to_ms(membership.get("lastQualificationTime"))
        return at is not None and (self.since is None or self.since <= at) and (self.until is None or at <= self.until)

    def make_row(self, profile, events):
        row = select(profile, self.fields)
        if events is not None:
            tree = field_tree(self.event_list.get("fields"))
            parts = [event if tree is WHOLE else project(event, tree) for event in events]
            row["eventList"] = [{} if part is MISSING else copied(part) for part in parts]
        return row


def bare_profile(person):
    """Of somebody who has events only."""
    primary = {identity for _, identity, _ in person.events}
    out = {}
    for ns, value in sorted(set(person.identities) | primary):
        entry = {"id": value, "primary": True} if (ns, value) in primary else {"id": value}
        out.setdefault(ns, []).append(entry)
    return {"identityMap": out}


def identities(record):
    """Every (namespace, id) of a record."""
    return [(ns, entry["id"]) for ns, entries in record["identityMap"].items() for entry in entries]


def primary_identity(record):
    """(namespace, id) of the marked identity, else of the only one; ValueError if bad."""
    every = [(ns, entry) for ns, entries in record["identityMap"].items() for entry in entries]
    marked = [(ns, entry) for ns, entry in every if entry.get("primary") is True]
    if len(marked) == 1 or (not marked and len(every) == 1):
        ns, entry = (marked or every)[0]
        return ns, entry["id"]
    raise ValueError("no primary identity")
