"""Runs tests/matrix/authz.tsv: every route in every case of who asks (contract section 2)."""

import csv
import json
import pathlib
import uuid

import pytest

import flows
import rawhttp
import registry
from client import Client
from shapes import assert_gateway, assert_problem
from stack import RIGHTS
from tokens import Forge

TABLE = pathlib.Path(__file__).resolve().parents[1] / "matrix" / "authz.tsv"
HEADER = {"auth": "Authorization", "key": "x-api-key", "org": "x-gw-ims-org-id",
          "sandbox": "x-sandbox-name"}
SYSTEM_JOBS = "/data/core/ups/system/jobs"
ROUTE_COLUMNS = ("route", "method", "path", "body", "right")


def read_table():
    """[(route as a dict, case, cell)] for every cell that has a meaning."""
    lines = [line for line in TABLE.read_text().splitlines() if not line.startswith("#")]
    rows = list(csv.DictReader(lines, delimiter="\t"))
    return [({name: row[name] for name in ROUTE_COLUMNS}, case, cell)
            for row in rows for case, cell in row.items()
            if case not in ROUTE_COLUMNS and cell != "-"]


CELLS = read_table()


class World:
    """One tenant's ids, one of each kind that paths speak of."""

    def __init__(self, client):
        self.client = client
        record = {"identityMap": {"Email": [{"id": "a@x", "primary": True}]}}
        self.ids = {"union": flows.create_dataset(client),
                    "source": flows.create_dataset(client, "profile")}
        self.ids["person"], self.ids["leaver"] = uuid.uuid4().hex, uuid.uuid4().hex
        others = [{"identityMap": {"Email": [{"id": self.ids[name], "primary": True}]}} for name in ("person", "leaver")]
        self.ids["loaded"] = flows.ingest(client, self.ids["source"], [record, *others])["id"]
        job, _ = flows.export(client, flows.job_body(self.ids["union"]))
        self.ids["job"], self.ids["batch"] = job["id"], job["destination"]["batchId"]
        part = flows.list_parts(client, self.ids["batch"])[0]
        self.ids["part"] = part["name"]
        self.ids["file"] = flows.list_files(client, self.ids["batch"])[0]["dataSetFileId"]
        self.ids["sandbox"] = client.sandbox
        self.ids["policy"] = flows.create_policy(client)["id"]
        self.ids["union_schema"] = "_xdm.context.profile__union"
        schema = registry.create_schema(client, crm=registry.STRING, mail=registry.STRING)
        self.ids["schema"] = schema["$id"].rsplit("/", 1)[1]
        self.ids["descriptor"] = registry.create_descriptor(client, schema, "/crm", "CRMID")["@id"]
        self.ids["spare"] = flows.create_dataset(client, "profile")
        self.ids["removal"] = client.post(SYSTEM_JOBS, {"dataSetId": self.ids["spare"]}).json()["id"]
        self.open_batch()

    def open_batch(self):
        """A fresh batch to complete or abort; it holds one file."""
        self.ids["open"] = flows.open_batch(self.client, self.ids["source"])
        self.client.put(flows.file_path(self.ids["open"], self.ids["source"]), b"")


class Scene:
    """Tenants, clients and tokens of the matrix, made once."""

    def __init__(self, stack, tenants):
        own, other = tenants.org("a", "b", "off"), tenants.org("a", "elsewhere")
        stack.ctl("sandbox", "disable", "--org", own, "--name", "off")
        self.me = Client(stack, own, "a", *tenants.credentials(own))
        self.own = World(self.me)
        self.other_sandbox = World(self.me.in_sandbox("b"))
        self.other_org = World(Client(stack, other, "a", *tenants.credentials(other)))
        self.other_org.ids["sandbox"] = "elsewhere"  # "a" is one of both orgs
        self.lacking = {}
        for right in sorted({route["right"] for route, _, _ in CELLS} & set(RIGHTS)):
            rest = ",".join(name for name in RIGHTS if name != right)
            self.lacking[right] = Client(stack, own, "a", *tenants.credentials(own, rights=rest))
        self.forge = Forge(stack, self.me.token)
        self.unknown = {
            "union": uuid.uuid4().hex[:24], "source": uuid.uuid4().hex[:24],
            "job": self.other_org.ids["job"] + 1_000_000, "part": self.own.ids["part"],
            "person": "nobody", "leaver": "nobody", "sandbox": "nowhere",
            "policy": str(uuid.uuid4()), "removal": str(uuid.uuid4()), "spare": uuid.uuid4().hex[:24],
            **{name: uuid.uuid4().hex for name in ("loaded", "batch", "open")},
            "schema": "0" * 40, "descriptor": "0" * 40,
            "file": unlike(self.own.ids["file"])}

    def good(self, name):
        return self.me.headers()[HEADER[name]]

    def value(self, case):
        """The header values a case sends in place of the good one: a list, empty for missing."""
        name, _, what = case.partition("_")
        good = self.good(name)
        made = {
            "missing": lambda: [], "twice": lambda: [good, good], "list": lambda: [f"{good},{good}"],
            "control": lambda: [good[:4] + "\x01" + good[4:]], "high": lambda: [good[:4] + "\xe9" + good[4:]],
            "long": lambda: [good + "a" * (9000 if name == "auth" else 300)],
            "expired": lambda: ["Bearer " + self.forge.expired()],
            "forged": lambda: ["Bearer " + self.forge.forged()],
            "unsigned": lambda: ["Bearer " + self.forge.unsigned()],
            "malformed": lambda: ["Bearer x.y" if name == "auth" else "bad org"],
            "disabled": lambda: ["off"],
            "unknown": lambda: [{"key": uuid.uuid4().hex, "sandbox": "nowhere",
                                 "org": f"N{uuid.uuid4().hex[:20]}@AdobeOrg"}[name]],
            "other": lambda: [{"key": self.lacking["export:read"].client_id, "sandbox": "elsewhere",
                               "org": self.other_org.client.org}[name]],
        }
        return made[what]()

    def headers(self, case):
        """Header lines of a case; every case but these leaves the own ones as they are."""
        name = case.partition("_")[0]
        lines = [(h, v) for h, v in self.me.headers().items() if h != HEADER.get(name)]
        if name in HEADER:
            lines += [(HEADER[name], value) for value in self.value(case)]
        return lines


def unlike(ident):
    """An id of the same shape that no file has."""
    if ident.isdigit():
        return str(int(ident) + 1_000_000)
    return "".join("0123456789abcdef"[(int(c, 16) + 1) % 16] if c in "0123456789abcdef" else c
                   for c in ident)


MESSAGE = {"body": {"xdmEntity": {"identityMap": {"Email": [{"id": "m@x", "primary": True}]}}}}
BODIES = {
    "-": lambda ids: b"",
    "file": lambda ids: b"{}",
    "piece": lambda ids: b"{}",
    "dataset": lambda ids: json.dumps(flows.dataset_body()).encode(),
    "job": lambda ids: json.dumps(flows.job_body(ids["union"])).encode(),
    "policy": lambda ids: json.dumps(flows.policy_body()).encode(),
    "patch": lambda ids: json.dumps([{"op": "add", "path": "/name", "value": "patched"}]).encode(),
    "ids": lambda ids: json.dumps({"ids": [{"id": ids["policy"]}]}).encode(),
    "change": lambda ids: json.dumps({"description": "changed"}).encode(),
    "removal": lambda ids: json.dumps({"dataSetId": ids["spare"]}).encode(),
    "schema": lambda ids: json.dumps(registry.schema_body(crm=registry.STRING)).encode(),
    "descriptor": lambda ids: json.dumps(registry.descriptor_body(ids["schema"], "/mail", "Email")).encode(),
    "message": lambda ids: json.dumps(MESSAGE).encode(),
    "messages": lambda ids: json.dumps({"messages": [MESSAGE]}).encode(),
    "entities": lambda ids: json.dumps({"schema": {"name": "_xdm.context.profile"}, "identities": [
        {"entityId": ids["person"], "entityIdNS": {"code": "Email"}}]}).encode(),
    "import": lambda ids: json.dumps({"datasetId": ids["source"],
                                      "inputFormat": {"format": "json"}}).encode(),
}


def send(scene, route, headers, ids):
    """One request of a route with the ids of some tenant."""
    body = BODIES[route["body"]](ids)
    if route["body"] == "piece":
        headers = [*headers, ("Content-Range", "bytes 0-1/2")]
    elif route["body"] not in ("-", "file"):
        headers = headers + [("Content-Type", "application/json")]
    # first: nginx refuses a repeated Authorization while it reads, and echoes what it read until then
    headers = [("x-request-id", "matrix")] + headers
    return rawhttp.send(scene.me.url, route["method"], route["path"].format(**ids), headers, body)


def same_for_unknown(scene, route, case):
    """The request that must be answered with the same bytes: the id or sandbox exists nowhere."""
    if case.startswith("sandbox"):
        return send(scene, route, scene.headers("sandbox_unknown"), scene.own.ids)
    return send(scene, route, scene.headers("own"), scene.unknown)


def bytes_told(answer):
    """All a client sees but the clock."""
    return answer.status_code, answer.content, {n: v for n, v in answer.headers.items() if n != "date"}


@pytest.fixture(scope="module")
def scene(stack, tenants):
    return Scene(stack, tenants)


@pytest.mark.parametrize("route, case, cell", CELLS, ids=[f"{r['route']}-{c}" for r, c, _ in CELLS])
def test_cell(scene, route, case, cell):
    if case in ("other_org", "other_sandbox"):
        answer = send(scene, route, scene.headers("own"), getattr(scene, case).ids)
    elif case == "right_lacking":
        lacking = scene.lacking[route["right"]]
        answer = send(scene, route, list(lacking.headers().items()), scene.own.ids)
    else:
        if case == "own" and "{open}" in route["path"]:
            scene.own.open_batch()
        answer = send(scene, route, scene.headers(case), scene.own.ids)
    check(answer, route, cell)
    if cell.endswith("="):
        assert bytes_told(answer) == bytes_told(same_for_unknown(scene, route, case))


def check(answer, route, cell):
    status, _, code = cell.rstrip("=").partition(":")
    assert answer.status_code == int(status), (answer.status_code, answer.text)
    if code == "scope":
        assert 'error="insufficient_scope"' in answer.headers["WWW-Authenticate"]
    elif status == "403" and not code:
        assert "insufficient_scope" not in answer.headers.get("WWW-Authenticate", "")
    if route["method"] == "HEAD" or int(status) < 400:
        return
    if code and code != "scope":
        assert_gateway(answer, code)
    else:
        problem = assert_problem(answer, int(status))
        assert problem["requestId"] == "matrix"


def test_every_right_of_the_table_is_known():
    assert {route["right"] for route, _, _ in CELLS} <= {*RIGHTS, "-"}
