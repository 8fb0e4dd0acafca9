"""Two hundred random small stores: every exported row equals the oracle's.

One sandbox a store, all in one org; stores run side by side, each in its own order.
CONSIGN_STORES and CONSIGN_SEED choose how many and which.
"""

import os
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta, timezone

import pytest

import flows
from oracle import Store, canonical_rows
from randomstore import RandomStore

STORES = int(os.environ.get("CONSIGN_STORES", "200"))
SEED = int(os.environ.get("CONSIGN_SEED", "1"))
GROUP = 20
WAYS = ("Z", "+00:00", "+05:30")


def rfc3339(ms, way):
    offset = timedelta(hours=5, minutes=30) if way == "+05:30" else timedelta()
    moment = datetime.fromtimestamp(ms / 1000, timezone(offset))
    text = moment.isoformat(timespec="milliseconds")
    return text.replace("+00:00", "Z") if way == "Z" else text


def cut_ms():
    """A moment strictly between the batch before and the batch after."""
    time.sleep(0.003)
    cut = flows.now_ms()
    time.sleep(0.003)
    return cut


def fill(client, plan, store):
    """Ingest the plan's batches one after the other; returns the cuts between them."""
    ids, cuts = {}, [cut_ms()]
    for dataset, records in plan.batches():
        if dataset not in ids:
            ids[dataset] = flows.create_dataset(client, "profile" if dataset else "event")
        begin = flows.now_ms()
        batch = flows.ingest(client, ids[dataset], records)
        assert batch["metrics"]["failedRecordCount"] == 0, batch
        if dataset is None:
            store.ingest_events(records, begin)
        else:
            store.ingest_records(dataset, records)
        cuts.append(cut_ms())
    return cuts


def compare(client, store, union, request):
    job, rows = flows.export(client, flows.job_body(union, **request))
    wanted = store.rows(request.get("fields"), request.get("filter", {}).get("emptyProfiles", False),
                        request.get("additionalFields", {}).get("eventList"))
    assert canonical_rows(rows) == canonical_rows(wanted), request
    assert job["metrics"]["totalExportedProfileCounter"] == len(wanted)
    assert job["metrics"]["totalExportedEventCounter"] == \
        sum(len(row.get("eventList", [])) for row in wanted)


def run_store(client, seed):
    """One store from ingestion to comparison; returns None or what differed."""
    plan, store = RandomStore(seed), Store()
    request = None
    try:
        cuts = fill(client, plan, store)
        union = flows.create_dataset(client)
        texts = [rfc3339(cut, way) for cut in cuts for way in WAYS]
        for request in plan.requests(texts):
            compare(client, store, union, request)
    except AssertionError as error:
        return f"seed {seed}, sandbox {client.sandbox}, request {request}:\n{error}"
    return None


@pytest.mark.parametrize("first", range(SEED, SEED + STORES, GROUP))
def test_exports_equal_the_oracle(home, tenants, first):
    seeds = range(first, min(first + GROUP, SEED + STORES))
    with ThreadPoolExecutor(8) as pool:
        clients = list(pool.map(lambda _: home.in_sandbox(tenants.sandbox(home.org)), seeds))
        wrong = [text for text in pool.map(run_store, clients, seeds) if text]
    assert not wrong, f"{len(wrong)} of {len(seeds)} stores differ\n\n" + "\n\n".join(wrong[:3])
