"""The stack that the engine is measured on: started and restarted with so many workers, its sandboxes
filled by the records of bench_seed through batch ingestion.

With CONSIGN_BENCH_DIR the stack's state is kept there and a later run of the same sizes finds it filled.
Callers: engine.py, ingest.py, pathbed.py. Uses the client of tests/integ.
"""
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time

import psycopg

REPO = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(REPO / "tests" / "integ"))
import flows  # noqa: E402
from client import Client  # noqa: E402
from meter import Meter  # noqa: E402
from stack import DEVSTACK, Stack  # noqa: E402

BUILD = REPO / os.environ.get("CONSIGN_BUILD", "build")
POLICIES = "/data/core/ups/config/mergePolicies"


class Bed:
    """.stack, .meter, .workers of the running stack."""

    def __init__(self, port):
        self.port = port
        self.kept = os.environ.get("CONSIGN_BENCH_DIR")
        self.dir = self.kept or tempfile.mkdtemp(prefix="consign-bench.")
        self.stack = self.meter = None
        self.workers = 0

    def devstack(self, command, *more):
        done = subprocess.run([str(DEVSTACK), command, "--dir", self.dir, *more], stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, text=True, check=False)
        if done.returncode != 0:
            raise RuntimeError(f"devstack {command}: exit status {done.returncode}\n{done.stdout}")
        return done.stdout

    def up(self, workers, *settings):
        """The stack with so many spooler workers and further settings (KEY=VALUE); a running one is restarted, its data
        stays."""
        port = ("--port", str(self.port))
        self.devstack("down")
        self.devstack("up", *port, *(word for setting in (f"spooler.workers={workers}", *settings)
                                     for word in ("--set", setting)))
        for line in self.devstack("env", *port).splitlines():
            name, value = line.removeprefix("export ").split("=", 1)
            os.environ[name] = value.strip("'")
        self.stack, self.workers = Stack(), workers
        self.meter = Meter(*(int((self.stack.dir / file).read_text().split()[0])
                             for file in ("pids/spooler", "pg/postmaster.pid")))

    def down(self):
        self.devstack("down")
        if not self.kept:
            subprocess.run(["rm", "-rf", self.dir], check=True)

    def client(self, sandbox):
        s = self.stack
        return Client(s, s.org, sandbox, s.client_id, s.client_secret)

    def sql(self, statement, *values, rows=True):
        with psycopg.connect(self.stack.pg_uri, autocommit=True) as db:
            found = db.execute(statement, values or None)
            return found.fetchall() if rows else None

    def tenant(self, sandbox):
        """(org, sandbox) as numbers."""
        (found,) = self.sql("SELECT s.org, s.sandbox FROM consign.sandbox s JOIN consign.org o USING (org)"
                            " WHERE o.ims_org_id = %s AND s.name = %s", self.stack.org, sandbox)
        return found

    def settle(self):
        """Leaves nothing to do in the background while we measure."""
        self.sql("ALTER SYSTEM SET autovacuum = off", rows=False)
        self.sql("SELECT pg_reload_conf()")
        self.sql("VACUUM ANALYZE", rows=False)
        self.sql("CHECKPOINT", rows=False)

    def filled(self):
        """What fill() noted in a kept stack: {sandbox: description}."""
        note = self.stack.dir / "bench.json"
        return json.loads(note.read_text()) if note.exists() else {}

    def fill(self, sandbox, persons, events, batch_records):
        """A sandbox with two fragments a person and the events; records/s of the load, None if it was there."""
        noted, size = self.filled(), [persons, events]
        if sandbox in noted:
            if noted[sandbox] != size:
                raise RuntimeError(f"{self.dir} holds a store of other sizes; choose another CONSIGN_BENCH_DIR")
            return None
        self.stack.ctl("sandbox", "create", "--org", self.stack.org, "--name", sandbox)
        client, batches, began = self.client(sandbox), [], time.monotonic()
        for kind, count in (("crm", persons), ("web", persons), ("event", events)):
            dataset = flows.create_dataset(client, "event" if kind == "event" else "profile", name=kind)
            for first in range(0, count, batch_records):
                records = subprocess.run([str(BUILD / "bench" / "bench_seed"), kind, str(first),
                                          str(min(batch_records, count - first)), str(persons)],
                                         stdout=subprocess.PIPE, check=True).stdout
                batches.append(flows.upload(client, dataset, records))
        for batch in batches:
            done = flows.wait_batch(client, batch, seconds=1800)
            if done["status"] != "success":
                raise RuntimeError(f"the load failed: {done['errors']}")
        rate = (2 * persons + events) / (time.monotonic() - began)
        (self.stack.dir / "bench.json").write_text(json.dumps({**noted, sandbox: size}))
        return rate

    def body_bytes(self, table, sandbox):
        ((found,),) = self.sql(f"SELECT coalesce(sum(octet_length(body)), 0)::bigint FROM consign.{table}"
                               " WHERE org = %s AND sandbox = %s", *self.tenant(sandbox))
        return found

    def policy(self, sandbox):
        """The id of a pdg policy of the sandbox, made when it is not there; RuntimeError when none can be."""
        client, name = self.client(sandbox), "bench pdg"
        listed = client.get(POLICIES, expect=None)
        if listed.status_code == 200:
            for policy in policies_of(listed.json()):
                if policy.get("name") == name:
                    return policy["id"]
        made = client.post(POLICIES, {"name": name, "schema": {"name": "_xdm.context.profile"}, "default": False,
                                      "identityGraph": {"type": "pdg"},
                                      "attributeMerge": {"type": "timestampOrdered"}})
        if made.status_code not in (200, 201):
            raise RuntimeError(f"POST {POLICIES}: HTTP {made.status_code}")
        return made.json()["id"]


def policies_of(answer):
    """The policies of a list, whatever stands around it."""
    found = answer if isinstance(answer, list) else next((v for v in answer.values() if isinstance(v, list)), [])
    return [policy for policy in found if isinstance(policy, dict)]
