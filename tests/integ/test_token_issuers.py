"""Several issuers, for real: a stack of its own with one issuer of each profile beside the stack's.

Their key sets are files that these tests rewrite while the pool runs.
"""

import concurrent.futures
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from unittest import mock

import pytest

import flows
import mint
from client import Client
from flows import JOBS
from stack import DEVSTACK, Stack, process_tree
from tokens import Forge

RFC, IMS = "https://issuer.example/realm", "ims-na1"
SEEN_WITHIN_S = 10  # contract section 2 allows 60
WORKERS = 4         # of the pool of a devstack
READERS = WORKERS + 1  # the supervisor reads the files too, for workers to come


def free_ports():
    """The first of two free ports in a row."""
    for port in range(21200, 21900, 10):
        try:
            for number in (port, port + 1):
                socket.create_server(("127.0.0.1", number)).close()
        except OSError:
            continue
        return port
    raise RuntimeError("no free port")


class KeyFile:
    """A JSON Web Key Set that is renamed into place, as an operator's tool does."""

    def __init__(self, path):
        self.path = path

    def put(self, *keys):
        self.put_text(json.dumps({"keys": [mint.jwk(key, kid=kid) for key, kid in keys]}))

    def put_text(self, text):
        aside = self.path.with_suffix(".new")
        aside.write_text(text)
        aside.chmod(0o644)
        aside.rename(self.path)


class Issuers:
    """The second stack, its key files and the private keys of its issuers."""

    def __init__(self, stack, folder):
        self.stack = stack
        self.rfc_file, self.ims_file = KeyFile(folder / "rfc.json"), KeyFile(folder / "ims.json")
        self.rfc, self.ims = mint.new_es256(), mint.new_eddsa()
        self.client = Client(stack, stack.org, stack.sandbox, stack.client_id, stack.client_secret)

    def rfc_token(self, key=None, kid="rfc-1", head=None, **claims):
        now = int(time.time())
        head = {"alg": "ES256", "typ": "at+jwt", "kid": kid, **(head or {})}
        return mint.token(head, {"iss": RFC, "aud": "consign", "client_id": self.stack.client_id,
                                 "exp": now + 600, **claims}, key or self.rfc)

    def ims_token(self, key=None, kid="ims-1", head=None, **claims):
        head = {"alg": "EdDSA", "kid": kid, "x5u": "ims_na1-key-1.cer", "itt": "at", **(head or {})}
        return mint.token(head, {"as": IMS, "type": "access_token", "client_id": self.stack.client_id,
                                 "created_at": str(int(time.time() * 1000)), "expires_in": "86400000",
                                 "scope": "openid,AdobeID", **claims}, key or self.ims)

    def status(self, token):
        answer = self.client.call("GET", JOBS, headers={"Authorization": f"Bearer {token}"})
        return answer.status_code

    def statuses(self, tokens):
        """Asked side by side: one after the other, a single worker may answer them all."""
        with concurrent.futures.ThreadPoolExecutor(4 * WORKERS) as threads:
            return list(threads.map(self.status, tokens))

    def all_workers(self, token, status, within_s=SEEN_WITHIN_S):
        """Waits until the answer is this one, however often it is asked: every worker has seen it."""
        deadline = time.monotonic() + within_s
        while time.monotonic() < deadline:
            if self.statuses([token] * 64) == [status] * 64:
                return
            time.sleep(0.1)
        pytest.fail(f"not always {status} after {within_s} s")

    def adopt(self, *keys):
        """Puts a good file and asks until every worker has read it: one that is idle reads it with its next request."""
        before, deadline = len(self.told("key_set")), time.monotonic() + SEEN_WITHIN_S
        mark = f'issuer="{RFC}"'
        self.rfc_file.put(*keys)
        while len({pid for pid, line in self.told("key_set")[before:] if mark in line}) < READERS:
            assert time.monotonic() < deadline, "not every worker reads it"
            self.statuses([self.rfc_token()] * 64)

    def told(self, event):
        """Pid and text of every line of that event."""
        lines = (self.stack.dir / "log" / "api.log").read_text().splitlines()
        lines = [line for line in lines if f"event={event} " in line]
        return [(re.search(r"\bpid=(\d+)", line)[1], line) for line in lines]

    def spoil(self, text="{"):
        """Breaks the file, and asks until everybody has said so: what was good before stays."""
        before, deadline = len(self.refusals()), time.monotonic() + SEEN_WITHIN_S
        self.rfc_file.put_text(text)
        while len({pid for pid, _ in self.refusals()[before:]}) < READERS:
            assert time.monotonic() < deadline, "not every worker says so in the log"
            self.statuses([self.rfc_token(jti=str(time.monotonic()))] * 32)

    def supervisor(self):
        return int((self.stack.dir / "pids" / "api").read_text().split()[0])

    def refusals(self):
        return self.told("key_set_refused")

    def metrics(self):
        return self.client.call("GET", f"{self.stack.ops_url}/metrics").text


def devstack(*args):
    return subprocess.run([str(DEVSTACK), *args], capture_output=True, text=True, timeout=120,
                          stdin=subprocess.DEVNULL)


@pytest.fixture(scope="module")
def issuers():
    folder = pathlib.Path(tempfile.mkdtemp(prefix="consign-issuers."))
    folder.chmod(0o755)  # the pool's user reads the files
    state, port = tempfile.mkdtemp(prefix="own.", dir=os.environ.get("CONSIGN_TEST_DIR")), free_ports()
    listed = folder / "issuers"
    listed.write_text(f"# who may issue\n{RFC} rfc9068 consign {folder}/rfc.json\n"
                      f"{IMS} ims - {folder}/ims.json\n")
    listed.chmod(0o644)
    try:
        up = devstack("up", "--dir", state, "--port", str(port), "--set", f"token.issuers={listed}")
        assert up.returncode == 0, up.stdout + up.stderr
        lines = devstack("env", "--dir", state).stdout.splitlines()
        shown = dict(line.removeprefix("export ").split("=", 1) for line in lines)
        with mock.patch.dict(os.environ, {name: value.strip("'") for name, value in shown.items()}):
            made = Issuers(Stack(), folder)
        yield made
    finally:
        devstack("down", "--dir", state)
        shutil.rmtree(state, ignore_errors=True)
        shutil.rmtree(folder, ignore_errors=True)


def test_missing_files_at_the_start_are_logged_and_come_later(issuers):
    """The stack came up without either file: its own tokens work, and the others as soon as they can."""
    assert len(issuers.refusals()) == 2
    assert issuers.status(issuers.client.token) == 200
    assert issuers.status(issuers.rfc_token()) == 401
    issuers.adopt((issuers.rfc, "rfc-1"))
    issuers.ims_file.put((issuers.ims, "ims-1"))
    issuers.all_workers(issuers.rfc_token(), 200)
    issuers.all_workers(issuers.ims_token(), 200)


def test_each_profile_is_accepted(issuers):
    for token in (issuers.rfc_token(), issuers.rfc_token(aud=["x", "consign"]), issuers.ims_token(),
                  issuers.ims_token(iss=IMS), issuers.ims_token(head={"typ": "JWT"}), issuers.client.token):
        assert issuers.status(token) == 200


def test_issuers_are_not_mixed(issuers):
    """Each key, id, name and profile is good, but not with each other."""
    own = Forge(issuers.stack, issuers.client.token)
    own_kid, rfc, ims = own.head["kid"], issuers.rfc, issuers.ims
    now = int(time.time())
    refused = [
        issuers.rfc_token(ims, "ims-1", {"alg": "EdDSA"}), issuers.rfc_token(ims, "rfc-1", {"alg": "EdDSA"}),
        issuers.rfc_token(ims, "rfc-1"), issuers.rfc_token(rfc, "ims-1"), issuers.rfc_token(rfc, own_kid),
        issuers.rfc_token(own.key, own_kid, {"alg": "RS256"}), issuers.rfc_token(own.key, "rfc-1"),
        issuers.ims_token(rfc, "rfc-1", {"alg": "ES256"}), issuers.ims_token(rfc, "ims-1", {"alg": "ES256"}),
        issuers.ims_token(own.key, own_kid, {"alg": "RS256"}), issuers.ims_token(ims, "rfc-1"),
        own.token(claims={"iss": RFC}), own.token(claims={"iss": IMS}),
        own.token(claims={"iss": None, "as": IMS, "type": "access_token"}),
        mint.token({**own.head, "kid": "rfc-1", "alg": "ES256"}, {**own.claims, "exp": now + 600}, rfc),
        mint.token({**own.head, "kid": "ims-1", "alg": "EdDSA"}, {**own.claims, "exp": now + 600}, ims),
        # a token in the other profile
        issuers.rfc_token(head={"typ": "JWT"}, type="access_token"),
        issuers.rfc_token(exp=None, created_at=str(now * 1000), expires_in="86400000"),
        issuers.rfc_token(**{"iss": None, "as": RFC}), issuers.rfc_token(aud="other"),
        issuers.ims_token(head={"typ": "at+jwt"}), issuers.ims_token(type="id_token"), issuers.ims_token(type=None),
        issuers.ims_token(iss=RFC), issuers.ims_token(**{"as": "ims-na2"}),
        issuers.ims_token(expires_in=86400000), issuers.ims_token(created_at=now * 1000),
        issuers.ims_token(created_at="1", expires_in="1"), issuers.ims_token(expires_in="9" * 16),
    ]
    assert [issuers.status(token) for token in refused] == [401] * len(refused)


def test_another_client_of_the_issuer_is_not_the_api_key(issuers):
    assert issuers.status(issuers.rfc_token(client_id="somebody-else")) == 403


def test_a_key_is_added_and_removed_while_it_runs(issuers):
    new = mint.new_eddsa()
    with_new = issuers.rfc_token(new, "rfc-2", {"alg": "EdDSA"})
    with_old = issuers.rfc_token()
    assert issuers.status(with_new) == 401 and issuers.status(with_old) == 200
    issuers.adopt((issuers.rfc, "rfc-1"), (new, "rfc-2"))
    issuers.all_workers(with_new, 200)
    issuers.all_workers(with_old, 200)
    issuers.adopt((new, "rfc-2"))
    issuers.all_workers(with_old, 401)  # although it is in the cache of verified tokens
    issuers.all_workers(with_new, 200)
    assert issuers.status(issuers.ims_token()) == 200
    issuers.adopt((issuers.rfc, "rfc-1"))
    issuers.all_workers(with_old, 200)
    issuers.all_workers(with_new, 401)


@pytest.mark.parametrize("text", ["{\"keys\":[", " " * 300000, None], ids=["half", "huge", "missing"])
def test_a_broken_file_keeps_the_last_good_set(issuers, text):
    """One broken file after another: what was good before the first of them still is."""
    before = len(issuers.refusals())
    if text is None:
        issuers.rfc_file.path.unlink()
    else:
        issuers.rfc_file.put_text(text)
    deadline = time.monotonic() + SEEN_WITHIN_S
    while len({pid for pid, _ in issuers.refusals()[before:]}) < READERS:
        assert time.monotonic() < deadline, "not every worker says so in the log"
        assert issuers.statuses([issuers.rfc_token(jti=str(time.monotonic()))] * 32) == [200] * 32
    assert [issuers.status(issuers.rfc_token(jti=str(number))) for number in range(40)] == [200] * 40
    for _, line in issuers.refusals()[before:]:
        assert f'issuer="{RFC}"' in line and "kept=1" in line and "level=error" in line
    assert len(issuers.refusals()) == before + READERS  # once each
    assert f'consign_key_set_refused{{issuer="{RFC}"}} 1' in issuers.metrics()
    assert f'consign_key_set_keys{{issuer="{RFC}"}} 1' in issuers.metrics()


def test_a_good_file_ends_that(issuers):
    issuers.adopt((issuers.rfc, "rfc-3"))
    issuers.all_workers(issuers.rfc_token(kid="rfc-3"), 200)
    issuers.all_workers(issuers.rfc_token(), 401)
    assert f'consign_key_set_refused{{issuer="{RFC}"}} 0' in issuers.metrics()


def test_who_comes_after_has_the_last_good_set(issuers):
    """Workers that are replaced, and all that begin with a reload: neither the set of long ago nor none."""
    old, new = issuers.rfc_token(kid="rfc-3"), issuers.rfc_token(kid="rfc-4")
    issuers.adopt((issuers.rfc, "rfc-4"))
    issuers.spoil()
    supervisor = issuers.supervisor()
    killed = process_tree(supervisor)[1:]
    for pid in killed:
        os.kill(pid, signal.SIGKILL)
    flows.eventually(lambda: len(set(process_tree(supervisor)) - set(killed)) == READERS, "new workers")
    assert set(issuers.statuses([new] * 64)) == {200} and set(issuers.statuses([old] * 64)) == {401}
    for number in (1, 2):
        before = len(issuers.told("reload_over"))
        os.kill(supervisor, signal.SIGHUP)
        flows.eventually(lambda: len(issuers.told("reload_over")) > before, "the reload")
        assert set(issuers.statuses([new] * 64)) == {200} and set(issuers.statuses([old] * 64)) == {401}
        assert len(issuers.told("key_set_kept")) == number
    assert f'consign_key_set_refused{{issuer="{RFC}"}} 1' in issuers.metrics()
    assert f'consign_key_set_keys{{issuer="{RFC}"}} 1' in issuers.metrics()
    issuers.adopt((issuers.rfc, "rfc-3"))
    issuers.all_workers(old, 200)
    issuers.all_workers(new, 401)


def test_a_line_that_is_wrong_stops_the_start(issuers):
    """Settings are checked at the start: a pool with half its issuers would refuse good tokens."""
    bad = issuers.rfc_file.path.with_name("bad")
    bad.write_text(f"{RFC} oidc consign /x\n")
    bad.chmod(0o644)
    conf = issuers.rfc_file.path.with_name("bad.conf")
    kept = [line for line in (issuers.stack.dir / "consign.conf").read_text().splitlines()
            if not line.startswith(("token.issuers", "api.socket"))]
    conf.write_text("\n".join([*kept, f"token.issuers = {bad}", f"api.socket = {conf}.sock", ""]))
    user = []
    if os.getuid() == 0:
        name = issuers.stack.dir.owner()
        user = ["setpriv", "--reuid", name, "--regid", issuers.stack.dir.group(), "--init-groups"]
        shutil.chown(conf, name)
    conf.chmod(0o600)
    done = subprocess.run([*user, str(issuers.stack.dir / "bin" / "consign-api"), "--config", str(conf)],
                          capture_output=True, text=True, timeout=20)
    assert done.returncode != 0
    assert "event=issuers" in done.stderr and "line=1" in done.stderr, done.stderr
