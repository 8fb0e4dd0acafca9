"""The short cut of make fault: a load, a few faults, and the five sets empty; and that the checker sees what is wrong.

On a stack of its own (tests/fault/stand.py). Everything else about faults is tests/fault/run.
"""

import contextlib
import io
import pathlib
import sys
from types import SimpleNamespace

import psycopg
import pytest

FAULT = pathlib.Path(__file__).resolve().parents[1] / "fault"
sys.path.insert(0, str(FAULT))

import checker  # noqa: E402
import clientlog  # noqa: E402
import inject  # noqa: E402
import phase  # noqa: E402
import tamper  # noqa: E402
from inject.mixed import Mixed  # noqa: E402
from load import Load  # noqa: E402
from stand import Stand, kill  # noqa: E402
from table import Table  # noqa: E402

pytestmark = pytest.mark.slow

JOBS_BETWEEN = 6


class Some(Mixed):
    """Each once, the spooler worker three times."""

    kinds = (inject.SpoolerWorker, inject.PoolWorker, inject.NginxWorker, inject.SessionsCut, inject.SpoolerStopped,
             inject.Immediate, inject.SpoolerWorker, inject.PoolSupervisor, inject.SpoolerWorker)


class Disturbed:
    """A stack after its load and its faults, healed; `log` is the client's."""

    def __init__(self, place):
        self.stand = Stand()
        self.place = place

    def run(self):
        self.stand.start()
        load = Load(self.stand.stack, self.place / "client.log", tenants=2, threads=4, rest_s=0.03, fill=500)
        load.start()
        crashed = phase.Crashes(self.stand)
        self.wrong, _ = phase.repeat(self.stand, Some(self.stand), load, len(Some.kinds), JOBS_BETWEEN, 0, crashed)
        assert load.wait_jobs(JOBS_BETWEEN)
        load.stop()
        checker.finish(self.stand.stack, load)
        self.wrong += crashed.look()
        self.log = load.log.path
        return self


@pytest.fixture(scope="module")
def disturbed(tmp_path_factory):
    made = Disturbed(tmp_path_factory.mktemp("fault"))
    try:
        yield made.run()
    finally:
        made.stand.remove()


def test_nothing_is_lost_duplicated_unexpected_orphaned_or_half(disturbed):
    found = checker.check(disturbed.stand.stack, disturbed.log, disturbed.stand.sweep_s)
    assert found.empty, found.text()
    assert not disturbed.wrong
    attempts = clientlog.read(disturbed.log)
    jobs = {made.answer["id"] for made in attempts if made.op == "job" and made.good}
    assert len(jobs) >= JOBS_BETWEEN * len(Some.kinds)
    assert any(not made.good for made in attempts), "the faults disturbed nobody"
    with psycopg.connect(disturbed.stand.stack.pg_uri) as db:
        parts = db.execute("SELECT max(part) FROM consign.batch_file").fetchone()[0]
    assert parts > 0, "no batch has several files: a publish of half of them would not be seen"


def test_the_checker_sees_every_harm(disturbed):
    """One harm to each of so many jobs and records; no spooler runs, which would sweep some of it away."""
    stack = disturbed.stand.stack
    kill(disturbed.stand.root("spooler"))
    *_, org = (made.facts["org"] for made in clientlog.read(disturbed.log) if made.op == "place")  # that with most jobs
    with contextlib.ExitStack() as undo:
        expected = {name: undo.enter_context(harm(stack, org, nth)) for nth, (name, harm) in enumerate(tamper.HARMS.items())}
        found = checker.check(stack, disturbed.log, sweep_s=0)
    for name, (kind, part) in expected.items():
        assert any(part in text for text in found.sets[kind]), f"{name}: not seen; found is\n{found.text()}"
    undone = checker.check(stack, disturbed.log, sweep_s=0)
    assert undone.empty, f"after undoing: {undone.text()}"


def answered(place, *lines):
    """What check_answers finds in a log of these (op, status, facts, answer)."""
    log = clientlog.ClientLog(place / "client.log")
    for op, status, facts, answer in lines:
        log.answer(log.attempt(op, tenant=facts.pop("tenant", "a"), **facts), status, None if status else "cut", **answer)
    found = checker.Findings()
    checker.check_answers.check(clientlog.read(log.path), found)
    return {name: len(texts) for name, texts in found.sets.items() if texts}


BUSY = {"type": "/problems/overloaded", "retry_after": "1"}


@pytest.mark.parametrize("lines, expected", [
    ([("probe", 503, {}, BUSY), ("probe", None, {}, {}), ("probe", 200, {}, {})], {}),
    ([("probe", 503, {}, {**BUSY, "retry_after": None})], {"unexpected": 1}),
    ([("probe", 503, {}, {**BUSY, "type": None})], {"unexpected": 1}),
    ([("probe", 500, {}, {"type": "/problems/internal"})], {"unexpected": 1}),
    ([("probe", 401, {}, {"type": "401013"})], {"unexpected": 1}),
    ([("probe", None, {}, {"hung": True})], {"unexpected": 1}),
    ([("complete", 409, {"batch": "b"}, {})], {"unexpected": 1}),
    ([("complete", None, {"batch": "b"}, {}), ("complete", 409, {"batch": "b"}, {})], {}),
    ([("job", 200, {"nonce": "n", "key": True}, {"id": 1}), ("job", 200, {"nonce": "n", "key": True}, {"id": 2})], {"duplicated": 1}),
    ([("job", 200, {"nonce": "n", "key": True}, {"id": 1}), ("jobs", 200, {"tenant": "b"}, {"jobs": [1]})], {"unexpected": 1}),
    ([("download", 206, {"batch": "b"}, {"whole": False})], {"half": 1}),
])
def test_answers_are_judged(tmp_path, lines, expected):
    assert answered(tmp_path, *lines) == expected


@pytest.mark.parametrize("types, expected", [
    (["conflict-try-again"], "unexpected"), (["conflict-try-again", "database-unavailable"], None), (["overloaded"], None)])
def test_a_job_that_every_call_was_refused_is_unexpected(tmp_path, types, expected):
    """After these problems nothing was done, as the README says; after others nobody can tell."""
    log, found = clientlog.ClientLog(tmp_path / "client.log"), checker.Findings()
    for kind in types:
        log.answer(log.attempt("job", tenant="a", nonce="n", key=True), 503, type=f"/problems/{kind}", retry_after="1")
    checker.check_jobs.created("n", clientlog.read(log.path), [SimpleNamespace(job=1)], found)
    assert [name for name, texts in found.sets.items() if texts] == ([expected] if expected else [])


def test_a_crash_is_seen(tmp_path):
    """Of whichever start of the program; not one of before, and no kill."""
    line = "event=worker_ended worker={} slot=0 signal={} lived_ms=5\n"
    (tmp_path / "log").mkdir()
    (tmp_path / "log" / "api.log").write_text(line.format(1, 11))
    crashed = phase.Crashes(SimpleNamespace(dir=tmp_path))
    with (tmp_path / "log" / "api.log").open("a") as log:
        log.write(line.format(2, 9))
    (tmp_path / "log" / "spooler.log.old").write_text(line.format(3, 6))
    assert crashed.look() == crashed.look() == ["spooler: " + line.format(3, 6).strip()]


def test_the_table_says_what_was_found():
    table = Table(io.StringIO())
    table.row("one", 3, 10, {"lost": []}, 0.5)
    assert table.empty
    table.row("two", 2, 5, {"half": ["a", "b"], "lost": 1}, 2.0)
    assert not table.empty and (table.faults, table.acknowledged) == (5, 15)
    table.row("no fault", 1, 0, {}, faults=0)
    assert table.faults == 5
    total = [line.split() for line in table.text().splitlines() if line.startswith("total")]
    assert total == [["total", "6", "15", "1", "0", "0", "0", "2", "2.0", "s"]]
    assert "lost" not in table.out.getvalue().splitlines()[0]
