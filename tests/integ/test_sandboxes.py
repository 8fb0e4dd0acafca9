"""The sandboxes of an organization: which a client is shown, page by page and one by one."""

import re
import time

import pytest

from client import Client
from flows import SANDBOXES
from shapes import assert_problem
from stack import RIGHTS

HIDDEN = ("off", "elsewhere", "nowhere", "OFF", "one%2Ftwo", "x" * 300, "%C3%A9")


@pytest.fixture(scope="module")
def org(stack, tenants):
    """An org with three sandboxes that work and one that is disabled; another with one that has the same name, and one
    of its own."""
    made = tenants.org("two", "prod", "one", "off")
    stack.ctl("sandbox", "disable", "--org", made, "--name", "off")
    tenants.org("one", "elsewhere")
    return made


@pytest.fixture(scope="module")
def client(stack, tenants, org):
    """With one right, which none of the routes asks for."""
    return Client(stack, org, "one", *tenants.credentials(org, rights=RIGHTS[0]))


def names(answer):
    return [sandbox["name"] for sandbox in answer["sandboxes"]]


def test_active_sandboxes_of_the_org_and_no_others(client):
    shown = client.get(SANDBOXES).json()
    assert names(shown) == ["one", "prod", "two"]
    assert shown["_page"] == {"limit": 50, "count": 3}
    assert shown["_links"] == {"page": {"href": f"{client.url}{SANDBOXES}?limit={{limit}}&offset={{offset}}", "templated": True}}
    assert client.in_sandbox("two").get(SANDBOXES + "/").json() == shown, "from whichever sandbox it is asked"
    one, prod, _ = shown["sandboxes"]
    assert one == {"name": "one", "state": "active", "type": "development", "createdDate": one["createdDate"]}
    assert prod["type"] == "production"
    assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", one["createdDate"])
    then = time.strptime(one["createdDate"] + " UTC", "%Y-%m-%d %H:%M:%S %Z")
    assert 0 <= time.mktime(time.gmtime()) - time.mktime(then) < 3600
    head = client.call("HEAD", SANDBOXES, expect=200)
    assert not head.content and int(head.headers["Content-Length"]) > 100


def test_pages(client):
    first = client.get(f"{SANDBOXES}?limit=2").json()
    assert names(first) == ["one", "prod"] and first["_page"] == {"limit": 2, "count": 3}
    second = client.get(first["_links"]["next"]["href"]).json()
    assert names(second) == ["two"] and "next" not in second["_links"]
    beyond = client.get(f"{SANDBOXES}?limit=2&offset=3").json()
    assert names(beyond) == [] and beyond["_page"] == {"limit": 2, "count": 3} and "next" not in beyond["_links"]


@pytest.mark.parametrize("query", ["limit=0", "limit=101", "limit=x", "offset=-1", "offset=1000000001", "limit=1&limit=2", "limit=%zz"])
def test_a_page_that_is_none(client, query):
    assert_problem(client.call("GET", f"{SANDBOXES}?{query}"), 400)


def test_one_by_its_name(client):
    shown = client.get(SANDBOXES).json()["sandboxes"]
    for sandbox in shown:
        assert client.get(f"{SANDBOXES}/{sandbox['name']}").json() == sandbox
        assert client.get(f"{SANDBOXES}/{sandbox['name']}/").json() == sandbox


def told(answer):
    return answer.status_code, answer.content, {n: v for n, v in answer.headers.items() if n != "Date"}


def test_what_is_disabled_foreign_or_nowhere_is_all_the_same(client):
    answers = [client.get(f"{SANDBOXES}/{name}", expect=404, headers={"x-request-id": "same"}) for name in HIDDEN]
    assert len({str(told(answer)) for answer in answers}) == 1
    assert assert_problem(answers[0], 404)["type"] == "/problems/not-found"
    assert_problem(client.call("DELETE", f"{SANDBOXES}/one"), 405)
    assert_problem(client.post(SANDBOXES, {"name": "new"}), 405)


def test_one_that_is_enabled_again_is_shown_again(stack, client, org):
    stack.ctl("sandbox", "enable", "--org", org, "--name", "off")
    assert names(client.get(SANDBOXES).json()) == ["off", "one", "prod", "two"]
    stack.ctl("sandbox", "disable", "--org", org, "--name", "off")
    assert names(client.get(SANDBOXES).json()) == ["one", "prod", "two"]
