"""The demo store: every exported row of its profiles equals the oracle's. As large as tools/demo makes it in make fault."""

import json
import subprocess

import pytest

import flows
from oracle import Store, canonical_rows
from stack import REPO
from test_reference_document import EVENT_LIST

# folders of tools/seed in the order in which they are ingested
SOURCES = ("crm", "web", "loyalty", "events")


def records_of(path):
    """The good records of a file: an array, or one object a line of which some are broken on purpose."""
    text = path.read_text(encoding="utf-8")
    if text.lstrip().startswith("["):
        return json.loads(text)
    found = []
    for line in text.splitlines():
        try:
            record = json.loads(line)
        except ValueError:
            continue
        if isinstance(record, dict) and record.get("identityMap"):
            found.append(record)
    return found


@pytest.fixture(scope="module", params=[6000, pytest.param(20000, marks=pytest.mark.long)])
def demo(request, home, tenants, tmp_path_factory):
    """(client, store in the oracle, profiles): so many in a sandbox of its own, in as many files whatever their number."""
    client, folder, count = home.in_sandbox(tenants.sandbox(home.org)), tmp_path_factory.mktemp("seed"), request.param
    subprocess.run([str(REPO / "tools" / "seed"), str(folder), "--profiles", str(count), "--events", str(3 * count),
                    "--file", str(count // 4)], check=True, stdout=subprocess.DEVNULL)
    store, refused = Store(), 0
    for source in SOURCES:
        dataset = flows.create_dataset(client, "event" if source == "events" else "profile", source)
        for path in sorted((folder / source).iterdir()):
            begin = flows.now_ms()
            batch = flows.ingest(client, dataset, path.read_bytes(), name=path.name)
            refused += batch["metrics"]["failedRecordCount"]
            good = records_of(path)
            assert batch["metrics"]["outputRecordCount"] == len(good), (path, batch)
            if source == "events":
                store.ingest_events(good, begin)
            else:
                store.ingest_records(source, good)
    assert refused == json.loads((folder / "expected.json").read_text())["refused"] > 0
    return client, store, count


@pytest.mark.parametrize("fields, events, empty", [
    (None, {}, False),
    ("identities.id,personalEmail.address", EVENT_LIST, False),
    ("person,_tenant.loyalty,segmentMembership", None, True)])
def test_every_row_of_the_demo_store_is_the_oracles(demo, fields, events, empty):
    client, store, count = demo
    request = {"filter": {"emptyProfiles": empty}}
    if fields is not None:
        request["fields"] = fields
    if events is not None:
        request["additionalFields"] = {"eventList": events}
    job, rows = flows.export(client, flows.job_body(flows.create_dataset(client), **request))
    wanted = store.rows(fields, empty, events)
    assert len(rows) == len(wanted) >= count
    assert canonical_rows(rows) == canonical_rows(wanted)
    assert job["metrics"]["totalExportedProfileCounter"] == len(wanted)
