"""A proxy before PostgreSQL that cuts, halts or holds back at an exact message of the protocol.

The pool or the spooler connects to it by TCP, it goes on to the server's unix socket. It reads the messages of both
sides (PostgreSQL manual, chapter "Frontend/Backend Protocol"), so a cut is between two of them and not between two
packets. A rule is armed for one prepared statement by name, hits once, and tells what became of the connection. Used
by test_idempotency.py; the fault suite may too.
"""

import contextlib
import pathlib
import selectors
import socket
import struct
import threading

ANSWER, COMMIT, ROWS, HOLD = "answer", "commit", "rows", "hold"


class Rule:
    """What happens once, in the transaction of a statement.

    ANSWER  the server has committed, its answer is thrown away, both sides are cut
    COMMIT  both sides are cut before the Sync that commits goes to the server
    ROWS    both sides are cut in the middle of the first row of the answer
    HOLD    the server has committed; its answer is held back until release()
    """

    def __init__(self, kind, statement):
        self.kind, self.statement = kind, statement
        self.hit = threading.Event()
        self._released = threading.Event()
        self.after = []  # messages that the client sent on that connection afterwards

    def release(self):
        self._released.set()

    def wait(self, seconds=10):
        assert self.hit.wait(seconds), f"the rule {self.kind} of {self.statement} did not hit"


class Proxy:
    """Listens on a TCP port of 127.0.0.1; `server` is the path of PostgreSQL's socket, which may come later."""

    def __init__(self, server, port=0):
        self.server = pathlib.Path(server)
        self.refuses = False  # while true, connections are closed at once
        self._rules, self._lock, self._links = [], threading.Lock(), set()
        self._listener = socket.create_server(("127.0.0.1", port))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def conninfo(self, user):
        return f"host=127.0.0.1 port={self.port} dbname=consign user={user} sslmode=disable"

    @contextlib.contextmanager
    def rule(self, kind, statement):
        """While it is open the rule is armed; it must have hit, and nobody may have used its connection again."""
        rule = Rule(kind, statement)
        with self._lock:
            self._rules.append(rule)
        try:
            yield rule
            rule.wait()
        finally:
            rule.release()
            with self._lock:
                if rule in self._rules:
                    self._rules.remove(rule)
        assert rule.after == [], f"the connection was used again: {rule.after}"

    def cut_all(self):
        """Cuts every connection there is."""
        with self._lock:
            links = list(self._links)
        for link in links:
            link.cut()

    def close(self):
        self.refuses = True
        self._listener.close()
        self.cut_all()

    def take(self, kind, statement):
        """The armed rule of this kind and statement, or None; it is armed no longer."""
        with self._lock:
            for rule in self._rules:
                if (rule.kind, rule.statement) == (kind, statement):
                    self._rules.remove(rule)
                    return rule
        return None

    def _accept(self):
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            link = None
            with contextlib.suppress(OSError):
                if not self.refuses:
                    link = Link(self, client)
            if link is None:
                client.close()
                continue
            with self._lock:
                self._links.add(link)
            threading.Thread(target=link.run, daemon=True).start()

    def forget(self, link):
        with self._lock:
            self._links.discard(link)


class Stream:
    """Whole messages out of the bytes of one side. The client's first message has no type."""

    def __init__(self, first_untyped):
        self.left, self.untyped = b"", first_untyped

    def feed(self, data):
        """Yields (type, whole message); an untyped one has the type ''."""
        self.left += data
        while True:
            skip = 0 if self.untyped else 1
            if len(self.left) < skip + 4:
                return
            size = skip + struct.unpack(">I", self.left[skip:skip + 4])[0]
            if len(self.left) < size:
                return
            whole, self.left = self.left[:size], self.left[size:]
            kind = "" if self.untyped else chr(whole[0])
            # after a request for TLS comes the true first message
            self.untyped = self.untyped and struct.unpack(">I", whole[4:8])[0] in (80877103, 80877104)
            yield kind, whole


def text(message, at=5):
    return message[at:message.index(b"\0", at)].decode()


def bound_statement(message):
    """The prepared statement that a Bind names: after the portal's name."""
    return text(message, message.index(b"\0", 5) + 1)


class Link:
    """One connection: the client's socket, the server's, and the statement whose transaction is under way."""

    def __init__(self, proxy, client):
        self.proxy, self.client = proxy, client
        self.server = socket.socket(socket.AF_UNIX)
        self.server.connect(str(proxy.server))
        self.statement = ""
        self.failed = False  # the statement, or its transaction
        self.rule = None  # that hit
        self.held = b""

    def run(self):
        sides = {self.client: (Stream(True), self.server, self._from_client),
                 self.server: (Stream(False), self.client, self._from_server)}
        with contextlib.suppress(OSError), selectors.DefaultSelector() as ready:
            for side in sides:
                ready.register(side, selectors.EVENT_READ)
            while self._step(ready, sides):
                pass
        self.cut()
        self.proxy.forget(self)

    def _step(self, ready, sides):
        for key, _ in ready.select(0.05):
            stream, other, see = sides[key.fileobj]
            data = key.fileobj.recv(1 << 16)
            if not data:
                return False
            passed = b""
            for kind, message in stream.feed(data):
                keep = see(kind, message)
                if keep is None:
                    other.sendall(passed)
                    return False
                passed += keep
            other.sendall(passed)
        if self.held and self.rule._released.is_set():
            self.client.sendall(self.held)
            self.held = b""
        return True

    def _hit(self, kind):
        """Whether a rule of this kind hits here."""
        rule = None if self.rule else self.proxy.take(kind, self.statement)
        if rule:
            self.rule = rule
            rule.hit.set()
        return rule is not None

    def _from_client(self, kind, message):
        if self.rule and kind != "X":
            self.rule.after.append(kind)
        if kind == "B" and bound_statement(message):
            self.statement, self.failed = bound_statement(message), False
        if kind == "S" and self._hit(COMMIT):
            return None
        return message

    def _from_server(self, kind, message):
        """What goes on to the client; None: cut here."""
        if self.held:
            self.held += message
            return b""
        if kind == "D" and self._hit(ROWS):
            self.client.sendall(message[:len(message) // 2])
            return None
        self.failed = self.failed or kind == "E"
        if kind == "Z":  # ready for the next: what came before is committed, or it failed
            if not self.failed and self._hit(ANSWER):
                return None
            if not self.failed and self._hit(HOLD):
                self.held = message
                return b""
            self.statement = ""
        return message

    def cut(self):
        for side in (self.client, self.server):
            with contextlib.suppress(OSError):
                side.shutdown(socket.SHUT_RDWR)
            side.close()
