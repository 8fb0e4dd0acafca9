"""The primary is lost and a replica promoted: pool and spooler follow by their connection string (issue 6, point 5).

Every commit waits for the replica, so nothing that was acknowledged may be missing afterwards. CONSIGN_FAILOVERS names what
happens to the primary: killed (make test), stopped: it stands still and takes connections (make fault: both).
"""

import os
import pathlib
import shutil
import signal
import socket
import tempfile
import threading
import time
import uuid

import pytest

import flows
from flows import JOBS
from ownstack import new_client, own_stack
from replicas import Servers, wait

pytestmark = pytest.mark.fault

LOSSES = os.environ.get("CONSIGN_FAILOVERS", "killed").split()
NAMES = ("pg", *(f"pg{i + 2}" for i in range(len(LOSSES))))


@pytest.fixture(scope="module")
def silent():
    """A server that takes connections and never answers; its folder."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix="consign-silent."))
    with socket.socket(socket.AF_UNIX) as mute:
        mute.bind(str(folder / ".s.PGSQL.5432"))
        mute.listen(1000)
        for path in (folder, folder / ".s.PGSQL.5432"):
            path.chmod(0o777)
        yield folder
    shutil.rmtree(folder)


@pytest.fixture(scope="module")
def servers(silent):
    """A stack whose connection strings name a host that never answers, its server, and replicas yet to come."""
    with own_stack() as made:
        servers = Servers(made.dir)
        try:
            yield made.start(database__api=servers.uri("consign_api", silent, *NAMES),
                             database__spooler=servers.uri("consign_spooler", silent, *NAMES),
                             database__operator=servers.uri("postgres", *NAMES), spooler__retry_ms=10), servers
        finally:
            servers.stop_made()


class Load:
    """Clients that create jobs all the time; what was acknowledged, and when."""

    def __init__(self, client, dataset):
        self.client, self.dataset = client, dataset
        self.acknowledged, self.refused, self.longest = {}, [], 0.0
        self.last = time.monotonic()
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._run) for _ in range(4)]

    def __enter__(self):
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def _run(self):
        key = str(uuid.uuid4())
        while not self._stop.is_set():
            begin = time.monotonic()
            answer = self.client.call("POST", JOBS, json=flows.job_body(self.dataset, fields="nothing"),
                                      headers={"Idempotency-Key": key})
            self.longest = max(self.longest, time.monotonic() - begin)
            if answer.status_code == 200:
                self.acknowledged[answer.json()["id"]] = self.last = time.monotonic()
                key = str(uuid.uuid4())
                time.sleep(0.2)
            else:
                assert answer.status_code == 503 and answer.headers["Retry-After"], answer.text
                self.refused.append(time.monotonic())
                time.sleep(0.05)


@pytest.mark.parametrize("number", range(len(LOSSES)))
def test_pool_and_spooler_follow_a_promotion_within_three_seconds(servers, number):
    stack, servers = servers
    primary, replica = NAMES[number:number + 2]
    client, other = new_client(stack), new_client(stack)
    dataset, others = flows.create_dataset(client), flows.create_dataset(other)
    servers.replicate(primary, replica)
    with Load(client, dataset) as load:
        wait(lambda: len(load.acknowledged) >= 12)
        if LOSSES[number] == "killed":
            servers.kill(primary)
        else:
            servers.signal(primary, signal.SIGSTOP)
        lost = time.monotonic()
        wait(lambda: len([moment for moment in load.refused if moment > lost]) >= 12)
        promoted = servers.promote(replica)
        wait(lambda: load.last > promoted)
        followed = min(moment for moment in load.acknowledged.values() if moment > promoted) - promoted
        assert followed < 3
        first = flows.start_job(other, flows.job_body(others, fields="nothing"))["id"]
        if LOSSES[number] == "killed":
            wait(lambda: other.get(f"{JOBS}/{first}").json()["status"] == "SUCCEEDED")
            assert time.monotonic() - promoted < 3
        exported = time.monotonic() - promoted
        wait(lambda: len([moment for moment in load.acknowledged.values() if moment > promoted]) >= 12)
    print(f"{LOSSES[number]}: acknowledged {followed:.2f} s after the promotion, exported {exported:.2f} s, {len(load.acknowledged)} "
          f"acknowledged, {len(load.refused)} refused, slowest answer {load.longest:.2f} s")
    assert load.longest < 5
    for job in load.acknowledged:
        assert flows.wait_job(client, job)["status"] == "SUCCEEDED"
    assert client.org in stack.ctl("org", "list"), "consignctl finds the primary too"
    servers.signal(primary, signal.SIGKILL)
