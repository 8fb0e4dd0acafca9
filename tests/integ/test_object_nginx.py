"""nginx/consign/objects.conf before a store with TLS and a name: no stack, nginx alone between a pool and a store made up here.

test_object_downloads.py has all else, before a store whose address is enough, and with a session's token.
"""

import concurrent.futures
import contextlib
import http.client
import http.server
import os
import pathlib
import shutil
import socket
import ssl
import struct
import subprocess
import threading
import time

import ownstack

REPO = pathlib.Path(__file__).resolve().parents[2]
BODY = b"0123456789" * 1000
PASS = {"X-Accel-Redirect": "/_objects/bucket/key", "ETag": '"ours"', "Cache-Control": "private", "X-Request-Id": "r1",
        "X-Consign-Authorization": "AWS4-HMAC-SHA256 made-up", "X-Consign-Date": "20130524T000000Z",
        "Content-Type": "application/parquet"}


class Quiet(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def say(self, headers, body):
        self.send_response(200)
        for name, value in {**headers, "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)


class Pool(Quiet):
    def do_GET(self):
        self.say(PASS, b"")


class Store(Quiet):
    seen = []

    def do_GET(self):
        self.seen.append(dict(self.headers))
        self.say({"ETag": '"theirs"', "Content-Type": "binary/octet-stream", "x-amz-request-id": "1", "Server": "store"}, BODY)


@contextlib.contextmanager
def serving(handler, context=None):
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    if context is not None:
        server.socket = context.wrap_socket(server.socket, True, do_handshake_on_connect=False)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        server.server_close()


@contextlib.contextmanager
def names():
    """A name server for which every name is 127.0.0.1; yields its port and the names that were asked for."""
    link, asked = socket.socket(socket.AF_INET, socket.SOCK_DGRAM), []
    link.bind(("127.0.0.1", 0))

    def answer():
        with contextlib.suppress(OSError):
            while True:
                query, peer = link.recvfrom(512)
                end = query.index(b"\0", 12) + 5
                asked.append(query[13:end - 5])
                four = query[end - 4:end - 2] == b"\0\1"  # an A record, RFC 1035
                record = b"\xc0\x0c" + struct.pack(">HHIH", 1, 1, 60, 4) + socket.inet_aton("127.0.0.1")
                head = query[:2] + b"\x81\x80\0\1" + (b"\0\1" if four else b"\0\0") + b"\0\0\0\0"
                link.sendto(head + query[12:end] + (record if four else b""), peer)
    threading.Thread(target=answer, daemon=True).start()
    try:
        yield link.getsockname()[1], asked
    finally:
        link.close()


@contextlib.contextmanager
def nginx(place, pool, store, resolver, trusted):
    """nginx with objects.conf as it ships; yields its port."""
    port = ownstack.free_port()
    subprocess.run([REPO / "nginx" / "render", place, f"PUBLIC_LISTEN={port}", "OPS_LISTEN=1", "RATE=", "TLS=",
                    "API_SOCKET=/x", "LAKE=/x", "ACCESS_LOG=/x", "ERROR_LOG=/x", "WEB=/x", "LAKE_OBJECTS=", f"OBJECTS={store}",
                    f"OBJECTS_CA={trusted}", f"RESOLVER=resolver 127.0.0.1:{resolver} ipv6=off;"], check=True)
    conf = place / "nginx.conf"
    temporary = "".join(f"{name}_temp_path {place}/{name};" for name in ("client_body", "proxy", "fastcgi", "scgi", "uwsgi"))
    conf.write_text(f"daemon off; pid {place}/pid; user root; events {{}} http {{ {temporary} access_log off; "
                    f"map $host $consign_500 {{ default 500; }} "
                    f"server {{ listen 127.0.0.1:{port}; set $consign_echo_id x; include consign/problems.conf; "
                    f"include consign/objects.conf; location / {{ proxy_pass http://127.0.0.1:{pool}; }} }} }}\n")
    program = shutil.which("nginx", path=os.environ["PATH"] + ":/usr/sbin")
    process = subprocess.Popen([program, "-e", place / "error.log", "-p", place, "-c", conf])
    try:
        deadline = time.monotonic() + 15
        while True:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
                break
            assert process.poll() is None and time.monotonic() < deadline, (place / "error.log").read_text()
            time.sleep(0.05)
        yield port
    finally:
        process.terminate()
        process.wait(10)


def test_a_store_with_a_name_and_a_certificate(tmp_path):
    certificates = {}
    for name in ("right", "wrong"):
        certificates[name] = tmp_path / f"{name}.crt"
        subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=store.test",
                        "-addext", "subjectAltName=DNS:store.test", "-keyout", tmp_path / f"{name}.key",
                        "-out", certificates[name]], check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificates["right"], tmp_path / "right.key")
    with serving(Pool) as pool, serving(Store, context) as store, names() as (resolver, asked):
        for trusted, status in (("wrong", 503), ("right", 200)):
            place = tmp_path / f"trusts-{trusted}"
            place.mkdir()
            with nginx(place, pool, f"https://store.test:{store}", resolver, certificates[trusted]) as port:
                link = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
                link.request("GET", "/x", headers={"Range": "bytes=2-5", "Cookie": "mine=1"})
                answer = link.getresponse()
                body = answer.read()
            log = (place / "error.log").read_text()
            assert answer.status == (206 if status == 200 else status), log
            assert "made-up" not in log
        assert body == BODY[2:6] and answer.headers["Content-Range"] == f"bytes 2-5/{len(BODY)}"
    assert asked and answer.headers["ETag"] == '"ours"' and answer.headers["Content-Type"] == "application/parquet"
    assert "x-amz-request-id" not in answer.headers
    (seen,) = Store.seen
    assert seen["Host"] == f"store.test:{store}" and seen["Authorization"] == PASS["X-Consign-Authorization"]
    assert not {"cookie", "range", "x-amz-security-token"} & {name.lower() for name in seen}


class Silent(Quiet):
    """A store that takes a request and says nothing, until the other side goes."""

    def do_GET(self):
        self.rfile.read(1)


def asked(port):
    """A GET: status, body and how long it took."""
    begun = time.monotonic()
    link = http.client.HTTPConnection("127.0.0.1", port, timeout=40)
    link.request("GET", "/x")
    answer = link.getresponse()
    return answer.status, answer.read().decode(), time.monotonic() - begun


def test_a_store_that_is_silent_is_told_within_ten_seconds(tmp_path):
    """Promise 10 of the design: its name, the connection and the first byte together."""
    trusted = "/etc/ssl/certs/ca-certificates.crt"
    took = {}
    with contextlib.ExitStack() as stack, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as mute:
        mute.bind(("127.0.0.1", 0))
        full = stack.enter_context(socket.create_server(("127.0.0.1", 0), backlog=0))  # takes no connection but one
        stack.enter_context(socket.create_connection(full.getsockname()))
        pool, silent = (stack.enter_context(serving(handler)) for handler in (Pool, Silent))
        ports = {}
        for name, store in (("name", f"http://store.test:{silent}"), ("connection", f"http://127.0.0.1:{full.getsockname()[1]}"),
                            ("byte", f"http://127.0.0.1:{silent}")):
            (tmp_path / name).mkdir()
            ports[name] = stack.enter_context(nginx(tmp_path / name, pool, store, mute.getsockname()[1], trusted))
        with concurrent.futures.ThreadPoolExecutor() as threads:
            for name, (status, body, seconds) in zip(ports, threads.map(asked, ports.values())):
                took[name] = seconds
                assert status == 503 and "/problems/overloaded" in body and "store" in body and "worker" not in body, body
    assert all(took.values()) and sum(took.values()) < 10, took
