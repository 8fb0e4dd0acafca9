"""An HTTP server before a stack that passes requests on, and does harm where a rule says so; without a stack it is the
hostile server itself.

A rule is a pattern for "METHOD path?query" and what it does: a function that gets the Call. What was asked is noted.
"""

import contextlib
import copy
import http.client
import http.server
import json
import re
import socket
import ssl
import struct
import threading
from urllib.parse import urlsplit

HOP = {"connection", "transfer-encoding", "keep-alive", "content-length"}


class Cut(Exception):
    """The connection ends here."""


class Call(http.server.BaseHTTPRequestHandler):
    """One request. pass_on() asks the stack; reply() answers; cut() ends the connection."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    front = None  # the Front, of the class made for it

    def handle_any(self):
        self.body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.target = f"{self.command} {self.path}"
        self.front.seen.append(copy.copy(self))  # one handler serves all requests of a connection
        try:
            act = self.front.take(self.target)
            if act is not None:
                act(self)
            elif self.front.upstream:
                self.reply(*self.pass_on())
            else:
                self.reply(404, [], b'{"title":"not here"}')
        except (Cut, BrokenPipeError, ConnectionResetError):
            self.close_connection = True
            with contextlib.suppress(OSError):
                # a reset and no orderly end
                self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                self.connection.close()

    do_GET = do_POST = do_DELETE = do_PUT = do_HEAD = handle_any

    def pass_on(self, path=None):
        """The stack's answer: status, headers, body."""
        there = http.client.HTTPConnection(self.front.upstream, timeout=75)
        headers = {name: value for name, value in self.headers.items() if name.lower() not in HOP | {"host"}}
        there.request(self.command, path or self.path, self.body or None, headers)
        answer = there.getresponse()
        body = answer.read()
        there.close()
        return answer.status, answer.getheaders(), body

    def head(self, status, headers, length=None):
        self.send_response_only(status)
        for name, value in headers:
            if name.lower() not in HOP:
                self.send_header(name, value)
        if length is not None and status != 204:
            self.send_header("Content-Length", str(length))
        self.end_headers()

    def reply(self, status, headers, body=b""):
        self.head(status, headers, len(body))
        self.wfile.write(body)

    def say(self, document, status=200):
        self.reply(status, [("Content-Type", "application/json")], json.dumps(document).encode())

    def cut(self, status, headers, body, after):
        """Announces all of the body and sends this many bytes of it."""
        self.head(status, headers, len(body))
        self.wfile.write(body[:after])
        self.close_connection = True  # in order: what was sent arrives

    def log_message(self, *args):
        pass


class Front:
    """Listens on a port of 127.0.0.1, with TLS when a context is given."""

    def __init__(self, upstream=None, context=None):
        self.upstream = urlsplit(upstream).netloc if upstream else None
        self.seen, self._rules, self._lock = [], [], threading.Lock()
        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), type("FrontCall", (Call,), {"front": self}))
        self._server.daemon_threads = True
        self._server.handle_error = lambda *_: None  # what the client cuts is no news
        if context is not None:
            self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        self.url = f"http{'s' if context else ''}://127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def on(self, pattern, act, times=None):
        """The newest rule that fits wins; it counts so many times, or always."""
        with self._lock:
            self._rules.insert(0, [re.compile(pattern), act, times])

    def take(self, target):
        with self._lock:
            for rule in self._rules:
                if rule[0].search(target) and rule[2] != 0:
                    if rule[2] is not None:
                        rule[2] -= 1
                    return rule[1]
        return None

    def asked(self, pattern):
        """The calls whose target fits, in order."""
        return [call for call in list(self.seen) if re.search(pattern, call.target)]

    def close(self):
        self._server.shutdown()
        self._server.server_close()


@contextlib.contextmanager
def front(upstream=None, context=None):
    made = Front(upstream, context)
    try:
        yield made
    finally:
        made.close()


def self_signed(certificate, key):
    """A TLS context of these two files."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    return context


# --- what rules do

def lost(call):
    """The stack does it, and its answer never comes."""
    call.pass_on()
    raise Cut


def refuse(status, **headers):
    """Answers with a problem instead."""
    def act(call):
        call.reply(status, [(name.replace("_", "-"), str(value)) for name, value in headers.items()],
                   json.dumps({"title": "Front", "status": status, "detail": "of the test", "requestId": "front-1"}).encode())
    return act


def cut_after(count):
    """Passes on, and cuts the answer after so many bytes of its body."""
    def act(call):
        call.cut(*call.pass_on(), count)
    return act


def changed(change):
    """Passes on, and changes the answer's body."""
    def act(call):
        status, headers, body = call.pass_on()
        call.reply(status, headers, change(body))
    return act
