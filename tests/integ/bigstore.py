"""A store big enough that an export of it takes a while; used by the fault tests.

Deterministic: the same size gives the same rows, known from the oracle.
"""

import hashlib
import json

import flows
from oracle import Store, canonical_rows

CHUNK = 100_000
FIELDS = {"additionalFields": {"eventList": {}}}


def record(number):
    return {"identityMap": {"CRMID": [{"id": f"p{number:08}", "primary": True}],
                            "Email": [{"id": f"p{number}@example.org"}]},
            "person": {"name": {"firstName": f"First {number % 997}", "lastName": f"L{number}"}},
            "personalEmail": {"address": f"p{number}@example.org"},
            "_tenant": {"score": number, "tags": ["a", f"t{number % 13}"], "level": "basic"}}


def override(number):
    """What a second dataset says about every third profile."""
    return {"identityMap": {"CRMID": [{"id": f"p{number:08}", "primary": True}]},
            "_tenant": {"score": -number, "since": "2024-05-06T07:08:09Z"}}


def event(number):
    return {"_id": f"e{number}", "timestamp": f"2024-03-{number % 28 + 1:02}T10:00:00Z",
            "identityMap": {"CRMID": [{"id": f"p{number:08}", "primary": True}]},
            "web": {"page": {"url": f"https://example.org/{number % 101}"}}}


class BigStore:
    """The ingested store: .rows and .events expected, .digest of the export."""

    def __init__(self, client, profiles):
        self.client = client
        store = Store()
        for kind, make, step in (("profile", record, 1), ("profile", override, 3), ("event", event, 2)):
            dataset = flows.create_dataset(client, kind)
            for first in range(0, profiles, CHUNK):
                part = [make(n) for n in range(first, min(first + CHUNK, profiles), step)]
                flows.ingest(client, dataset, part, seconds=240)
                if kind == "event":
                    store.ingest_events(part, flows.now_ms())
                else:
                    store.ingest_records(dataset, part)
        rows = store.rows(event_list={})
        self.rows = len(rows)
        self.events = sum(len(row["eventList"]) for row in rows)
        self.digest = digest(rows)
        self.right = set()  # sums of texts whose rows were found to be right

    def start(self):
        """A new job into a fresh dataset: (job, dataset)."""
        dataset = flows.create_dataset(self.client)
        return flows.start_job(self.client, flows.job_body(dataset, **FIELDS)), dataset

    def check(self, job):
        """The published batch is whole and equal to the oracle, and so are the counters."""
        assert job["status"] == "SUCCEEDED", job
        lines = sorted(flows.download_raw(self.client, job["destination"]["batchId"]).splitlines())
        assert len(lines) == job["metrics"]["totalExportedProfileCounter"] == self.rows
        assert job["metrics"]["totalExportedEventCounter"] == self.events
        text = hashlib.sha256(b"\n".join(lines)).digest()
        # exports of one store are the same lines in some order, and to read them all takes a while
        if text not in self.right:
            assert digest(map(json.loads, lines)) == self.digest
            self.right.add(text)


def digest(rows):
    return hashlib.sha256("\n".join(canonical_rows(rows)).encode()).hexdigest()
