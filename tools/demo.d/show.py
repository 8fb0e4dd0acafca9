"""show: what the demo prints. Knows no HTTP.

On a terminal a step's progress is a bar that is drawn over itself; anywhere else it is a plain line now
and then, so that a log stays readable. Callers: all of the demo.
"""
import json
import sys
import time

BAR = 20
LINE_SECONDS = 2.0


class Failure(Exception):
    """Something is not as it must be. The text is all that the user gets to see."""


def require(condition, message):
    if not condition:
        raise Failure(message)


def heading(text):
    print(f"\n== {text}", flush=True)


def line(text):
    print(f"   {text}", flush=True)


def document(value):
    for text in json.dumps(value, ensure_ascii=False, indent=2).splitlines():
        line(text)


class Progress:
    """The progress of one step: update() as often as you like, end() once."""

    def __init__(self, label, unit):
        self.label, self.unit = label, unit
        self.started = self.printed = time.monotonic()
        self.terminal = sys.stdout.isatty()

    def seconds(self):
        return time.monotonic() - self.started

    def update(self, done, total, note=""):
        share = min(done / total, 1.0) if total else 0.0
        figures = f"{done:,} of {total:,} {self.unit}" if total else f"{done:,} {self.unit}"
        if self.terminal:
            full = int(share * BAR)
            print(f"\r\033[K   {self.label:8} {'█' * full}{'░' * (BAR - full)} {share:4.0%} {figures} {note}",
                  end="", flush=True)
        elif time.monotonic() - self.printed >= LINE_SECONDS:
            self.printed = time.monotonic()
            line(f"{self.label:8} {share:4.0%} {figures} {note}".rstrip())

    def end(self, text):
        if self.terminal:
            print("\r\033[K", end="")
            text = f"{'█' * BAR} {text}"
        line(f"{self.label:8} {text}")
