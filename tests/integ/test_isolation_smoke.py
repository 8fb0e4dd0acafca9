"""Two orgs of two sandboxes with the same names everywhere; nobody ever sees another's.

Eight threads send interleaved requests through the same workers. Every id in every
answer is noted with the tenant that saw it; at the end each must have one owner.
"""

import os
import random
import re
from concurrent.futures import ThreadPoolExecutor

import pytest

import flows
from client import Client
from flows import BATCH_FILES, CATALOG, FILES, JOBS, PREVIEW, SANDBOXES

REQUESTS = int(os.environ.get("CONSIGN_ISOLATION_REQUESTS", "3000"))
THREADS = 8
IDS = re.compile(r"\b(?:[0-9a-f]{24}|[0-9a-f]{32}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\b")

# Two sandboxes of an org share their client, so its id may stand in the answers of both.
OF_THE_CLIENT = re.compile(r'"created(Client|User)"\s*:\s*"[^"]*"')


class Tenant:
    """One sandbox: its client, what it made, and every id it was ever shown."""

    def __init__(self, client, number):
        self.client = client
        self.marker = f"secret-of-{number}-" + "abcd"[number] * 8
        self.seen = set()
        self.union = flows.create_dataset(client, name="same name", description=self.marker)
        self.source = flows.create_dataset(client, "profile", "same name", description=self.marker)
        flows.ingest(client, self.source, [
            {"identityMap": {"Email": [{"id": f"{n}@same.example", "primary": True}]},
             "_tenant": {"marker": self.marker}} for n in range(20)], name="same.json")
        job, rows = flows.export(client, flows.job_body(self.union))
        assert {row["_tenant"]["marker"] for row in rows} == {self.marker} and len(rows) == 20
        self.jobs, self.batch = [job["id"]], job["destination"]["batchId"]
        self.part = flows.list_parts(client, self.batch)[0]["href"]
        self.bytes = client.get(self.part).content

    def look(self, answer, tenants):
        """Note what an answer shows; fail at once on another's marker or org."""
        text = answer.text
        for other in tenants:
            if other is not self:
                assert other.marker not in text, f"{other.marker} shown to {self.marker}"
                if other.client.org != self.client.org:
                    assert other.client.org not in text, f"{other.client.org} shown to {self.marker}"
        self.seen.update(IDS.findall(OF_THE_CLIENT.sub("", text)))
        return answer


@pytest.fixture(scope="module")
def four(stack, tenants):
    found = []
    for org in (tenants.org("one", "two"), tenants.org("one", "two")):
        client = Client(stack, org, "one", *tenants.credentials(org))
        found += [client, client.in_sandbox("two")]
    return [Tenant(client, number) for number, client in enumerate(found)]


def act(tenant, tenants, rng):
    """One random request of a tenant, some of them for ids of another."""
    client, other = tenant.client, rng.choice([t for t in tenants if t is not tenant])
    choice = rng.randrange(12)
    if choice == 0:
        job = tenant.look(client.post(JOBS, flows.job_body(tenant.union), expect=200), tenants).json()
        tenant.jobs.append(job["id"])
    elif choice == 1:
        tenant.look(client.post(f"{CATALOG}/dataSets", flows.dataset_body(
            name="same name", description=tenant.marker), expect=201), tenants)
    elif choice in (2, 3):
        listing = tenant.look(client.get(f"{JOBS}?limit=20"), tenants).json()
        assert all(job["destination"]["datasetId"] == tenant.union for job in listing["records"])
    elif choice == 4:
        found = tenant.look(client.get(f"{CATALOG}/dataSets?limit=50&name=same%20name"), tenants).json()
        assert {dataset["description"] for dataset in found.values()} == {tenant.marker}
    elif choice == 5:
        tenant.look(client.get(f"{CATALOG}/batches?limit=50"), tenants)
    elif choice == 6:
        job = tenant.look(client.get(f"{JOBS}/{rng.choice(tenant.jobs)}"), tenants).json()
        assert job["destination"]["datasetId"] == tenant.union
    elif choice == 7:
        assert client.get(tenant.part).content == tenant.bytes
        tenant.look(client.get(f"{BATCH_FILES}/{tenant.batch}/files"), tenants)
    elif choice == 8:
        shown = tenant.look(client.get(PREVIEW.format(tenant.union)), tenants).json()
        # a job of its own, also one whose 200 never came
        job = tenant.look(client.get(f"{JOBS}/{shown['jobId']}"), tenants).json()
        assert job["destination"]["datasetId"] == tenant.union and len(shown["data"]) == 20
        assert {row["_tenant"]["marker"] for row in shown["data"]} == {tenant.marker}
    elif choice == 9:
        assert [s["name"] for s in client.get(SANDBOXES).json()["sandboxes"]] == ["one", "two"]
    else:
        foreign = rng.choice((PREVIEW.format(other.union), f"{JOBS}/{rng.choice(other.jobs)}", f"{CATALOG}/dataSets/{other.union}",
                              f"{CATALOG}/batches/{other.batch}", f"{BATCH_FILES}/{other.batch}/files",
                              other.part, f"{FILES}/{other.batch}"))
        method = rng.choice(("GET", "DELETE")) if foreign.startswith(JOBS) else "GET"
        tenant.look(client.call(method, foreign, expect=404), tenants)


def test_interleaved_requests_never_show_a_foreign_id_or_name(four):
    def run(number):
        rng = random.Random(number)
        for _ in range(REQUESTS // THREADS):
            act(rng.choice(four), four, rng)

    with ThreadPoolExecutor(THREADS) as pool:
        for _ in pool.map(run, range(THREADS)):
            pass
    for tenant in four:
        for job in tenant.client.get(f"{JOBS}?limit=1000").json()["records"]:
            assert job["destination"]["datasetId"] == tenant.union
    for tenant in four:
        assert len(tenant.seen) > 20
        for other in four:
            assert other is tenant or not tenant.seen & other.seen, tenant.seen & other.seen


def test_exports_under_load_hold_their_own_profiles(four):
    """Jobs of all four at once: each batch holds the rows of its tenant."""
    def run(tenant):
        _, rows = flows.export(tenant.client, flows.job_body(tenant.union))
        return {row["_tenant"]["marker"] for row in rows}, len(rows)

    with ThreadPoolExecutor(THREADS) as pool:
        answers = list(pool.map(run, four * 4))
    assert answers == [({tenant.marker}, 20) for tenant in four * 4]
