"""README, Using it: its curl commands work as they are typed, in their order, and for a client as Operations makes one.

What stands in braces ({BATCH}) is what an earlier answer said. consignctl's examples are in test_client.py.
"""

import json
import re
import subprocess

import flows
import registry
from client import Client
from ctlclient import Ctl
from stack import REPO

TEXT = (REPO / "README.md").read_text(encoding="utf-8")
USING = TEXT.partition("\n## Using it\n")[2].partition("\n## Operations\n")[0]
ANSWERS = "curl() { command curl -sS --fail-with-body \"$@\"; }\n"


def blocks(text):
    """What is to be typed, without the comments behind it."""
    return [re.sub(r"(?m)  +# .*$", "", block) for block in re.findall(r"(?:^    .*\n)+", text, re.M)]


def commands(text):
    """Those that begin with curl or printf, with their further lines."""
    return [found for block in blocks(text) for found in re.findall(r"^    (?:curl|printf) .*\n(?:^ {5,}.*\n)*", block, re.M)]


class Reader:
    """Somebody who types what the README says and puts in what was answered."""

    def __init__(self, home, client):
        self.client, self.ctl, self.known = client, Ctl(home, client), {}
        first = blocks(USING)[0]
        assert first.startswith("    tools/devstack up && eval")
        self.variables = first.partition("\n")[2]

    def type(self, command):
        typed = re.sub(r"\{([A-Z]+)\}", lambda name: self.known[name[1]], command)
        done = subprocess.run(["bash", "-euc", ANSWERS + self.variables + typed], capture_output=True, text=True, timeout=60,
                              check=False, cwd=self.ctl.home, env=self.ctl.environment(CONSIGN_TOKEN=self.client.token))
        assert done.returncode == 0, f"{typed}{done.stdout}{done.stderr}"
        self.learn(command, done.stdout)
        return done.stdout

    def learn(self, command, answer):
        """Keeps what later commands name."""
        body = json.loads(answer) if answer.startswith(("{", "[")) else {}
        makes = " -d " in command
        if makes and "/catalog/dataSets" in command:
            self.known[re.search(r'"name":"(\w+)"', command)[1].upper()] = body[0].rsplit("/", 1)[1]
        elif makes and command.rstrip().endswith('{"format":"json"}}\''):
            self.known["BATCH"] = body["id"]
        elif makes and "/export/jobs" in command:
            self.known["JOB"] = str(body["id"])
        elif "?wait=" in command:
            self.known["BATCH"] = body["destination"]["batchId"]
        elif "{BATCH}/files\"" in command:
            self.known["FILE"] = body["data"][0]["dataSetFileId"]
        elif "/files/{FILE}\"" in command:
            self.known["NAME"] = body["data"][0]["name"]
        elif makes and "/mergePolicies\"" in command:
            self.known["ID"] = body["id"]
        elif makes and "/schemas" in command:
            self.known["SCHEMA"] = body["$id"]
        elif makes and "/descriptors" in command:
            self.known["ACME"] = registry.create_dataset(self.client, {"$id": self.known["SCHEMA"]})

    def type_until(self, command, said):
        flows.eventually(lambda: said in self.type(command), f"no {said}: {command}")

    def follow(self, text):
        for command in commands(text):
            if "/catalog/batches/{BATCH}" in command:
                self.type_until(command, '"status":"success"')
            elif "?wait=" in command:
                self.type_until(command, '"status":"SUCCEEDED"')
            else:
                self.type(command)


def test_using_it_works_as_typed(stack, tenants, tmp_path):
    first, *others = re.split(r"\n### .*\n", USING)
    rights = re.search(r"client create [^\n]*\\\n +--rights (\S+)\n", TEXT)[1]
    org = tenants.org("prod")
    reader = Reader(tmp_path, Client(stack, org, "prod", *tenants.credentials(org, rights=rights)))
    reader.follow(first)
    assert (tmp_path / "part.zstd.parquet").read_bytes()[:4] == b"PAR1"
    loaded = reader.client.get(f"{flows.CATALOG}/batches", params={"dataSet": reader.known["CRM"]}).json()
    figures = [batch["metrics"] for batch in loaded.values()]
    assert [(one["outputRecordCount"], one["failedRecordCount"]) for one in figures] == [(2, 0)]

    reader.client = Client(stack, org, "prod", *tenants.credentials(org))
    reader.ctl = Ctl(tmp_path, reader.client)
    reader.known["WEB"] = flows.create_dataset(reader.client, "profile")
    for text in others:
        reader.follow(text)
    assert len(commands(USING)) > 25 and "\nopenapi: 3.1" in (tmp_path / "openapi.yaml").read_text()
