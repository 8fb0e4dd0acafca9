"""work_claim: the order of claims, whose work is whose, and what is left of a worker that dies."""

import threading
import time

from several import Session, Tap, clean, eventually, kept

BACK_MS = 1_800_000
LATER_MS = int(time.time() * 1000) + BACK_MS
PAUSE_MS = 600_000


def queue(number, org=1, sandbox=12, attempt=None, not_before_ms=0, cancel=False, kind="export", created_ms=0):
    kept().rows("INSERT INTO consign.work_queue (org, sandbox, kind, batch, attempt, not_before_ms, cancel, created_ms)"
                " VALUES (%s, %s, %s, tap.b(%s), %s, %s, %s, %s)",
                org, sandbox, kind, number, attempt, not_before_ms, cancel, created_ms)


def claim(session, attempt):
    """(number of the batch, previous attempt, attempts) or None."""
    found = session.rows("SELECT batch, previous, attempts FROM consign.work_claim(%s)", attempt)
    return (int(found[0][0], 16), *found[0][1:]) if found else None


def order(tap):
    with Session() as a, Session() as b, Session() as c, Session() as d, \
            Session() as e, Session() as f:
        tap.is_(claim(a, "a"), None, "an empty queue has no work")
        queue(1)
        queue(2, sandbox=11)
        queue(3)
        queue(4, org=2, sandbox=21)
        tap.is_(claim(a, "a"), (1, None, 1), "the oldest entry first")
        tap.is_(claim(b, "b"), (4, None, 1), "then the org with nothing running, though its entry is younger")
        tap.is_(claim(c, "c"), (2, None, 1), "then again the first org, its oldest: sandboxes share the turn")
        queue(5, org=2, sandbox=21)
        tap.is_(claim(d, "d"), (5, None, 1), "the org with less running")
        tap.is_(claim(e, "e"), (3, None, 1), "an org is not held back when nobody else has work")
        tap.is_(claim(f, "f"), None, "what live sessions hold is nobody else's")


def later(tap):
    with Session() as a, Session() as b, Session() as c:
        queue(1, not_before_ms=LATER_MS)
        tap.is_(claim(a, "a"), None, "work to be tried later is not given out")
        queue(2)
        tap.is_(claim(a, "a"), (2, None, 1), "and does not stand before its org's other work")
        a.rows("SELECT consign.work_release(1, 12, tap.b(2), 'a', %s, false, 'fault')", PAUSE_MS)
        tap.is_(claim(b, "b"), None, "released for later: not given out")
        tap.is_(claim(a, "a"), None, "the worker looks for other work, and lets go of the lock")
        with Session(None) as owner:
            owner.rows("UPDATE consign.work_queue SET not_before_ms = 0 WHERE batch = tap.b(2)")
        tap.is_(claim(c, "c"), (2, None, 2), "its time has come: another worker takes it")
        queue(3)
        tap.is_(claim(a, "a"), (3, None, 1), "the worker takes other work")
        a.rows("SELECT consign.work_release(1, 12, tap.b(3), 'a', 0, true, NULL)")
        tap.is_(claim(b, "b"), None, "released at a shutdown: until its session ends or claims, it keeps the lock")
        a.conn.close()
        tap.is_(eventually(lambda: claim(b, "b")), (3, None, 1), "then it is given out, its attempt not counted")


def set_back(tap):
    """The clock was set back by half an hour: what came or failed before is not kept waiting for it, nor what stands behind it."""
    with Session(None) as owner, Session() as a:
        for kind in ("export", "ingest"):
            queue(1, kind=kind, created_ms=LATER_MS, not_before_ms=LATER_MS + 100)
            tap.is_(claim(a, "a"), (1, None, 1), f"{kind}: what was not tried yet is given out")
            a.rows("SELECT consign.work_release(1, 12, tap.b(1), 'a', 5000, false, 'fault')")
            tap.is_(claim(a, "a"), None, "when it failed it waits, though it is of a later time")
            owner.rows("UPDATE consign.work_queue SET not_before_ms = not_before_ms + %s, released_ms = released_ms + %s",
                       BACK_MS, BACK_MS)
            queue(2, kind=kind)
            tap.is_(claim(a, "a"), (1, None, 2), "unless it failed at a time that is to come")
            a.rows("SELECT consign.work_release(1, 12, tap.b(1), 'a', 5000, false, 'fault')")
            tap.is_(claim(a, "a"), (2, None, 1) if kind == "export" else None, "and it waits by the new clock then")
            owner.rows("DELETE FROM consign.work_queue")


def in_order(tap):
    """The batches of a sandbox are loaded one by one, as they were completed."""
    with Session() as a, Session() as b, Session() as c:
        queue(1, kind="ingest")
        queue(2, kind="ingest")
        queue(3, sandbox=11, kind="ingest")
        queue(4)
        tap.is_(claim(a, "a"), (1, None, 1), "the batch completed first")
        tap.is_(claim(b, "b"), (3, None, 1), "the next batch of the sandbox waits, another sandbox's does not")
        tap.is_(claim(c, "c"), (4, None, 1), "and exports don't")
        a.rows("SELECT consign.work_release(1, 12, tap.b(1), 'a', %s, false, 'fault')", PAUSE_MS)
        tap.is_(claim(a, "a"), None, "not even while the first one waits to be tried again")
        with Session(None) as owner:
            owner.rows("DELETE FROM consign.work_queue WHERE batch = tap.b(1)")
        tap.is_(claim(a, "a"), (2, None, 1), "its turn, when the first one is done")


def long_queues(tap):
    """What one tenant has waiting does not make the claims of the others slow: with a cost that grew with
    the product of its exports and its loads, this claim took 11 s."""
    with Session(None) as owner, Session() as a, Session() as b:
        for kind, letter in (("export", "x"), ("ingest", "y")):
            owner.rows("INSERT INTO consign.work_queue (org, sandbox, kind, batch, created_ms)"
                       " SELECT 1, 12, %s, md5(%s || g), 0 FROM generate_series(1, 10000) g", kind, letter)
        queue(1, org=2, sandbox=21)
        for session in (a, b):
            session.rows("SET statement_timeout = '2s'")
        tap.is_(a.one("SELECT org FROM consign.work_claim('a')"), 1, "the oldest of 20,000 in good time")
        tap.is_(claim(b, "b"), (1, None, 1), "and then the other org's")
        owner.rows("DELETE FROM consign.work_queue")


def orphans(tap):
    with Session() as b, Session() as c:
        a = Session()
        queue(1)
        tap.is_(claim(a, "a"), (1, None, 1), "claimed")
        queue(2)
        queue(3, org=2, sandbox=21, attempt="dead")
        tap.is_(claim(b, "b"), (3, "dead", 1), "what a dead session held comes before new work, with its attempt")
        tap.is_(claim(c, "c"), (2, None, 1), "what a live session holds stays")
        tap.is_(claim(c, "c2"), (2, "c", 2), "a session that claims again has let go of what it held")
        with Session(None) as owner:
            owner.rows("UPDATE consign.work_queue SET cancel = true WHERE batch = tap.b(1)")
            owner.rows("SELECT pg_terminate_backend(%s)", a.pid)
        with Session() as d:
            taken = eventually(lambda: d.rows("SELECT batch, previous, attempts, cancel FROM consign.work_claim('d')"))
            tap.is_(taken and taken[0][1:], ("a", 2, True), "a killed session loses its work, cancelled or not")
            with Session() as zombie:
                hold = "SELECT consign.work_hold(1, 12, tap.b(1), %s, false)"
                tap.is_(zombie.fault(hold, "a"), "CN410", "the old attempt owns nothing any more")
                tap.is_(zombie.fault(hold, "d"), None, "the new one does")


def undone(tap):
    with Session() as a, Session() as b:
        queue(1)
        try:
            with a.transaction():
                tap.is_(claim(a, "a"), (1, None, 1), "claimed in a transaction")
                tap.is_(claim(b, "b"), None, "nobody else's before it commits")
                raise RuntimeError
        except RuntimeError:
            pass
        a.conn.close()
        tap.is_(eventually(lambda: claim(b, "b")), (1, None, 1), "a claim that was never committed left no trace")


def many(tap):
    """Four workers empty a queue of 60 entries of three orgs' sandboxes; every entry is worked on once."""
    for number in range(60):
        org, sandbox = ((1, 11), (1, 12), (2, 21))[number % 3]
        queue(number, org, sandbox)
    done, lock = [], threading.Lock()

    def work(name):
        with Session() as s:
            def step():
                found = claim(s, name)
                if found:
                    with lock:
                        done.append(found)
                    s.rows("DELETE FROM consign.work_queue WHERE batch = tap.b(%s)", found[0])
                return not found and not s.one("SELECT count(*) FROM consign.work_queue WHERE attempt IS NULL")
            eventually(step)

    threads = [threading.Thread(target=work, args=(f"w{n}",)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    tap.is_(sorted(done), [(n, None, 1) for n in range(60)], "four workers at once: each entry once, first attempt")


with Tap() as results:
    for test in (order, later, set_back, in_order, long_queues, orphans, undone, many):
        clean()
        test(results)
