#!/usr/bin/python3
"""A receiver of webhooks, a process of its own so that it can be killed. Started by webhooks.py.

webhookd.py PORT LOG [CERTIFICATE KEY]

Every request is a line of LOG before it is answered, so that what was answered was kept. The first word of the path is
what it does: ok, created (201), slow (a tenth of a second), late (two seconds), fail (500), gone (410), hang (no answer),
redirect (to /trap), huge (200 and a body without end), endless (headers without end). `LOG.ok` makes fail and gone answer 200.
"""

import http.server
import json
import os
import socket
import ssl
import sys
import time

HEADER = b"X-More: " + b"x" * 8000 + b"\r\n"


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        self.do_POST()

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        line = json.dumps({"method": self.command, "path": self.path, "time": time.time(), "body": body.decode(),
                           "resumed": getattr(self.connection, "session_reused", None),  # of TLS
                           "headers": {name.lower(): value for name, value in self.headers.items()}})
        os.write(self.server.log, line.encode() + b"\n")
        word = self.path.split("/")[1]
        getattr(self, f"do_{word}", self.do_ok)()

    def answer(self, status, body=b"", **headers):
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_ok(self):
        self.answer(200, b"thanks")

    def do_created(self):
        self.answer(201)

    def do_slow(self):
        time.sleep(0.1)
        self.answer(200)

    def do_late(self):
        time.sleep(2)
        self.answer(200)

    def do_fail(self):
        self.answer(200 if os.path.exists(sys.argv[2] + ".ok") else 500)

    def do_gone(self):
        self.answer(200 if os.path.exists(sys.argv[2] + ".ok") else 410)

    def do_hang(self):
        time.sleep(600)

    def do_redirect(self):
        self.answer(302, Location="/trap")

    def do_huge(self):
        self.send_response(200)
        self.send_header("Content-Length", str(1 << 40))
        self.end_headers()
        while True:
            self.wfile.write(HEADER)

    def do_endless(self):
        self.send_response(200)
        self.flush_headers()
        while True:
            self.wfile.write(HEADER)

    def log_message(self, format, *args):
        pass


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 256

    def handle_error(self, request, client_address):
        pass  # whoever hangs up


def main():
    # a name of this machine may lead to any of its addresses
    server = Server(("127.0.0.1" if len(sys.argv) == 3 else "", int(sys.argv[1])), Handler)
    server.log = os.open(sys.argv[2], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    if len(sys.argv) > 3:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(sys.argv[3], sys.argv[4])
        server.socket = context.wrap_socket(server.socket, server_side=True)
    server.serve_forever()


if __name__ == "__main__":
    socket.setdefaulttimeout(None)
    main()
