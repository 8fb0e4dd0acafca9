"""A sandbox of the service and the oracle's store side by side: what goes into one goes into the other, and
check() compares what comes out. Used by the tests of exports.
"""

import json
import time

import flows
import readers
from columns import columns_of, hold_members
from oracle import Policy, Store, canonical_rows


class Difference(AssertionError):
    """The export and the oracle disagree."""


class Refused(Exception):
    """A record or a batch that should have been taken was not."""


def cut_ms():
    """A moment strictly between what was ingested before and what will be after."""
    time.sleep(0.003)
    cut = flows.now_ms()
    time.sleep(0.003)
    return cut


class Twin:
    """datasets: name -> id; made on first use."""

    def __init__(self, client):
        self.client = client
        self.datasets = {}
        self.store = Store()

    def dataset(self, name, kind="profile"):
        if name not in self.datasets:
            self.datasets[name] = flows.create_dataset(self.client, kind, name)
        return self.datasets[name]

    def records(self, name, *files):
        """One batch of profile records; returns a moment before and one after it (see cut_ms)."""
        before = cut_ms()
        self._send(self.dataset(name), files)
        self.store.ingest_records(name, [record for records in files for record in records], before + 0.5)
        return before, cut_ms()

    def events(self, name, *files):
        before = cut_ms()
        self._send(self.dataset(name, "event"), files)
        self.store.ingest_events([event for events in files for event in events], before + 0.5)
        return before, cut_ms()

    def _send(self, dataset, files):
        """One batch; its files go up last first, because their names decide."""
        batch = flows.open_batch(self.client, dataset)
        for number, records in reversed(list(enumerate(files))):
            if records:
                self.client.put(flows.file_path(batch, dataset, f"{number}.json"), flows.ndjson(records))
        self.client.post(f"{flows.IMPORT}/{batch}?action=COMPLETE", expect=200)
        done = flows.wait_batch(self.client, batch)
        if done["status"] != "success" or done["metrics"]["failedRecordCount"]:
            raise Refused(json.dumps(done))

    def target(self, form="json", compression="zstd"):
        """A union dataset of a format."""
        return flows.create_dataset(self.client, fileDescription={"format": form, "compression": compression})

    def start(self, body, target=None):
        """POSTs an export of the body's members; returns the job."""
        target = target or self.target()
        body = {**flows.job_body(target), **body, "destination": {"datasetId": target, **body.get("destination", {})}}
        return flows.start_job(self.client, body)

    def export(self, body, form="json", compression="zstd"):
        """Runs it to its end; returns the job, which SUCCEEDED."""
        job = flows.wait_job(self.client, self.start(body, self.target(form, compression))["id"])
        if job["status"] != "SUCCEEDED":
            raise Difference(json.dumps(job))
        return job

    def check(self, body, rules=Policy(), form="json", compression="zstd", names=("duckdb",)):
        """export(), then compares counters, batches, columns and every row; returns (job, the oracle's Export).

        rules: of the policy that the body names. names: the readers of Parquet that must all agree."""
        job = self.export(body, form, compression)
        wanted = self.store.export(body, rules)
        check_counters(job, wanted)
        columns = columns_of(self.store, body, rules) if form == "parquet" else None
        for batch, rows in batches_of(job, wanted):
            if columns is None:
                compare(flows.download(self.client, batch), rows)
                continue
            with readers.fetch(self.client, batch) as files:
                for name in names:
                    compare(readers.rows(files, name, columns), [hold_members(row, columns) for row in rows])
        return job, wanted


def batches_of(job, wanted):
    """[(batch id, wanted rows)] of a job that SUCCEEDED."""
    if wanted.batches is None:
        return [(job["destination"]["batchId"], wanted.rows)]
    listed = job["destination"]["batches"]
    named = [(entry["segmentNs"], entry["segmentId"]) for entry in listed]
    if named != list(wanted.batches):
        raise Difference(f"batches of {named}, wanted {list(wanted.batches)}")
    return [(entry["batchId"], wanted.batches[entry["segmentNs"], entry["segmentId"]]) for entry in listed]


def check_counters(job, wanted):
    metrics = job["metrics"]
    got = {"profiles": metrics["totalExportedProfileCounter"], "events": metrics["totalExportedEventCounter"],
           "by_namespace": metrics["exportedProfileByNamespaceCounter"], "skipped": metrics.get("skippedProfiles", {})}
    told = {"profiles": wanted.profiles, "events": wanted.events, "by_namespace": wanted.by_namespace,
            "skipped": wanted.skipped}
    if got != told:
        raise Difference(f"counters {got}, wanted {told}")


def compare(got, wanted):
    """Rows of one batch against the oracle's, both as the format holds them."""
    got, wanted = canonical_rows(got), canonical_rows(wanted)
    if got != wanted:
        missing, extra = [r for r in wanted if r not in got], [r for r in got if r not in wanted]
        raise Difference("\n".join([f"{len(got)} rows, wanted {len(wanted)}", "not in the export:", *missing[:10],
                                    "not in the oracle:", *extra[:10]]))
