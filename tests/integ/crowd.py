"""Connections that do nothing, or very little: idle ones, slow headers, slow bodies, slow reading.

Used by test_overload.py, and by tests/bench/overload.py at full size.
"""

import contextlib
import resource
import select
import socket
from urllib.parse import urlsplit

HEADER_BEGUN = b"GET /data/core/ups/export/jobs HTTP/1.1\r\nHost: crowd\r\nX-Slow: "
IDLE_FIRST = b"GET /ims/jwks HTTP/1.1\r\nHost: crowd\r\n\r\n"
BODY_BEGUN = (b"POST /data/core/ups/export/jobs HTTP/1.1\r\nHost: crowd\r\nContent-Type: application/json\r\n"
              b"Content-Length: 100000\r\n\r\n{")


def raise_file_limit():
    """As many open files as this process may have."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def request_bytes(client, method, path, body_length=None, body=b""):
    """A request of the client, byte by byte; body_length is what is announced."""
    lines = [f"{method} {path} HTTP/1.1", "Host: crowd", *(f"{name}: {value}" for name, value in client.headers().items())]
    if body_length is not None:
        lines += ["Content-Type: application/json", f"Content-Length: {body_length}"]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


class Crowd:
    """.idle, .headers, .bodies and .readers are lists of sockets."""

    def __init__(self, url):
        where = urlsplit(url)
        self.where = (where.hostname, where.port)
        self.idle, self.headers, self.bodies, self.readers = [], [], [], []

    def connect(self, first=b"", receive_bytes=None):
        link = socket.socket()
        if receive_bytes is not None:
            link.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_bytes)
        link.settimeout(30)
        link.connect(self.where)
        if first:
            link.sendall(first)
        return link

    def connect_idle(self):
        """One that has had an answer and waits: a connection that never asked anything is a slow header."""
        link = self.connect(IDLE_FIRST)
        while not link.recv(65536).endswith(b"}"):
            pass
        return link

    def gather(self, idle=0, headers=0, bodies=0, readers=0, read=b"", body=BODY_BEGUN):
        """So many more of each. read: the request whose answer nobody reads; body: a request with a part of its body."""
        self.idle += [self.connect_idle() for _ in range(idle)]
        self.headers += [self.connect(HEADER_BEGUN) for _ in range(headers)]
        self.bodies += [self.connect(body) for _ in range(bodies)]
        self.readers += [self.connect(read, receive_bytes=2048) for _ in range(readers)]

    def trickle(self, part=0, parts=1):
        """A byte more of each header and body, a few less of each answer; only those of one part of so many."""
        for link in self.headers[part::parts] + self.bodies[part::parts]:
            with contextlib.suppress(OSError):
                link.sendall(b"a")
        for link in self.readers[part::parts]:
            with contextlib.suppress(OSError):
                link.recv(16, socket.MSG_DONTWAIT)

    def held(self):
        """How many are still open: neither closed nor, but for the readers, answered."""
        return {name: sum(not ended for ended in over(links, name == "readers"))
                for name, links in (("idle", self.idle), ("headers", self.headers), ("bodies", self.bodies),
                                    ("readers", self.readers))}

    def close(self):
        for link in self.idle + self.headers + self.bodies + self.readers:
            link.close()


def over(links, answers):
    """Of each socket whether the server has ended it, or has answered where no answer is due."""
    poll = select.poll()
    for link in links:
        poll.register(link, select.POLLIN | select.POLLRDHUP)
    told = dict(poll.poll(0))
    gone = select.POLLRDHUP | select.POLLHUP | select.POLLERR
    ends = gone if answers else gone | select.POLLIN
    return [bool(told.get(link.fileno(), 0) & ends) for link in links]
