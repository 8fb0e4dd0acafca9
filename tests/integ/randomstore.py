"""Random small stores and export requests, from a seed; used by test_oracle_random.py.

A plan is plain data that JSON can print:
  datasets  {name: "profile" | "event"}
  batches   [{"dataset": name, "files": [[record, ...], ...]}], in the order of ingestion
  exports   [{"policy", "format", "compression", "body"}], made by requests(); a time in a body may be
            {"cut": n, "way": w}: the moment before batch n (see rfc3339.from_ms)
  policy    None (built in) or {"graph", "order", "older", "pin", "default"}: order has names of datasets or is
            None; older are the rules of version 1 when there is a version 2; pin is the version asked for
"""

import random

from randomvalue import WORDS, ValueMaker, paths_of
from rfc3339 import to_ms

NAMESPACES = ("Email", "CRMID", "ECID")
STATES = ("ambiguous", "authenticated", "loggedOut")
SEGMENTS = ("s1", "s2", "s 3", "s\u00e9")
SEGMENT_NAMESPACES = ("ups", "ups", "ups", "aam")
STATUSES = ("realized", "existing", "exited")
# the instants are few, so that bounds are met exactly
MOMENTS = ("2024-01-01T00:00:00Z", "2024-01-01T01:00:00.000+01:00", "2024-01-02T00:00:00.001Z", "2024-01-03T12:30:00Z",
           "2024-01-03T12:30:00.25-00:00", "2024-02-29T23:59:59.999z")
NO_MOMENTS = ("2024-01-02", "yesterday", "", "2024-02-30T00:00:00Z", "2024-01-02T00:00:00")
FIELDS = (
    "identities.id", "identities.namespace.code", "identities.primary", "identities", "identityMap", "identityMap.Email",
    "person", "person.name", "person.name.firstName", "personalEmail.address", "_tenant", "devices", "devices.model",
    "devices.os.name", "segmentMembership", "segmentMembership.ups", "segmentMembership.ups.s1.status", "flag",
    "nothing", "person.nothing.deeper", "flag.deeper",
)
EVENT_FIELDS = (
    "_id", "timestamp", "web", "web.page.url", "web.page", "items.sku", "items", "amount", "nothing.here", "identityMap",
)


class RandomStore:
    """What one seed makes."""

    def __init__(self, seed):
        self.rng = rng = random.Random(seed)
        self.people = [(rng.choice(NAMESPACES), f"id{n}" + rng.choice(("", " x", "\u00e9", "@X.org")))
                       for n in range(rng.randint(1, 14))]
        # identities that several people share, so that graphs form, some of them late
        self.shared = [(rng.choice(NAMESPACES), f"both{n}") for n in range(rng.randint(0, 4))]
        self.sociable = rng.choice((0.0, 0.2, 0.5))
        self.crowded = rng.random() < 0.08
        self.segments = rng.random() < 0.7
        self.profile_datasets = [f"d{n}" for n in range(rng.randint(1, 3))]
        self.event_datasets = [f"e{n}" for n in range(rng.choice((0, 1, 1, 2)))]
        self.values = ValueMaker(rng)
        self.shape = self.values.object_shape(3, rng.randint(0, 4))
        self.event_shape = self.values.object_shape(2, rng.randint(0, 2))

    def plan(self):
        rng = self.rng
        batches = [{"dataset": rng.choice(self.profile_datasets), "files": self._files(self._record, 1)}
                   for _ in range(rng.randint(1, 4))]
        if self.event_datasets:
            batches += [{"dataset": rng.choice(self.event_datasets), "files": self._files(self._event, 3)}
                        for _ in range(rng.randint(1, 3))]
        rng.shuffle(batches)
        kinds = {**dict.fromkeys(self.profile_datasets, "profile"), **dict.fromkeys(self.event_datasets, "event")}
        return {"datasets": kinds, "batches": batches,
                "exports": [self._export(len(batches)) for _ in range(2)]}

    def _files(self, make, repeat):
        """One file, sometimes two: some people are in it more than once, and some are not."""
        def some():
            chosen = self.rng.choices(self.people, k=self.rng.randint(1, len(self.people) * repeat))
            return [make(identity) for identity in chosen]
        return [some() for _ in range(self.rng.choice((1, 1, 1, 2)))]

    def _maybe(self, out, name, value, chance=0.5):
        if self.rng.random() < chance:
            out[name] = value
        return out

    def _identity_map(self, identity):
        rng, (ns, value) = self.rng, identity
        entry = {"id": value, "primary": True}
        self._maybe(entry, "authenticatedState", rng.choice(STATES), 0.4)
        out = {ns: [entry]}
        others = [self._other(n) for n in range(rng.choice((0, 0, 1, 2)))]
        if self.crowded and rng.random() < 0.3:
            others += [(rng.choice(NAMESPACES), f"crowd{n}") for n in rng.sample(range(120), 26)]
        for ns, value in others:
            if any(e["id"] == value for e in out.get(ns, [])) and rng.random() < 0.8:
                continue
            extra = {"id": value}
            if (ns, value) == identity:
                extra["authenticatedState"] = "again"
            self._maybe(extra, "primary", False)
            self._maybe(extra, "authenticatedState", rng.choice(STATES), 0.3)
            out.setdefault(ns, []).append(extra)
        self._maybe(out, "Nobody", [], 0.05)
        return out

    def _other(self, number):
        rng = self.rng
        if rng.random() < self.sociable:
            return rng.choice(self.people + self.shared * 2)
        return (rng.choice(NAMESPACES), f"more{number}{rng.choice('abcdefgh')}{rng.randint(0, 9)}")

    def _record(self, identity):
        rng, make = self.rng, self.values
        out = {"identityMap": self._identity_map(identity)}
        name = {}
        for part in ("firstName", "lastName"):
            self._maybe(name, part, make.scalar())
        self._maybe(out, "person", rng.choice(({"name": name}, {"name": name}, {"name": None},
                                               {"age": 5}, {}, None, "plain")))
        self._maybe(out, "personalEmail", {"address": rng.choice(WORDS), "verified": True})
        self._maybe(out, "_tenant", make.value(self.shape), 0.8)
        self._maybe(out, "devices", [self._device() for _ in range(rng.randint(0, 3))], 0.4)
        if self.segments:
            self._maybe(out, "segmentMembership", self._membership(), 0.6)
        self._maybe(out, "flag", make.scalar(), 0.3)
        names = list(out)
        rng.shuffle(names)
        return {name: out[name] for name in names}

    def _device(self):
        out = {}
        self._maybe(out, "model", self.values.scalar())
        self._maybe(out, "os", self.rng.choice(({"name": "x", "v": 1}, {"v": 2}, None)))
        return out

    def _membership(self):
        rng, out = self.rng, {}
        for _ in range(rng.randint(1, 3)):
            entry = {}
            self._maybe(entry, "status", rng.choice(STATUSES) if rng.random() < 0.9 else rng.choice(("other", None, 5)), 0.9)
            self._maybe(entry, "lastQualificationTime",
                        rng.choice(MOMENTS) if rng.random() < 0.9 else rng.choice(NO_MOMENTS), 0.8)
            self._maybe(entry, "payload", {"n": rng.randint(0, 3), rng.choice("xy"): True}, 0.2)
            out.setdefault(rng.choice(SEGMENT_NAMESPACES), {})[rng.choice(SEGMENTS)] = entry
        return self._maybe(out, "none", {}, 0.05)

    def _event(self, identity):
        rng = self.rng
        out = {"_id": f"{rng.choice('aBc')}{rng.randint(0, 6)}", "timestamp": self._timestamp(identity),
               "identityMap": self._identity_map(identity)}
        self._maybe(out, "web", {"page": rng.choice(({"url": rng.choice(WORDS), "n": 1}, {}, None))})
        self._maybe(out, "items", [{"sku": rng.choice(WORDS), "n": 2} if rng.random() < 0.7 else {"n": 3}
                                   for _ in range(rng.randint(0, 3))])
        self._maybe(out, "amount", rng.choice((0, 1.25, None)))
        self._maybe(out, "_tenant", self.values.value(self.event_shape), 0.6)
        return out

    def _timestamp(self, identity):
        """Of different people never the same instant: the order of equal events of one person is not defined."""
        rng, mark = self.rng, self.people.index(identity) + 1
        return (f"2024-0{rng.randint(1, 2)}-0{rng.randint(1, 3)}T0{rng.randint(0, 3)}:00:0{rng.randint(0, 1)}.{mark:03}"
                + rng.choice(("", "", "", "00")) + rng.choice(("Z", "+01:00", "-02:30")))

    def _export(self, cuts):
        rng = self.rng
        return {"policy": self._policy(), "format": rng.choice(("parquet", "json")),
                "compression": rng.choice(("zstd", "zstd", "none")), "body": self._body(cuts)}

    def _rules(self):
        rng = self.rng
        order = None
        if rng.random() < 0.4:
            order = rng.sample(self.profile_datasets, rng.randint(1, len(self.profile_datasets)))
        return {"graph": rng.choice(("none", "pdg", "pdg")), "order": order}

    def _policy(self):
        rng = self.rng
        if rng.random() < 0.25:
            return None
        rules, older = self._rules(), self._rules() if rng.random() < 0.4 else None
        if older == rules:
            older = None  # the same rules again are no new version
        pin = rng.choice((1, 2, None)) if older else rng.choice((1, None))
        return {**rules, "older": older, "pin": pin, "default": pin is None and rng.random() < 0.3}

    def _cut(self, cuts):
        return {"cut": self.rng.randint(0, cuts), "way": self.rng.choice(("Z", "+00:00", "+05:30"))}

    def _field_list(self, fixed, prefix, shape):
        names = list(fixed) + [f"{prefix}.{path}" for path in paths_of(shape)]
        chosen = self.rng.sample(names, min(len(names), self.rng.randint(1, 5)))
        return self.rng.choice((",", ", ", " , ")).join(chosen)

    def _body(self, cuts):
        rng, body, chosen = self.rng, {}, {}
        if rng.random() < 0.5:
            body["fields"] = self._field_list(FIELDS, "_tenant", self.shape)
        if rng.random() < 0.4:
            chosen["emptyProfiles"] = rng.random() < 0.8
        self._maybe(chosen, "fromIngestTimestamp", self._cut(cuts - 1), 0.2)
        if self.segments and rng.random() < 0.4:
            chosen["segments"] = self._segments()
        if self.segments and rng.random() < 0.2:
            window = {}
            self._maybe(window, "startTime", rng.choice(MOMENTS), 0.6)
            self._maybe(window, "endTime", rng.choice(MOMENTS), 0.6)
            if len(window) == 2 and to_ms(window["startTime"]) > to_ms(window["endTime"]):
                window = {"startTime": window["endTime"], "endTime": window["startTime"]}
            if window:
                chosen["segmentQualificationTime"] = window
        if chosen:
            body["filter"] = chosen
        if chosen.get("segments") and rng.random() < 0.5:
            body["destination"] = {"segmentPerBatch": True}
        if rng.random() < 0.7:
            body["additionalFields"] = {"eventList": self._event_list(cuts)}
        return body

    def _segments(self):
        rng = self.rng
        every = [(ns, name) for ns in ("ups", "aam") for name in (*SEGMENTS, "nobody")]
        out = []
        for ns, name in rng.sample(every, rng.randint(2, 6)):
            entry = {"segmentId": name}
            if ns != "ups" or rng.random() < 0.3:
                entry["segmentNs"] = ns
            self._maybe(entry, "status", rng.sample(STATUSES, rng.randint(1, 3)), 0.4)
            out.append(entry)
        return out

    def _event_list(self, cuts):
        out, wanted = {}, {}
        if self.rng.random() < 0.5:
            out["fields"] = self._field_list(EVENT_FIELDS, "_tenant", self.event_shape)
        self._maybe(wanted, "fromIngestTimestamp", self._cut(cuts), 0.3)
        self._maybe(wanted, "toIngestTimestamp", self._cut(cuts), 0.3)
        if wanted or self.rng.random() < 0.3:
            out["filter"] = wanted
        return out
