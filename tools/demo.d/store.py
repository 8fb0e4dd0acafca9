"""store: puts the demo store into a sandbox through the ingestion API.

Datasets are found again by name, so that a second run brings the same records once more instead of a
second copy of everything. Caller: main; dataset() also for the export's destination.
"""
import time
import urllib.parse

from show import Failure, Progress, line, require

CATALOG = "/data/foundation/catalog"
IMPORT = "/data/foundation/import/batches"
XDM = "https://ns.adobe.com/xdm/context/"
FINAL = ("success", "failed", "aborted")
LOAD_SECONDS = 120

# folder of tools/seed, dataset, schema class; in the order of ingestion, which is the order of precedence
SOURCES = [
    ("crm", "Demo CRM", "profile"),
    ("web", "Demo web profiles", "profile"),
    ("loyalty", "Demo loyalty programme", "profile"),
    ("events", "Demo events", "experienceevent"),
]


def dataset(client, name, schema, **more):
    """The id of the sandbox's dataset of that name; created when there is none."""
    found = client.get(f"{CATALOG}/dataSets?limit=1&name={urllib.parse.quote(name)}").json()
    if found:
        return next(iter(found))
    body = {"name": name, "schemaRef": {"id": XDM + schema, "contentType": "application/vnd.adobe.xed+json;version=1"}}
    reference = client.call("POST", f"{CATALOG}/dataSets", {**body, **more}, status=201).json()
    return reference[0].rsplit("/", 1)[1]


def send_batch(client, target, path):
    """Opens a batch, puts one file into it, completes it. Its id."""
    body = {"datasetId": target, "inputFormat": {"format": "json"}}
    batch = client.call("POST", IMPORT, body, status=201).json()["id"]
    with open(path, "rb") as file:
        client.call("PUT", f"{IMPORT}/{batch}/datasets/{target}/files/{path.name}", file)
    client.call("POST", f"{IMPORT}/{batch}?action=COMPLETE")
    return batch


def wait_batch(client, batch):
    """The batch when it is loaded."""
    deadline = time.monotonic() + LOAD_SECONDS
    while time.monotonic() < deadline:
        found = client.get(f"{CATALOG}/batches/{batch}").json()[batch]
        if found["status"] in FINAL:
            require(found["status"] == "success", f"batch {batch} is {found['status']}: {found['errors']}")
            return found
        time.sleep(0.05)
    raise Failure(f"batch {batch} is still {found['status']} after {LOAD_SECONDS} s; is the spooler up?")


def show_refused(client, batch):
    page = client.get(f"/data/foundation/export/batches/{batch}/failed").json()
    for entry in page["data"]:
        line(f"         refused: {entry['file']} line {entry['line']}: {entry['reason']}")


def ingest_source(client, folder, name, schema):
    """One dataset, a batch a file. (records taken, refused). The whole dataset is in before the next
    begins: what is ingested last wins."""
    target = dataset(client, name, schema)
    paths = sorted(folder.iterdir())
    progress = Progress(folder.name, "batches")
    taken = refused = 0
    flawed = []
    waiting = [send_batch(client, target, path) for path in paths]
    for number, batch in enumerate(waiting, 1):
        metrics = wait_batch(client, batch)["metrics"]
        failed = metrics.get("failedRecordCount", 0)
        taken += metrics["inputRecordCount"] - failed
        refused += failed
        if failed:
            flawed.append(batch)
        progress.update(number, len(paths), f"{taken:,} records")
    progress.end(f"{taken:7,} records in {len(paths):2} batches, {taken / progress.seconds():9,.0f} records/s   {name}")
    for batch in flawed:
        show_refused(client, batch)
    return taken, refused


def ingest_store(client, folder, expected):
    started = time.monotonic()
    counts = [ingest_source(client, folder / source, name, schema) for source, name, schema in SOURCES]
    seconds = time.monotonic() - started
    taken, refused = (sum(column) for column in zip(*counts))
    require(refused == expected["refused"], f"{refused} records were refused, not {expected['refused']}")
    line(f"all      {taken:7,} records in {seconds:.1f} s, {taken / seconds:,.0f} records/s")
