"""The client's log: what was attempted and what was answered, on disk before anybody counts it.

One JSON line for an attempt before its first byte is sent, one for its answer; an attempt without an answer is one
whose outcome the client does not know. load.py writes it, the checker reads it and asks nothing else of the client.
"""

import itertools
import json
import os
import threading
import time
from dataclasses import dataclass, field

# problems after which, as the README says, nothing was done
NOTHING_DONE = ("/problems/conflict-try-again",)


@dataclass
class Attempt:
    """One request. status None: no answer came, `broken` says why. `t1` is when the answer (or its end) came."""

    number: int
    op: str
    t0: float
    facts: dict
    t1: float = 0.0
    status: int | None = None
    broken: str | None = None
    answer: dict = field(default_factory=dict)

    @property
    def good(self):
        return self.status is not None and 200 <= self.status < 300

    @property
    def unknown(self):
        """Whether it may have been carried out without the client knowing: no answer, or one that does not say."""
        return self.status is None or self.status >= 500 and self.answer.get("type") not in NOTHING_DONE

    def __getattr__(self, name):
        """What was noted with the attempt (tenant, nonce, key, ...); None when it was not."""
        if name.startswith("__"):
            raise AttributeError(name)
        return self.facts.get(name)

    def says(self):
        outcome = self.broken if self.status is None else f"{self.status} {self.answer.get('type', '')}"
        return f"{self.op} {self.facts.get('nonce') or self.facts.get('id') or ''} -> {outcome} after {self.t1 - self.t0:.2f} s"


class ClientLog:
    """Appends; safe between threads, because a line is one write."""

    def __init__(self, path):
        self.path = path
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
        self._numbers = itertools.count(1)
        self._lock = threading.Lock()

    def attempt(self, op, **facts):
        with self._lock:
            number = next(self._numbers)
        self._write({"n": number, "op": op, "t": time.time(), **facts})
        return number

    def answer(self, number, status, broken=None, **answer):
        self._write({"n": number, "t": time.time(), "status": status, "broken": broken, "answer": answer})

    def _write(self, line):
        os.write(self._file, json.dumps(line).encode() + b"\n")


def read(path):
    """All attempts of a log, in the order in which they began."""
    found = {}
    with open(path, encoding="utf-8") as lines:
        for text in lines:
            line = json.loads(text)
            number, moment = line.pop("n"), line.pop("t")
            if "op" in line:
                found[number] = Attempt(number, line.pop("op"), moment, line)
                continue
            made = found[number]
            made.t1, made.status, made.broken, made.answer = moment, line["status"], line["broken"], line["answer"]
    for made in found.values():
        if made.t1 == 0.0:
            made.t1, made.broken = made.t0, "the client ended"
    return [found[number] for number in sorted(found)]
