"""What one thread of the load does: the calls of a client that repeats what it has no good answer to.

A creating call carries an idempotency key and is repeated with it until it is answered; a few go without a key, once,
whatever comes. What an answer made is noted in the log (clientlog.py); nothing is kept that the checker would need.
"""

import hashlib
import random
import time

import flows
from loggedwire import Wire
from places import NAMESPACE, event, new_nonce, record
from streams import COLLECTION

ENTITIES = "/data/core/ups/access/entities?schema.name=_xdm.context.profile&entityIdNS=" + NAMESPACE
OVERLOADED = (429, 503)
KEYLESS = 0.08   # of the creating calls
AGAIN = 0.05     # of the answered calls with a key: sent once more
FILE_RECORDS = 12
WAITING_MOST = 3 # jobs of a thread that it does not know to have ended; so the load is as fast as the work


class Worker:
    """Runs actions for random tenants. `going()` says whether a call may be repeated still."""

    def __init__(self, url, log, places, seed, going):
        self.wire = Wire(url, log)
        self.rng = random.Random(seed)
        self.places = places
        self.going = going
        self.mine = {place.tag: [] for place in places}   # jobs that this thread made
        self.open = []  # (place, job) of those that may not have ended
        self.known = {place.tag: [] for place in places}  # profiles that it brought

    def act(self, kinds):
        """One action; `kinds` maps names of methods to weights. Answers the name when it made an acknowledged job."""
        (kind,) = self.rng.choices(list(kinds), list(kinds.values()))
        (place,) = self.rng.choices(self.places, [1] + [3] * (len(self.places) - 1))  # the first one's work is large
        return getattr(self, kind)(place)

    def repeat(self, send, until=()):
        """Calls send() until its answer is good or final; None when that did not happen while it was allowed."""
        pause = 0.02
        while True:
            answer = send()
            if answer is not None and (answer.good or answer.status in until):
                return answer
            if answer is not None and answer.status not in OVERLOADED:
                return None
            if not self.going():
                return None
            time.sleep(pause)
            pause = min(pause * 2, 0.25)

    def create(self, op, place, path, body, tell, **facts):
        """A creating POST with a key (or, sometimes, without); its answer, or None."""
        nonce = facts.pop("nonce", None) or new_nonce()
        keyed = self.rng.random() >= KEYLESS
        headers = {"Idempotency-Key": nonce} if keyed else {}

        def send():
            return self.wire.send(op, place, "POST", path, body, headers, tell, nonce=nonce, key=keyed, **facts)
        if not keyed:
            answer = send()
            return answer if answer is not None and answer.good else None
        answer = self.repeat(send)
        if answer is not None and self.rng.random() < AGAIN:
            self.repeat(send)
        return answer if answer is not None and answer.good else None

    def catch_up(self):
        """Waits until few enough of its jobs may be under way."""
        while len(self.open) > WAITING_MOST and self.going():
            place, job = self.open[0]
            shown = self.wire.send("job_get", place, "GET", f"{flows.JOBS}/{job}?wait=1", id=job,
                                   tell=lambda got: {"state": got.json()["status"]})
            if shown is not None and shown.good and shown.json()["status"] in flows.TERMINAL:
                self.open.pop(0)
            else:
                time.sleep(0.04)  # ?wait= is answered at once while many wait

    def job(self, place):
        self.catch_up()
        nonce = new_nonce()
        kind = self.rng.choices(("json", "plain", "parquet"), (6, 2, 2))[0]
        events = self.rng.random() < 0.3
        body = flows.job_body(place.datasets[kind], fields=f"_tenant,{nonce}")
        if events:
            body["additionalFields"] = {"eventList": {}}
        answer = self.create("job", place, flows.JOBS, body,
                             lambda made: {"id": made.json()["id"], "batch": made.json()["destination"]["batchId"]},
                             nonce=nonce, kind=kind, events=events)
        if answer is None:
            return None
        self.mine[place.tag].append(answer.json()["id"])
        self.open.append((place, answer.json()["id"]))
        return "job"

    def cancel(self, place):
        """A job, and its removal a moment later."""
        if self.job(place) is None:
            return None
        job = self.mine[place.tag].pop()
        time.sleep(self.rng.uniform(0, 0.12))
        self.repeat(lambda: self.wire.send("cancel", place, "DELETE", f"{flows.JOBS}/{job}", id=job))
        return "job"

    def message(self, place):
        nonce = new_nonce()
        if self.rng.random() < 0.3 and self.known[place.tag]:
            of = self.rng.choice(self.known[place.tag])
            self.create("message", place, f"{COLLECTION}/{place.datasets['event']}", event(place.tag, nonce, of),
                        lambda made: {"id": made.json()["xactionId"]}, nonce=nonce, events=[nonce], of=of)
        elif self.create("message", place, f"{COLLECTION}/{place.datasets['stream']}", record(place.tag, nonce),
                       lambda made: {"id": made.json()["xactionId"]}, nonce=nonce, records=[nonce]):
            self.known[place.tag].append(nonce)

    def messages(self, place):
        nonces = [new_nonce() for _ in range(FILE_RECORDS)]
        dataset = place.datasets["stream"]
        reference = {"id": flows.SCHEMAS["profile"], "contentType": flows.CONTENT_TYPE}
        body = {"messages": [{"header": {"datasetId": dataset, "schemaRef": reference},
                              "body": {"xdmEntity": record(place.tag, nonce)}} for nonce in nonces]}
        if self.create("messages", place, f"{COLLECTION}/batch/{dataset}", body,
                       lambda made: {"id": made.json()["batchId"]}, records=nonces):
            self.known[place.tag] += nonces[:2]

    def batch(self, place):
        """A file through a batch: opened, put, completed; one of eight stays open."""
        dataset = place.datasets["file"]
        body = {"datasetId": dataset, "inputFormat": {"format": "json"}}
        made = self.create("batch", place, flows.IMPORT, body, lambda made: {"id": made.json()["id"]})
        if made is None:
            return
        batch = made.json()["id"]
        nonces = [new_nonce() for _ in range(FILE_RECORDS)]
        text = flows.ndjson([record(place.tag, nonce) for nonce in nonces])
        path = flows.file_path(batch, dataset)
        put = self.repeat(lambda: self.wire.send(
            "put", place, "PUT", path, text, {"Content-Type": "application/octet-stream"}, batch=batch,
            sha256=hashlib.sha256(text).hexdigest(), records=nonces))
        if put is None or not put.good or self.rng.random() < 0.125:
            return
        # 409: an earlier one, whose answer did not come, was carried out
        self.repeat(lambda: self.wire.send("complete", place, "POST", f"{flows.IMPORT}/{batch}?action=COMPLETE",
                                           batch=batch, records=nonces), until=(409,))

    def remove(self, place):
        """A profile that this thread brought. 404: an earlier one, whose answer did not come, was carried out."""
        if not self.known[place.tag]:
            return
        at = self.rng.randrange(len(self.known[place.tag]))
        nonce = self.known[place.tag].pop(at)
        self.repeat(lambda: self.wire.send("remove", place, "DELETE", f"{ENTITIES}&entityId={nonce}", nonce=nonce),
                    until=(404,))

    def look(self, place):
        """What the tenant sees: ids, which must be its own."""
        if self.rng.random() < 0.5:
            self.wire.send("jobs", place, "GET", f"{flows.JOBS}?limit=50", tell=lambda got: {
                "jobs": [job["id"] for job in got.json()["records"]], "who": sorted({job["imsOrgId"] for job in got.json()["records"]})})
        else:
            self.wire.send("batches", place, "GET", f"{flows.CATALOG}/batches?limit=50",
                           tell=lambda got: {"batches": list(got.json())})

    def fetch(self, place):
        """Waits a little for a job and reads its batch, as soon as it is there."""
        if not self.mine[place.tag]:
            return
        job = self.mine[place.tag][-1]
        shown = self.wire.send("job_get", place, "GET", f"{flows.JOBS}/{job}?wait=2", id=job, tell=lambda got: {
            "state": got.json()["status"]})
        if shown is None or not shown.good or shown.json()["status"] != "SUCCEEDED":
            return
        batch = shown.json()["destination"]["batchId"]
        listed = self.wire.send("manifest", place, "GET", f"{flows.BATCH_FILES}/{batch}/meta?path=manifest.json", batch=batch)
        if listed is None or not listed.good:
            return
        for number, entry in enumerate(listed.json()["files"][:2]):
            self.read(place, batch, number, entry)

    def read(self, place, batch, number, entry):
        """One file of a batch, which lists them in the manifest's order, against its manifest; read in one piece or, sometimes, its second half."""
        files = self.wire.send("files", place, "GET", f"{flows.BATCH_FILES}/{batch}/files", batch=batch)
        if files is None or not files.good:
            return
        size = int(entry["bytes"])
        first = size // 2 if self.rng.random() < 0.2 and size > 1 else 0
        headers = {"Range": f"bytes={first}-"} if first else {}
        self.wire.send("download", place, "GET", f"{flows.FILES}/{files.json()['data'][number]['dataSetFileId']}?path={entry['name']}",
                       headers=headers, batch=batch, tell=lambda got: {
                           "whole": len(got.body) == size - first and (first > 0 or hashlib.sha256(got.body).hexdigest() == entry["sha256"])})
