"""The tenants that a load works for: an org, a sandbox and its datasets each, made before any fault.

A record names its tenant (`_tenant.who`) and itself (`_tenant.n`, which is also its identity and, of an event, its
id), so that whatever comes back says whose it is and which call brought it.
"""

import os
import uuid

import flows
from client import Client
from stack import Tenants

NAMESPACE = "Email"


class Place:
    """One tenant as load.py sees it. `datasets`: json, plain, parquet to export into; file, stream, event to fill."""

    def __init__(self, stack, tag):
        made = Tenants(stack)
        self.tag, self.sandbox = tag, "load"
        self.org = made.org(self.sandbox)
        self.client = Client(stack, self.org, self.sandbox, *made.credentials(self.org))
        self.headers = self.client.headers()
        export = {"json": {"format": "json"}, "plain": {"format": "json", "compression": "none"},
                  "parquet": {"format": "parquet"}}
        self.datasets = {kind: flows.create_dataset(self.client, fileDescription=about) for kind, about in export.items()}
        for kind, schema in (("file", "profile"), ("stream", "profile"), ("event", "event")):
            self.datasets[kind] = flows.create_dataset(self.client, schema, name=kind)
        self.base = 0

    def fill(self, records):
        """So many records to begin with, loaded before the log begins; numbered 0, 1, ... with the prefix base. Of a size
        that makes several files of an export."""
        if records:
            rows = [record(self.tag, f"base{number:06}") for number in range(records)]
            for row in rows:
                row["_tenant"]["text"] = os.urandom(100).hex()
            flows.ingest(self.client, self.datasets["file"], rows)
            self.base = records

    def facts(self):
        """What the checker needs to know; goes into the log."""
        return {"org": self.org, "sandbox": self.sandbox, "datasets": self.datasets, "base": self.base}


def record(tag, nonce):
    return {"identityMap": {NAMESPACE: [{"id": nonce, "primary": True}]}, "_tenant": {"who": tag, "n": nonce},
            "person": {"name": {"firstName": nonce[:4], "lastName": tag}}}


def event(tag, nonce, of):
    return {**record(tag, nonce), "identityMap": {NAMESPACE: [{"id": of, "primary": True}]},
            "_id": nonce, "timestamp": "2026-01-02T03:04:05Z"}


def new_nonce():
    return uuid.uuid4().hex[:20]
