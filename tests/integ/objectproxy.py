"""A proxy before an object store that fails a request as it is told, and keeps what it saw.

    with proxy.rule("PUT", r"/part-", proxy.answer(503, "SlowDown"), times=1) as rule: ...

One request a connection. A rule is for a method and a pattern of the request line's target; the first that fits and has not
hit `times` yet decides. Without one the request goes through.
"""

import contextlib
import re
import socket
import threading
import time

HEAD_MAX = 65536


class Rule:
    def __init__(self, method, pattern, action, times):
        self.method, self.pattern, self.action, self.times = method, re.compile(pattern), action, times
        self.hits = 0
        self.hit = threading.Event()

    def wait(self, seconds=30):
        assert self.hit.wait(seconds), f"no {self.method} {self.pattern.pattern} came"


def answer(status, code):
    """Answers so, when all of the request came."""
    def act(link, far, head, rest, length):
        read_body(link, rest, length)
        body = f"<?xml version=\"1.0\"?><Error><Code>{code}</Code><Message>made up</Message></Error>".encode()
        link.sendall(f"HTTP/1.1 {status} Made Up\r\nContent-Type: application/xml\r\nContent-Length: {len(body)}\r\n"
                     "Connection: close\r\n\r\n".encode() + body)
    return act


def cut_request(link, far, head, rest, length):
    """Ends when half of the body came; the store sees that half."""
    server = far()
    server.sendall(head + rest)
    server.sendall(b"".join(pieces(link, length // 2 - len(rest))))
    server.close()


def whole_answer(link, far, head, rest, length):
    """What the store answers to the whole request."""
    with far() as server:
        server.sendall(head + rest)
        for piece in pieces(link, length - len(rest)):
            server.sendall(piece)
        return b"".join(iter(lambda: server.recv(65536), b""))


def cut_answer(link, far, head, rest, length):
    """The store does it all; its answer is lost."""
    whole_answer(link, far, head, rest, length)


def half_answer(link, far, head, rest, length):
    """Half of the body of the answer."""
    data = whole_answer(link, far, head, rest, length)
    begins = data.index(b"\r\n\r\n") + 4
    link.sendall(data[:begins + (len(data) - begins) // 2])


def silent(link, far, head, rest, length):
    """Takes the request and says nothing until the client goes."""
    read_body(link, rest, length)
    while link.recv(65536):
        pass


def flip(link, far, head, rest, length):
    """One bit of the body is another."""
    server = far()
    body = bytearray(rest + b"".join(pieces(link, length - len(rest))))
    body[len(body) // 2] ^= 1
    server.sendall(head + bytes(body))
    relay(server, link)


def slowly(bytes_a_second):
    """The body is taken at this rate."""
    def act(link, far, head, rest, length):
        server = far()
        server.sendall(head + rest)
        step = max(1, bytes_a_second // 20)
        left = length - len(rest)
        while left > 0:
            piece = link.recv(min(step, left))
            if not piece:
                break
            server.sendall(piece)
            left -= len(piece)
            time.sleep(0.05)
        if left <= 0:
            relay(server, link)
        server.close()
    return act


def pieces(link, length):
    while length > 0:
        piece = link.recv(min(65536, length))
        if not piece:
            raise ConnectionError("the client went away")
        length -= len(piece)
        yield piece


def read_body(link, rest, length):
    for _ in pieces(link, length - len(rest)):
        pass


def relay(source, sink):
    while piece := source.recv(65536):
        sink.sendall(piece)


def through(link, far, head, rest, length):
    server = far()
    server.sendall(head + rest)
    for piece in pieces(link, length - len(rest)):
        server.sendall(piece)
    relay(server, link)
    server.close()


class ObjectProxy:
    answer, slowly, through = staticmethod(answer), staticmethod(slowly), staticmethod(through)
    cut_request, cut_answer, half_answer, silent, flip = (
        staticmethod(f) for f in (cut_request, cut_answer, half_answer, silent, flip))

    def __init__(self, server_port, port=0, tls=None):
        """`tls` is an ssl.SSLContext, or None for plain HTTP."""
        self.server_port = server_port
        self.tls = tls
        self.down = False  # while true, connections are closed at once
        self.seen = []     # (method, target)
        self._rules, self._lock = [], threading.Lock()
        self._listener = socket.create_server(("127.0.0.1", port), backlog=256)
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    @contextlib.contextmanager
    def rule(self, method, pattern, action, times=1):
        rule = Rule(method, pattern, action, times)
        with self._lock:
            self._rules.append(rule)
        try:
            yield rule
        finally:
            with self._lock:
                self._rules.remove(rule)

    def close(self):
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self):
        with contextlib.suppress(OSError):
            while True:
                link, _ = self._listener.accept()
                threading.Thread(target=self._serve, args=(link,), daemon=True).start()

    def _action(self, method, target):
        with self._lock:
            self.seen.append((method, target))
            for rule in self._rules:
                if rule.method == method and rule.hits < rule.times and rule.pattern.search(target):
                    rule.hits += 1
                    rule.hit.set()
                    return rule.action
        return through

    def _serve(self, link):
        with contextlib.suppress(OSError, ValueError), link if self.tls is None else self.tls.wrap_socket(link, True) as link:
            if self.down:
                return
            data = b""
            while b"\r\n\r\n" not in data and len(data) < HEAD_MAX:
                piece = link.recv(65536)
                if not piece:
                    return
                data += piece
            head, _, rest = data.partition(b"\r\n\r\n")
            lines = head.decode("latin-1").split("\r\n")
            method, target, _ = lines[0].split(" ")
            length = 0
            kept = [lines[0]]
            for line in lines[1:]:
                name, _, value = line.partition(":")
                if name.lower() == "content-length":
                    length = int(value)
                if name.lower() != "connection":
                    kept.append(line)
            head = "\r\n".join([*kept, "Connection: close", "", ""]).encode("latin-1")
            self._action(method, target)(link, self._far, head, rest, length)

    def _far(self):
        return socket.create_connection(("127.0.0.1", self.server_port), timeout=60)
