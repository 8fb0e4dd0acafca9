"""Random small stores and export requests, from a seed; used by test_oracle_random.py."""

import random

NAMESPACES = ("Email", "CRMID", "ECID")
STATES = ("ambiguous", "authenticated", "loggedOut")
WORDS = ("", "Ann", "b\u00f6b", "\u4e2d\u6587", "\U0001f600", "a\nb", 'q"\\', "x" * 40, "</script>", "\u2028")
FIELDS = (
    "identities.id", "identities.namespace.code", "identities.primary", "identityMap", "person",
    "person.name", "person.name.firstName", "personalEmail.address", "_tenant.score", "_tenant",
    "_tenant.tags", "devices", "devices.model", "devices.os.name", "segmentMembership", "flag",
    "nothing", "person.nothing.deeper", "flag.deeper",
)
EVENT_FIELDS = (
    "_id", "timestamp", "web", "web.page.url", "web.page", "items.sku", "items", "amount",
    "nothing.here", "identityMap",
)


class RandomStore:
    """What one seed makes: batches to ingest in order, then requests to export."""

    def __init__(self, seed):
        self.rng = random.Random(seed)
        rng = self.rng
        self.people = [(rng.choice(NAMESPACES), f"id{n}" + rng.choice(("", " x", "\u00e9", "@X.org")))
                       for n in range(rng.randint(1, 12))]
        self.datasets = [f"d{n}" for n in range(rng.randint(1, 3))]
        self.has_events = rng.random() < 0.75

    def batches(self):
        """[(dataset or None for events, records)] in the order of ingestion."""
        out = []
        for _ in range(self.rng.randint(1, 3)):
            out.append((self.rng.choice(self.datasets), self._some(self._record)))
        for _ in range(self.rng.randint(1, 3) if self.has_events else 0):
            out.append((None, self._some(self._event, repeat=4)))
        self.rng.shuffle(out)
        return out

    def requests(self, cuts):
        """Two export requests; cuts are date-times between the batches."""
        return [self._request(cuts) for _ in range(2)]

    def _some(self, make, repeat=1):
        chosen = self.rng.choices(self.people, k=self.rng.randint(1, len(self.people) * repeat))
        return [make(identity) for identity in chosen]

    def _identity_map(self, identity):
        rng, (ns, value) = self.rng, identity
        entry = {"id": value, "primary": True}
        if rng.random() < 0.4:
            entry["authenticatedState"] = rng.choice(STATES)
        out = {ns: [entry]}
        for number in range(rng.choice((0, 0, 1, 2))):
            other = rng.choice(NAMESPACES)
            extra = {"id": f"more{number}{rng.choice('abc')}"}
            if rng.random() < 0.5:
                extra["primary"] = False
            if rng.random() < 0.3:
                extra["authenticatedState"] = rng.choice(STATES)
            out.setdefault(other, []).append(extra)
        return out

    def _scalar(self):
        return self.rng.choice((None, True, False, 0, -7, 1.5, 2**53 - 1, self.rng.choice(WORDS),
                                self.rng.choice(WORDS)))

    def _maybe(self, out, name, value, chance=0.5):
        if self.rng.random() < chance:
            out[name] = value
        return out

    def _record(self, identity):
        rng, out = self.rng, {"identityMap": self._identity_map(identity)}
        name = {}
        for part in ("firstName", "lastName"):
            self._maybe(name, part, self._scalar())
        self._maybe(out, "person", rng.choice(({"name": name}, {"name": name}, {"name": None},
                                               {"age": 5}, {}, None, "plain")))
        self._maybe(out, "personalEmail", {"address": rng.choice(WORDS), "verified": True})
        tenant = {}
        self._maybe(tenant, "score", self._scalar())
        self._maybe(tenant, "tags", [rng.choice(WORDS) for _ in range(rng.randint(0, 3))])
        self._maybe(tenant, "nested", {"a": {"b": self._scalar()}})
        self._maybe(out, "_tenant", tenant)
        self._maybe(out, "devices", [self._device() for _ in range(rng.randint(0, 3))], 0.4)
        self._maybe(out, "segmentMembership", {"ups": {f"s{rng.randint(1, 3)}": {
            "status": rng.choice(("realized", "exited")),
            "lastQualificationTime": "2024-01-01T00:00:00Z"}}}, 0.3)
        self._maybe(out, "flag", self._scalar(), 0.3)
        names = list(out)
        rng.shuffle(names)
        return {name: out[name] for name in names}

    def _device(self):
        out = {}
        self._maybe(out, "model", self._scalar())
        self._maybe(out, "os", self.rng.choice(({"name": "x", "v": 1}, {"v": 2}, None)))
        return out

    def _event(self, identity):
        rng = self.rng
        out = {"_id": f"{rng.choice('aBc')}{rng.randint(0, 6)}", "timestamp": self._timestamp(),
               "identityMap": self._identity_map(identity)}
        self._maybe(out, "web", {"page": rng.choice(({"url": rng.choice(WORDS), "n": 1}, {}, None))})
        self._maybe(out, "items", [{"sku": rng.choice(WORDS), "n": 2} if rng.random() < 0.7 else {"n": 3}
                                   for _ in range(rng.randint(0, 3))])
        self._maybe(out, "amount", rng.choice((0, 1.25, None)))
        return out

    def _timestamp(self):
        rng = self.rng
        return (f"2024-0{rng.randint(1, 2)}-0{rng.randint(1, 3)}T0{rng.randint(0, 3)}:00:00"
                + rng.choice(("", ".5", ".250", ".001")) + rng.choice(("Z", "+01:00", "-02:30")))

    def _field_list(self, names):
        chosen = self.rng.sample(names, self.rng.randint(1, 4))
        return self.rng.choice((",", ", ", " , ")).join(chosen)

    def _request(self, cuts):
        rng, body = self.rng, {}
        if rng.random() < 0.6:
            body["fields"] = self._field_list(FIELDS)
        if rng.random() < 0.4:
            body["filter"] = {"emptyProfiles": rng.random() < 0.8}
        if rng.random() < 0.7:
            events = {}
            if rng.random() < 0.5:
                events["fields"] = self._field_list(EVENT_FIELDS)
            wanted = {}
            self._maybe(wanted, "fromIngestTimestamp", rng.choice(cuts), 0.4)
            self._maybe(wanted, "toIngestTimestamp", rng.choice(cuts), 0.4)
            if wanted or rng.random() < 0.3:
                events["filter"] = wanted
            body["additionalFields"] = {"eventList": events}
        return body
