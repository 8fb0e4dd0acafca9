"""One logged request: the only way in which load.py speaks to the stack.

A Wire belongs to one thread. It keeps its connection while that works and judges nothing: it notes what came.
"""

import http.client
import json
import time
from urllib.parse import urlsplit

LONGEST_S = 15.0  # longer than anything may hang; what takes longer is noted as broken


class Answer:
    """Status, headers (lower case) and body of an answer."""

    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    @property
    def good(self):
        return 200 <= self.status < 300

    def json(self):
        return json.loads(self.body)


class Wire:
    def __init__(self, url, log):
        self._at = urlsplit(url)
        self._log = log
        self._connection = None

    def send(self, op, tenant, method, path, body=None, headers=None, tell=None, **facts):
        """One request for a tenant; `facts` go into the log with it, and of a good answer what tell(answer) makes
        of it. Returns the answer, or None when none came."""
        sent = {**tenant.headers, **(headers or {})}
        if isinstance(body, (dict, list)):
            body = json.dumps(body).encode()
            sent.setdefault("Content-Type", "application/json")
        number = self._log.attempt(op, tenant=tenant.tag, **facts)
        began = time.monotonic()
        try:
            answer = self._exchange(method, path, body, sent)
        except (OSError, http.client.HTTPException) as error:
            self._close()
            took = "" if time.monotonic() - began < LONGEST_S else ": no answer in time"
            self._log.answer(number, None, f"{type(error).__name__}{took}", hung=bool(took))
            return None
        self._log.answer(number, answer.status, **self._note(answer, tell))
        return answer

    def _exchange(self, method, path, body, headers):
        if self._connection is None:
            self._connection = http.client.HTTPConnection(self._at.hostname, self._at.port, timeout=LONGEST_S)
        self._connection.request(method, path, body, headers)
        got = self._connection.getresponse()
        answer = Answer(got.status, {name.lower(): value for name, value in got.getheaders()}, got.read())
        if got.will_close:
            self._close()
        return answer

    @staticmethod
    def _note(answer, tell):
        """What is kept of an answer: what the caller wants of a good one, the form of a bad one."""
        if answer.good:
            try:
                return tell(answer) if tell else {}
            except (ValueError, KeyError, IndexError, TypeError) as error:
                return {"odd": f"{type(error).__name__}: {error}: {answer.body[:200]!r}"}
        return {"type": problem_type(answer), "retry_after": answer.headers.get("retry-after"),
                "text": answer.body[:300].decode(errors="replace")}

    def _close(self):
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def problem_type(answer):
    """The problem's type, or error_code of a gateway error; None when the body is neither."""
    try:
        found = answer.json()
        return found.get("type") or found.get("error_code") or found.get("error")
    except (ValueError, AttributeError):
        return None
