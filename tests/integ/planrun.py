"""Runs a plan of randomstore.py in a sandbox and in the oracle, and compares what comes out.

Used by test_oracle_random.py and, without a stack, by test_oracle_columns.py.
"""

import policyuse
from oracle import Policy, Store
from rfc3339 import from_ms
from twin import Twin, cut_ms


def fill(client, plan):
    """Ingests the plan's batches one after the other: (twin, begun); begun[n] is a moment before batch n."""
    twin, begun = Twin(client), []
    for name, kind in plan["datasets"].items():
        twin.dataset(name, kind)
    for batch in plan["batches"]:
        begun.append(cut_ms())
        if any(batch["files"]):
            send = twin.events if plan["datasets"][batch["dataset"]] == "event" else twin.records
            send(batch["dataset"], *batch["files"])
    return twin, [*begun, cut_ms()]


def fill_oracle(plan, begun):
    """The oracle's store alone."""
    store = Store()
    for at_ms, batch in zip(begun, plan["batches"]):
        records = [record for records in batch["files"] for record in records]
        if plan["datasets"][batch["dataset"]] == "event":
            store.ingest_events(records, at_ms + 0.5)
        else:
            store.ingest_records(batch["dataset"], records, at_ms + 0.5)
    return store


def read_times(body, begun):
    """The body with its cuts as date-times."""
    if isinstance(body, dict):
        if set(body) == {"cut", "way"}:
            return from_ms(begun[body["cut"]], body["way"])
        return {name: read_times(value, begun) for name, value in body.items()}
    return [read_times(value, begun) for value in body] if isinstance(body, list) else body


def rules_of(policy):
    """The rules that a plan's policy puts in force, for the oracle."""
    if policy is None:
        return Policy()
    rules = policy["older"] if policy["older"] and policy["pin"] == 1 else policy
    return Policy(rules["graph"], rules["order"] and tuple(rules["order"]))


def run_export(twin, export, begun, names=("duckdb",)):
    """One export of the plan, compared with the oracle; raises twin.Difference."""
    body = read_times(export["body"], begun)
    with policyuse.made(twin.client, export.get("policy"), twin.datasets) as chosen:
        twin.check({**body, **chosen}, rules_of(export.get("policy")), export["format"], export["compression"], names)


def run(client, plan, names=("duckdb",)):
    """The whole plan in a sandbox that nobody used before."""
    twin, begun = fill(client, plan)
    for export in plan["exports"]:
        run_export(twin, export, begun, names)
