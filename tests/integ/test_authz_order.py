"""Order of the checks, tokens of every wrong kind, what is switched off (contract section 2)."""

import time
import uuid

import pytest

import flows
from client import Client
from flows import JOBS
from shapes import assert_gateway, assert_problem
from tokens import Forge

AUTH, KEY, ORG, SANDBOX = "Authorization", "x-api-key", "x-gw-ims-org-id", "x-sandbox-name"
BAD_TOKEN = {AUTH: "Bearer nonsense"}
OTHER_ORG = {ORG: "Nobody@AdobeOrg"}
ORDER = [
    ({AUTH: None, KEY: None, ORG: None, SANDBOX: None}, "403010"),
    ({AUTH: None, KEY: "unknown"}, "403010"),
    ({**BAD_TOKEN, KEY: None}, "401013"),
    ({**BAD_TOKEN, KEY: "unknown", ORG: None}, "401013"),
    ({KEY: None, ORG: None, SANDBOX: None}, "403000"),
    ({KEY: None, ORG: "bad org"}, "403000"),
    ({KEY: "unknown", ORG: None}, "403003"),
    ({KEY: "unknown", SANDBOX: None}, "403003"),
    ({ORG: None, SANDBOX: "nowhere"}, "400003"),
    ({**OTHER_ORG, SANDBOX: None}, "400003"),
    ({**OTHER_ORG, SANDBOX: "nowhere"}, "403025"),
    ({ORG: "bad org", SANDBOX: "nowhere"}, "403027"),
]


@pytest.mark.parametrize("headers, code", ORDER)
def test_first_fault_of_the_table_wins(shared, headers, code):
    assert_gateway(shared.call("GET", JOBS, headers=headers), code)


@pytest.fixture(scope="module")
def reader(shared, tenants):
    """A client that may read jobs and nothing else."""
    return Client(shared.stack, shared.org, shared.sandbox,
                  *tenants.credentials(shared.org, rights="export:read"))


def test_sandbox_is_checked_before_the_right(reader):
    answer = reader.post(JOBS, flows.job_body(flows.NO_SUCH_DATASET), headers={SANDBOX: "nowhere"})
    assert_problem(answer, 403)
    assert "insufficient_scope" not in answer.headers.get("WWW-Authenticate", "")


def test_right_is_checked_before_the_body_and_the_id(reader):
    for answer in (reader.call("POST", JOBS, body=b"not json"), reader.call("DELETE", f"{JOBS}/1")):
        assert_problem(answer, 403)
        assert 'error="insufficient_scope"' in answer.headers["WWW-Authenticate"]
    reader.get(JOBS)


def test_scheme_name_has_no_case(shared):
    assert shared.call("GET", JOBS, headers={AUTH: f"bearer {shared.token}"}).status_code == 200


@pytest.mark.parametrize("value", ["Basic dXNlcjpwYXNz", "Bearer", "Bearer ", "TOKEN", "Bearer  TOKEN x"])
def test_other_authorization_is_refused(shared, value):
    answer = shared.call("GET", JOBS, headers={AUTH: value.replace("TOKEN", shared.token)})
    assert answer.status_code in (400, 401), answer.text


@pytest.fixture(scope="module")
def forge(stack, shared):
    return Forge(stack, shared.token)


def test_token_made_like_a_real_one_works(shared, forge):
    """Without this the refusals below would prove nothing."""
    answer = shared.call("GET", JOBS, headers={AUTH: f"Bearer {forge.token()}"})
    assert answer.status_code == 200, answer.text


WRONG_TOKENS = {
    "expired": lambda f: f.expired(), "forged": lambda f: f.forged(),
    "unsigned": lambda f: f.unsigned(), "HS256 with the public key": lambda f: f.confused(),
    "own key in the header": lambda f: f.own_key_in_header(), "altered": lambda f: f.altered(),
    "claim twice": lambda f: f.duplicate_claim(),
    "unknown kid": lambda f: f.token(head={"kid": "unknown"}),
    "kid is a path": lambda f: f.token(head={"kid": "../../../../dev/null"}),
    "kid is a number": lambda f: f.token(head={"kid": 5}),
    "crit": lambda f: f.token(head={"crit": ["x"], "x": 1}),
    "empty crit": lambda f: f.token(head={"crit": []}),
    "other algorithm": lambda f: f.token(head={"alg": "RS512"}),
    "ES256 for an RSA key": lambda f: f.token(head={"alg": "ES256"}),
    "no alg": lambda f: f.token(head={"alg": None}), "typ JWT": lambda f: f.token(head={"typ": "JWT"}),
    "no exp": lambda f: f.token(claims={"exp": None}), "exp is text": lambda f: f.token(
        claims={"exp": str(int(time.time()) + 600)}),
    "exp is huge": lambda f: f.sign(f.head, '{"exp":1e999}'),
    "no issuer": lambda f: f.token(claims={"iss": None}),
    "other issuer": lambda f: f.token(claims={"iss": "https://ims.example"}),
    "no audience": lambda f: f.token(claims={"aud": None}),
    "other audience": lambda f: f.token(claims={"aud": "somebody"}),
    "no client": lambda f: f.token(claims={"client_id": None}),
    "client is a number": lambda f: f.token(claims={"client_id": 5}),
    "claims are an array": lambda f: f.sign(f.head, "[]"), "claims are no JSON": lambda f: f.sign(f.head, "{"),
    "two parts": lambda f: f.token().rsplit(".", 1)[0], "four parts": lambda f: f.token() + ".x",
    "empty signature": lambda f: f.token().rsplit(".", 1)[0] + ".",
    "padding": lambda f: f.token() + "=", "not base64url": lambda f: f.token()[:-4] + "+/+/",
    "one bit of the signature": lambda f: f.token()[:-10] + ("A" if f.token()[-10] != "A" else "B") * 10,
}


@pytest.mark.parametrize("make", WRONG_TOKENS.values(), ids=WRONG_TOKENS)
def test_wrong_token_is_401(shared, forge, make):
    assert_gateway(shared.call("GET", JOBS, headers={AUTH: f"Bearer {make(forge)}"}), "401013")


def test_token_of_a_client_nobody_registered(shared, forge):
    token = forge.token(claims={"client_id": "ghost", "sub": "ghost"})
    answer = shared.call("GET", JOBS, headers={AUTH: f"Bearer {token}", KEY: "ghost"})
    assert_gateway(answer, "403003")


def test_scope_in_the_token_grants_nothing(reader, forge):
    token = forge.token(claims={"client_id": reader.client_id, "sub": reader.client_id,
                                "scope": "export:write openid AdobeID"})
    answer = reader.post(JOBS, flows.job_body(flows.NO_SUCH_DATASET), headers={AUTH: f"Bearer {token}"})
    assert_problem(answer, 403)


def test_client_of_two_orgs_works_in_both_and_nowhere_else(stack, tenants):
    orgs = [tenants.org("s") for _ in range(3)]
    pair = tenants.credentials(*orgs[:2])
    for org in orgs[:2]:
        Client(stack, org, "s", *pair).get(JOBS)
    assert_gateway(Client(stack, orgs[2], "s", *pair).call("GET", JOBS), "403025")


def refused(call):
    """The answer of `call` a second after a change (api.scope_cache_ms), asked for all the while, so that all that is kept of
    what the registry said is in use."""
    changed = time.monotonic()
    while time.monotonic() < changed + 1:
        call()
        time.sleep(0.02)
    return call()


def test_disabled_client_is_refused_within_a_second(stack, tenants, shared):
    client = Client(stack, shared.org, shared.sandbox, *tenants.credentials(shared.org))
    client.get(JOBS)
    stack.ctl("client", "disable", "--id", client.client_id)
    assert_gateway(refused(lambda: client.call("GET", JOBS)), "403003")


def test_disabled_org_is_refused_within_a_second(stack, tenants):
    org = tenants.org("s")
    client = Client(stack, org, "s", *tenants.credentials(org))
    client.get(JOBS)
    stack.ctl("org", "disable", "--id", org)
    assert_gateway(refused(lambda: client.call("GET", JOBS)), "403025")


def test_disabled_sandbox_is_refused_within_a_second_like_an_unknown_one(stack, home, tenants):
    client = home.in_sandbox(tenants.sandbox(home.org))
    client.get(JOBS)
    stack.ctl("sandbox", "disable", "--org", home.org, "--name", client.sandbox)
    same = {"x-request-id": "same"}
    off = refused(lambda: client.call("GET", JOBS, headers=same))
    none = client.call("GET", JOBS, headers={**same, SANDBOX: f"s{uuid.uuid4().hex[:12]}"})
    assert_problem(off, 403)
    assert off.content == none.content


@pytest.mark.parametrize("value", ["../etc", "a/b", "a;b", "'", "%41", "A" * 256, "-"])
def test_odd_sandbox_name_is_the_same_403(shared, value):
    assert_problem(shared.call("GET", JOBS, headers={SANDBOX: value}), 403)


@pytest.mark.parametrize("ident, echoed", [
    ("a", True), ("A-z_0.9" * 18, True), ("x" * 128, True), ("x" * 129, False), ("a b", False),
    ("a/b", False), ("<x>", False), ("", False)])
def test_request_id_is_echoed_only_when_clean(shared, ident, echoed):
    answer = shared.call("GET", JOBS, headers={"x-request-id": ident})
    assert (answer.headers["x-request-id"] == ident) is echoed
    assert answer.headers["x-request-id"]
