"""The audit line: one for every changing call whose caller is known, and nothing from outside forges one.

Reads $CONSIGN_DIR/log/api.log. Source of the form: fcgi/responder/audit.h.
"""

import hashlib
import re
import time
import uuid

import pytest
import requests

import flows
import rawhttp
from client import Client, token_request
from flows import CATALOG, IMPORT, JOBS

MEMBER = r'[a-z_]+=(?:"[^"]*"|[^ "]+)'
LINE = re.compile(rf"^time=\d+\.\d{{3}} (?:{MEMBER} ?)*$")
ORDER = ["time", "level", "process", "pid", "req", "org", "sandbox", "event", "action", "object",
         "status", "problem", "client", "token", "ms"]
BODY_MARK = "never-in-a-log-" + uuid.uuid4().hex


def log_lines(stack):
    return (stack.dir / "log" / "api.log").read_text(encoding="utf-8", errors="replace").splitlines()


def members(line):
    """The members of a line, in order; the line must be nothing but members."""
    assert LINE.match(line), line
    return dict(part.split("=", 1) for part in re.findall(MEMBER, line))


def lines_of(stack, request, event):
    return [found for found in (members(line) for line in log_lines(stack) if f" req={request} " in line)
            if found["event"] == event]


def audit(stack, request):
    """The one audit line of a request. It is written after the answer, so it may take a moment."""
    deadline = time.monotonic() + 5
    while not (found := lines_of(stack, request, "audit")):
        assert time.monotonic() < deadline, f"no audit line for {request}"
        time.sleep(0.02)
    assert len(found) == 1, found
    assert list(found[0]) == ORDER
    assert lines_of(stack, request, "request") == [], "said twice"
    return found[0]


class Audited:
    """Calls under a request id of their own and returns (answer, audit line)."""

    def __init__(self, client):
        self.client = client

    def __call__(self, method, path, **more):
        request = "audit-" + uuid.uuid4().hex
        headers = {"x-request-id": request, **more.pop("headers", {})}
        answer = self.client.call(method, path, headers=headers, **more)
        line = audit(self.client.stack, request)
        assert line["status"] == str(answer.status_code)
        assert line["client"] == f'"{self.client.client_id}"'
        assert line["token"] == hashlib.sha256(self.client.token.encode()).hexdigest()[:8]
        assert int(line["org"]) > 0 and int(line["sandbox"]) > 0
        assert (line["problem"] == "-") == (answer.status_code < 400)
        return answer, line


@pytest.fixture
def call(client):
    return Audited(client)


def test_creating_and_cancelling(call):
    answer, line = call("POST", f"{CATALOG}/dataSets", json=flows.dataset_body(), expect=201)
    dataset = answer.json()[0].rsplit("/", 1)[1]
    assert (line["action"], line["object"]) == ("dataset_create", f'"{dataset}"')
    answer, line = call("POST", JOBS, json=flows.job_body(dataset), expect=200)
    assert (line["action"], line["object"]) == ("job_create", f'"{answer.json()["id"]}"')
    _, line = call("DELETE", f"{JOBS}/{answer.json()['id']}", expect=204)
    assert (line["action"], line["object"]) == ("job_cancel", f'"{answer.json()["id"]}"')


@pytest.mark.parametrize("action", ["COMPLETE", "ABORT"])
def test_ingesting(client, call, action):
    dataset = flows.create_dataset(client, "profile")
    body = {"datasetId": dataset, "inputFormat": {"format": "json"}}
    answer, line = call("POST", IMPORT, json=body, expect=201)
    batch = answer.json()["id"]
    assert (line["action"], line["object"]) == ("import_create", f'"{batch}"')
    _, line = call("PUT", flows.file_path(batch, dataset, "a.json"), body=b"", expect=200)
    assert (line["action"], line["object"]) == ("import_put", f'"{batch}/{dataset}/a.json"')
    _, line = call("POST", f"{IMPORT}/{batch}?action={action}", expect=200)
    assert (line["action"], line["object"]) == (f"import_{action.lower()}", f'"{batch}"')
    _, line = call("POST", f"{IMPORT}/{batch}?action={action}", expect=409)
    assert (line["problem"], line["object"]) == ("state", f'"{batch}"')


@pytest.mark.parametrize("method, path, more, status, problem, named", [
    ("POST", f"{CATALOG}/dataSets", {"body": b'{"name":'}, 400, "malformed", "-"),
    ("POST", f"{CATALOG}/dataSets", {"json": {"name": BODY_MARK}}, 400, "malformed", "-"),
    ("POST", JOBS, {"body": b"{}", "headers": {"Content-Type": "text/plain"}}, 415, "media_type", "-"),
    ("POST", JOBS, {"json": flows.job_body(flows.NO_SUCH_DATASET)}, 400, "malformed", "-"),
    ("DELETE", f"{JOBS}/7", {}, 404, "not_found", '"7"'),
    ("POST", f"{IMPORT}/{flows.NO_SUCH_BATCH}?action=ABORT", {}, 404, "not_found", f'"{flows.NO_SUCH_BATCH}"'),
])
def test_refused_by_the_handler(call, method, path, more, status, problem, named):
    _, line = call(method, path, expect=status, **more)
    assert (line["problem"], line["object"]) == (problem, named)


def test_refused_for_lack_of_a_right(stack, tenants):
    org = tenants.org("s")
    reader = Client(stack, org, "s", *tenants.credentials(org, rights="export:read"))
    _, line = Audited(reader)("POST", JOBS, json={}, expect=403)
    assert (line["action"], line["problem"]) == ("job_create", "forbidden")


def test_orgs_and_sandboxes_are_told_apart(home, tenants):
    lines = []
    for sandbox in (tenants.sandbox(home.org), tenants.sandbox(home.org)):
        twin = home.in_sandbox(sandbox)
        lines.append(Audited(twin)("DELETE", f"{JOBS}/7", expect=404)[1])
    assert lines[0]["org"] == lines[1]["org"]
    assert lines[0]["sandbox"] != lines[1]["sandbox"]


@pytest.mark.parametrize("changes, status", [
    ({"Authorization": None}, 401), ({"Authorization": "Bearer x.y.z"}, 401), ({"x-api-key": "other"}, 403),
    ({"x-gw-ims-org-id": "Other@AdobeOrg"}, 403), ({"x-sandbox-name": "other"}, 403),
])
def test_before_the_tenant_is_known_there_is_no_audit_line(stack, client, changes, status):
    request = "audit-" + uuid.uuid4().hex
    client.call("POST", JOBS, json={}, headers={"x-request-id": request, **changes}, expect=status)
    flush(stack)
    assert len(lines_of(stack, request, "request")) == 1
    assert lines_of(stack, request, "audit") == []


def test_reads_have_no_audit_line(stack, client):
    request = "audit-" + uuid.uuid4().hex
    client.get(JOBS, headers={"x-request-id": request})
    flush(stack)
    assert lines_of(stack, request, "audit") == []


def flush(stack):
    """Until a later call's line is there; workers write before they take the next request."""
    for _ in range(8):
        request = "audit-" + uuid.uuid4().hex
        requests.post(stack.url + "/ims/token/v3", data={"grant_type": "x"}, timeout=20,
                      headers={"x-request-id": request})
        audit(stack, request)


def ask_token(stack, form):
    request = "audit-" + uuid.uuid4().hex
    answer = requests.post(stack.url + "/ims/token/v3", data=form, timeout=20,
                           headers={"x-request-id": request})
    line = audit(stack, request)
    assert (line["action"], line["org"], line["sandbox"], line["object"]) == ("token", "-", "-", "-")
    assert line["status"] == str(answer.status_code)
    return answer, line


def test_token_requests(stack):
    form = {"grant_type": "client_credentials", "client_id": stack.client_id, "client_secret": stack.client_secret}
    answer, line = ask_token(stack, form)
    made = answer.json()["access_token"]
    assert line["token"] == hashlib.sha256(made.encode()).hexdigest()[:8]
    assert line["client"] == f'"{stack.client_id}"'
    answer, line = ask_token(stack, {**form, "client_secret": "wrong"})
    assert (answer.status_code, line["client"], line["token"]) == (401, f'"{stack.client_id}"', "-")
    _, line = ask_token(stack, {"grant_type": "client_credentials"})
    assert (line["status"], line["client"]) == ("400", "-")


# control characters are refused before a value is read (tests/unit/test_log.c has them for log_quote)
FORGED = 'x level=error event=audit action=FORGED" action=FORGED \u2028é\\'


def test_a_client_id_forges_nothing(stack):
    form = {"grant_type": "client_credentials", "client_id": FORGED, "client_secret": "x"}
    answer, line = ask_token(stack, form)
    assert answer.status_code == 401
    assert line["client"] == ('"x level=error event=audit action=FORGED\\x22 action=FORGED '
                              '\\xe2\\x80\\xa8\\xc3\\xa9\\x5c"')


@pytest.mark.parametrize("control", ["\n", "\r", "\x1b[2J", "\x7f"])
def test_control_characters_in_a_client_id_forge_nothing(stack, control):
    form = {"grant_type": "client_credentials", "client_id": f"x{control}action=FORGED", "client_secret": "x"}
    _, line = ask_token(stack, form)
    assert line["status"] in ("400", "401")
    assert control not in line["client"]


def test_a_file_name_forges_nothing(client, call):
    dataset = flows.create_dataset(client, "profile")
    batch = flows.open_batch(client, dataset)
    name = "a%20level=error%20event=audit%20action=FORGED%22%20action=FORGED%5B.json"
    _, line = call("PUT", flows.file_path(batch, dataset, name), body=b"", expect=200)
    assert line["action"] == "import_put"
    assert line["object"] == f'"{batch}/{dataset}/a level=error event=audit action=FORGED\\x22 action=FORGED[.json"'
    client.call("PUT", flows.file_path(batch, dataset, "a%0Aaction=FORGED"), body=b"", expect=(400, 404))


@pytest.mark.parametrize("header", ["x-request-id", "x-profile-instance-id", "Idempotency-Key", "User-Agent",
                                    "x-sandbox-name", "x-gw-ims-org-id", "x-api-key", "Content-Type"])
def test_a_header_forges_nothing(stack, client, header):
    value = b'a event=audit action=FORGED" action=FORGED\t\xc2\x85'
    lines = [(k, v) for k, v in {**client.headers(), "Content-Type": "application/json"}.items() if k != header]
    rawhttp.send(stack.url, "POST", JOBS, lines + [(header, value)], b"{}")
    flush(stack)


def test_a_path_forges_nothing(stack, client):
    for path in ("/x%20action=FORGED", f"{JOBS}/7%20action=FORGED", f"{JOBS}/%22%20action=FORGED", "/x%0Aevent=audit%20action=FORGED", f"{JOBS}/7%0A%22action=FORGED", f"{JOBS}/7?a=%0Aaction=FORGED"):
        client.call("DELETE", path, expect=404)
    flush(stack)


def test_every_line_is_whole_and_no_forged_member_stands_in_one(stack):
    flush(stack)
    lines = log_lines(stack)
    assert any("FORGED" in line for line in lines)
    for line in lines:
        assert members(line).get("action") != "FORGED", line
        assert line.isascii() and line.isprintable(), repr(line)


def test_no_log_holds_a_token_a_secret_or_a_body(stack, client):
    client.call("POST", f"{CATALOG}/dataSets", json={"name": BODY_MARK, "schemaRef": 1}, expect=400)
    answer = token_request(stack, client.client_id, client.client_secret, {"scope": BODY_MARK})
    assert answer.status_code == 200
    flush(stack)
    hidden = [client.client_secret, stack.client_secret, BODY_MARK]
    for token in (client.token, stack.token, answer.json()["access_token"]):
        hidden += token.split(".")[1:]
    for path in (stack.dir / "log").iterdir():
        text = path.read_text(encoding="utf-8", errors="replace")
        for value in hidden:
            assert value not in text, f"{path.name} holds {value[:12]}..."
