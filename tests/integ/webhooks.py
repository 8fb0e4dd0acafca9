"""A stack with receivers of webhooks, and what a receiver has to check, by Python's own hmac."""

import base64
import contextlib
import datetime
import hashlib
import hmac
import json
import pathlib
import re
import signal
import socket
import subprocess
import sys
import uuid

import psycopg
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

import flows
import openapi
import ownstack
from flows import JOBS

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "fault"))

import rolling  # noqa: E402

RECEIVER = pathlib.Path(__file__).with_name("webhookd.py")
EVENT = openapi.compiled(openapi.document()["components"]["schemas"]["JobEvent"])


class Receiver:
    """start() and kill() as often as wanted; what came stays."""

    def __init__(self, port, folder, *pair):
        self.port, self.log, self.pair, self.process = port, folder / f"received-{port}", pair, None

    def start(self):
        self.process = subprocess.Popen([sys.executable, str(RECEIVER), str(self.port), str(self.log), *map(str, self.pair)],
                                        stdin=subprocess.DEVNULL)
        await_that(self.listens, 20)
        return self

    def listens(self):
        with socket.socket() as link:
            return link.connect_ex(("127.0.0.1", self.port)) == 0

    def kill(self):
        if self.process is not None:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait()
        self.process = None

    @contextlib.contextmanager
    def mended(self):
        """While it is open, fail and gone answer 200."""
        mark = self.log.with_name(self.log.name + ".ok")
        mark.touch()
        try:
            yield
        finally:
            mark.unlink()

    def requests(self, path=None):
        """All that came, or what came for a path; one that was being written when it was killed does not count."""
        if not self.log.exists():
            return []
        lines = [json.loads(line) for line in self.log.read_text().splitlines(keepends=True) if line.endswith("\n")]
        return [line for line in lines if path is None or line["path"] == path]

    def events(self, path):
        """event id -> how often it came"""
        found = {}
        for request in self.requests(path):
            event = request["headers"]["webhook-id"]
            found[event] = found.get(event, 0) + 1
        return found


class Endpoint:
    """A webhook of a client's sandbox."""

    def __init__(self, client, name, url):
        self.client, self.name = client, name
        self.place = ("--org", client.org, "--sandbox", client.sandbox, "--name", name)
        self.secret = self.told("create", "--url", url)

    def ctl(self, verb, *more):
        return self.client.stack.ctl("webhook", verb, *self.place, *more)

    def told(self, verb, *more):
        pairs = dict(line.split("=", 1) for line in self.ctl(verb, *more).splitlines())
        assert pairs["name"] == self.name
        return pairs["secret"]

    def state(self):
        """(state, undelivered)"""
        for line in self.client.stack.ctl("webhook", "list", "--org", self.client.org).splitlines():
            org, sandbox, name, state, undelivered, _ = line.split("\t")
            if (org, sandbox, name) == (self.client.org, self.client.sandbox, self.name):
                return state, int(undelivered)
        raise AssertionError(self.name)


def signature_of(secret, request):
    key = base64.b64decode(secret.removeprefix("whsec_"), validate=True)
    headers = request["headers"]
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.{request['body']}"
    return "v1," + base64.b64encode(hmac.new(key, signed.encode(), hashlib.sha256).digest()).decode()


def read(request, client, *secrets):
    """The event of a request: it is as the OpenAPI document says, the tenant's, and signed by each of the secrets."""
    headers = request["headers"]
    assert request["method"] == "POST" and headers["content-type"] == "application/json"
    assert headers["webhook-signature"].split(" ") == [signature_of(secret, request) for secret in secrets]
    assert abs(int(headers["webhook-timestamp"]) - request["time"]) < 5
    assert not {"authorization", "cookie", "x-api-key", "expect"} & set(headers)
    event = json.loads(request["body"])
    assert EVENT.fault(event) is None, EVENT.fault(event)
    assert event["id"] == headers["webhook-id"]
    assert (event["imsOrgId"], event["sandboxName"]) == (client.org, client.sandbox)
    assert event["type"] == "export.job." + event["job"]["status"].lower()
    return event


def await_that(good, seconds=20):
    """Until good() is true; what it answered."""
    return flows.eventually(good, f"not within {seconds} s", seconds)


def machine():
    """A name of this machine that has to be looked up; libcurl knows localhost by itself."""
    name = socket.gethostname().lower()
    try:
        socket.getaddrinfo(name, 443, socket.AF_INET)
    except OSError:
        return "localhost"
    return name


def make_certificate(folder, name):
    """A certificate for localhost and this machine's name that signs itself, and its key: two files."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = datetime.datetime.now(datetime.timezone.utc)
    made = (x509.CertificateBuilder().subject_name(subject).issuer_name(subject).public_key(key.public_key())
            .serial_number(x509.random_serial_number()).not_valid_before(now - datetime.timedelta(days=1))
            .not_valid_after(now + datetime.timedelta(days=30))
            .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost"), x509.DNSName(machine())]), False)
            .add_extension(x509.BasicConstraints(True, None), True).sign(key, hashes.SHA256()))
    files = folder / f"{name}.pem", folder / f"{name}.key"
    files[0].write_bytes(made.public_bytes(serialization.Encoding.PEM))
    files[1].write_bytes(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
                                           serialization.NoEncryption()))
    for file in files:
        file.chmod(0o644)
    return files


class Site:
    """The stack, its receivers, and what the spooler's log says of deliveries."""

    def __init__(self, own, folder):
        self.own, ports, other = own, ownstack.free_port(), ownstack.free_port()
        pair, stranger = make_certificate(folder, "own"), make_certificate(folder, "stranger")
        self.plain = Receiver(ports, folder).start()
        self.tls = Receiver(ports + 1, folder, *pair).start()
        self.inside = Receiver(other, folder, *pair).start()
        self.strange = Receiver(other + 1, folder, *stranger).start()
        self.ca_file = pair[0]
        self.hosts = (f"http://127.0.0.1:{ports}, {machine()}:{ports + 1}=0.0.0.0/0, localhost:{other},"
                      f" localhost:{other + 1}=127.0.0.0/8, no-such-name.invalid")
        self.stack = self.start()

    def start(self):
        """Whatever of the stack does not run."""
        return self.own.start(webhook__hosts=self.hosts, webhook__ca_file=self.ca_file)

    def kill(self):
        for receiver in (self.plain, self.tls, self.inside, self.strange):
            receiver.kill()

    def client(self):
        return ownstack.new_client(self.stack)

    def endpoint(self, client, word="ok", receiver=None):
        """(endpoint, its path) of a path that nobody else has."""
        receiver = receiver or self.plain
        path = f"/{word}/{uuid.uuid4().hex}"
        host = machine() if receiver is self.tls else "localhost"
        base = f"https://{host}:{receiver.port}" if receiver.pair else f"http://127.0.0.1:{receiver.port}"
        return Endpoint(client, f"hook-{word}", base + path), path

    def log(self):
        return (self.stack.dir / "log" / "spooler.log").read_text(errors="replace")

    def said(self, endpoint, outcome):
        """The lines of the log that tell of such an outcome."""
        place = f'event=webhook .*webhook="{endpoint.name}" .*outcome={outcome} '
        return [line for line in self.log().splitlines() if re.search(place, line) and self.org(endpoint.client) in line]

    def org(self, client):
        with psycopg.connect(self.stack.pg_uri) as db:
            return f"org={db.execute('SELECT org FROM consign.org WHERE ims_org_id = %s', [client.org]).fetchone()[0]} "

    def sender(self):
        """Its pid, of the one that began last."""
        return int(re.findall(r" pid=(\d+) .*event=sender ", self.log())[-1])

    def settings(self, **lines):
        """Other settings of the spooler while it is open."""
        return rolling.settings(self.stack, "spooler", **lines)


def end_jobs(client, count, dataset=None, **more):
    """So many jobs that end at once, most of them cancelled; their numbers."""
    dataset = dataset or flows.create_dataset(client)
    numbers = []
    for _ in range(count):
        numbers.append(flows.start_job(client, flows.job_body(dataset, **more))["id"])
        client.delete(f"{JOBS}/{numbers[-1]}")
    return numbers


def told(receiver, path, client, *secrets):
    """The events that came for a path, each read with all it has to be; {job: [event id]}."""
    found = {}
    for request in receiver.requests(path):
        event = read(request, client, *secrets)
        found.setdefault(event["job"]["id"], []).append(event["id"])
    return found


def await_told(receiver, path, numbers, client, *secrets, seconds=20):
    await_that(lambda: set(told(receiver, path, client, *secrets)) >= set(numbers), seconds)
    assert set(told(receiver, path, client, *secrets)) == set(numbers)
