"""The OpenAPI document: what the programs say of themselves, what a linter says of it, and how it is served.

That every answer of the other tests is as it says is openapi.py's; here it is shown that this can fail.
"""

import copy
import json
import re
import shutil
import subprocess

import pytest
import requests

import openapi
from flows import JOBS, create_dataset, job_body, start_job
from stack import REPO, RIGHTS

NODE = REPO / "tests" / "node"
EVERYWHERE = {"400", "413", "414", "431", "500", "503"}


def rows_of(stack, table):
    """The rows of a table that consign-api prints, cells without blanks and quotes around them."""
    printed = subprocess.run([str(stack.dir / "bin" / "consign-api"), f"--{table}"], capture_output=True, text=True,
                             check=True, timeout=20).stdout
    return [tuple(cell.strip(" `") for cell in line.strip("|").split("|")) for line in printed.splitlines()[2:]]


def operations():
    """(path, item, method, operation) of all that the document has."""
    for path, item in openapi.document()["paths"].items():
        for method, operation in item.items():
            if method in ("get", "post", "put", "patch", "delete", "head"):
                yield path, item, method, operation


def right_of(item, operation):
    """What the route table calls the right."""
    if not operation["security"]:
        return "operators' listener only" if "servers" in item else "none"
    (needed,) = operation["security"]
    assert needed["apiKey"] == []
    (right,) = needed["oauth"] or ["any"]
    return right


def test_operations_are_the_routes(stack):
    described = {("GET, HEAD" if method == "get" else method.upper(), re.sub(r"\{\w+\}", "*", path),
                  right_of(item, operation)) for path, item, method, operation in operations()}
    assert described == set(rows_of(stack, "routes"))


def test_problems_are_those_of_the_table(stack):
    schemas = [schema["properties"] for name, schema in openapi.document()["components"]["schemas"].items()
               if name.startswith("Problem") and name != "Problem"]
    described = [(schema["type"]["const"], str(schema["status"]["const"]), schema["title"]["const"])
                 for schema in schemas]
    assert sorted(described) == sorted(rows_of(stack, "problems"))


def test_scopes_are_the_rights():
    flows = openapi.document()["components"]["securitySchemes"]["oauth"]["flows"]
    assert set(flows["clientCredentials"]["scopes"]) == set(RIGHTS)


@pytest.mark.parametrize("path, item, method, operation", operations(),
                         ids=lambda value: value if isinstance(value, str) else "")
def test_operation_is_whole(path, item, method, operation):
    """The errors that any request can meet, who is asking, the variables of the path, a tag that is declared, and the
    right in words, because the reference shows it nowhere else."""
    wanted, names = set(EVERYWHERE), set()
    if path.startswith("/data/"):
        wanted |= {"401", "403", "429"}
        names = {"x-gw-ims-org-id", "x-sandbox-name"}
        right = right_of(item, operation)
        words = "Needs no right in particular." if right == "any" else f"Needs the right `{right}`."
        assert words in operation["description"]
    if "requestBody" in operation:
        wanted.add("415")
    assert wanted <= set(operation["responses"])
    variables = set(re.findall(r"\{(\w+)\}", path))
    needed = {p["name"] for p in item["parameters"] if p.get("required")}
    assert needed == variables | names
    assert set(operation["tags"]) <= {tag["name"] for tag in openapi.document()["tags"]}


def test_linter_finds_nothing(tmp_path):
    (tmp_path / "openapi.yaml").write_text(openapi.text(), encoding="utf-8")
    shutil.copy(NODE / "spectral.yaml", tmp_path)
    done = subprocess.run([str(NODE / "node_modules/.bin/spectral"), "lint", "--ruleset", "spectral.yaml",
                           "--fail-severity", "warn", "openapi.yaml"],
                          cwd=tmp_path, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr


# What a document and an answer that differ look like; path of the member, and what it becomes (None: it goes).
DEVIATIONS = {
    "member too many": (["extra"], 1, "extra"),
    "member within a member too many": (["metrics", "totalTime", "extra"], 1, "extra"),
    "member missing": (["status"], None, "'status' is a required property"),
    "word that is none": (["status"], "DONE", "'DONE' is not one of"),
    "number as text": (["id"], "1", "'1' is not of type 'integer'"),
    "id of another form": (["destination", "batchId"], "x", "'x' does not match"),
}


@pytest.fixture(scope="module")
def job(shared):
    """A job as it is shown."""
    return start_job(shared, job_body(create_dataset(shared)))


def fault_of(status, document, media="application/json", **headers):
    """What is found wrong with the answer of a GET of a job."""
    sent = requests.structures.CaseInsensitiveDict({"Content-Type": media, "X-Request-Id": "r", **headers})
    return openapi.find_fault("GET", f"{JOBS}/1", None, status, sent, json.dumps(document).encode())


@pytest.mark.parametrize("case", DEVIATIONS)
def test_an_answer_that_deviates_is_found(job, case):
    path, value, fault = DEVIATIONS[case]
    changed = copy.deepcopy(job)
    inner = changed
    for name in path[:-1]:
        inner = inner[name]
    if value is None:
        del inner[path[-1]]
    else:
        inner[path[-1]] = value
    assert fault_of(200, job) is None
    assert fault in fault_of(200, changed)


def test_a_refusal_that_deviates_is_found():
    problem = {"type": "/problems/overloaded", "title": "The service is busy or restarting", "status": 503,
               "detail": "d", "requestId": "r"}
    retry = {"Retry-After": "1"}
    assert fault_of(503, problem, openapi.PROBLEM, **retry) is None
    assert fault_of(503, problem, openapi.PROBLEM) == "503 without Retry-After"
    assert "header Retry-After" in fault_of(503, problem, openapi.PROBLEM, **{"Retry-After": "soon"})
    assert "not described" in fault_of(503, problem, **retry)
    assert "not described" in fault_of(409, {**problem, "status": 409}, openapi.PROBLEM)
    for change in ({"type": "/problems/gone"}, {"title": "Gone"}, {"status": 500}, {"extra": 1}):
        assert fault_of(503, {**problem, **change}, openapi.PROBLEM, **retry), change


@pytest.mark.parametrize("path", ["/data/core/ups/export/none", f"{JOBS}/a/b", f"{JOBS}/%2e%2e"])
def test_where_nothing_is_described_only_a_refusal_may_come(path):
    headers = {"Content-Type": openapi.PROBLEM}
    refusal = {"type": "/problems/no-such-path", "title": "There is no such path", "status": 404, "detail": "d",
               "requestId": "r"}
    assert openapi.find_fault("GET", path, None, 404, headers, json.dumps(refusal).encode()) is None
    assert openapi.find_fault("GET", path, None, 200, headers, b"{}") == "200 where nothing is described"
    assert openapi.find_fault("GET", path, None, 404, headers, json.dumps({**refusal, "status": 400}).encode())


def test_a_request_that_was_taken_and_should_not_be_is_found(job):
    """What the document says of bodies and queries is held against those that the service takes."""
    headers = {"Content-Type": "application/json", "X-Request-Id": "r", "X-Location": "https://h/j"}
    answer = json.dumps(job).encode()
    good = json.dumps(job_body("0" * 24)).encode()
    assert openapi.find_fault("POST", JOBS, good, 200, headers, answer) is None
    assert "request" in openapi.find_fault("POST", JOBS, b'{"destination":{}}', 200, headers, answer)
    assert openapi.find_fault("GET", f"{JOBS}/1?wait=60", None, 200, headers, answer) is None
    assert "query wait" in openapi.find_fault("GET", f"{JOBS}/1?wait=61", None, 200, headers, answer)


@pytest.mark.parametrize("path", ["/openapi.yaml", "/openapi.yaml/"])
def test_document_is_served(stack, path):
    """To anybody, kept by who has it."""
    answer = requests.get(stack.url + path, timeout=20)
    assert answer.status_code == 200 and answer.content == openapi.text().encode()
    assert answer.headers["Content-Type"] == "application/yaml"
    assert answer.headers["Cache-Control"] == "public, max-age=300"
    again = requests.get(stack.url + path, headers={"If-None-Match": answer.headers["ETag"]}, timeout=20)
    assert again.status_code == 304 and not again.content
    refused = requests.post(stack.url + path, timeout=20)
    assert (refused.status_code, refused.headers["Allow"]) == (405, "GET, HEAD")
    assert refused.json()["type"] == "/problems/method-not-allowed"
    assert requests.get(stack.ops_url + path, timeout=20).status_code == 404


@pytest.mark.parametrize("path", ["/docs", "/docs/"])
def test_reference_needs_no_other_host(stack, path):
    page = requests.get(stack.url + path, timeout=20)
    assert page.status_code == 200 and page.headers["Content-Type"] == "text/html"
    policy = dict(part.strip().split(" ", 1) for part in page.headers["Content-Security-Policy"].split(";"))
    assert policy.pop("img-src") == "'self' data:" and set(policy.values()) <= {"'none'", "'self'"}
    assert policy["default-src"] == "'none'"
    loaded = re.findall(r'(?:src|href)="([^"]*)"', page.text)
    types = {}
    for target in loaded:
        assert target == "data:," or target.startswith("/") and not target.startswith("//")
        if target.startswith("/docs/"):
            part = requests.get(stack.url + target, timeout=20)
            assert part.status_code == 200 and part.content
            types[target] = part.headers["Content-Type"]
    assert types == {"/docs/swagger-ui.css": "text/css", "/docs/swagger-ui-bundle.js": "text/javascript",
                     "/docs/docs.css": "text/css", "/docs/docs.js": "text/javascript"}
    missing = requests.get(stack.url + "/docs/none.js", timeout=20)
    assert missing.status_code == 404 and missing.headers["Content-Type"] == openapi.PROBLEM
