"""export: the export job, from the request to the verified rows. Caller: main."""
import hashlib
import json
import subprocess
import time

from show import Failure, Progress, line, require
from store import dataset

JOBS = "/data/core/ups/export/jobs"
ACCESS = "/data/foundation/export"
FINAL = ("SUCCEEDED", "FAILED", "CANCELLED")
EXPORT_SECONDS = 120
DESTINATION = "Demo profile export"


def job_request(destination):
    """The request of the reference document; the ids are ours."""
    return {
        "fields": "identities.id,personalEmail.address",
        "mergePolicy": {"id": "timestampOrdered-none-mp", "version": 1},
        "additionalFields": {
            "eventList": {
                "fields": "environment.browserDetails.name,environment.browserDetails.version",
                "filter": {"fromIngestTimestamp": "2018-10-25T13:22:04-07:00"},
            }
        },
        "destination": {"datasetId": destination, "segmentPerBatch": False},
        "schema": {"name": "_xdm.context.profile"},
    }


def run_job(client):
    """Creates the job and watches it to its end. (job, its request)."""
    destination = dataset(client, DESTINATION, "profile__union", fileDescription={"format": "json"})
    request = job_request(destination)
    job = client.call("POST", JOBS, request).json()
    require(job["status"] == "NEW", f"a new job is {job['status']}")
    line(f"job {job['id']} is NEW, its batch will be {job['destination']['batchId']}")
    progress = Progress("export", "profiles")
    while job["status"] not in FINAL:
        require(progress.seconds() < EXPORT_SECONDS, f"job {job['id']} is still {job['status']}; is the spooler up?")
        time.sleep(0.1)
        job = client.get(f"{JOBS}/{job['id']}").json()
        now = job["metrics"].get("progress")
        if now:
            progress.update(now["profilesDone"], now["profilesEstimated"], now["phase"])
    require(job["status"] == "SUCCEEDED", f"job {job['id']} is {job['status']}: {job.get('errors')}")
    metrics = job["metrics"]
    profiles, events = metrics["totalExportedProfileCounter"], metrics["totalExportedEventCounter"]
    worked = max(metrics["profileExportTime"]["totalTimeInMs"], 1) / 1000
    progress.end(f"{profiles:,} profiles with {events:,} events in {worked:.2f} s, "
                 f"{profiles / worked:,.0f} profiles/s; {progress.seconds():.2f} s from request to SUCCEEDED")
    return job, request


def list_files(client, batch):
    """All files of a batch, page by page."""
    page = client.get(f"{ACCESS}/batches/{batch}/files").json()
    files = page["data"]
    while "next" in page["_links"]:
        page = client.get(page["_links"]["next"]["href"]).json()
        files += page["data"]
    return files


def unpack(data):
    try:
        return subprocess.run(["zstd", "-dcq"], input=data, stdout=subprocess.PIPE, check=True).stdout
    except (OSError, subprocess.CalledProcessError) as error:
        raise Failure(f"zstd can't unpack a file: {error}") from None


def download(client, batch):
    """The rows of a batch, every file checked against the manifest; and the first file's link."""
    manifest = client.get(f"{ACCESS}/batches/{batch}/meta?path=manifest.json").json()
    wanted = {entry["name"]: entry for entry in manifest["files"]}
    rows, links = [], []
    for listed in list_files(client, batch):
        for file in client.get(listed["_links"]["self"]["href"]).json()["data"]:
            name, href = file["name"], file["_links"]["self"]["href"]
            require(name in wanted, f"{name} is not in the manifest, or was listed twice")
            entry = wanted.pop(name)
            data = client.get(href).body
            require(len(data) == int(file["length"]) == entry["bytes"], f"{name} has {len(data)} bytes")
            require(hashlib.sha256(data).hexdigest() == entry["sha256"], f"{name}: the SHA-256 differs")
            lines = unpack(data).splitlines()
            require(len(lines) == entry["rows"], f"{name} has {len(lines)} rows, not {entry['rows']}")
            line(f"{name}  {len(data):,} bytes, {len(lines):,} rows, SHA-256 as in the manifest")
            rows += [json.loads(text) for text in lines]
            links.append(href)
    require(not wanted, f"in the manifest, not among the files: {', '.join(wanted)}")
    return rows, links


def primary_of(row):
    """The primary identity of a row as "NAMESPACE ID"."""
    found = [f"{namespace} {entry['id']}" for namespace, entries in row["identityMap"].items()
             for entry in entries if entry.get("primary")]
    require(len(found) == 1, f"a row has {len(found)} primary identities: {row}")
    return found[0]


def check_rows(rows, job, expected):
    """Every profile of the store is there once, with the address and the events it must have. Returns
    the rows by primary identity. What else is in the sandbox is left alone."""
    by_key = {primary_of(row): row for row in rows}
    require(len(by_key) == len(rows), f"{len(rows) - len(by_key)} profiles are there twice")
    for key, profile in expected["profiles"].items():
        row = by_key.get(key)
        require(row is not None, f"{key} is not in the export")
        email = row.get("personalEmail", {}).get("address")
        should = list(profile["email"].values())[-1:] or [None]
        require(email == should[0], f"{key} has the address {email}, not {should[0]}")
        events = len(row.get("eventList", []))
        require(events == profile["events"], f"{key} has {events} events, not {profile['events']}")
    events = sum(len(row.get("eventList", [])) for row in rows)
    metrics = job["metrics"]
    require(metrics["totalExportedProfileCounter"] == len(rows), "the job counts other profiles than its files hold")
    require(metrics["totalExportedEventCounter"] == events, "the job counts other events than its files hold")
    return by_key
