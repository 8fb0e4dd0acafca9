"""What a request may say about segments, ingestion times and the merge policy, and what the job then shows.

Refusals have the pointer of the member at fault (contract section 5). What the exports hold is tested elsewhere.
"""

import uuid
from concurrent.futures import ThreadPoolExecutor

import pytest

import flows
import policyuse
from client import Client
from flows import CATALOG, JOBS, job_body
from shapes import BUILT_IN, assert_job, assert_problem

EARLY, LATE = "2020-01-01T00:00:00Z", "2020-01-01T00:00:00.001+00:00"
NOW = ("realized", "existing")
# the same in every worker, which must find the same tests
NO_POLICY = "6a1f0c52-3d0b-4b7e-9d55-0c1f6a7be001"


@pytest.fixture(scope="module")
def dataset(shared):
    return flows.create_dataset(shared)


def segment(ident="one", **more):
    return {"segmentId": ident, **more}


def request(dataset, segments=None, per_batch=False, **filters):
    """A request with a filter; segments is filter.segments as a list."""
    if segments is not None:
        filters["segments"] = segments
    body = job_body(dataset, filter=filters)
    body["destination"]["segmentPerBatch"] = per_batch
    return body


SEGMENTS = "/filter/segments"
TIMES = "/filter/segmentQualificationTime"
REFUSED = [
    ({"segments": ["one"]}, f"{SEGMENTS}/0"), ({"segments": [segment(), None]}, f"{SEGMENTS}/1"),
    ({"segments": [{}]}, f"{SEGMENTS}/0/segmentId"), ({"segments": [segment(5)]}, f"{SEGMENTS}/0/segmentId"),
    ({"segments": [segment("")]}, f"{SEGMENTS}/0/segmentId"),
    ({"segments": [segment("x" * 256)]}, f"{SEGMENTS}/0/segmentId"),
    ({"segments": [segment("a\nb")]}, f"{SEGMENTS}/0/segmentId"),
    ({"segments": [segment(segmentNs="")]}, f"{SEGMENTS}/0/segmentNs"),
    ({"segments": [segment(segmentNs=None)]}, f"{SEGMENTS}/0/segmentNs"),
    ({"segments": [segment(status="realized")]}, f"{SEGMENTS}/0/status"),
    ({"segments": [segment(status=["realized", "left"])]}, f"{SEGMENTS}/0/status/1"),
    ({"segments": [segment(status=[None])]}, f"{SEGMENTS}/0/status/0"),
    ({"segments": [segment(), segment("two"), segment(segmentNs="ups", status=["exited"])]}, f"{SEGMENTS}/2"),
    ({"segments": [segment(str(n)) for n in range(1001)]}, SEGMENTS),
    ({"segments": [segment(str(n)) for n in range(51)], "per_batch": True}, SEGMENTS),
    ({"segments": [], "per_batch": True}, "/destination/segmentPerBatch"),
    ({"segmentQualificationTime": {"startTime": EARLY}, "per_batch": True}, "/destination/segmentPerBatch"),
    ({"segmentQualificationTime": {"startTime": 5}}, f"{TIMES}/startTime"),
    ({"segmentQualificationTime": {"endTime": None}}, f"{TIMES}/endTime"),
    ({"segmentQualificationTime": {"endTime": "2020-01-01"}}, f"{TIMES}/endTime"),
    ({"segmentQualificationTime": {"startTime": LATE, "endTime": EARLY}}, TIMES),
    ({"fromIngestTimestamp": "yesterday"}, "/filter/fromIngestTimestamp"),
    ({"fromIngestTimestamp": "2020-01-01T00:00:00"}, "/filter/fromIngestTimestamp"),
]


@pytest.mark.parametrize("asked, pointer", REFUSED, ids=[f"{n}:{p}" for n, (_, p) in enumerate(REFUSED)])
def test_selection_that_breaks_a_rule_is_400_with_the_pointer(shared, dataset, asked, pointer):
    assert_problem(shared.post(JOBS, request(dataset, **asked)), 400, pointer)


@pytest.mark.parametrize("asked", [
    {"segments": []}, {"segments": [segment()]}, {"segments": [segment(str(n)) for n in range(1000)]},
    {"segments": [segment(segmentNs="own"), segment(status=["exited", "exited"]), segment("\u00e9" * 127)]},
    {"segmentQualificationTime": {}}, {"segmentQualificationTime": {"startTime": EARLY, "endTime": EARLY}},
    {"segmentQualificationTime": {"startTime": EARLY, "endTime": LATE}, "segments": [segment()]},
    {"fromIngestTimestamp": EARLY, "emptyProfiles": True},
], ids=str)
def test_selection_is_kept_as_given(shared, dataset, asked):
    body = request(dataset, **asked)
    job = flows.start_job(shared, body)
    assert_job(job, shared, dataset, "NEW")
    assert job["filter"] == body["filter"]


PER_BATCH = [segment("b"), segment("a", segmentNs="own", status=["exited"]),
             segment("a", status=["existing", "realized"]), segment('"quoted" \\ \u00e9', status=[])]
SHOWN = [("ups", "b", NOW), ("own", "a", ("exited",)), ("ups", "a", NOW), ("ups", '"quoted" \\ \u00e9', NOW)]


def test_batch_a_segment_in_every_answer(client, spooler_paused):
    dataset = flows.create_dataset(client)
    with spooler_paused():
        made = flows.start_job(client, request(dataset, PER_BATCH, True))
        assert_job(made, client, dataset, "NEW", segments=SHOWN)
        plain = flows.start_job(client, job_body(dataset))
        assert client.get(f"{JOBS}/{made['id']}").json() == made
        listed = {job["id"]: job for job in client.get(JOBS).json()["records"]}
        assert listed == {made["id"]: made, plain["id"]: plain}
        # until they are published nobody sees them
        batches = [entry["batchId"] for entry in made["destination"]["batches"]]
        assert client.get(f"{CATALOG}/batches").json() == {}
        for batch in batches:
            assert_problem(client.call("GET", f"{CATALOG}/batches/{batch}"), 404)
        client.delete(f"{JOBS}/{made['id']}")
        client.delete(f"{JOBS}/{plain['id']}")
        listed = {job["id"]: job for job in client.get(JOBS).json()["records"]}
        for found in (client.get(f"{JOBS}/{made['id']}").json(), listed[made["id"]]):
            assert_job(found, client, dataset, "CANCELLED", segments=SHOWN)
    assert client.get(f"{CATALOG}/batches").json() == {}


def test_batch_a_segment_up_to_fifty(shared, dataset):
    job = flows.start_job(shared, request(dataset, [segment(f"s{n}") for n in range(50)], True))
    assert_job(job, shared, dataset, "NEW", segments=[("ups", f"s{n}", NOW) for n in range(50)])
    shared.delete(f"{JOBS}/{job['id']}")


def test_one_key_gives_the_same_batches(shared, dataset):
    key = {"Idempotency-Key": str(uuid.uuid4())}
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda _: flows.start_job(shared, request(dataset, PER_BATCH, True), headers=key),
                                range(4)))
    assert len({job["id"] for job in answers}) == 1
    shown = [job["destination"]["batches"] for job in answers if job["status"] not in ("FAILED", "CANCELLED")]
    assert all(entry == shown[0] for entry in shown)
    other = request(dataset, list(reversed(PER_BATCH)), True)
    assert_problem(shared.post(JOBS, other, headers=key), 422)


@pytest.fixture(scope="module")
def policy(own):
    """A policy with two versions."""
    made = flows.create_policy(own, "none")
    policyuse.replace(own, made["id"], "pdg")
    return made["id"]


@pytest.fixture(scope="module")
def own(stack, tenants):
    """A client in an org of its own, with room for five policies."""
    org = tenants.org("own")
    return Client(stack, org, "own", *tenants.credentials(org))


@pytest.mark.parametrize("chosen, pointer", [
    ({"id": "no-policy"}, "/mergePolicy/id"), ({"id": NO_POLICY}, "/mergePolicy/id"),
    ({"id": NO_POLICY, "version": 1}, "/mergePolicy/id"),
    ({"id": "TIMESTAMPORDERED-none-mp"}, "/mergePolicy/id"),
    ({"id": ""}, "/mergePolicy/id"), ({"id": "x" * 256}, "/mergePolicy/id"), ({"id": "a\tb"}, "/mergePolicy/id"),
    ({"id": BUILT_IN["id"], "version": 2}, "/mergePolicy/version"), ({"version": 2}, "/mergePolicy/version"),
    ({"version": 0}, "/mergePolicy/version"), ({"version": -1}, "/mergePolicy/version"),
    ({"version": 1.5}, "/mergePolicy/version"), ({"version": 4294967297}, "/mergePolicy/version"),
    ({"version": "1"}, "/mergePolicy/version"),
], ids=str)
def test_policy_that_is_not_there_is_400_with_the_pointer(shared, dataset, chosen, pointer):
    assert_problem(shared.post(JOBS, job_body(dataset, mergePolicy=chosen)), 400, pointer)


@pytest.mark.parametrize("version, shown", [(None, 2), (1, 1), (1.0, 1), (2, 2)])
def test_job_shows_the_policy_version_it_runs_under(own, policy, version, shown):
    dataset = flows.create_dataset(own)
    chosen = {"id": policy} if version is None else {"id": policy, "version": version}
    job = flows.start_job(own, job_body(dataset, mergePolicy=chosen))
    assert_job(job, own, dataset, "NEW", policy={"id": policy, "version": shown})


def test_version_that_a_policy_has_not_is_400(own, policy):
    answer = own.post(JOBS, job_body(flows.create_dataset(own), mergePolicy={"id": policy, "version": 3}))
    assert_problem(answer, 400, "/mergePolicy/version")


def test_policy_of_another_sandbox_is_400_like_none(own, tenants, policy):
    other = own.in_sandbox(tenants.sandbox(own.org))
    dataset = flows.create_dataset(other)
    same = {"x-request-id": "same"}
    foreign, none = (other.post(JOBS, job_body(dataset, mergePolicy={"id": ident}), headers=same)
                     for ident in (policy, str(uuid.uuid4())))
    assert_problem(foreign, 400, "/mergePolicy/id")
    assert foreign.content == none.content


def test_default_policy_is_the_sandboxes_own(own, tenants):
    sandbox = own.in_sandbox(tenants.sandbox(own.org))
    dataset = flows.create_dataset(sandbox)
    assert_job(flows.start_job(sandbox, job_body(dataset)), sandbox, dataset, "NEW")
    default = flows.create_policy(sandbox, "pdg", default=True)
    wanted = {"id": default["id"], "version": 1}
    for chosen in ({}, {"mergePolicy": {}}, {"mergePolicy": {"version": 1}}):
        assert_job(flows.start_job(sandbox, job_body(dataset, **chosen)), sandbox, dataset, "NEW", policy=wanted)
    named = job_body(dataset, mergePolicy={"id": BUILT_IN["id"]})
    assert_job(flows.start_job(sandbox, named), sandbox, dataset, "NEW")
