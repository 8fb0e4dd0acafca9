"""The ways a client works with the product, each written once.

create_dataset, ingest, export, download: happy paths that check on their way
what must hold always (manifest, hashes, counts). Tests build on them.
"""

import hashlib
import json
import subprocess
import time

CATALOG = "/data/foundation/catalog"
JOBS = "/data/core/ups/export/jobs"
POLICIES = "/data/core/ups/config/mergePolicies"
IMPORT = "/data/foundation/import/batches"
BATCH_FILES = "/data/foundation/export/batches"
FILES = "/data/foundation/export/files"
PREVIEW = "/data/foundation/export/datasets/{}/preview"
SANDBOXES = "/data/foundation/sandbox-management/sandboxes"
XDM = "https://ns.adobe.com/xdm/context/"
SCHEMAS = {"union": XDM + "profile__union", "profile": XDM + "profile",
           "event": XDM + "experienceevent"}
CONTENT_TYPE = "application/vnd.adobe.xed+json;version=1"
TERMINAL = ("SUCCEEDED", "FAILED", "CANCELLED")
BATCH_DONE = ("success", "failed", "aborted")
NO_SUCH_DATASET = "0123456789abcdef01234567"
NO_SUCH_BATCH = "0123456789abcdef0123456789abcdef"


def now_ms():
    return time.time_ns() // 1_000_000


def eventually(condition, what, seconds=20):
    """The first true value of condition(); fails with `what` when there is none in time."""
    deadline, pause = time.monotonic() + seconds, 0.02
    while not (value := condition()):
        assert time.monotonic() < deadline, what
        time.sleep(pause)
        pause = min(pause * 1.5, 0.25)  # a look may be a program's start, and other tests want the cores
    return value


def ndjson(records):
    return b"".join(json.dumps(r, ensure_ascii=False).encode() + b"\n" for r in records)


def dataset_body(kind="union", name="dataset", **more):
    return {"name": name, "schemaRef": {"id": SCHEMAS[kind], "contentType": CONTENT_TYPE}, **more}


def create_dataset(client, kind="union", name="dataset", **more):
    """A dataset of the kind union, profile or event; returns its id. Exports into it are JSON unless
    fileDescription says otherwise."""
    if kind == "union":
        more = {"fileDescription": {"format": "json"}, **more}
    answer = client.post(f"{CATALOG}/dataSets", dataset_body(kind, name, **more), expect=201)
    (reference,) = answer.json()
    return reference.rsplit("/", 1)[1]


def policy_body(graph="none", order=None, **more):
    """A merge policy: dataSetPrecedence with an order of dataset ids, else timestampOrdered."""
    merge = {"type": "timestampOrdered"} if order is None else {"type": "dataSetPrecedence", "order": order}
    return {"name": "policy", "schema": {"name": "_xdm.context.profile"}, "identityGraph": {"type": graph},
            "attributeMerge": merge, **more}


def create_policy(client, graph="none", order=None, **more):
    """A merge policy of the client's sandbox; returns its document. An org may have five."""
    return client.post(POLICIES, policy_body(graph, order, **more), expect=200).json()


def open_batch(client, dataset):
    """A new import batch in state loading; returns its id."""
    body = {"datasetId": dataset, "inputFormat": {"format": "json"}}
    batch = client.post(IMPORT, body, expect=201).json()
    return batch["id"]


def file_path(batch, dataset, name="part.json"):
    return f"{IMPORT}/{batch}/datasets/{dataset}/files/{name}"


def wait_batch(client, batch, seconds=60):
    """Poll the catalog until the batch is success, failed or aborted; returns its object."""
    deadline = time.monotonic() + seconds
    pause = 0.02
    while True:
        found = client.get(f"{CATALOG}/batches/{batch}").json()[batch]
        if found["status"] in BATCH_DONE:
            return found
        assert time.monotonic() < deadline, f"batch {batch} still {found['status']}"
        time.sleep(pause)
        pause = min(pause * 1.5, 0.25)


def upload(client, dataset, body, name="part.json"):
    """Open a batch, put one file, COMPLETE it; returns the batch id at once."""
    batch = open_batch(client, dataset)
    client.put(file_path(batch, dataset, name), body)
    client.post(f"{IMPORT}/{batch}?action=COMPLETE", expect=200)
    return batch


def ingest(client, dataset, records, name="part.json", expect="success", seconds=60):
    """Ingest records (a list, or the raw bytes of a file) and wait; returns the batch object."""
    body = records if isinstance(records, bytes) else ndjson(records)
    batch = upload(client, dataset, body, name)
    done = wait_batch(client, batch, seconds)
    if expect is not None:
        assert done["status"] == expect, done
    return {**done, "id": batch}


def job_body(dataset, **more):
    """The smallest export request for a dataset; members given by name replace."""
    return {"destination": {"datasetId": dataset}, "schema": {"name": "_xdm.context.profile"},
            **more}


def start_job(client, body, **more):
    return client.post(JOBS, body, expect=200, **more).json()


def wait_job(client, job_id, seconds=120):
    """Long-poll until the job is terminal; returns the job."""
    deadline = time.monotonic() + seconds
    while True:
        job = client.get(f"{JOBS}/{job_id}?wait=30").json()
        if job["status"] in TERMINAL:
            return job
        assert time.monotonic() < deadline, f"job {job_id} still {job['status']}"


def export(client, body, seconds=120):
    """Run an export that must succeed; returns (job, rows) with every file checked."""
    job = wait_job(client, start_job(client, body)["id"], seconds)
    assert job["status"] == "SUCCEEDED", job
    return job, download(client, job["destination"]["batchId"])


def export_all(client, **more):
    """export() into a fresh union dataset."""
    return export(client, job_body(create_dataset(client), **more))


def manifest(client, batch):
    """manifest.json of a batch as a map name -> {name, rows, bytes, sha256}."""
    answer = client.get(f"{BATCH_FILES}/{batch}/meta?path=manifest.json")
    return {entry["name"]: entry for entry in answer.json()["files"]}


def list_files(client, batch):
    """All entries of /batches/{b}/files, page by page."""
    found = []
    while True:
        page = client.get(f"{BATCH_FILES}/{batch}/files?start={len(found)}").json()
        found += page["data"]
        if not page["data"] or len(found) >= page["_page"]["count"]:
            return found


def list_parts(client, batch):
    """All downloadable files of a batch: [{name, length, href}]."""
    parts = []
    for entry in list_files(client, batch):
        listing = client.get(entry["_links"]["self"]["href"]).json()
        parts += [{"name": f["name"], "length": int(f["length"]), "href": f["_links"]["self"]["href"]}
                  for f in listing["data"]]
    return parts


def download_parts(client, batch):
    """[(manifest entry, bytes)] of a batch's files in order of name; sizes and hashes checked on the way."""
    listed = manifest(client, batch)
    parts = list_parts(client, batch)
    assert sorted(p["name"] for p in parts) == sorted(listed), (parts, listed)
    found = []
    for part in sorted(parts, key=lambda part: part["name"]):
        entry = listed[part["name"]]
        data = client.get(part["href"]).content
        assert len(data) == part["length"] == int(entry["bytes"]), (part, entry)
        assert hashlib.sha256(data).hexdigest() == entry["sha256"], part
        found.append((entry, data))
    return found


def download_raw(client, batch):
    """The NDJSON text of a batch, each file's size, hash and row count checked on the way."""
    texts = []
    for entry, data in download_parts(client, batch):
        text = unpack(entry["name"], data)
        assert text.count(b"\n") == int(entry["rows"]), entry
        assert not text or text.endswith(b"\n"), entry
        texts.append(text)
    return b"".join(texts)


def download(client, batch):
    """The rows of a batch."""
    return [json.loads(line) for line in download_raw(client, batch).split(b"\n") if line]


def unpack(name, data):
    if not name.endswith(".zst"):
        return data
    return subprocess.run(["zstd", "-dcq"], input=data, stdout=subprocess.PIPE, check=True).stdout
