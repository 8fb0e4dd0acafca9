"""Connections of the pool cut at an exact message: between COMMIT and its answer, before COMMIT, in the middle of a row.

The pool reaches its database through the proxy of tests/integ/cutting.py, and a rule waits for one of the statements
that the load makes it run.
"""

from cutting import ANSWER, COMMIT, ROWS, Proxy, Rule
from inject.again import restart_service
from inject.fault import Fault

HIT_S = 8  # the load brings every statement within that
CHANGING = ("job_create", "job_cancel", "stream_put", "batch_create", "batch_upload", "batch_complete", "entity_remove")


class CommitCut(Fault):
    """The server has committed and nobody hears of it: the client's key has to find what was made."""

    name = "connection cut between COMMIT and its answer"
    times = 25
    kind = ANSWER
    statements = CHANGING

    def __init__(self, stand):
        super().__init__(stand)
        self.proxy, self.before = None, None

    def prepare(self):
        self.proxy = Proxy(self.stand.dir / "run" / "pg" / ".s.PGSQL.5432")
        self.before = dict(self.stand.settings)
        self.stand.settings["database__api"] = self.proxy.conninfo("consign_api")
        restart_service(self.stand, "api")

    def start(self):
        rule = Rule(self.kind, self.random.choice(self.statements))
        with self.proxy._lock:  # pylint: disable=protected-access
            self.proxy._rules.append(rule)  # pylint: disable=protected-access
        if not rule.hit.wait(HIT_S):
            self.proxy.take(rule.kind, rule.statement)
            return self.missed()
        assert not rule.after, f"a connection in doubt was used again: {rule.after}"
        return 0

    def restore(self):
        assert self.done, "no rule hit"
        self.stand.settings = self.before
        restart_service(self.stand, "api")
        self.proxy.close()


class CommitLost(CommitCut):
    name = "connection cut before COMMIT"
    times = 15
    kind = COMMIT


class RowsCut(CommitCut):
    name = "connection cut in the middle of a row"
    times = 15
    kind = ROWS
    statements = (*CHANGING, "job_get", "scope_find")
