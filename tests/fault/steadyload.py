"""A steady load in which nothing may fail: paced requests, slow uploads and downloads, exports in a row.

For the rolling restarts: any answer but the expected one, and any connection that breaks, is a failure. Every
second paced thread opens a connection for each request. The others keep theirs; a kept one that the server closes before
it answered anything is opened anew, once, for a GET, as RFC 9112 section 9.3.1 tells clients (nginx ends idle
connections in a reload); those are counted. A neighbour of another org reads all the time, so that the pool's limits for a
tenant that is not alone (api.org_workers) are at work.
"""

import hashlib
import http.client
import itertools
import json
import threading
import time
import uuid
from urllib.parse import urlencode, urlsplit

import flows
from flows import CATALOG, JOBS

JSON = {"Content-Type": "application/json"}
PIECE = 128 * 1024
CLOSED = (http.client.RemoteDisconnected, ConnectionResetError, BrokenPipeError)


class Wire:
    """One request after another over http.client, in the name of a client."""

    def __init__(self, client, kept=False):
        self.client = client
        self.kept = kept
        self.address = urlsplit(client.url)
        self.connection = None
        self.reopened = 0

    def _open(self):
        self.connection = http.client.HTTPConnection(self.address.hostname, self.address.port, timeout=60)

    def close(self):
        if self.connection is not None:
            self.connection.close()
        self.connection = None

    def send(self, method, path, body=None, headers=None):
        """The response, its body not read."""
        used = self.connection is not None
        if not used:
            self._open()
        sent = {**self.client.headers(), **(headers or {})}
        if not self.kept:
            sent["Connection"] = "close"
        try:
            self.connection.request(method, path, body=body, headers=sent)
            return self.connection.getresponse()
        except CLOSED:
            self.close()
            if not used or method != "GET":
                raise
        self.reopened += 1
        return self.send(method, path, body, headers)

    def call(self, method, path, expect, body=None, headers=None):
        """The body of an answer that must have the expected status."""
        try:
            answer = self.send(method, path, body, headers)
            data = answer.read()
        except Exception:
            self.close()
            raise
        if not self.kept:
            self.close()
        assert answer.status == expect, f"{answer.status}: {data[:300]!r}"
        return data


class Steady:
    """start(), stop(); then .done, .failed, .succeeded and the other figures."""

    def __init__(self, client, neighbour, rate, profiles, transfer_bytes=16 << 20, transfer_s=2.5):
        self.client, self.neighbour, self.rate = client, neighbour, rate
        self.transfer_bytes, self.transfer_s = transfer_bytes, transfer_s
        self.lock = threading.Lock()
        self.over = threading.Event()
        self.done = self.succeeded = self.reopened = self.uploads = self.downloads = 0
        self.failed, self.moments = [], []
        self.exports = []
        self.events = flows.create_dataset(client, "event")
        profile = flows.create_dataset(client, "profile")
        flows.ingest(client, profile, [self._record(n) for n in range(profiles)])
        self.union = flows.create_dataset(client, fileDescription={"format": "json", "compression": "none"})
        self.job = flows.wait_job(client, flows.start_job(client, flows.job_body(self.union))["id"])
        assert self.job["status"] == "SUCCEEDED", self.job
        (self.part,) = flows.list_parts(client, self.job["destination"]["batchId"])
        (entry,) = flows.manifest(client, self.job["destination"]["batchId"]).values()
        self.digest = entry["sha256"]

    @staticmethod
    def _record(number):
        return {"identityMap": {"CRMID": [{"id": f"p{number:08}", "primary": True}]},
                "_tenant": {"note": f"{number} " * 100}}

    def start(self):
        streams = max(4, self.rate // 10)  # so the rate is kept while an answer takes 0.1 s
        work = [(self._paced, number, streams) for number in range(streams)]
        work += [(self._upload,), (self._upload,), (self._download,), (self._download,), (self._export,), (self._beside,)]
        self.threads = [threading.Thread(target=self._run, args=job, daemon=True) for job in work]
        for thread in self.threads:
            thread.start()

    def stop(self):
        self.over.set()
        for thread in self.threads:
            thread.join(120)
            assert not thread.is_alive(), "a request has no end"

    @property
    def outage_s(self):
        """The longest time without a good answer."""
        moments = sorted(self.moments)
        return max((b - a for a, b in itertools.pairwise(moments)), default=0.0)

    def _run(self, what, *arguments):
        try:
            what(*arguments)
        except Exception as error:  # whatever ends a thread is a finding
            self._note(f"{what.__name__}: {error!r}")

    def _note(self, failure=None):
        with self.lock:
            self.done += 1
            if failure is None:
                self.moments.append(time.monotonic())
            else:
                self.failed.append(failure)

    def _try(self, what, *arguments, **more):
        """One request, counted; its body, or None."""
        try:
            data = what(*arguments, **more)
        except Exception as error:
            self._note(f"{arguments[:2]}: {error!r}")
            return None
        self._note()
        return data

    def _kinds(self):
        body = json.dumps(flows.dataset_body(name="rolling")).encode()
        token = urlencode({"grant_type": "client_credentials", "client_id": self.client.client_id,
                           "client_secret": self.client.client_secret, "scope": "openid"})
        reads = [("GET", f"{JOBS}?limit=5", 200), ("GET", f"{JOBS}/{self.job['id']}", 200),
                 ("GET", f"{CATALOG}/dataSets/{self.union}", 200), ("GET", f"{CATALOG}/batches?limit=5", 200)]
        while True:
            yield from reads
            yield ("POST", f"{CATALOG}/dataSets", 201, body, {**JSON, "Idempotency-Key": uuid.uuid4().hex})
            yield from reads
            yield ("POST", "/ims/token/v3", 200, token, {"Content-Type": "application/x-www-form-urlencoded"})

    def _paced(self, number, streams):
        wire, pause = Wire(self.client, kept=number % 2 == 1), streams / self.rate
        kinds, due = self._kinds(), time.monotonic() + pause * number / streams
        while not self.over.wait(max(0, due - time.monotonic())):
            due += pause
            kind = next(kinds)
            if wire.kept and kind[0] != "GET":
                wire.close()
            self._try(wire.call, *kind)
        with self.lock:
            self.reopened += wire.reopened
        wire.close()

    def _beside(self):
        wire = Wire(self.neighbour, kept=True)
        while not self.over.wait(0.05):
            self._try(wire.call, "GET", f"{JOBS}?limit=5", 200)
        wire.close()

    def _pieces(self):
        """The bytes of an upload, as a slow client sends them."""
        pieces = self.transfer_bytes // PIECE
        for _ in range(pieces):
            yield b" " * (PIECE - 1) + b"\n"
            time.sleep(self.transfer_s / pieces)

    def _upload(self):
        wire = Wire(self.client)
        opened = json.dumps({"datasetId": self.events, "inputFormat": {"format": "json"}}).encode()
        while not self.over.is_set():
            made = self._try(wire.call, "POST", flows.IMPORT, 201, opened, JSON)
            if made is None:
                continue
            batch = json.loads(made)["id"]
            length = {"Content-Length": str(self.transfer_bytes // PIECE * PIECE), "Content-Type": "application/octet-stream"}
            if self._try(wire.call, "PUT", flows.file_path(batch, self.events), 200, self._pieces(), length) is not None:
                self.uploads += 1
            self._try(wire.call, "POST", f"{flows.IMPORT}/{batch}?action=ABORT", 200)

    def _read_slowly(self, wire, path, size):
        answer = wire.send("GET", path)
        assert answer.status == 200, answer.status
        found, length = hashlib.sha256(), 0
        while data := answer.read(PIECE):
            found.update(data)
            length += len(data)
            time.sleep(self.transfer_s * len(data) / size)
        wire.close()
        assert (length, found.hexdigest()) == (size, self.digest), f"{length} of {size} bytes, or other ones"

    def _download(self):
        address = urlsplit(self.part["href"])
        path = f"{address.path}?{address.query}"
        while not self.over.is_set():
            self._try(self._read_slowly, Wire(self.client), path, self.part["length"])
            self.downloads += 1

    def _export(self):
        wire, body = Wire(self.client), json.dumps(flows.job_body(self.union)).encode()
        while not self.over.is_set():
            made = self._try(wire.call, "POST", JOBS, 200, body, {**JSON, "Idempotency-Key": uuid.uuid4().hex})
            if made is None:
                continue
            job = json.loads(made)
            self.exports.append(job["id"])
            while job["status"] not in flows.TERMINAL:
                data = self._try(wire.call, "GET", f"{JOBS}/{job['id']}?wait=10", 200)
                job = job if data is None else json.loads(data)
            if job["status"] == "SUCCEEDED":
                self.succeeded += 1
            else:
                self._note(f"export {job['id']}: {job['status']} {job.get('errors')}")
