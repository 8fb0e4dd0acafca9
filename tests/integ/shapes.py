"""What answers must look like: gateway errors, problems, jobs.

Source: contract sections 2, 3 and 5. Used by all tests that read an error or a job.
"""

import re

GATEWAY = {
    "403010": (401, "Oauth token is missing."),
    "401013": (401, "Oauth token is not valid"),
    "403000": (403, "Api Key is required"),
    "403003": (403, "Api Key is invalid"),
    "400003": (400, "Missing header"),
    "403025": (403, "Profile is not valid"),
    "403027": (403, "User region is missing"),
}
UUID = re.compile(r"^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$")
HEX24 = re.compile(r"^[0-9a-f]{24}$")
HEX32 = re.compile(r"^[0-9a-f]{32}$")
SLUG = re.compile(r"^/problems/[a-z0-9][a-z0-9-]*$")
# Nothing of the inside may be told: SQL, paths on disk, stacks, tokens.
INSIDE = re.compile(r"\b(SELECT|INSERT|UPDATE|COPY|pg_|libpq|SQLSTATE)\b|/(var|tmp|home|etc|usr|run)/"
                    r"|\.c:\d+|eyJ[A-Za-z0-9_-]{8}")


def assert_gateway(answer, code):
    """A gateway error of the table of contract section 2, byte for byte in its members."""
    status, message = GATEWAY[code]
    assert answer.status_code == status, (code, answer.status_code, answer.text)
    assert answer.headers["Content-Type"].split(";")[0] == "application/json"
    assert answer.json() == {"error_code": code, "message": message}
    challenge = answer.headers.get("WWW-Authenticate", "")
    if code == "403010":
        assert challenge.startswith("Bearer realm=") and "error" not in challenge, challenge
    if code == "401013":
        assert challenge.startswith("Bearer ") and 'error="invalid_token"' in challenge, challenge


def assert_problem(answer, status, pointer=None):
    """A problem document; pointer is the exact one, or a tuple of accepted ones. Returns it."""
    assert answer.status_code == status, (answer.status_code, answer.text[:600])
    assert answer.headers["Content-Type"].split(";")[0] == "application/problem+json", answer.headers
    problem = answer.json()
    assert SLUG.match(problem["type"]), problem
    assert problem["status"] == status, problem
    assert isinstance(problem["title"], str) and problem["title"], problem
    assert isinstance(problem["detail"], str) and problem["detail"], problem
    assert isinstance(problem["requestId"], str) and problem["requestId"], problem
    assert not INSIDE.search(answer.text), answer.text
    if status in (429, 503):
        assert answer.headers["Retry-After"].isdigit(), answer.headers
    if status == 405:
        assert answer.headers["Allow"], answer.headers
    if pointer is not None:
        wanted = pointer if isinstance(pointer, tuple) else (pointer,)
        assert problem.get("pointer") in wanted, (wanted, problem)
    return problem


def assert_time_span(span, closed=True):
    assert set(span) == {"startTimeInMs", "endTimeInMs", "totalTimeInMs"}, span
    if closed:
        assert span["endTimeInMs"] - span["startTimeInMs"] == span["totalTimeInMs"] >= 0, span


BUILT_IN = {"id": "timestampOrdered-none-mp", "version": 1}


def assert_destination(job, dataset, segments):
    """One batch, or one for each of `segments`: [(namespace, id, statuses)] in the order of the request."""
    destination = job["destination"]
    assert destination["datasetId"] == destination["dataSetId"] == dataset
    assert destination["segmentPerBatch"] is (segments is not None)
    if job["status"] in ("FAILED", "CANCELLED"):
        assert destination["batchId"] == "" and "batches" not in destination, destination
    elif segments is None:
        assert HEX32.match(destination["batchId"]) and "batches" not in destination, destination
    else:
        assert "batchId" not in destination, destination
        shown = [dict(entry) for entry in destination["batches"]]
        batches = [entry.pop("batchId") for entry in shown]
        assert shown == [{"segmentId": i, "segmentNs": ns, "status": list(s)} for ns, i, s in segments]
        assert len(set(batches)) == len(batches) and all(HEX32.match(b) for b in batches), batches


def assert_job(job, client, dataset, status=None, policy=None, segments=None):
    """The members every job answer has, and what its state implies (contract section 5)."""
    if status is not None:
        assert job["status"] == status, job
    assert job["jobType"] == "BATCH"
    assert isinstance(job["id"], int) and job["id"] > 0
    assert job["schema"] == {"name": "_xdm.context.profile"}
    assert job["mergePolicy"] == (policy or BUILT_IN)
    assert job["imsOrgId"] == client.org
    assert isinstance(job["requestId"], str) and job["requestId"]
    assert isinstance(job["profileInstanceId"], str)
    assert 0 < job["creationTime"] <= job["updateTime"]
    assert_destination(job, dataset, segments)
    assert "startTimeInMs" in job["metrics"]["totalTime"]
    if job["status"] == "NEW":
        assert job["computeGatewayJobId"] == {}
        assert set(job["metrics"]["totalTime"]) == {"startTimeInMs"}
    if job["status"] == "SUCCEEDED":
        assert_succeeded(job)


def assert_succeeded(job):
    assert set(job["computeGatewayJobId"]) == {"exportJob", "pushJob"}, job
    assert all(UUID.match(v) for v in job["computeGatewayJobId"].values()), job
    metrics = job["metrics"]
    for name in ("totalTime", "profileExportTime", "aCPDatasetWriteTime"):
        assert_time_span(metrics[name])
    assert isinstance(metrics["totalExportedProfileCounter"], int)
    assert isinstance(metrics["exportedProfileByNamespaceCounter"], dict)
    assert isinstance(metrics["totalExportedEventCounter"], int)
    assert "errors" not in job or job["errors"] == [], job
    assert job["watermark"] >= 0  # 0: nothing was ever ingested
