"""POST /ims/token/v3, /ims/jwks and the operator's addresses."""

import base64
import json

import pytest
import requests

import flows
from client import Client, token_request
from tokens import unb64
from shapes import assert_problem

TOKEN = "/ims/token/v3"


def refused(answer, status, error):
    """An error of RFC 6749 section 5.2."""
    assert answer.status_code == status, (answer.status_code, answer.text)
    assert answer.headers["Content-Type"].split(";")[0] == "application/json"
    assert answer.json()["error"] == error, answer.text
    assert "no-store" in answer.headers["Cache-Control"]


@pytest.mark.parametrize("path", [TOKEN, TOKEN + "/"])
def test_token(stack, path):
    form = {"grant_type": "client_credentials", "client_id": stack.client_id,
            "client_secret": stack.client_secret, "scope": "openid,AdobeID,read_organizations"}
    answer = requests.post(stack.url + path, data=form, timeout=20)
    assert answer.status_code == 200, answer.text
    assert "no-store" in answer.headers["Cache-Control"]
    body = answer.json()
    assert body["token_type"] == "bearer"
    assert isinstance(body["expires_in"], int) and body["expires_in"] > 60
    head, claims = (json.loads(unb64(part)) for part in body["access_token"].split(".")[:2])
    assert head["alg"] == "RS256" and head["typ"] == "at+jwt" and head["kid"]
    assert claims["client_id"] == stack.client_id
    assert claims["exp"] - claims["iat"] == pytest.approx(body["expires_in"], abs=1)
    assert {"iss", "aud", "sub", "jti"} <= set(claims)


def test_two_tokens_differ(stack):
    first, second = (token_request(stack, stack.client_id, stack.client_secret).json()
                     for _ in range(2))
    assert first["access_token"] != second["access_token"]


def test_scope_may_be_left_out(stack):
    assert token_request(stack, stack.client_id, stack.client_secret, {"scope": None}).status_code == 200


@pytest.mark.parametrize("changes, status, error", [
    ({"client_secret": "wrong"}, 401, "invalid_client"),
    ({"client_secret": ""}, 401, "invalid_client"),
    ({"client_id": "nobody"}, 401, "invalid_client"),
    ({"client_id": "nobody'--"}, 401, "invalid_client"),
    ({"grant_type": "password"}, 400, "unsupported_grant_type"),
    ({"grant_type": "authorization_code"}, 400, "unsupported_grant_type"),
    ({"grant_type": None}, 400, "invalid_request"),
    ({"client_id": None, "client_secret": None}, None, None),
    ({"client_id": None}, None, None), ({"client_secret": None}, None, None),
])
def test_refusals(stack, changes, status, error):
    answer = token_request(stack, stack.client_id, stack.client_secret, changes)
    if status is None:  # RFC 6749 allows both for missing credentials
        assert (answer.status_code, answer.json()["error"]) in \
            ((400, "invalid_request"), (401, "invalid_client")), answer.text
        refused(answer, answer.status_code, answer.json()["error"])
    else:
        refused(answer, status, error)


def test_unknown_client_and_wrong_secret_are_told_apart_by_nothing(stack):
    wrong, nobody = (token_request(stack, who, "wrong") for who in (stack.client_id, "nobody"))
    assert wrong.content == nobody.content
    told = [{name.lower(): value for name, value in answer.headers.items()
             if name.lower() not in ("date", "x-request-id")} for answer in (wrong, nobody)]
    assert told[0] == told[1]


def test_repeated_member_is_refused(stack):
    body = ("grant_type=client_credentials&client_id=nobody&client_id=" + stack.client_id
            + "&client_secret=" + stack.client_secret)
    answer = requests.post(stack.url + TOKEN, data=body, timeout=20,
                           headers={"Content-Type": "application/x-www-form-urlencoded"})
    refused(answer, 400, "invalid_request")


def test_credentials_in_the_query_are_not_read(stack):
    answer = requests.post(stack.url + TOKEN, timeout=20, data="", params={
        "grant_type": "client_credentials", "client_id": stack.client_id,
        "client_secret": stack.client_secret})
    assert answer.status_code in (400, 401, 415), answer.text


def test_other_bodies_and_methods(stack):
    answer = requests.post(stack.url + TOKEN, json={"grant_type": "client_credentials"}, timeout=20)
    assert answer.status_code in (400, 415), answer.text
    assert_problem(requests.get(stack.url + TOKEN, timeout=20), 405)


def test_disabled_client_gets_no_token(stack, tenants):
    ident, secret = tenants.credentials(tenants.org("s"))
    assert token_request(stack, ident, secret).status_code == 200
    stack.ctl("client", "disable", "--id", ident)
    refused(token_request(stack, ident, secret), 401, "invalid_client")


def test_a_new_secret_ends_the_one_before(stack, tenants):
    ident, old = tenants.credentials(tenants.org("s"))
    assert token_request(stack, ident, old).status_code == 200
    told = dict(line.split("=", 1) for line in stack.ctl("client", "rotate", "--id", ident).splitlines())
    assert set(told) == {"client_id", "client_secret"} and told["client_id"] == ident
    refused(token_request(stack, ident, old), 401, "invalid_client")
    assert token_request(stack, ident, told["client_secret"]).status_code == 200
    with pytest.raises(RuntimeError, match="rc 1\n.*no such client"):
        stack.ctl("client", "rotate", "--id", "nobody")


def test_rights_given_are_those_of_the_next_token_and_rights_taken_end_at_once(stack, tenants):
    org = tenants.org("s")
    client = Client(stack, org, "s", *tenants.credentials(org, rights="export:read"))
    jobs, datasets = flows.JOBS, f"{flows.CATALOG}/dataSets"
    assert_problem(client.call("GET", datasets), 403)
    stack.ctl("client", "rights", "--id", client.client_id, "--rights", "catalog:read")
    flows.eventually(lambda: client.call("GET", jobs).status_code == 403, "the right stays")
    assert_problem(client.call("GET", datasets), 403)
    again = Client(stack, org, "s", client.client_id, client.client_secret)
    again.get(datasets)
    assert_problem(again.call("GET", jobs), 403)
    assert f"{client.client_id}\tactive\ttest\t{org}\tcatalog:read\n" in stack.ctl("client", "list", "--org", org)
    with pytest.raises(RuntimeError, match="rc 1\n.*no such client"):
        stack.ctl("client", "rights", "--id", "nobody", "--rights", "all")


@pytest.mark.parametrize("path", ["/ims/jwks", "/ims/jwks/"])
def test_jwks_holds_public_keys_only(stack, path):
    answer = requests.get(stack.url + path, timeout=20)
    assert answer.status_code == 200
    keys = answer.json()["keys"]
    assert keys and all(key["kty"] == "RSA" for key in keys if key.get("alg") == "RS256")
    for key in keys:
        assert not {"d", "p", "q", "dp", "dq", "qi", "k"} & set(key)
        assert key["kid"]
    token = token_request(stack, stack.client_id, stack.client_secret).json()["access_token"]
    kid = json.loads(unb64(token.split(".")[0]))["kid"]
    (mine,) = [key for key in keys if key["kid"] == kid]
    assert len(base64.urlsafe_b64decode(mine["n"] + "==")) * 8 >= 2048


@pytest.mark.parametrize("path", ["/health", "/ready", "/health/", "/ready/"])
def test_operator_addresses_answer_on_their_own_listener_only(stack, path):
    assert requests.get(stack.ops_url + path, timeout=20).status_code == 200
    assert requests.get(stack.url + path, timeout=20).status_code == 404
