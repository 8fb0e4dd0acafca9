"""tenants: the two orgs of the demo, two sandboxes each, and a client of either.

What the API does not offer is done as an operator would, by consignctl. The first org and its client
are devstack's own; the second org's client is made here, once, and kept beside devstack's. Caller: main.
"""
import os
import pathlib
import subprocess
import tempfile

from client import Client
from show import Failure

SANDBOXES = ("prod", "stage")
OTHER_ORG = "DemoTwo@AdobeOrg"
OTHER_FILE = "client.two"


def consignctl(state, *arguments):
    command = [str(state / "bin" / "consignctl"), "--config", str(state / "consign.conf"), *arguments]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise Failure(f"consignctl: {error}") from None
    if done.returncode != 0:
        raise Failure(f"consignctl {' '.join(arguments[:2])}: {done.stderr.strip()}")
    return done.stdout


def ensure_org(state, org, name):
    """Creates what is not there: the org and its sandboxes."""
    if org not in [row.split("\t")[0] for row in consignctl(state, "org", "list").splitlines()]:
        consignctl(state, "org", "create", "--id", org, "--name", name)
    there = [row.split("\t")[0] for row in consignctl(state, "sandbox", "list", "--org", org).splitlines()]
    for sandbox in SANDBOXES:
        if sandbox not in there:
            consignctl(state, "sandbox", "create", "--org", org, "--name", sandbox)


def read_credentials(path):
    """(client_id, client_secret) as consignctl printed them, or None."""
    try:
        pairs = dict(row.split("=", 1) for row in path.read_text().splitlines() if "=" in row)
        return pairs["client_id"], pairs["client_secret"]
    except (OSError, KeyError):
        return None


def keep_credentials(path, text):
    """Writes them for their owner's eyes only. The name is new, the move atomic: root does not follow
    what somebody else may have put there."""
    handle, fresh = tempfile.mkstemp(dir=path.parent, prefix=path.name)  # 0600
    with os.fdopen(handle, "w") as file:
        file.write(text)
        if os.geteuid() == 0:
            owner = path.parent.stat()
            os.fchown(file.fileno(), owner.st_uid, owner.st_gid)
    os.replace(fresh, path)


def other_client(state, url):
    """The second org's client, logged in. A secret the stack does not take is replaced by a new client."""
    path = state / OTHER_FILE
    for attempt in range(2):
        if attempt > 0 or read_credentials(path) is None:
            keep_credentials(path, consignctl(state, "client", "create", "--org", OTHER_ORG, "--name", "demo two",
                                              "--rights", "all"))
        client = Client(url, OTHER_ORG, SANDBOXES[0], *read_credentials(path))
        if client.log_in():
            return client
    raise Failure(f"no token for the client that was just made for {OTHER_ORG}")


def make_tenants(env):
    """(client of the first org, client of the second), both logged in, in the sandbox prod."""
    state = pathlib.Path(env["CONSIGN_DIR"])
    ensure_org(state, env["CONSIGN_ORG"], "Demo One")
    ensure_org(state, OTHER_ORG, "Demo Two")
    own = Client(env["CONSIGN_URL"], env["CONSIGN_ORG"], env["CONSIGN_SANDBOX"], env["CONSIGN_CLIENT_ID"],
                 env["CONSIGN_CLIENT_SECRET"])
    if not own.log_in():
        raise Failure(f"no token for the client of {own.org}; its secret is in {state / 'client'}")
    return own, other_client(state, own.url)
