"""Requests byte by byte, for what an HTTP library refuses to send.

Repeated headers, control characters, lying lengths, unnormalised paths.
"""

import json
import socket
import ssl
from urllib.parse import urlsplit

import openapi


class RawAnswer:
    """Status, headers (lower-case, repeated ones joined) and body of one response."""

    def __init__(self, data, is_head):
        head, _, body = data.partition(b"\r\n\r\n")
        lines = head.decode("latin-1").split("\r\n")
        self.status_code = int(lines[0].split()[1])
        self.headers = Headers()
        for line in lines[1:]:
            name, _, value = line.partition(":")
            self.headers.add(name, value.strip())
        if self.headers.get("Transfer-Encoding", "").lower() == "chunked" and not is_head:
            body = dechunk(body)
        self.content = body

    @property
    def text(self):
        return self.content.decode("utf-8", "replace")

    def json(self):
        return json.loads(self.content)


class Headers(dict):
    """Names compare without case, as in requests."""

    def add(self, name, value):
        key = name.lower()
        super().__setitem__(key, f"{super().__getitem__(key)}, {value}" if key in self else value)

    def __getitem__(self, name):
        return super().__getitem__(name.lower())

    def get(self, name, default=None):
        return super().get(name.lower(), default)


def dechunk(data):
    out = b""
    while data:
        size, _, data = data.partition(b"\r\n")
        length = int(size.split(b";")[0], 16)
        if length == 0:
            break
        out, data = out + data[:length], data[length + 2:]
    return out


def send(url, method, path, headers, body=b"", length=None, timeout=15):
    """Send one request with the header lines exactly as given (a list of pairs, str or bytes).

    length overrides Content-Length. Reads until the server closes; returns a RawAnswer.
    """
    where = urlsplit(url)
    lines = [as_bytes(f"{method} {path} HTTP/1.1"), as_bytes(f"Host: {where.netloc}"),
             b"Connection: close"]
    lines += [as_bytes(name) + b": " + as_bytes(value) for name, value in headers]
    if body or length is not None or method in ("POST", "PUT"):
        lines.append(b"Content-Length: %d" % (len(body) if length is None else length))
    with connect(where, timeout) as link:
        link.sendall(b"\r\n".join(lines) + b"\r\n\r\n")
        try:
            link.sendall(body)
        except (BrokenPipeError, ConnectionResetError):
            pass
        answer = RawAnswer(read_all(link), method == "HEAD")
    openapi.check(method, as_bytes(path).decode("latin-1"), None, answer.status_code, answer.headers, answer.content)
    return answer


def connect(where, timeout):
    link = socket.create_connection((where.hostname, where.port or 80), timeout)
    if where.scheme == "https":
        link = ssl._create_unverified_context().wrap_socket(link, server_hostname=where.hostname)
    return link


def read_all(link):
    parts = []
    while True:
        try:
            data = link.recv(65536)
        except ConnectionResetError:
            break
        if not data:
            break
        parts.append(data)
    return b"".join(parts)


def as_bytes(text):
    return text if isinstance(text, bytes) else text.encode("latin-1")
