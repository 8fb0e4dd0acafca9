"""The same four tenants while workers are killed, backends cut and clients go away in mid request.

A request may fail then, with a clear 503; what it must never do is show another tenant's byte.
`make fault` runs it with CONSIGN_ISOLATION_REQUESTS=100000.
"""

import os
import random
import re
import signal
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

import psycopg
import pytest
import requests

from flows import JOBS
from stack import process_tree
from test_isolation_smoke import REQUESTS, THREADS, act, four  # noqa: F401 (four is a fixture)

pytestmark = pytest.mark.fault

# the only failure that a disturbed request may have
DISTURBED = re.compile(r": 503, wanted ")


class Disturber:
    """Kills a worker, cuts a backend or leaves a request half sent, a few times a second."""

    def __init__(self, stack, tenant):
        self.stack, self.tenant = stack, tenant
        self.rng = random.Random(7)
        self.done = {"worker": 0, "backend": 0, "client": 0, "timeout": 0}
        self.over = threading.Event()

    def worker(self):
        root = int((self.stack.dir / "pids" / "api").read_text())
        workers = [pid for pid in process_tree(root) if pid != root]
        if workers:
            os.kill(self.rng.choice(workers), signal.SIGKILL)

    def backend(self):
        with psycopg.connect(self.stack.pg_uri) as db:
            db.execute("SELECT pg_terminate_backend(pid) FROM (SELECT pid FROM pg_stat_activity"
                       " WHERE usename = 'consign_api' ORDER BY random() LIMIT 1) one")

    def client(self):
        """A request with every header that goes away before or while it is answered."""
        at = urlsplit(self.stack.url)
        lines = "".join(f"{name}: {value}\r\n" for name, value in self.tenant.client.headers().items())
        text = f"GET {JOBS}?limit=100 HTTP/1.1\r\nHost: x\r\n{lines}\r\n".encode()
        with socket.create_connection((at.hostname, at.port), timeout=5) as peer:
            peer.sendall(text[:self.rng.choice((len(text), len(text) - 5, len(text) // 2))])

    def timeout(self):
        try:
            requests.get(f"{self.stack.url}{JOBS}?limit=1000", headers=self.tenant.client.headers(), timeout=0.002)
        except requests.RequestException:
            pass

    def run(self):
        while not self.over.wait(self.rng.uniform(0.05, 0.3)):
            kind = self.rng.choice(list(self.done))
            try:
                getattr(self, kind)()
                self.done[kind] += 1
            except (ProcessLookupError, OSError, psycopg.Error):
                pass


@pytest.mark.alone
def test_disturbed_requests_never_show_a_foreign_id_or_name(stack, four):  # noqa: F811
    disturber = Disturber(stack, four[0])
    thread = threading.Thread(target=disturber.run)
    failed = []

    def run(number):
        rng = random.Random(1000 + number)
        for _ in range(REQUESTS // THREADS):
            try:
                act(rng.choice(four), four, rng)
            except requests.RequestException as error:
                failed.append(str(error))
            except AssertionError as error:
                if not DISTURBED.search(str(error)):
                    raise
                failed.append(str(error))

    thread.start()
    try:
        with ThreadPoolExecutor(THREADS) as pool:
            list(pool.map(run, range(THREADS)))
    finally:
        disturber.over.set()
        thread.join()
    assert all(disturber.done.values()), disturber.done
    assert len(failed) < REQUESTS / 10, (len(failed), failed[:3])
    for tenant in four:
        for other in four:
            assert other is tenant or not tenant.seen & other.seen, tenant.seen & other.seen
    begin = time.monotonic()
    while four[0].client.call("GET", JOBS).status_code != 200:
        assert time.monotonic() - begin < 3, "the pool does not recover"
