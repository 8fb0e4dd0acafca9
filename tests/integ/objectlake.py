"""A stack whose lake lies in an object store (README, Object store), with all that its tests look at.

The store is a real one, Swift with its S3 interface. Between the two stands a proxy that fails what it is told to, and speaks
TLS by a certificate of a CA that only lake.ca_file knows. The credentials are temporary ones: Swift checks the signature, which
is to have the token in it, and does not ask whose token it is.
"""

import contextlib
import os
import pathlib
import pwd
import shutil
import ssl
import subprocess
import sys
import tempfile
from typing import NamedTuple

import psycopg
import pytest

import flows
import ownstack
from objectproxy import ObjectProxy
from objects import Bucket
from objectserver import ACCESS, SECRET, ObjectServer
from stack import Stack, Tenants

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "fault"))

import rolling  # noqa: E402

PART_BYTES = 5242880  # the least that the interface takes
FILE_BYTES = 8 * 1024 * 1024
PREFIX = "lake/of-the-tests/"
TOKEN = "FwoGZXIvYXdzEXAMPLE//" + "0123456789+/" * 120 + "=="  # as long as Amazon's are
SIGNED = "signedheaders=host;x-amz-content-sha256;x-amz-date;x-amz-security-token,"  # by the pool, of a GET or HEAD


def certificate(folder, name, names, issuer=None):
    """A certificate and its key, two files: of a CA that signs itself, or of a server by an issuer's two files."""
    files = folder / f"{name}.crt", folder / f"{name}.key"
    by = ["-CA", issuer[0], "-CAkey", issuer[1]] if issuer else []
    subprocess.run(["openssl", "req", "-x509", *by, "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                    "-days", "2", "-subj", f"/CN={name}", "-addext", f"subjectAltName={names}", "-keyout", files[1],
                    "-out", files[0]], check=True, capture_output=True)
    files[0].chmod(0o644)
    return files


def served_by(files):
    """What a server with this certificate and key speaks TLS by."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*files)
    return context


class Store:
    """The server, the proxy before it, the bucket as the tests see it, and the settings that lead to it."""

    def __init__(self):
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="store.", dir=os.environ.get("CONSIGN_TEST_DIR")))
        self.dir.chmod(0o711)
        self.server = ObjectServer(self.dir / "swift", ownstack.free_port())
        self.server.start()
        issuer = certificate(self.dir, "ca", "DNS:ca.test")
        self.ca_file = issuer[0]
        # nginx compares what it connects to with names, libcurl an address with addresses
        self.proxy = ObjectProxy(self.server.port,
                                 tls=served_by(certificate(self.dir, "store", "IP:127.0.0.1,DNS:127.0.0.1", issuer)))
        self.bucket = Bucket(f"http://127.0.0.1:{self.server.port}", "consign", ACCESS, SECRET)
        self.bucket.make()

    def keys_file(self, name, token=None):
        """A file of credentials as both programs read it."""
        file = self.dir / name
        file.write_text(f"[default]\naws_access_key_id = {ACCESS}\naws_secret_access_key={SECRET}\n" +
                        (f"aws_session_token = {token}\n" if token else ""))
        file.chmod(0o600)
        if os.geteuid() == 0:
            user = pwd.getpwnam(os.environ.get("CONSIGN_RUN_USER", "consign"))
            os.chown(file, user.pw_uid, user.pw_gid)
        return file

    def settings(self, **more):
        return {"lake__url": f"s3://consign/{PREFIX}", "lake__endpoint": f"https://127.0.0.1:{self.proxy.port}",
                "lake__ca_file": self.ca_file, "lake__credentials": self.keys_file("credentials", TOKEN),
                "lake__part_bytes": PART_BYTES, **more}

    def keys(self, batch=""):
        return [key for key in self.bucket.keys(PREFIX) if batch in key]

    def uploads(self):
        return self.bucket.uploads(PREFIX)

    def remove(self):
        self.server.stop()
        self.proxy.close()
        shutil.rmtree(self.dir, ignore_errors=True)


class Site(NamedTuple):
    store: Store
    stack: Stack


@contextlib.contextmanager
def site():
    made = Store()
    try:
        with ownstack.own_stack() as own:
            settings = made.settings(spooler__retry_ms=100, spooler__silence_ms=11000, export__part_bytes=FILE_BYTES)
            yield Site(made, own.start(**settings))
    finally:
        made.remove()


def person(n):
    return {"identityMap": {"Email": [{"id": f"{n}@x"}]}}


# ---- fixtures, for the files that are about it to import. Not of the session: the store would run until its end ----

@pytest.fixture(scope="module")
def object_lake():
    with site() as made:
        yield made


@pytest.fixture(scope="module")
def store(object_lake):
    return object_lake.store


@pytest.fixture(scope="module")
def stack(object_lake):
    return object_lake.stack


@pytest.fixture
def sweeping(stack):
    """Sweeps follow each other, each with a request for every batch to a store that is slow: only where they are looked at."""
    with rolling.settings(stack, "spooler", spooler__sweep_ms=500):
        yield


@pytest.fixture(scope="module")
def tenants(stack):
    return Tenants(stack)


@pytest.fixture(scope="module")
def home(stack):
    return ownstack.new_client(stack)


@pytest.fixture(scope="module")
def small(home, tenants):
    """A client with twenty profiles, in a sandbox of its own."""
    client = home.in_sandbox(tenants.sandbox(home.org))
    flows.ingest(client, flows.create_dataset(client, "profile"), [person(n) for n in range(20)])
    return client


def watched(heads):
    """An action of the proxy that keeps the head of the request, in lower case, and lets it through."""
    def act(link, far, head, rest, length):
        heads.append(head.decode("latin-1").lower())
        ObjectProxy.through(link, far, head, rest, length)
    return act


def sql(stack, text, *values):
    with psycopg.connect(stack.pg_uri, autocommit=True) as connection:
        cursor = connection.execute(text, values)
        return cursor.fetchall() if cursor.description else []


def place_of(stack, batch):
    """The directory of a published batch in the bucket."""
    ((org, sandbox, dataset, attempt),) = sql(
        stack, "SELECT org, sandbox, dataset, attempt::text FROM consign.batch WHERE batch = %s", batch)
    return f"{PREFIX}{org}/{sandbox}/{dataset}/{batch}/{attempt}"
