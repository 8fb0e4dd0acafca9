"""The demo store, whole: every exported row of its 20,000 profiles equals the oracle's."""

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


@pytest.fixture(scope="module")
def demo(shared, tmp_path_factory):
    """The store in a sandbox of its own and in the oracle."""
    folder = tmp_path_factory.mktemp("seed")
    subprocess.run([str(REPO / "tools" / "seed"), str(folder)], check=True, stdout=subprocess.DEVNULL)
    store, refused = Store(), 0
    for source in SOURCES:
        dataset = flows.create_dataset(shared, "event" if source == "events" else "profile", source)
        for path in sorted((folder / source).iterdir()):
            begin = flows.now_ms()
            batch = flows.ingest(shared, dataset, path.read_bytes(), name=path.name)
            refused += batch["metrics"]["failedRecordCount"]
            good = records_of(path)
            assert batch["metrics"]["outputRecordCount"] == len(good), (path, batch)
            if source == "events":
                store.ingest_events(good, begin)
            else:
                store.ingest_records(source, good)
    assert refused == json.loads((folder / "expected.json").read_text())["refused"] > 0
    return store


@pytest.mark.parametrize("fields, events, empty", [
    (None, {}, False),
    ("identities.id,personalEmail.address", EVENT_LIST, False),
    ("person,_tenant.loyalty,segmentMembership", None, True)])
def test_every_row_of_the_demo_store_is_the_oracles(shared, demo, fields, events, empty):
    request = {"filter": {"emptyProfiles": empty}}
    if fields is not None:
        request["fields"] = fields
    if events is not None:
        request["additionalFields"] = {"eventList": events}
    job, rows = flows.export(shared, flows.job_body(flows.create_dataset(shared), **request))
    wanted = demo.rows(fields, empty, events)
    assert len(rows) == len(wanted) >= 20000
    assert canonical_rows(rows) == canonical_rows(wanted)
    assert job["metrics"]["totalExportedProfileCounter"] == len(wanted)
