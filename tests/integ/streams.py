"""Streaming ingestion as a client does it, and what came of it as the database shows it."""

import time

import psycopg

import flows

COLLECTION = "/data/foundation/import/collection"


def put(client, dataset, message, expect=200, **more):
    """One message; returns the answer's document."""
    return client.post(f"{COLLECTION}/{dataset}", message, expect=expect, **more).json()


def put_many(client, dataset, messages, expect=200, **more):
    return client.post(f"{COLLECTION}/batch/{dataset}", {"messages": messages}, expect=expect, **more).json()


def message(client, dataset, record, schema=None):
    """A record with everything around it that the reference's clients send."""
    reference = {"id": schema or flows.SCHEMAS["profile"], "contentType": flows.CONTENT_TYPE}
    return {"header": {"datasetId": dataset, "imsOrgId": client.org, "schemaRef": reference, "source": {"name": "test"}},
            "body": {"xdmMeta": {"schemaRef": reference}, "xdmEntity": record}}


def profile(value, ns="Email", **more):
    return {"identityMap": {ns: [{"id": value, "primary": True}]}, **more}


def event(value, event_id, **more):
    return {**profile(value), "_id": event_id, "timestamp": "2026-01-02T03:04:05Z", **more}


class Sandbox:
    """The client's sandbox, read as the database's owner."""

    def __init__(self, client):
        self.client = client
        # tables that nobody analyzed yet are joined row by row else, which takes minutes
        self.db = psycopg.connect(client.stack.pg_uri, autocommit=True, options="-c enable_nestloop=off")
        self.tenant = self.db.execute(
            "SELECT s.org, s.sandbox FROM consign.sandbox s JOIN consign.org o USING (org)"
            " WHERE o.ims_org_id = %s AND s.name = %s", (client.org, client.sandbox)).fetchone()

    def one(self, text, *more):
        """The first row's first column; %s, %s stand for org and sandbox."""
        found = self.db.execute(text, (*self.tenant, *more)).fetchone()
        return found and found[0]

    def column(self, text, *more):
        return [value for (value,) in self.db.execute(text, (*self.tenant, *more))]

    def waiting(self):
        """How many messages and queue entries there are."""
        return self.one("SELECT (SELECT count(*) FROM consign.stream_message WHERE org = t.org AND sandbox = t.sandbox)"
                        " + (SELECT count(*) FROM consign.work_queue WHERE org = t.org AND sandbox = t.sandbox)"
                        " FROM (VALUES (%s, %s)) t(org, sandbox)")

    def settle(self, seconds=30):
        """Wait until all that was accepted is in the store."""
        deadline = time.monotonic() + seconds
        while left := self.waiting():
            assert time.monotonic() < deadline, f"{left} messages and entries are left"
            time.sleep(0.02)

    def events(self):
        return self.column("SELECT event_id FROM consign.profile_event WHERE org = %s AND sandbox = %s")

    def fragments(self):
        return self.column("SELECT i.value FROM consign.profile_fragment f JOIN consign.identity i USING (org, sandbox, identity)"
                           " WHERE f.org = %s AND f.sandbox = %s")

    def batches(self, dataset):
        """All batches of the dataset as the catalog shows them, oldest first."""
        found = []
        while True:
            page = list(self.client.get(f"{flows.CATALOG}/batches?dataSet={dataset}&orderBy=asc:created&limit=100"
                                        f"&start={len(found)}").json().items())
            found += page
            if len(page) < 100:
                return found

    def told(self, dataset):
        """Records that came, went into the store and were refused, over all batches of the dataset."""
        metrics = [batch["metrics"] for _, batch in self.batches(dataset)]
        return tuple(sum(m.get(name, 0) for m in metrics) for name in ("inputRecordCount", "outputRecordCount", "failedRecordCount"))

    def refused(self, dataset):
        """[(code, file, reason)] of the refused records that were kept."""
        return [(row["code"], row["file"], row["reason"]) for batch, _ in self.batches(dataset)
                for row in self.client.get(f"{flows.BATCH_FILES}/{batch}/failed").json()["data"]]
